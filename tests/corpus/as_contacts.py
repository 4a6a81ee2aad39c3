"""A call of the corpus as the contacts API and Cognigy's log would tell it, or why they could not.

Made from the document alone, never from its known answer. What the bot asked stands in the log, with a refusal of the
signal; what came of it in the states of the contact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.diagnosis.handover import Target, TargetKind
from tests.corpus.story import Document, Known

MAIN, SPAWNED, POINT = "9001", "9002", "31"
SKILLS = {"q-billing": "4711", "q-over": "4712", "q-a": "4713", "q-b": "4714", "q-tech": "4715"}
AGENTS = {"u-ana": "501", "u-sam": "502", "u-boss": "503"}
NOBODY = "4999"
STATES = {
    1: ("PreQueue", "In script"),
    2: ("InQueue", "In queue"),
    3: ("Routing", "Routing"),
    4: ("Active", "With Agent"),
}
STATES |= {5: ("Refused", "Refused"), 6: ("Ended", "Ended"), 7: ("Hold", "Hold")}
Asked = list[tuple[datetime, str]]  # when the bot asked, and for which skill
PEOPLE = ("agent", "supervisor")
_DECLINED = ("declined", "noanswer", "no_answer", "busy", "timeout")
_RINGS, _TALKS = ("alerting", "offered", "ringing"), ("connected",)
_STATUS = re.compile(r"(?:^|HTTP )([45]\d\d)(?:$|:| [A-Z])")
_WORDS = (("scope", "403"), ("forbidden", "403"), ("invalid participant", "400"), ("invalid_participant", "400"))

BROKEN = "a damaged document of the other API"
UNTIMED = "every state and every log line has its time"
SENDER = "a signal has no field for who sends it"
NO_DESTINATION = "a signal names no participant"
REFUSED_IN_WORDS = "a queue refuses nothing here: the call stands in it, and nobody comes"
TAKEN_BY_NOBODY = "whether a human came is always shown: “taken” alone does not exist"
OWN_ENDS = "a contact ends with its caller: legs have no ends of their own"
EARLY = "an answer before its request is another system's clock: the log and the states have one each"
ONE_STATE = "a contact is in one state at a time: with an agent, or in the bot's script"
CANNOT = (ONE_STATE, BROKEN, UNTIMED, SENDER, NO_DESTINATION, REFUSED_IN_WORDS, TAKEN_BY_NOBODY, OWN_ENDS, EARLY)


@dataclass
class _Told:
    """What both systems know so far."""

    states: list[Document] = field(default_factory=list)
    logs: list[Document] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    agent: str = ""

    def state(self, kind: int, at: datetime, skill: str = "", agent: str = "") -> None:
        """A row of the history."""
        name = STATES[kind][1]
        place = {"skillId": skill or "0", "skillName": skill and f"skill {skill}", "agentId": agent or 0}
        row = {"contactStateId": kind, "contactStateName": name, "startDate": at.isoformat(), **place}
        self.states.append(row)

    def log(self, at: datetime, message: str, **meta: Any) -> None:
        """A line of Cognigy's log."""
        entry = {"timestamp": at.isoformat(), "type": "info", "message": message}
        self.logs.append({**entry, "meta": {"sessionId": "cgy-1", **meta}})


class CannotBeError(Exception):
    """One of CANNOT."""


