"""Finds failed handovers by itself: list, read what ended, diagnose, write.

*New* is an id not seen before. Every listed id is remembered in the transaction that moves the cursor, with the time
of its next look, so that nothing listed can be skipped: not by a crash, a broken document or a platform that is down.
What a look found (alert, counts, groups, deliveries, the next look) is one transaction.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine

from bot import phone
from bot.alerts import holders, lifecycle, ops_lines, plan, policy
from bot.alerts.policy import Rules
from bot.alerts.record import Scene, record, recount, scene, withdraw
from bot.alerts.wording import target_state
from bot.clock import Clock
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Conversation, Diagnosis, Peers, Target, TargetRef, Timing
from bot.diagnosis.outcomes import TABLE, Code, Outcome
from bot.diagnosis.parties import customer_identities, has_bot_leg
from bot.store import conversations, facts, groups
from bot.store.conversations import Handover
from bot.store.engine import StoreError, reading, writing

log = structlog.get_logger()

OPEN_LOOKS = (timedelta(seconds=15), timedelta(seconds=60), timedelta(minutes=5))  # then every 5 minutes
SETTLES_AFTER = timedelta(seconds=60)  # after the end of a call, the last look that can still change its outcome
TARGET_LASTS = timedelta(seconds=60)
OVERLAP = timedelta(hours=1)
MOST_TARGETS = 5_000  # kept in memory
BATCH = 100  # conversations in one transaction
RETRY_FIRST, RETRY_MOST = timedelta(seconds=15), timedelta(hours=1)
UNSETTLED = frozenset({Outcome.UNKNOWN, Outcome.PENDING, Outcome.WAITING})


class Platform(Protocol):
    """What the watcher asks of a tenant; `bot.cxone.platform.Conversations` is one."""

    tenant: str

    def list(self, since: Any, until: Any, deadline: Deadline, *, priority: Any = ...) -> Any:
        """Rows of the calls in a window."""
        ...

    def history(self, since: Any, until: Any, deadline: Deadline, *, priority: Any = ...) -> Any:
        """Rows that the list no longer holds."""
        ...

    def details(self, conversation_id: str, deadline: Deadline, priority: Any = ...) -> Conversation:
        """A conversation with its events."""
        ...

    def target(self, ref: TargetRef, deadline: Deadline, priority: Any = ...) -> Target:
        """What a handover went to."""
        ...

    def parse_row(self, row: object) -> Conversation:
        """A row of the list, read."""
        ...


@dataclass(slots=True)
class Polled:
    """What a poll did."""

    listed: int = 0
    new: int = 0
    looked: int = 0
    unreadable: int = 0
    alerts: int = 0  # new ones, and those withdrawn
    error: str = ""  # the platform's sentence, if it could not be listed


@dataclass(slots=True)
class Looked:
    """A conversation that was read: what it says, or why it could not be read."""

    row: Any
    conversation: Conversation | None = None
    found: Diagnosis | None = None
    error: str = ""


@dataclass(slots=True)
class Watcher:
    """One tenant's watcher. `poll` is called by one thread at a time."""

    platform: Platform
    engine: Engine
    clock: Clock
    hash_key: str | bytes
    rules: Rules = field(default_factory=Rules)
    timing: Timing = field(default_factory=Timing)
    lookback: timedelta = timedelta(hours=24)
    retention: timedelta = timedelta(days=30)  # after which a conversation's row is purged
    ops_channel: str = ""
    workers: int = 32
    patience: float = 30.0  # seconds for the calls of one poll
    stopping: Callable[[], bool] = lambda: False  # then no further batch is read
    _targets: dict[str, tuple[datetime, Target]] = field(default_factory=dict, repr=False)

    def poll(self) -> Polled:
        """One round. Never raises for the platform: what failed is tried again. Raises StoreError."""
        now = self.clock.now()
        deadline = Deadline(self.clock, self.patience)
        done = Polled()
        # 1. List, and remember every id with the cursor in one transaction.
        try:
            self._list(now, deadline, done)
        except CXoneError as error:
            done.error = str(error)
            with writing(self.engine) as connection:
                ops_lines.cxone_out(connection, self.platform.tenant, now, done.error, self.ops_channel)
        # 2. Read what is due, batch by batch.
        while not deadline.passed() and not self.stopping():
            with reading(self.engine) as connection:
                due = conversations.to_look_at(connection, self.platform.tenant, now, BATCH)
            if not due:
                break
            looked = self._look(due, deadline)
            self._write(looked, done)
            if all(each.found is None for each in looked):
                break  # the platform is out, or only poison is left: later
        # 3. Endings, quiet, mutes that are over.
        now = self.clock.now()
        with writing(self.engine) as connection:
            here = scene(connection, self.platform.tenant, self.rules, now, self.ops_channel)
            lifecycle.advance(connection, here, now)
        return done

    # ---- 1. list --------------------------------------------------------------------------------------------------

    def _list(self, now: datetime, deadline: Deadline, done: Polled) -> None:
        tenant = self.platform.tenant
        with reading(self.engine) as connection:
            before = facts.cursor(connection, tenant)
        absent = before.polled_at is None or now - before.polled_at > policy.ABSENCE
        since = (before.listed_until or now - self.lookback) - OVERLAP
        listing = self.platform.list(since, now, deadline, priority="watcher")
        rows = {row["id"]: row for row in listing.rows if isinstance(row.get("id"), str)}
        complete = listing.complete
        if before.listed_until is not None and before.listed_until < now - self.lookback:
            older = self.platform.history(before.listed_until, now, deadline, priority="watcher")
            rows = {row["id"]: row for row in older.rows if isinstance(row.get("id"), str)} | rows
            complete = complete and older.complete
        done.listed = len(rows)
        calls = {each: self.platform.parse_row(row) for each, row in rows.items()}
        ends = {each: call.ended_at for each, call in calls.items() if call.ended_at is not None}
        with reading(self.engine) as connection:
            new = conversations.unseen(connection, tenant, calls)
            closing = conversations.still_open(connection, tenant, [each for each in ends if each not in new])
        added = [self._first_row(calls[each], now, arrival=absent) for each in sorted(new)]
        for row in added:
            if (row["ended_at"] or row["started_at"] or now) < now - max(self.lookback, self.retention):
                row["next_look"] = None  # it was here before its row was purged: it alerted then, if it had to
        with writing(self.engine) as connection:
            conversations.add(connection, tenant, added)
            conversations.index(
                connection, tenant, [one for each in sorted(new) for one in self._index_of(calls[each])]
            )
            conversations.ended(connection, tenant, {each: ends[each] for each in closing}, now)
            if complete:
                moved = {"listed_until": now, "polled_at": now} | ({"arrived_at": now} if absent else {})
                facts.set_cursor(connection, tenant, **moved)
            ops_lines.cxone_back(connection, tenant, now, self.ops_channel)
        done.new = len(new)

    def _first_row(self, call: Conversation, now: datetime, *, arrival: bool) -> dict[str, Any]:
        over = call.ended_at is not None
        return {
            "id": call.id,
            "started_at": call.started_at,
            "ended_at": call.ended_at,
            "seen_at": now,
            "next_look": now if over else now + OPEN_LOOKS[0],
            "arrival": arrival and over,
            "outbound": call.outbound,
        }

    def _index_of(self, call: Conversation) -> list[tuple[str, str, datetime | None]]:
        """A call by its callers' numbers under the key; none of a document that cannot be read."""
        try:
            hashes = [phone.hashed(identity, self.hash_key) for identity in customer_identities(call)]
            return [(call.id, one, call.started_at) for one in hashes]
        except Exception as error:  # noqa: BLE001 - one poisonous row must not stop the others
            log.warning("number not indexed", conversation=call.id, error=type(error).__name__)
            return []

    # ---- 2. read and diagnose -------------------------------------------------------------------------------------

    def _look(self, due: Sequence[Any], deadline: Deadline) -> list[Looked]:
        """Read and diagnose in parallel. What fails says why; nothing is raised."""
        with concurrent.futures.ThreadPoolExecutor(self.workers, thread_name_prefix="watcher") as pool:
            read = list(pool.map(lambda row: self._read(row, deadline), due))
            wanted = {ref.id: ref for each in read for ref in self._refs(each)}
            list(pool.map(lambda ref: self._target(ref, deadline), wanted.values()))
        known: dict[str, Peers | None] = {}
        for each in read:
            self._judge(each, known)
        return read

    def _read(self, row: Any, deadline: Deadline) -> Looked:
        try:
            return Looked(row, self.platform.details(row.id, deadline, priority="watcher"))
        except CXoneError as error:
            return Looked(row, error=str(error))
        except Exception as error:  # noqa: BLE001 - one poisonous document must not stop the others
            log.warning("conversation unreadable", conversation=row.id, error=type(error).__name__)
            return Looked(row, error=f"The document could not be read ({type(error).__name__}).")

    def _refs(self, looked: Looked) -> Iterable[TargetRef]:
        if looked.conversation is None:
            return ()
        try:
            return targets_of(looked.conversation, self.timing)
        except Exception as error:  # noqa: BLE001 - the same
            looked.error = f"The document could not be judged ({type(error).__name__})."
            return ()

    def _target(self, ref: TargetRef, deadline: Deadline) -> None:
        now = self.clock.now()
        cached = self._targets.get(ref.id)
        if cached is not None and now - cached[0] < TARGET_LASTS:
            return
        try:
            self._targets[ref.id] = (now, self.platform.target(ref, deadline, priority="watcher"))
        except CXoneError:
            self._targets.pop(ref.id, None)

    def _peers(self, target_id: str, known: dict[str, Peers | None]) -> Peers | None:
        """What the tables know of a target, asked once a batch."""
        if target_id not in known:
            with reading(self.engine) as connection:
                known[target_id] = peers(connection, self.platform.tenant, target_id, self.clock.now())
        return known[target_id]

    def _judge(self, looked: Looked, known: dict[str, Peers | None]) -> None:
        if looked.conversation is None or looked.error:
            return
        try:
            targets = {ref.id: self._targets[ref.id][1] for ref in self._refs(looked) if ref.id in self._targets}
            found = self._diagnose(looked.conversation, targets, None)
            if TABLE[found.outcome].alerts is not None and found.decided_by is not None:
                found = self._diagnose(looked.conversation, targets, self._peers(_target_id(found), known))
            looked.found = found
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the same
            log.warning("conversation not judged", conversation=looked.row.id, error=type(error).__name__)
            looked.error = f"The document could not be judged ({type(error).__name__})."

    def _diagnose(self, call: Conversation, targets: Mapping[str, Target], known: Peers | None) -> Diagnosis:
        return diagnose(call, targets, now=self.clock.now(), timing=self.timing, peers=known)

    # ---- 3. write -------------------------------------------------------------------------------------------------

    def _write(self, looked: Sequence[Looked], done: Polled) -> None:
        """One transaction: counts, alerts, groups, deliveries, and when to look again."""
        now = self.clock.now()
        tenant = self.platform.tenant
        while len(self._targets) > MOST_TARGETS:
            self._targets.pop(next(iter(self._targets)))  # the oldest: dicts keep their order
        with writing(self.engine) as connection:
            here = scene(connection, tenant, self.rules, now, self.ops_channel)
            arrived = facts.cursor(connection, tenant).arrived_at
            changed: set[int] = set()
            read = [each.conversation for each in looked if each.conversation and not each.row.forgotten]
            conversations.index(connection, tenant, [one for call in read for one in self._index_of(call)])
            for each in sorted(looked, key=_asked_at):
                done.looked += 1
                if each.found is None or each.conversation is None:
                    done.unreadable += 1
                    self._retry_later(connection, each, now)
                    continue
                touched = self._write_one(connection, here, each, arrived=arrived, now=now)
                done.alerts += len(touched)
                changed |= touched
            for group_id in sorted(changed):
                recount(connection, group_id, now)
                plan.settle(connection, here, group_id, now)
            if not conversations.unread_arrivals(connection, tenant):
                holders.release_arrival(connection, tenant, now)

    def _retry_later(self, connection: Connection, looked: Looked, now: datetime) -> None:
        tries = looked.row.unreadable + 1
        wait = min(RETRY_FIRST * 2 ** min(tries - 1, 10), RETRY_MOST)
        conversations.looked(
            connection,
            self.platform.tenant,
            looked.row.id,
            unreadable=tries,
            error=looked.error[:300],
            next_look=now + wait,
        )

    def _write_one(
        self,
        connection: Connection,
        here: Scene,
        looked: Looked,
        *,
        arrived: datetime | None,
        now: datetime,
    ) -> set[int]:
        row, call, found = looked.row, looked.conversation, looked.found
        if call is None or found is None:
            return set()
        if row.forgotten:
            found = found._replace(phone="")
        changed: set[int] = set()
        failure = policy.failure_of(found, now)
        firm = failure is not None and self._is_firm(row, call, failure, now)
        # 1. The counts.
        verdict = _verdict(found, firm=firm)
        if found.decided_by is not None and found.outcome is not Outcome.NOT_ATTEMPTED:
            conversations.count_handover(
                connection,
                here.tenant,
                Handover(
                    conversation_id=row.id,
                    at=found.decided_by.timestamp or call.ended_at or call.started_at or row.seen_at,
                    target_id=_target_id(found),
                    bot=policy.bot_of(found),
                    outcome=found.outcome.value,
                    fault=found.fault.value,
                    verdict=verdict,
                    version=found.target.version if found.target else "",
                ),
            )
        # 2. An acceptance takes back what was said before; a failure is written once.
        if verdict == "accepted":
            changed |= {
                withdraw(connection, here, alert, _accepted_at(found), now)
                for alert in groups.alerts_of(connection, here.tenant, row.id)
            }
        if failure is not None and firm:
            written = record(connection, here, failure, now, arrival=arrived if row.arrival else None)
            _note_target(connection, written, found)
            changed |= written
        # 3. When to look again.
        conversations.looked(
            connection,
            here.tenant,
            row.id,
            looks=row.looks + 1,
            unreadable=0,
            error="",
            started_at=call.started_at or row.started_at,
            ended_at=call.ended_at or row.ended_at,
            phone=found.phone,
            bot=has_bot_leg(call),
            outcome=found.outcome.value,
            next_look=self._next_look(row, call, found, failure, firm=firm, now=now),
        )
        return changed

    def _is_firm(self, row: Any, call: Conversation, failure: policy.Failure, now: datetime) -> bool:
        """Whether a failure may be told: the call is over, or the grace period is, by both clocks.

        What is concluded from silence waits a little after the end too: an event may come late.
        """
        ended_at = call.ended_at or row.ended_at
        if ended_at is not None:
            return failure.outcome not in policy.BY_SILENCE or now >= self._certain_at(row, failure, ended_at)
        return now >= self._graced_at(row, failure.at)

    def _certain_at(self, row: Any, failure: policy.Failure, ended_at: datetime) -> datetime:
        return min(ended_at + SETTLES_AFTER, self._graced_at(row, failure.at))

    def _graced_at(self, row: Any, asked: datetime) -> datetime:
        seen_at: datetime = row.seen_at
        return max(asked, seen_at) + self.timing.grace

    def _next_look(
        self,
        row: Any,
        call: Conversation,
        found: Diagnosis,
        failure: policy.Failure | None,
        *,
        firm: bool,
        now: datetime,
    ) -> datetime | None:
        ended_at = call.ended_at or row.ended_at
        if ended_at is not None:
            settled_at: datetime = max(ended_at, row.seen_at) + SETTLES_AFTER
            if now >= settled_at or (failure is None and found.outcome not in UNSETTLED):
                return None
            return settled_at if failure is None or firm else self._certain_at(row, failure, ended_at)
        if now - row.seen_at > self.lookback:
            return None
        usual = now + OPEN_LOOKS[min(row.looks + 1, len(OPEN_LOOKS) - 1)]
        asked = found.decided_by.timestamp if found.decided_by else None
        if (failure is not None or found.outcome is Outcome.PENDING) and asked is not None:
            graced_at = self._graced_at(row, asked)
            return min(usual, graced_at) if graced_at > now else usual
        return usual


