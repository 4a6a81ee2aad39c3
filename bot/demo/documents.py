"""A story as the document that the conversations API gives for it, as far as it has come.

Shapes: the contract of the conversations profile (`participants[]`, `events[]`). What has not happened yet at `now`
is not in the document, as with a call that is running.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from bot.demo.story import Leg, Step, Story, What

STATES = {
    What.JOINS: "connected",
    What.QUEUES: "queued",
    What.RINGS: "alerting",
    What.DECLINES: "declined",
}


def stamp(at: datetime) -> str:
    """ISO 8601 with milliseconds and a Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def leg_id(conversation_id: str, key: str) -> str:
    """The participant id of a leg in a conversation."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{conversation_id}/{key}"))


def conversation(  # noqa: C901, PLR0912 - one case a kind of step, and flat
    story: Story, times: tuple[float, ...], start: datetime, now: datetime, *, id_: str, number: str, dialled: str
) -> dict[str, Any]:
    """The document of a call that began at `start`, as it stands at `now`."""
    legs: dict[str, dict[str, Any]] = {}
    events: list[dict[str, Any]] = []
    document: dict[str, Any] = {
        "id": id_,
        "conversationType": "voice",
        "direction": "outbound" if story.outbound else "inbound",
        "startTime": stamp(start),
        "endTime": None,
        "participants": [],
        "events": events,
    }

    def leg(key: str) -> dict[str, Any]:
        if key not in legs:
            legs[key] = _participant(story.legs[key], leg_id(id_, key), number, dialled)
        return legs[key]

    asked_to, asked_at = "", start
    for step, seconds in zip(story.steps, times, strict=True):
        at = start + timedelta(seconds=seconds)
        if at > now:
            break
        if step.after_request is not None:
            at = asked_at + timedelta(seconds=step.after_request)
        event: dict[str, Any] = {"type": "", "timestamp": stamp(at)}
        if step.what is What.ASKS:
            asked_to, asked_at = _target_id(story, step, id_), at
            event |= {
                "type": "sessionTransfer",
                "fromParticipantId": leg(step.who)["id"],
                "toParticipantId": asked_to,
                "properties": {"cognigySessionId": f"cgy-{id_[:13]}", "intent": "speak_to_agent", "language": "en-US"},
            }
        elif step.what is What.REFUSES:
            event |= {"type": "sessionTransferRejected", "toParticipantId": asked_to}
        elif step.what is What.ACCEPTS:
            event |= {"type": "sessionTransferAccepted", "toParticipantId": asked_to}
        elif step.what is What.JOINS:
            leg(step.who).update(connectedTime=stamp(at), state="connected")
            event |= {"type": "participantJoined", "participantId": leg(step.who)["id"]}
        elif step.what in (What.QUEUES, What.RINGS, What.DECLINES, What.STATE):
            state = STATES.get(step.what, "connected")
            leg(step.who)["state"] = step.extra.get("state", state)
            event |= {"type": "stateChanged", "participantId": leg(step.who)["id"], "state": state}
        elif step.what is What.LEAVES:
            kind = "client" if story.legs[step.who].purpose == "customer" else "endpoint"
            leg(step.who).update(endTime=stamp(at), state="disconnected", disconnectType=kind)
            event |= {"type": "participantDisconnected", "participantId": leg(step.who)["id"], "disconnectType": kind}
        elif step.what is What.ENDS:
            document["endTime"] = stamp(at)
            for row in legs.values():
                if row.get("connectedTime") and not row["endTime"]:
                    row.update(endTime=stamp(at), state="disconnected", disconnectType="system")
            event |= {"type": "conversationEnded"}
        event |= step.extra
        for name in step.without:
            event.pop(name, None)
        events.append(event)
    document["participants"] = list(legs.values())
    return document


def _participant(leg: Leg, id_: str, number: str, dialled: str) -> dict[str, Any]:
    identity = {"customer": number, "bot": "sip:voicebot@cognigy.example"}.get(leg.purpose, "")
    row: dict[str, Any] = {
        "id": id_,
        "purpose": leg.purpose,
        "name": leg.name,
        "identity": identity,
        "state": "",
        "connectedTime": None,
        "endTime": None,
        "disconnectType": None,
    }
    if leg.purpose == "customer":
        row["dialled"] = dialled
    if leg.kind:
        row[f"{leg.kind}Id"] = leg.target
    return row


def _target_id(story: Story, step: Step, id_: str) -> str:
    """What the request names: the target itself, or a leg of the call where `to` starts with "leg:"."""
    if step.to.startswith("leg:"):
        return leg_id(id_, step.to.removeprefix("leg:"))
    leg = story.legs.get(step.to)
    return leg.target if leg else step.to


def parse_stamp(text: str) -> datetime:
    """The time that `stamp` wrote."""
    return datetime.fromisoformat(text)
