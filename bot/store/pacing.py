"""When the next write may go: budgets by channel, and channels that are paused.

Slack counts by channel and app, whoever the alerts are from: budgets belong to the `workspace` (empty where there is
one), so that all tenants and processes share them. That a channel is paused belongs to one tenant's subscription.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from bot.store.deliveries import EDIT, UPDATES, budget_of
from bot.store.sql import AnyRow, insert, upsert
from bot.store.tables import deliveries, pacing

EVERY = {UPDATES: timedelta(seconds=1.2)}
A_POST = timedelta(seconds=1)  # Slack's limit of posts in one channel


def reserve(connection: Connection, workspace: str, key: str, now: datetime) -> bool:
    """Take the next instant under a key. False if another took it."""
    free_at = now + EVERY.get(key, A_POST)
    statement = insert(connection, pacing).values(tenant=workspace, key=key, free_at=free_at, why="")
    statement = statement.on_conflict_do_update(
        index_elements=["tenant", "key"], set_={"free_at": free_at}, where=pacing.c.free_at <= now
    )
    return connection.execute(statement.returning(pacing.c.key)).first() is not None


def hold(connection: Connection, workspace: str, key: str, until: datetime) -> None:
    """Nothing more under this key before `until`, or before a longer hold ends: a 429, a refused token."""
    statement = insert(connection, pacing).values(tenant=workspace, key=key, free_at=until, why="")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "key"], set_={"free_at": until}, where=pacing.c.free_at < until
        )
    )


def counted(connection: Connection, workspace: str, row: AnyRow, now: datetime) -> None:
    """Slack took a write by now at the latest, and counts from there; the reservation counted from its beginning."""
    key = budget_of(row)
    hold(connection, workspace, key, now + EVERY.get(key, A_POST))


def pause(connection: Connection, tenant: str, channel: str, now: datetime, why: str) -> None:
    """Nothing more into this channel until somebody resumes it."""
    upsert(connection, pacing, {"tenant": tenant, "key": channel}, {"free_at": now, "paused_at": now, "why": why})


def resume(connection: Connection, tenant: str, channel: str) -> None:
    """The channel takes messages again; what is there and was given up is brought up to date."""
    connection.execute(
        update(pacing).where(pacing.c.tenant == tenant, pacing.c.key == channel).values(paused_at=None, why="")
    )
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.tenant == tenant,
            deliveries.c.channel == channel,
            deliveries.c.kind == EDIT,
            deliveries.c.state == "dead",
        )
        .values(state="due", sending_since=None, tries=0, refusals=0, error="")
    )


def why_paused(connection: Connection, tenant: str, channel: str) -> str | None:
    """What Slack answered when a channel was paused; None if it takes messages."""
    why: str | None = connection.scalar(
        select(pacing.c.why).where(pacing.c.tenant == tenant, pacing.c.key == channel, pacing.c.paused_at.is_not(None))
    )
    return why


def paused(connection: Connection, tenant: str, before: datetime) -> Sequence[AnyRow]:
    """Channels that have been paused since before a time."""
    return connection.execute(
        select(pacing.c.key, pacing.c.paused_at, pacing.c.why).where(
            pacing.c.tenant == tenant, pacing.c.paused_at <= before
        )
    ).all()