def peers(connection: Connection, tenant: str, target_id: str, now: datetime) -> Peers | None:
    """What the tables know of a target and its tenant in the last hour; None before anything was counted."""
    found = conversations.counts(connection, tenant, target_id, now)
    if not found["tenant_attempts"] and found["last_accepted"] is None:
        return None
    return Peers(**found)


def _target_id(found: Diagnosis) -> str:
    attempt = found.decided_by
    if attempt is None:
        return ""
    return (attempt.ref.id if attempt.ref else "") or attempt.to_id


def _accepted_at(found: Diagnosis) -> datetime | None:
    """When CXone took it, as the record says."""
    told = (row.timestamp for row in found.findings if row.code is Code.TRANSFER_ACCEPTED and row.timestamp)
    return max(told, default=found.decided_by.timestamp if found.decided_by is not None else None)


def _verdict(found: Diagnosis, *, firm: bool) -> str:
    if found.outcome is Outcome.ACCEPTED:
        return "accepted"
    failing = TABLE[found.outcome].alerts is not None
    return "failed" if failing and firm else "open"


def _asked_at(looked: Looked) -> tuple[str, str]:
    attempt = looked.found.decided_by if looked.found else None
    at = (attempt.timestamp if attempt else None) or looked.row.ended_at or looked.row.seen_at
    return at.isoformat(), looked.row.id


def _note_target(connection: Connection, written: Iterable[int], found: Diagnosis) -> None:
    """The target as it was looked at for the latest case, in groups that name this one."""
    target = found.target
    if target is None or target.read_at is None:
        return
    for group_id in written:
        if groups.get(connection, group_id).target_id == target.id:
            groups.set_target_state(connection, group_id, target_state(target), target.read_at)
