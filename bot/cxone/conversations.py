"""What the conversations API tells of a call and of a target, read into records. Pure: never raises, whatever comes.

Shapes: `reference` is the contract of the profile `conversations`. A conversation is `{id, startTime, endTime,
participants[], events[]}`; a row of the list is the same without `events`, and the analytics answer spells it
`conversationId`, `conversationStart`, `conversationEnd`, `participantId`. What cannot be read is named in `faults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.cxone.reading import first, flag, items, mapping, text, time, whole
from bot.diagnosis.handover import (
    NOTHING,
    Conversation,
    Event,
    EventKind,
    Participant,
    Target,
    TargetKind,
    TargetStatus,
)
from bot.diagnosis.reasons import is_status

AVAILABLE = "Available"  # exactly so, says the seed
_MOST_FAULTS = 50
_UNTOLD = {
    TargetKind.USER: "CXone does not tell this agent's state",
    TargetKind.QUEUE: "CXone does not tell who works in this queue, nor who waits",
    TargetKind.FLOW: "CXone does not tell this flow's triggers, so whether it listens for sessionTransfer is not known",
}
_CODES = ("code", "errorCode", "status", "statusCode")  # where a refusal may have a code, or a status
_OBJECT = (dict, Mapping)  # in this order: a plain dict, which JSON gives, is told at once

_KINDS = {
    "sessiontransfer": EventKind.TRANSFER,
    "sessiontransferrejected": EventKind.REJECTED,
    "sessiontransferaccepted": EventKind.ACCEPTED,
    "participantjoined": EventKind.CONNECTED,
    "participantconnected": EventKind.CONNECTED,
    "participantdisconnected": EventKind.DISCONNECTED,
    "participantleft": EventKind.DISCONNECTED,
    "conversationended": EventKind.ENDED,
    "statechanged": EventKind.STATE,
    "participantstatechanged": EventKind.STATE,
}
_STATES = {
    "connected": EventKind.CONNECTED,
    **dict.fromkeys(("queued", "waiting", "inqueue", "enqueued"), EventKind.QUEUED),
    **dict.fromkeys(("alerting", "offering", "offered", "ringing", "dialing", "contacting"), EventKind.OFFERED),
    **dict.fromkeys(("declined", "refused", "noanswer", "notresponding"), EventKind.REFUSED),
    **dict.fromkeys(("disconnected", "terminated", "ended", "left"), EventKind.DISCONNECTED),
}

# Python 3.11 is slow to look up a member of an enum, and a call has many events.
_TRANSFER, _REJECTED, _ACCEPTED = EventKind.TRANSFER, EventKind.REJECTED, EventKind.ACCEPTED
_STATE, _OTHER = EventKind.STATE, EventKind.OTHER


def parse(document: object) -> Conversation:
    """A conversation as the API gave it. A document without a list of events has "events" among its `faults`."""
    if not isinstance(document, _OBJECT):
        return Conversation(id="", faults=("document", "events"))
    faults: list[str] = []
    read: list[Event] = []
    events = document.get("events")
    if isinstance(events, list):
        for number, each in enumerate(events):
            event = _event(each, f"events[{number}]")
            if event is None:
                faults.append(f"events[{number}]")
            else:
                if event.at is None and each.get("timestamp") is not None:
                    faults.append(f"{event.path}.timestamp")
                read.append(event)
    else:
        faults.append("events")
    return _call(document, tuple(read), faults)


def parse_row(row: object) -> Conversation:
    """A row of the list: who took part and when, without events."""
    return _call(mapping(row), (), [])


def _call(call: Mapping[str, Any], events: tuple[Event, ...], faults: list[str]) -> Conversation:
    found: list[str] = []
    started_at = _time(call, "startTime", "conversationStart", found)
    ended_at = _time(call, "endTime", "conversationEnd", found)
    participants = call.get("participants")
    people: list[Participant] = []
    for number, each in enumerate(items(participants)):
        if isinstance(each, _OBJECT):
            people.append(_participant(each, f"participants[{number}]"))
        else:
            found.append(f"participants[{number}]")
    if participants is not None and not isinstance(participants, list):
        found.append("participants")
    return Conversation(
        id=first(call, "id", "conversationId"),
        started_at=started_at,
        ended_at=ended_at,
        participants=tuple(people),
        events=events,
        outbound=first(call, "direction", "originatingDirection").lower() == "outbound",
        faults=(*found, *faults)[:_MOST_FAULTS],
    )


def _time(call: Mapping[str, Any], name: str, elsewhere: str, faults: list[str]) -> datetime | None:
    """The time in one field or the other; the first one is a fault where it holds something else."""
    said = call.get(name)
    at = time(said)
    if at is not None:
        return at
    if said is not None:
        faults.append(name)
    return time(call.get(elsewhere))


def parse_target(kind: TargetKind, document: object, read_at: datetime | None) -> Target:
    """A user, a queue or a flow as the API gave it, at `read_at`.

    What the platform did not say stays None; what a judgement would need of that stands in `partly`.
    """
    read = mapping(document)
    state = read.get("state")
    state_name = first(state, "stateName") if isinstance(state, Mapping) else text(state)
    logged_in, available = whole(read.get("agentsLoggedIn")), whole(read.get("agentsAvailable"))
    waiting = whole(read.get("waiting"))
    listens = _listens(read.get("triggers")) if kind is TargetKind.FLOW else None
    active = next((said for said in map(flag, (read.get("isActive"), read.get("active"))) if said is not None), None)
    is_available = None
    if kind is TargetKind.USER and state_name:
        is_available = state_name == AVAILABLE
    elif kind is TargetKind.QUEUE and available is not None:
        is_available = available > 0
    untold = {
        TargetKind.USER: not state_name,
        TargetKind.QUEUE: (logged_in, available, waiting) == (None, None, None),
        TargetKind.FLOW: listens is None,
    }
    return Target(
        id=text(read.get("id")),
        kind=kind,
        name=text(read.get("name")),
        status=TargetStatus.ERROR if active is False else TargetStatus.OK,
        state=state_name,
        is_available=is_available,
        read_at=read_at,
        is_active=active,
        logged_in=logged_in,
        available=available,
        waiting=waiting,
        listens=listens,
        version=text(read.get("version")),
        published_at=time(read.get("publishedDate")) or time(read.get("dateModified")),
        partly=(_UNTOLD[kind],) if untold[kind] and active is not False else (),
    )


def _participant(each: Mapping[str, Any], path: str) -> Participant:
    get = each.get
    return Participant(
        id=text(get("id")) or text(get("participantId")),
        path=path,
        purpose=text(get("purpose")).lower(),
        identity=text(get("identity")),
        name=text(get("name")),
        state=text(get("state")).lower(),
        connected_at=time(get("connectedTime")),
        ended_at=time(get("endTime")),
        user_id=text(get("userId")),
        queue_id=text(get("queueId")),
        flow_id=text(get("flowId")),
        disconnect_type=text(get("disconnectType")).lower(),
        dialled=text(get("dialled")) or text(get("dnis")),
    )


def _event(each: Any, path: str) -> Event | None:  # noqa: PLR0911 - one a kind
    """One event with the fields that its kind can have; None for what is no event at all."""
    if not isinstance(each, _OBJECT):
        return None
    get = each.get
    type_ = text(get("type"))
    if not type_:
        return None
    kind = _KINDS.get(type_.lower(), _OTHER)
    at = time(get("timestamp"))
    to_id = text(get("toParticipantId"))
    who = text(get("participantId")) or to_id
    if kind is _STATE:
        state = text(get("state")) or text(get("newState"))
        kind = _STATES.get(state) or _STATES.get(state.lower().replace("_", "").replace(" ", ""), _STATE)
        return Event(kind, type_, path, at, who, "", to_id, "", "", state)
    if kind is _TRANSFER:
        properties = get("properties")
        return Event(
            kind=kind,
            type=type_,
            path=path,
            at=at,
            participant_id=who,
            from_id=text(get("fromParticipantId")),
            to_id=to_id,
            properties=properties if isinstance(properties, _OBJECT) else NOTHING,
        )
    if kind is _REJECTED:
        reason, code, status = _reason(each)
        return Event(kind, type_, path, at, who, text(get("fromParticipantId")), to_id, reason, code, status=status)
    if kind is _ACCEPTED:
        return Event(kind, type_, path, at, who, text(get("fromParticipantId")), to_id)
    return Event(kind, type_, path, at, who, "", to_id)


def _reason(each: Mapping[str, Any]) -> tuple[str, str, str]:
    """The text of a refusal, its code, and an HTTP status beside it; the reason may be an object that holds all."""
    reason = each.get("reason")
    parts = (each, reason) if isinstance(reason, _OBJECT) else (each,)
    said = [text(part.get(name)) for part in parts for name in _CODES]
    status = next(filter(is_status, said), "")
    code = next((found for part in parts if (found := first(part, "code", "errorCode"))), "")
    code = code or status or next(filter(None, said), "")
    told = first(parts[-1], "message", "text", "description") or text(reason)
    return told, code, status if status != code else ""


def _listens(triggers: object) -> bool | None:
    """Whether a flow takes handovers: a trigger of type `event` for `sessionTransfer`. None where none are given."""
    if not isinstance(triggers, list):
        return None
    return any(
        isinstance(each, Mapping)
        and text(each.get("type")).lower() == "event"
        and text(each.get("event")).lower() == "sessiontransfer"
        for each in triggers
    )
