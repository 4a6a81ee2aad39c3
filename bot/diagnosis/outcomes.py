"""The closed lists of a diagnosis, and the two tables that hang on them.

`TABLE` says of each outcome whose side it is and from when on it alerts; `FINDINGS` says of each finding code how
grave it is by default. Both are asked by every other room; nothing else in the house repeats them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How grave a finding is."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Outcome(StrEnum):
    """What became of a handover; the closed list."""

    __hash__ = str.__hash__  # a key of tables everywhere, and an enum's own hash is slow

    ACCEPTED = "accepted"  # CXone took it and, where that can be seen, a human answered
    WAITING = "waiting"  # queued or offered, and the call is live
    PENDING = "pending"  # asked for less than the grace period ago, and the call is live
    UNANSWERED = "unanswered"  # taken by a queue or an agent; the customer left before a human was there
    REJECTED = "rejected"  # refused, with a reason
    FORBIDDEN = "forbidden"  # refused for lack of permission
    INVALID_TARGET = "invalid_target"  # the target is no user, queue or flow, is retired, or CXone says so
    MALFORMED = "malformed"  # the request lacks what it needs
    IGNORED = "ignored"  # asked, valid, and nothing at all happened
    ABANDONED = "abandoned"  # the customer hung up within seconds of the request: too early to judge
    NOT_ATTEMPTED = "not_attempted"  # the bot never asked
    UNKNOWN = "unknown"  # the record does not tell


class Fault(StrEnum):
    """Whose side has to act."""

    NONE = "none"
    TARGET = "target"  # the queue's or the agent's side: staffing, hours, state
    PLATFORM = "platform"  # CXone itself: 5xx, 429
    CONNECTOR = "connector"  # the Cognigy connector's permission or token in CXone
    BOT = "bot"  # the Cognigy flow's handover node: ids, fields
    FLOW = "flow"  # the Studio flow that should listen
    CALLER = "caller"
    UNKNOWN = "unknown"


class Reached(StrEnum):
    """How far a handover came, in the order of the ladder."""

    NONE = "none"
    ASKED = "asked"
    REACTED = "reacted"
    QUEUED = "queued"
    OFFERED = "offered"
    ANSWERED = "answered"


class Confidence(StrEnum):
    """How sure a cause is."""

    CERTAIN = "certain"  # stated by the platform
    LIKELY = "likely"  # rules out the others
    POSSIBLE = "possible"  # one of several; the diagnosis lists the alternatives


class Threshold(NamedTuple):
    """From when on an outcome alerts: `failures` within `minutes`, and `rate` of all attempts at least."""

    failures: int
    minutes: int = 10
    rate: float = 0.0


class Row(NamedTuple):
    """One row of the outcome table. `alerts` is None where an outcome never alerts by default."""

    fault: Fault
    alerts: Threshold | None
    on_request: bool = False  # alerts only where a subscription asks for it by name


TABLE: dict[Outcome, Row] = {
    Outcome.ACCEPTED: Row(Fault.NONE, None),
    Outcome.WAITING: Row(Fault.NONE, None),
    Outcome.PENDING: Row(Fault.NONE, None),
    Outcome.UNANSWERED: Row(Fault.TARGET, Threshold(5, 10, 0.10)),
    Outcome.REJECTED: Row(Fault.UNKNOWN, Threshold(5, 10, 0.10)),  # by reason: target, platform or unknown
    Outcome.FORBIDDEN: Row(Fault.CONNECTOR, Threshold(1)),
    Outcome.INVALID_TARGET: Row(Fault.BOT, Threshold(1)),
    Outcome.MALFORMED: Row(Fault.BOT, Threshold(1)),
    Outcome.IGNORED: Row(Fault.FLOW, Threshold(3, 10)),
    Outcome.ABANDONED: Row(Fault.CALLER, None, on_request=True),
    Outcome.NOT_ATTEMPTED: Row(Fault.NONE, None),
    Outcome.UNKNOWN: Row(Fault.UNKNOWN, None),
}


class Code(StrEnum):
    """What a finding can say; the closed list."""

    __hash__ = str.__hash__  # as above

    TRANSFER_ATTEMPTED = "transfer_attempted"  # a handover was asked for
    TRANSFER_ACCEPTED = "transfer_accepted"  # CXone took it, with the form the acceptance had
    MISSING_FROM_PARTICIPANT = "missing_from_participant"  # the request does not say who hands over
    MISSING_TO_PARTICIPANT = "missing_to_participant"  # the request does not say to whom
    MISSING_COGNIGY_SESSION = "missing_cognigy_session"  # no `cognigySessionId` came along: context is lost
    FROM_PARTICIPANT_NOT_BOT = "from_participant_not_bot"  # asked in the name of somebody who is not the bot
    TRANSFER_REJECTED = "transfer_rejected"  # CXone refused, with a reason
    TRANSFER_FORBIDDEN = "transfer_forbidden"  # CXone refused for lack of permission
    TARGET_NOT_FOUND = "target_not_found"  # neither a participant, nor a user, a queue or a flow (three 404s)
    TARGET_INACTIVE = "target_inactive"  # the target exists and is retired or switched off
    FLOW_WITHOUT_TRIGGER = "flow_without_trigger"  # the Studio flow does not listen for `sessionTransfer`
    TRANSFER_IGNORED = "transfer_ignored"  # nothing at all happened after a valid request
    TARGET_UNAVAILABLE = "target_unavailable"  # the target's state at the look-up takes no calls
    CALLER_ABANDONED = "caller_abandoned"  # the customer left before the handover was done
    DUPLICATE_TRANSFER = "duplicate_transfer"  # the same request was sent twice
    NO_TRANSFER_EVENT = "no_transfer_event"  # the bot never asked in this conversation
    NO_BOT_LEG = "no_bot_leg"  # no bot took part in this conversation
    MALFORMED_EVENT = "malformed_event"  # a part of the document could not be read
    NOT_CHECKED = "not_checked"  # could not be looked at, and why
    AGENT_REFUSED = "agent_refused"  # an agent was offered the call and did not take it
    NO_AGENTS_AVAILABLE = "no_agents_available"  # nobody was there to take the call
    TARGET_CLOSED = "target_closed"  # outside the hours of the queue
    RECENT_CHANGE = "recent_change"  # the flow or script was changed shortly before
    AGENT_TRANSFER = "agent_transfer"  # an agent, not the bot, passed the call on: listed, not judged
    NOBODY_ANSWERED = "nobody_answered"  # it was queued or rang, and no human came before the call ended
    TARGET_NOT_A_DESTINATION = "target_not_a_destination"  # the request names the caller or the bot itself as target
    MISSING_CONTACT_ID = "missing_contact_id"  # the handover node had no contact to signal
    WRONG_CONTACT = "wrong_contact"  # the signal went to a contact that had ended, or to the main one
    UNSUPPORTED_CHANNEL = "unsupported_channel"  # the bot's channel knows no handover
    SIP_REFUSED = "sip_refused"  # a transfer by telephone was refused with a SIP code
    WRONG_MEDIUM = "wrong_medium"  # the target queue is for another medium, or for calls that go out
    BOT_FAILED = "bot_failed"  # the Cognigy flow logged an error
    BOT_HUNG_UP = "bot_hung_up"  # the bot ended the call before it asked
    CONTEXT_LOST = "context_lost"  # the transcript was not passed on to the agent
    OUTBOUND_CALL = "outbound_call"  # a newer call of this number was ours to the customer


FINDINGS: dict[Code, Status] = {
    Code.TRANSFER_ATTEMPTED: Status.INFO,
    Code.TRANSFER_ACCEPTED: Status.INFO,
    Code.MISSING_FROM_PARTICIPANT: Status.ERROR,
    Code.MISSING_TO_PARTICIPANT: Status.ERROR,
    Code.MISSING_COGNIGY_SESSION: Status.WARNING,
    Code.FROM_PARTICIPANT_NOT_BOT: Status.WARNING,  # ERROR when CXone refused the request too
    Code.TRANSFER_REJECTED: Status.ERROR,
    Code.TRANSFER_FORBIDDEN: Status.ERROR,
    Code.TARGET_NOT_FOUND: Status.ERROR,
    Code.TARGET_INACTIVE: Status.ERROR,
    Code.FLOW_WITHOUT_TRIGGER: Status.ERROR,
    Code.TRANSFER_IGNORED: Status.ERROR,
    Code.TARGET_UNAVAILABLE: Status.WARNING,
    Code.CALLER_ABANDONED: Status.WARNING,
    Code.DUPLICATE_TRANSFER: Status.WARNING,
    Code.NO_TRANSFER_EVENT: Status.WARNING,
    Code.NO_BOT_LEG: Status.WARNING,
    Code.MALFORMED_EVENT: Status.WARNING,
    Code.NOT_CHECKED: Status.INFO,
    Code.AGENT_REFUSED: Status.WARNING,
    Code.NO_AGENTS_AVAILABLE: Status.WARNING,
    Code.TARGET_CLOSED: Status.WARNING,
    Code.RECENT_CHANGE: Status.WARNING,
    Code.AGENT_TRANSFER: Status.INFO,
    Code.NOBODY_ANSWERED: Status.ERROR,
    Code.TARGET_NOT_A_DESTINATION: Status.ERROR,
    Code.MISSING_CONTACT_ID: Status.ERROR,
    Code.WRONG_CONTACT: Status.ERROR,
    Code.UNSUPPORTED_CHANNEL: Status.ERROR,
    Code.SIP_REFUSED: Status.ERROR,
    Code.WRONG_MEDIUM: Status.ERROR,
    Code.BOT_FAILED: Status.WARNING,
    Code.BOT_HUNG_UP: Status.WARNING,
    Code.CONTEXT_LOST: Status.WARNING,
    Code.OUTBOUND_CALL: Status.INFO,
}
