"""The story line by line, as people read it: what happened, and who to whom."""

from __future__ import annotations

from datetime import datetime

from bot.diagnosis.attempts import Request
from bot.diagnosis.handover import Conversation, Event, EventKind, Moment, Participant
from bot.diagnosis.order import Step
from bot.diagnosis.parties import Parties, clean, named

_WHAT = {
    EventKind.ACCEPTED: "transfer accepted",
    EventKind.QUEUED: "queued",
    EventKind.OFFERED: "is rung",
    EventKind.DISCONNECTED: "leaves",
    EventKind.ENDED: "call ends",
}


def timeline_of(
    conversation: Conversation,
    parties: Parties,
    requests: tuple[Request, ...],
    names: dict[str, str],
    steps: list[Step],
) -> tuple[Moment, ...]:
    """Every event that tells something, in time order; legs that no event tells of by their own times."""
    told = {(event.participant_id, event.kind) for event in conversation.events}
    by_path = {request.event.path: request for request in requests}
    moments: list[Moment] = []
    if conversation.started_at is not None:
        who = f"{_caller(parties)} → {_bot(parties)}" if parties.bots else _caller(parties)
        moments.append(Moment(conversation.started_at, "call starts", who))
    for step in steps:
        event = step.event
        if event is None:
            if (step.leg.id, EventKind.CONNECTED) not in told:
                moments.append(Moment(step.leg.connected_at, "joins", leg_name(step.leg, parties)))
        elif event.kind is not EventKind.OTHER:
            moments.append(_moment(event, parties, by_path, names))
    ends = [
        (leg.ended_at, "leaves", leg_name(leg, parties))
        for leg in conversation.participants
        if leg.ended_at is not None and (leg.id, EventKind.DISCONNECTED) not in told
    ]
    if conversation.ended_at is not None and ("", EventKind.ENDED) not in told:
        ends.append((conversation.ended_at, "call ends", ""))
    return _merged(moments, ends)


def leg_name(leg: Participant, parties: Parties) -> str:
    """A leg as people say it: the caller is never named."""
    if leg.path in parties.customer_paths:
        return "Caller"
    return named(leg) or ("Bot" if leg.path in parties.bot_paths else (leg.purpose or "participant").capitalize())


def _moment(event: Event, parties: Parties, by_path: dict[str, Request], names: dict[str, str]) -> Moment:
    leg = parties.find(event.participant_id) if event.participant_id else None
    who = (
        leg_name(leg, parties) if leg is not None else names.get(event.participant_id, clean(event.participant_id, 60))
    )
    if event.kind is EventKind.TRANSFER:
        request = by_path[event.path]
        sender = (
            leg_name(request.sender, parties) if request.sender is not None else clean(event.from_id, 60) or "nobody"
        )
        target = leg_name(request.leg, parties) if request.leg is not None else names.get(event.to_id, "")
        what, who = "transfer asked for", f"{sender} → {target or clean(event.to_id, 60) or 'nobody'}"
    elif event.kind is EventKind.REJECTED:
        said = clean(event.reason or event.code, 120)
        what = f"refused: {said}" if said else "refused"
    elif event.kind is EventKind.REFUSED:
        what = f"does not take the call ({clean(event.state or event.type, 40)})"
    elif event.kind is EventKind.STATE:
        what = f"state: {clean(event.state, 40) or 'changed'}"
    elif event.kind is EventKind.CONNECTED:
        what = "joins"
    else:
        what = _WHAT[event.kind]
    return Moment(event.at, what, who, event.source)


def _merged(moments: list[Moment], ends: list[tuple[datetime, str, str]]) -> tuple[Moment, ...]:
    """Ends that no event tells of, put in among the rest; what has no time keeps its place."""
    if not ends:
        return tuple(moments)
    at = next((moment.timestamp for moment in moments if moment.timestamp), ends[0][0])
    rows: list[tuple[datetime, int, Moment]] = []
    for moment in moments:
        at = moment.timestamp or at
        rows.append((at, len(rows), moment))
    rows += [(at, len(rows) + number, Moment(at, what, who)) for number, (at, what, who) in enumerate(ends)]
    rows.sort(key=lambda row: (row[0], row[1]))
    return tuple(row[2] for row in rows)


def _caller(parties: Parties) -> str:
    return "Caller" if parties.customers else "Call"


def _bot(parties: Parties) -> str:
    return leg_name(parties.bots[0], parties)
