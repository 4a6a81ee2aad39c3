"""The simulated tenant's second tongue: NICE's contacts API, its sign-in, and beside it a simulated Cognigy.

The same calls as the conversations API shows, told in the documented shapes. It insists on what the real one insists
on: the `Accept` header, dates that end in Z, whole numbers as ids, 204 where there is nothing, error texts in the
header `icStatusDescription`, Basic client authentication, an access key that can be disabled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bot.demo import contacts_objects
from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.contacts_cognigy import PREFIXES as COGNIGY
from bot.demo.contacts_cognigy import cognigy
from bot.demo.contacts_documents import BUSINESS, STATES, Bundle, bundle, contact_id
from bot.demo.contacts_issuer import issuer
from bot.demo.contacts_replies import answered, date, refused, whole
from bot.demo.documents import stamp
from bot.demo.routes import Reply, Request

if TYPE_CHECKING:
    from bot.demo.tenant import Tenant

ISSUER_PATHS = ("/.well-known/", "/auth/")
SERVICES = "/incontactapi/services/"
_KEPT = 20_000


class ContactsApi:
    """What this tenant says in the contacts API. May be changed at any time.

    `versions` it answers, `page_cap` of lists, `denied` paths that the role may not see, `gone` those that are not
    there, `key_active` of the access key, `bulk` whether the state history of all contacts is offered,
    `cognigy_key`, `skew` of its server's time, `drift` for the older field names, `states` its own names of states,
    `documents` by path over what it would answer.
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
        self.gone: set[str] = set()
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
            return issuer(self, request)
        if low.startswith(COGNIGY):
            return cognigy(self, request)
        version, _, path = request.path[len(SERVICES) :].partition("/")
        if "json" not in request.headers.get("accept", ""):
            return refused(415, "No known way to render data")
        if version.lower() not in self.versions:
            return refused(404, f"Version {version} is not supported")
        if not request.who:
            return refused(401, "Invalid or expired token")
        if request.method != "GET":
            return refused(405, "this tenant is read")
        path = "/" + path
        if any(path.startswith(each) for each in self.denied):
            return refused(403, "Insufficient permissions")
        if any(path.startswith(each) for each in self.gone):
            return refused(404, "no such path")
        if path in self.documents:
            return answered(self.documents[path])
        return self._read(path, request)

    # ---- contacts ----

    def _read(self, path: str, request: Request) -> Reply:  # noqa: C901, PLR0911 - one return a route
        parts = path.strip("/").split("/")
        if path in ("/contacts/active", "/contacts/completed"):
            return self._list(path.rsplit("/", 1)[1], request)
        if path in ("/contacts/state-history", "/contacts/custom-data"):
            return self._bulk(parts[1], request) if self.bulk else refused(404, "no such path")
        if parts[0] == "contacts" and len(parts) in (2, 3):
            return self._contact(parts[1:])
        if path == "/contact-state-descriptions":
            rows = [
                {"ContactStateId": number, "ContactStateCategory": category, "ContactStateDescription": name}
                for number, (category, name) in self.states.items()
            ]
            return answered({"contactStateDescriptions": rows})
        if path == "/server-time":
            return answered({"serverTime": stamp(request.now + timedelta(seconds=self.skew))})
        if parts[0] == "skills":
            return contacts_objects.skill(self, parts[1:])
        if parts[0] == "agents":
            return contacts_objects.agent(self, parts[1:], request)
        if parts[0] == "points-of-contact":
            return contacts_objects.point(parts[1:])
        if parts[0] == "hours-of-operation":
            return answered({"hoursOfOperation": self.hours or [contacts_objects.open_hours()]})
        if parts[0] == "scripts":
            return contacts_objects.script(self, parts[1:], request)
        return refused(404, "no such path")

    def bundles(self, since: datetime, until: datetime, now: datetime) -> list[Bundle]:
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
            since = date(params.get("startDate")) or request.now - timedelta(days=30)
            until = date(params.get("endDate")) or request.now
            updated = date(params.get("updatedSince"))
        except ValueError:
            return refused(400, "dates are ISO 8601 in UTC and end in Z")
        if kind == "completed" and "updatedSince" not in params and "startDate" not in params:
            return refused(400, "startDate is required")
        earliest = since if updated is None else request.now - timedelta(days=30)
        rows = [
            self._row(made)
            for made in self.bundles(earliest, until, request.now)
            if made.active == (kind == "active")
            and _fits(made, params)
            and (updated is None or _touched(made) >= updated)
        ]
        return self._page(f"{kind}Contacts", rows, request, self.page_cap)

    def _contact(self, parts: list[str]) -> Reply:  # noqa: PLR0911 - one return a part
        if not parts[0].isdigit():
            return refused(400, "contactId must be an integer")
        made = self._bundle_of(int(parts[0]))
        if made is None:
            return refused(404, "Contact not found")
        if len(parts) == 1:
            return answered({f"{'active' if made.active else 'completed'}Contact": self._row(made)})
        if parts[1] == "state-history":
            return answered({"contactStateHistory": self._states(made)}) if made.states else Reply(204)
        if parts[1] == "hierarchy":
            rows = [
                {"contactId": str(child.id), "startTime": child.row["contactStartDate"], "endTime": None}
                for child in made.children
            ]
            return answered({"masterContactId": made.row["masterContactId"], "childContacts": rows})
        if parts[1] == "custom-data":
            rows = [{"name": name, "value": value} for name, value in made.custom.items()]
            return answered({"contactCustomData": rows}) if rows else Reply(204)
        return refused(404, "no such path")

    def _bulk(self, what: str, request: Request) -> Reply:
        """The states, or the stored data, of all contacts that changed."""
        updated = date(request.params.get("updatedSince")) or date(request.params.get("startDate"))
        since = request.now - timedelta(days=30)
        rows: list[dict[str, Any]] = []
        for made in self.bundles(since, request.now, request.now):
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

    # ---- pages ----

    def _page(self, key: str, rows: list[dict[str, Any]], request: Request, cap: int) -> Reply:
        skip = whole(request.params.get("skip"), 0)
        top = max(min(whole(request.params.get("top"), 50), cap), 1)
        page = rows[skip : skip + top]
        if not page:
            return Reply(204)
        following = ""
        if skip + top < len(rows):
            query = urlencode({**request.params, "skip": skip + top, "top": top})
            following = f"{self.tenant.url}{request.path}?{query}"
        links = {"self": request.path, "next": following, "previous": ""}
        poll = {"lastPollTime": stamp(request.now), "businessUnitId": BUSINESS}
        return answered({key: page, "totalRecords": str(len(rows)), "_links": links, **poll})


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
