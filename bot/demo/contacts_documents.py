"""A story as NICE's contacts API and Cognigy's logs tell it, as far as it has come.

Shapes: the reference of the contacts profile (contact, state history, hierarchy, custom data; log entries). Ids are
whole numbers here. The bot's request is no event of this API: it stands in Cognigy's log, and what came of it in the
states of the contact. Numbers come as text in some places and durations in both forms, as they do in the field.
"""

from __future__ import annotations

import re
import uuid
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.demo import cast
from bot.demo.documents import stamp
from bot.demo.story import Step, Story, What

BUSINESS = 4597359
PRE_QUEUE, IN_QUEUE, ROUTING, ACTIVE, REFUSED, ENDED = 2, 3, 5, 4, 6, 18

# This tenant's own names of its states; another tenant has others.
STATES: dict[int, tuple[str, str]] = {
    PRE_QUEUE: ("PreQueue", "PreQueue"),
    IN_QUEUE: ("InQueue", "In Queue"),
    ACTIVE: ("With Agent", "Active"),
    ROUTING: ("Routing", "Routing"),
    REFUSED: ("Refused", "Refused"),
    ENDED: ("Ended", "EndContact"),
}

SKILLS = {cast.BILLING: 4711, cast.SUPPORT: 4712, cast.CLAIMS: 4713, cast.OVERFLOW: 4714, cast.RETIRED: 4715}
AGENTS = {cast.ANNA: 501, cast.BEN: 502, cast.CARLA: 503, cast.DMITRI: 504, cast.SUPERVISOR: 505}
POINTS = {cast.FLOW: 3001, cast.DEAF_FLOW: 3002}
NOBODY = 4999
POINT_NAMES = {3001: "Voicebot main", 3002: "Voicebot survey"}
OUTBOUND_POINT = 3009


@dataclass
class Bundle:
    """All that two systems know of one call. `row` is a row of /contacts/active or /contacts/completed."""

    row: dict[str, Any]
    active: bool
    states: list[dict[str, Any]] = field(default_factory=list)
    children: list[Bundle] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    session: str = ""

    @property
    def id(self) -> int:
        """The contact's own id."""
        return int(self.row["contactId"])


def contact_id(conversation_id: str) -> int:
    """The contact of a call that the other API knows under a UUID."""
    return (
        100_000_000_000 + uuid.UUID(conversation_id).int % 900_000_000_000
        if _is_uuid(conversation_id)
        else (100_000_000_000 + zlib.crc32(conversation_id.encode()))
    )


