"""The states of a call and of its child contacts, in time order. Pure; names of states are the tenant's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.cxone import names, reading
from bot.cxone.contacts_fields import contact_of, duration, when, word
from bot.diagnosis.handover import EventKind

# In these states the skill is where the call stands. In its script it may bear a skill too, which nobody asked for.
AT_A_SKILL = (EventKind.QUEUED, EventKind.OFFERED, EventKind.REFUSED, EventKind.CONNECTED)

_NEVER = datetime.max.replace(tzinfo=UTC)
_WAITS = (EventKind.QUEUED, EventKind.OFFERED, EventKind.REFUSED)
_LIVE = {EventKind.ENDED: EventKind.STATE}
_OVER = (EventKind.ENDED, EventKind.DISCONNECTED)


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
    recognised: bool = True  # False: none of its names says what it means


def history(whole: Mapping[str, Any], faults: list[str]) -> tuple[State, ...]:
    """The states of the call and of its child contacts, in time order."""
    described = _descriptions(whole)
    live = whole.get("list") == "active" or "activeContacts" in whole
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
    if live:
        # What is among the active contacts is not over, whatever the name of a state sounds like.
        found = [(index, replace(state, kind=_LIVE.get(state.kind, state.kind))) for index, state in found]
    found.sort(key=lambda pair: (pair[1].at or _NEVER, bool(pair[1].child), pair[0]))
    return tuple(state for _, state in found)


def sums(contact: Mapping[str, Any], path: str, started: datetime | None) -> tuple[State, ...]:
    """What the sums of a completed contact tell in place of a history that could not be read: queued, and answered."""
    skill, agent = word(contact, "skillId"), word(contact, "agentId")
    waited, talked = (_seconds(contact, key) for key in ("inQueueSeconds", "agentSeconds"))
    before, whole = _seconds(contact, "preQueueSeconds"), _seconds(contact, "totalDurationSeconds")
    if before is None and whole is not None:
        before = max(whole - (waited or timedelta()) - (talked or timedelta()), timedelta())
    at = started + before if started is not None and before is not None else None
    answered_at = at + (waited or timedelta()) + (_seconds(contact, "routingTime") or timedelta()) if at else None
    name = word(contact, "skillName")
    rows = []
    if skill and waited:
        rows.append(
            State(
                EventKind.QUEUED,
                "inQueueSeconds",
                f"{path}.inQueueSeconds",
                at,
                waited,
                "",
                skill,
                name,
                scripted=False,
            )
        )
    if agent and talked:
        rows.append(
            State(
                EventKind.CONNECTED,
                "agentSeconds",
                f"{path}.agentSeconds",
                answered_at,
                talked,
                agent,
                skill,
                name,
                scripted=False,
            )
        )
    return tuple(rows)


def left_queues(states: tuple[State, ...]) -> dict[str, datetime]:
    """When the call left each skill's queue for something that is neither an agent nor its own end: skill → when.

    A contact is in one state at a time. What a child's states overlap is no leaving.
    """
    left: dict[str, datetime] = {}
    own = [state for state in states if not state.child and state.at]
    for state, following in pairwise(own):
        if not state.skill or state.kind not in _WAITS or not state.at or not following.at:
            continue
        left.pop(state.skill, None)
        stays = following.skill == state.skill and following.kind in AT_A_SKILL
        if not (stays or following.agent or following.kind in _OVER):
            gap = following.at - state.at
            left[state.skill] = state.at + min(gap if state.lasted is None else state.lasted, gap)
    return left


def never_queued(contact: Mapping[str, Any]) -> bool:
    """Whether the sums of a completed contact say that it stood in no queue and with no agent."""
    return all(_seconds(contact, key) == timedelta() for key in ("inQueueSeconds", "agentSeconds"))


def _seconds(contact: Mapping[str, Any], key: str) -> timedelta | None:
    return duration(contact.get(key))


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
    kind = names.kind_of(*told)
    return State(
        kind=kind or EventKind.STATE,
        name=name,
        path=path,
        at=when(row, "startDate", "startTime"),
        lasted=duration(row.get("duration")),
        agent=word(row, "agentId"),
        skill=word(row, "skillId"),
        skill_name=word(row, "skillName"),
        scripted=names.in_script(*told),
        child=child,
        recognised=kind is not None,
    )
