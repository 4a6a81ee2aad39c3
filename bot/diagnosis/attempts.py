"""A request for a handover and the signs that answered it, as the pairing found them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.diagnosis.handover import Event, Participant, TargetRef
from bot.diagnosis.parties import QUEUES, is_agent

_LARGEST = 10**18  # a number beyond it is no id, and may have too many digits to print
TAKEN = "sessionTransferAccepted"
RINGING = frozenset({"alerting", "offering", "offered", "ringing", "dialing", "contacting"})
NOT_TAKEN = frozenset(
    {
        *("declined", "refused", "timeout", "busy", "noanswer", "no_answer", "transfer.noanswer", "noanswertransfer"),
        *("transfer.notavailable", "notavailabletransfer", "endpoint.donotdisturb", "notavailable"),
    }
)


class Sign(NamedTuple):
    """Something in the record that answers a request."""

    path: str
    value: str
    at: datetime | None
    who: Participant | None
    names_target: bool = False  # False: somebody or something else than what was asked for


@dataclass(slots=True)
class Request:
    """One `sessionTransfer` and all that came of it."""

    number: int
    event: Event
    by: str  # "bot", "agent" or "unknown"
    sender: Participant | None
    ref: TargetRef | None
    leg: Participant | None  # where the target is a leg of this call
    at: datetime | None  # when it was asked for
    rejection: Event | None = None
    accepted: Sign | None = None
    queued: Sign | None = None
    offered: Sign | None = None
    rung: Sign | None = None  # who was rung last and has not refused
    answered: Sign | None = None  # a human is in the call
    reacted: Sign | None = None  # any other change after it
    refusals: list[Sign] = field(default_factory=list)  # agents who were rung and did not take it
    late: Sign | None = None  # the target, or a new agent, came after it had been refused
    taken_back: Event | None = None  # refused after it had been accepted
    duplicate_of: int | None = None
    undecided: bool = False  # there is an answer whose place in time is not known

    @property
    def open(self) -> bool:
        """Whether nothing has answered it so far."""
        return self.rejection is None and self.accepted is None

    def take(self, sign: Sign) -> None:
        """It was accepted, by whom the sign says."""
        self.accepted = self.accepted or sign
        if sign.who is None:
            return
        if is_agent(sign.who):
            if sign.value != TAKEN:
                self.answered = self.answered or sign
        elif sign.who.purpose in QUEUES:
            self.queued = last_queue(self.queued, sign)


def session_of(event: Event) -> str:
    """Cognigy's session that came with a request, or ""."""
    session = event.properties.get("cognigySessionId")
    if isinstance(session, int) and not isinstance(session, bool) and abs(session) < _LARGEST:
        return str(session)
    return session.strip() if isinstance(session, str) else ""


def last_queue(before: Sign | None, sign: Sign) -> Sign:
    """Where a queue passed the call on, the next one holds it; of two signs of one, that which names the target."""
    passed_on = before is None or (sign.who is not None and sign.who is not before.who)
    return sign if before is None or passed_on or (sign.names_target and not before.names_target) else before
