"""What a list of calls brings: every id that is new is remembered, in the transaction that moves the cursor.

Three times are kept apart. `polled_at`: a list was read, if only its first page; it tells an absence. `listed_until`:
up to then every page was read; what a list lacks is listed again. `arrived_at`: the first list of all, or after an
absence; what had ended by then is told in one summary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Engine

from bot.alerts import ops_lines
from bot.cxone.errors import CXoneError, ForbiddenError, NotFoundError
from bot.cxone.http import Deadline
from bot.diagnosis.handover import Conversation
from bot.store import conversations, facts
from bot.store.engine import reading, writing
from bot.store.facts import Cursor

FIRST_LOOK = timedelta(seconds=15)  # at a call that goes on
OVERLAP = timedelta(hours=1)

IndexOf = Callable[[Conversation], list[tuple[str, str, datetime | None]]]
"""A call by the hashes of its callers' numbers."""


class Lists(Protocol):
    """What is asked of a tenant here; `bot.cxone.platform.Conversations` is one."""

    tenant: str

    def list(self, since: Any, until: Any, deadline: Deadline, *, priority: Any = ...) -> Any:
        """Rows of the calls in a window."""
        ...

    def history(self, since: Any, until: Any, deadline: Deadline, *, priority: Any = ...) -> Any:
        """Rows that the list no longer holds."""
        ...

    def parse_row(self, row: object) -> Conversation:
        """A row of the list, read."""
        ...


class Listed(NamedTuple):
    """How many calls a list held, and how many of them were new."""

    calls: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The list of one tenant."""

    platform: Lists
    engine: Engine
    index_of: IndexOf
    lookback: timedelta
    retention: timedelta
    absence: timedelta  # without a list, after which what is found is told as found on arrival

    def take(self, now: datetime, deadline: Deadline, ops_channel: str) -> Listed:
        """List, and remember what is new. Raises CXoneError where not even a first page can be read, StoreError."""
        tenant = self.platform.tenant
        # 1. What is listed now, and what the list no longer holds.
        with reading(self.engine) as connection:
            before = facts.cursor(connection, tenant)
        since = (before.listed_until or now - self.lookback) - OVERLAP
        listing = self.platform.list(since, now, deadline, priority="watcher")
        rows = _by_id(listing.rows)
        missing = _why_not_whole(listing)
        lost = ""
        if before.listed_until is not None and before.listed_until < now - self.lookback:
            try:
                older = self.platform.history(before.listed_until, now, deadline, priority="watcher")
                rows = _by_id(older.rows) | rows
                missing = missing or _why_not_whole(older)
            except (ForbiddenError, NotFoundError) as error:  # it will be no other at the next poll
                lost = str(error)
            except CXoneError as error:
                missing = str(error)
        # 2. Which of them are new, and which have ended since they were seen.
        calls = {each: self.platform.parse_row(row) for each, row in rows.items()}
        ends = {each: call.ended_at for each, call in calls.items() if call.ended_at is not None}
        with reading(self.engine) as connection:
            new = sorted(conversations.unseen(connection, tenant, calls))
            closing = conversations.still_open(connection, tenant, [each for each in ends if each not in new])
        # 3. All of it in one transaction with the cursor.
        absent = before.polled_at is None or now - before.polled_at > self.absence
        arrived_at = now if absent else _arriving(before)
        with writing(self.engine) as connection:
            conversations.add(connection, tenant, [self._row(calls[each], now, arrived_at) for each in new])
            indexed = [one for each in new for one in self.index_of(calls[each])]
            conversations.index(connection, tenant, indexed)
            conversations.ended(connection, tenant, {each: ends[each] for each in closing}, now)
            moved = {"polled_at": now} | ({} if missing else {"listed_until": now})
            facts.set_cursor(connection, tenant, **moved, **({"arrived_at": now} if absent else {}))
            ops_lines.list_incomplete(connection, tenant, now, missing, ops_channel)
            if lost and before.listed_until is not None:
                ops_lines.not_listed(connection, tenant, now, (before.listed_until, lost), ops_channel)
        return Listed(len(rows), len(new))

    def _row(self, call: Conversation, now: datetime, arrived_at: datetime | None) -> dict[str, Any]:
        over = call.ended_at is not None
        ended = call.ended_at or call.started_at or now
        was_here = ended < now - max(self.lookback, self.retention)  # before its row was purged: it alerted then
        return {
            "id": call.id,
            "started_at": call.started_at,
            "ended_at": call.ended_at,
            "seen_at": now,
            "next_look": None if was_here else now if over else now + FIRST_LOOK,
            "arrival": over and arrived_at is not None and ended <= arrived_at,
            "outbound": call.outbound,
        }


def _arriving(before: Cursor) -> datetime | None:
    """When the bot arrived, as long as no list was read to its end since then."""
    if before.arrived_at is None or (before.listed_until is not None and before.listed_until >= before.arrived_at):
        return None
    return before.arrived_at


def _by_id(rows: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in rows if isinstance(row.get("id"), str)}


def _why_not_whole(listing: Any) -> str:
    """Why some of a list is missing, as a sentence; empty if nothing is."""
    if listing.failed:
        return str(listing.failed[0])
    return f"It goes on beyond the {listing.pages} pages that are read of one." if listing.cut else ""
