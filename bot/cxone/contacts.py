"""The client of NICE's documented contacts API: the profile `contacts`. All calls are reads.

Contract: `{api_endpoint}/incontactapi/services/vNN.0`; lists by `skip` and `top`, on as long as `_links.next` is given;
204 means no data; dates in UTC with Z. A call's document is put together from several answers, asked for at once; what
the role may not read stands in `notRead` and becomes a finding. What the answers mean is read by the pure functions
of `contacts_reading`, `contacts_targets` and `cognigy`.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot import phone
from bot.clock import Clock
from bot.cxone import cognigy, contacts_fields, contacts_people, contacts_reading, reading
from bot.cxone.cognigy_client import Cognigy
from bot.cxone.contacts_calls import COMPLETED, KEPT, PHONES, Body, Calls, calls_of, questions, windows
from bot.cxone.contacts_feed import Feed
from bot.cxone.contacts_objects import Objects
from bot.cxone.errors import CXoneError, NotFoundError
from bot.cxone.http import Deadline, Priority, Session
from bot.cxone.listing import Listing, OnPage, Row
from bot.cxone.pools import Pools
from bot.cxone.targets import look_up
from bot.diagnosis.handover import Conversation, Target, TargetKind, TargetRef, TargetStatus

_PARTS = (
    ("contactStateHistory", "/contacts/{id}/state-history", "state history"),
    ("hierarchy", "/contacts/{id}/hierarchy", "contact hierarchy"),
    ("contactCustomData", "/contacts/{id}/custom-data", "custom data"),
)
_CHILDREN = 10
_NEWEST = timedelta(hours=1)
_AT_ONCE: dict[Priority, int] = {"person": 16, "watcher": 8}

Jobs = list[concurrent.futures.Future[dict[str, Any]]]
Missed = list[dict[str, str]]
Rows = list[Row]


class Contacts:
    """One tenant as the contacts API shows it, with Cognigy beside it if it is there. Threads may share one."""

    def __init__(
        self, session: Session, clock: Clock, tenant: str, *, cognigy: Cognigy | None = None, agent_names: str = "off"
    ) -> None:
        """Ask nothing yet. `agent_names` is "off", "id" or "name": what a diagnosis may say of agents."""
        self.session = session
        self.tenant = tenant
        self.cognigy = cognigy
        self.agent_names = agent_names
        self.calls = Calls(session, clock)
        self._clock = clock
        self._objects = Objects(self.calls)
        self._feed = Feed(self.calls, cognigy)
        self._pools = Pools("contacts", _AT_ONCE)
        self.submit = self._pools.submit

    @property
    def host(self) -> str:
        """Where the API answers; the issuer until the first sign-in."""
        return self.session.host

    def close(self) -> None:
        """End the pools; what is under way may finish."""
        self._pools.close()
        self.calls.close()
        if self.cognigy is not None:
            self.cognigy.close()

    # ---- contacts ----

    def list(  # noqa: PLR0917 - as the other platform's
        self,
        since: datetime | None,
        until: datetime | None,
        deadline: Deadline,
        on_page: OnPage | None = None,
        priority: Priority = "person",
        number: phone.Number | None = None,
    ) -> Listing:
        """Calls that began in a window, active and completed at once; with a `number` those from or to it alone.

        A stored number may have any of several forms, so each is asked for. Rows carry `id` and `startTime` beside
        the platform's own fields. Child contacts are parts of a call and not listed. Raises CXoneError where nothing
        could be read; what failed else stands in `failed`.
        """
        until = until or self._clock.now()
        since = since or until - timedelta(days=1)
        listing = Listing(on_page)
        if priority == "watcher" and number is None:
            found = self._feed.poll(since, deadline)
            listing.add(calls_of(found.rows))
            listing.cut = found.cut
            return listing
        jobs = [
            self.calls.submit(priority, self.calls.rows, route, params, deadline, priority)
            for route, params in questions(since, until, number)
        ]
        for job in concurrent.futures.as_completed(jobs):
            try:
                found = job.result()
                listing.add(calls_of(found.rows))
                listing.cut = listing.cut or found.cut
            except CXoneError as error:
                listing.failed.append(error)
        if len(listing.failed) == len(jobs):
            raise listing.failed[0]
        if number is not None and not listing.rows:
            # None of this number: a call of anybody tells a wrong tenant from a number that did not ring.
            with contextlib.suppress(CXoneError):
                newest = {**PHONES, **windows(max(since, until - _NEWEST), until)[0], "orderBy": "contactStart desc"}
                listing.add(calls_of(self.calls.rows(COMPLETED, newest, deadline, priority, most=1).rows))
        listing.of = listing.pages
        return listing

    def history(self, *_: object, **__: object) -> Listing:
        """Nothing: what another profile finds in analytics, this one's list holds."""
        return Listing()

    def document(self, conversation_id: str, deadline: Deadline, priority: Priority = "person") -> Row:
        """All that is to be known of a call; a child's id leads to its call. Raises NotFoundError, CXoneError."""
        if not conversation_id.isdigit():
            raise NotFoundError(
                "GET",
                "/contacts/{id}",
                None,
                "The id of a contact is a whole number. What was given looks like an id of another system: with "
                "CXONE_API=contacts give the contact id that CXone shows, or `session` and Cognigy's session id.",
            )
        if priority == "watcher":
            missed: Missed = []
            known = self._feed.document(conversation_id, lambda: self._stored(conversation_id, deadline, missed))
            if known is not None:
                known["notRead"] += missed
                return self._complete(known, deadline, priority)
        document = self._read_contact(conversation_id, deadline, priority)
        master = contacts_fields.word(contacts_fields.contact_of(document)[0], "masterContactId")
        if master.isdigit() and master != conversation_id:
            # The master may be gone; what was asked for is there.
            with contextlib.suppress(NotFoundError):
                document = self._read_contact(master, deadline, priority)
        return self._complete(document, deadline, priority)

    def calls_of_session(self, session_id: str, deadline: Deadline) -> tuple[str, ...]:
        """The contacts that Cognigy's log names for a session; none where Cognigy cannot be asked."""
        if self.cognigy is None:
            return ()
        try:
            told = self.cognigy.of_call(session_id, frozenset(), None, deadline)
        except CXoneError:
            return ()
        named = (name for entry in told["logs"] for name in sorted(cognigy.names_of(entry)) if name.isdigit())
        return tuple(dict.fromkeys(named))[:_CHILDREN]

    def details(self, conversation_id: str, deadline: Deadline, priority: Priority = "person") -> Conversation:
        """The same, read."""
        return self.parse(self.document(conversation_id, deadline, priority))

    def parse(self, document: object) -> Conversation:
        """A document, read."""
        return contacts_reading.parse(document)

    def parse_row(self, row: object) -> Conversation:
        """A row of a list, read: no events."""
        return contacts_reading.parse(row)

    # ---- targets ----

    def targets(
        self, refs: Iterable[TargetRef], deadline: Deadline, priority: Priority = "person"
    ) -> dict[str, Target]:
        """What the platform says of each target, by id; of the time `TargetRef.at`, where it keeps a history."""
        wanted = {ref.id: ref for ref in refs}

        def ask(kind: TargetKind, target_id: str) -> concurrent.futures.Future[Target]:
            at, known = wanted[target_id].at, wanted[target_id].kind
            if known not in (None, kind):
                # Whole numbers: a skill and an agent may well have the same one.
                other: concurrent.futures.Future[Target] = concurrent.futures.Future()
                other.set_result(Target(id=target_id, kind=kind, status=TargetStatus.ERROR, missing=True))
                return other
            return self.submit(priority, self._objects.look, kind, target_id, deadline, priority, at)

        found = look_up(wanted.values(), ask, deadline, self._clock)
        for id_, target in found.items():
            if target.missing and wanted[id_].kind is TargetKind.FLOW:
                # The call came in there: it exists, and this tenant or this role does not show it.
                why = f"404 on GET /points-of-contact/{id_}, where the call came in: not shown to this access key"
                found[id_] = Target(id=id_, kind=TargetKind.FLOW, status=TargetStatus.NOT_CHECKED, why_not_checked=why)
        return {id_: contacts_people.named(target, self.agent_names) for id_, target in found.items()}

    def target(self, ref: TargetRef, deadline: Deadline, priority: Priority = "person") -> Target:
        """The same for one."""
        return self.targets((ref,), deadline, priority)[ref.id]

    def target_of_kind(
        self, kind: TargetKind, target_id: str, deadline: Deadline, priority: Priority = "person"
    ) -> Target:
        """One of a kind as it is now, with its name: asked for by a person, and answered privately."""
        return self._objects.look(kind, target_id, deadline, priority, None)

    # ---- a call's parts ----

    def _read_contact(self, contact_id: str, deadline: Deadline, priority: Priority) -> dict[str, Any]:
        """The contact and its parts, asked for at once. What fails but the contact itself is `notRead`."""
        submit, get = self.calls.submit, self.calls.get
        own = submit(priority, get, "/contacts/{id}", contact_id, deadline, priority, "contacts")
        jobs = {key: submit(priority, get, route, contact_id, deadline, priority, what) for key, route, what in _PARTS}
        described = submit(priority, self.calls.descriptions, deadline, priority)
        try:
            answer = own.result()
        except NotFoundError:
            described.result()  # where nothing at all is known, the version is wrong: that error says so
            raise
        active = reading.mapping(answer.get("activeContact"))
        contact = active or reading.mapping(answer.get("completedContact")) or answer
        document: dict[str, Any] = {
            "profile": "contacts",
            "list": "active" if active or "activeContacts" in answer else "completed",
            "contact": contact,
            "notRead": [],
        }
        for key, job in jobs.items():
            body = _part(job, document)
            document[key] = body if key == "hierarchy" else body.get(key, [])
        document["contactStateDescriptions"] = _part(described, document).get("contactStateDescriptions", [])
        return document

    def _stored(self, contact_id: str, deadline: Deadline, missed: Missed) -> Rows:
        """A contact's stored data, for a watcher that has all else of it."""
        key, route, what = _PARTS[2]
        try:
            body = self.calls.get(route, contact_id, deadline, "watcher", what)
        except CXoneError as error:
            missed.append({"call": error.call, "why": str(error).rstrip(".")})
            return []
        return [row for row in reading.items(body.get(key)) if isinstance(row, Mapping)]

    def _complete(self, document: dict[str, Any], deadline: Deadline, priority: Priority) -> Row:
        """The children's states, Cognigy's side and the names of agents, asked for at once."""
        children = [] if "children" in document else self._children(document, deadline, priority)
        told = None
        if self.cognigy is not None and "cognigy" not in document:
            contact = contacts_fields.contact_of(document)[0]
            began = contacts_fields.when(contact, "contactStartDate", "contactStart")
            session, ids = contacts_fields.session_of(document), contacts_fields.contact_ids(document)
            told = self.calls.submit(priority, self.cognigy.of_call, session, ids, began, deadline, priority)
        people = self._people(document, deadline, priority)
        if children:
            document["children"] = [child for job in children if (child := _part(job, document))]
        if told is not None:
            document["cognigy"] = _part(told, document)
        document["agentNames"] = self.agent_names
        document["agents"] = [
            {"agentId": agent, "name": _full_name(_part(job, document))} for agent, job in people.items()
        ]
        return document

    def _children(self, document: Mapping[str, Any], deadline: Deadline, priority: Priority) -> Jobs:
        own = contacts_fields.word(contacts_fields.contact_of(document)[0], "contactId")
        rows = reading.items(reading.mapping(document.get("hierarchy")).get("childContacts"))
        ids = [contacts_fields.word(reading.mapping(row), "contactId") for row in rows]
        wanted = [id_ for id_ in dict.fromkeys(ids) if id_.isdigit() and id_ != own]
        return [self.calls.submit(priority, self._child, id_, deadline, priority) for id_ in wanted[:_CHILDREN]]

    def _child(self, contact_id: str, deadline: Deadline, priority: Priority) -> dict[str, Any]:
        route = "/contacts/{id}/state-history"
        body = self.calls.get(route, contact_id, deadline, priority, "state history")
        return {"contact": {"contactId": contact_id}, "contactStateHistory": body.get("contactStateHistory", [])}

    def _people(
        self, document: Mapping[str, Any], deadline: Deadline, priority: Priority
    ) -> dict[str, concurrent.futures.Future[Body]]:
        """The agents of a call, asked for where they may be named; each is kept for an hour."""
        if self.agent_names != "name":
            return {}
        rows = [reading.mapping(row) for row in reading.items(document.get("contactStateHistory"))]
        ids = dict.fromkeys(id_ for row in rows if (id_ := contacts_fields.word(row, "agentId")))

        def ask(agent: str) -> Body:
            return self.calls.kept(
                f"agent {agent}", KEPT, lambda: self.calls.get("/agents/{id}", agent, deadline, priority, "agents")
            )

        return {agent: self.calls.submit(priority, ask, agent) for agent in list(ids)[:_CHILDREN]}


def _part(job: concurrent.futures.Future[Any], document: dict[str, Any]) -> Any:
    """What a part's call brought; {} and a line in `notRead` if it failed."""
    try:
        return job.result()
    except CXoneError as error:
        document["notRead"].append({"call": error.call, "why": str(error).rstrip(".")})
        return {}


def _full_name(body: Body) -> str:
    rows = reading.items(body.get("agents"))
    row = reading.mapping(rows[0]) if rows else body
    return " ".join(filter(None, (contacts_fields.word(row, "firstName"), contacts_fields.word(row, "lastName"))))
