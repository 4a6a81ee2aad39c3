"""Who took part in a call of the contacts API: caller, bot or script, queues and agents. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.cxone import cognigy, names, reading
from bot.cxone.cognigy_story import BOT, CUSTOMER
from bot.cxone.contacts_fields import at_path, contact_of, custom_data, flag, word
from bot.cxone.contacts_states import AT_A_SKILL, State, left_queues
from bot.diagnosis.handover import EventKind, Participant, Target, TargetKind

BOT_NAME = "Cognigy Voicebot"
SCRIPT_NAME = "Studio script"

People = dict[str, Participant]


def add(people: People, participant: Participant) -> str:
    """Note somebody unless they are there already; their id."""
    people.setdefault(participant.id, participant)
    return participant.id


def customer(contact: Mapping[str, Any], path: str, started: datetime | None) -> Participant:
    """The caller, or who was called. That they left is an event: `abandoned`, or a state of that name."""
    outbound = flag(contact, "isOutbound")
    near, far = ("toAddress", "toAddr"), ("fromAddress", "fromAddr")
    own, other = (near, far) if outbound else (far, near)
    return Participant(
        id=CUSTOMER,
        path=at_path(path, next((key for key in own if contact.get(key)), own[0])),
        purpose="customer",
        identity=word(contact, *own),
        connected_at=started,
        dialled=word(contact, *other),
    )


def bot(sign: str, path: str, states: tuple[State, ...]) -> Participant:
    """The bot speaks while the contact stands in its script. Without a sign of it, it is a script like any other."""
    at = next((state for state in states if state.scripted), None)
    return Participant(
        id=BOT,
        path=sign or (at.path if at else path),
        purpose="bot" if sign else "ivr",
        name=BOT_NAME if sign else SCRIPT_NAME,
        connected_at=at.at if at else None,
    )


def bot_sign(whole: Mapping[str, Any], told: cognigy.Reading) -> str:
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


def script(people: People, contact: Mapping[str, Any], path: str) -> str:
    """The point of contact that the call came in at: what answers it is its script."""
    point = word(contact, "pointOfContactId")
    if not point:
        return ""
    name = word(contact, "pointOfContactName") or SCRIPT_NAME
    where = at_path(path, "pointOfContactId")
    return add(people, Participant(id=f"script/{point}", path=where, purpose="flow", name=name, flow_id=point))


def asked_skill(people: People, whole: Mapping[str, Any]) -> str:
    """The skill that the bot asked for, where the script stored it."""
    stored = custom_data(whole)
    for key in names.TARGET_KEYS:
        skill, where = stored.get(key, ("", ""))
        if skill and skill != "0":
            return add(
                people,
                Participant(id=f"skill/{skill}", path=where, purpose="queue", name=f"skill {skill}", queue_id=skill),
            )
    return ""


def asked_agent(people: People, whole: Mapping[str, Any], contact: Mapping[str, Any], path: str) -> None:
    """The agent that the script asked for, where it asked for one."""
    if agent := word(contact, "targetAgentId"):
        mode = reading.text(whole.get("agentNames"))
        name = agent_names(whole)(agent) if mode == "name" else agent_word(agent, mode)
        where = at_path(path, "targetAgentId")
        add(people, Participant(id=f"agent/{agent}", path=where, purpose="agent", name=name, user_id=agent))


def agent_names(whole: Mapping[str, Any]) -> Callable[[str], str]:
    """What an agent is called here: as AGENT_NAMES allowed when the document was read."""
    mode = reading.text(whole.get("agentNames"))
    rows = [reading.mapping(row) for row in reading.items(whole.get("agents"))]
    known = {word(row, "agentId"): word(row, "name") for row in rows} if mode == "name" else {}
    return lambda agent: known.get(agent) or (f"agent {agent}" if mode in ("id", "name") else "an agent")


def legs(people: People, states: tuple[State, ...], called: Callable[[str], str]) -> None:
    """The queues and the agents that the states name, and when the call left a queue."""
    for state in states:
        _leg(people, state, called)
    for skill, at in left_queues(states).items():
        people[f"skill/{skill}"] = people[f"skill/{skill}"]._replace(ended_at=at)


def _leg(people: People, state: State, called: Callable[[str], str]) -> None:
    if state.skill and state.kind in AT_A_SKILL:
        id_ = f"skill/{state.skill}"
        known = people.get(id_)
        if known is None or known.name in ("", f"skill {state.skill}"):
            people[id_] = Participant(
                id=id_,
                path=known.path if known else f"{state.path}.skillId",
                purpose="queue",
                name=state.skill_name or f"skill {state.skill}",
                state=state.name,
                queue_id=state.skill,
            )
    if state.agent and not state.scripted:
        id_ = f"agent/{state.agent}"
        agent = people.get(id_) or Participant(
            id=id_,
            path=f"{state.path}.agentId",
            purpose="agent",
            user_id=state.agent,
            name=called(state.agent),
        )
        if state.kind is EventKind.CONNECTED and agent.connected_at is None:
            agent = agent._replace(connected_at=state.at, state=state.name)
        people[id_] = agent


def named(target: Target, agent_names: str) -> Target:
    """A target as a diagnosis may name it: an agent only as far as AGENT_NAMES allows."""
    if target.kind is not TargetKind.USER or agent_names == "name":
        return target
    return replace(target, name=agent_word(target.id, agent_names))


def agent_word(agent_id: str, agent_names: str) -> str:
    """What an agent is called where the name is not shown."""
    return f"agent {agent_id}" if agent_names == "id" else "the asked agent"
