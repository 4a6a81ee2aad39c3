"""How the watcher stands by itself: lists that have gaps, calls that cannot be read, absences, slow lists."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.alerts import health
from bot.cxone.errors import CXoneError, ForbiddenError
from tests.stories.story import Story

OPS = "C0VOICEBOT"


def reasons(story: Story) -> list[str]:
    """Why the bot is not ready now."""
    return health.health(story.engine, "demo", story.clock.now()).reasons(story.clock.now(), 5)


def test_a_page_that_fails_after_an_absence_is_part_of_the_one_summary(eager: Story) -> None:
    """What had ended by the return is found on arrival, whenever its page can be read; then as usual."""
    eager.passes(10)
    eager.clock.advance(hours=3)
    eager.fails(20)
    late = eager.fails(15, target="q-sales")
    eager.centre.on_a_page_that_fails |= set(late)
    eager.passes(20)
    eager.centre.on_a_page_that_fails.clear()
    eager.passes(30)
    message = eager.expect_message("Found on arrival")
    assert eager.expect_update("Found on arrival: 35 failed handovers, 2 causes")["ts"] == message["ts"]
    new = eager.fails(1)
    eager.passes(20)
    eager.expect_message("Billing refuses handovers: 21 failed")
    eager.expect_reply(new)


def test_an_incomplete_first_start_is_one_summary(tmp_path: Path) -> None:
    """Eight causes on the page that was read, one on the page that was not."""
    told = Story(tmp_path, subscribe="min=1")
    with told.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cursors")
    for number in range(8):
        told.fails(1, target=f"q-{number}")
    told.centre.on_a_page_that_fails |= set(told.fails(1))
    told.passes(10)
    told.centre.on_a_page_that_fails.clear()
    told.passes(30)
    message = told.expect_message("Found on arrival")
    assert told.expect_update("Found on arrival: 9 failed handovers, 9 causes")["ts"] == message["ts"]
    told.expect_nothing_else()
    told.close()


@pytest.mark.parametrize("why", ["a page", "too long"])
def test_a_list_that_is_never_whole_hides_no_alert_and_is_said(eager: Story, why: str) -> None:
    """What is listed is told as usual, for hours; the ops channel hears of the gap once, and the bot is not ready."""
    eager.passes(10)
    if why == "a page":
        eager.centre.on_a_page_that_fails |= set(eager.fails(1, target="q-sales"))
    else:
        eager.centre.too_long = True
    eager.passes(minutes=90, poll_every=60)
    eager.expect_message("the list of CXone's calls is not read to its end", channel=OPS)
    assert any("the list of calls is not read to its end" in reason for reason in reasons(eager))
    cases = eager.fails(2)
    eager.passes(10)
    eager.expect_message("Billing refuses handovers: 2 failed")
    eager.expect_reply(cases)
    eager.centre.on_a_page_that_fails.clear()
    eager.centre.too_long = False
    eager.passes(10)
    if why == "a page":
        eager.expect_message("Sales refuses handovers: 1 failed")
        eager.expect_reply()
    assert reasons(eager) == []


@pytest.mark.parametrize("lasting", [True, False])
def test_back_after_two_days_without_analytics(eager: Story, *, lasting: bool) -> None:
    """What the list still holds is told; a gap that stays is said once, one that may close is tried again."""
    eager.passes(10)
    eager.clock.advance(hours=48)
    error = ForbiddenError if lasting else CXoneError
    path = "/api/v2/analytics/conversations/details/query"
    eager.centre.no_history = error("GET", path, 403 if lasting else 503, f"It failed on GET {path}.")
    eager.fails(30)
    eager.passes(30)
    eager.expect_message("Found on arrival: 30 failed handovers")
    if lasting:
        eager.expect_message("could not be looked through", channel=OPS)
    eager.passes(minutes=10, poll_every=30)
    assert bool(reasons(eager)) is not lasting
    if not lasting:
        eager.expect_message("the list of CXone's calls is not read to its end", channel=OPS)
    new = eager.fails(1)
    eager.passes(10)
    eager.expect_message("Billing refuses handovers: 31 failed")
    eager.expect_reply(new)


def test_a_list_that_works_while_no_call_can_be_read_is_an_outage(eager: Story) -> None:
    """It is said after five minutes, the bot is not ready, and once calls can be read all are, at once."""
    eager.passes(10)
    cases = eager.fails(3)
    eager.centre.unreadable |= set(cases)
    eager.passes(minutes=6, poll_every=5)
    eager.expect_message("CXone has been out of reach", "500 on GET", channel=OPS)
    assert any("No call could be read since" in reason for reason in reasons(eager))
    eager.passes(minutes=20, poll_every=10)
    eager.centre.unreadable.clear()
    more = eager.fails(1)
    eager.passes(30)
    eager.expect_message("CXone is back", channel=OPS)
    eager.expect_message("4 failed")
    eager.expect_reply(more)
    eager.passes(minutes=6)
    eager.expect_reply(cases)
    assert reasons(eager) == []


def test_one_call_that_cannot_be_read_is_no_outage(eager: Story) -> None:
    """Nor one that is gone."""
    eager.passes(10)
    eager.centre.unreadable |= set(eager.fails(1))
    eager.centre.gone |= set(eager.fails(1))
    for _ in range(10):
        eager.centre.call("accepted")
        eager.passes(minutes=1, poll_every=5)
    assert reasons(eager) == []


def test_a_call_that_is_gone_is_given_up(eager: Story) -> None:
    """After the time that the list reaches back; nobody is asked about it for ever."""
    eager.centre.gone |= set(gone := eager.fails(1))
    eager.passes(minutes=10)
    for _ in range(30):
        eager.clock.advance(hours=1)
        eager.passes(1)
    eager.centre.asked.clear()
    for _ in range(5):
        eager.clock.advance(hours=1)
        eager.passes(1)
    assert gone[0] not in eager.centre.asked


def test_a_slow_list_leaves_time_to_read(eager: Story) -> None:
    """However long it takes, the calls on it are read in the same poll."""
    eager.passes(10)
    cases = eager.fails(2)
    eager.centre.list_seconds = 31.0
    eager.poll()
    eager.centre.list_seconds = 0.0
    assert set(cases) <= set(eager.centre.asked)
    eager.passes(10)
    eager.expect_message("2 failed")
    eager.expect_reply(cases)


def test_a_rare_poll_is_no_absence(eager: Story) -> None:
    """With two hours between polls, two hours without one are as usual."""
    eager.watcher._arrivals = type(eager.watcher._arrivals)(
        **{name: getattr(eager.watcher._arrivals, name) for name in eager.watcher._arrivals.__slots__}
        | {"absence": timedelta(hours=4)}
    )
    eager.passes(10)
    eager.clock.advance(hours=2)
    cases = eager.fails(1)
    eager.passes(10)
    eager.expect_message("Billing refuses handovers: 1 failed")
    eager.expect_reply(cases)


def test_the_ending_is_the_acceptance_that_completed_the_row(eager: Story) -> None:
    """However many came between two polls."""
    cases = eager.fails(1)
    eager.passes(30)
    eager.expect_message("1 failed")
    eager.expect_reply(cases)
    start = eager.clock.now()
    for second in range(100):
        eager.centre.call("accepted", at=start + timedelta(seconds=60 + 3 * second))
    eager.passes(minutes=7)
    third = start + timedelta(seconds=66)
    eager.expect_update("Resolved at", f"{third:%H:%M}")
