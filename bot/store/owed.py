"""Cases: an alert owed to a channel, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from bot.store.sql import AnyRow, chunks, if_new
from bot.store.tables import alerts, cases, deliveries, groups

WAITING = ("held", "queued", "muted")  # nobody has seen the line, and nothing carries it


def add(connection: Connection, values: dict[str, Any]) -> None:
    """An alert owed to a channel."""
    connection.execute(if_new(connection, cases), values)


def of_alert(connection: Connection, alert_id: int) -> Sequence[AnyRow]:
    """The cases of an alert."""
    return connection.execute(select(cases).where(cases.c.alert_id == alert_id)).all()


def drop(connection: Connection, alert_id: int, channel: str) -> None:
    """An alert is not owed to a channel any more, or is to be owed anew."""
    connection.execute(delete(cases).where(cases.c.alert_id == alert_id, cases.c.channel == channel))


def channels_with(connection: Connection, group_id: int, state: str) -> Sequence[str]:
    """Channels in which a group has cases in a state."""
    return list(
        connection.scalars(
            select(cases.c.channel)
            .where(cases.c.group_id == group_id, cases.c.state == state)
            .distinct()
            .order_by(cases.c.channel)
        )
    )


def move(connection: Connection, group_id: int, channel: str, *, old: Iterable[str], **values: Any) -> int:
    """Change all cases of a group in a channel that are in one of the old states. Returns how many."""
    statement = (
        update(cases)
        .where(cases.c.group_id == group_id, cases.c.channel == channel, cases.c.state.in_(list(old)))
        .values(**values)
        .returning(cases.c.alert_id)
    )
    return len(connection.execute(statement).all())


def queued(connection: Connection, thread_id: int) -> int:
    """How many cases of a thread wait for a reply to carry them."""
    return connection.scalar(select(func.count()).where(cases.c.thread_id == thread_id, cases.c.state == "queued")) or 0


def carry(connection: Connection, thread_id: int, delivery_id: int, limit: int) -> int:
    """Give a delivery the oldest cases that wait in its thread. Returns how many."""
    chosen = (
        select(cases.c.alert_id)
        .join(alerts, alerts.c.id == cases.c.alert_id)
        .where(cases.c.thread_id == thread_id, cases.c.state == "queued")
        .order_by(alerts.c.at, alerts.c.id)
        .limit(limit)
    )
    statement = (
        update(cases)
        .where(cases.c.thread_id == thread_id, cases.c.state == "queued", cases.c.alert_id.in_(chosen))
        .values(state="carried", delivery_id=delivery_id)
        .returning(cases.c.alert_id)
    )
    return len(connection.execute(statement).all())


def carried(connection: Connection, delivery_id: int) -> Sequence[AnyRow]:
    """The alerts whose lines a delivery carries, in time order."""
    return connection.execute(
        select(alerts)
        .join(cases, cases.c.alert_id == alerts.c.id)
        .where(cases.c.delivery_id == delivery_id)
        .order_by(alerts.c.at, alerts.c.id)
    ).all()


def held_in(connection: Connection, thread_id: int) -> Sequence[AnyRow]:
    """The groups that a message holds, with how many standing cases are merged into it; the largest first."""
    count = func.count(alerts.c.id)
    return connection.execute(
        select(groups, count.label("merged"))
        .join(cases, cases.c.group_id == groups.c.id)
        .outerjoin(alerts, (alerts.c.id == cases.c.alert_id) & alerts.c.withdrawn_at.is_(None))
        .where(cases.c.thread_id == thread_id, cases.c.state == "merged")
        .group_by(groups.c.id)
        .order_by(count.desc(), groups.c.id)
    ).all()


def withdraw_waiting(connection: Connection, thread_id: int) -> None:
    """A thread's cases that wait for their line, where the whole group was taken back."""
    connection.execute(
        update(cases).where(cases.c.thread_id == thread_id, cases.c.state == "queued").values(state="withdrawn")
    )


def kinds(connection: Connection, group_id: int, channel: str, state: str = "") -> Sequence[AnyRow]:
    """What differs among the standing failures of a group in a channel: outcome, fault, target_id, target_name."""
    wanted = (cases.c.group_id == group_id, cases.c.channel == channel, alerts.c.withdrawn_at.is_(None))
    return connection.execute(
        select(alerts.c.outcome, alerts.c.fault, alerts.c.target_id, alerts.c.target_name)
        .join(cases, cases.c.alert_id == alerts.c.id)
        .where(*wanted, *([cases.c.state == state] if state else []))
        .distinct()
    ).all()


def unsent(connection: Connection, tenant: str, channel: str) -> Sequence[AnyRow]:
    """A channel's cases that Slack surely has not, with what their alerts are about."""
    surely = cases.c.state.in_(WAITING) | (cases.c.state.in_(("carried", "merged")) & (deliveries.c.state == "due"))
    return connection.execute(
        select(
            cases.c.alert_id,
            cases.c.group_id,
            cases.c.thread_id,
            cases.c.state,
            alerts.c.outcome,
            alerts.c.fault,
            alerts.c.target_id,
            alerts.c.target_name,
        )
        .join(alerts, alerts.c.id == cases.c.alert_id)
        .outerjoin(deliveries, deliveries.c.id == cases.c.delivery_id)
        .where(cases.c.tenant == tenant, cases.c.channel == channel, surely)
        .order_by(cases.c.alert_id)
    ).all()


def put(connection: Connection, channel: str, alert_ids: Sequence[int], **values: Any) -> None:
    """Change these cases of a channel."""
    for part in chunks(alert_ids):
        some = cases.c.alert_id.in_(part)
        connection.execute(update(cases).where(cases.c.channel == channel, some).values(**values))
