"""Who did what, where, with what result: look-ups (masked), refusals, mutes, subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from bot.store.sql import AnyRow
from bot.store.tables import audit


def write(
    connection: Connection,
    tenant: str,
    *,
    at: datetime,
    actor: str,
    channel: str,
    action: str,
    subject: str = "",
    number_hash: str = "",
    result: str = "",
) -> None:
    """One row a use. `subject` is masked before it comes here."""
    connection.execute(
        insert(audit).values(
            tenant=tenant,
            at=at,
            actor=actor,
            channel=channel,
            action=action,
            subject=subject,
            hash=number_hash,
            result=result,
        )
    )


def since(connection: Connection, tenant: str | None, start: datetime, limit: int = 10_000) -> Sequence[AnyRow]:
    """Rows from a time on, oldest first; of all tenants if none is named."""
    rows = select(audit).where(audit.c.at >= start).order_by(audit.c.at, audit.c.id).limit(limit)
    return connection.execute(rows if tenant is None else rows.where(audit.c.tenant == tenant)).all()
