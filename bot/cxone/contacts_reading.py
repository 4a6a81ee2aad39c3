"""What NICE's contacts API tells of one call, read into a `Conversation`. Pure: no network, no clock, never raises.

The document is what the client puts together from several calls, each part as the platform gave it:

    {"profile": "contacts", "list": "active" | "completed",
     "contact": {…}, "contactStateHistory": […], "hierarchy": {…}, "contactCustomData": […],
     "children": [{"contact": {…}, "contactStateHistory": […]}],
     "contactStateDescriptions": […],
     "cognigy": {"sessionId": …, "logs": […], "cut": false, "conversation": {"items": […]}},
     "notRead": [{"call": "GET …", "why": "…"}]}

A row of /contacts/active or /contacts/completed alone is a document too. Field names drift between versions of the API
(`fromAddress`, `fromAddr`), numbers may come as text, durations as seconds or as ISO 8601: both are read.

The API has no event for "the bot asked". Cognigy's logs have; without them a queue that the contact reached is the
proof that somebody asked, and where it reached none, `asks_visible` says that the record cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.cxone import cognigy, contacts_people, reading
from bot.cxone.contacts_fields import at_path, contact_ids, contact_of, duration, flag, when, word
from bot.cxone.contacts_people import AT_A_SKILL, BOT, CUSTOMER, People
from bot.cxone.contacts_states import State, history, never_queued, sums
from bot.diagnosis.handover import Conversation, Event, EventKind, Participant

_EARLY = timedelta(seconds=2)
_SHOWN = 5  # names of states in one line


@dataclass(slots=True)
class _Build:
    """What the reading has so far."""

    people: People = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def parse(document: object) -> Conversation:
    """Read a document of this profile; what cannot be read is in `faults`, what was not read in `not_read`."""
    whole = reading.mapping(document)
    contact, path = contact_of(whole)
    build = _Build()
    started = when(contact, "contactStartDate", "contactStart")
    states = history(whole, build.faults)
    if path and not any(not state.child for state in states):
        states = (*sums(contact, path, started), *states)
    told = cognigy.parse(whole.get("cognigy"))
    ended = _ended(whole, contact, states, started)
    # 1. who took part
    bot_path = contacts_people.bot_sign(whole, told)
    contacts_people.add(build.people, contacts_people.customer(contact, path, started, ended))
    outbound = flag(contact, "isOutbound")
    botless = not bot_path and (outbound or bool(reading.mapping(whole.get("cognigy"))))
    if bot_path or (not botless and (not states or any(state.scripted for state in states))):
        contacts_people.add(build.people, contacts_people.bot(bot_path, path, states))
    flow = contacts_people.script(build.people, contact, path)
    asked_skill = contacts_people.asked_skill(build.people, whole)
    called = contacts_people.agent_names(whole)
    for state in states:
        contacts_people.leg(build.people, state, called)
    # 2. what happened: the states, then what Cognigy says, then what follows from both
    build.events.extend(filter(None, (_event(state, contact) for state in states)))
    build.events.extend(told.events)
    build.faults.extend(told.faults)
    _refused(build, contact, path)
    if not botless:
        _imply_request(build, states, told)
    _end(build, contact, path, ended)
    build.events = _in_order(build.events)
    _name_targets(
        build, contact, path, asked_skill or flow, spawned=bool(contact_ids(whole) - {word(contact, "contactId")})
    )
    return Conversation(
        id=word(contact, "contactId", "id"),
        started_at=started,
        ended_at=ended,
        participants=tuple(build.people.values()),
        events=tuple(build.events),
        outbound=outbound,
        faults=tuple(build.faults),
        # Without any sign of a bot, a call that came to a queue was sent there by its script alone.
        asks_visible=told.asks_visible or outbound or (botless and any(state.skill for state in states)),
        # A contact always has states. Without any to read, nothing shows that none came after the request, unless
        # the sums of a call that is over do.
        answers_visible=any(not state.child for state in states) or never_queued(contact),
        not_read=_not_read(whole, told, states),
        profile="contacts",
    )


def _event(state: State, contact: Mapping[str, Any]) -> Event | None:
    """A state as an event. A child's end is not the call's end; the call's own stands in `_end`."""
    kind, reason = state.kind, ""
    skill = f"skill/{state.skill}" if state.skill and kind in AT_A_SKILL else ""
    who = f"agent/{state.agent}" if state.agent else skill or BOT
    if kind is EventKind.QUEUED and skill:
        who = skill
    if kind is EventKind.DISCONNECTED:
        who = CUSTOMER
    if kind is EventKind.CONNECTED and not state.agent:
        kind = EventKind.STATE  # "active" in its script, or in a leg without a human
    if kind is EventKind.ENDED or (state.child and (state.scripted or kind is EventKind.DISCONNECTED)):
        return None
    if kind is EventKind.REFUSED:
        reason = word(contact, "refuseReason")
    return Event(
        kind=kind,
        type=state.name or "state",
        path=state.path,
        at=state.at,
        participant_id=who,
        to_id=skill,
        reason=reason,
        state=reason or state.name,
    )


def _refused(build: _Build, contact: Mapping[str, Any], path: str) -> None:
    """`isRefused` tells of a refusal that the history may not show as a state of its own."""
    if not flag(contact, "isRefused") or any(event.kind is EventKind.REFUSED for event in build.events):
        return
    agent, skill = word(contact, "agentId", "targetAgentId"), word(contact, "skillId")
    offered = [event for event in build.events if event.kind is EventKind.OFFERED]
    at = when(contact, "refuseTime") or (offered[-1].at if offered else None)
    build.events.append(
        Event(
            kind=EventKind.REFUSED,
            type="isRefused",
            path=at_path(path, "isRefused"),
            at=at,
            participant_id=f"agent/{agent}" if agent else offered[-1].participant_id if offered else "",
            to_id=f"skill/{skill}" if skill else "",
            reason=word(contact, "refuseReason"),
            state=word(contact, "refuseReason"),
        )
    )


