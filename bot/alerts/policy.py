"""What deserves a message: groups, thresholds, firing and resolved, mutes. Pure.

Times compared are times of attempts, never of their discovery; `now` is handed in where waiting itself counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.alerts.filters import Filters
from bot.diagnosis.handover import Diagnosis
from bot.diagnosis.outcomes import TABLE, Fault, Outcome, Threshold
from bot.redact import foreign

BROADCAST_AT = (10, 100, 1_000)
UNACKNOWLEDGED = timedelta(hours=1)
BY_SILENCE = frozenset({Outcome.IGNORED, Outcome.MALFORMED})  # concluded from what is missing, which may come late
REOPENS_WITHIN = timedelta(minutes=30)
FLOOD_GROUPS, FLOOD_MINUTES = 50, 10
LAPSES_AFTER = timedelta(hours=1)  # a group that nobody was told of
CHANNEL_GIVEN_UP_AFTER = timedelta(hours=24)  # closed to the bot for so long, nothing is owed to it
LONGEST_MUTE = timedelta(hours=24)
ABSENCE = timedelta(hours=1)
STOPPED_WINDOW, USUAL_WINDOW = timedelta(minutes=30), timedelta(hours=24)
USUAL_CALLS, EXPECTED_ASKED = 50, 5


@dataclass(frozen=True, slots=True)
class Rules:
    """The durations and counts that are settings."""

    resolve_accepted: int = 3
    resolve_after: timedelta = timedelta(minutes=5)
    quiet_after: timedelta = timedelta(minutes=30)
    thread_every: timedelta = timedelta(minutes=5)
    edit_every: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed handover, as far as alerts care."""

    conversation_id: str
    at: datetime
    attempt_at: str  # the attempt's own time as text; empty where the record has none
    outcome: Outcome
    fault: Fault
    target_id: str
    target_name: str
    bot: str
    reason: str  # masked and cut: a number in it would make every call a group of its own
    reason_code: str
    phone: str
    headline: str
    next_step: str


def failure_of(found: Diagnosis, now: datetime) -> Failure | None:
    """The failed handover that a diagnosis tells of; None if its outcome never alerts."""
    row = TABLE[found.outcome]
    if row.alerts is None and not row.on_request:
        return None
    attempt = found.decided_by
    asked = attempt.timestamp if attempt else None
    target_id = attempt.target_id if attempt else ""
    name = (found.target.name if found.target else "") or (attempt.to_name if attempt else "") or target_id
    return Failure(
        conversation_id=found.conversation_id,
        at=asked or found.ended_at or found.started_at or now,
        attempt_at=asked.isoformat() if asked else "",
        outcome=found.outcome,
        fault=found.fault,
        target_id=target_id,
        target_name=foreign(name, 80),
        bot=bot_of(found),
        reason=foreign(attempt.reason, 120) if attempt else "",
        reason_code=foreign(attempt.reason_code, 80) if attempt else "",
        phone=found.phone,
        headline=found.headline,
        next_step=found.next_step,
    )


def bot_of(found: Diagnosis) -> str:
    """The bot's name, as it may be shown and stored."""
    return foreign(found.bot_name or (found.decided_by.from_name if found.decided_by else ""), 80)


# ---- groups -------------------------------------------------------------------------------------------------------


def group_key(failure: Failure) -> str:
    """Who must act, spelled in plain fields: shown by `why`."""
    outcome = failure.outcome.value
    if failure.fault is Fault.PLATFORM:
        return "fault=platform"
    if failure.outcome in (Outcome.FORBIDDEN, Outcome.MALFORMED):
        return f"outcome={outcome} bot={failure.bot}"
    if failure.outcome in (Outcome.IGNORED, Outcome.INVALID_TARGET):
        return f"outcome={outcome} target={failure.target_id}"
    reason = failure.reason_code or failure.reason[:80]
    return f"outcome={outcome} target={failure.target_id} reason={reason}"


def scope_of(failure: Failure) -> str:
    """Whose handovers are counted beside the failed ones, and whose acceptance ends the group."""
    if failure.fault is Fault.PLATFORM:
        return "tenant:"
    if failure.outcome in (Outcome.FORBIDDEN, Outcome.MALFORMED):
        return f"bot:{failure.bot}"
    return f"target:{failure.target_id}"


def joins(state: str, ended_at: datetime | None, at: datetime, *, told: bool) -> str:
    """What a failure at `at` does to the newest group of its key: "join", "reopen" or "new".

    What no channel was told of is not reopened: its history would be that of failures now and then.
    """
    if state in ("open", "quiet"):
        return "join"
    if state != "resolved" or ended_at is None:
        return "new"
    if at <= ended_at:
        return "join"  # it happened before the ending and is only found now
    return "reopen" if told and at - ended_at <= REOPENS_WITHIN else "new"


def is_over(threshold: Threshold, failures: int, attempts: int) -> bool:
    """Whether so many failures among so many attempts reach a threshold."""
    return failures >= threshold.failures and failures >= threshold.rate * max(attempts, failures)


def ending(
    rules: Rules, latest: Sequence[tuple[datetime, str]], last_failure: datetime, now: datetime
) -> datetime | None:
    """When a group was resolved: enough handovers in a row accepted, and long enough since the last failure.

    `latest`: time and verdict of the scope's newest judged handovers asked for after the last failure, newest first.
    None while it is not resolved.
    """
    row = []
    for at, verdict in latest:
        if verdict != "accepted":
            break
        row.append(at)
    if len(row) < rules.resolve_accepted or now < last_failure + rules.resolve_after:
        return None
    return sorted(row)[rules.resolve_accepted - 1]  # the acceptance that completed it: what failed after it is later


