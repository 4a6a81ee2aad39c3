"""Lists with missing pages, lists that come slowly, and calls that are listed and cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.alerts.health import Health, health
from bot.cxone.errors import CXoneError, NotFoundError
from bot.store import facts
from bot.store.engine import reading
from tests.stories.story import Story, first_start
from tests.stories.world import OPS


def _fails(status: int, words: str) -> CXoneError:
    return CXoneError("GET", "/api/v2/conversations", status, words)


def _without_a_page(story: Story, *, but: int | None = None) -> None:
    """From now on each list lacks its second page: all rows but so many of the oldest, or none of them."""
    real = story.centre.list

    def listed(*arguments: Any, **options: Any) -> Any:
        listing = real(*arguments, **options)
        listing.failed.append(_fails(500, "500 on page 2"))
        if but is not None:
            del listing.rows[but:]
        return listing

    story.centre.list = listed  # type: ignore[method-assign]


def _whole(story: Story) -> None:
    del story.centre.list


def _health(story: Story) -> Health:
    return health(story.engine, "demo", story.clock.now())


def _reasons(story: Story) -> list[str]:
    return _health(story).reasons(story.clock.now(), 15)


# ---- missing pages ------------------------------------------------------------------------------------------------


def test_a_page_is_missing_after_an_absence(tmp_path: Path) -> None:
    """What is found is a summary of its own, not an edit of the one before."""
    story = first_start(tmp_path)
    story.fails(2)
    story.passes(90)
    story.expect_message("Found on arrival: 2 failed")
    story.clock.advance(hours=3)
    _without_a_page(story)
    story.fails(30)
    story.fails(5, target="q-sales")
    story.passes(10)
    _whole(story)
    story.passes(90)
    story.expect_message("Found on arrival: 35 failed handovers, 2 causes")
    story.expect_nothing_else()
    story.close()


def test_a_page_is_missing_at_the_first_start(tmp_path: Path) -> None:
    """One summary, also of what the missing page held; then as usual."""
    story = first_start(tmp_path)
    for number in range(8):
        story.centre.targets[f"q-{number}"] = {"id": f"q-{number}", "name": f"Queue {number}"}
        story.fails(target=f"q-{number}")
    _without_a_page(story, but=5)
    story.passes(20)
    story.expect_nothing_else()
    _whole(story)
    story.passes(60)
    story.expect_message("Found on arrival: 8 failed handovers, 8 causes")
    calls = story.fails(1)
    story.passes(10)
    story.expect_message("1 failed")
    story.expect_reply(calls)
    story.expect_nothing_else()
    story.close()


def test_a_page_that_comes_after_the_summary(tmp_path: Path) -> None:
    """It has a summary of its own: an edit of the one that is there would reach nobody."""
    story = first_start(tmp_path)
    story.fails(8)
    _without_a_page(story, but=5)
    story.passes(minutes=3)
    story.expect_message("Found on arrival: 5 failed")
    _whole(story)
    story.passes(minutes=1)
    story.expect_message("Found on arrival: 3 failed")
    story.expect_nothing_else()
    story.close()


def test_a_page_that_always_fails(eager: Story) -> None:
    """What the other pages hold is told as usual, and that something is missing is said."""
    _without_a_page(eager)
    eager.passes(minutes=70, poll_every=60)
    eager.expect_message("only in part", "500 on page 2", channel=OPS)
    assert any("only in part" in each for each in _reasons(eager))
    calls = eager.fails(3)
    eager.passes(10)
    eager.expect_message("3 failed")
    eager.expect_reply(calls)
    _whole(eager)
    eager.passes(10)
    eager.expect_message("whole again", channel=OPS)
    assert _reasons(eager) == []


def test_more_pages_than_are_read(eager: Story) -> None:
    """A list that is cut is not whole: the cursor stays, and it is said."""
    real = eager.centre.list

    def listed(*arguments: Any, **options: Any) -> Any:
        listing = real(*arguments, **options)
        listing.cut = True
        return listing

    eager.centre.list = listed  # type: ignore[method-assign]
    with reading(eager.engine) as connection:
        before = facts.cursor(connection, "demo").listed_until
    eager.passes(minutes=6)
    eager.expect_message("only in part", "more pages", channel=OPS)
    with reading(eager.engine) as connection:
        assert facts.cursor(connection, "demo").listed_until == before


# ---- absences -----------------------------------------------------------------------------------------------------


def test_back_after_a_day_without_the_analytics_scope(eager: Story) -> None:
    """What is still listed is found; which span is not is said once."""

    def history(*_: Any, **__: Any) -> Any:
        raise _fails(403, "403 on analytics: a scope is missing.")

    eager.centre.history = history  # type: ignore[method-assign]
    eager.clock.advance(hours=25)
    eager.fails(2)
    eager.passes(90)
    eager.expect_message("Found on arrival: 2 failed")
    eager.expect_message("only those are known that CXone still lists", "403 on analytics", channel=OPS)
    assert any("403 on analytics" in each for each in _reasons(eager))
    calls = eager.fails(3)
    eager.passes(10)
    eager.expect_message("5 failed")
    eager.expect_reply(calls)
    eager.passes(minutes=61, poll_every=60)
    eager._news = [each for each in eager._news if each[0] == "message"]
    assert _reasons(eager) == []


def test_analytics_that_fail_for_a_while(eager: Story) -> None:
    """What is listed is told meanwhile; the older calls are found once analytics answer."""
    old = eager.centre.call("rejected", at=eager.clock.now() + timedelta(hours=2))
    document = eager.centre.documents.pop(old)
    eager.clock.advance(hours=30)
    real = eager.centre.list

    def out(*_: Any, **__: Any) -> Any:
        raise _fails(503, "503 on analytics")

    def answers(*_: Any, **__: Any) -> Any:
        eager.centre.documents[old] = document
        return real()

    eager.centre.history = out  # type: ignore[method-assign]
    eager.fails(2, target="q-sales")
    eager.passes(90)
    eager.expect_message("Found on arrival: 2 failed")
    eager.centre.history = answers  # type: ignore[method-assign]
    eager.passes(90)
    eager.expect_message("Found on arrival: 1 failed")


def test_what_was_listed_late_before_an_absence(eager: Story) -> None:
    """A call that ended before the bot did, and stood in no list by then, began before the last one."""
    lost = eager.centre.call("rejected", at=eager.clock.now() - timedelta(seconds=50))
    document = eager.centre.documents.pop(lost)
    eager.passes(10)
    eager.clock.advance(hours=30)
    real, asked = eager.centre.list, []

    def history(since: datetime, *_: Any, **__: Any) -> Any:
        asked.append(since)
        if since <= datetime.fromisoformat(document["startTime"]):
            eager.centre.documents[lost] = document
        return real()

    eager.centre.history = history  # type: ignore[method-assign]
    eager.passes(90)
    eager.expect_message("🟠  Found on arrival: 1 failed handover")
    assert len(asked) == 1


def test_polls_that_are_more_than_an_hour_apart(eager: Story) -> None:
    """They are no absences where that is how often is polled."""
    eager.watcher.absence = timedelta(hours=4)
    eager.clock.advance(hours=2)
    calls = eager.fails(3)
    eager.passes(10)
    eager.expect_message("3 failed")
    eager.expect_reply(calls)


# ---- calls that cannot be read ------------------------------------------------------------------------------------


def test_listed_and_never_readable(eager: Story) -> None:
    """An outage like any other: a reason, a line, and all is told soon after it."""
    calls = []
    for _ in range(6):
        calls += eager.fails(5)
        eager.centre.unreadable |= set(calls)
        eager.passes(minutes=5)
    eager.expect_message("none of them could be read", "500 on GET", channel=OPS)
    assert any("No call could be read" in each for each in _reasons(eager))
    eager.expect_nothing_else()
    eager.centre.unreadable.clear()
    eager.passes(40)
    eager.expect_message("30 failed")
    eager.expect_message("can be read again", channel=OPS)
    assert _reasons(eager) == []
    eager._look()
    assert set(eager.lines()) == set(calls)
    eager._news.clear()


def test_one_call_that_can_never_be_read(eager: Story) -> None:
    """It says nothing of the others; after a day it is given up."""
    (poison,) = eager.fails()
    eager.centre.unreadable.add(poison)
    eager.passes(minutes=2)
    eager.centre.call("accepted")
    eager.passes(minutes=20)
    assert _reasons(eager) == []
    for _ in range(72):
        eager.clock.advance(hours=1)
        eager.watcher.poll()
    assert 12 <= eager.centre.asked.count(poison) < 45


def test_the_only_call_can_never_be_read(eager: Story) -> None:
    """An outage, as far as can be seen; after the lookback it is given up, and the bot is ready."""
    (poison,) = eager.fails()
    eager.centre.unreadable.add(poison)
    eager.passes(minutes=6)
    eager.expect_message("none of them could be read", channel=OPS)
    assert _reasons(eager)
    for _ in range(72):
        eager.clock.advance(hours=1)
        eager.watcher.poll()
    assert eager.centre.asked.count(poison) < 90
    assert _reasons(eager) == []
    eager.passes(1)


def test_a_call_that_is_gone(eager: Story) -> None:
    """404: CXone answers, so nothing is out; it is given up after a day."""
    (gone,) = eager.fails()
    real = eager.centre.details

    def details(conversation_id: str, *arguments: Any, **options: Any) -> Any:
        if conversation_id == gone:
            eager.centre.asked.append(gone)
            raise NotFoundError("GET", "/api/v2/conversations/{id}", 404, "404")
        return real(conversation_id, *arguments, **options)

    eager.centre.details = details  # type: ignore[method-assign]
    eager.passes(minutes=20)
    assert _reasons(eager) == []
    for _ in range(72):
        eager.clock.advance(hours=1)
        eager.watcher.poll()
    assert eager.centre.asked.count(gone) < 45


def test_a_list_that_takes_the_time_of_the_poll(eager: Story) -> None:
    """The calls are read all the same."""
    real = eager.centre.list

    def slow(*arguments: Any, **options: Any) -> Any:
        eager.clock.advance(31)
        return real(*arguments, **options)

    eager.centre.list = slow  # type: ignore[method-assign]
    calls = eager.fails(2)
    eager.passes(5)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)


def test_an_id_that_is_a_number(eager: Story) -> None:
    """Other platforms count their calls."""
    call = eager.centre.call("rejected", conversation_id="700123")
    eager.centre.documents[call]["id"] = 700123
    eager.passes(10)
    eager.expect_message("Billing refuses handovers: 1 failed")
    eager.expect_reply([call])
