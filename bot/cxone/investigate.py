"""A number or an id → the facts a diagnosis needs, in as few round trips as there can be.

The path is list → details → target, each waiting for the one before and for nothing else: pages are read in parallel,
the best hit's details while further pages still arrive, the number's other calls beside its own, a target's three kinds
at once. One deadline holds for all of it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot import phone
from bot.clock import Clock
from bot.cxone.contacts import Contacts
from bot.cxone.errors import DeadlineError, late
from bot.cxone.findings import failed_at, missing_pages, outbound_newer, with_findings
from bot.cxone.http import CXoneError, Deadline, NotFoundError, Priority
from bot.cxone.listing import Listing, Row
from bot.cxone.matching import Match, is_hotline, match, meant, mentions, newest_first
from bot.cxone.notfound import ConversationNotFound, many, no_id, no_number, no_session
from bot.cxone.platform import Conversations
from bot.cxone.reading import time
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import (
    Conversation,
    Diagnosis,
    OtherCall,
    Peers,
    Report,
    Searched,
    Target,
    TargetKind,
    Timing,
)
from bot.diagnosis.parties import has_bot_leg

__all__ = ["ById", "ByNumber", "BySession", "ConversationNotFound", "Investigator", "Known", "Progress", "Query"]

_OTHERS = 9  # further calls of the number whose details are read
_EARLY = 4  # details that are asked for before all pages are there
_SESSIONS = 200  # details that are read in search of a Cognigy session
_LOOK_AGAIN = (1.0, 2.0)  # seconds until a list without the number is read again
_AGAIN_PAGES = 20  # a longer list is not read again
_FEW = 0.25  # seconds that an answer may wait for its other calls


@dataclass(frozen=True, slots=True)
class ByNumber:
    """The calls of a number: the newest, the one nearest to `at`, or as far back as `since`."""

    number: phone.Number
    at: datetime | None = None
    since: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ById:
    """One conversation."""

    id: str


@dataclass(frozen=True, slots=True)
class BySession:
    """The conversation of one Cognigy session."""

    session_id: str


Query = ByNumber | ById | BySession


@dataclass(frozen=True, slots=True)
class Known:
    """What an index knows of a number: its calls, newest first. `since`: from then on a list must complete them."""

    calls: Sequence[OtherCall]
    since: datetime | None = None  # None: fresh, it answers alone


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come. `of` is 0 where the number of pages is not known."""

    pages: int
    of: int
    calls: int


OnProgress = Callable[[Progress], None]


class Investigator:
    """Looks up what people ask for. Threads may share one."""

    def __init__(
        self,
        platform: Conversations | Contacts,
        clock: Clock,
        timing: Timing | None = None,
        deadline_seconds: float = 20.0,
        lookback: timedelta = timedelta(hours=24),
        *,
        peers_of: Callable[[Diagnosis], Peers | None] | None = None,
        known: Callable[[phone.Number], Known | None] | None = None,
        look_again: Sequence[float] = _LOOK_AGAIN,
    ) -> None:
        """`known` gives what an index knows of a number, and from when on the list is to be read beside it."""
        self.platform = platform
        self.clock = clock
        self.timing = timing or Timing()
        self.deadline_seconds = deadline_seconds
        self.lookback = lookback
        self.peers_of = peers_of
        self.known = known
        self.look_again = look_again
        self.errands = concurrent.futures.ThreadPoolExecutor(8, thread_name_prefix="errand")

    def close(self) -> None:
        """End the threads."""
        self.errands.shutdown(wait=False, cancel_futures=True)
        self.platform.close()

    def look_up(
        self, query: Query, *, deadline: Deadline | None = None, on_progress: OnProgress | None = None
    ) -> Report:
        """The diagnosis of the call that is meant. Raises ConversationNotFound, CXoneError (with what was learned)."""
        with self._within(deadline) as limit:
            return _LookUp(self, limit, on_progress).report(query)

    def target(self, kind: TargetKind, target_id: str, deadline: Deadline | None = None) -> Target:
        """What the platform says of one user, queue or flow; why not, if it could not be asked."""
        with self._within(deadline) as limit:
            return self.platform.target_of_kind(kind, target_id, limit)

    def document(self, conversation_id: str, deadline: Deadline | None = None) -> Mapping[str, Any]:
        """A conversation as the platform gives it, for "Raw events". Raises ConversationNotFound, CXoneError."""
        with self._within(deadline) as limit:
            try:
                return self.platform.document(conversation_id, limit)
            except NotFoundError:
                raise no_id(conversation_id, self.platform.tenant, self.platform.host) from None

    @contextlib.contextmanager
    def _within(self, deadline: Deadline | None) -> Iterator[Deadline]:
        """The deadline that was handed in, which goes on; else one of our own, which ends with the block."""
        if deadline is not None:
            yield deadline
            return
        with Deadline(self.clock, self.deadline_seconds) as own:
            yield own


