"""Finds failed handovers by itself: list, read what ended, diagnose, write.

*New* is an id not seen before. Every listed id is remembered in the transaction that moves the cursor, with the time
of its next look, so that nothing listed can be skipped: not by a crash, a broken document or a platform that is down.
What a look found (alert, counts, groups, deliveries, the next look) is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine

from bot import phone
from bot.alerts import lifecycle, ops_lines, plan, policy
from bot.alerts.arrivals import Arrivals, Lists
from bot.alerts.looks import Calls, Looked, Looks, target_id
from bot.alerts.policy import Rules
from bot.alerts.record import Scene, record, recount, scene, withdraw
from bot.alerts.wording import target_state
from bot.clock import Clock
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline
from bot.diagnosis.handover import Conversation, Diagnosis, Timing
from bot.diagnosis.outcomes import TABLE, Outcome
from bot.diagnosis.parties import customer_identities, has_bot_leg
from bot.store import conversations, facts, groups
from bot.store.conversations import Handover
from bot.store.engine import reading, writing

log = structlog.get_logger()

OPEN_LOOKS = (timedelta(seconds=15), timedelta(seconds=60), timedelta(minutes=5))  # then every 5 minutes
SETTLES_AFTER = timedelta(seconds=60)  # after the end of a call, the last look that can still change its outcome
BATCH = 100  # conversations in one transaction
RETRY_FIRST, RETRY_REFUSED, RETRY_MOST = timedelta(seconds=15), timedelta(minutes=5), timedelta(hours=1)
UNSETTLED = frozenset({Outcome.UNKNOWN, Outcome.PENDING, Outcome.WAITING})


class Platform(Lists, Calls, Protocol):
    """What the watcher asks of a tenant; `bot.cxone.platform.Conversations` is one."""


@dataclass(slots=True)
class Polled:
    """What a poll did."""

    listed: int = 0
    new: int = 0
    looked: int = 0
    unreadable: int = 0
    alerts: int = 0  # new ones, and those withdrawn
    error: str = ""  # the platform's sentence, if it could not be listed, or none of what was due could be read


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
    absence: timedelta = policy.ABSENCE  # without a poll, after which what is found is told as found on arrival
    _arrivals: Arrivals = field(init=False, repr=False)
    _looks: Looks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """The two halves of a poll."""
        self._arrivals = Arrivals(
            platform=self.platform,
            engine=self.engine,
            index_of=self._index_of,
            lookback=self.lookback,
            retention=self.retention,
            absence=self.absence,
        )
        self._looks = Looks(self.platform, self.engine, self.clock, self.timing, self.workers)

    def poll(self) -> Polled:
        """One round. Never raises for the platform: what failed is tried again. Raises StoreError."""
        now = self.clock.now()
        done = Polled()
        # 1. List, and remember every id with the cursor in one transaction.
        try:
            listed = self._arrivals.take(now, Deadline(self.clock, self.patience), self.ops_channel)
            done.listed, done.new = listed.calls, listed.new
        except CXoneError as error:
            done.error = str(error)
        # 2. Read what is due, batch by batch; a long list leaves its own time for that.
        deadline = Deadline(self.clock, self.patience)
        while not deadline.passed() and not self.stopping():
            with reading(self.engine) as connection:
                due = conversations.to_look_at(connection, self.platform.tenant, now, BATCH)
            if not due:
                break
            looked = self._looks.take(due, deadline)
            self._write(looked, done)
            if all(each.found is None for each in looked):
                if all(each.refused for each in looked):
                    done.error = done.error or looked[0].error
                break  # the platform is out, or only poison is left: later
        # 3. Whether CXone answers; endings, quiet, mutes that are over.
        now = self.clock.now()
        with writing(self.engine) as connection:
            self._note_outage(connection, done, now)
            here = scene(connection, self.platform.tenant, self.rules, now, self.ops_channel)
            lifecycle.advance(connection, here, now)
        return done

    def _note_outage(self, connection: Connection, done: Polled, now: datetime) -> None:
        """CXone is out of reach, or back: a call was read, or none waits that could not be. Those are read then."""
        tenant = self.platform.tenant
        if done.error:
            ops_lines.cxone_out(connection, tenant, now, done.error, self.ops_channel)
            return
        if done.looked == done.unreadable and conversations.refused(connection, tenant):
            ops_lines.cxone_still_out(connection, tenant, now, self.ops_channel)
        elif ops_lines.cxone_back(connection, tenant, now, self.ops_channel):
            conversations.look_again(connection, tenant, now)

    def _index_of(self, call: Conversation) -> list[tuple[str, str, datetime | None]]:
        """A call by its callers' numbers under the key; none of a document that cannot be read."""
        try:
            hashes = [phone.hashed(identity, self.hash_key) for identity in customer_identities(call)]
            return [(call.id, one, call.started_at) for one in hashes]
        except Exception as error:  # noqa: BLE001 - one poisonous row must not stop the others
            log.warning("number not indexed", conversation=call.id, error=type(error).__name__)
            return []

    # ---- what a look found ----------------------------------------------------------------------------------------

    def _write(self, looked: Sequence[Looked], done: Polled) -> None:
        """One transaction: counts, alerts, groups, deliveries, and when to look again."""
        now = self.clock.now()
        tenant = self.platform.tenant
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
                plan.release_arrival(connection, tenant, now)

    def _retry_later(self, connection: Connection, looked: Looked, now: datetime) -> None:
        tries = looked.row.unreadable + 1
        wait = min(RETRY_FIRST * 2 ** min(tries - 1, 10), RETRY_REFUSED if looked.refused else RETRY_MOST)
        given_up = now - looked.row.seen_at > self.lookback
        if given_up:
            log.warning("conversation given up", conversation=looked.row.id, tries=tries, error=looked.error[:300])
        conversations.looked(
            connection,
            self.platform.tenant,
            looked.row.id,
            unreadable=tries,
            error=looked.error[:300],
            next_look=None if given_up else now + wait,
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
                    target_id=target_id(found),
                    bot=policy.bot_of(found),
                    outcome=found.outcome.value,
                    fault=found.fault.value,
                    verdict=verdict,
                    version=found.target.version if found.target else "",
                ),
            )
        # 2. An acceptance takes back what was said before; a failure is written once.
        if verdict == "accepted":
            changed |= {withdraw(connection, alert, now) for alert in groups.alerts_of(connection, here.tenant, row.id)}
        if failure is not None and firm:
            group_id = record(connection, here, failure, now, arrival=arrived if row.arrival else None)
            changed |= {group_id} if group_id is not None else set()
            if group_id is not None:
                _note_target(connection, group_id, found)
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
            next_look=self._next_look(row, call, found, failed=failure is not None, now=now),
        )
        return changed

    def _is_firm(self, row: Any, call: Conversation, failure: policy.Failure, now: datetime) -> bool:
        """Whether a failure may be told: the call is over, or the grace period is, by both clocks."""
        if call.ended_at is not None or row.ended_at is not None:
            return True
        return bool(now >= max(failure.at, row.seen_at) + self.timing.grace)

    def _next_look(
        self, row: Any, call: Conversation, found: Diagnosis, *, failed: bool, now: datetime
    ) -> datetime | None:
        ended_at = call.ended_at or row.ended_at
        if ended_at is not None:
            settled_at = max(ended_at, row.seen_at) + SETTLES_AFTER
            return settled_at if (failed or found.outcome in UNSETTLED) and now < settled_at else None
        if now - row.seen_at > self.lookback:
            return None
        usual = now + OPEN_LOOKS[min(row.looks + 1, len(OPEN_LOOKS) - 1)]
        asked = found.decided_by.timestamp if found.decided_by else None
        if (failed or found.outcome is Outcome.PENDING) and asked is not None:
            graced = max(asked, row.seen_at) + self.timing.grace
            return min(usual, graced) if graced > now else usual
        return usual


def _verdict(found: Diagnosis, *, firm: bool) -> str:
    if found.outcome is Outcome.ACCEPTED:
        return "accepted"
    failing = TABLE[found.outcome].alerts is not None
    return "failed" if failing and firm else "open"


def _asked_at(looked: Looked) -> tuple[str, str]:
    attempt = looked.found.decided_by if looked.found else None
    at = (attempt.timestamp if attempt else None) or looked.row.ended_at or looked.row.seen_at
    return at.isoformat(), looked.row.id


def _note_target(connection: Connection, group_id: int, found: Diagnosis) -> None:
    """The target as it was looked at for the latest case."""
    target = found.target
    if target is None or target.read_at is None:
        return
    groups.set_target_state(connection, group_id, target_state(target), target.read_at)
