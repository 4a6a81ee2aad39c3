"""What happened when: events and legs in time order, and how the call ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from bot.diagnosis.handover import Conversation, Event, EventKind, Participant
from bot.diagnosis.parties import QUEUES, Parties

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_CONNECTED, _DISCONNECTED = EventKind.CONNECTED, EventKind.DISCONNECTED
_ENDED, _OTHER = EventKind.ENDED, EventKind.OTHER  # Python 3.11 is slow to look up a member of an enum


class Step(NamedTuple):
    """An event at its place in time, and the leg that it names."""

    at: datetime
    event: Event
    leg: Participant | None


def in_order(conversation: Conversation, parties: Parties) -> list[Step]:
    """What may bear on a handover, by time. What has no time keeps its place in the document, after the event before.

    A leg's own time of connection is an event too. That caller and bot are connected answers nothing and is left out,
    unless it is the caller who is back.
    """
    events = conversation.events
    at = _first_time(events)
    if at is None:
        at = _BEFORE_ALL
        if _newest_first(events):
            events = events[::-1]
    machines, customers = parties.machine_paths, parties.customer_paths
    steps: list[Step] = []
    arrivals = False
    for event in events:
        kind, at = event.kind, event.at or at
        if kind is _OTHER:
            continue
        leg = parties.find(event.participant_id) if event.participant_id else None
        if kind is not _CONNECTED or leg is None or leg.path not in machines:
            steps.append(Step(at, event, leg))
        elif leg.path in customers:
            arrivals = True
            steps.append(Step(at, event, leg))
    for leg in conversation.participants:
        if leg.connected_at is not None and leg.path not in machines:
            path = f"{leg.path}.connectedTime"
            came = Event(_CONNECTED, "", path, leg.connected_at, participant_id=leg.id or leg.path)
            steps.append(Step(leg.connected_at, came, leg))
    steps.sort(key=_when)
    return _without_arrivals(steps, customers) if arrivals else steps


def _without_arrivals(steps: list[Step], customers: frozenset[str]) -> list[Step]:
    """Of the times at which a caller's leg came, those before which it had left."""
    left: set[str] = set()
    kept: list[Step] = []
    for step in steps:
        kind, leg = step.event.kind, step.leg
        if leg is not None and leg.path in customers:
            if kind is _CONNECTED and leg.path not in left:
                continue
            if kind is _DISCONNECTED:
                left.add(leg.path)
        kept.append(step)
    return kept


_when = itemgetter(0)


def _first_time(events: tuple[Event, ...]) -> datetime | None:
    for event in events:
        if event.at is not None:
            return event.at
    return None


def _newest_first(events: tuple[Event, ...]) -> bool:
    """Where no event has a time: one that tells of the end before the first request is written backwards."""
    for event in events:
        if event.kind in (EventKind.ENDED, EventKind.TRANSFER):
            return event.kind is EventKind.ENDED
    return False


_NOT_BY_THE_CUSTOMER = frozenset({"peer", "system", "error", "timeout", "transport.failure"})  # disconnect types


class Ending(NamedTuple):
    """How the call ended, as far as the record says."""

    over: bool  # the conversation ended, or the customer left
    at: datetime | None = None
    customer_left: datetime | None = None
    customer_path: str = ""
    others_left: tuple[datetime, ...] = ()
    customer_type: str = ""  # the platform's word for how the customer's leg ended

    def customer_first(self, since: datetime) -> bool:
        """Whether the customer's leg ended before every other one that was there: the same second says nothing."""
        left = self.customer_left
        if left is None or self.customer_type in _NOT_BY_THE_CUSTOMER:
            return False
        return all(_before(left, other) for other in self.others_left if other >= since)


def _before(one: datetime, other: datetime) -> bool:
    """Whether one is surely before the other: where a stamp has no fraction, the same second says nothing."""
    if one.microsecond and other.microsecond:
        return one < other
    return one.replace(microsecond=0) < other.replace(microsecond=0)


