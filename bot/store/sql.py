"""`insert … on conflict`, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps apart."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import sqlite

AnyRow: TypeAlias = Row[*tuple[Any, ...]]  # a row of any columns, read by name


def insert(connection: Connection, table: Table) -> Any:
    """An insert that knows `on_conflict_do_nothing`, `on_conflict_do_update` and `returning` on both databases."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - megabytes that SQLite needs nothing of

    return postgresql.insert(table)


def upsert(connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Write a row by its primary key, whether it was there or not."""
    statement = insert(connection, table).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