def _imply_request(build: _Build, states: tuple[State, ...], told: cognigy.Reading) -> None:
    """A queue that was reached from the script proves a request, where Cognigy's logs do not tell of one before it."""
    taken = (EventKind.QUEUED, EventKind.OFFERED, EventKind.REFUSED, EventKind.CONNECTED)
    first = next((state for state in states if state.kind in taken and state.skill), None)
    if first is None:
        return
    limit = first.at
    for event in build.events:
        if event.kind is EventKind.TRANSFER and (event.at is None or limit is None or event.at <= limit + _EARLY):
            return
    build.events.append(
        Event(
            kind=EventKind.TRANSFER,
            type=first.name or "queued",
            path=first.path,
            at=first.at,
            from_id=BOT if BOT in build.people else "",
            to_id=f"skill/{first.skill}",
            properties={"cognigySessionId": told.session_id} if told.session_id else {},
        )
    )


def _end(build: _Build, contact: Mapping[str, Any], path: str, ended: datetime | None) -> None:
    if flag(contact, "abandoned") and not any(
        event.kind is EventKind.DISCONNECTED and event.participant_id == CUSTOMER for event in build.events
    ):
        build.events.append(
            Event(
                kind=EventKind.DISCONNECTED,
                type="abandoned",
                path=at_path(path, "abandoned"),
                at=ended,
                participant_id=CUSTOMER,
            )
        )
    if ended is not None:
        reason = word(contact, "endReason")
        build.events.append(
            Event(kind=EventKind.ENDED, type="ended", path=at_path(path, "endReason"), at=ended, reason=reason)
        )


def _ended(
    whole: Mapping[str, Any], contact: Mapping[str, Any], states: tuple[State, ...], started: datetime | None
) -> datetime | None:
    """When the call was over: its end state, its length, or its last state's end; None while it is active."""
    final = [state for state in states if state.kind is EventKind.ENDED and not state.child and state.at]
    if final:
        return final[-1].at
    total = duration(contact.get("totalDurationSeconds"))
    over = whole.get("list") == "completed" or "completedContacts" in whole or total is not None
    if not over:
        return None
    if started is not None and total is not None:
        return started + total
    last = next((state for state in reversed(states) if state.at and not state.child), None)
    updated = when(contact, "lastUpdateTime")
    if last is None or last.at is None:
        return updated
    if last.lasted is None and updated is not None:
        return max(last.at, updated)
    return last.at + (last.lasted or timedelta())


def _name_targets(build: _Build, contact: Mapping[str, Any], path: str, otherwise: str, *, spawned: bool) -> None:
    """Whom each request was for: the agent that was named, else the queue it came to before the next one.

    Where it never came to any, the script is what should have acted on it.
    """
    asks = [place for place, event in enumerate(build.events) if event.kind is EventKind.TRANSFER]
    wanted = word(contact, "targetAgentId")
    if wanted:
        contacts_people.add(
            build.people,
            Participant(id=f"agent/{wanted}", path=at_path(path, "targetAgentId"), purpose="agent", user_id=wanted),
        )
    own = word(contact, "contactId")
    for number, place in enumerate(asks):
        event = build.events[place]
        if own and spawned and event.properties.get("signalledContactId") == own:
            event = event._replace(properties={**event.properties, "signalledMain": True})
        until = asks[number + 1] if number + 1 < len(asks) else len(build.events)
        queued = [each for each in build.events[place:until] if each.to_id.startswith("skill/")]
        last = number + 1 == len(asks)
        to = queued[-1].to_id if queued else event.to_id or otherwise
        if wanted and last:
            to = f"agent/{wanted}"
        build.events[place] = event._replace(to_id=to)


def _in_order(events: list[Event]) -> list[Event]:
    """By time; a request before what answers it, an end after all else; what has no time stays where it was read."""
    rank = {EventKind.TRANSFER: 0, EventKind.ENDED: 3, EventKind.DISCONNECTED: 2}
    times: list[datetime] = []
    keyed = []
    for place, event in enumerate(events):
        if event.at is not None:
            times.append(event.at)
        at = event.at or (times[-1] if times else None)
        keyed.append((at.timestamp() if at else float("-inf"), rank.get(event.kind, 1), place, event))
    return [event for *_, event in sorted(keyed, key=lambda row: row[:3])]


def _not_read(whole: Mapping[str, Any], told: cognigy.Reading, states: tuple[State, ...]) -> tuple[str, ...]:
    """Sentences' halves for what was not looked at: "403 on GET /contacts/{id}/hierarchy: …"."""
    lines = [reading.text(reading.mapping(row).get("why")) for row in reading.items(whole.get("notRead"))]
    if strange := list(dict.fromkeys(state.name for state in states if not state.recognised and state.name)):
        shown = ", ".join(f"“{name}”" for name in strange[:_SHOWN])
        lines.append(f"The meaning of the states {shown} is not known here: neither category nor description says it")
    if reading.mapping(whole.get("cognigy")).get("cut"):
        lines.append("Cognigy's log is longer than what is read of it: the rest may tell of this call too")
    elif reading.mapping(whole.get("cognigy")) and not told.asks_visible:
        lines.append("Cognigy's logs hold no entry of this call: whether the bot asked cannot be known from them")
    elif "cognigy" not in whole:
        lines.append("Cognigy was not asked (no COGNIGY_API_URL): whether the bot asked is known from CXone alone")
    return tuple(dict.fromkeys(filter(None, lines)))
