"""Procrastinate's tables, made and brought forward in the transaction of our own migration.

Procrastinate ships its schema whole and, for what came later, one SQL file a step. Which step a database is at is kept
in our `facts`: its own tables do not say.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from bot.store import facts

STEP = "procrastinate"  # the fact: the last step that was applied


def migrate(connection: Connection) -> None:
    """Bring Procrastinate's tables to the version that is installed; nothing on SQLite."""
    if connection.dialect.name != "postgresql":
        return
    from procrastinate.schema import SchemaManager  # noqa: PLC0415 - the extra `postgres` brings it

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    there = connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None
    at = facts.fact(connection, "", STEP)
    if not there:
        _run(connection, SchemaManager.get_schema())
    elif at is not None:
        for step in steps:
            if step.stem > at.value:
                _run(connection, step.read_text(encoding="utf-8"))
    facts.renew(connection, "", STEP, datetime.now(UTC), steps[-1].stem)


def _run(connection: Connection, script: str) -> None:
    """Several statements at once, as they are: the driver must not look for parameters in them."""
    connection.connection.cursor().execute(script)


if __name__ == "__main__":  # `run` has its database migrated by a process that ends; the address comes on stdin
    from bot.store import engine

    engine.migrate(engine.open_store(sys.stdin.read()), migrate)
