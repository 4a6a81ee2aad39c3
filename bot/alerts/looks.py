"""Looks at conversations: read and judged in parallel, and when the next look is due. What fails says why."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from bot.alerts.policy import BY_SILENCE, Failure
from bot.clock import Clock
from bot.cxone.errors import CXoneError, NotFoundError
from bot.cxone.http import Deadline
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Conversation, Diagnosis, Peers, Target, TargetRef, Timing
from bot.diagnosis.outcomes import TABLE, Outcome
from bot.store import conversations
from bot.store.engine import StoreError, reading

log = structlog.get_logger()

OPEN_LOOKS = (timedelta(seconds=15), timedelta(seconds=60), timedelta(minutes=5))  # then every 5 minutes
SETTLES_AFTER = timedelta(seconds=60)  # after the end of a call, the last look that can still change its outcome
COMPLETE_AFTER = timedelta(minutes=5)  # a call that is seen so long after its end lacks no request; clocks may differ
RETRY_FIRST, RETRY_MOST = timedelta(seconds=15), timedelta(hours=1)
TRIES = 12  # in a row while others could be read, some hours: then a call that is older than a list reaches is left
TARGET_LASTS = timedelta(seconds=60)
MOST_TARGETS = 5_000  # kept in memory
UNSETTLED = frozenset({Outcome.UNKNOWN, Outcome.PENDING, Outcome.WAITING, Outcome.NOT_ATTEMPTED})


@dataclass(slots=True)
class Looked:
    """A conversation that was read: what it says, or why it could not be read."""

    row: Any
    conversation: Conversation | None = None
    found: Diagnosis | None = None
    error: str = ""
    refused: bool = False  # by the platform, which may well read it another time


@dataclass(slots=True)
class Looks:
    """Reads and judges; remembers for a minute what was said of a target."""

    platform: Any
    engine: Engine
    clock: Clock
    timing: Timing
    workers: int
    _targets: dict[str, tuple[datetime, Target]] = field(default_factory=dict, repr=False)

    def look(self, due: Sequence[Any], deadline: Deadline) -> list[Looked]:
        """Read and diagnose in parallel. Nothing is raised for the platform."""
        with concurrent.futures.ThreadPoolExecutor(self.workers, thread_name_prefix="watcher") as pool:
            read = list(pool.map(lambda row: self._read(row, deadline), due))
            wanted = {ref.id: ref for each in read for ref in self._refs(each)}
            list(pool.map(lambda ref: self._target(ref, deadline), wanted.values()))
        known: dict[str, Peers | None] = {}
        for each in read:
            self._judge(each, known)
        while len(self._targets) > MOST_TARGETS:
            self._targets.pop(next(iter(self._targets)))  # the oldest: dicts keep their order
        return read

    def _read(self, row: Any, deadline: Deadline) -> Looked:
        try:
            return Looked(row, self.platform.details(row.id, deadline, priority="watcher"))
        except CXoneError as error:
            return Looked(row, error=str(error), refused=not isinstance(error, NotFoundError))
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
                found = self._diagnose(looked.conversation, targets, self._peers(target_id(found), known))
            looked.found = found
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the same
            log.warning("conversation not judged", conversation=looked.row.id, error=type(error).__name__)
            looked.error = f"The document could not be judged ({type(error).__name__})."

    def _diagnose(self, call: Conversation, targets: Mapping[str, Target], known: Peers | None) -> Diagnosis:
        return diagnose(call, targets, now=self.clock.now(), timing=self.timing, peers=known)


# ---- when to look again -------------------------------------------------------------------------------------------


def after_a_failure(row: Any, now: datetime, lookback: timedelta, *, out: bool) -> tuple[int, datetime | None]:
    """How many tries failed, and when the next one is due; None: given up.

    While the platform is `out`, it says nothing of this call: the tries are not counted, and none is far apart.
    """
    tries = max(1, row.unreadable) if out else row.unreadable + 1
    if out:
        return tries, now + RETRY_FIRST
    if tries >= TRIES and now - row.seen_at > lookback:
        return tries, None
    return tries, now + min(RETRY_FIRST * 2 ** min(tries - 1, 10), RETRY_MOST)


def is_firm(row: Any, call: Conversation, failure: Failure, now: datetime, timing: Timing) -> bool:
    """Whether a failure may be told: the call is over, or the grace period is, by both clocks.

    What is concluded from silence waits a little after the end too: an event may come late.
    """
    ended_at = call.ended_at or row.ended_at
    if ended_at is not None:
        return failure.outcome not in BY_SILENCE or now >= _certain_at(row, failure, ended_at, timing)
    return now >= _graced_at(row, failure.at, timing)


def _certain_at(row: Any, failure: Failure, ended_at: datetime, timing: Timing) -> datetime:
    return min(ended_at + SETTLES_AFTER, _graced_at(row, failure.at, timing))


def _graced_at(row: Any, asked: datetime, timing: Timing) -> datetime:
    seen_at: datetime = row.seen_at
    return max(asked, seen_at) + timing.grace


def next_look(
    looked: Looked, failure: Failure | None, now: datetime, timing: Timing, lookback: timedelta, *, firm: bool
) -> datetime | None:
    """When a call that was read is to be read again; None: settled."""
    row, call, found = looked.row, looked.conversation, looked.found
    if call is None or found is None:
        return None
    ended_at = call.ended_at or row.ended_at
    if ended_at is not None:
        settled_at: datetime = max(ended_at, row.seen_at) + SETTLES_AFTER
        complete = found.outcome is Outcome.NOT_ATTEMPTED and row.seen_at - ended_at > COMPLETE_AFTER
        if now >= settled_at or complete or (failure is None and found.outcome not in UNSETTLED):
            return None
        return settled_at if failure is None or firm else _certain_at(row, failure, ended_at, timing)
    if now - row.seen_at > lookback:
        return None
    usual = now + OPEN_LOOKS[min(row.looks + 1, len(OPEN_LOOKS) - 1)]
    asked = found.decided_by.timestamp if found.decided_by else None
    if (failure is not None or found.outcome is Outcome.PENDING) and asked is not None:
        graced_at = _graced_at(row, asked, timing)
        return min(usual, graced_at) if graced_at > now else usual
    return usual


# ---- of a diagnosis -----------------------------------------------------------------------------------------------


def peers(connection: Connection, tenant: str, target: str, now: datetime) -> Peers | None:
    """What the tables know of a target and its tenant in the last hour; None before anything was counted."""
    found = conversations.counts(connection, tenant, target, now)
    if not found["tenant_attempts"] and found["last_accepted"] is None:
        return None
    return Peers(**found)


def target_id(found: Diagnosis) -> str:
    """What the deciding attempt went to."""
    attempt = found.decided_by
    if attempt is None:
        return ""
    return (attempt.ref.id if attempt.ref else "") or attempt.to_id


def verdict(found: Diagnosis, *, firm: bool) -> str:
    """What a handover counts as: accepted, failed, or still open."""
    if found.outcome is Outcome.ACCEPTED:
        return "accepted"
    failing = TABLE[found.outcome].alerts is not None
    return "failed" if failing and firm else "open"


def asked_at(looked: Looked) -> tuple[str, str]:
    """The order in which what was read is written."""
    attempt = looked.found.decided_by if looked.found else None
    at = (attempt.timestamp if attempt else None) or looked.row.ended_at or looked.row.seen_at
    return at.isoformat(), looked.row.id
