"""A test alert: a group of its own that goes the whole way of a real one, through outbox, notifier and renderer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select, update

from bot.alerts import outbox
from bot.alerts.record import Scene
from bot.store import facts, groups, pacing
from bot.store.sql import AnyRow
from bot.store.tables import deliveries as rows
from bot.store.tables import groups as group_rows
from bot.store.tables import threads as thread_rows


class Arrival(StrEnum):
    """What became of a test alert."""

    SENT = "sent"
    CLOSED = "closed"  # the channel does not take it
    STOPPED = "stopped"  # Slack refuses the bot
    DEAD = "dead"  # it was given up
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Tried:
    """How far it came, and the code that Slack gave."""

    arrival: Arrival
    code: str = ""


def send(connection: Connection, here: Scene, channel: str, now: datetime) -> int:
    """Owe a channel a test alert; a channel that was paused is tried again. Returns the delivery's id."""
    pacing.resume(connection, here.tenant, channel)
    key = f"test channel={channel}"
    newest = groups.newest(connection, here.tenant, key)
    group = groups.open_next(
        connection,
        here.tenant,
        key,
        newest,
        {"kind": "test", "opened_at": now, "headline": "Test alert", "firing_since": now},
    )
    thread = outbox.announce(connection, here, group, channel, now)
    return int(_row(connection, here.tenant, outbox.root_key(thread)).id)


def result(connection: Connection, tenant: str, delivery_id: int) -> Tried:
    """How far it has come."""
    row = connection.execute(select(rows).where(rows.c.id == delivery_id)).one()
    if row.state == "sent":
        return Tried(Arrival.SENT)
    if row.state == "dropped":
        return Tried(Arrival.CLOSED, row.error)
    if row.state == "dead":
        return Tried(Arrival.DEAD, row.error)
    closed = pacing.why_paused(connection, tenant, row.channel)
    if closed is not None:
        return Tried(Arrival.CLOSED, row.error or closed)
    stopped = facts.fact(connection, tenant, facts.SLACK_STOPPED)
    if stopped is not None and row.error == stopped.value:
        return Tried(Arrival.STOPPED, stopped.value)
    return Tried(Arrival.WAITING, row.error)


def give_up(connection: Connection, delivery_id: int) -> None:
    """Whoever waited for it was told: nothing comes later, unless Slack may have it already."""
    connection.execute(update(rows).where(rows.c.id == delivery_id, rows.c.state == "due").values(state="dropped"))


def is_test(connection: Connection, thread_id: int | None) -> bool:
    """Whether a delivery's thread is that of a test alert."""
    found = connection.scalar(
        select(group_rows.c.kind)
        .join(thread_rows, thread_rows.c.group_id == group_rows.c.id)
        .where(thread_rows.c.id == thread_id)
    )
    return found == "test"


def _row(connection: Connection, tenant: str, key: str) -> AnyRow:
    return connection.execute(select(rows).where(rows.c.tenant == tenant, rows.c.key == key)).one()
