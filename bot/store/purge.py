"""What is forgotten: rows by their age, and a number when somebody asks for it. Never what is still to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, tuple_, union, update

from bot import phone
from bot.store.sql import chunks
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

MOST_AT_ONCE = 2_000  # rows of a kind in one transaction, so that nobody waits long for the lock


def purge(
    connection: Connection, tenant: str, now: datetime, *, retention_days: int = 30, audit_days: int = 365
) -> bool:
    """Delete what is old, so much of it as one transaction may. True if there may be more: call again."""
    old = now - timedelta(days=retention_days)
    more = _groups(connection, tenant, old)
    # 1. Conversations that settled, their handovers and numbers.
    settled = connection.scalars(
        select(conversations.c.id)
        .where(conversations.c.tenant == tenant, conversations.c.seen_at < old, conversations.c.next_look.is_(None))
        .limit(MOST_AT_ONCE)
    ).all()
    for part in chunks(settled):
        for table, column in ((numbers, numbers.c.conversation_id), (handovers, handovers.c.conversation_id)):
            connection.execute(delete(table).where(table.c.tenant == tenant, column.in_(part)))
        connection.execute(delete(conversations).where(conversations.c.tenant == tenant, conversations.c.id.in_(part)))
    more |= len(settled) == MOST_AT_ONCE
    # 2. Lines, mutes, ended subscriptions, events, and at their own age the audit.
    lines = deliveries.c.thread_id.is_(None) & deliveries.c.state.in_(("sent", "dead", "dropped"))
    more |= _some(connection, deliveries, deliveries.c.tenant == tenant, lines, deliveries.c.created_at < old)
    more |= _some(connection, mutes, mutes.c.tenant == tenant, mutes.c.ended_at < old)
    more |= _some(connection, subscriptions, subscriptions.c.tenant == tenant, subscriptions.c.ended_at < old)
    more |= _some(connection, seen_events, seen_events.c.tenant == tenant, seen_events.c.at < old)
    more |= _some(connection, audit, audit.c.tenant == tenant, audit.c.at < now - timedelta(days=audit_days))
    return more


def _groups(connection: Connection, tenant: str, old: datetime) -> bool:
    """Groups that are over and have nothing on its way, with all that hangs on them. True if there may be more."""
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
    other = cases.alias()
    holding = (  # its message still stands for cases of other groups: they go first
        select(threads.c.group_id)
        .join(other, other.c.thread_id == threads.c.id)
        .where(other.c.tenant == tenant, other.c.group_id != threads.c.group_id)
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
            groups.c.id.not_in(holding),
        )
        .limit(MOST_AT_ONCE)
    ).all()
    left = MOST_AT_ONCE
    for group_id in over:
        # An alert goes with its cases, so that the ledger balances between two transactions.
        of_group = select(alerts.c.id).where(alerts.c.group_id == group_id).limit(left)
        gone = connection.scalars(of_group).all()
        for part in chunks(gone):
            connection.execute(delete(cases).where(cases.c.alert_id.in_(part)))
            connection.execute(delete(alerts).where(alerts.c.id.in_(part)))
        left -= len(gone)
        if not left:
            return True
        held = select(threads.c.id).where(threads.c.group_id == group_id)
        connection.execute(delete(deliveries).where(deliveries.c.thread_id.in_(held)))
        connection.execute(delete(threads).where(threads.c.group_id == group_id))
        connection.execute(delete(groups).where(groups.c.id == group_id))
    return bool(over)


def _some(connection: Connection, table: Table, *old: ColumnElement[bool]) -> bool:
    """Delete of a table what is old, as much as one transaction may. True if there may be more."""
    key = list(table.primary_key.columns)
    some = select(*key).where(*old).limit(MOST_AT_ONCE)
    return connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount == MOST_AT_ONCE


class Forgotten(NamedTuple):
    """From how many rows a number is gone."""

    calls: int
    alerts: int
    uses: int  # rows of the audit


def with_numbers(connection: Connection) -> Sequence[str]:
    """The tenants of which a number is kept, those that nobody serves any more too."""
    kept = union(select(numbers.c.tenant), select(audit.c.tenant).where(audit.c.hash != "")).subquery()
    return connection.scalars(select(kept.c.tenant).order_by(kept.c.tenant)).all()


def forget(connection: Connection, tenant: str, number_hash: str, masked: str) -> Forgotten:
    """Remove a number's traces: its hash, and its last digits wherever they stand; `masked` is how they are shown.

    The alerts stay, without the number: what failed is still counted. In free text nothing tells whose digits they are,
    so other numbers with the same last four lose them there too.
    """
    calls = list(
        connection.scalars(
            select(numbers.c.conversation_id).where(numbers.c.tenant == tenant, numbers.c.hash == number_hash)
        )
    )
    told = 0
    for part in chunks(calls):
        theirs = update(conversations).where(conversations.c.tenant == tenant, conversations.c.id.in_(part))
        connection.execute(theirs.values(phone="", forgotten=True))  # a later look does not bring it back
        named = update(alerts).where(
            alerts.c.tenant == tenant, alerts.c.conversation_id.in_(part), alerts.c.phone != ""
        )
        told += len(connection.execute(named.values(phone="").returning(alerts.c.id)).all())
    connection.execute(delete(numbers).where(numbers.c.tenant == tenant, numbers.c.hash == number_hash))
    used = update(audit).where(audit.c.tenant == tenant, audit.c.hash == number_hash)
    uses = connection.execute(used.values(hash="", subject="forgotten").returning(audit.c.id)).all()
    for column in (mutes.c.why, deliveries.c.text, audit.c.subject, alerts.c.reason, alerts.c.headline):
        said = update(column.table).where(column.table.c.tenant == tenant, column.contains(masked))
        connection.execute(said.values({column: func.replace(column, masked, phone.DOTS)}))
    return Forgotten(len(calls), told, len(uses))