def as_contacts(known: Known) -> tuple[Document, dict[str, Target]]:
    """The same call in the other profile, and its targets. Raises CannotBeError."""
    document = known.document
    if not isinstance(document, dict) or not isinstance(document.get("participants"), list):
        raise CannotBeError(BROKEN)
    events, legs = document.get("events"), document["participants"]
    if not isinstance(events, list) or not all(isinstance(row, dict) and row.get("type") for row in events):
        raise CannotBeError(BROKEN)
    if not all(row.get("timestamp") for row in events) or not document.get("startTime"):
        raise CannotBeError(UNTIMED)
    by_id = {str(leg.get("id")): leg for leg in legs if isinstance(leg, dict)}
    by_id |= {str(leg.get("userId")): leg for leg in legs if leg.get("userId")}
    told = _Told()
    start = _time(document["startTime"])
    bot = next((leg for leg in legs if leg.get("purpose") in ("bot", "botflow", "ivr", "external")), None)
    told.state(1, start)
    if bot is not None or any(row["type"].lower() == "sessiontransfer" for row in events):
        told.log(start, "Voice call started")
        told.custom = {"cognigySessionId": "cgy-1"}
    asked = _requests(events, by_id, told)
    if any(target.missing and id_ not in _targets_asked(events) for id_, target in known.targets.items()):
        raise CannotBeError(NO_DESTINATION)
    _answers(events, legs, by_id, told, asked)
    ended = _end(document, events, by_id, told)
    answered = any(row["contactStateId"] == 4 for row in told.states)
    if any(row["type"].lower() == "sessiontransferaccepted" for row in events) and not answered:
        queued = [row for row in told.states if row["contactStateId"] == 2]
        if not queued:
            raise CannotBeError(TAKEN_BY_NOBODY)
    told.states.sort(key=lambda row: str(row["startDate"]))
    contact = {
        "contactId": MAIN,
        "contactStartDate": start.isoformat(),
        "fromAddress": "+15550199888",
        "pointOfContactId": POINT,
        "pointOfContactName": "Main",
        "targetAgentId": told.agent or 0,
        **ended,
    }
    made = {
        "profile": "contacts",
        "list": "completed" if document.get("endTime") else "active",
        "contact": contact,
        "contactStateHistory": told.states,
        "hierarchy": {"childContacts": [{"contactId": SPAWNED}] if told.custom else []},
        "contactCustomData": [{"name": name, "value": value} for name, value in told.custom.items()],
        "contactStateDescriptions": [
            {"ContactStateId": number, "ContactStateCategory": category, "ContactStateDescription": name}
            for number, (category, name) in STATES.items()
        ],
        "cognigy": {"sessionId": "cgy-1" if told.custom else "", "logs": told.logs},
    }
    return made, _targets(known.targets)


def _targets_asked(events: list[Document]) -> set[str]:
    return {str(row.get("toParticipantId")) for row in events}


def _requests(events: list[Document], by_id: Mapping[str, Document], told: _Told) -> Asked:
    """The bot's requests as lines of the log: when, and which skill."""
    asked: Asked = []
    for place, row in enumerate(events):
        kind, at = row["type"].lower(), _time(row["timestamp"])
        if kind != "sessiontransfer":
            continue
        sender = by_id.get(str(row.get("fromParticipantId")), {})
        if sender.get("purpose") == "agent":
            continue
        if sender.get("purpose") not in ("bot", "botflow", "external"):
            raise CannotBeError(SENDER)
        to = row.get("toParticipantId")
        skill = _asked_for(to, by_id, told)
        asked.append((at, skill))
        refusal = next((each for each in events[place + 1 :] if each["type"].lower().startswith("sessiontransfer")), {})
        if not to:
            told.log(at, "handoverToCXone: Spawned Contact ID is required")
        elif str(refusal.get("type")).lower() != "sessiontransferrejected":
            told.log(at, f"handoverToCXone: sent signal 'Escalate' to contact {SPAWNED}")
        else:
            told.log(at, f"CXone -> sendSignalHandover: Error sending signal: {_http(refusal)}")
    if any(row["type"].lower() == "sessiontransferrejected" for row in events) and asked:
        first = next(row for row in events if row["type"].lower().startswith("sessiontransfer"))
        if first["type"].lower() != "sessiontransfer":
            raise CannotBeError(EARLY)
    return asked


def _asked_for(to: Any, by_id: Mapping[str, Document], told: _Told) -> str:
    """The skill that a request means, noted where the script would store it."""
    leg = by_id.get(str(to), {})
    if leg.get("purpose") in ("customer", "bot"):
        raise CannotBeError(NO_DESTINATION)
    target = str(leg.get("queueId") or leg.get("userId") or to or "")
    if target in AGENTS:
        told.agent = AGENTS[target]
        return SKILLS["q-billing"]
    if not target or target.startswith("f-"):
        return SKILLS["q-billing"]
    skill = SKILLS.get(target, NOBODY)
    told.custom["voiceSkillId"] = skill
    return skill


def _http(refusal: Document) -> str:
    """A refusal as the answer to the signal, if it is one. Raises CannotBeError."""
    reason, code = refusal.get("reason"), refusal.get("code")
    if isinstance(reason, Mapping):
        code, reason = reason.get("code") or reason.get("status"), reason.get("message")
    for text in (str(code or ""), str(reason or "")):
        found = _STATUS.search(text)
        if found:
            return f"{found[1]}: {reason or 'refused'}"
    low = str(reason).lower()
    status = next((number for word, number in _WORDS if word in low), "")
    if not status:
        raise CannotBeError(REFUSED_IN_WORDS)
    return f"{status}: {reason}"