class _LookUp:
    """One look-up on its way: what was asked for, and what has come."""

    def __init__(self, desk: Investigator, deadline: Deadline, on_progress: OnProgress | None) -> None:
        self.desk = desk
        self.platform = desk.platform
        self.deadline = deadline
        self.on_progress = on_progress
        self.priority: Priority = "person"
        self.began = desk.clock.monotonic()
        self.requests_before = deadline.requests
        self.now = desk.clock.now()
        self.documents: dict[str, concurrent.futures.Future[Row]] = {}
        self.matches: dict[str, Match] = {}
        self.newest: datetime | None = None
        self.calls = 0
        self.pages = 0
        self.failed: list[CXoneError] = []

    def report(self, query: Query) -> Report:
        """Find the call, read it, look at its target, judge it, and say what else there is."""
        try:
            match query:
                case ById():
                    return self._by_id(query)
                case ByNumber():
                    return self._by_number(query)
                case BySession():
                    return self._by_session(query)
        except CXoneError as error:
            raise error.learned(self._learned(error)) from None
        finally:
            for job in self.documents.values():
                job.cancel()

    # ---- the three ways in ----

    def _by_id(self, query: ById) -> Report:
        try:
            document = self.platform.document(query.id, self.deadline, self.priority)
        except NotFoundError as error:
            why = "" if error.status else error.sentence
            raise no_id(query.id, self.platform.tenant, self.platform.host, why) from None
        return self._judged(document, [], None)

    def _by_number(self, query: ByNumber) -> Report:
        known = self.desk.known(query.number) if self.desk.known and not (query.at or query.since) else None
        if known is not None and known.since is None:
            return self._first_that_is_there(_joined([], known.calls), None)
        since = self.now - (query.since or self.desk.lookback)
        if known is not None and known.since is not None:
            since = max(since, known.since)
        if query.at is not None:
            since = min(since, query.at - timedelta(hours=1))
        calls = self._search(query, since)
        for pause in self.desk.look_again:
            if calls or known or self.failed or self.matches or query.at is not None or not self._cheap(pause):
                break
            self.desk.clock.sleep(pause)
            calls = self._search(query, since)
        searched = Searched(
            tenant=self.platform.tenant,
            host=self.platform.host,
            since=since,
            until=self.desk.clock.now(),
            calls=self.calls,
            pages=self.pages,
            forms=query.number.masked_forms,
            newest=self.newest,
            complete=not self.failed,
            hotline=is_hotline(list(self.matches.values())),
        )
        if not calls and self.failed and not searched.hotline:
            raise self.failed[0]
        if known is not None:
            calls = _joined(calls, known.calls)
        if not calls:
            raise no_number(query.number, searched)
        return self._first_that_is_there(calls, searched)

    def _by_session(self, query: BySession) -> Report:
        """By whom the bot's side names; by what the rows say; else details are read until one holds the session."""
        for call_id in self.platform.calls_of_session(query.session_id, self.deadline):
            with contextlib.suppress(NotFoundError):
                document = self.platform.document(call_id, self.deadline, self.priority)
                if mentions(document, query.session_id):
                    return self._judged(document, [], None)
        since = self.now - self.desk.lookback
        listing = self.platform.list(since, self.now, self.deadline, self._page, self.priority)
        self.failed += listing.failed
        rows = {str(row["id"]): row for row in listing.rows}
        calls = newest_first(self.platform.parse_row(row) for row in rows.values())
        named = [call for call in calls if mentions(rows.get(call.id), query.session_id)]
        searched = Searched(
            tenant=self.platform.tenant,
            host=self.platform.host,
            since=since,
            until=self.now,
            calls=self.calls,
            pages=self.pages,
            newest=self.newest,
            complete=not self.failed,
        )
        if named:
            return self._first_that_is_there(named, searched)
        candidates = [call.id for call in calls if not call.outbound][:_SESSIONS]
        jobs = {self._ask(call_id): call_id for call_id in candidates}
        read, reserve = 0, self.deadline.left() / 4
        try:
            for job in concurrent.futures.as_completed(jobs, timeout=max(0.001, self.deadline.left() - reserve)):
                try:
                    document = job.result()
                except CXoneError as error:
                    self.failed.append(error)
                    continue
                read += 1
                if mentions(document, query.session_id):
                    for other in jobs:
                        other.cancel()
                    return self._judged(document, [], searched)
        except TimeoutError:
            pass
        if self.failed and not read:
            raise self.failed[0]
        raise no_session(query.session_id, searched, read, len(calls))

    # ---- the list ----

    def _search(self, query: ByNumber, since: datetime) -> list[Conversation]:
        """Read the list and, for what it no longer holds, analytics beside it; details of the best hit meanwhile."""
        self.failed.clear()
        self.calls = self.pages = 0
        history = None
        if since < self.now - self.desk.lookback:
            history = self.desk.errands.submit(
                self.platform.history, since, self.now, self.deadline, None, self.priority
            )

        def on_page(rows: list[Row], listing: Listing) -> None:
            self._page(rows, listing)
            for row in rows:
                found = match(row, query.number, self.platform.parse_row)
                if found is not None:
                    self.matches.setdefault(found.conversation.id, found)
            best = self._meant(query, since)[:1]
            if best and len(self.documents) < _EARLY:
                self._ask(best[0].id)

        listing = self.platform.list(since, self.now, self.deadline, on_page, self.priority, number=query.number)
        self.failed += listing.failed
        if history is not None:
            try:
                found = history.result(timeout=max(0.001, self.deadline.left()))
                on_page(found.rows, listing)
                self.failed += found.failed
                self.pages += found.pages
            except CXoneError as error:
                self.failed.append(error)
            except TimeoutError:
                history.cancel()
                self.failed.append(late("GET", "analytics", self.platform.host, self.deadline.seconds))
        return self._meant(query, since)

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
        if self.on_progress is not None:
            self.on_progress(Progress(listing.pages, listing.of, self.calls))

    def _cheap(self, pause: float) -> bool:
        """Whether the list may be read again without risking the deadline."""
        took = self.desk.clock.monotonic() - self.began
        return self.pages <= _AGAIN_PAGES and (pause + took) * 2 < self.deadline.left()

    # ---- details, target, judgement ----

    def _ask(self, conversation_id: str) -> concurrent.futures.Future[Row]:
        """Its details, asked for once."""
        if conversation_id not in self.documents:
            self.documents[conversation_id] = self.platform.submit(
                self.priority, self.platform.document, conversation_id, self.deadline, self.priority
            )
        return self.documents[conversation_id]

    def _first_that_is_there(self, calls: list[Conversation], searched: Searched | None) -> Report:
        """The best call whose details exist; a row may outlive them. All that may be shown is asked for at once."""
        limit = self.platform.session.rate.limit()
        beside = _OTHERS if limit is None else min(_OTHERS, int(limit / 2))  # a slow rate is for the path alone
        for call in [calls[0], *newest_first(calls[1:])[:beside]]:
            self._ask(call.id)
        gone: NotFoundError | None = None
        for call in calls:
            job = self._ask(call.id)
            try:
                document = job.result(timeout=max(0.001, self.deadline.left()))
            except NotFoundError as error:
                gone = error
                continue
            except TimeoutError:
                raise late(
                    "GET", f"/api/v2/conversations/{call.id}", self.platform.host, self.deadline.seconds
                ) from None
            return self._judged(document, [each for each in calls if each.id != call.id], searched)
        raise gone or no_id(calls[0].id, self.platform.tenant, self.platform.host)

    def _judged(self, document: Row, others: list[Conversation], searched: Searched | None) -> Report:
        conversation = self.platform.parse(document)
        refs = targets_of(conversation, self.desk.timing)
        targets = self.platform.targets(refs, self.deadline, self.priority)
        now = self.desk.clock.now()
        diagnosis = diagnose(conversation, targets, now=now, timing=self.desk.timing)
        peers = self.desk.peers_of(diagnosis) if self.desk.peers_of else None
        if peers is not None:
            diagnosis = diagnose(conversation, targets, now=now, timing=self.desk.timing, peers=peers)
        calls = self._others(newest_first(others), targets, now)
        extra = [*outbound_newer(conversation, others), *missing_pages(self.failed, self.pages)]
        day = now - timedelta(hours=24)
        today = [
            call.started_at for call in (conversation, *others) if call.started_at is None or call.started_at >= day
        ]
        return Report(
            diagnosis=with_findings(diagnosis, extra),
            others=calls,
            searched=searched,
            requests=self.deadline.requests - self.requests_before,
            seconds=self.desk.clock.monotonic() - self.began,
            calls_today=len(today),
            failed_today=failed_at(diagnosis, calls, day),
            unread_today=sum(
                call.outcome is None and (call.started_at is None or call.started_at >= day) for call in calls
            ),
            targets=targets,
            document=document,
        )

    def _others(
        self, others: list[Conversation], targets: Mapping[str, Target], now: datetime
    ) -> tuple[OtherCall, ...]:
        """The number's other calls, with the outcome of those whose details are there by now, or very soon."""
        jobs = [self.documents[call.id] for call in others if call.id in self.documents]
        concurrent.futures.wait(jobs, timeout=min(self.deadline.left(), _FEW))
        calls = []
        for call in others:
            outcome = None
            job = self.documents.get(call.id)
            if job is not None and job.done() and not job.cancelled() and job.exception() is None:
                conversation = self.platform.parse(job.result())
                outcome = diagnose(conversation, targets, now=now, timing=self.desk.timing).outcome
            calls.append(
                OtherCall(conversation_id=call.id, started_at=call.started_at, outcome=outcome, outbound=call.outbound)
            )
        return tuple(calls)

    def _learned(self, error: CXoneError) -> str:
        """What is known when a look-up fails, and where the time went; empty if nothing."""
        learned = []
        slowest = self.deadline.slowest()
        if isinstance(error, DeadlineError) and slowest is not None and slowest.path != error.path:
            learned.append(
                f"The slowest call before it was {slowest.method} {slowest.path} with {slowest.seconds:.1f} s."
            )
        if self.pages:
            found = f"{len(self.matches)} of them of this number" if self.matches else "none of them of this number"
            calls, pages = many(self.calls, "call"), many(self.pages, "page")
            learned.append(f"Until then {calls} on {pages} were looked through, {found}.")
        return " ".join(learned)


def _joined(found: Sequence[Conversation], known: Sequence[OtherCall]) -> list[Conversation]:
    """Listed calls with those that an index knows, the likeliest to be meant first: inbound, then the newest."""
    listed = {call.id for call in found}
    calls = [
        *found,
        *(
            Conversation(id=call.conversation_id, started_at=call.started_at, outbound=call.outbound)
            for call in known
            if call.conversation_id not in listed
        ),
    ]
    return sorted(newest_first(calls), key=lambda call: call.outbound or (call.id in listed and not has_bot_leg(call)))
