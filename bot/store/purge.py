"""What is forgotten: rows by their age, and a number when somebody asks for it. Never what is still to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, union, update

from bot.store.tables import (
    alerts,
    audit,
    cases,
    conversations,
    deliveries,
    groups,
    handovers,
    mutes,
    numbers,
    seen_events,
    subscriptions,
    threads,
)

MOST_AT_ONCE = 2_000  # alerts in one transaction, so that nobody waits long for the lock


def purge(
    connection: Connection, tenant: str, now: datetime, *, retention_days: int = 30, audit_days: int = 365
) -> int:
    """Delete what is old. Returns how many alerts went; call again while it is as many as `MOST_AT_ONCE`."""
    old = now - timedelta(days=retention_days)
    # 1. Groups that are over and have nothing on its way, with all that hangs on them.
    waiting = select(deliveries.c.thread_id).where(
        deliveries.c.tenant == tenant, deliveries.c.state.in_(("due", "sending")), deliveries.c.thread_id.is_not(None)
    )
    busy = select(threads.c.group_id).where(threads.c.id.in_(waiting))
    owed = select(cases.c.group_id).where(cases.c.tenant == tenant, cases.c.state == "queued")
    carried = (
        select(cases.c.group_id)
        .join(deliveries, deliveries.c.id == cases.c.delivery_id)
        .where(cases.c.tenant == tenant, deliveries.c.state.in_(("due", "sending")))
    )
    over = connection.scalars(
        select(groups.c.id)
        .where(
            groups.c.tenant == tenant,
            groups.c.opened_at < old,
            groups.c.changed_at.is_(None) | (groups.c.changed_at < old),
            groups.c.id.not_in(busy),
            groups.c.id.not_in(owed),
            groups.c.id.not_in(carried),
        )
        .limit(MOST_AT_ONCE)
    ).all()
    gone = 0
    for group_id in over:
        held = select(threads.c.id).where(threads.c.group_id == group_id)
        if connection.scalar(
            select(cases.c.alert_id).where(cases.c.thread_id.in_(held), cases.c.group_id != group_id).limit(1)
        ):
            continue  # its message still stands for cases of other groups: they go first
        connection.execute(delete(deliveries).where(deliveries.c.thread_id.in_(held)))
        connection.execute(delete(cases).where(cases.c.group_id == group_id))
        gone += len(
            connection.execute(delete(alerts).where(alerts.c.group_id == group_id).returning(alerts.c.id)).all()
        )
        connection.execute(delete(threads).where(threads.c.group_id == group_id))
        connection.execute(delete(groups).where(groups.c.id == group_id))
    # 2. Conversations that settled, their handovers and numbers.
    settled = select(conversations.c.id).where(
        conversations.c.tenant == tenant, conversations.c.seen_at < old, conversations.c.next_look.is_(None)
    )
    for table in (numbers, handovers):
        connection.execute(delete(table).where(table.c.tenant == tenant, table.c.conversation_id.in_(settled)))
    connection.execute(
        delete(conversations).where(
            conversations.c.tenant == tenant, conversations.c.seen_at < old, conversations.c.next_look.is_(None)
        )
    )
    # 3. Lines, mutes, ended subscriptions, events, and at their own age the audit.
    connection.execute(
        delete(deliveries).where(
            deliveries.c.tenant == tenant,
            deliveries.c.thread_id.is_(None),
            deliveries.c.state.in_(("sent", "dead", "dropped")),
            deliveries.c.created_at < old,
        )
    )
    connection.execute(delete(mutes).where(mutes.c.tenant == tenant, mutes.c.ended_at < old))
    connection.execute(delete(subscriptions).where(subscriptions.c.tenant == tenant, subscriptions.c.ended_at < old))
    connection.execute(delete(seen_events).where(seen_events.c.tenant == tenant, seen_events.c.at < old))
    connection.execute(delete(audit).where(audit.c.tenant == tenant, audit.c.at < now - timedelta(days=audit_days)))
    return gone


class Forgotten(NamedTuple):
    """From how many rows a number is gone."""

    calls: int
    alerts: int
    uses: int  # rows of the audit


def with_numbers(connection: Connection) -> Sequence[str]:
    """The tenants of which a number is kept, those that nobody serves any more too."""
    kept = union(select(numbers.c.tenant), select(audit.c.tenant).where(audit.c.hash != "")).subquery()
    return connection.scalars(select(kept.c.tenant).order_by(kept.c.tenant)).all()


def forget(connection: Connection, tenant: str, number_hash: str) -> Forgotten:
    """Remove a number's traces: its hash, and its last digits wherever they stand.

    The alerts stay, without the number: what failed is still counted.
    """
    calls = list(
        connection.scalars(
            select(numbers.c.conversation_id).where(numbers.c.tenant == tenant, numbers.c.hash == number_hash)
        )
    )
    told = 0
    for start in range(0, len(calls), 500):
        part = calls[start : start + 500]
        theirs = update(conversations).where(conversations.c.tenant == tenant, conversations.c.id.in_(part))
        connection.execute(theirs.values(phone="", forgotten=True))  # a later look does not bring it back
        named = update(alerts).where(
            alerts.c.tenant == tenant, alerts.c.conversation_id.in_(part), alerts.c.phone != ""
        )
        told += len(connection.execute(named.values(phone="").returning(alerts.c.id)).all())
    connection.execute(delete(numbers).where(numbers.c.tenant == tenant, numbers.c.hash == number_hash))
    used = update(audit).where(audit.c.tenant == tenant, audit.c.hash == number_hash)
    uses = connection.execute(used.values(hash="", subject="forgotten").returning(audit.c.id)).all()
    return Forgotten(len(calls), told, len(uses))
