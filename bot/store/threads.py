"""Threads: a group in a channel, with its message there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from bot.store.sql import AnyRow, if_new
from bot.store.tables import cases, threads

# Built once, as it runs for each call that failed.
_THREAD = select(threads).where(
    threads.c.group_id == bindparam("of_group"), threads.c.channel == bindparam("in_channel")
)


def find(connection: Connection, group_id: int, channel: str) -> AnyRow | None:
    """A group's thread in a channel; None if it has none."""
    return connection.execute(_THREAD, {"of_group": group_id, "in_channel": channel}).first()


def get(connection: Connection, thread_id: int) -> AnyRow:
    """A thread by its id."""
    return connection.execute(select(threads).where(threads.c.id == thread_id)).one()


def of_group(connection: Connection, group_id: int) -> Sequence[AnyRow]:
    """The threads of a group, all channels."""
    return connection.execute(select(threads).where(threads.c.group_id == group_id).order_by(threads.c.id)).all()


def holding(connection: Connection, group_id: int) -> Sequence[AnyRow]:
    """Threads of other messages that hold cases of a group."""
    held = select(cases.c.thread_id).where(cases.c.group_id == group_id, cases.c.state == "merged")
    return connection.execute(select(threads).where(threads.c.id.in_(held)).order_by(threads.c.id)).all()


def begin(
    connection: Connection, tenant: str, group_id: int, channel: str, *, now: datetime, into: int | None
) -> AnyRow:
    """A group's thread in a channel, made if it is not there."""
    values = {"tenant": tenant, "group_id": group_id, "channel": channel, "opened_at": now, "into_id": into}
    connection.execute(if_new(connection, threads), values)
    return connection.execute(_THREAD, {"of_group": group_id, "in_channel": channel}).one()


def change(connection: Connection, thread_id: int, **values: Any) -> None:
    """Change a thread."""
    connection.execute(update(threads).where(threads.c.id == thread_id).values(**values))


def opened_lately(connection: Connection, tenant: str, channel: str, now: datetime, minutes: int) -> int:
    """How many groups got a message of their own in a channel in the last minutes."""
    return (
        connection.scalar(
            select(func.count()).where(
                threads.c.tenant == tenant,
                threads.c.channel == channel,
                threads.c.into_id.is_(None),
                threads.c.opened_at > now - timedelta(minutes=minutes),
            )
        )
        or 0
    )