def _answers(
    events: list[Document], legs: list[Document], by_id: Mapping[str, Document], told: _Told, asked: Asked
) -> None:
    """The states that show what came of it: those that legs tell of, and those of events."""
    for leg in legs:
        if leg.get("purpose") == "queue" and leg.get("connectedTime"):
            _queue_leg(leg, legs, _time(events[-1]["timestamp"]), told)
        elif leg.get("purpose") in PEOPLE:
            _agent_leg(leg, told, asked)
    for row, kind, at in _timed(events):
        who = by_id.get(str(row.get("participantId") or row.get("toParticipantId")), {})
        if kind == "sessiontransferaccepted" and asked and at < asked[0][0]:
            raise CannotBeError(EARLY)
        _event(kind, str(row.get("state") or row.get("newState") or "").lower(), at, who, told, asked)


def _queue_leg(leg: Document, legs: list[Document], last: datetime, told: _Told) -> None:
    told.state(2, _time(leg["connectedTime"]), SKILLS.get(str(leg.get("queueId")), NOBODY))
    passed_on = leg.get("endTime") and _time(leg["endTime"]) < last - timedelta(seconds=2)
    if passed_on and not any(each.get("purpose") in PEOPLE for each in legs):
        raise CannotBeError(TAKEN_BY_NOBODY)


def _agent_leg(leg: Document, told: _Told, asked: Asked) -> None:
    if leg.get("connectedTime"):
        at = _time(leg["connectedTime"])
        told.state(4, at, _skill_at(at, asked), _agent(leg))
    elif leg.get("disconnectType") and leg.get("endTime"):
        at = _time(leg["endTime"])
        told.state(3, at - timedelta(seconds=15), _skill_at(at, asked), _agent(leg))
        told.state(5, at, _skill_at(at, asked), _agent(leg))


def _event(  # noqa: PLR0917 - what stands in one event, and what is known
    kind: str, said: str, at: datetime, who: Document, told: _Told, asked: Asked
) -> None:
    agent, skill = _agent(who), _skill_at(at, asked)
    if kind in ("participantjoined", "participantconnected") or said in _TALKS:
        if not agent:
            raise CannotBeError(TAKEN_BY_NOBODY)
        if asked and who.get("connectedTime") and _time(who["connectedTime"]) < asked[0][0] - timedelta(seconds=2):
            raise CannotBeError(ONE_STATE)
        told.state(4, at, skill, agent)
    elif said == "queued":
        told.state(2, at, skill)
    elif agent and said in (*_RINGS, *_DECLINED):
        told.state(3 if said in _RINGS else 5, at, skill, agent)
    elif said:
        told.state(7, at)


def _skill_at(at: datetime, asked: Asked) -> str:
    """The skill that was asked for last; none where nobody asked before."""
    before = [skill for when, skill in asked if when <= at + timedelta(seconds=2)]
    return before[-1] if before else ""


def _end(document: Document, events: list[Document], by_id: Mapping[str, Document], told: _Told) -> dict[str, Any]:
    """The end as the contact's row tells it."""
    left = {}
    for row, kind, at in _timed(events):
        if kind == "participantdisconnected":
            left[by_id.get(str(row.get("participantId")), {}).get("purpose")] = at
    if "bot" in left and not any(row["contactStateId"] == 4 for row in told.states):
        told.log(left["bot"], "voice event", event="CALL_COMPLETED", payload={"call_termination_by": "bot"})
    if not document.get("endTime"):
        return {}
    over = _time(document["endTime"])
    gone = left.get("customer")
    if gone is not None and over - gone > timedelta(seconds=2):
        raise CannotBeError(OWN_ENDS)
    first = gone is not None and gone < over
    told.state(6, gone if first and gone is not None else over)
    return {"abandoned": first and not any(row["contactStateId"] == 4 for row in told.states)}


def _targets(targets: Mapping[str, Target]) -> dict[str, Target]:
    """The targets under the numbers of this profile."""
    made = {}
    for id_, target in targets.items():
        number = SKILLS.get(id_) or AGENTS.get(id_) or (POINT if id_.startswith("f-") else NOBODY)
        kind = target.kind or (None if target.missing else TargetKind.QUEUE)
        made[number] = replace(target, id=number, kind=kind)
    return made


def _agent(leg: Document) -> str:
    return AGENTS.get(str(leg.get("userId")), "503" if leg.get("purpose") in PEOPLE else "")


def _timed(events: list[Document]) -> Iterator[tuple[Document, str, datetime]]:
    for row in events:
        yield row, row["type"].lower(), _time(row["timestamp"])


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))
