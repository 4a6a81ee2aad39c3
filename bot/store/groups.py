"""Groups and their alerts: what failed, and together with what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, tuple_, update

from bot.store.sql import AnyRow, if_new
from bot.store.tables import alerts, cases, deliveries, groups, threads

OPEN = ("open", "quiet")
Kinds = tuple[tuple[str, str, str, str], ...]  # outcome, fault, target's id and name of failures
# Built once, as they run for each conversation that was accepted or failed: building takes longer than reading.
_ALERTS_OF = select(alerts).where(
    alerts.c.tenant == bindparam("of_tenant"),
    alerts.c.conversation_id == bindparam("of_id"),
    alerts.c.withdrawn_at.is_(None),
)
_HAS_ALERT = select(alerts.c.id).where(
    alerts.c.tenant == bindparam("of_tenant"),
    alerts.c.conversation_id == bindparam("of_id"),
    alerts.c.attempt_at == bindparam("asked_at"),
    alerts.c.target_id == bindparam("of_target"),
)
_NEWEST = (
    select(groups)
    .where(groups.c.tenant == bindparam("of_tenant"), groups.c.key == bindparam("of_key"))
    .order_by(groups.c.generation.desc())
    .limit(1)
)


# ---- groups -------------------------------------------------------------------------------------------------------


def newest(connection: Connection, tenant: str, key: str) -> AnyRow | None:
    """The newest generation of a group."""
    return connection.execute(_NEWEST, {"of_tenant": tenant, "of_key": key}).first()


def open_group(connection: Connection, tenant: str, key: str, generation: int, values: dict[str, Any]) -> AnyRow:
    """A new generation of a group; if another process was first, its row."""
    made = {"tenant": tenant, "key": key, "generation": generation, "state": "open", **values}
    row = connection.execute(if_new(connection, groups, *groups.c), made).first()
    return (
        row
        or connection.execute(
            select(groups).where(groups.c.tenant == tenant, groups.c.key == key, groups.c.generation == generation)
        ).one()
    )


def open_next(connection: Connection, tenant: str, key: str, newest: AnyRow | None, values: dict[str, Any]) -> AnyRow:
    """The generation after the newest; the first where there is none."""
    return open_group(connection, tenant, key, newest.generation + 1 if newest is not None else 1, values)


def get(connection: Connection, group_id: int) -> AnyRow:
    """A group by its id."""
    return connection.execute(select(groups).where(groups.c.id == group_id)).one()


def of_tenant(connection: Connection, tenant: str, group_id: int) -> AnyRow | None:
    """A group that somebody names; None if there is none, or none of this tenant."""
    return connection.execute(
        select(groups).where(groups.c.id == group_id, groups.c.tenant == tenant).with_for_update()
    ).first()


def change(connection: Connection, group_id: int, now: datetime, **values: Any) -> None:
    """Change what its messages show: the version grows, so that every message of it is edited."""
    connection.execute(
        update(groups).where(groups.c.id == group_id).values(version=groups.c.version + 1, changed_at=now, **values)
    )


def open_ones(connection: Connection, tenant: str, *resolved: int) -> Sequence[AnyRow]:
    """Groups that have not ended, causes only; and those of these that are resolved."""
    held = (groups.c.state == "resolved") & groups.c.id.in_(resolved)
    return connection.execute(
        select(groups)
        .where(groups.c.tenant == tenant, groups.c.state.in_(OPEN) | held, groups.c.kind == "cause")
        .order_by(groups.c.id)
    ).all()


def was_told(connection: Connection, group_id: int) -> bool:
    """Whether any channel has, or is to get, a message of the group or one that holds it."""
    thread = select(threads.c.id).where(threads.c.group_id == group_id).limit(1)
    merged = select(cases.c.alert_id).where(cases.c.group_id == group_id, cases.c.state == "merged").limit(1)
    return connection.execute(thread).first() is not None or connection.execute(merged).first() is not None


def inherit(connection: Connection, old_id: int, new_id: int, since: datetime) -> None:
    """Give a group the standing failures since a time of the one before it, with what is owed of them."""
    connection.execute(
        update(alerts)
        .where(alerts.c.group_id == old_id, alerts.c.withdrawn_at.is_(None), alerts.c.at >= since)
        .values(group_id=new_id)
    )
    mine = select(alerts.c.id).where(alerts.c.group_id == new_id)
    connection.execute(
        update(cases).where(cases.c.group_id == old_id, cases.c.alert_id.in_(mine)).values(group_id=new_id)
    )
    connection.execute(update(groups).where(groups.c.id == old_id).values(failed=standing(connection, old_id).failed))


def with_due(connection: Connection, tenant: str, channel: str) -> Sequence[AnyRow]:
    """Groups with a message for a channel that Slack surely has not, with its thread_id; tests of the path aside."""
    due = select(deliveries.c.thread_id).where(
        deliveries.c.tenant == tenant,
        deliveries.c.channel == channel,
        deliveries.c.state == "due",
        deliveries.c.kind != "edit",
    )
    return connection.execute(
        select(groups, threads.c.id.label("thread_id"))
        .join(threads, threads.c.group_id == groups.c.id)
        .where(threads.c.id.in_(due), groups.c.kind != "test")
        .order_by(threads.c.id)
    ).all()


def lapse(connection: Connection, tenant: str, before: datetime) -> None:
    """Close groups that nobody was told of, that no mute holds, and that got nothing new since a time."""
    muted = select(cases.c.alert_id).where(cases.c.group_id == groups.c.id, cases.c.state == "muted").exists()
    told = select(threads.c.group_id).where(threads.c.group_id == groups.c.id).exists()
    connection.execute(
        update(groups)
        .where(
            groups.c.tenant == tenant,
            groups.c.kind == "cause",
            groups.c.state.in_(OPEN),
            groups.c.last_at < before,
            ~told,
            ~muted,
        )
        .values(state="lapsed")
    )


def set_target_state(connection: Connection, group_id: int, state: str, read_at: datetime) -> None:
    """What was seen of the target when the latest case was read."""
    connection.execute(update(groups).where(groups.c.id == group_id).values(target_state=state, target_read_at=read_at))


# ---- alerts -------------------------------------------------------------------------------------------------------


def add_alert(connection: Connection, values: dict[str, Any]) -> int | None:
    """A new alert's id; None if this failed handover is there already."""
    found: int | None = connection.scalar(if_new(connection, alerts, alerts.c.id), values)
    return found


