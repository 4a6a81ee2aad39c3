"""The client of the conversations API: sign-in, list, details, analytics, and what a handover can go to.

Contract: base address `https://{tenant}.api.nice.incontact.com`, all calls reads. The server may cap the page size and
promises no order; it may give a page count, a total, a next address or nothing of it. What the answers mean is read by
the pure `parse` in `conversations.py`.
"""

from __future__ import annotations

import concurrent.futures
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from bot import phone
from bot.clock import Clock
from bot.cxone import conversations, pages
from bot.cxone.errors import (
    AnswerError,
    CXoneError,
    ForbiddenError,
    MethodError,
    NotFoundError,
    SignInError,
    shown,
)
from bot.cxone.http import Answer, Deadline, Priority, Session, SignIn, Token
from bot.cxone.listing import (
    PAGE_SIZE,
    Listing,
    OnPage,
    Row,
    goes_on_elsewhere,
    history_row,
    number_of,
    page_count,
    question,
    rows_of,
    whole_of,
)
from bot.cxone.pools import Pools
from bot.cxone.targets import look_up
from bot.diagnosis.handover import Conversation, Target, TargetKind, TargetRef, TargetStatus

MOST_PAGES: dict[Priority, int] = {"person": 500, "watcher": 5_000}  # of one list; the deadline comes first
READ_CONVERSATIONS = "the scope conversations:read"
READ_ANALYTICS = "the scope analytics:conversations:read"
_LIST = "/api/v2/conversations"
_DETAILS = "/api/v2/conversations/{id}"
HISTORY = "/api/v2/analytics/conversations/details/query"
_TARGETS = {
    TargetKind.USER: ("/api/v2/users/{id}", "the scope users:read"),
    TargetKind.QUEUE: ("/api/v2/queues/{id}", "a scope for queues"),
    TargetKind.FLOW: ("/api/v2/flows/{id}", "a scope for flows"),
}
_AT_ONCE: dict[Priority, int] = {"person": 32, "watcher": 4}


def client_credentials(client_id: str, client_secret: str) -> SignIn:
    """The sign-in of this profile: a token for a service account."""

    def sign_in(session: Session, deadline: Deadline, priority: Priority) -> Token:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        path = "/oauth2/token"
        try:
            answer = session.send("POST", path, form=form, deadline=deadline, priority=priority, signed=False)
        except (SignInError, ForbiddenError, AnswerError) as error:
            if error.status is None or error.status < 400:  # noqa: PLR2004  # the status is the word for it
                raise
            raise SignInError(
                "POST",
                path,
                error.status,
                f"{error.status} on POST {path}: {session.host} gives no token to this service account. Check "
                "CXONE_CLIENT_ID, CXONE_CLIENT_SECRET and CXONE_TENANT_ID.",
            ) from None
        body = answer.body if isinstance(answer.body, Mapping) else {}
        value, lasts = body.get("access_token"), number_of(body.get("expires_in"))
        if not isinstance(value, str) or not value:
            raise SignInError(
                "POST",
                path,
                answer.status,
                f"POST {path} on {session.host} answered without a token. Check the address (CXONE_BASE_URL).",
            )
        return Token(value, lasts if lasts and lasts > 0 else 3600.0)

    return sign_in


