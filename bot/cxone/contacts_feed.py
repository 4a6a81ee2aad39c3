"""What a watcher knows of many contacts at once: each poll asks only for what changed since the one before.

Five questions a poll, whatever the number of contacts: active, completed, the states of all, the stored data of all,
and Cognigy's log. What one contact's own calls would have said is put together from these. Where a tenant does not
offer the states of all, `document` answers None and the contact is read by itself; where it does not offer the stored
data of all, these cost a call a contact.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.cxone import cognigy, contacts_fields, names, reading
from bot.cxone.cognigy_client import Cognigy
from bot.cxone.contacts_calls import ACTIVE, COMPLETED, STATES, Body, Calls, Rows, span, utc
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline
from bot.cxone.listing import Row

_OVERLAP = timedelta(seconds=60)  # asked for again: what appears late
_NOT_OFFERED = (400, 403, 404, 405)

Marked = dict[str, dict[str, Row]]  # contact → its rows, each under what tells it from the others


@dataclass(slots=True)
class _Known:
    """One contact: its newest row, and the list that it stood in."""

    row: Row
    active: bool


class Feed:
    """The contacts of the last hours."""

    def __init__(self, calls: Calls, cognigy_: Cognigy | None) -> None:
        """Know nothing yet."""
        self._calls = calls
        self._cognigy = cognigy_
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._children: dict[str, set[str]] = defaultdict(set)
        self._bulk: dict[str, Marked] = {STATES: {}, names.BULK_CUSTOM_DATA: {}}
        self._logs: dict[str, list[Row]] = defaultdict(list)  # by session, and by contact
        self._logged: set[str] = set()
        self._since: dict[str, datetime] = {}
        self._cut = False  # of the lists of this poll
        self._logged_from: datetime | None = None  # what Cognigy logged before was not read, for it was too much
        self._described: Body = {}
        self._offered = dict.fromkeys(self._bulk, True)

    def poll(self, since: datetime, deadline: Deadline) -> Rows:
        """The rows of all contacts that began since then, after asking for what changed. Raises CXoneError.

        What was cut is asked for again from the same time on.
        """
        with self._lock:
            now = self._calls.clock.now()
            self._cut = False
            self._list(since, now, deadline)
            for route in self._bulk:
                if self._offered[STATES] and self._offered[route]:
                    self._offered[route] = self._merge(route, since, now, deadline)
            self._described = self._calls.descriptions(deadline, "watcher")
            if self._cognigy is not None:
                self._log(since, now, deadline)
            self._forget(since)
            return Rows([known.row for known in self._known.values()], self._cut)

    @property
    def stores(self) -> bool:
        """Whether the stored data of all contacts are offered; where not, each contact's are asked for."""
        return self._offered[names.BULK_CUSTOM_DATA]

    def document(self, contact_id: str, stored: Callable[[], list[Row]]) -> dict[str, Any] | None:
        """What is known of a call, as its own calls would have told it; None if it must be read by itself.

        `stored` asks for the contact's own stored data, where these are not offered for all.
        """
        with self._lock:
            states = self._offered[STATES] and contact_id in self._known and contact_id in self._bulk[STATES]
        if not states:
            return None
        own = self._rows(names.BULK_CUSTOM_DATA, contact_id) if self.stores else stored()
        with self._lock:
            known = self._known.get(contact_id)
            if known is None:
                return None
            children: list[dict[str, Any]] = [
                {"contact": self._known[id_].row, "contactStateHistory": self._rows(STATES, id_)}
                for id_ in sorted(self._children[contact_id])
                if id_ in self._known
            ]
            document: dict[str, Any] = {
                "profile": "contacts",
                "list": "active" if known.active else "completed",
                "contact": known.row,
                "contactStateHistory": self._rows(STATES, contact_id),
                "hierarchy": {"childContacts": [{"contactId": each["contact"].get("contactId")} for each in children]},
                "contactCustomData": own,
                "children": children,
                "contactStateDescriptions": self._described.get("contactStateDescriptions", []),
                "notRead": [],
            }
            if self._cognigy is not None:
                session = contacts_fields.session_of(document)
                logs = [row for key in {session, *contacts_fields.contact_ids(document)} for row in self._logs[key]]
                document["cognigy"] = {
                    "sessionId": session,
                    "logs": list({id(row): row for row in logs}.values()),
                    "cut": self._logged_from is not None and _began(known.row) < self._logged_from,
                }
            return document

    # ---- one poll ----

    def _list(self, since: datetime, now: datetime, deadline: Deadline) -> None:
        """Who is in the house, and who left it since the last look."""
        phones = {"mediaTypeId": contacts_fields.PHONE}
        before = self._since.get(COMPLETED)
        window = {"updatedSince": utc(before)} if before else span(since, now)
        # Asked in this order, a contact that ends in between is in both lists, and the second one counts.
        for route, params in ((ACTIVE, phones), (COMPLETED, {**phones, **window})):
            found = self._calls.rows(route, params, deadline, "watcher")
            self._cut = self._cut or found.cut
            for row in found.rows:
                id_ = contacts_fields.word(row, "contactId")
                master = contacts_fields.word(row, "masterContactId")
                if id_:
                    self._known[id_] = _Known(row, route == ACTIVE)
                if master and master != id_:
                    self._children[master].add(id_)
        if not self._cut:
            self._since[COMPLETED] = self._calls.last_poll.get(COMPLETED, now) - _OVERLAP

    def _merge(self, route: str, since: datetime, now: datetime, deadline: Deadline) -> bool:
        """Take the changed rows of all contacts; False if this tenant does not offer them in bulk."""
        key, mark = ("contactStateHistory", "stateIndex") if route == STATES else ("contactCustomData", "name")
        before = self._since.get(route)
        window = {"updatedSince": utc(before)} if before else span(since, now)
        try:
            rows, cut = self._calls.rows(route, window, deadline, "watcher", key)
        except CXoneError as error:
            if error.status in _NOT_OFFERED:
                return False
            raise
        for row in rows:
            if id_ := contacts_fields.word(row, "contactId"):
                self._bulk[route].setdefault(id_, {})[str(row.get(mark))] = row
        self._cut = self._cut or cut
        if not cut:
            self._since[route] = self._calls.last_poll.get(route, now) - _OVERLAP
        return True

    def _log(self, since: datetime, now: datetime, deadline: Deadline) -> None:
        """What the bot's side logged since the last look, kept under every session and contact that it names."""
        assert self._cognigy is not None  # noqa: S101 - the caller looked
        entries, cut = self._cognigy.recent(self._since.get("logs", since), deadline)
        if cut:
            self._logged_from = reading.time(entries[-1].get("timestamp")) or now
        for entry in entries:
            key = f"{entry.get('_id')} {entry.get('timestamp')} {entry.get('message')} {cognigy.session_of(entry)}"
            if key in self._logged:
                continue
            self._logged.add(key)
            for name in cognigy.names_of(entry):
                self._logs[name].append(entry)
        self._since["logs"] = now - _OVERLAP

    def _rows(self, route: str, contact_id: str) -> list[Row]:
        return list(self._bulk[route].get(contact_id, {}).values())

    def _forget(self, since: datetime) -> None:
        """What began before the window is let go."""
        for id_ in [id_ for id_, known in self._known.items() if not known.active and _began(known.row) < since]:
            del self._known[id_]
            self._children.pop(id_, None)
            for store in self._bulk.values():
                store.pop(id_, None)
        for name in list(self._logs):
            kept = [row for row in self._logs[name] if (reading.time(row.get("timestamp")) or since) >= since]
            if kept:
                self._logs[name] = kept
            else:
                del self._logs[name]
        if not self._logs:
            self._logged.clear()


def _began(row: Mapping[str, Any]) -> datetime:
    return contacts_fields.when(row, "contactStartDate", "contactStart") or datetime.max.replace(tzinfo=UTC)
