"""The store that the settings name: opened, migrated, with the key that numbers are hashed with, and its index."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from bot.alerts.index import Index
from bot.clock import Clock
from bot.jobs import schema
from bot.settings import Settings
from bot.store import engine, keys

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = structlog.get_logger(__name__)

PATIENCE, PAUSE = 30.0, 2.0  # seconds in which a PostgreSQL may come up, and between two tries


class Database(NamedTuple):
    """The store, open and of the newest schema, and the key that numbers are hashed with."""

    engine: Engine
    hash_key: str
    lock: int | None = None  # held as long as this process lives


def open_database(settings: Settings, *, alone: bool = False, clock: Clock | None = None) -> Database:
    """Open and migrate it; `alone` keeps a second process out of SQLite. Raises `StoreError`.

    With a clock a PostgreSQL that is out of reach is tried again for a while: it may be starting as well.
    """
    url = settings.database_url.get_secret_value()
    lock = engine.take_lock(url) if alone else None
    opened = engine.open_store(url)
    if alone and not settings.many_processes and len(set(engine.schema_version(opened))) > 1:
        _migrate_beside(url)
    deadline = clock.monotonic() + PATIENCE if clock and settings.many_processes else None
    while True:
        try:
            engine.migrate(opened, schema.migrate)
            break
        except engine.StoreNewer:
            raise
        except engine.StoreError as why:
            if clock is None or deadline is None or clock.monotonic() >= deadline:
                raise
            log.warning(f"No database yet, trying again: {why}")  # noqa: G004 - people look for it
            clock.sleep(PAUSE)
    return Database(opened, keys.hash_key(settings.hash_key.get_secret_value(), url), lock)


def _migrate_beside(url: str) -> None:
    """Migrate in a process of its own: Alembic is 12 MB, which `run` would keep to its end.

    Whether that was done shows in the database; what went wrong is said when it is tried here.
    """
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [sys.executable, "-m", "bot.jobs.schema"], input=url.encode(), capture_output=True, check=False, timeout=120
        )


def index(settings: Settings, clock: Clock, database: Database) -> Index:
    """What the tables know of calls and targets."""
    return Index(
        engine=database.engine,
        clock=clock,
        tenant=settings.cxone_tenant_id,
        hash_key=database.hash_key,
        poll_every=timedelta(seconds=settings.poll_seconds),
        lookback=timedelta(hours=settings.lookback_hours),
    )