def bundle(  # noqa: C901, PLR0912, PLR0915 - one case a kind of step, and flat
    story: Story, times: tuple[float, ...], start: datetime, now: datetime, *, id_: str, number: str, dialled: str
) -> Bundle:
    """What both systems know at `now` of a call that began at `start`."""
    main = contact_id(id_)
    session = f"cgy-{id_[:13]}"
    has_bot = any(leg.purpose == "bot" for leg in story.legs.values())
    point = next((POINTS[step_leg.target] for step_leg in story.legs.values() if step_leg.target in POINTS), 3001)
    row: dict[str, Any] = {
        "contactId": main,
        "masterContactId": main,
        "contactStartDate": stamp(start),
        "fromAddress": dialled if story.outbound else number,
        "toAddress": number if story.outbound else dialled,
        "mediaTypeId": 4,
        "mediaTypeName": "Phone Call",
        "isOutbound": story.outbound,
        "pointOfContactId": OUTBOUND_POINT if story.outbound else point,
        "pointOfContactName": "" if story.outbound else POINT_NAMES[point],
        "skillId": 0,
        "agentId": 0,
        "lastUpdateTime": stamp(now),
    }
    made = Bundle(row, active=True, session=session if has_bot else "")
    spawned = main + 1

    def state(kind: int, at: datetime, skill: int = 0, agent: int = 0) -> None:
        made.states.append(
            {
                "stateIndex": len(made.states),
                "contactId": str(main),
                "contactStateId": kind,
                "contactStateName": STATES[kind][1],
                "startDate": stamp(at),
                "duration": None,
                "agentId": agent,
                "skillId": skill,
                "skillName": _skill_name(skill),
                "isWarehoused": False,
            }
        )
        row["stateId"], row["stateName"], row["contactStateCategory"] = kind, STATES[kind][1], STATES[kind][0]
        if skill:
            row["skillId"], row["skillName"] = skill, _skill_name(skill)
        if agent:
            row["agentId"] = agent

    def log(at: datetime, message: str, kind: str = "info") -> None:
        made.logs.append(
            {
                "timestamp": stamp(at),
                "type": kind,
                "message": message,
                "meta": {"sessionId": session, "spawnedContactId": str(spawned)},
            }
        )

    if not story.outbound:
        state(PRE_QUEUE, start)
    skill, asked_at = 0, start
    for place, (step, seconds) in enumerate(zip(story.steps, times, strict=True)):
        at = start + timedelta(seconds=seconds)
        if at > now:
            break
        if step.what is What.ASKS:
            asked_at = at
        elif step.after_request is not None:
            at = asked_at + timedelta(seconds=step.after_request)
        leg = story.legs.get(step.who)
        if step.what is What.JOINS and leg is not None and leg.purpose == "bot":
            log(at, "Voice call started")
        elif (step.what is What.JOINS and leg is not None and leg.purpose == "agent") or (
            step.what is What.STATE and leg is not None and leg.purpose == "agent"
        ):
            state(ACTIVE, at, skill, agent_number(leg.target))
        elif step.what is What.ASKS:
            if leg is not None and leg.purpose == "agent":
                continue  # passed on by hand: only the states show it
            target = _target(story, step)
            made.custom["voiceSkillId"] = str(target) if target in SKILLS.values() or target == NOBODY else ""
            if _is_agent(story, step):
                row["targetAgentId"] = target
            if step.without:
                log(at, "handoverToCXone: Spawned Contact ID is required", "error")
            elif not _refused_next(story, place, times, start, now):
                log(at, f"handoverToCXone: sent signal 'Escalate' to contact {spawned}")
        elif step.what is What.REFUSES and not _http(step):
            # A queue refuses nothing here: the call stands in it, and nobody comes.
            asked = _last_target(story, place)
            skill = asked if asked in SKILLS.values() else SKILLS[cast.BILLING]
            state(IN_QUEUE, at, skill)
        elif step.what is What.REFUSES:
            log(at, f"CXone -> sendSignalHandover: Error sending signal: {_http(step)}", "error")
        elif step.what is What.QUEUES or (step.what is What.ACCEPTS and _skips_queue(story, place)):
            asked = _last_target(story, place)
            skill = asked if asked in SKILLS.values() else SKILLS[cast.BILLING]
            state(IN_QUEUE, at, skill)
        elif step.what is What.RINGS and leg is not None:
            state(ROUTING, at, skill, agent_number(leg.target))
        elif step.what is What.DECLINES and leg is not None:
            state(REFUSED, at, skill, agent_number(leg.target))
            row |= {"isRefused": True, "refuseReason": "Timeout", "refuseTime": stamp(at)}
            state(IN_QUEUE, at + timedelta(milliseconds=5), skill)
        elif step.what is What.LEAVES and leg is not None and leg.purpose == "customer":
            row["abandoned"] = not any(each["contactStateId"] == ACTIVE for each in made.states) and not story.outbound
        elif step.what is What.ENDS:
            made.active = False
            state(ENDED, at, skill)
    made.states.sort(key=lambda each: str(each["startDate"]))
    _lengths(made, start)
    if has_bot:
        child = {**row, "contactId": spawned, "skillId": 0, "agentId": 0, "fromAddress": "", "targetAgentId": 0}
        rows = [
            {**each, "contactId": str(spawned)} for each in made.states if each["contactStateId"] in (PRE_QUEUE, ENDED)
        ]
        made.children.append(Bundle(child, made.active, [{**each, "skillId": 0} for each in rows]))
        made.custom |= {"cognigySessionId": session, "ocpSessionId": f"{BUSINESS}:{main}"}
    return made


