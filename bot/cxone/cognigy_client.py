"""The client of Cognigy's API: the project's logs and one session's messages. All calls are reads.

Base address `https://api-….cognigy.ai` or the one of a dedicated installation; the key goes in the header `X-API-Key`.
Source: Cognigy's documentation, "API and CLI". The logs' filters are not reliable, so entries are checked here.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.cxone import cognigy, names, reading
from bot.cxone.errors import AnswerError, CXoneError, ForbiddenError, NotFoundError, SignInError
from bot.cxone.http import Deadline, Priority, Session, Token

_LOGS = "/v2.0/projects/{id}/logs"
_CONVERSATION = "/v2.0/conversations/{id}"
_PAGES = 8  # of 25 entries; a call's own entries stand close together
_MOST_PAGES = 200  # for a watcher
_EARLIER = timedelta(minutes=2)
_CUT: Mapping[str, Any] = {}  # stands last where the log goes on beyond the pages that are read


class Cognigy:
    """One project of Cognigy's."""

    def __init__(self, url: str, key: str, project: str, clock: Clock) -> None:
        """Ask nothing yet. Raises ValueError as `Session` does."""
        self._session = Session(url, _no_token, clock)
        self._pool = concurrent.futures.ThreadPoolExecutor(8, thread_name_prefix="cognigy")
        self._key = key
        self.project = project
        self.host = self._session.host

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def of_call(
        self,
        session_id: str,
        contact_ids: frozenset[str],
        since: datetime | None,
        deadline: Deadline,
        priority: Priority = "person",
    ) -> dict[str, Any]:
        """What Cognigy holds of a call: `{sessionId, logs[], cut, conversation}`. Raises CXoneError.

        Without a session id the entries that name one of the contacts say which session it is. `cut`: the log is longer
        than what is read of it, and the rest may tell of the call too.
        """
        params = {names.LOG_QUERY["session"]: session_id} if session_id else {}
        talk = self._pool.submit(self._conversation, session_id, deadline, priority) if session_id else None
        mine: list[Mapping[str, Any]] = []
        cut = False
        for entry in self._entries(params, deadline, priority, _PAGES):
            if cut := entry is _CUT:
                break
            at = reading.time(entry.get("timestamp"))
            if since is not None and at is not None and at < since - _EARLIER:
                break
            if cognigy.about(entry, session_id, contact_ids):
                mine.append(entry)
                session_id = session_id or cognigy.session_of(entry)
        found: dict[str, Any] = {"sessionId": session_id, "logs": mine, "cut": cut}
        if session_id:
            found["conversation"] = talk.result() if talk else self._conversation(session_id, deadline, priority)
        return found

    def _conversation(self, session_id: str, deadline: Deadline, priority: Priority) -> Mapping[str, Any]:
        """A session's messages; none where Cognigy holds none any more."""
        try:
            return self._get(_CONVERSATION, session_id, {}, deadline, priority)
        except NotFoundError:
            return {"items": []}

    def recent(
        self, since: datetime, deadline: Deadline, priority: Priority = "watcher"
    ) -> tuple[list[Mapping[str, Any]], bool]:
        """The project's entries since a time, newest first, for a watcher; whether there are more than are read."""
        found: list[Mapping[str, Any]] = []
        for entry in self._entries({}, deadline, priority, _MOST_PAGES):
            if entry is _CUT:
                return found, True
            at = reading.time(entry.get("timestamp"))
            if at is not None and at < since:
                break
            found.append(entry)
        return found, False

    def check(self, deadline: Deadline) -> None:
        """One page of the logs, to see that address, key and project are right. Raises CXoneError."""
        self._get(_LOGS, self.project, {"limit": 1}, deadline, "person")

    def _entries(
        self, params: Mapping[str, Any], deadline: Deadline, priority: Priority, pages: int
    ) -> Iterator[Mapping[str, Any]]:
        """The log, newest first, page by page; ends with the last page, or after a few with `_CUT`."""
        skip = 0
        for _ in range(pages):
            body = self._get(_LOGS, self.project, {**params, "skip": skip, "limit": 25}, deadline, priority)
            rows = reading.items(reading.mapping(body.get("_embedded")).get("logEntry"))
            yield from (row for row in rows if isinstance(row, Mapping))
            following = reading.mapping(reading.mapping(body.get("_links")).get("next")).get("href")
            if not rows or not following:
                return
            skip += len(rows)
        yield _CUT

    def _get(
        self, route: str, item: str, params: Mapping[str, Any], deadline: Deadline, priority: Priority
    ) -> Mapping[str, Any]:
        key = {"X-API-Key": self._key}
        try:
            answer = self._session.send(
                "GET", route, item=item, params=params, deadline=deadline, priority=priority, signed=False, headers=key
            )
        except (SignInError, ForbiddenError) as error:
            raise SignInError(
                "GET",
                error.path,
                error.status,
                f"{error.status} on {error.call}: Cognigy ({self.host}) does not take the key. Check COGNIGY_API_KEY "
                "(Cognigy, user menu, My Profile, API Keys) and that its user may read the project.",
            ) from None
        except NotFoundError as error:
            if route == _CONVERSATION:
                raise
            raise AnswerError(
                "GET",
                error.path,
                404,
                f"404 on {error.call}: Cognigy ({self.host}) knows no such project. Check COGNIGY_PROJECT_ID and "
                "COGNIGY_API_URL.",
            ) from None
        except CXoneError as error:
            # The sentences of the session speak of CXone's settings.
            error.sentence = (
                error.sentence.replace("CXONE_TENANT_ID or CXONE_BASE_URL", "COGNIGY_API_URL")
                .replace("CXONE_BASE_URL", "COGNIGY_API_URL")
                .replace("CXone's status page", "Cognigy's status page")
            )
            error.args = (error.sentence,)
            raise
        return reading.mapping(answer.body)


def _no_token(session: Session, deadline: Deadline, priority: Priority) -> Token:
    """The key goes in a header of its own."""
    del session, deadline, priority
    return Token("")
