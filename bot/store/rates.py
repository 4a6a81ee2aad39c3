"""How fast a tenant may be asked, over all processes: the next free instant stands in the database.

One upsert reserves it, by the database's own clock, and the wait happens outside the transaction. The watcher has a
budget of its own beside the whole one, smaller by what is kept for people. A 429's Retry-After is written into the
same row. What a 429 teaches beyond that (how fast was too fast) each process keeps for itself: each slows down by a
fifth, and so do all together. PostgreSQL only; one process alone needs no database for this.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.cxone.deadline import Deadline
from bot.cxone.rate import KEPT_FOR_PEOPLE, Priority, Rate

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks whether another process was refused
BURST = 0.1  # seconds by which a turn that nobody took may be made up for
ALL, WATCHER = "all", "watcher"

_RESERVE = text(
    "INSERT INTO rates (tenant, key, free_at) VALUES (:tenant, :key, clock_timestamp() + :step * interval '1 second')"
    " ON CONFLICT (tenant, key) DO UPDATE SET free_at ="
    "  GREATEST(rates.free_at, rates.paused_until, clock_timestamp() - :burst * interval '1 second')"
    "  + :step * interval '1 second'"
    " WHERE GREATEST(rates.free_at, rates.paused_until) <= clock_timestamp() + :patience * interval '1 second'"
    " RETURNING extract(epoch FROM free_at - clock_timestamp()) - :step"
)
_PAUSE = text(
    "INSERT INTO rates (tenant, key, free_at, paused_until)"
    " VALUES (:tenant, :key, clock_timestamp(), clock_timestamp() + :seconds * interval '1 second')"
    " ON CONFLICT (tenant, key) DO UPDATE SET paused_until ="
    "  GREATEST(rates.paused_until, clock_timestamp() + :seconds * interval '1 second')"
)
_PAUSED = text(
    "SELECT extract(epoch FROM paused_until - clock_timestamp()) FROM rates WHERE tenant = :tenant AND key = :key"
)


class SharedRate(Rate):
    """`Rate`, shared by all processes that use the same database."""

    def __init__(self, clock: Clock, engine: Engine, tenant: str, max_rps: float | None = None) -> None:
        """Nothing is asked yet."""
        super().__init__(clock, max_rps)
        self._engine = engine
        self._tenant = tenant
        self._shared_rps = max_rps
        self._looked_at = -LOOK_EVERY
        self._look = threading.Lock()

    def take(self, priority: Priority, deadline: Deadline) -> bool:
        """Wait for a turn. False if it would come after the deadline."""
        self._look_for_pause()
        if self._shared_rps is not None:
            keys = (WATCHER, ALL) if priority == "watcher" else (ALL,)
            for key in keys:
                wait = self._reserve(key, self._shared_rps, deadline.left())
                if wait is None:
                    return False
                if wait > 0.0:
                    self._clock.sleep(wait)
        return super().take(priority, deadline)

    def refused(self, retry_after: float) -> None:
        """A 429 came: all processes wait for so many seconds."""
        super().refused(retry_after)
        try:
            with self._engine.begin() as connection:
                connection.execute(_PAUSE, {"tenant": self._tenant, "key": ALL, "seconds": retry_after})
        except SQLAlchemyError as error:
            log.warning("Other processes were not told of a 429", tenant=self._tenant, error=type(error).__name__)

    def _reserve(self, key: str, rate: float, patience: float) -> float | None:
        """Seconds until this one's turn; None if that is later than `patience`. Without a database: now."""
        share = 1.0 - KEPT_FOR_PEOPLE if key == WATCHER else 1.0
        values = {"tenant": self._tenant, "key": key, "step": 1.0 / (rate * share), "burst": BURST}
        try:
            with self._engine.begin() as connection:
                found = connection.execute(_RESERVE, values | {"patience": min(patience, 86_400.0)}).first()
        except SQLAlchemyError as error:
            log.warning("The shared rate was not asked", tenant=self._tenant, error=type(error).__name__)
            return 0.0
        return max(0.0, float(found[0])) if found is not None else None

    def _look_for_pause(self) -> None:
        """Learn, once a second, what another process was told."""
        now = self._clock.monotonic()
        with self._look:
            if now - self._looked_at < LOOK_EVERY:
                return
            self._looked_at = now
        try:
            with self._engine.begin() as connection:
                left = connection.scalar(_PAUSED, {"tenant": self._tenant, "key": ALL})
        except SQLAlchemyError:
            return
        if left is not None and left > 0:
            self.pause(float(left))