def change_alert(connection: Connection, alert_id: int, **values: Any) -> None:
    """Change an alert."""
    connection.execute(update(alerts).where(alerts.c.id == alert_id).values(**values))


def has_alert(connection: Connection, tenant: str, conversation_id: str, attempt_at: str, target_id: str) -> bool:
    """Whether this failed handover raised its alert already."""
    meant = {"of_tenant": tenant, "of_id": conversation_id, "asked_at": attempt_at, "of_target": target_id}
    return connection.scalar(_HAS_ALERT, meant) is not None


def alerts_of(connection: Connection, tenant: str, conversation_id: str) -> Sequence[AnyRow]:
    """The alerts of a conversation that stand."""
    return connection.execute(_ALERTS_OF, {"of_tenant": tenant, "of_id": conversation_id}).all()


def withdraw(connection: Connection, alert_id: int, now: datetime) -> None:
    """Take an alert back. Cases whose line nobody has seen are withdrawn with it; the others keep their line."""
    connection.execute(update(alerts).where(alerts.c.id == alert_id).values(withdrawn_at=now))
    due = select(deliveries.c.id).where(deliveries.c.state == "due", deliveries.c.id == cases.c.delivery_id).exists()
    connection.execute(
        update(cases)
        .where(
            cases.c.alert_id == alert_id,
            cases.c.state.in_(("held", "queued", "muted")) | ((cases.c.state == "merged") & due),
        )
        .values(state="withdrawn")
    )


def failures(connection: Connection, group_id: int, since: datetime, until: datetime, only: Kinds | None = None) -> int:
    """How many alerts of a group stand between two attempt times, both included; `only` those of these kinds."""
    kind = tuple_(alerts.c.outcome, alerts.c.fault, alerts.c.target_id, alerts.c.target_name)
    return (
        connection.scalar(
            select(func.count()).where(
                *([] if only is None else [kind.in_(only)]),
                alerts.c.group_id == group_id,
                alerts.c.withdrawn_at.is_(None),
                alerts.c.at >= since,
                alerts.c.at <= until,
            )
        )
        or 0
    )


def standing(connection: Connection, group_id: int) -> AnyRow:
    """Count, first and last attempt time of the alerts of a group that stand."""
    return connection.execute(
        select(
            func.count().label("failed"),
            func.min(alerts.c.at).label("first_at"),
            func.max(alerts.c.at).label("last_at"),
        ).where(alerts.c.group_id == group_id, alerts.c.withdrawn_at.is_(None))
    ).one()


def reasons(connection: Connection, group_id: int, limit: int = 4) -> Sequence[tuple[str, int]]:
    """The reasons that a group's alerts give, with their counts, the commonest first."""
    count = func.count()
    rows = connection.execute(
        select(alerts.c.reason, count)
        .where(alerts.c.group_id == group_id, alerts.c.withdrawn_at.is_(None), alerts.c.reason != "")
        .group_by(alerts.c.reason)
        .order_by(count.desc(), alerts.c.reason)
        .limit(limit)
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def newest_alert(connection: Connection, group_id: int) -> AnyRow | None:
    """The latest failed handover of a group."""
    return connection.execute(
        select(alerts)
        .where(alerts.c.group_id == group_id, alerts.c.withdrawn_at.is_(None))
        .order_by(alerts.c.at.desc(), alerts.c.id.desc())
        .limit(1)
    ).first()
