"""Looking through the platform's lists: how far a search has come, and which calls of a number it found."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime

from bot.cxone.contacts import Contacts
from bot.cxone.deadline import Deadline
from bot.cxone.errors import CXoneError, late
from bot.cxone.listing import Listing, Row
from bot.cxone.matching import Match, is_hotline, match, meant
from bot.cxone.notfound import many
from bot.cxone.platform import HISTORY, Conversations
from bot.cxone.queries import ByNumber, OnProgress, Progress, Query
from bot.cxone.rate import Priority
from bot.cxone.reading import time
from bot.diagnosis.handover import Conversation, Searched


class Search:
    """One search on its way: what was looked through, which calls match, and what could not be read."""

    def __init__(
        self,
        platform: Conversations | Contacts,
        deadline: Deadline,
        priority: Priority,
        errands: Executor,
        on_progress: OnProgress | None,
    ) -> None:
        """Nothing is asked yet; `errands` run what goes beside the list."""
        self.matches: dict[str, Match] = {}
        self.newest: datetime | None = None
        self.calls = 0
        self.pages = 0
        self.cut = False  # the list is longer than what is read of one
        self.failed: list[CXoneError] = []  # parts of a list
        self.older: CXoneError | None = None  # why calls that the list no longer holds could not be searched at all
        self._platform = platform
        self._deadline = deadline
        self._priority = priority
        self._errands = errands
        self._on_progress = on_progress

    @property
    def complete(self) -> bool:
        """Whether all was read that the platform lists."""
        return not self.failed and self.older is None and not self.cut

    def failure(self) -> CXoneError | None:
        """Why "none found" cannot be said, where something could not be read."""
        return self.failed[0] if self.failed else self.older

    def all(self, since: datetime, until: datetime) -> Listing:
        """Every call of a window. Raises CXoneError where not even the first page can be read."""
        listing = self._platform.list(since, until, self._deadline, self._page, self._priority)
        self._take(listing)
        return listing

    def of_number(
        self,
        query: ByNumber,
        since: datetime,
        until: datetime,
        *,
        listed_from: datetime,
        on_best: Callable[[Conversation], None],
    ) -> list[Conversation]:
        """The calls that are meant, best first. Raises CXoneError where not even the first page can be read.

        Beside the list, analytics for what began before `listed_from`. `on_best` hears of the best hit so far, page
        by page.
        """
        self.failed.clear()
        self.older = None
        self.calls = self.pages = 0
        self.cut = False
        history = None
        if since < listed_from:
            history = self._errands.submit(self._platform.history, since, until, self._deadline, None, self._priority)

        def on_page(rows: list[Row], listing: Listing) -> None:
            self._page(rows, listing)
            for row in rows:
                found = match(row, query.number, self._platform.parse_row)
                if found is not None:
                    self.matches.setdefault(found.conversation.id, found)
            best = self._meant(query, since)[:1]
            if best:
                on_best(best[0])

        listing = self._platform.list(since, until, self._deadline, on_page, self._priority, number=query.number)
        self._take(listing)
        if history is not None:
            try:
                older = history.result(timeout=max(0.001, self._deadline.left()))
                on_page(older.rows, listing)
                self._take(older)
                self.pages += older.pages
            except CXoneError as error:
                self.older = _not_searched(error, listed_from)
            except TimeoutError:
                history.cancel()
                self.older = _not_searched(
                    late("GET", HISTORY, self._platform.host, self._deadline.seconds), listed_from
                )
        return self._meant(query, since)

    def searched(self, query: ByNumber | None, since: datetime, until: datetime) -> Searched:
        """What was looked through, as the answer says it."""
        return Searched(
            tenant=self._platform.tenant,
            host=self._platform.host,
            since=since,
            until=until,
            calls=self.calls,
            pages=self.pages,
            forms=query.number.masked_forms if query is not None else (),
            newest=self.newest,
            complete=self.complete,
            hotline=is_hotline(list(self.matches.values())),
        )

    def learned(self, query: Query) -> str:
        """The same in a sentence, for a search that failed; empty if nothing was read."""
        if not self.pages:
            return ""
        calls, pages = many(self.calls, "call"), many(self.pages, "page")
        read = f"Until then {calls} on {pages} were looked through"
        of = f", {len(self.matches) or 'none'} of them of this number" if isinstance(query, ByNumber) else ""
        return f"{read}{of}."

    def _take(self, listing: Listing) -> None:
        self.failed += listing.failed
        self.cut = self.cut or listing.cut

    def _meant(self, query: ByNumber, since: datetime) -> list[Conversation]:
        calls = meant(self.matches.values(), at=query.at, since=since)
        if query.since is not None:
            calls = [call for call in calls if call.started_at is None or call.started_at >= since]
        return calls

    def _page(self, rows: list[Row], listing: Listing) -> None:
        """Count a page, and tell of it."""
        self.calls += len(rows)
        self.pages = listing.pages
        # The texts of one platform sort as their times do; parsing all of them would cost as much as the rest.
        newest = time(max((str(row.get("startTime") or "") for row in rows), default=""))
        self.newest = max(filter(None, (self.newest, newest)), default=None)
        if self._on_progress is not None:
            self._on_progress(Progress(listing.pages, listing.of, self.calls))


def _not_searched(error: CXoneError, listed_from: datetime) -> CXoneError:
    """The error of the call that alone reaches older calls, with what that means."""
    return error.told(f"Calls that began before {listed_from:%Y-%m-%d %H:%M} UTC could not be searched: {error}")
