"""The story line by line, as people read it: what happened, and who to whom.

What says nothing about the handover is left out: that caller and bot are there while the call begins, and that the
others leave when the call is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import itemgetter

from bot.diagnosis.attempts import Request, session_of
from bot.diagnosis.handover import Conversation, Event, EventKind, Moment, Participant
from bot.diagnosis.order import Ending, Step
from bot.diagnosis.parties import QUEUES, Parties, clean, is_agent

_LONGEST_ID = 60
_LONGEST_SESSION = 12
_JUST_BEFORE = timedelta(seconds=2)
_WITH_THE_CALLER = timedelta(seconds=5)  # a call that ends so soon after its caller left ended with that
_TRANSFER, _DISCONNECTED, _ENDED = EventKind.TRANSFER, EventKind.DISCONNECTED, EventKind.ENDED
_STATE, _CONNECTED = EventKind.STATE, EventKind.CONNECTED
_WHAT = {
    EventKind.ACCEPTED: "transfer accepted",
    EventKind.CONNECTED: "joins",
    EventKind.QUEUED: "call waits in the queue",
    EventKind.OFFERED: "is rung",
}


def timeline_of(  # noqa: PLR0917 - what was read of the call so far
    conversation: Conversation,
    parties: Parties,
    ending: Ending,
    requests: tuple[Request, ...],
    names: dict[str, str],
    steps: list[Step],
) -> tuple[Moment, ...]:
    """Every event that tells something, in time order; legs that no event tells of by their own times."""
    told = _Told(conversation, parties, ending, names)
    for request in requests:
        for answer in (request.rejection, request.taken_back, request.accepted):
            if answer is not None:
                told.answers[answer.path] = request
    pending = iter(requests)
    for _, event, leg in steps:
        kind = event.kind
        if kind is _TRANSFER:
            told.asked(next(pending))
        elif kind is _DISCONNECTED:
            told.left_by(leg, event.participant_id, event.at)
        elif kind is _ENDED:
            told.ended(event.at)
        elif kind is _CONNECTED and leg is not None and leg.path in parties.customer_paths:
            told.back(leg, event.at)
        else:
            told.happened(event, leg)
    return told.moments()


class _Told:
    """What has been told so far of one call."""

    def __init__(self, conversation: Conversation, parties: Parties, ending: Ending, names: dict[str, str]) -> None:
        self.conversation = conversation
        self.parties = parties
        self.names = names
        self.left = ending.customer_left
        self.over = ending.customer_left or ending.at
        first = self.left is not None and ending.customer_first(self.left - _JUST_BEFORE)
        self.leaves = "hangs up" if first else "leaves"
        self.came: set[str] = set()
        self.gone: set[str] = set()
        self.answers: dict[str, Request] = {}  # by the path of the event
        self.rows: list[Moment] = []
        self.last: Request | None = None  # that was asked so far
        self.end_told = False
        if conversation.started_at is not None:
            who = "Caller" if parties.customers else "Call"
            to = f" → {parties.names[parties.bots[0].path]}" if parties.bots else ""
            self.rows.append(Moment(conversation.started_at, "call starts", f"{who}{to}"))

    def asked(self, request: Request) -> None:
        """Somebody asks for a handover."""
        self.last = request
        event, session = request.event, clean(session_of(request.event), _LONGEST_SESSION)
        sender = self._leg(request.sender) or clean(event.from_id, _LONGEST_ID) or "nobody"
        target = self._target(request) or "nobody"
        what = f"transfer asked for (session {session})" if session else "transfer asked for"
        self.rows.append(Moment(event.at, _told(what, event), f"{sender} → {target}", event.source))

    def happened(self, event: Event, leg: Participant | None) -> None:
        """Any event that is neither a request nor an end."""
        if event.kind is _STATE and self.last is None and leg is not None and leg.path in self.parties.machine_paths:
            return  # what caller and bot did before anything was asked for
        what = self._what(event, leg)
        if what:
            id_ = event.participant_id
            who = self._leg(leg) or (self.names.get(id_) or clean(id_, _LONGEST_ID) if id_ else "")
            request = self.answers.get(event.path, self.last)
            if not who and request is not None:
                who = self._target(request)
            self.rows.append(Moment(event.at, _told(what, event), who, event.source))

    def moments(self) -> tuple[Moment, ...]:
        """All, with the ends that no event told of put in among them."""
        rows, self.rows = self.rows, []
        for leg in self.conversation.participants:
            if leg.ended_at is not None and leg.path not in self.gone:
                self.left_by(leg, leg.id, leg.ended_at)
        if self.conversation.ended_at is not None and not self.end_told:
            self.ended(self.conversation.ended_at)
        return _merged(rows, self.rows)

    def _what(self, event: Event, leg: Participant | None) -> str:
        """What happened, "" where it was told before."""
        kind, what = event.kind, _WHAT.get(event.kind, "")
        if kind is EventKind.REJECTED:
            said = clean(event.reason or event.code, 120)
            what = f"refused: {said}" if said else "refused"
        elif leg is not None and (kind is EventKind.CONNECTED or (kind is EventKind.QUEUED and leg.purpose in QUEUES)):
            what = self._came(leg)
        elif kind is EventKind.REFUSED:
            what = f"does not take the call ({clean(event.state or event.type, 40)})"
        elif kind is EventKind.STATE:
            what = f"state: {clean(event.state, 40) or 'changed'}"
        return what

    def _came(self, leg: Participant) -> str:
        """A leg comes once, however many lines of the record say so."""
        if leg.path in self.came:
            return ""
        self.came.add(leg.path)
        return _joins(leg)

    def left_by(self, leg: Participant | None, id_: str, at: datetime | None) -> None:
        """A leg ends, told once."""
        path = leg.path if leg is not None else id_
        if path in self.gone:
            return
        self.gone.add(path)
        if leg is not None and path in self.parties.customer_paths:
            for_now = at is not None and self.left is not None and at < self.left
            self.rows.append(Moment(at, "leaves" if for_now else self.leaves, "Caller"))
        elif self.over is None or at is None or at < self.over:
            what = "call leaves the queue" if leg is not None and leg.purpose in QUEUES else "leaves"
            self.rows.append(Moment(at, what, self._leg(leg) or clean(id_, _LONGEST_ID)))

    def back(self, leg: Participant, at: datetime | None) -> None:
        """A caller who had left is there again."""
        self.gone.discard(leg.path)
        self.rows.append(Moment(at, "is back", "Caller"))

    def ended(self, at: datetime | None) -> None:
        """The call ends."""
        self.end_told = True
        if self.left is None or (at is not None and at - self.left > _WITH_THE_CALLER):
            self.rows.append(Moment(at, "call ends", ""))

    def _target(self, request: Request) -> str:
        to = request.event.to_id
        return self._leg(request.leg) or self.names.get(to) or clean(to, _LONGEST_ID)

    def _leg(self, leg: Participant | None) -> str:
        return self.parties.names[leg.path] if leg is not None else ""


def _joins(leg: Participant) -> str:
    return "answers" if is_agent(leg) else "call enters the queue" if leg.purpose in QUEUES else "joins"


def _merged(rows: list[Moment], ends: list[Moment]) -> tuple[Moment, ...]:
    """Ends put in among the rest by their times; what has no time keeps its place."""
    if not ends:
        return tuple(rows)
    at = next((row.timestamp for row in rows if row.timestamp is not None), ends[0].timestamp)
    placed = []
    for row in rows:
        at = row.timestamp or at
        placed.append((at, row))
    placed += [(end.timestamp, end) for end in ends]
    placed.sort(key=_first)
    return tuple([row for _, row in placed])


_first = itemgetter(0)


def _told(what: str, event: Event) -> str:
    """What happened, with who tells it where that is not CXone."""
    return what if event.source == "CXone" else f"{what} [{event.source}]"
