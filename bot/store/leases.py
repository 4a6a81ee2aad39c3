"""Deliveries are leased one at a time, and ended by the lease that took them.

The rule the SQL keeps: a row goes to `sending` in a committed transaction before the call is made, and leaves it only
by the token of the lease that put it there. A row found in `sending` after its lease may have reached Slack: it is
leased again to be *looked for*.
"""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, Text, and_, bindparam, or_, select, update

from bot.store import pacing
from bot.store.deliveries import BUDGET, EDIT, HAS_ITS_THREAD, UNSENT, WORKSPACE, budget_of
from bot.store.sql import AnyRow
from bot.store.tables import Instant, deliveries, threads
from bot.store.tables import pacing as budgets


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to make one call, until `until`. `look` says that an earlier sending may have reached Slack."""

    row: AnyRow
    token: str
    until: datetime
    look: bool


def lease(
    connection: Connection, tenant: str, now: datetime, seconds: float, *, channel: str = "", workspace: str = ""
) -> Lease | None:
    """Take the most urgent write whose channel is free, for so many seconds. None if nothing can be sent now.

    With `channel` only what goes there is looked at.
    """
    row = _candidate(connection, tenant, now, channel, workspace)
    if row is None:
        return None
    # 1. Reserve the channel's next instant; whoever loses it comes again.
    if not pacing.reserve(connection, workspace, budget_of(row), now):
        return None
    # 2. Put the row into `sending` by a token of our own.
    token = uuid.uuid4().hex
    until = now + timedelta(seconds=seconds)
    look = row.state == "sending" and row.kind != EDIT
    statement = (
        update(deliveries)
        .where(
            deliveries.c.id == row.id,
            deliveries.c.state == row.state,
            deliveries.c.token == row.token,
            deliveries.c.due_at == row.due_at,
        )
        .values(
            state="sending",
            token=token,
            due_at=until,
            sending_since=row.sending_since or now,
            tries=deliveries.c.tries + (0 if look else 1),
        )
        .returning(deliveries)
    )
    taken = connection.execute(statement).first()
    return Lease(taken, token, until, look) if taken is not None else None


def _candidate(connection: Connection, tenant: str, now: datetime, channel: str, workspace: str) -> AnyRow | None:
    wanted = {"tenant": tenant, "now": now, "channel": channel, "workspace": workspace}
    return connection.execute(_candidates(), wanted).first()


@functools.cache
def _candidates() -> Select[*tuple[Any, ...]]:
    """The most urgent row whose channel is free; built once, for it is asked several times a second."""
    tenant: BindParameter[str] = bindparam("tenant", type_=Text())
    only: BindParameter[str] = bindparam("channel", type_=Text())
    workspace: BindParameter[str] = bindparam("workspace", type_=Text())
    now: BindParameter[datetime] = bindparam("now", type_=Instant())
    own, whole, channel = budgets.alias(), budgets.alias(), budgets.alias()
    return (
        select(deliveries)
        .outerjoin(threads, threads.c.id == deliveries.c.thread_id)
        .outerjoin(own, and_(own.c.tenant == workspace, own.c.key == BUDGET))
        .outerjoin(whole, and_(whole.c.tenant == workspace, whole.c.key == WORKSPACE))
        .outerjoin(channel, and_(channel.c.tenant == tenant, channel.c.key == deliveries.c.channel))
        .where(
            deliveries.c.tenant == tenant,
            UNSENT,
            deliveries.c.due_at <= now,
            or_(only == "", deliveries.c.channel == only),
            HAS_ITS_THREAD,
            or_(own.c.free_at.is_(None), own.c.free_at <= now),
            or_(whole.c.free_at.is_(None), whole.c.free_at <= now),
            channel.c.paused_at.is_(None),
        )
        .order_by(deliveries.c.priority, deliveries.c.due_at, deliveries.c.id)
        .limit(1)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def extend(connection: Connection, taken: Lease, now: datetime, seconds: float) -> Lease | None:
    """Keep the lease for a sending that follows a look, which found none of those before. None if somebody has it."""
    until = now + timedelta(seconds=seconds)
    row = _with_token(connection, taken, due_at=until, sending_since=now, tries=deliveries.c.tries + 1)
    return Lease(row, taken.token, until, look=False) if row is not None else None


def sent(connection: Connection, taken: Lease, ts: str, now: datetime) -> bool:
    """Slack has it. False if the lease was lost, and with it the right to say so."""
    return _with_token(connection, taken, state="sent", ts=ts, sent_at=now, error="", refusals=0) is not None


def again(connection: Connection, taken: Lease, due_at: datetime, error: str, **values: Any) -> bool:
    """Slack surely has it not: due again."""
    return (
        _with_token(connection, taken, state="due", due_at=due_at, sending_since=None, error=error, **values)
        is not None
    )


def unsure(connection: Connection, taken: Lease, look_at: datetime, error: str) -> bool:
    """Slack may have it: stays in `sending`, to be looked for."""
    return _with_token(connection, taken, due_at=look_at, error=error) is not None


def finish(connection: Connection, taken: Lease, state: str, error: str) -> bool:
    """Dead or dropped, with the reason."""
    return _with_token(connection, taken, state=state, error=error) is not None


def _with_token(connection: Connection, taken: Lease, **values: Any) -> AnyRow | None:
    statement = (
        update(deliveries)
        .where(deliveries.c.id == taken.row.id, deliveries.c.token == taken.token, deliveries.c.state == "sending")
        .values(**values)
        .returning(deliveries)
    )
    return connection.execute(statement).first()
