"""Who wants to hear of what: one row a channel and filter. Ended rows stay, so that the same filter revives its row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from bot.store import pacing
from bot.store.sql import AnyRow, insert
from bot.store.tables import subscriptions


def subscribe(connection: Connection, tenant: str, channel: str, filters: str, *, author: str, now: datetime) -> bool:
    """Subscribe a channel; a paused or ended row of the same filter lives again. True if it was not active before."""
    before = {row.filters for row in active(connection, tenant) if row.channel == channel}
    statement = insert(connection, subscriptions).values(
        tenant=tenant, channel=channel, filters=filters, author=author, created_at=now
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "channel", "filters"],
            set_={"ended_at": None, "paused_at": None, "paused_why": "", "author": author},
        )
    )
    pacing.resume(connection, tenant, channel)
    return filters not in before


def end(connection: Connection, tenant: str, channel: str, now: datetime, filters: str | None = None) -> int:
    """End one subscription of a channel, or all. Returns how many ended."""
    condition = [
        subscriptions.c.tenant == tenant,
        subscriptions.c.channel == channel,
        subscriptions.c.ended_at.is_(None),
    ]
    if filters is not None:
        condition.append(subscriptions.c.filters == filters)
    statement = update(subscriptions).where(*condition).values(ended_at=now).returning(subscriptions.c.id)
    return len(connection.execute(statement).all())


def active(connection: Connection, tenant: str) -> Sequence[AnyRow]:
    """Subscriptions that are neither ended nor paused."""
    return connection.execute(
        select(subscriptions)
        .where(
            subscriptions.c.tenant == tenant, subscriptions.c.ended_at.is_(None), subscriptions.c.paused_at.is_(None)
        )
        .order_by(subscriptions.c.id)
    ).all()


def listening(connection: Connection, tenant: str, paused_after: datetime) -> Sequence[AnyRow]:
    """Subscriptions to which failures are owed: those that Slack paused lately too, as what waits is sent then."""
    return [row for row in listed(connection, tenant) if row.paused_at is None or row.paused_at > paused_after]


def listed(connection: Connection, tenant: str, channel: str | None = None) -> Sequence[AnyRow]:
    """Subscriptions that were not ended, paused ones included."""
    statement = select(subscriptions).where(subscriptions.c.tenant == tenant, subscriptions.c.ended_at.is_(None))
    if channel is not None:
        statement = statement.where(subscriptions.c.channel == channel)
    return connection.execute(statement.order_by(subscriptions.c.id)).all()


def pause(connection: Connection, tenant: str, channel: str, now: datetime, why: str) -> list[str]:
    """Pause all subscriptions of a channel. Returns their authors."""
    statement = (
        update(subscriptions)
        .where(
            subscriptions.c.tenant == tenant,
            subscriptions.c.channel == channel,
            subscriptions.c.ended_at.is_(None),
            subscriptions.c.paused_at.is_(None),
        )
        .values(paused_at=now, paused_why=why)
        .returning(subscriptions.c.author)
    )
    return sorted({author for author in connection.scalars(statement) if author})


def resume(connection: Connection, tenant: str, channel: str) -> None:
    """The channel takes messages again: what was paused of it is active."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.tenant == tenant, subscriptions.c.channel == channel, subscriptions.c.ended_at.is_(None))
        .values(paused_at=None, paused_why="")
    )


def any_ever(connection: Connection, tenant: str) -> bool:
    """Whether this tenant ever had a subscription: a first start has none."""
    return connection.scalar(select(subscriptions.c.id).where(subscriptions.c.tenant == tenant).limit(1)) is not None
