"""Looks at calls: read and diagnosed in parallel, with what is known of their targets. What fails says why."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine

from bot.clock import Clock
from bot.cxone.errors import CXoneError, NotFoundError
from bot.cxone.http import Deadline
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Conversation, Diagnosis, Peers, Target, TargetRef, Timing
from bot.diagnosis.outcomes import TABLE
from bot.store import conversations
from bot.store.engine import StoreError, reading

log = structlog.get_logger()

TARGET_LASTS = timedelta(seconds=60)
MOST_TARGETS = 5_000  # kept in memory


class Calls(Protocol):
    """What is asked of a tenant here; `bot.cxone.platform.Conversations` is one."""

    tenant: str

    def details(self, conversation_id: str, deadline: Deadline, priority: Any = ...) -> Conversation:
        """A conversation with its events."""
        ...

    def target(self, ref: TargetRef, deadline: Deadline, priority: Any = ...) -> Target:
        """What a handover went to."""
        ...


@dataclass(slots=True)
class Looked:
    """A conversation that was read: what it says, or why it could not be read."""

    row: Any
    conversation: Conversation | None = None
    found: Diagnosis | None = None
    error: str = ""
    refused: bool = False  # by the platform, which may answer later; not of a call that is gone or cannot be judged


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks at one tenant's calls."""

    platform: Calls
    engine: Engine
    clock: Clock
    timing: Timing
    workers: int
    _targets: dict[str, tuple[datetime, Target]] = field(default_factory=dict, repr=False)

    def take(self, due: Sequence[Any], deadline: Deadline) -> list[Looked]:
        """Read and diagnose in parallel. What fails says why. Raises StoreError."""
        while len(self._targets) > MOST_TARGETS:
            self._targets.pop(next(iter(self._targets)))  # the oldest: dicts keep their order
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


def peers(connection: Connection, tenant: str, target_id: str, now: datetime) -> Peers | None:
    """What the tables know of a target and its tenant in the last hour; None before anything was counted."""
    found = conversations.counts(connection, tenant, target_id, now)
    if not found["tenant_attempts"] and found["last_accepted"] is None:
        return None
    return Peers(**found)


def target_id(found: Diagnosis) -> str:
    """The target that a diagnosis speaks of, as far as it is known."""
    attempt = found.decided_by
    if attempt is None:
        return ""
    return (attempt.ref.id if attempt.ref else "") or attempt.to_id