_Ends = dict[str, tuple[datetime, str]]  # by the leg's path: when, and where that stands


def _ends(conversation: Conversation, parties: Parties, steps: list[Step]) -> tuple[_Ends, bool, datetime | None]:
    """The ends of all legs, whether the call is over, and since when."""
    ends: _Ends = {}
    for leg in conversation.participants:
        if leg.ended_at is not None:
            ends[leg.path] = (leg.ended_at, f"{leg.path}.endTime")
    ended_at, over = conversation.ended_at, conversation.ended_at is not None
    gone = False
    for at, event, who in steps:
        if event.kind is _ENDED:
            over = True
            ended_at = ended_at or event.at
        elif event.kind is _DISCONNECTED and who is not None:
            gone = gone or who.path in parties.customer_paths
            if event.at is not None and (who.path not in ends or event.at < ends[who.path][0]):
                ends[who.path] = (event.at, event.path)
        elif event.kind is _CONNECTED and who is not None and who.path in parties.customer_paths:
            gone = False
            _back(ends, who, at)
    return ends, over or gone, ended_at


def _back(ends: _Ends, leg: Participant, at: datetime) -> None:
    """A caller who had left is there again: what ended before is no end."""
    if leg.path in ends and ends[leg.path][0] <= at:
        del ends[leg.path]
        if leg.ended_at is not None and leg.ended_at > at:
            ends[leg.path] = (leg.ended_at, f"{leg.path}.endTime")


def ending_of(conversation: Conversation, parties: Parties, steps: list[Step]) -> Ending:
    """Read the ends of all legs and of the conversation."""
    ends, over, ended_at = _ends(conversation, parties, steps)
    if not ends:
        return Ending(over=over, at=ended_at)
    customers = [(ends[leg.path], leg) for leg in parties.customers if leg.path in ends]
    if not customers:
        others = tuple([at for at, _ in ends.values()])
        return Ending(over=over, at=ended_at, others_left=others)
    (left, path), leg = max(customers, key=lambda each: each[0][0])
    if any(each.path not in ends and _came_after(each, leg) for each in parties.customers):
        others = tuple([at for where, (at, _) in ends.items() if where not in parties.customer_paths])
        return Ending(over=over, at=ended_at, others_left=others)
    contact = conversation.profile == "contacts"
    queues = {each.path for each in conversation.participants if each.purpose in QUEUES}
    others = tuple(
        [
            at
            for where, (at, _) in ends.items()
            # A queue's leg ends with its caller: in the same second it is no other who may have ended the call. That a
            # contact left a queue ends no call at all.
            if where not in parties.customer_paths and (where not in queues or (not contact and _before(at, left)))
        ]
    )
    return Ending(
        over=True,
        at=ended_at or left,
        customer_left=left,
        customer_path=path,
        others_left=others,
        customer_type=leg.disconnect_type,
    )


def _came_after(one: Participant, other: Participant) -> bool:
    """Whether the caller has a later leg: a call that is passed on may go on with a new one of his."""
    return one.connected_at is not None and other.connected_at is not None and one.connected_at > other.connected_at


def seconds(length: timedelta) -> str:
    """A length as people say it: "1.2 s", "40 s", "9 min", "1 h 5 min"."""
    total = length.total_seconds()
    if total < 10:  # noqa: PLR2004 - below ten seconds a tenth matters
        return f"{total:.1f}".rstrip("0").rstrip(".") + " s"
    whole = round(total)
    if whole < 120:  # noqa: PLR2004 - up to two minutes people say seconds
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes >= 60:  # noqa: PLR2004 - an hour
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes} min {rest} s" if rest and minutes < 5 else f"{minutes} min"  # noqa: PLR2004


def clock(at: datetime) -> str:
    """A clock time in a sentence."""
    return f"{at.hour:02}:{at.minute:02} UTC"
