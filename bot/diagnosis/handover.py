"""The records of a handover: what was read, what is known of the target, and what follows from both.

All frozen, all pure data; what a call has many of is a named tuple, which is made in a third of a frozen dataclass's
time. Facts come first (`Conversation` with its `Participant`s and `Event`s, `Target`, `Peers`), judgement after
(`Attempt`, `Finding`, `Diagnosis`), and last what a look-up hands to a person (`Report`). Ids are opaque strings. Times
are aware and in UTC, or None where the record has none. Numbers of callers stand in `Participant.identity` alone, which
no renderer may show; every record after judgement carries the masked form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome, Reached, Status

NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    """As a factory: Python 3.11 takes an unhashable default, such as a mapping proxy, for a mutable one."""
    return NOTHING


class TargetKind(StrEnum):
    """What a handover can go to."""

    __hash__ = str.__hash__  # as of `EventKind`

    USER = "user"
    QUEUE = "queue"
    FLOW = "flow"


class TargetStatus(StrEnum):
    """What the look-up of a target said."""

    OK = "OK"
    ERROR = "ERROR"  # it does not exist, or is retired
    NOT_CHECKED = "NOT_CHECKED"


class EventKind(StrEnum):
    """What an event means, whatever a platform calls it; the closed list that the ladder reads."""

    __hash__ = str.__hash__  # a key of tables, and an enum's own hash is slow

    TRANSFER = "transfer"  # somebody asked for a handover
    REJECTED = "rejected"  # the platform refused one
    ACCEPTED = "accepted"  # the platform took one
    CONNECTED = "connected"  # a participant is in the call
    QUEUED = "queued"  # the call stands in a queue
    OFFERED = "offered"  # an agent is being rung
    REFUSED = "refused"  # an agent was rung and did not take it
    STATE = "state"  # any other change of state
    DISCONNECTED = "disconnected"  # a participant left
    ENDED = "ended"  # the conversation is over
    OTHER = "other"  # carries nothing that the ladder asks for


# ---- facts --------------------------------------------------------------------------------------------------------


class Participant(NamedTuple):
    """One leg of a conversation."""

    id: str
    path: str  # where it stands in the document, for evidence: "participants[2]"
    purpose: str = ""  # lower case: customer, bot, agent, queue, flow, …
    identity: str = ""  # as the platform stores it; a caller's number, never shown
    name: str = ""
    state: str = ""
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    user_id: str = ""
    queue_id: str = ""
    flow_id: str = ""
    disconnect_type: str = ""
    dialled: str = ""  # the number the customer called, where the platform says it


class Event(NamedTuple):
    """One thing that happened, in the platform's order."""

    kind: EventKind
    type: str  # what the platform calls it
    path: str  # "events[3]"
    at: datetime | None = None
    participant_id: str = ""
    from_id: str = ""
    to_id: str = ""
    reason: str = ""  # foreign text, raw: every renderer masks and escapes it
    code: str = ""  # a code field or an HTTP status, where the platform gives one
    state: str = ""
    properties: Mapping[str, Any] = NOTHING
    source: str = "CXone"
    status: str = ""  # an HTTP status beside the code


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All that a platform tells of one call. `faults` are the parts that could not be read, as field paths."""

    id: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    participants: tuple[Participant, ...] = ()
    events: tuple[Event, ...] = ()
    outbound: bool = False
    faults: tuple[str, ...] = ()
    profile: str = "conversations"  # or "contacts": which of the two APIs this was read from
    asks_visible: bool = True  # False: this record cannot show whether the bot asked
    answers_visible: bool = True  # False: this record cannot show what came of a request
    not_read: tuple[str, ...] = ()  # what could not be looked at, and why: "403 on GET …: the role most likely …"


@dataclass(frozen=True, slots=True)
class TargetRef:
    """What to look up. `asked` is the id in the request; `id` differs where that was a participant of the call."""

    asked: str
    id: str
    kind: TargetKind | None = None  # None: not known, ask all three
    name: str = ""
    at: datetime | None = field(default=None, compare=False)  # when it was asked for, where a history can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the platform says of a target, at `read_at`. None means: the platform did not say."""

    id: str
    kind: TargetKind | None = None
    name: str = ""
    status: TargetStatus = TargetStatus.OK
    state: str = ""
    is_available: bool | None = None
    read_at: datetime | None = None
    missing: bool = False  # a 404 from all three kinds
    is_active: bool | None = None
    logged_in: int | None = None
    available: int | None = None
    waiting: int | None = None
    longest_wait: timedelta | None = None
    listens: bool | None = None  # a flow: has a trigger for `sessionTransfer`
    version: str = ""
    published_at: datetime | None = None
    why_not_checked: str = ""  # "403 on GET /api/v2/flows/…: the service account most likely lacks …"
    # of the time of the failure, where the platform keeps a history (profile "contacts")
    closed_then: bool | None = None  # a queue: outside its hours
    hours: str = ""  # its hours on that day, as people say them: "Mon 08:00-18:00"
    state_then: str = ""  # an agent: "Unavailable (Lunch)"
    moments: tuple[Moment, ...] = ()  # an agent: the minutes of the failure
    assigned: int | None = None  # a queue: active agents who have it
    takes_calls: bool | None = None  # a queue: False if it is for another medium, or for outbound calls
    partly: tuple[str, ...] = ()  # what of it could not be looked at, each as `why_not_checked`


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """What the watcher's tables know of the same target: the last hour, and what was before."""

    minutes: int = 60
    until: datetime | None = None  # the end of those minutes; None: now
    attempts: int = 0
    accepted: int = 0
    failed: int = 0
    tenant_attempts: int = 0  # every target of the tenant, this one included
    tenant_failed: int = 0
    last_accepted: datetime | None = None
    first_failed: datetime | None = None
    version_before: str = ""  # the flow's version when a handover to it was last accepted


