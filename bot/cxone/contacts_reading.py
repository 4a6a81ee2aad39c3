"""What NICE's contacts API tells of one call, read into a `Conversation`. Pure: no network, no clock, never raises.

The document is what the client puts together from several calls, each part as the platform gave it:

    {"profile": "contacts", "list": "active" | "completed",
     "contact": {…}, "contactStateHistory": […], "hierarchy": {…}, "contactCustomData": […],
     "children": [{"contact": {…}, "contactStateHistory": […]}],
     "contactStateDescriptions": […],
     "cognigy": {"sessionId": …, "logs": […], "conversation": {"items": […]}},
     "notRead": [{"call": "GET …", "why": "…"}]}

A row of /contacts/active or /contacts/completed alone is a document too. Field names drift between versions of the API
(`fromAddress`, `fromAddr`), numbers may come as text, durations as seconds or as ISO 8601: both are read.

The API has no event for "the bot asked". Cognigy's logs have; without them a queue that the contact reached is the
proof that somebody asked, and where it reached none, `asks_visible` says that the record cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.cxone import cognigy, names, reading
from bot.diagnosis.handover import Conversation, Event, EventKind, Participant, Target, TargetKind

CUSTOMER, BOT = cognigy.CUSTOMER, cognigy.BOT
BOT_NAME = "Cognigy Voicebot"
SCRIPT_NAME = "Studio script"
PHONE = 4  # mediaTypeId

_DURATION = re.compile(r"^P(?:(?P<d>[\d.]+)D)?(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?$")
_EARLY = timedelta(seconds=2)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class State:
    """One row of a state history. `child` is the id of the child contact that it belongs to, "" for the call's own."""

    kind: EventKind
    name: str
    path: str
    at: datetime | None
    lasted: timedelta | None
    agent: str
    skill: str
    skill_name: str
    scripted: bool
    child: str = ""


@dataclass(slots=True)
class _Build:
    """What the reading has so far."""

    people: dict[str, Participant] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def is_contact(document: object) -> bool:
    """Whether a saved document is one of this profile."""
    whole = reading.mapping(document)
    own = ("contactId", "contactStateHistory", "activeContacts", "completedContacts")
    return whole.get("profile") == "contacts" or any(key in whole for key in own)


def parse(document: object) -> Conversation:
    """Read a document of this profile; what cannot be read is in `faults`, what was not read in `not_read`."""
    whole = reading.mapping(document)
    contact, path = contact_of(whole)
    build = _Build()
    started = when(contact, "contactStartDate", "contactStart")
    states = history(whole, build.faults)
    told = cognigy.parse(whole.get("cognigy"))
    ended = _ended(whole, contact, states, started)
    # 1. who took part
    bot_path = _bot_sign(whole, told)
    _add(build, _customer(contact, path, started, ended))
    outbound = contact.get("isOutbound") is True
    botless = not bot_path and (outbound or "cognigy" in whole)
    if bot_path or (not botless and (not states or any(state.scripted for state in states))):
        _add(build, _bot(bot_path, path, states))
    flow = _script(build, contact, path)
    asked_skill = _asked_skill(build, whole)
    called = _agent_names(whole)
    for state in states:
        _leg(build, state, called)
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
        not_read=_not_read(whole, told),
        profile="contacts",
    )


# ---- parts of the document ----------------------------------------------------------------------------------------


