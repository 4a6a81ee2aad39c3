"""What a handover can go to, as the simulated contacts API tells it: skills, agents, points of contact, scripts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.demo import cast
from bot.demo.contacts_documents import AGENTS, POINT_NAMES, SKILLS, agent_number
from bot.demo.contacts_replies import answered, refused
from bot.demo.documents import stamp
from bot.demo.routes import Reply, Request

if TYPE_CHECKING:
    from bot.demo.contacts_api import ContactsApi


def skill(api: ContactsApi, parts: list[str]) -> Reply:
    """A skill, its activity, its agents."""
    if not parts or not parts[0].isdigit():
        return refused(400, "skillId must be an integer")
    id_ = {number: name for name, number in SKILLS.items()}.get(int(parts[0]))
    queue = api.tenant.queues.get(id_ or "")
    if queue is None:
        return refused(404, "Skill not found")
    number = int(parts[0])
    if len(parts) == 1:
        return answered(
            {
                "skillId": number,
                "skillName": queue.get("name"),
                "isActive": queue.get("isActive", True),
                "mediaTypeId": queue.get("mediaTypeId", 4),
                "isOutbound": queue.get("isOutbound", False),
            }
        )
    if parts[1] == "activity":
        figures = {
            "skillId": number,
            "agentsLoggedIn": queue.get("agentsLoggedIn"),
            "agentsAvailable": str(queue.get("agentsAvailable", "")),
            "queueCount": queue.get("waiting"),
            "earliestQueueTime": None,
            "isActive": queue.get("isActive", True),
        }
        return answered({"skillActivity": [figures]})
    if parts[1] == "agents":
        rows = [{"agentId": agent, "isActive": True, "agentProficiencyValue": 3} for agent in AGENTS.values()]
        return answered({"agentSkillAssignments": queue.get("agentSkillAssignments", rows)})
    return refused(404, "no such path")


def agent(api: ContactsApi, parts: list[str], request: Request) -> Reply:
    """An agent, the state now, the history."""
    if not parts or not parts[0].isdigit():
        return refused(400, "agentId must be an integer")
    number = int(parts[0])
    user = next((user for id_, user in api.tenant.users.items() if agent_number(id_) == number), None)
    if user is None:
        return refused(404, "Agent not found")
    state, reason = _agent_state(str(user.get("state", {}).get("stateName", "")))
    if len(parts) == 1:
        first, _, last = str(user.get("name", "")).partition(" ")
        return answered(
            {
                "agents": [
                    {
                        "agentId": number,
                        "firstName": first,
                        "lastName": last,
                        "isActive": user.get("isActive", True),
                    }
                ]
            }
        )
    if parts[1] == "states":
        row = {"agentId": number, "agentStateName": state, "outStateDescription": reason, "isActive": True}
        return answered({"agentStates": [{**row, "lastUpdateTime": stamp(request.now)}]})
    if parts[1] == "state-history":
        rows = api.agent_history.get(number)
        if rows is None:
            began = stamp(request.now - timedelta(hours=2))
            rows = [{"agentStateName": state, "outStateDescription": reason, "startDate": began, "duration": "PT7200S"}]
        return answered({"agentStateHistory": rows}) if rows else Reply(204)
    return refused(404, "no such path")


def point(parts: list[str]) -> Reply:
    """All points of contact, or one."""
    if not parts:
        return answered({"pointsOfContact": [_point_row(number) for number in POINT_NAMES]})
    if not parts[0].isdigit():
        return refused(400, "pointOfContactId must be an integer")
    if int(parts[0]) not in POINT_NAMES:
        return refused(404, "Point of contact not found")
    return answered({"pointsOfContact": [_point_row(int(parts[0]))]})


def _point_row(number: int) -> dict[str, Any]:
    return {
        "pointOfContactId": number,
        "pointOfContactName": POINT_NAMES[number],
        "contactAddress": cast.HOTLINE,
        "isActive": True,
        "defaultSkillId": SKILLS[cast.BILLING],
        "scriptName": f"Voicebot\\{POINT_NAMES[number].split()[-1]}",
    }


def script(api: ContactsApi, parts: list[str], request: Request) -> Reply:
    """A script, or its versions."""
    name = request.params.get("scriptPath", "")
    flow = api.tenant.flows[cast.DEAF_FLOW if "survey" in name else cast.FLOW]
    saved = api.changed.get(name) or datetime.fromisoformat(str(flow.get("publishedDate")))
    if parts and parts[0].lower() == "historybyname":
        rows = [
            {
                "scriptId": 90 + int(flow.get("version") or 0),
                "modifyDate": stamp(saved),
                "modifyUser": "somebody",
                "status": "CURR",
            },
            {"scriptId": 89, "modifyDate": "2025-11-03T09:00:00.000Z", "modifyUser": "somebody", "status": "OLD"},
        ]
        return answered({"versions": rows})
    kinds = ["ONANSWER", "REQAGENT", "HANGUP"] + (
        ["ONSIGNAL"] if any(each.get("type") == "event" for each in flow.get("triggers", ())) else []
    )
    actions = {str(number): {"name": kind, "label": kind.title()} for number, kind in enumerate(kinds)}
    return answered({"header": {"scriptName": name, "status": "CURR"}, "actions": actions, "branches": []})


def _agent_state(name: str) -> tuple[str, str]:
    """A state of the other API's as this one says it: state and reason."""
    known = {"Available": ("Available", ""), "OnCall": ("InboundContact", ""), "": ("LoggedOut", "")}
    return known.get(name, ("Unavailable", name))


def open_hours() -> dict[str, Any]:
    """Every skill is open always."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    rows = [{"day": day, "openTime": "00:00:00", "closeTime": "24:00:00", "isClosedAllDay": False} for day in days]
    skills = [{"skillId": number} for number in SKILLS.values()]
    return {"profileId": 1, "profileName": "Always", "days": rows, "holidays": [], "skills": skills, "timeZone": "UTC"}
