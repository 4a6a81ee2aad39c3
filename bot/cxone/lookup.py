"""One look-up from the question to the report: which call, its details, its target, the judgement, and the others."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.cxone.deadline import Deadline
from bot.cxone.errors import CXoneError, DeadlineError, NotFoundError, late
from bot.cxone.findings import failed_at, gone_before, missing_pages, outbound_newer, with_findings
from bot.cxone.listing import Row
from bot.cxone.matching import mentions, newest_first
from bot.cxone.notfound import no_details, no_id, no_number, no_session
from bot.cxone.queries import ById, ByNumber, BySession, OnProgress, Query
from bot.cxone.rate import Priority
from bot.cxone.search import Search
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Conversation, OtherCall, Report, Searched, Target
from bot.diagnosis.parties import has_bot_leg

if TYPE_CHECKING:
    from bot.cxone.investigate import Investigator

_OTHERS = 9  # further calls of the number whose details are read
_EARLY = 4  # details that are asked for before all pages are there
_SESSIONS = 200  # details that are read in search of a Cognigy session
_AGAIN_PAGES = 20  # a longer list is not read again
_FEW = 0.25  # seconds that an answer may wait for its other calls


class LookUp:
    """One look-up on its way: what was asked for, and what has come."""

    def __init__(self, desk: Investigator, deadline: Deadline, on_progress: OnProgress | None) -> None:
        """Ask nothing yet."""
        self.desk = desk
        self.platform = desk.platform
        self.deadline = deadline
        self.priority: Priority = "person"
        self.began = desk.clock.monotonic()
        self.requests_before = deadline.requests
        self.now = desk.clock.now()
        self.documents: dict[str, concurrent.futures.Future[Row]] = {}
        self.search = Search(self.platform, deadline, self.priority, desk.errands, on_progress)

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
            raise error.learned(self._learned(error, query)) from None
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
        search = self.search
        calls = self._listed(query, since)
        for pause in self.desk.look_again:
            if (
                calls
                or known
                or not search.complete
                or search.matches
                or query.at is not None
                or not self._cheap(pause)
            ):
                break
            self.desk.clock.sleep(pause)
            calls = self._listed(query, since)
        searched = search.searched(query, since, self.desk.clock.now())
        failure = search.failure()
        if not calls and failure is not None and not searched.hotline:
            raise failure
        if known is not None:
            calls = _joined(calls, known.calls)
        if not calls:
            raise no_number(query.number, searched, cut=search.cut)
        return self._first_that_is_there(calls, searched)

    def _listed(self, query: ByNumber, since: datetime) -> list[Conversation]:
        """Its calls by the list; details of the best hit are asked for while further pages arrive."""

        def on_best(call: Conversation) -> None:
            if len(self.documents) < _EARLY:
                self._ask(call.id)

        listed_from = self.now - self.desk.lookback
        return self.search.of_number(query, since, self.now, listed_from=listed_from, on_best=on_best)

    def _by_session(self, query: BySession) -> Report:
        """By whom the bot's side names; by what the rows say; else details are read until one holds the session."""
        for call_id in self.platform.calls_of_session(query.session_id, self.deadline):
            with contextlib.suppress(NotFoundError):
                document = self.platform.document(call_id, self.deadline, self.priority)
                if mentions(document, query.session_id):
                    return self._judged(document, [], None)
        since = self.now - self.desk.lookback
        listing = self.search.all(since, self.now)
        rows = {str(row["id"]): row for row in listing.rows}
        calls = newest_first(self.platform.parse_row(row) for row in rows.values())
        named = [call for call in calls if mentions(rows.get(call.id), query.session_id)]
        searched = self.search.searched(None, since, self.now)
        if named:
            return self._first_that_is_there(named, searched)
        read = 0
        for document in self._opened([call.id for call in calls if not call.outbound][:_SESSIONS]):
            read += 1
            if mentions(document, query.session_id):
                return self._judged(document, [], searched)
        failure = self.search.failure()
        if failure is not None and not read:
            raise failure
        raise no_session(query.session_id, searched, read, len(calls), cut=self.search.cut)

    def _opened(self, call_ids: Sequence[str]) -> Iterator[Row]:
        """The details of these calls as they come, for three quarters of the time that is left."""
        jobs = [self._ask(call_id) for call_id in call_ids]
        try:
            for job in concurrent.futures.as_completed(jobs, timeout=max(0.001, self.deadline.left() * 3 / 4)):
                try:
                    document = job.result()
                except CXoneError as error:
                    self.search.failed.append(error)
                    continue
                yield document
        except TimeoutError:
            return
        finally:
            for job in jobs:
                job.cancel()

    def _cheap(self, pause: float) -> bool:
        """Whether the list may be read again without risking the deadline."""
        took = self.desk.clock.monotonic() - self.began
        return self.search.pages <= _AGAIN_PAGES and (pause + took) * 2 < self.deadline.left()

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
        gone: list[tuple[Conversation, NotFoundError]] = []
        for call in calls:
            job = self._ask(call.id)
            try:
                document = job.result(timeout=max(0.001, self.deadline.left()))
            except NotFoundError as error:
                gone.append((call, error))
                continue
            except TimeoutError:
                raise late(
                    "GET", f"/api/v2/conversations/{call.id}", self.platform.host, self.deadline.seconds
                ) from None
            return self._judged(document, calls[len(gone) + 1 :], searched, gone)
        raise no_details(gone, searched, self.platform.tenant, self.platform.host)

    def _judged(
        self,
        document: Row,
        others: list[Conversation],
        searched: Searched | None,
        gone: Sequence[tuple[Conversation, NotFoundError]] = (),
    ) -> Report:
        conversation = self.platform.parse(document)
        refs = targets_of(conversation, self.desk.timing)
        targets = self.platform.targets(refs, self.deadline, self.priority)
        now = self.desk.clock.now()
        diagnosis = diagnose(conversation, targets, now=now, timing=self.desk.timing)
        peers = self.desk.peers_of(diagnosis) if self.desk.peers_of else None
        if peers is not None:
            diagnosis = diagnose(conversation, targets, now=now, timing=self.desk.timing, peers=peers)
        calls = self._others(newest_first(others), targets, now)
        extra = [
            *gone_before(gone),
            *outbound_newer(conversation, others),
            *missing_pages(self.search.failed, self.search.pages, older=self.search.older, cut=self.search.cut),
        ]
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

    def _learned(self, error: CXoneError, query: Query) -> str:
        """What is known when a look-up fails, and where the time went; empty if nothing."""
        learned = [self.search.learned(query)]
        slowest = self.deadline.slowest()
        if isinstance(error, DeadlineError) and slowest is not None and slowest.path != error.path:
            slow = f"The slowest call before it was {slowest.method} {slowest.path} with {slowest.seconds:.1f} s."
            learned.insert(0, slow)
        return " ".join(filter(None, learned))


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