def quiet_since(rules: Rules, last: Iterable[datetime | None], now: datetime) -> datetime | None:
    """Since when neither a failure nor an acceptance was seen, once that is long enough to say so."""
    since = max((at for at in last if at is not None), default=None)
    return since if since is not None and now - since >= rules.quiet_after else None


def broadcast_for(failed: int, said: int) -> int | None:
    """The highest of 10, 100, 1,000 that a count has passed and that was not said yet."""
    passed = [mark for mark in BROADCAST_AT if said < mark <= failed]
    return passed[-1] if passed else None


@dataclass(frozen=True, slots=True)
class Asking:
    """Bot calls, and how many of them asked for a handover."""

    calls: int
    asked: int


def has_stopped(lately: Asking, usually: Asking) -> bool:
    """Whether bot calls keep coming and none asks, where at least five were to be expected."""
    if lately.asked or usually.calls < USUAL_CALLS:
        return False
    return lately.calls * usually.asked >= EXPECTED_ASKED * usually.calls


# ---- mutes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mute:
    """What a channel does not want to hear of: `what` is outcome, fault, target, group or all."""

    channel: str
    what: str
    value: str
    until: datetime

    def covers(self, channel: str, *, outcome: str, fault: str, target: Iterable[str], group_id: int) -> bool:
        """Whether a failure in a channel is muted by this."""
        if channel != self.channel:
            return False
        value = self.value.casefold()
        match self.what:
            case "all":
                return True
            case "outcome":
                return value == outcome
            case "fault":
                return value == fault
            case "target":
                return value in {name.casefold() for name in target if name}
            case _:
                return self.value == str(group_id)


# ---- why ----------------------------------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why a group is, or is not, written to a channel now; the sentence is what `why` says."""

    NOBODY = "No subscription of this channel matches."
    HELD = "Held: the failures are below the threshold of every subscription here."
    MUTED = "Muted: a mute holds messages and replies until it ends."
    PAUSED = "Paused: Slack does not let the bot post in this channel."
    MERGED = "Told in one message together with other groups."
    FIRST = "First message: the threshold was reached."
    REOPENED = "Failed again within 30 minutes of its ending: the same message, with a broadcast."
    COUNT = "A broadcast in the thread: the count passed 10, 100 or 1,000."
    UNACKNOWLEDGED = "A broadcast in the thread: an hour went by and nobody acknowledged it."
    CASES = "New cases: the next reply in the thread carries them."
    CHANGED = "The message is edited: its count, its latest case or its state changed."
    NOTHING = "Nothing to write: what the channel shows is up to date."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a channel was told of a group until now."""

    subscribed: bool = True
    reached: bool = True  # a threshold was, now or before
    merged: bool = False
    muted_until: datetime | None = None
    paused: bool = False
    told: bool = False  # its message exists, or is on its way
    shown: int = 0
    waiting: int = 0  # cases without a line
    broadcast: int = 0
    reopened_told: int = 0
    hour_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What there is to tell of a group."""

    state: str
    version: int
    failed: int
    reopened: int = 0
    firing_since: datetime | None = None
    acknowledged: bool = False


def needs_update(entry: Entry, group: State, now: datetime) -> Reason:
    """The most urgent thing to write to a channel about a group, or why there is none."""
    muted = entry.muted_until is not None and entry.muted_until > now
    loud = group.state == "open" and entry.subscribed and not muted
    checks: Mapping[Reason, bool] = {
        Reason.NOBODY: not entry.subscribed and not entry.told,
        Reason.PAUSED: entry.paused,
        Reason.HELD: not entry.reached and not entry.told,
        Reason.MERGED: entry.merged,
        Reason.MUTED: muted and (not entry.told or entry.waiting > 0),
        Reason.FIRST: not entry.told,
        Reason.REOPENED: loud and group.reopened > entry.reopened_told,
        Reason.COUNT: loud and broadcast_for(group.failed, entry.broadcast) is not None,
        Reason.UNACKNOWLEDGED: loud and not entry.hour_told and is_unacknowledged(group, now),
        Reason.CHANGED: group.version > entry.shown,
        Reason.CASES: entry.waiting > 0,
    }
    return next((reason for reason, holds in checks.items() if holds), Reason.NOTHING)


def is_unacknowledged(group: State, now: datetime) -> bool:
    """Whether it has been firing for an hour, and nobody said that they have seen it."""
    if group.state != "open" or group.acknowledged or group.firing_since is None:
        return False
    return now - group.firing_since >= UNACKNOWLEDGED


def matching(failure: Failure, subscriptions: Iterable[tuple[str, Filters]]) -> dict[str, list[Threshold]]:
    """Channels that want to hear of a failure, with the thresholds of their matching subscriptions."""
    wanted: dict[str, list[Threshold]] = {}
    for channel, filters in subscriptions:
        if filters.matches(
            outcome=failure.outcome, fault=failure.fault, target_id=failure.target_id, target_name=failure.target_name
        ):
            wanted.setdefault(channel, []).append(filters.threshold(failure.outcome))
    return wanted
