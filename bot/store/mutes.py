"""Mutes: what a channel does not want to hear of, until when, said by whom and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.store.sql import AnyRow
from bot.store.tables import mutes


def add(connection: Connection, values: dict[str, Any]) -> int:
    """A new mute: tenant, channel, what, value, author, why, created_at, until. Returns its id."""
    return int(connection.execute(insert(mutes).values(**values).returning(mutes.c.id)).scalar_one())


def active(connection: Connection, tenant: str, now: datetime, channel: str | None = None) -> Sequence[AnyRow]:
    """Mutes that hold now."""
    statement = select(mutes).where(
        mutes.c.tenant == tenant, mutes.c.ended_at.is_(None), mutes.c.created_at <= now, mutes.c.until > now
    )
    if channel is not None:
        statement = statement.where(mutes.c.channel == channel)
    return connection.execute(statement.order_by(mutes.c.id)).all()


def over(connection: Connection, tenant: str, now: datetime) -> Sequence[AnyRow]:
    """Mutes whose time has come and whose end was not dealt with yet."""
    return connection.execute(
        select(mutes).where(mutes.c.tenant == tenant, mutes.c.ended_at.is_(None), mutes.c.until <= now)
    ).all()


def ended(connection: Connection, tenant: str, channel: str, since: datetime) -> Sequence[AnyRow]:
    """Mutes of a channel that ended after a time."""
    return connection.execute(
        select(mutes).where(mutes.c.tenant == tenant, mutes.c.channel == channel, mutes.c.ended_at > since)
    ).all()


def end(connection: Connection, mute_id: int, now: datetime) -> bool:
    """End a mute once. False if it was ended before."""
    statement = update(mutes).where(mutes.c.id == mute_id, mutes.c.ended_at.is_(None)).values(ended_at=now)
    return connection.execute(statement.returning(mutes.c.id)).first() is not None
