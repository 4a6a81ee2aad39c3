"""Lists as the conversations API gives them: pages, counts, rows, the analytics query. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.cxone.errors import AnswerError, CXoneError

PAGE_SIZE = 100

Row = Mapping[str, Any]
OnPage = Callable[[list[Row], "Listing"], None]  # the rows of a page that are new, and all so far


@dataclass(slots=True)
class Listing:
    """What a list brought: rows as the platform gave them, each id once. `failed` are pages that could not be read."""

    on_page: OnPage | None = field(default=None, repr=False)
    rows: list[Row] = field(default_factory=list, repr=False)
    pages: int = 0
    of: int = 0  # how many pages there are; 0 where the platform does not say
    failed: list[CXoneError] = field(default_factory=list)
    cut: bool = False  # there are more pages than are read of one list
    _seen: set[str] = field(default_factory=set, repr=False)

    @property
    def missing(self) -> str:
        """Why rows of it are missing, as a sentence; empty where every page was read."""
        if self.failed:
            return str(self.failed[0])
        return f"The list has more pages than are read of one; {self.pages} were." if self.cut else ""

    def add(self, rows: Sequence[Row]) -> list[Row]:
        """Take a page's rows; returns those that are new."""
        new = []
        for row in rows:
            given = row.get("id")
            row_id = str(given) if isinstance(given, str | int) else ""
            if row_id and row_id not in self._seen:
                self._seen.add(row_id)
                new.append(row)
        self.rows.extend(new)
        self.pages += 1
        if self.on_page is not None:
            self.on_page(new, self)
        return new


def rows_of(body: Row, key: str, path: str) -> list[Row]:
    """The rows of a page; what is no object is left out. Raises AnswerError where there is no list."""
    rows = body.get(key)
    if rows is None and key in body:
        return []
    if not isinstance(rows, list):
        raise AnswerError(
            "GET",
            path,
            200,
            f"GET {path} answered without a list `{key}`. Check the profile (CXONE_API) and the address.",
        )
    return [row for row in rows if isinstance(row, Mapping)]


def page_count(body: Row, total_key: str, rows: int) -> int:
    """How many pages there are, by the platform's count or its total; 0 where neither is given."""
    count = whole_of(body.get("pageCount"))
    if count is not None:
        return max(1, count)
    total = whole_of(body.get(total_key))
    if total is None:
        return 0
    return max(1, math.ceil(total / rows)) if rows else 1


def goes_on_elsewhere(body: Row) -> bool:
    """Whether further pages are found by the next address alone: it is given, and neither a count nor a number is."""
    following = body.get("nextUri")
    if not isinstance(following, str) or not following or whole_of(body.get("pageCount")) is not None:
        return False
    return "pageNumber" not in parse_qs(urlsplit(following).query)


def question(since: datetime, until: datetime, page: int) -> Row:
    """The body of the analytics query, as the contract has it."""
    return {
        "dateFrom": _utc(since),
        "dateTo": _utc(until),
        "interval": "PT1H",
        "metrics": [{"name": "conversation.count"}],
        "groupings": [{"name": "conversation.id"}, {"name": "participant.id"}],
        "paging": {"pageSize": PAGE_SIZE, "pageNumber": page},
    }


def history_row(found: Row) -> Row:
    """A row of analytics under the names that the list uses."""
    names = {"conversationId": "id", "conversationStart": "startTime", "conversationEnd": "endTime"}
    return {names.get(key, key): value for key, value in found.items()}


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number_of(value: object) -> float | None:
    """A number that may have come as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def whole_of(value: object) -> int | None:
    """A whole number that may have come as text; None for what is none, or negative."""
    number = number_of(value)
    return int(number) if number is not None and number >= 0 else None
