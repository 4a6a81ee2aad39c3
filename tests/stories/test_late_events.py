"""A call whose record changes after it was first read: one failed handover stays one alert, with the right cause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.stories.centre import _text
from tests.stories.story import Story


def _late(story: Story, **how: Any) -> tuple[str, Any]:
    """A refused call that just ended, and whose refusal is not in its record yet; and how it comes in."""
    call = story.centre.call("rejected", at=story.clock.now() - timedelta(seconds=22), **how)
    events = story.centre.documents[call]["events"]
    refusal = next(each for each in events if each["type"] == "sessionTransferRejected")
    events.remove(refusal)
    return call, lambda: events.insert(1, refusal)


def test_what_is_concluded_from_silence_waits_for_late_events(eager: Story) -> None:
    """A refusal that comes 10 s after the end of the call is no ignored handover."""
    call, arrives = _late(eager)
    eager.passes(10)
    eager.expect_nothing_else()
    arrives()
    eager.passes(minutes=2)
    eager.expect_message("Billing refuses handovers: 1 failed")
    eager.expect_reply([call])


def test_a_request_that_comes_late_is_seen(eager: Story) -> None:
    """A record without one is not yet one of a bot that never asked."""
    call = eager.centre.call("rejected", at=eager.clock.now() - timedelta(seconds=22))
    document = eager.centre.documents[call]
    events, document["events"] = document["events"], []
    eager.passes(10)
    eager.expect_nothing_else()
    document["events"] = events
    eager.passes(minutes=2)
    eager.expect_message("Billing refuses handovers: 1 failed")
    eager.expect_reply([call])


def test_silence_is_told_once_it_is_certain(eager: Story) -> None:
    """A minute after the asking, or after the end of the call."""
    call, _ = _late(eager)
    eager.passes(55)
    eager.expect_nothing_else()
    eager.passes(20)
    eager.expect_message("Billing ignores handovers: 1 failed")
    eager.expect_reply([call])


def test_a_cause_that_turns_out_to_be_another_moves(eager: Story) -> None:
    """The reason came late: the first message is taken back, and says why; the ledger counts one."""
    call = eager.centre.call("rejected", reason="QUEUE_FULL")
    eager.passes(10)
    eager.expect_message("QUEUE_FULL")
    eager.expect_reply([call])
    for event in eager.centre.documents[call]["events"]:
        if event["type"] == "sessionTransferRejected":
            event["reason"] = "NO_AGENTS_AVAILABLE"
    eager.passes(minutes=2)
    eager.expect_message("NO_AGENTS_AVAILABLE", "1 failed")
    eager.expect_reply([call])
    eager.expect_update("⚪", "Withdrawn", "another cause")
    assert (eager.ledger().detected, eager.ledger().sent) == (1, 1)


def test_a_target_that_becomes_known_later(eager: Story) -> None:
    """First a participant, then its queue: one alert that stands, of the queue."""
    call = eager.centre.call("rejected", at=eager.clock.now() - timedelta(seconds=22), target="p-acd")
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply([call])
    eager.centre.documents[call]["participants"].append(
        {"id": "p-acd", "purpose": "acd", "queueId": "q-billing", "name": "Billing"}
    )
    eager.passes(minutes=7)
    eager.expect_message("Billing refuses handovers: 1 failed")
    eager.expect_reply([call])
    eager.expect_update("Withdrawn", "another cause")
    assert eager.ledger().detected == 1


def test_a_second_attempt_of_a_live_call_that_fails_too(eager: Story) -> None:
    """It is the same failed call: one alert, one line, counted once."""
    call = eager.centre.call("rejected", live=True, at=eager.clock.now())
    eager.passes(minutes=3)
    eager.expect_message("1 failed")
    eager.expect_reply([call])
    now, document = eager.clock.now(), eager.centre.documents[call]
    again = dict(document["events"][0], timestamp=_text(now))
    refused = dict(document["events"][1], timestamp=_text(now + timedelta(seconds=1)))
    document["events"] += [again, refused]
    document["endTime"] = _text(now + timedelta(seconds=20))
    eager.passes(minutes=8)
    eager.expect_update("1 failed at 14:03")
    assert eager.lines()[call] == 1
    assert (eager.ledger().detected, eager.ledger().sent) == (1, 1)


def test_a_cause_that_moves_before_anybody_was_told(story: Story) -> None:
    """Held below the threshold it moves in silence."""
    call = story.centre.call("rejected", reason="QUEUE_FULL")
    story.passes(10)
    story.centre.documents[call]["events"][1]["reason"] = "NO_AGENTS_AVAILABLE"
    story.passes(minutes=2)
    assert (story.ledger().detected, story.ledger().held) == (1, 1)
    more = story.fails(4)
    story.passes(10)
    story.expect_message("5 failed", "NO_AGENTS_AVAILABLE")
    story.expect_reply([call, *more])


def test_accepted_in_the_end_after_the_ending(eager: Story) -> None:
    """A message that says resolved does not say that 0 failed: it is withdrawn."""
    call = eager.centre.call("rejected", live=True, at=eager.clock.now())
    eager.passes(minutes=3)
    eager.expect_message("1 failed")
    eager.expect_reply([call])
    for _ in range(3):
        eager.centre.call("accepted")
    eager.passes(minutes=6)
    eager.expect_update("✅")
    eager.centre.accept_late(call)
    eager.centre.documents[call]["endTime"] = _text(eager.clock.now())
    eager.passes(minutes=3)
    eager.expect_update("⚪", "Withdrawn: accepted")


def test_what_ended_long_ago_is_read_once(eager: Story) -> None:
    """A day of calls that the bot served itself is not read twice on arrival; one that just ended is."""
    old = eager.centre.call("stopped", at=eager.clock.now() - timedelta(minutes=20))
    new = eager.centre.call("stopped")
    eager.passes(minutes=3)
    assert (eager.centre.asked.count(old), eager.centre.asked.count(new)) == (1, 2)
