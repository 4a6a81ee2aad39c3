"""`insert … on conflict`, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps apart; long lists in parts."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Column, Connection, Row, Table
from sqlalchemy.dialects import sqlite

T = TypeVar("T")
CHUNK = 500
AnyRow: TypeAlias = Row[*tuple[Any, ...]]  # a row of any columns, read by name


def insert(connection: Connection, table: Table) -> Any:
    """An insert that knows `on_conflict_do_nothing`, `on_conflict_do_update` and `returning` on both databases."""
    return _insert(connection.dialect.name, table)


def _insert(dialect: str, table: Table) -> Any:
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - megabytes that SQLite needs nothing of

    return postgresql.insert(table)


def if_new(connection: Connection, table: Table, *returned: Column[Any]) -> Any:
    """An insert of a row that is not there yet, its values given as parameters."""
    return _if_new(connection.dialect.name, table, returned)


@functools.cache
def _if_new(dialect: str, table: Table, returned: tuple[Column[Any], ...]) -> Any:
    """Built once: building it takes as long as the writing."""
    statement = _insert(dialect, table).on_conflict_do_nothing()
    return statement.returning(*returned) if returned else statement


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many ids or rows as one statement takes, and again."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def upsert(connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Write a row by its primary key, whether it was there or not."""
    connection.execute(_upsert(connection.dialect.name, table, tuple(key), tuple(values)), key | values)


@functools.cache
def _upsert(dialect: str, table: Table, key: tuple[str, ...], values: tuple[str, ...]) -> Any:
    """Built once: building it takes as long as the writing."""
    statement = _insert(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in values}
    )
