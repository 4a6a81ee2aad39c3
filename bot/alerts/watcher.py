"""Finds failed handovers by itself: list, read what ended, diagnose, write.

*New* is an id not seen before. Every listed id is remembered in the transaction that moves the cursor, with the time
of its next look, so that nothing listed can be skipped: not by a crash, a broken document or a platform that is down.
What a look found (alert, counts, groups, deliveries, the next look) is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine

from bot.alerts import holders, lifecycle, listed, looks, ops_lines, plan, policy
from bot.alerts.looks import Looked
from bot.alerts.policy import Rules
from bot.alerts.record import Scene, record, recount, scene, withdraw
from bot.alerts.wording import target_state
from bot.clock import Clock
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline
from bot.diagnosis.handover import Conversation, Diagnosis, Target, TargetRef, Timing
from bot.diagnosis.outcomes import Code, Outcome
from bot.diagnosis.parties import has_bot_leg
from bot.store import conversations, facts, groups
from bot.store.conversations import Handover
from bot.store.engine import reading, writing

log = structlog.get_logger()

BATCH = 100  # conversations in one transaction


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
    error: str = ""  # the platform's sentence, if it could not be listed, or nothing read


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
    absence: timedelta = policy.ABSENCE  # without a poll; what is found after it is one summary
    retention: timedelta = timedelta(days=30)  # after which a conversation's row is purged
    ops_channel: str = ""
    workers: int = 32
    patience: float = 30.0  # seconds for the list of a poll, and again for what it reads
    stopping: Callable[[], bool] = lambda: False  # then no further batch is read
    _looks: looks.Looks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """The reader of conversations."""
        self._looks = looks.Looks(self.platform, self.engine, self.clock, self.timing, self.workers)

    def poll(self) -> Polled:
        """One round. Never raises for the platform: what failed is tried again. Raises StoreError."""
        now = self.clock.now()
        done = Polled()
        # 1. List, and remember every id with the cursor in one transaction.
        try:
            self._list(now, done)
        except CXoneError as error:
            done.error = str(error)
            with writing(self.engine) as connection:
                ops_lines.fails(
                    connection, self.platform.tenant, facts.CXONE_OUT, now, why=done.error, channel=self.ops_channel
                )
        # 2. Read what is due, batch by batch; a slow list takes nothing of the time for it.
        deadline = Deadline(self.clock, self.patience)
        while not deadline.passed() and not self.stopping():
            with reading(self.engine) as connection:
                due = conversations.to_look_at(connection, self.platform.tenant, now, BATCH)
            if not due:
                break
            looked = self._looks.look(due, deadline)
            self._write(looked, done)
            if all(each.found is None for each in looked):
                break  # the platform is out, or only poison is left: later
        # 3. Endings, quiet, mutes that are over.
        now = self.clock.now()
        with writing(self.engine) as connection:
            here = scene(connection, self.platform.tenant, self.rules, now, self.ops_channel)
            lifecycle.advance(connection, here, now)
        return done

    def _fails(self, connection: Connection, what: str, now: datetime, why: str) -> None:
        ops_lines.fails(connection, self.platform.tenant, what, now, why=why, channel=self.ops_channel)

    # ---- 1. list --------------------------------------------------------------------------------------------------

    def _list(self, now: datetime, done: Polled) -> None:
        tenant = self.platform.tenant
        # 1. Ask, and tell the new from the known.
        with reading(self.engine) as connection:
            before = facts.cursor(connection, tenant)
        found = listed.ask(self.platform, before, now, self.lookback, Deadline(self.clock, self.patience))
        calls = found.calls
        ends = {each: call.ended_at for each, call in calls.items() if call.ended_at is not None}
        with reading(self.engine) as connection:
            new = sorted(conversations.unseen(connection, tenant, calls))
            closing = conversations.still_open(connection, tenant, set(ends).difference(new))
        late = {each for each in new if listed.is_late(calls[each], before)}
        absent = listed.is_absent(before, now, self.absence)
        arrivals = set(new) if absent else late
        after = listed.move(before, now, missing=bool(found.missing), absent=absent, late=bool(late))
        # 2. Remember them, and where the watcher stands.
        added = [self._first_row(calls[each], now, arrival=each in arrivals) for each in new]
        with writing(self.engine) as connection:
            conversations.add(connection, tenant, added)
            numbers = [one for each in new for one in listed.numbers_of(calls[each], self.hash_key)]
            conversations.index(connection, tenant, numbers)
            conversations.ended(connection, tenant, {each: ends[each] for each in closing}, now)
            facts.set_cursor(connection, tenant, **after._asdict())
            ops_lines.listed(connection, tenant, now, found, before=before.listed_until, channel=self.ops_channel)
        done.listed, done.new = len(calls), len(new)

    def _first_row(self, call: Conversation, now: datetime, *, arrival: bool) -> dict[str, Any]:
        over = call.ended_at is not None
        # A row that was purged alerted then, if it had to.
        old = (call.ended_at or call.started_at or now) < now - max(self.lookback, self.retention)
        return {
            "id": call.id,
            "started_at": call.started_at,
            "ended_at": call.ended_at,
            "seen_at": now,
            "next_look": None if old else now if over else now + looks.OPEN_LOOKS[0],
            "arrival": arrival and over,
            "outbound": call.outbound,
        }

    # ---- 2. write -------------------------------------------------------------------------------------------------

    def _write(self, looked: Sequence[Looked], done: Polled) -> None:
        """One transaction: counts, alerts, groups, deliveries, and when to look again."""
        now = self.clock.now()
        tenant = self.platform.tenant
        with writing(self.engine) as connection:
            here = scene(connection, tenant, self.rules, now, self.ops_channel)
            stands = facts.cursor(connection, tenant)
            out = self._is_out(connection, looked, done, now)
            changed: set[int] = set()
            read = [each.conversation for each in looked if each.conversation and not each.row.forgotten]
            numbers = [one for call in read for one in listed.numbers_of(call, self.hash_key)]
            conversations.index(connection, tenant, numbers)
            for each in sorted(looked, key=looks.asked_at):
                done.looked += 1
                if each.found is None or each.conversation is None:
                    done.unreadable += 1
                    self._retry_later(connection, each, now, out=out)
                    continue
                touched = self._write_one(connection, here, each, arrived=stands.arrived_at, now=now)
                done.alerts += len(touched)
                changed |= touched
            for group_id in sorted(changed):
                recount(connection, group_id, now)
                plan.settle(connection, here, group_id, now)
            if listed.is_whole(stands) and not conversations.unread_arrivals(connection, tenant):
                holders.release_arrival(connection, tenant, now)

    def _is_out(self, connection: Connection, looked: Sequence[Looked], done: Polled, now: datetime) -> bool:
        """Whether the platform reads nothing for us, noted since when. Old poison alone does not say so, or no more."""
        tenant = self.platform.tenant
        if not all(each.refused for each in looked):
            ops_lines.works(connection, tenant, facts.UNREAD, now, self.ops_channel)
            return False
        if done.error:
            return True
        known = facts.fact(connection, tenant, facts.UNREAD) is not None
        is_old = all(now - each.row.seen_at > self.lookback for each in looked)
        if is_old or (not known and all(each.row.unreadable for each in looked)):
            return False
        done.error = looked[0].error
        self._fails(connection, facts.UNREAD, now, done.error)
        return True

    def _retry_later(self, connection: Connection, looked: Looked, now: datetime, *, out: bool) -> None:
        tries, again = looks.after_a_failure(looked.row, now, self.lookback, out=out)
        if again is None:
            log.warning("conversation given up", conversation=looked.row.id, tries=tries, why=looked.error)
            facts.drop(connection, self.platform.tenant, facts.UNREAD)  # the next call that is not read says it again
        conversations.looked(
            connection,
            self.platform.tenant,
            looked.row.id,
            unreadable=tries,
            error=looked.error[:300],
            next_look=again,
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
        firm = failure is not None and looks.is_firm(row, call, failure, now, self.timing)
        # 1. The counts.
        verdict = looks.verdict(found, firm=firm)
        if found.decided_by is not None and found.outcome is not Outcome.NOT_ATTEMPTED:
            conversations.count_handover(
                connection,
                here.tenant,
                Handover(
                    conversation_id=row.id,
                    at=found.decided_by.timestamp or call.ended_at or call.started_at or row.seen_at,
                    target_id=looks.target_id(found),
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
            next_look=looks.next_look(looked, failure, now, self.timing, self.lookback, firm=firm),
        )
        return changed


def _accepted_at(found: Diagnosis) -> datetime | None:
    """When CXone took it, as the record says."""
    told = (row.timestamp for row in found.findings if row.code is Code.TRANSFER_ACCEPTED and row.timestamp)
    return max(told, default=found.decided_by.timestamp if found.decided_by is not None else None)


def _note_target(connection: Connection, written: Iterable[int], found: Diagnosis) -> None:
    """The target as it was looked at for the latest case, in groups that name this one."""
    target = found.target
    if target is None or target.read_at is None:
        return
    for group_id in written:
        if groups.get(connection, group_id).target_id == target.id:
            groups.set_target_state(connection, group_id, target_state(target), target.read_at)
