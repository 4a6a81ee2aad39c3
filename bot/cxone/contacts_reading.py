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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.cxone import cognigy, contacts_people, reading
from bot.cxone.cognigy_story import BOT, CUSTOMER
from bot.cxone.contacts_fields import at_path, contact_ids, contact_of, duration, flag, when, word
from bot.cxone.contacts_people import People
from bot.cxone.contacts_states import AT_A_SKILL, State, history, never_queued, sums
from bot.diagnosis.handover import Conversation, Event, EventKind

_APART = timedelta(seconds=10)  # so much later a clock of Cognigy's may show what CXone's shows
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
    read = states = history(whole, build.faults)
    if path and not any(not state.child for state in read):
        states = (*sums(contact, path, started), *read)
    told = cognigy.parse(whole.get("cognigy"))
    ended = _ended(whole, contact, states, started)
    # 1. who took part
    bot_path = contacts_people.bot_sign(whole, told)
    contacts_people.add(build.people, contacts_people.customer(contact, path, started))
    outbound = flag(contact, "isOutbound")
    botless = not bot_path and (outbound or bool(reading.mapping(whole.get("cognigy"))))
    if bot_path or (not botless and (not read or any(state.scripted for state in read))):
        contacts_people.add(build.people, contacts_people.bot(bot_path, path, states))
    flow = contacts_people.script(build.people, contact, path)
    asked_skill = contacts_people.asked_skill(build.people, whole)
    contacts_people.legs(build.people, states, contacts_people.agent_names(whole))
    # 2. what happened: the states, then what Cognigy says, then what follows from both
    build.events.extend(filter(None, (_event(state, contact) for state in states)))
    first = _first_taken(states)
    build.events.extend(_by_one_clock(told.events, first))
    build.faults.extend(told.faults)
    _refused(build, contact, path)
    if not botless:
        _imply_request(build, first, told)
    _end(build, contact, path, ended)
    build.events = _in_order(build.events)
    contacts_people.asked_agent(build.people, whole, contact, path)
    _name_targets(build, contact, asked_skill or flow, spawned=bool(contact_ids(whole) - {word(contact, "contactId")}))
    return Conversation(
        id=word(contact, "contactId", "id"),
        started_at=started,
        ended_at=ended,
        participants=tuple(build.people.values()),
        events=tuple(build.events),
        outbound=outbound,
        faults=tuple(build.faults),
        # Without any sign of a bot, a call that came to a queue was sent there by its script alone, or by who dialled.
        asks_visible=told.asks_visible or (botless and (outbound or any(state.skill for state in states))),
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


def _first_taken(states: tuple[State, ...]) -> State | None:
    """Where the call left its script for a skill."""
    return next((state for state in states if state.kind in AT_A_SKILL and state.skill), None)


def _by_one_clock(events: tuple[Event, ...], first: State | None) -> Iterable[Event]:
    """Cognigy's events by CXone's clock: a request that stands shortly after the queue it led to was before it."""
    asked = next((event.at for event in events if event.kind is EventKind.TRANSFER), None)
    if first is None or first.at is None or asked is None or not timedelta() < asked - first.at <= _APART:
        return events
    late = asked - first.at
    return (event._replace(at=event.at - late) if event.at is not None else event for event in events)


def _imply_request(build: _Build, first: State | None, told: cognigy.Reading) -> None:
    """A queue that was reached from the script proves a request, where Cognigy's logs do not tell of one before it."""
    if first is None:
        return
    for event in build.events:
        if event.kind is EventKind.TRANSFER and (event.at is None or first.at is None or event.at <= first.at):
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


def _name_targets(build: _Build, contact: Mapping[str, Any], otherwise: str, *, spawned: bool) -> None:
    """Whom each request was for: the agent that was named, else the queue it came to before the next one.

    Where it never came to any, the script is what should have acted on it.
    """
    asks = [place for place, event in enumerate(build.events) if event.kind is EventKind.TRANSFER]
    wanted = word(contact, "targetAgentId")
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