class Conversations:
    """One tenant as the conversations API shows it. Threads may share one; calls in parallel go through its pools."""

    def __init__(self, session: Session, clock: Clock, tenant: str) -> None:
        """Ask nothing yet."""
        self.session = session
        self.tenant = tenant
        self.host = session.host
        self._clock = clock
        self._history_method = "GET"
        self._pools = Pools("cxone", _AT_ONCE)
        self.submit = self._pools.submit  # one call, in parallel

    def close(self) -> None:
        """End the pools; what is under way may finish."""
        self._pools.close()
        self.session.close()

    # ---- conversations ----

    def list(  # noqa: PLR0917  # as the other platform's
        self,
        since: datetime | None,  # noqa: ARG002  # other profiles bound the list by time, this API cannot
        until: datetime | None,  # noqa: ARG002  # the same
        deadline: Deadline,
        on_page: OnPage | None = None,
        priority: Priority = "person",
        number: phone.Number | None = None,  # noqa: ARG002  # other profiles can ask for one number's calls alone
    ) -> Listing:
        """All rows that the platform lists, in no order. `on_page` is called in this thread as each page arrives.

        The first page, then the others in parallel once their number is known, else one after the other. Raises
        CXoneError if the first cannot be read; a later one that fails stands in `failed`.
        """
        params = {"pageSize": PAGE_SIZE, "conversationType": "voice"}

        def ask(more: Mapping[str, Any]) -> Row:
            asked = {**params, **more}
            return _object(self.session.get(_LIST, asked, deadline, priority, needs=READ_CONVERSATIONS))

        def page(number: int) -> Row:
            return ask({"pageNumber": number})

        listing, most = Listing(on_page), MOST_PAGES[priority]
        body = ask({})
        rows = rows_of(body, "entities", _LIST)
        listing.add(rows)
        listing.of = page_count(body, "total", len(rows))
        first = whole_of(body.get("pageNumber"))
        first = 1 if first is None else first
        if listing.of and not goes_on_elsewhere(body):
            numbers = range(first + 1, first + min(listing.of, most))
            listing.cut = listing.of > most
            asked = [self.submit(priority, page, number) for number in numbers]
            if pages.in_parallel(listing, _LIST, asked, deadline) == len(asked) > 0:
                listing.failed.append(_same_page(self.host))
        elif rows or body.get("nextUri"):
            following = functools.partial(self._follow, deadline=deadline, priority=priority)
            pages.one_by_one(listing, body, page, following, first, most)
        return listing

    def history(
        self,
        since: datetime,
        until: datetime,
        deadline: Deadline,
        on_page: OnPage | None = None,
        priority: Priority = "person",
    ) -> Listing:
        """Rows of a window that the list may no longer hold, from analytics; heavy. Rows as in `list`."""

        def page(number: int) -> Row:
            answer = self._query(question(since, until, number), deadline, priority)
            return {**answer, "entities": [history_row(each) for each in rows_of(answer, "conversations", HISTORY)]}

        listing, most = Listing(on_page), MOST_PAGES[priority]
        body = page(1)
        rows = rows_of(body, "entities", HISTORY)
        listing.add(rows)
        listing.of = page_count(body, "totalHits", len(rows))
        listing.cut = listing.of > most
        jobs = [self.submit(priority, page, number) for number in range(2, 1 + min(listing.of, most))]
        pages.in_parallel(listing, HISTORY, jobs, deadline)
        return listing

    def document(self, conversation_id: str, deadline: Deadline, priority: Priority = "person") -> Row:
        """A conversation's details as the platform gives them. Raises NotFoundError, CXoneError."""
        answer = self.session.get(
            _DETAILS, item=conversation_id, deadline=deadline, priority=priority, needs=READ_CONVERSATIONS
        )
        return _object(answer)

    def calls_of_session(self, session_id: str, deadline: Deadline) -> tuple[str, ...]:  # noqa: ARG002  # as it says
        """None: this API names a session only inside a conversation's events."""
        return ()

    def details(self, conversation_id: str, deadline: Deadline, priority: Priority = "person") -> Conversation:
        """The same, read."""
        return self.parse(self.document(conversation_id, deadline, priority))

    def parse(self, document: object) -> Conversation:
        """A document, read."""
        return conversations.parse(document)

    def parse_row(self, row: object) -> Conversation:
        """A row of a list, read: no events."""
        return conversations.parse_row(row)

    # ---- targets ----

    def targets(
        self, refs: Iterable[TargetRef], deadline: Deadline, priority: Priority = "person"
    ) -> dict[str, Target]:
        """What the platform says of each target, by id; all asked at once. Raises no CXoneError."""

        def ask(kind: TargetKind, target_id: str) -> concurrent.futures.Future[Target]:
            return self.submit(priority, self.target_of_kind, kind, target_id, deadline, priority)

        return look_up(refs, ask, deadline, self._clock)

    def target(self, ref: TargetRef, deadline: Deadline, priority: Priority = "person") -> Target:
        """What the platform says of one target. Raises no CXoneError."""
        return self.targets((ref,), deadline, priority)[ref.id]

    def target_of_kind(
        self, kind: TargetKind, target_id: str, deadline: Deadline, priority: Priority = "person"
    ) -> Target:
        """The same for one kind: `missing` after one 404."""
        route, needs = _TARGETS[kind]
        try:
            answer = self.session.get(route, item=target_id, deadline=deadline, priority=priority, needs=needs)
            document = _object(answer)
        except NotFoundError:
            return Target(id=target_id, kind=kind, status=TargetStatus.ERROR, missing=True, read_at=self._clock.now())
        except CXoneError as error:
            return Target(
                id=target_id,
                kind=kind,
                status=TargetStatus.NOT_CHECKED,
                why_not_checked=_why(error),
                read_at=self._clock.now(),
            )
        target = conversations.parse_target(kind, document, self._clock.now())
        return target if target.id else replace(target, id=target_id)

    # ---- single calls ----

    def _follow(self, uri: str, *, deadline: Deadline, priority: Priority) -> Row:
        """GET a `nextUri`, absolute or not. Never beyond our own host: the token goes nowhere else."""
        parts = urlsplit(urljoin(self.session.base_url + _LIST, uri))
        own = urlsplit(self.session.base_url)
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise AnswerError(
                "GET",
                _LIST,
                None,
                f"GET {_LIST}: {self.host} says that the list goes on at another host; not followed.",
            )
        path = parts.path.removeprefix(own.path) if own.path else parts.path
        params = dict(parse_qsl(parts.query))
        return _object(self.session.get(path, params, deadline, priority, needs=READ_CONVERSATIONS))

    def _query(self, question: Row, deadline: Deadline, priority: Priority) -> Row:
        """Ask analytics: GET with a body, and POST for good once a server answered 405."""
        try:
            answer = self.session.send(
                self._history_method,
                HISTORY,
                body=question,
                deadline=deadline,
                priority=priority,
                needs=READ_ANALYTICS,
            )
        except MethodError:
            if self._history_method == "POST":
                raise
            self._history_method = "POST"
            return self._query(question, deadline, priority)
        except NotFoundError as error:
            raise AnswerError(
                self._history_method,
                HISTORY,
                error.status,
                f"404 on {error.call}: {self.host} does not offer this call to the bot's own service account, which "
                f"most likely lacks {READ_ANALYTICS}.",
            ) from None
        return _object(answer)


def _object(answer: Answer) -> Row:
    """The body as the object that it must be. Raises AnswerError."""
    if isinstance(answer.body, Mapping):
        return answer.body
    raise AnswerError(
        answer.method,
        answer.path,
        answer.status,
        f"{answer.method} {shown(answer.path)} answered with JSON of another shape than expected. Check the profile "
        "(CXONE_API) and the address (CXONE_BASE_URL).",
    )


def _same_page(host: str) -> CXoneError:
    said = f"GET {_LIST}: {host} gives the same calls for each pageNumber, so the rest of them could not be read."
    return AnswerError("GET", _LIST, None, said)


def _why(error: CXoneError) -> str:
    """Why a target could not be looked at, as half a sentence: "403 on GET …: the service account most likely …"."""
    return re.sub(r"\s+", " ", str(error)).rstrip(".")
