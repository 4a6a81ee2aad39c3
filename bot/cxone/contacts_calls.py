"""Single calls to the contacts API: one GET with the errors of this profile, a list page by page, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bot import phone
from bot.clock import Clock
from bot.cxone import contacts_fields, names, reading
from bot.cxone.errors import AnswerError, NotFoundError, SignInError
from bot.cxone.http import Deadline, Priority, Session
from bot.cxone.listing import Row
from bot.cxone.pools import Pools

ACTIVE, COMPLETED = "/contacts/active", "/contacts/completed"
STATES = "/contacts/state-history"  # of all contacts at once
ROLE = "the permission for {} (the role of the employee who owns the access key)"
TOP = 10_000  # rows a page; a server that gives fewer says so by `_links.next`
PHONES = {"mediaTypeId": contacts_fields.PHONE}
KEPT = 3600.0  # seconds that names of states and agents are kept
_MOST_PAGES = 200
_AT_ONCE: dict[Priority, int] = {"person": 32, "watcher": 8}

Body = Mapping[str, Any]


class Rows(NamedTuple):
    """The rows of a list, and whether there are more pages than are read of one."""

    rows: list[Row]
    cut: bool = False


class Calls:
    """One tenant's session, with a pool of its own: a job of another pool may wait for these."""

    def __init__(self, session: Session, clock: Clock) -> None:
        """Ask nothing yet."""
        self.session = session
        self.clock = clock
        self.last_poll: dict[str, datetime] = {}  # by route: the server's own time of the last list
        self._kept: dict[str, tuple[float, Body]] = {}
        self._pools = Pools("cxone", _AT_ONCE)
        self.submit = self._pools.submit

    def close(self) -> None:
        """End the pool and the session."""
        self._pools.close()
        self.session.close()

    def get(  # noqa: PLR0917 - six, and each call gives all of them
        self,
        route: str,
        item: str | None,
        deadline: Deadline,
        priority: Priority,
        what: str,
        params: Mapping[str, Any] | None = None,
    ) -> Body:
        """One call; {} for 204. `what` names the permission that it needs. Raises CXoneError."""
        try:
            answer = self.session.get(route, params, deadline, priority, item=item, needs=ROLE.format(what))
        except NotFoundError as error:
            if item is not None:
                raise
            lacks = "no such script, or no such call" if "scriptPath" in (params or ()) else "no such call"
            raise AnswerError(
                "GET",
                error.path,
                404,
                f"404 on {error.call} at {self.session.base_url}: {lacks} in that version of the API. "
                "Check CXONE_API_VERSION (v21 to v34 have been seen in the field).",
            ) from None
        except SignInError as error:
            if error.path.startswith(("/auth", "/.well-known")):
                raise
            raise SignInError(
                "GET",
                error.path,
                error.status,
                f"{error.status} on {error.call}, with a new token too: {self.session.host} does not take this access "
                "key. Check that the key is active, that the employee it belongs to is, and that CXONE_ISSUER and "
                "CXONE_TENANT_ID are of the same tenant.",
            ) from None
        if answer.status == 204 or answer.body is None:  # noqa: PLR2004 - the status is the word for it
            return {}
        if not isinstance(answer.body, Mapping):
            raise AnswerError(
                "GET",
                route,
                answer.status,
                f"GET {route} answered with JSON of another shape than expected. Check CXONE_API, CXONE_API_VERSION.",
            )
        return answer.body

    def rows(  # noqa: PLR0917 - as `get`
        self,
        route: str,
        params: Mapping[str, Any],
        deadline: Deadline,
        priority: Priority,
        key: str = "",
        most: int = 0,
    ) -> Rows:
        """The rows of a list, page by page as long as `_links.next` is given; at most `most`. Raises CXoneError."""
        key = key or ("activeContacts" if route == ACTIVE else "completedContacts")
        found: list[Row] = []
        for _ in range(_MOST_PAGES):
            more = {**params, "skip": len(found), "top": most or TOP}
            body = self.get(route, None, deadline, priority, "contacts", more)
            rows = [row for row in reading.items(body.get(key)) if isinstance(row, Mapping)]
            found += rows
            if (polled := reading.time(body.get("lastPollTime"))) is not None:
                self.last_poll[route] = polled
            if not rows or most or not reading.text(reading.mapping(body.get("_links")).get("next")):
                return Rows(found)
        return Rows(found, cut=True)

    def kept(self, key: str, seconds: float, ask: Callable[[], Body]) -> Body:
        """An answer that holds for a while, asked for when it does no more."""
        now = self.clock.monotonic()
        before = self._kept.get(key)
        if before is not None and now < before[0]:
            return before[1]
        answer = ask()
        self._kept[key] = (now + seconds, answer)
        return answer

    def descriptions(self, deadline: Deadline, priority: Priority = "person") -> Body:
        """The tenant's names of states, asked for once an hour."""
        route = "/contact-state-descriptions"
        return self.kept(route, KEPT, lambda: self.get(route, None, deadline, priority, "contact states"))

    def server_time(self, deadline: Deadline) -> datetime | None:
        """The server's own time, to see whether ours is right. Raises CXoneError."""
        body = self.get("/server-time", None, deadline, "person", "the server's time")
        return contacts_fields.when(body, *names.SERVER_TIME_KEYS)


def windows(since: datetime, until: datetime) -> list[dict[str, str]]:
    """A span as `startDate` and `endDate`, cut into pieces that one question may ask for."""
    pieces = []
    while since < until:
        end = min(until, since + timedelta(days=names.COMPLETED_DAYS))
        pieces.append(span(since, end))
        since = end
    return pieces


def span(since: datetime, until: datetime) -> dict[str, str]:
    """Two times as the API wants them: UTC, with a literal Z (an offset is refused)."""
    return {"startDate": utc(since), "endDate": utc(until)}


def utc(at: datetime) -> str:
    """A time with a literal Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def calls_of(rows: Iterable[Row]) -> list[Row]:
    """Rows as the search reads them: with `id` and `startTime`, without child contacts."""
    read: list[Row] = []
    for row in rows:
        id_ = contacts_fields.word(row, "contactId")
        master = contacts_fields.word(row, "masterContactId")
        if id_ and (not master or master == id_):
            start = contacts_fields.word(row, "contactStartDate", "contactStart")
            read.append({**row, "id": id_, "startTime": start})
    return read


def questions(since: datetime, until: datetime, number: phone.Number | None) -> list[tuple[str, dict[str, Any]]]:
    """What to ask for a window: each form of the number, and calls that went out to it, so that a callback is seen."""
    forms = dict.fromkeys((number.e164, number.e164[1:], number.national)) if number is not None else {"": None}
    asked: list[tuple[str, dict[str, Any]]] = []
    for form in forms:
        own = {**PHONES, "fromAddress": form} if form else PHONES
        asked.append((ACTIVE, own))
        asked += [(COMPLETED, {**own, **window}) for window in windows(since, until)]
    if number is not None:
        out = {**PHONES, "toAddress": number.e164}
        asked += [(COMPLETED, {**out, **window}) for window in windows(since, until)]
    return asked
