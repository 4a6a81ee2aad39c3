"""One request with all that is known when it is judged, and what a rule says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.diagnosis.attempts import Request, Sign
from bot.diagnosis.handover import Target, TargetKind, TargetStatus, Timing
from bot.diagnosis.order import Ending
from bot.diagnosis.outcomes import TABLE, Code, Confidence, Fault, Outcome, Reached
from bot.diagnosis.parties import QUEUES, Parties, is_agent
from bot.diagnosis.reasons import Family, Reason

MISSING_CONTACT_ID = "missing_contact_id"  # Event.code: the handover node had no contact to signal
UNSUPPORTED = "unsupported"  # Event.code: the bot's channel knows no handover
_NEVER_SENT = (MISSING_CONTACT_ID, UNSUPPORTED)
_NOTHING = timedelta(0)
_AT_ONCE = timedelta(seconds=10)  # for a caller that is part of the wait
FRESH = timedelta(minutes=15)  # a state read later than this only says what may have been


@dataclass(slots=True)
class Case:
    """One request with all that is known when it is judged."""

    request: Request
    target: Target | None
    ending: Ending
    now: datetime
    timing: Timing
    parties: Parties
    name: str  # of the target
    reason: Reason | None
    from_is_bot: bool | None  # None: the record does not say who the bot is
    unread: bool  # parts of the record could not be read
    profile: str = "conversations"  # whose words the record speaks
    answers_visible: bool = True  # False: silence proves nothing

    @property
    def kind(self) -> TargetKind | None:
        """What the target is, from the record or the look-up."""
        if self.request.ref is not None and self.request.ref.kind is not None:
            return self.request.ref.kind
        # Of a target that could not be checked the kind is only the one that could not be asked.
        known = self.target is not None and self.target.status is not TargetStatus.NOT_CHECKED
        return self.target.kind if known and self.target is not None else None

    @property
    def there_before(self) -> bool:
        """Whether the asked target was in the call already when the bot asked."""
        leg, at = self.request.leg, self.request.at
        if leg is None or leg.connected_at is None or at is None or leg.connected_at > at:
            return False
        return leg.ended_at is None or leg.ended_at > at

    @property
    def refused_without_caller(self) -> bool:
        """Whether the caller had hung up when it was refused, and the reason says no more than that."""
        answer, left = self.request.rejection, self.ending.customer_left
        if answer is None or answer.at is None or left is None or answer.at <= left or self.reason is None:
            return False
        return self.reason.family is Family.UNKNOWN and self.caller_left_first

    @property
    def repeats(self) -> int | None:
        """The number of the request that this one only repeats: nothing answered it for itself."""
        return self.request.duplicate_of if self.request.open else None

    @property
    def elsewhere(self) -> Sign | None:
        """The queue that held the call, where it is not the one that was asked for."""
        sign = self.request.queued
        if sign is None or sign.names_target or sign.who is None or sign.who.purpose not in QUEUES:
            return None
        return sign

    @property
    def place(self) -> str:
        """Where the call waited: the queue that held it, else the target."""
        return self.who(self.elsewhere) or self.name

    @property
    def waited(self) -> timedelta | None:
        """How long it stood there: of a contact the time in the queue, which the states tell; else since the request.

        Unless the queue had it only later.
        """
        queued = self.request.queued
        if self.profile == "contacts" and queued is not None and queued.at is not None:
            until = (queued.who.ended_at if queued.who is not None else None) or self._until
            return max(until - queued.at, _NOTHING) if until is not None else None
        silence = self.silence
        if queued is None or queued.at is None or silence is None or self.request.at is None:
            return silence
        before = queued.at - self.request.at
        return max(silence - before, _NOTHING) if before > _AT_ONCE or self.elsewhere is not None else silence

    def who(self, sign: Sign | None) -> str:
        """Who did it, or "" where the record does not say."""
        return self.parties.called(sign.who) if sign is not None and sign.who is not None else ""

    @property
    def read_late(self) -> bool:
        """Whether the target was looked up so long after the request that its state may have been another."""
        at, read_at = self.request.at, self.target.read_at if self.target is not None else None
        return at is None or (read_at or self.now) - at > FRESH

    @property
    def silence(self) -> timedelta | None:
        """Since the request until the end of the call, or now while it is live. Never below zero."""
        until, at = self._until, self.request.at
        return max(until - at, _NOTHING) if until is not None and at is not None else None

    @property
    def _until(self) -> datetime | None:
        return (self.ending.customer_left or self.ending.at) if self.ending.over else self.now

    @property
    def caller_left_first(self) -> bool:
        """Whether the record says that the caller hung up, and nobody before."""
        return self.request.at is not None and self.ending.customer_first(self.request.at - self.timing.early)


class Verdict(NamedTuple):
    """What a rule says."""

    outcome: Outcome
    cause: Code | None
    confidence: Confidence
    alternatives: tuple[str, ...] = ()
    fault: Fault | None = None  # None: as the table of outcomes says

    @property
    def side(self) -> Fault:
        """Whose side it is."""
        return TABLE[self.outcome].fault if self.fault is None else self.fault


Rule = Callable[[Case], Verdict | None]


def reached(case: Case) -> Reached:  # noqa: PLR0911 - one return a rung
    """How far the request came."""
    request = case.request
    late = served_late(case)
    if request.answered or (late is not None and late.who is not None and is_agent(late.who)):
        return Reached.ANSWERED
    if request.offered:
        return Reached.OFFERED
    if request.queued or ((request.accepted or late) and case.kind is TargetKind.QUEUE):
        return Reached.QUEUED
    if request.accepted and request.accepted.value != "sessionTransferAccepted" and case.kind is TargetKind.USER:
        return Reached.ANSWERED
    answer = request.rejection
    if answer is not None and answer.code in _NEVER_SENT and not request.accepted:
        return Reached.ASKED
    if request.accepted or request.rejection or request.reacted or request.taken_back or request.late:
        return Reached.REACTED
    return Reached.ASKED


def served_late(case: Case) -> Sign | None:
    """Who came after a refusal; another than the target only where something could still come of the request."""
    late = case.request.late
    if late is None or late.names_target:
        return late
    event, rejection = case.request.event, case.request.rejection
    never_sent = rejection is not None and rejection.code in _NEVER_SENT
    incomplete = case.profile != "contacts" and not (event.to_id and event.from_id)
    if never_sent or incomplete or family(case) in (Family.FORBIDDEN, Family.INVALID):
        return None
    return late


def missing(case: Case) -> bool:
    """Three 404s, and no participant of this conversation; in the other profile its own 404 is enough."""
    if case.target is None or not case.target.missing:
        return False
    return case.profile == "contacts" or case.request.leg is None


def inactive(case: Case) -> bool:
    """The target exists and is switched off."""
    return case.target is not None and case.target.is_active is False


def away_then(case: Case) -> bool:
    """A history says that the asked agent took no calls at that time."""
    target = case.target
    if target is None or target.kind is not TargetKind.USER or not target.state_then:
        return False
    return not target.state_then.startswith("Available")


def gone(case: Case) -> Verdict | None:
    """The target does not exist, or is retired, as it was read later."""
    lacking, retired = missing(case), inactive(case)
    if not lacking and not retired:
        return None
    others = (f"{case.name} was there at the time of the call and is gone since",) if case.read_late else ()
    code = Code.TARGET_NOT_FOUND if lacking else Code.TARGET_INACTIVE
    return Verdict(Outcome.INVALID_TARGET, code, Confidence.POSSIBLE if others else Confidence.LIKELY, others)


def family(case: Case) -> Family | None:
    """What kind of a refusal it was, if it was refused."""
    return case.reason.family if case.reason is not None else None


def how_sure(others: list[str]) -> Confidence:
    """Likely, or possible where there are others."""
    return Confidence.POSSIBLE if others else Confidence.LIKELY


def unknown(*alternatives: str) -> Verdict:
    """The record does not tell; what it may be."""
    return Verdict(Outcome.UNKNOWN, None, Confidence.POSSIBLE, alternatives)