def _lengths(made: Bundle, start: datetime) -> None:
    """Durations, each second one as text in ISO 8601, and the sums of a call that is over."""
    row = made.row
    for number, (state, following) in enumerate(zip(made.states, made.states[1:], strict=False)):
        seconds = (_at(following) - _at(state)).total_seconds()
        state["duration"] = f"PT{seconds:g}S" if number % 2 else seconds
    if made.active or not made.states:
        return
    made.states[-1]["duration"] = 0
    spent = dict.fromkeys(STATES, 0.0)
    for state, following in zip(made.states, made.states[1:], strict=False):
        spent[state["contactStateId"]] += (_at(following) - _at(state)).total_seconds()
    row |= {
        "totalDurationSeconds": f"{(_at(made.states[-1]) - start).total_seconds():g}",
        "preQueueSeconds": spent[PRE_QUEUE],
        "inQueueSeconds": str(spent[IN_QUEUE]),
        "routingTime": spent[ROUTING],
        "agentSeconds": spent[ACTIVE],
        "abandonSeconds": spent[IN_QUEUE] if row.get("abandoned") else 0,
        "isShortAbandon": bool(row.get("abandoned")) and 0 < spent[IN_QUEUE] < 5,  # noqa: PLR2004 - a short abandon's usual limit
        "endReason": "Contact Hung Up" if row.get("abandoned") else "",
    }


def _at(state: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(state["startDate"])


def _target(story: Story, step: Step) -> int:
    """The whole number of what a request names."""
    leg = story.legs.get(step.to.removeprefix("leg:"))
    target = leg.target if leg else step.to
    if leg is not None and leg.kind == "user":
        return agent_number(target)
    return SKILLS.get(target) or AGENTS.get(target) or POINTS.get(target) or NOBODY


def _is_agent(story: Story, step: Step) -> bool:
    leg = story.legs.get(step.to.removeprefix("leg:"))
    return (leg is not None and leg.kind == "user") or step.to in AGENTS


def agent_number(user_id: str) -> int:
    """The whole number of a user, always the same; 0 for nobody."""
    if not user_id:
        return 0
    return AGENTS.get(user_id) or 10_000 + zlib.crc32(user_id.encode()) % 80_000


def _last_target(story: Story, place: int) -> int:
    asks = [step for step in story.steps[:place] if step.what is What.ASKS]
    return _target(story, asks[-1]) if asks else 0


def _skips_queue(story: Story, place: int) -> bool:
    """Taken by a queue, and no step says that the call stood in it."""
    return _last_target(story, place) in SKILLS.values() and not any(step.what is What.QUEUES for step in story.steps)


def _refused_next(story: Story, place: int, times: tuple[float, ...], start: datetime, now: datetime) -> bool:
    """Whether this request's signal was refused by now: then the log has the refusal instead of the sending."""
    following = place + 1
    if following >= len(story.steps) or story.steps[following].what is not What.REFUSES:
        return False
    if not _http(story.steps[following]):
        return False
    return start + timedelta(seconds=times[following]) <= now


def _http(step: Step) -> str:
    """A refusal as the signal's answer: the status that its reason or code names; "" where it names none."""
    code = str(step.extra.get("code"))
    text = str(step.extra.get("reason") or "")
    words = [code, *text.split()] if "ms" not in text.split() else [code]
    digits = next((word for word in words if re.fullmatch(r"[1-5]\d\d", word)), "")
    said = {"403": "Forbidden", "400": "Bad Request", "409": "Conflict", "429": "Too Many Requests"}
    said |= {"500": "Internal Server Error", "503": "Service Unavailable"}
    return f"{digits}: {said.get(digits, 'Error')}" if digits else ""


def _skill_name(skill: int) -> str:
    by_number = {number: id_ for id_, number in SKILLS.items()}
    return str(cast.queues()[by_number[skill]]["name"]) if skill in by_number else ""


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
