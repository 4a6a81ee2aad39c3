"""The simulated tenant's second tongue: NICE's contacts API, its sign-in, and beside it a simulated Cognigy.

The same calls as the conversations API shows, told in the documented shapes. It insists on what the real one insists
on: the `Accept` header, dates that end in Z, whole numbers as ids, 204 where there is nothing, error texts in the
header `icStatusDescription`, Basic client authentication, an access key that can be disabled.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode

from bot.demo import cast
from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.contacts_documents import (
    AGENTS,
    BUSINESS,
    POINT_NAMES,
    SKILLS,
    STATES,
    Bundle,
    agent_number,
    bundle,
    contact_id,
)
from bot.demo.documents import stamp
from bot.demo.routes import Reply, Request

if TYPE_CHECKING:
    from bot.demo.tenant import Tenant

ISSUER_PATHS = ("/.well-known/", "/auth/")
SERVICES = "/incontactapi/services/"
COGNIGY = ("/new/v2.0/", "/v2.0/")
LOG_PAGE = 25
_KEPT = 20_000


class ContactsApi:
    """What this tenant says in the contacts API. May be changed at any time.

    `versions` it answers, `page_cap` of lists, `denied` paths that the role may not see, `key_active` of the access
    key, `bulk` whether the state history of all contacts is offered, `cognigy_key`, `skew` of its server's time,
    `drift` for the older field names, `states` its own names of states, `documents` by path over what it would answer.
    """

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.key_id = "demo-key"
        self.key_secret = "demo-key-secret"  # noqa: S105 - opens nothing but this simulation
        self.cognigy_key = "demo-cognigy"
        self.project = "demo-project"
        self.key_active = True
        self.versions = tuple(f"v{number}.0" for number in range(21, 35))
        self.page_cap = 10_000
        self.denied: set[str] = set()
        self.bulk = True
        self.drift = False
        self.skew = 0.0
        self.states = dict(STATES)
        self.documents: dict[str, Any] = {}
        self.hours: list[dict[str, Any]] = []
        self.changed: dict[str, datetime] = {}  # script name → when it was saved last
        self.agent_history: dict[int, list[dict[str, Any]]] = {}
        self._over: dict[str, Bundle] = {}
        self._changes: dict[int, Callable[[Bundle], None]] = {}

    # ---- what happens in it ----

    def play(self, scenario: str, number: str = "+15550199888", *, at: datetime | None = None, seed: int = 0) -> str:
        """As `Tenant.play`, with the scenarios that only this API can show; the contact's id comes back."""
        _, base, change, prepare = CATALOGUE.get(scenario, ("", scenario, None, None))
        conversation = self.tenant.play(base, number, at=at, seed=seed)
        main = contact_id(conversation)
        if change is not None:
            self._changes[main] = change
            self._over.pop(conversation, None)
        if prepare is not None:
            prepare(self, self._bundle_of(main))
        return str(main)

    def settings(self, api: str = "contacts") -> dict[str, str]:
        """What a bot needs beside the usual settings to ask by this API; nothing for the other one."""
        if api != "contacts":
            return {}
        return {
            "CXONE_API": "contacts",
            "CXONE_ISSUER": self.tenant.url,
            "CXONE_ACCESS_KEY_ID": self.key_id,
            "CXONE_ACCESS_KEY_SECRET": self.key_secret,
            "COGNIGY_API_URL": self.tenant.url,
            "COGNIGY_API_KEY": self.cognigy_key,
            "COGNIGY_PROJECT_ID": self.project,
        }

    def serves(self, path: str) -> bool:
        """Whether a path is one of this API's."""
        low = path.lower()
        return low.startswith((*ISSUER_PATHS, SERVICES, *COGNIGY))

    def answer(self, request: Request) -> Reply:  # noqa: PLR0911 - one return a refusal
        """The route's answer."""
        low = request.path.lower()
        if low.startswith(ISSUER_PATHS):
            return self._issuer(request)
        if low.startswith(COGNIGY):
            return self._cognigy(request)
        version, _, path = request.path[len(SERVICES) :].partition("/")
        if "json" not in request.headers.get("accept", ""):
            return _error(415, "No known way to render data")
        if version.lower() not in self.versions:
            return _error(404, f"Version {version} is not supported")
        if not request.who:
            return _error(401, "Invalid or expired token")
        if request.method != "GET":
            return _error(405, "this tenant is read")
        path = "/" + path
        if any(path.startswith(each) for each in self.denied):
            return _error(403, "Insufficient permissions")
        if path in self.documents:
            return _json(self.documents[path])
        return self._read(path, request)

    # ---- the sign-in ----

    def _issuer(self, request: Request) -> Reply:
        url = self.tenant.url
        if request.path == "/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/auth/authorize",
                    "token_endpoint": f"{url}/auth/token",
                }
            )
        if request.path == "/.well-known/cxone-configuration":
            if request.params.get("tenantId") != self.tenant.tenant_id:
                return _error(404, "unknown tenant")
            area = {"area": "na1", "cluster": "C1", "domain": "niceincontact.com", "tenantId": self.tenant.tenant_id}
            return _json({"api_endpoint": url, "auth_endpoint": url, "ui_endpoint": url, **area})
        if request.path == "/auth/token":
            return self._token(request)
        return _error(404, "no such path")

    def _token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        if request.method != "POST" or form.get("grant_type") != "password":
            return _json({"error": "unsupported_grant_type"}, 400)
        if _basic(request.headers) != (self.tenant.client_id, self.tenant.client_secret):
            return _json({"error": "invalid_client", "error_description": "client authentication failed"}, 401)
        key = (form.get("username"), form.get("password"))
        if key != (self.key_id, self.key_secret) or not self.key_active:
            return _json({"error": "invalid_grant", "error_description": "access key unknown or not active"}, 400)
        claims = {"tenantId": self.tenant.tenant_id, "icBUId": BUSINESS, "iss": self.tenant.url}
        token = self.tenant.issue_token(self.tenant.client_id)
        lasts = self.tenant.token_seconds
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": lasts, "id_token": _jwt(claims)})

    # ---- contacts ----

    def _read(self, path: str, request: Request) -> Reply:  # noqa: C901, PLR0911 - one return a route
        parts = path.strip("/").split("/")
        if path in ("/contacts/active", "/contacts/completed"):
            return self._list(path.rsplit("/", 1)[1], request)
        if path in ("/contacts/state-history", "/contacts/custom-data"):
            return self._bulk(parts[1], request) if self.bulk else _error(404, "no such path")
        if parts[0] == "contacts" and len(parts) in (2, 3):
            return self._contact(parts[1:])
        if path == "/contact-state-descriptions":
            rows = [
                {"ContactStateId": number, "ContactStateCategory": category, "ContactStateDescription": name}
                for number, (category, name) in self.states.items()
            ]
            return _json({"contactStateDescriptions": rows})
        if path == "/server-time":
            return _json({"serverTime": stamp(request.now + timedelta(seconds=self.skew))})
        if parts[0] == "skills":
            return self._skill(parts[1:])
        if parts[0] == "agents":
            return self._agent(parts[1:], request)
        if parts[0] == "points-of-contact":
            return self._point(parts[1:])
        if parts[0] == "hours-of-operation":
            return _json({"hoursOfOperation": self.hours or [_open_hours()]})
        if parts[0] == "scripts":
            return self._script(parts[1:], request)
        return _error(404, "no such path")

    def _bundles(self, since: datetime, until: datetime, now: datetime) -> list[Bundle]:
        """The calls that began in that time, newest first, their child contacts behind each."""
        found = []
        for call in self.tenant.store.between(since, until):
            if call.placed is not None:
                made = self._made(call.placed, now)
                found += [made, *made.children]
        return found

    def _made(self, placed: Any, now: datetime) -> Bundle:
        """A call as it stands; one that is over is made once."""
        kept = self._over.get(placed.id)
        if kept is not None:
            return kept
        made = bundle(
            placed.story, placed.times, placed.start, now, id_=placed.id, number=placed.number, dialled=placed.dialled
        )
        if change := self._changes.get(made.id):
            change(made)
        if placed.over(now):
            if len(self._over) > _KEPT:
                self._over.clear()
            self._over[placed.id] = made
        return made

    def _bundle_of(self, number: int) -> Bundle | None:
        now = self.tenant.clock.now()
        for call in self.tenant.store.between(now - timedelta(days=400), now + timedelta(days=1)):
            if call.placed is not None and contact_id(call.placed.id) in (number, number - 1):
                made = self._made(call.placed, now)
                return made if made.id == number else next((c for c in made.children if c.id == number), None)
        return None

    def _list(self, kind: str, request: Request) -> Reply:
        """A page of /contacts/active or /contacts/completed; 204 where there is none."""
        params = request.params
        try:
            since = _date(params.get("startDate")) or request.now - timedelta(days=30)
            until = _date(params.get("endDate")) or request.now
            updated = _date(params.get("updatedSince"))
        except ValueError:
            return _error(400, "dates are ISO 8601 in UTC and end in Z")
        if kind == "completed" and "updatedSince" not in params and "startDate" not in params:
            return _error(400, "startDate is required")
        earliest = since if updated is None else request.now - timedelta(days=30)
        rows = [
            self._row(made)
            for made in self._bundles(earliest, until, request.now)
            if made.active == (kind == "active")
            and _fits(made, params)
            and (updated is None or _touched(made) >= updated)
        ]
        return self._page(f"{kind}Contacts", rows, request, self.page_cap)

    def _contact(self, parts: list[str]) -> Reply:  # noqa: PLR0911 - one return a part
        if not parts[0].isdigit():
            return _error(400, "contactId must be an integer")
        made = self._bundle_of(int(parts[0]))
        if made is None:
            return _error(404, "Contact not found")
        if len(parts) == 1:
            return _json({f"{'active' if made.active else 'completed'}Contact": self._row(made)})
        if parts[1] == "state-history":
            return _json({"contactStateHistory": self._states(made)}) if made.states else Reply(204)
        if parts[1] == "hierarchy":
            rows = [
                {"contactId": str(child.id), "startTime": child.row["contactStartDate"], "endTime": None}
                for child in made.children
            ]
            return _json({"masterContactId": made.row["masterContactId"], "childContacts": rows})
        if parts[1] == "custom-data":
            rows = [{"name": name, "value": value} for name, value in made.custom.items()]
            return _json({"contactCustomData": rows}) if rows else Reply(204)
        return _error(404, "no such path")

    def _bulk(self, what: str, request: Request) -> Reply:
        """The states, or the stored data, of all contacts that changed."""
        updated = _date(request.params.get("updatedSince")) or _date(request.params.get("startDate"))
        since = request.now - timedelta(days=30)
        rows: list[dict[str, Any]] = []
        for made in self._bundles(since, request.now, request.now):
            if updated is not None and _touched(made) < updated:
                continue
            if what == "state-history":
                rows += self._states(made)
            else:
                rows += [
                    {"contactId": str(made.id), "name": name, "value": value} for name, value in made.custom.items()
                ]
        key = "contactStateHistory" if what == "state-history" else "contactCustomData"
        return self._page(key, rows, request, self.page_cap)

    def _states(self, made: Bundle) -> list[dict[str, Any]]:
        return [
            {**state, "contactStateName": self.states.get(state["contactStateId"], ("", state["contactStateName"]))[1]}
            for state in made.states
        ]

    def _row(self, made: Bundle) -> dict[str, Any]:
        if not self.drift:
            return made.row
        names = {
            "fromAddress": "fromAddr",
            "toAddress": "toAddr",
            "contactStartDate": "contactStart",
            "mediaTypeId": "mediaType",
        }
        return {names.get(key, key): value for key, value in made.row.items()}

    # ---- what a handover can go to ----

    def _skill(self, parts: list[str]) -> Reply:
        if not parts or not parts[0].isdigit():
            return _error(400, "skillId must be an integer")
        id_ = {number: name for name, number in SKILLS.items()}.get(int(parts[0]))
        queue = self.tenant.queues.get(id_ or "")
        if queue is None:
            return _error(404, "Skill not found")
        number = int(parts[0])
        if len(parts) == 1:
            return _json(
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
            return _json({"skillActivity": [figures]})
        if parts[1] == "agents":
            rows = [{"agentId": agent, "isActive": True, "agentProficiencyValue": 3} for agent in AGENTS.values()]
            return _json({"agentSkillAssignments": queue.get("agentSkillAssignments", rows)})
        return _error(404, "no such path")

    def _agent(self, parts: list[str], request: Request) -> Reply:
        if not parts or not parts[0].isdigit():
            return _error(400, "agentId must be an integer")
        number = int(parts[0])
        user = next((user for id_, user in self.tenant.users.items() if agent_number(id_) == number), None)
        if user is None:
            return _error(404, "Agent not found")
        state, reason = _agent_state(str(user.get("state", {}).get("stateName", "")))
        if len(parts) == 1:
            first, _, last = str(user.get("name", "")).partition(" ")
            return _json(
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
            return _json({"agentStates": [{**row, "lastUpdateTime": stamp(request.now)}]})
        if parts[1] == "state-history":
            rows = self.agent_history.get(number)
            if rows is None:
                began = stamp(request.now - timedelta(hours=2))
                rows = [
                    {"agentStateName": state, "outStateDescription": reason, "startDate": began, "duration": "PT7200S"}
                ]
            return _json({"agentStateHistory": rows}) if rows else Reply(204)
        return _error(404, "no such path")

    def _point(self, parts: list[str]) -> Reply:
        if not parts:
            return _json({"pointsOfContact": [self._point_row(number) for number in POINT_NAMES]})
        if not parts[0].isdigit():
            return _error(400, "pointOfContactId must be an integer")
        if int(parts[0]) not in POINT_NAMES:
            return _error(404, "Point of contact not found")
        return _json({"pointsOfContact": [self._point_row(int(parts[0]))]})

    def _point_row(self, number: int) -> dict[str, Any]:
        return {
            "pointOfContactId": number,
            "pointOfContactName": POINT_NAMES[number],
            "contactAddress": cast.HOTLINE,
            "isActive": True,
            "defaultSkillId": SKILLS[cast.BILLING],
            "scriptName": f"Voicebot\\{POINT_NAMES[number].split()[-1]}",
        }

    def _script(self, parts: list[str], request: Request) -> Reply:
        name = request.params.get("scriptPath", "")
        flow = self.tenant.flows[cast.DEAF_FLOW if "survey" in name else cast.FLOW]
        saved = self.changed.get(name) or datetime.fromisoformat(str(flow.get("publishedDate")))
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
            return _json({"versions": rows})
        kinds = ["ONANSWER", "REQAGENT", "HANGUP"] + (
            ["ONSIGNAL"] if any(each.get("type") == "event" for each in flow.get("triggers", ())) else []
        )
        actions = {str(number): {"name": kind, "label": kind.title()} for number, kind in enumerate(kinds)}
        return _json({"header": {"scriptName": name, "status": "CURR"}, "actions": actions, "branches": []})

    # ---- Cognigy ----

    def _cognigy(self, request: Request) -> Reply:
        if request.headers.get("x-api-key") != self.cognigy_key:
            return _json({"title": "Unauthorized", "status": 401, "detail": "API key unknown"}, 401)
        prefix = next(each for each in COGNIGY if request.path.lower().startswith(each))
        parts = [unquote(part) for part in request.path[len(prefix) :].split("/")]
        since, until = request.now - timedelta(days=30), request.now
        calls = [each for each in self._bundles(since, until, request.now) if each.session]
        if parts[0] == "conversations" and len(parts) > 1:
            found = next((each for each in calls if each.session == parts[1]), None)
            items = (
                [{"type": "input", "source": "user", "timestamp": found.row["contactStartDate"]}, *found.items]
                if found
                else []
            )
            return _json({"items": items, "total": len(items)}) if found else _json({"status": 404}, 404)
        if parts[0] == "projects" and len(parts) == 3 and parts[2] == "logs":  # noqa: PLR2004 - projects/{id}/logs
            if parts[1] != self.project:
                return _json({"status": 404, "detail": "project unknown"}, 404)
            entries = [entry for each in calls for entry in each.logs]
            if wanted := request.params.get("sessionId"):
                entries = [entry for entry in entries if entry["meta"]["sessionId"] == wanted]
            entries.sort(key=lambda entry: str(entry["timestamp"]), reverse=True)
            return self._hal(entries, request)
        return _json({"status": 404}, 404)

    def _hal(self, entries: list[dict[str, Any]], request: Request) -> Reply:
        skip = _whole(request.params.get("skip"), 0)
        limit = min(_whole(request.params.get("limit"), LOG_PAGE), LOG_PAGE)
        links: dict[str, Any] = {"self": {"href": request.path}}
        if skip + limit < len(entries):
            query = urlencode({**request.params, "skip": skip + limit, "limit": limit})
            links["next"] = {"href": f"{self.tenant.url}{request.path}?{query}"}
        return _json({"_embedded": {"logEntry": entries[skip : skip + limit]}, "_links": links, "total": len(entries)})

    # ---- pages ----

    def _page(self, key: str, rows: list[dict[str, Any]], request: Request, cap: int) -> Reply:
        skip = _whole(request.params.get("skip"), 0)
        top = max(min(_whole(request.params.get("top"), 50), cap), 1)
        page = rows[skip : skip + top]
        if not page:
            return Reply(204)
        following = ""
        if skip + top < len(rows):
            query = urlencode({**request.params, "skip": skip + top, "top": top})
            following = f"{self.tenant.url}{request.path}?{query}"
        links = {"self": request.path, "next": following, "previous": ""}
        poll = {"lastPollTime": stamp(request.now), "businessUnitId": BUSINESS}
        return _json({key: page, "totalRecords": str(len(rows)), "_links": links, **poll})


def _fits(made: Bundle, params: Mapping[str, str]) -> bool:
    """The filters of the lists: the number exactly as stored, the medium, the skill."""
    row = made.row
    pairs = (("fromAddress", "fromAddress"), ("fromAddr", "fromAddress"), ("toAddress", "toAddress"))
    if any(params[asked] != row.get(stored) for asked, stored in pairs if asked in params):
        return False
    return all(str(row.get(key)) == params[key] for key in ("mediaTypeId", "skillId", "agentId") if key in params)


def _touched(made: Bundle) -> datetime:
    """When a contact changed last."""
    last = made.states[-1]["startDate"] if made.states else made.row["contactStartDate"]
    return datetime.fromisoformat(str(last))


def _agent_state(name: str) -> tuple[str, str]:
    """A state of the other API's as this one says it: state and reason."""
    known = {"Available": ("Available", ""), "OnCall": ("InboundContact", ""), "": ("LoggedOut", "")}
    return known.get(name, ("Unavailable", name))


def _open_hours() -> dict[str, Any]:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    rows = [{"day": day, "openTime": "00:00:00", "closeTime": "24:00:00", "isClosedAllDay": False} for day in days]
    skills = [{"skillId": number} for number in SKILLS.values()]
    return {"profileId": 1, "profileName": "Always", "days": rows, "holidays": [], "skills": skills, "timeZone": "UTC"}


def _basic(headers: Mapping[str, str]) -> tuple[str, str]:
    try:
        raw = base64.b64decode(headers.get("authorization", "").removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, secret = raw.partition(":")
    return name, secret


def _jwt(claims: dict[str, Any]) -> str:
    """A token whose claims can be read; its signature is nobody's."""
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"


def _error(status: int, text: str) -> Reply:
    body = json.dumps({"error": "error", "error_description": text}).encode()
    return Reply(status, body, headers=(("icStatusDescription", text),))


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, str) and value.isdigit() else default


def _date(value: str | None) -> datetime | None:
    """A date that ends in Z. Raises ValueError for any other."""
    if value is None:
        return None
    if not value.endswith("Z"):
        raise ValueError(value)
    return datetime.fromisoformat(value)
