"""Words to tell a call in: they make a real document of the conversations API. Times are seconds after 14:03:11 UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.diagnosis.handover import Target, TargetKind, TargetStatus

ZERO = datetime(2026, 3, 2, 14, 3, 11, tzinfo=UTC)
Document = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A call, what is known of its targets, when it was asked for, and what is true of it."""

    name: str
    document: object
    outcome: str
    reached: str
    fault: str
    codes: str = ""  # of the findings that are no INFO, sorted
    confidence: str = ""
    targets: dict[str, Target] = field(default_factory=dict)
    now: datetime = ZERO + timedelta(minutes=12)
    says: str = ""  # must stand in headline, summary or a message


def at(seconds: float | None) -> str | None:
    """A stamp so many seconds after the request; whole seconds without a fraction, as many platforms write them."""
    if seconds is None:
        return None
    stamp = ZERO + timedelta(seconds=seconds)
    return stamp.isoformat().replace("+00:00", "Z")


def event(type_: str, t: float | None, **fields: Any) -> Document:
    """An event of any type."""
    return {"type": type_, "timestamp": at(t), **fields}


def asks(
    to: str | None = "q-billing", t: float | None = 0, by: str | None = "p-bot", session: str | None = "cgy-1"
) -> Document:
    """The bot, or `by`, asks for a handover."""
    properties = {"cognigySessionId": session} if session else {}
    return event("sessionTransfer", t, fromParticipantId=by, toParticipantId=to, properties=properties)


def refused(reason: Any, t: float | None = 1, **fields: Any) -> Document:
    """CXone refuses."""
    return event("sessionTransferRejected", t, reason=reason, **fields)


def accepted(t: float | None = 1, **fields: Any) -> Document:
    """CXone accepts."""
    return event("sessionTransferAccepted", t, **fields)


def joined(who: str, t: float | None, type_: str = "participantJoined") -> Document:
    """A participant joins."""
    return event(type_, t, participantId=who)


def state(who: str, what: str, t: float | None) -> Document:
    """A participant changes its state."""
    return event("stateChanged", t, participantId=who, state=what)


def left(who: str, t: float | None) -> Document:
    """A participant leaves."""
    return event("participantDisconnected", t, participantId=who)


def leg(
    id_: str, purpose: str, name: str = "", on: float | None = None, off: float | None = None, **fields: Any
) -> Document:
    """A participant, connected at `on` and gone at `off`."""
    return {"id": id_, "purpose": purpose, "name": name, "connectedTime": at(on), "endTime": at(off), **fields}


def ana(on: float | None = None, off: float | None = None, **fields: Any) -> Document:
    """The agent Ana."""
    return leg("p-ana", "agent", "Ana", on, off, userId="u-ana", **fields)


def sam(on: float | None = None, off: float | None = None, **fields: Any) -> Document:
    """The agent Sam."""
    return leg("p-sam", "agent", "Sam", on, off, userId="u-sam", **fields)


def billing(on: float | None = None, off: float | None = None, **fields: Any) -> Document:
    """The queue Billing as a participant."""
    return leg("p-billing", "queue", "Billing", on, off, queueId="q-billing", **fields)


def call(
    *told: Document, legs: tuple[Document, ...] = (), gone: float | None = 40, over: float | None = 41, **fields: Any
) -> Document:
    """A call of a caller and the bot from 14:02:11; the caller leaves at `gone`, all is over at `over`."""
    events = list(told)
    if gone is not None:
        events.append(left("p-caller", gone))
    if over is not None:
        events.append(event("conversationEnded", over))
    people = [
        leg("p-caller", "customer", "", -60, gone, identity="+15550199888"),
        leg("p-bot", "bot", "Cognigy Voicebot", -60, over),
        *legs,
    ]
    document = {"id": "c-1", "startTime": at(-60), "endTime": at(over), "participants": people, "events": events}
    return {**document, **fields}


def queue(id_: str = "q-billing", *, read: float = 60, **fields: Any) -> dict[str, Target]:
    """Billing as it was looked up `read` seconds after the request."""
    return _target(id_, TargetKind.QUEUE, "Billing", read, fields)


def user(id_: str = "u-ana", *, read: float = 60, **fields: Any) -> dict[str, Target]:
    """Ana as she was looked up."""
    return _target(id_, TargetKind.USER, "Ana", read, fields)


def flow(id_: str = "f-main", *, read: float = 60, **fields: Any) -> dict[str, Target]:
    """The Studio flow as it was looked up."""
    return _target(id_, TargetKind.FLOW, "Main flow", read, {"listens": True, **fields})


def nowhere(id_: str, *, read: float = 60) -> dict[str, Target]:
    """Three 404s."""
    return {id_: Target(id=id_, status=TargetStatus.ERROR, missing=True, read_at=ZERO + timedelta(seconds=read))}


def hidden(
    id_: str, why: str = "403 on GET /api/v2/queues: the service account most likely lacks a scope"
) -> dict[str, Target]:
    """What our own account may not read."""
    return {id_: Target(id=id_, status=TargetStatus.NOT_CHECKED, why_not_checked=why)}


def after(seconds: float) -> datetime:
    """A time of asking."""
    return ZERO + timedelta(seconds=seconds)


def _target(id_: str, kind: TargetKind, name: str, read: float, fields: dict[str, Any]) -> dict[str, Target]:
    return {id_: Target(id=id_, kind=kind, name=name, read_at=after(read), **fields)}