def contact_of(whole: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The contact's own row and its field path, from whichever wrapping it has."""
    for key in ("contact", "activeContacts", "completedContacts"):
        value = whole.get(key)
        if isinstance(value, list) and value:
            return reading.mapping(value[0]), f"{key}[0]"
        inner = reading.mapping(value)
        if inner:
            deeper, path = contact_of(inner) if "contactId" not in inner else (inner, "")
            return (deeper, f"{key}.{path}".rstrip(".")) if deeper else (inner, key)
    return whole, ""


def history(whole: Mapping[str, Any], faults: list[str]) -> tuple[State, ...]:
    """The states of the call and of its child contacts, in time order."""
    described = _descriptions(whole)
    rows = [("contactStateHistory", whole.get("contactStateHistory"), "")]
    for number, child in enumerate(reading.items(whole.get("children"))):
        inner = reading.mapping(child)
        owner = word(contact_of(inner)[0], "contactId", "id")
        rows.append((f"children[{number}].contactStateHistory", inner.get("contactStateHistory"), owner or "child"))
    found: list[tuple[int, State]] = []
    for path, value, child in rows:
        for number, row in enumerate(reading.items(value)):
            if not isinstance(row, Mapping):
                faults.append(f"{path}[{number}]")
                continue
            index = reading.whole(row.get("stateIndex"))
            found.append((number if index is None else index, _state(row, f"{path}[{number}]", child, described)))
    found.sort(key=lambda pair: (pair[1].at or _NEVER, bool(pair[1].child), pair[0]))
    return tuple(state for _, state in found)


def custom_data(whole: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What the script stored with the contact: name in lower case → (value, field path)."""
    found = {}
    for number, row in enumerate(reading.items(whole.get("contactCustomData"))):
        pair = reading.mapping(row)
        name = reading.text(pair.get("name")).lower()
        if name:
            found[name] = (reading.text(pair.get("value")), f"contactCustomData[{number}].value")
    return found


def session_of(whole: Mapping[str, Any]) -> str:
    """Cognigy's session, where the script stored it or Cognigy's own part names it."""
    if own := reading.text(reading.mapping(whole.get("cognigy")).get("sessionId")):
        return own
    stored = custom_data(whole)
    return next((stored[key][0] for key in names.SESSION_KEYS if stored.get(key, ("", ""))[0]), "")


def contact_ids(whole: Mapping[str, Any]) -> frozenset[str]:
    """The contact's own id, its children's and its master's: any of them may stand in Cognigy's logs."""
    contact, _ = contact_of(whole)
    tree = reading.mapping(whole.get("hierarchy"))
    children = (reading.text(reading.mapping(row).get("contactId")) for row in reading.items(tree.get("childContacts")))
    own = (word(contact, "contactId"), word(contact, "masterContactId"), word(tree, "masterContactId"))
    return frozenset(filter(None, (*own, *children)))


def word(row: Mapping[str, Any], *keys: str) -> str:
    """The first of several names that a field goes by, as text; "" and 0 as an id mean none."""
    for key in keys:
        found = reading.text(row.get(key)).strip()
        if found and found != "0":
            return found
    return ""


def when(row: Mapping[str, Any], *keys: str) -> datetime | None:
    """The first time that can be read among several names."""
    return next((found for key in keys if (found := reading.time(row.get(key))) is not None), None)


def duration(value: object) -> timedelta | None:
    """Seconds as a number or text, or ISO 8601 ("PT1M41.2S"); None if it is neither, or negative."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        if found := _DURATION.match(text.upper()):
            parts = {key: float(part or 0) for key, part in found.groupdict().items()}
            return timedelta(days=parts["d"], hours=parts["h"], minutes=parts["m"], seconds=parts["s"])
        seconds = float(text)
        return timedelta(seconds=seconds) if seconds >= 0 else None
    except (ValueError, OverflowError):
        return None


def _descriptions(whole: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The tenant's own names of states: id → (category, description)."""
    found = {}
    for row in reading.items(whole.get("contactStateDescriptions")):
        pair = reading.mapping(row)
        number = reading.text(pair.get("ContactStateId") if "ContactStateId" in pair else pair.get("contactStateId"))
        category = word(pair, "ContactStateCategory", "contactStateCategory")
        found[number] = (category, word(pair, "ContactStateDescription", "contactStateDescription"))
    return found


def _state(row: Mapping[str, Any], path: str, child: str, described: Mapping[str, tuple[str, str]]) -> State:
    category, description = described.get(reading.text(row.get("contactStateId")), ("", ""))
    name = word(row, "contactStateName", "stateName") or description or category
    told = (category, description, name)
    return State(
        kind=names.kind_of(*told) or EventKind.STATE,
        name=name,
        path=path,
        at=when(row, "startDate", "startTime"),
        lasted=duration(row.get("duration")),
        agent=word(row, "agentId"),
        skill=word(row, "skillId"),
        skill_name=word(row, "skillName"),
        scripted=names.in_script(*told),
        child=child,
    )


# ---- who took part ------------------------------------------------------------------------------------------------


def _add(build: _Build, participant: Participant) -> str:
    build.people.setdefault(participant.id, participant)
    return participant.id


def _customer(contact: Mapping[str, Any], path: str, started: datetime | None, ended: datetime | None) -> Participant:
    outbound = contact.get("isOutbound") is True
    near, far = ("toAddress", "toAddr"), ("fromAddress", "fromAddr")
    own, other = (near, far) if outbound else (far, near)
    return Participant(
        id=CUSTOMER,
        path=_at(path, next((key for key in own if contact.get(key)), own[0])),
        purpose="customer",
        identity=word(contact, *own),
        connected_at=started,
        ended_at=ended if flag(contact, "abandoned") else None,
        dialled=word(contact, *other),
    )


def _bot(sign: str, path: str, states: tuple[State, ...]) -> Participant:
    """The bot speaks while the contact stands in its script. Without a sign of it, it is a script like any other."""
    at = next((state for state in states if state.scripted), None)
    return Participant(
        id=BOT,
        path=sign or (at.path if at else path),
        purpose="bot" if sign else "ivr",
        name=BOT_NAME if sign else SCRIPT_NAME,
        connected_at=at.at if at else None,
    )


def _bot_sign(whole: Mapping[str, Any], told: cognigy.Reading) -> str:
    """The field that shows a voicebot in this call, "" for none: Cognigy's own word, what it stored, its own contact.

    The spawned contact of a SIP backchannel is a child without an agent and without a skill.
    """
    if told.events or told.session_id:
        return told.events[0].path if told.events else "cognigy.sessionId"
    stored = custom_data(whole)
    for key in names.BOT_KEYS:
        if key in stored:
            return stored[key][1]
    for number, child in enumerate(reading.items(whole.get("children"))):
        row, _ = contact_of(reading.mapping(child))
        agents = any(
            reading.mapping(state).get("agentId") not in (None, 0, "0", "")
            for state in reading.items(reading.mapping(child).get("contactStateHistory"))
        )
        if row and not word(row, "agentId") and not word(row, "skillId") and not agents:
            return f"children[{number}]"
    return ""


def _script(build: _Build, contact: Mapping[str, Any], path: str) -> str:
    """The point of contact that the call came in at: what answers it is its script."""
    point = word(contact, "pointOfContactId")
    if not point:
        return ""
    name = word(contact, "pointOfContactName") or SCRIPT_NAME
    where = _at(path, "pointOfContactId")
    return _add(build, Participant(id=f"script/{point}", path=where, purpose="flow", name=name, flow_id=point))


def _asked_skill(build: _Build, whole: Mapping[str, Any]) -> str:
    """The skill that the bot asked for, where the script stored it."""
    stored = custom_data(whole)
    for key in names.TARGET_KEYS:
        skill, where = stored.get(key, ("", ""))
        if skill and skill != "0":
            return _add(
                build,
                Participant(id=f"skill/{skill}", path=where, purpose="queue", name=f"skill {skill}", queue_id=skill),
            )
    return ""


def _agent_names(whole: Mapping[str, Any]) -> Callable[[str], str]:
    """What an agent is called here: as AGENT_NAMES allowed when the document was read."""
    mode = reading.text(whole.get("agentNames"))
    rows = [reading.mapping(row) for row in reading.items(whole.get("agents"))]
    known = {word(row, "agentId"): word(row, "name") for row in rows} if mode == "name" else {}
    return lambda agent: known.get(agent) or (f"agent {agent}" if mode in ("id", "name") else "an agent")


def _leg(build: _Build, state: State, called: Callable[[str], str]) -> None:
    """The queue and the agent that a state names."""
    if state.skill and state.kind in (EventKind.QUEUED, EventKind.OFFERED, EventKind.REFUSED, EventKind.CONNECTED):
        id_ = f"skill/{state.skill}"
        known = build.people.get(id_)
        if known is None or known.name in ("", f"skill {state.skill}"):
            build.people[id_] = Participant(
                id=id_,
                path=known.path if known else f"{state.path}.skillId",
                purpose="queue",
                name=state.skill_name or f"skill {state.skill}",
                state=state.name,
                queue_id=state.skill,
            )
    if state.agent and not state.scripted:
        id_ = f"agent/{state.agent}"
        agent = build.people.get(id_) or Participant(
            id=id_,
            path=f"{state.path}.agentId",
            purpose="agent",
            user_id=state.agent,
            name=called(state.agent),
        )
        if state.kind is EventKind.CONNECTED and agent.connected_at is None:
            agent = agent._replace(connected_at=state.at, state=state.name)
        build.people[id_] = agent


# ---- what happened ------------------------------------------------------------------------------------------------


def _event(state: State, contact: Mapping[str, Any]) -> Event | None:
    """A state as an event. A child's end is not the call's end; the call's own stands in `_end`."""
    kind, reason = state.kind, ""
    who = f"agent/{state.agent}" if state.agent else f"skill/{state.skill}" if state.skill else BOT
    if kind is EventKind.QUEUED and state.skill:
        who = f"skill/{state.skill}"
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
        to_id=f"skill/{state.skill}" if state.skill else "",
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
            path=_at(path, "isRefused"),
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
    first = next((state for state in states if state.kind in taken and (state.skill or state.agent)), None)
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
            to_id=f"skill/{first.skill}" if first.skill else f"agent/{first.agent}",
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
                path=_at(path, "abandoned"),
                at=ended,
                participant_id=CUSTOMER,
            )
        )
    if ended is not None:
        reason = word(contact, "endReason")
        build.events.append(
            Event(kind=EventKind.ENDED, type="ended", path=_at(path, "endReason"), at=ended, reason=reason)
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
    if last is not None and last.at is not None:
        return last.at + (last.lasted or timedelta())
    return when(contact, "lastUpdateTime")


def _name_targets(build: _Build, contact: Mapping[str, Any], path: str, otherwise: str, *, spawned: bool) -> None:
    """Whom each request was for: the agent that was named, else the queue it came to before the next one.

    Where it never came to any, the script is what should have acted on it.
    """
    asks = [place for place, event in enumerate(build.events) if event.kind is EventKind.TRANSFER]
    wanted = word(contact, "targetAgentId")
    if wanted:
        _add(
            build,
            Participant(id=f"agent/{wanted}", path=_at(path, "targetAgentId"), purpose="agent", user_id=wanted),
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


def _not_read(whole: Mapping[str, Any], told: cognigy.Reading) -> tuple[str, ...]:
    """Sentences' halves for what was not looked at: "403 on GET /contacts/{id}/hierarchy: …"."""
    lines = [reading.text(reading.mapping(row).get("why")) for row in reading.items(whole.get("notRead"))]
    if "cognigy" in whole and not told.asks_visible:
        lines.append("Cognigy's logs hold no entry of this call: whether the bot asked cannot be known from them")
    elif "cognigy" not in whole:
        lines.append("Cognigy was not asked (no COGNIGY_API_URL): whether the bot asked is known from CXone alone")
    return tuple(dict.fromkeys(filter(None, lines)))


def flag(row: Mapping[str, Any], key: str) -> bool:
    """A yes, however it is written: true, 1, "true", "True"."""
    return str(row.get(key)).strip().lower() in ("true", "1", "yes")


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def named(target: Target, agent_names: str) -> Target:
    """A target as a diagnosis may name it: an agent only as far as AGENT_NAMES allows."""
    if target.kind is not TargetKind.USER or agent_names == "name":
        return target
    return replace(target, name=agent_word(target.id, agent_names))


def agent_word(agent_id: str, agent_names: str) -> str:
    """What an agent is called where the name is not shown."""
    return f"agent {agent_id}" if agent_names == "id" else "the asked agent"
