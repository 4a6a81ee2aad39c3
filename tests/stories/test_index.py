"""What the tables know answers a look-up, as long as it may."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot import phone
from bot.alerts.index import Index, keep_to_key
from bot.store import audit
from bot.store.engine import reading, writing
from bot.store.tables import audit as audit_rows
from bot.store.tables import numbers
from tests.stories.story import Story

DAY = timedelta(hours=24)


def index_of(story: Story, key: str = "key") -> Index:
    """The index under a key, as at the start of `run`."""
    with writing(story.engine) as connection:
        keep_to_key(connection, "demo", key, story.clock.now(), DAY)
    return Index(
        engine=story.engine,
        clock=story.clock,
        tenant="demo",
        hash_key=key,
        poll_every=timedelta(seconds=5),
        lookback=DAY,
    )


def number_of(story: Story, call: str) -> phone.Number:
    """The caller's."""
    return phone.parse(story.centre.documents[call]["participants"][0]["identity"], "US")


def test_it_answers_alone_while_fresh_then_beside_the_list_then_not_at_all(story: Story) -> None:
    """The last poll decides; what was never seen is asked for."""
    index = index_of(story)
    (call,) = story.fails()
    story.passes(10)
    number = number_of(story, call)
    known = index.known(number)
    assert known is not None
    assert ([each.conversation_id for each in known.calls], known.since) == ([call], None)
    assert index.known(phone.parse("+15550100000", "US")) is None
    polled = story.clock.now()
    story.clock.advance(minutes=2)
    known = index.known(number)
    assert known is not None
    assert known.since is not None
    assert timedelta(minutes=9) < polled - known.since < timedelta(minutes=11)
    story.clock.advance(hours=25)
    assert index.known(number) is None


def test_a_rare_poll_is_not_fresh_for_long(story: Story) -> None:
    """However POLL_SECONDS is set."""
    index = index_of(story)
    (call,) = story.fails()
    story.passes(10)
    object.__setattr__(index, "poll_every", DAY)
    story.clock.advance(minutes=5)
    known = index.known(number_of(story, call))
    assert known is not None
    assert known.since is not None


def test_another_key_starts_anew_and_answers_after_a_day(story: Story) -> None:
    """What was hashed before is dropped; the alerts stay."""
    index_of(story)
    (call,) = story.fails()
    with writing(story.engine) as connection:
        at = story.clock.now()
        audit.write(connection, "demo", at=at, actor="U0SAM", channel="C", action="diagnose", number_hash="x")
    story.passes(10)
    index = index_of(story, "another")
    with reading(story.engine) as connection:
        assert connection.execute(select(numbers)).all() == []
        assert connection.scalar(select(audit_rows.c.hash)) == ""
    assert story.ledger().held == 1
    story.watcher.hash_key = "another"
    (newer,) = story.fails()
    story.passes(10)
    assert index.known(number_of(story, newer)) is None, "a list still knows more"
    assert index_of(story, "another").known(number_of(story, call)) is None