@dataclass(frozen=True, slots=True)
class Timing:
    """The three durations that a judgement rests on."""

    grace: timedelta = timedelta(seconds=60)
    abandon: timedelta = timedelta(seconds=5)
    early: timedelta = timedelta(seconds=2)  # 1-second stamps and skew: this much before an attempt still answers it


# ---- judgement ----------------------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """One thing that the record shows, the fields it rests on, and what to do about it."""

    code: Code
    status: Status
    message: str
    timestamp: datetime | None = None
    evidence: Mapping[str, Any] = NOTHING  # field path → value
    fix: str = ""  # empty for INFO
    attempt: int | None = None  # number of the attempt it is about


class Attempt(NamedTuple):
    """One request for a handover, judged by itself."""

    number: int  # 1, 2, … in time order
    timestamp: datetime | None
    from_id: str
    to_id: str
    from_name: str  # as people say it: "Cognigy Voicebot"
    to_name: str  # "Billing", or the id where no name is known
    by: str  # "bot", "agent" or "unknown"
    outcome: Outcome
    fault: Fault
    reached: Reached
    reason: str = ""  # the refusal's text, raw
    reason_code: str = ""  # the same as a key to group by: "NO_AGENTS_AVAILABLE", "503"; empty if there is none
    session_id: str = ""  # Cognigy's session
    properties: Mapping[str, Any] = NOTHING  # raw; renderers show allow-listed fields, of others the name
    path: str = ""
    ref: TargetRef | None = None

    @property
    def target_id(self) -> str:
        """The id by which its target is looked up, else the one that was asked for."""
        return (self.ref.id if self.ref else "") or self.to_id


class Moment(NamedTuple):
    """One line of the timeline."""

    timestamp: datetime | None
    what: str  # "transfer asked for"
    who: str  # "Cognigy Voicebot → Billing"
    source: str = "CXone"


class Diagnosis(NamedTuple):
    """Why this handover came out as it did."""

    conversation_id: str
    started_at: datetime | None
    ended_at: datetime | None
    phone: str  # masked: "•••• 9888", or "" where the caller withheld it
    outcome: Outcome
    reached: Reached
    fault: Fault
    confidence: Confidence
    alternatives: tuple[str, ...]
    headline: str  # the first line: "Billing refused the handover"
    summary: str  # one plain sentence
    next_step: str  # the fix of the finding that decided; empty if there is nothing to do
    findings: tuple[Finding, ...]
    attempts: tuple[Attempt, ...]
    timeline: tuple[Moment, ...]
    target: Target | None = None  # of the last attempt
    decided_by: Attempt | None = None  # the attempt that the outcome comes from
    cause: Code | None = None  # the finding that decided
    bot_name: str = ""
    dialled: str = ""  # masked
    context: str = ""  # what Peers say, as a sentence; empty if nothing is known


# ---- what a look-up hands to a person -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What was looked through for a number, so that "none found" says what that means."""

    tenant: str
    host: str
    since: datetime
    until: datetime
    calls: int = 0  # how many conversations were read through
    pages: int = 0
    forms: tuple[str, ...] = ()  # the forms of the number that were compared, masked
    newest: datetime | None = None  # start of the newest call there
    complete: bool = True  # False: the deadline came, or a page could not be read
    hotline: bool = False  # the number is the bot's own


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCall:
    """A further conversation of the same number. `outcome` is None where its details were not read."""

    conversation_id: str
    started_at: datetime | None
    outcome: Outcome | None = None
    outbound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A diagnosis with all that a look-up learned on the way."""

    diagnosis: Diagnosis
    others: tuple[OtherCall, ...] = ()  # newest first
    searched: Searched | None = None  # None where an id was given
    requests: int = 0
    seconds: float = 0.0
    calls_today: int = 0  # of this number in the 24 hours before, this one included
    failed_today: tuple[datetime, ...] = ()
    unread_today: int = 0  # of these calls, how many were not read, so that nobody knows whether they failed
    targets: Mapping[str, Target] = field(default_factory=dict, repr=False)  # as they were read, by id
    document: Mapping[str, Any] = field(
        default_factory=_nothing, repr=False
    )  # as the platform gave it; renderers redact it
