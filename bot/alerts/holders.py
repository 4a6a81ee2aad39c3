"""Messages that hold several groups: what was found on arrival, and the rest of a flood."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from bot.alerts import outbox, policy
from bot.store import deliveries, groups, threads
from bot.store.sql import AnyRow
from bot.store.tables import deliveries as rows
from bot.store.tables import groups as group_rows
from bot.store.tables import threads as thread_rows

if TYPE_CHECKING:
    from bot.alerts.record import Scene

ARRIVAL_WAITS = timedelta(seconds=60)


def is_flood(connection: Connection, here: Scene, channel: str, now: datetime) -> bool:
    """Whether a channel got as many messages lately as it is to get."""
    return threads.opened_lately(connection, here.tenant, channel, now, policy.FLOOD_MINUTES) >= policy.FLOOD_GROUPS


def merged_into(connection: Connection, here: Scene, holder: AnyRow, now: datetime) -> dict[str, Any]:
    """The columns of a case that a holding message stands for, which is to show it."""
    show(connection, here, holder, now)
    root = connection.execute(
        select(rows.c.id)
        .where(rows.c.thread_id == holder.id, rows.c.kind == deliveries.POST)
        .order_by(rows.c.id.desc())
    ).first()
    return {"state": "merged", "thread_id": holder.id, "delivery_id": root.id if root is not None else None}


def show(connection: Connection, here: Scene, holder: AnyRow, now: datetime) -> None:
    """What a holding message says has changed."""
    groups.change(connection, holder.group_id, now)
    outbox.post_root(connection, here, holder, now)
    outbox.arm_edit(connection, here, holder, now)


def arrival_thread(connection: Connection, here: Scene, channel: str, *, arrived: datetime, now: datetime) -> AnyRow:
    """The one message of what was found on arrival, in a channel. It waits until all was read, a minute at most."""
    group = groups.open_group(
        connection,
        here.tenant,
        f"arrival channel={channel}",
        int(arrived.timestamp()),
        {"kind": "arrival", "opened_at": now, "headline": "Found on arrival", "firing_since": arrived},
    )
    return outbox.announce(connection, here, group, channel, now, due_at=now + ARRIVAL_WAITS)


def overflow_thread(connection: Connection, here: Scene, channel: str, now: datetime) -> AnyRow:
    """The one message of what a flood has beyond its limit, in a channel."""
    key = f"overflow channel={channel}"
    newest = groups.newest(connection, here.tenant, key)
    if newest is None or now - newest.opened_at >= timedelta(minutes=policy.FLOOD_MINUTES):
        newest = groups.open_next(
            connection,
            here.tenant,
            key,
            newest,
            {"kind": "overflow", "opened_at": now, "headline": "Further causes", "firing_since": now},
        )
    return outbox.announce(connection, here, newest, channel, now)


def release_arrival(connection: Connection, tenant: str, now: datetime) -> None:
    """All that was there on arrival has been read: the summaries may go."""
    waiting = (
        select(thread_rows.c.id)
        .join(group_rows, group_rows.c.id == thread_rows.c.group_id)
        .where(group_rows.c.tenant == tenant, group_rows.c.kind == "arrival")
    )
    connection.execute(
        update(rows)
        .where(
            rows.c.tenant == tenant,
            rows.c.kind == deliveries.POST,
            rows.c.state == "due",
            rows.c.tries == 0,
            rows.c.due_at > now,
            rows.c.thread_id.in_(waiting),
        )
        .values(due_at=now)
    )
