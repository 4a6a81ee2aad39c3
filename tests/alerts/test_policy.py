"""What deserves a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.alerts import policy
from bot.alerts.policy import Entry, Failure, Mute, Reason, Rules, State, needs_update
from bot.diagnosis.outcomes import Fault, Outcome, Threshold

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def _failure(outcome: Outcome, fault: Fault = Fault.TARGET, **more: str) -> Failure:
    return Failure(
        conversation_id="c1",
        at=NOW,
        attempt_at=NOW.isoformat(),
        outcome=outcome,
        fault=fault,
        target_id=more.get("target_id", "q1"),
        target_name="Billing",
        bot=more.get("bot", "Voicebot"),
        reason="",
        reason_code=more.get("code", "NO_AGENTS"),
        phone="",
        headline="",
        next_step="",
    )


@pytest.mark.parametrize(
    ("failure", "key"),
    [
        (_failure(Outcome.FORBIDDEN, Fault.CONNECTOR), "outcome=forbidden bot=Voicebot"),
        (_failure(Outcome.MALFORMED, Fault.BOT), "outcome=malformed bot=Voicebot"),
        (_failure(Outcome.REJECTED, Fault.PLATFORM), "fault=platform"),
        (_failure(Outcome.IGNORED, Fault.FLOW), "outcome=ignored target=q1"),
        (_failure(Outcome.INVALID_TARGET, Fault.BOT), "outcome=invalid_target target=q1"),
        (_failure(Outcome.REJECTED), "outcome=rejected target=q1 reason=NO_AGENTS"),
    ],
)
def test_groups_are_by_who_must_act(failure: Failure, key: str) -> None:
    """The key is spelled in plain fields."""
    assert policy.group_key(failure) == key


@pytest.mark.parametrize(
    ("failures", "attempts", "over"), [(4, 4, False), (5, 5, True), (5, 50, True), (5, 51, False), (6, 60, True)]
)
def test_threshold_and_rate(failures: int, attempts: int, over: bool) -> None:  # noqa: FBT001 - a column of the table
    """Both must be reached."""
    assert policy.is_over(Threshold(5, 10, 0.10), failures, attempts) is over


@pytest.mark.parametrize(
    ("state", "minutes_after_the_ending", "what"),
    [("open", 0, "join"), ("quiet", 0, "join"), ("resolved", -1, "join"), ("resolved", 30, "reopen"),
     ("resolved", 31, "new"), ("withdrawn", 1, "new"), ("lapsed", 1, "new")],
)  # fmt: skip
def test_later_compares_attempt_times(state: str, minutes_after_the_ending: int, what: str) -> None:
    """A failure from before the ending joins quietly; within 30 minutes it reopens; later it is a new group."""
    assert policy.joins(state, NOW, NOW + timedelta(minutes=minutes_after_the_ending), told=True) == what


def test_what_nobody_was_told_of_is_not_reopened() -> None:
    """It begins anew."""
    assert policy.joins("resolved", NOW, NOW + timedelta(minutes=5), told=False) == "new"


def test_three_in_a_row_and_five_minutes_resolve() -> None:
    """Enough acceptances in a row since the last failure, and time; the ending is the acceptance that completed it."""
    accepted = [(NOW + timedelta(minutes=minute), "accepted") for minute in (3, 2, 1)]
    assert policy.ending(Rules(), accepted, NOW, NOW + timedelta(minutes=4)) is None
    assert policy.ending(Rules(), accepted[:2], NOW, NOW + timedelta(minutes=9)) is None
    mixed = [accepted[0], (NOW + timedelta(minutes=2), "failed"), *accepted[1:]]
    assert policy.ending(Rules(), mixed, NOW, NOW + timedelta(minutes=9)) is None
    ended = policy.ending(Rules(), accepted, NOW, NOW + timedelta(minutes=6))
    assert ended == NOW + timedelta(minutes=3)


@pytest.mark.parametrize(("failed", "said", "mark"), [(9, 0, None), (10, 0, 10), (10, 10, None), (1500, 10, 1000)])
def test_broadcasts_at_10_100_1000(failed: int, said: int, mark: int | None) -> None:
    """Each mark once, the highest passed."""
    assert policy.broadcast_for(failed, said) == mark


LATER = NOW + timedelta(hours=1)
FIRING = State(state="open", version=3, failed=5, firing_since=NOW)


@pytest.mark.parametrize(
    ("entry", "group", "reason"),
    [
        (Entry(subscribed=False), FIRING, Reason.NOBODY),
        (Entry(reached=False), FIRING, Reason.HELD),
        (Entry(paused=True), FIRING, Reason.PAUSED),
        (Entry(merged=True), FIRING, Reason.MERGED),
        (Entry(muted_until=NOW + timedelta(hours=1)), FIRING, Reason.MUTED),
        (Entry(), FIRING, Reason.FIRST),
        (Entry(told=True, shown=3), FIRING, Reason.NOTHING),
        (Entry(told=True, shown=2, waiting=1), FIRING, Reason.CHANGED),
        (Entry(told=True, shown=3, waiting=1), FIRING, Reason.CASES),
        (Entry(told=True, shown=3), State(state="open", version=3, failed=12), Reason.COUNT),
        (Entry(told=True, shown=3, subscribed=False), State(state="open", version=3, failed=12), Reason.NOTHING),
        (Entry(told=True, shown=3), State(state="open", version=3, failed=2, reopened=1), Reason.REOPENED),
        (Entry(told=True, shown=3, muted_until=LATER), State(state="resolved", version=4, failed=5), Reason.CHANGED),
    ],
)  # fmt: skip
def test_needs_update(entry: Entry, group: State, reason: Reason) -> None:
    """One reason, the most urgent."""
    assert needs_update(entry, group, NOW) is reason


def test_an_hour_unacknowledged() -> None:
    """Said once an hour went by, unless somebody acknowledged."""
    later = NOW + timedelta(hours=1)
    told = Entry(told=True, shown=3)
    assert needs_update(told, FIRING, later) is Reason.UNACKNOWLEDGED
    acknowledged = State(state="open", version=3, failed=5, firing_since=NOW, acknowledged=True)
    assert needs_update(told, acknowledged, later) is Reason.NOTHING


@pytest.mark.parametrize(
    ("what", "value", "covered"),
    [("all", "", True), ("outcome", "rejected", True), ("outcome", "ignored", False), ("fault", "target", True),
     ("target", "BILLING", True), ("target", "q2", False), ("group", "7", True), ("group", "8", False)],
)  # fmt: skip
def test_what_a_mute_covers(what: str, value: str, covered: bool) -> None:  # noqa: FBT001 - a column of the table
    """In its own channel alone."""
    case = {"outcome": "rejected", "fault": "target", "target": ("q1", "Billing"), "group_id": 7}
    mute = Mute("C1", what, value, NOW)
    assert mute.covers("C1", **case) is covered  # type: ignore[arg-type]
    assert not mute.covers("C2", **case)  # type: ignore[arg-type]
