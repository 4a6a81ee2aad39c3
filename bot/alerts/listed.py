"""What a poll finds listed, and where the watcher stands after it.

Three times are kept apart. `polled_at`: the first page came, which ends an absence. `listed_until`: nothing that was
listed by then is missing; only a whole list moves it. `arrived_at`: the first poll of all, or the first after an
absence; what had ended by then is told in one summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import phone
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline
from bot.diagnosis.handover import Conversation
from bot.diagnosis.parties import customer_identities
from bot.store.facts import Cursor

log = structlog.get_logger()

OVERLAP = timedelta(hours=1)
ONE_SUMMARY = timedelta(minutes=1)  # a summary waits no longer; what is found later has one of its own
REFUSED = frozenset({400, 403, 404, 405, 501})  # asked again, it would be the same


@dataclass(frozen=True, slots=True)
class Listed:
    """The calls that are listed, and what is missing among them."""

    calls: Mapping[str, Conversation]
    missing: str = ""  # why a part could not be read yet, as a sentence
    gap: str = ""  # why what the list no longer holds will not be read, as a sentence


def ask(platform: Any, before: Cursor, now: datetime, lookback: timedelta, deadline: Deadline) -> Listed:
    """The list, and after a long absence what it no longer holds. Raises CXoneError where no page came."""
    # 1. The list.
    since = (before.listed_until or now - lookback) - OVERLAP
    listing = platform.list(since, now, deadline, priority="watcher")
    rows, missing, gap = _by_id(listing.rows), listing.missing, ""
    # 2. What is too old for it. That is heavy to ask for, so a list with missing pages is completed first.
    if not missing and before.listed_until is not None and since < now - lookback:
        try:
            older = platform.history(since, now, deadline, priority="watcher")
            rows, missing = _by_id(older.rows) | rows, older.missing
        except CXoneError as error:
            gap = str(error) if error.status in REFUSED else ""
            missing = "" if gap else str(error)
    return Listed({each: platform.parse_row(row) for each, row in rows.items()}, missing, gap)


def is_absent(before: Cursor, now: datetime, absence: timedelta) -> bool:
    """Whether this is the first list of all, or the first for long."""
    return before.polled_at is None or now - before.polled_at > absence


def move(before: Cursor, now: datetime, *, missing: bool, absent: bool, late: bool) -> Cursor:
    """Where the watcher stands once a list is written; `late`: it brought what was there on an arrival before."""
    is_told = before.arrived_at is None or now - before.arrived_at > ONE_SUMMARY
    arrived_at = now if absent or (late and is_told) else before.arrived_at
    return Cursor(before.listed_until if missing else now, now, arrived_at)


def is_late(call: Conversation, before: Cursor) -> bool:
    """Whether a call had ended on arrival, and stood in what was missing of every list since then."""
    if call.ended_at is None or before.arrived_at is None or is_whole(before):
        return False
    return call.ended_at < before.arrived_at


def is_whole(stands: Cursor) -> bool:
    """Whether a list since the arrival was whole."""
    if stands.listed_until is None or stands.arrived_at is None:
        return False
    return stands.listed_until >= stands.arrived_at


def numbers_of(call: Conversation, hash_key: str | bytes) -> list[tuple[str, str, datetime | None]]:
    """A call by its callers' numbers under the key; none of a document that cannot be read."""
    try:
        hashes = [phone.hashed(identity, hash_key) for identity in customer_identities(call)]
        return [(call.id, one, call.started_at) for one in hashes]
    except Exception as error:  # noqa: BLE001 - one poisonous row must not stop the others
        log.warning("number not indexed", conversation=call.id, error=type(error).__name__)
        return []


def _by_id(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(row["id"]): row for row in rows if isinstance(row.get("id"), str | int)}
