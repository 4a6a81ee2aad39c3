"""What `recent`, `status` and the Home tab show, read from the tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, false, func, or_, select

from bot.store.sql import AnyRow
from bot.store.tables import alerts, audit, conversations, groups, handovers


def recent_handovers(connection: Connection, tenant: str, since: datetime, limit: int = 500) -> Sequence[AnyRow]:
    """Handovers asked for since a time, newest first, with what their alert and conversation add.

    Columns: conversation_id, at, outcome, fault, verdict, target_id, target_name, reason, phone, forgotten.
    """
    alert = (
        select(alerts.c.conversation_id, func.max(alerts.c.id).label("id"))
        .where(alerts.c.tenant == tenant, alerts.c.withdrawn_at.is_(None))
        .group_by(alerts.c.conversation_id)
        .subquery()
    )
    return connection.execute(
        select(
            handovers.c.conversation_id,
            handovers.c.at,
            handovers.c.outcome,
            handovers.c.fault,
            handovers.c.verdict,
            handovers.c.target_id,
            func.coalesce(alerts.c.target_name, "").label("target_name"),
            func.coalesce(alerts.c.reason, "").label("reason"),
            func.coalesce(conversations.c.phone, "").label("phone"),
            func.coalesce(conversations.c.forgotten, false()).label("forgotten"),
        )
        .outerjoin(
            conversations,
            and_(conversations.c.tenant == tenant, conversations.c.id == handovers.c.conversation_id),
        )
        .outerjoin(alert, alert.c.conversation_id == handovers.c.conversation_id)
        .outerjoin(alerts, alerts.c.id == alert.c.id)
        .where(handovers.c.tenant == tenant, handovers.c.at >= since)
        .order_by(handovers.c.at.desc(), handovers.c.conversation_id)
        .limit(limit)
    ).all()


def handovers_since(connection: Connection, tenant: str, since: datetime) -> tuple[int, int]:
    """How many handovers were asked for since a time, and how many of them failed."""
    row = connection.execute(
        select(func.count(), func.count().filter(handovers.c.verdict == "failed")).where(
            handovers.c.tenant == tenant, handovers.c.at >= since
        )
    ).one()
    return row[0], row[1]


def knows_target(connection: Connection, tenant: str, said: str) -> bool:
    """Whether any handover went to a target of this id or name."""
    wanted = said.casefold()
    return (
        connection.scalar(
            select(handovers.c.conversation_id)
            .where(handovers.c.tenant == tenant, func.lower(handovers.c.target_id) == wanted)
            .limit(1)
        )
        is not None
        or connection.scalar(
            select(groups.c.id)
            .where(
                groups.c.tenant == tenant,
                or_(func.lower(groups.c.target_name) == wanted, func.lower(groups.c.target_id) == wanted),
            )
            .limit(1)
        )
        is not None
    )


def waiting_looks(connection: Connection, tenant: str, now: datetime) -> tuple[int, int]:
    """Conversations that are due for a look, and live ones that are watched."""
    row = connection.execute(
        select(
            func.count().filter(conversations.c.next_look <= now),
            func.count().filter(conversations.c.ended_at.is_(None)),
        ).where(conversations.c.tenant == tenant, conversations.c.next_look.is_not(None))
    ).one()
    return row[0], row[1]


def open_groups(connection: Connection, tenant: str) -> int:
    """Groups of failures that somebody was, or may be, told of and that are not over."""
    return (
        connection.scalar(
            select(func.count()).where(
                groups.c.tenant == tenant, groups.c.kind == "cause", groups.c.state.in_(("open", "quiet"))
            )
        )
        or 0
    )


def uses_of(
    connection: Connection, tenant: str, actor: str, actions: Collection[str], limit: int = 5
) -> Sequence[AnyRow]:
    """What a person did last, of these actions, newest first."""
    return connection.execute(
        select(audit)
        .where(audit.c.tenant == tenant, audit.c.actor == actor, audit.c.action.in_(list(actions)))
        .order_by(audit.c.id.desc())
        .limit(limit)
    ).all()
