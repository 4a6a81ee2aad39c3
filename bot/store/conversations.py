"""Conversations that were listed, their handovers, and the index by number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select, update

from bot.store.sql import AnyRow, chunks, insert, upsert
from bot.store.tables import conversations, handovers, numbers

LATEST = 50  # handovers that mostly tell how a scope does
# Built once, as it runs for each conversation; the columns to set are those of the parameters.
_LOOKED = update(conversations).where(
    conversations.c.tenant == bindparam("of_tenant"), conversations.c.id == bindparam("of_id")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A call's deciding attempt, as counted. `verdict`: accepted, failed or open."""

    conversation_id: str
    at: datetime
    target_id: str
    bot: str
    outcome: str
    fault: str
    verdict: str
    version: str = ""


def unseen(connection: Connection, tenant: str, ids: Collection[str]) -> set[str]:
    """Those ids that were never listed before."""
    left = set(ids)
    for part in chunks(sorted(left)):
        known = connection.scalars(
            select(conversations.c.id).where(conversations.c.tenant == tenant, conversations.c.id.in_(part))
        )
        left.difference_update(known)
    return left


def add(connection: Connection, tenant: str, rows: Sequence[dict[str, Any]]) -> None:
    """Remember listed calls: id, started_at, ended_at, seen_at, next_look, arrival. Known ones stay as they are."""
    for part in chunks(rows):
        values = [{"tenant": tenant, **row} for row in part]
        connection.execute(insert(connection, conversations).values(values).on_conflict_do_nothing())


def ended(connection: Connection, tenant: str, ends: dict[str, datetime], now: datetime) -> None:
    """Calls that the list now shows as ended: to be looked at next, if they were not seen ended before."""
    for conversation_id, ended_at in ends.items():
        connection.execute(
            update(conversations)
            .where(
                conversations.c.tenant == tenant,
                conversations.c.id == conversation_id,
                conversations.c.ended_at.is_(None),
                conversations.c.next_look.is_not(None),
            )
            .values(ended_at=ended_at, next_look=now)
        )


def still_open(connection: Connection, tenant: str, ids: Collection[str]) -> set[str]:
    """Those of the ids that were not seen ended and are still to be looked at."""
    found: set[str] = set()
    for part in chunks(sorted(ids)):
        found.update(
            connection.scalars(
                select(conversations.c.id).where(
                    conversations.c.tenant == tenant,
                    conversations.c.id.in_(part),
                    conversations.c.ended_at.is_(None),
                    conversations.c.next_look.is_not(None),
                )
            )
        )
    return found


def to_look_at(connection: Connection, tenant: str, now: datetime, limit: int) -> Sequence[AnyRow]:
    """What is due for a look: calls that ended first, then open ones, the longest due first."""
    return connection.execute(
        select(conversations)
        .where(conversations.c.tenant == tenant, conversations.c.next_look <= now)
        .order_by(conversations.c.ended_at.is_(None), conversations.c.next_look)
        .limit(limit)
    ).all()


def looked(connection: Connection, tenant: str, conversation_id: str, **values: Any) -> None:
    """What a look learned, and when the next one is due (None: settled)."""
    connection.execute(_LOOKED, {"of_tenant": tenant, "of_id": conversation_id, **values})


def unread_arrivals(connection: Connection, tenant: str) -> int:
    """How many conversations found on arrival were not read yet."""
    return (
        connection.scalar(
            select(func.count()).where(
                conversations.c.tenant == tenant,
                conversations.c.arrival,
                conversations.c.looks == 0,
                conversations.c.next_look.is_not(None),
            )
        )
        or 0
    )


def overdue(connection: Connection, tenant: str) -> datetime | None:
    """Since when the longest waiting look of a call that ended is due; None if none waits."""
    found: datetime | None = connection.scalar(
        select(func.min(conversations.c.next_look)).where(
            conversations.c.tenant == tenant, conversations.c.ended_at.is_not(None), conversations.c.unreadable == 0
        )
    )
    return found


# ---- the index by number ------------------------------------------------------------------------------------------


def index(connection: Connection, tenant: str, calls: Iterable[tuple[str, str, datetime | None]]) -> None:
    """Remember whose calls they were: conversation, keyed hash of the number, start."""
    rows = [
        {"tenant": tenant, "conversation_id": call, "hash": number, "started_at": started}
        for call, number, started in calls
    ]
    for part in chunks(rows):
        connection.execute(insert(connection, numbers).values(part).on_conflict_do_nothing())


def known(connection: Connection, tenant: str, number_hash: str, limit: int = 200) -> Sequence[AnyRow]:
    """Conversations of a number that the watcher saw, newest first."""
    return connection.execute(
        select(
            conversations.c.id,
            conversations.c.started_at,
            conversations.c.ended_at,
            conversations.c.outcome,
            conversations.c.outbound,
        )
        .join(
            numbers,
            and_(numbers.c.tenant == conversations.c.tenant, numbers.c.conversation_id == conversations.c.id),
        )
        .where(numbers.c.tenant == tenant, numbers.c.hash == number_hash)
        .order_by(conversations.c.started_at.desc())
        .limit(limit)
    ).all()


# ---- handovers: what every rate is counted from -------------------------------------------------------------------


def count_handover(connection: Connection, tenant: str, handover: Handover) -> None:
    """Count a call's handover, or correct what was counted for it."""
    upsert(
        connection,
        handovers,
        {"tenant": tenant, "conversation_id": handover.conversation_id},
        {
            "at": handover.at,
            "target_id": handover.target_id,
            "bot": handover.bot,
            "outcome": handover.outcome,
            "fault": handover.fault,
            "verdict": handover.verdict,
            "version": handover.version,
        },
    )


def in_scope(scope: str) -> Any:
    """The condition for a group's scope: `target:<id>`, `bot:<name>` or `tenant:`."""
    kind, _, value = scope.partition(":")
    if kind == "target":
        return handovers.c.target_id == value
    if kind == "bot":
        return handovers.c.bot == value
    return handovers.c.at.is_not(None)


def attempts(connection: Connection, tenant: str, scope: str, since: datetime, until: datetime) -> int:
    """How many handovers were asked for in a scope between two times, both included."""
    return (
        connection.scalar(
            select(func.count()).where(
                handovers.c.tenant == tenant, in_scope(scope), handovers.c.at >= since, handovers.c.at <= until
            )
        )
        or 0
    )


def latest(connection: Connection, tenant: str, scope: str, after: datetime, row: int) -> Sequence[AnyRow]:
    """Judged handovers of a scope asked for after a time: at, verdict; newest first.

    The newest of them; where these are all accepted and there are more, the newest and the first `row` that were
    accepted in a row, for these say since when.
    """
    judged = (
        select(handovers.c.at, handovers.c.verdict)
        .where(
            handovers.c.tenant == tenant,
            in_scope(scope),
            handovers.c.at > after,
            handovers.c.verdict.in_(("accepted", "failed")),
        )
        .order_by(handovers.c.at.desc())
    )
    many = max(LATEST, row + 1)
    newest = connection.execute(judged.limit(many)).all()
    if len(newest) < many or any(each.verdict == "failed" for each in newest):
        return newest
    failed = connection.execute(judged.where(handovers.c.verdict == "failed").limit(1)).first()
    since = judged.where(handovers.c.at > (failed.at if failed else after)).order_by(None).order_by(handovers.c.at)
    return [newest[0], *reversed(connection.execute(since.limit(row)).all())]


def counts(connection: Connection, tenant: str, target_id: str, now: datetime, minutes: int = 60) -> dict[str, Any]:
    """What Peers is made of: the last hour of a target and of the tenant, and what was before."""
    since = now - timedelta(minutes=minutes)
    here = handovers.c.target_id == target_id
    failed = handovers.c.verdict == "failed"
    accepted = handovers.c.verdict == "accepted"
    row = connection.execute(
        select(
            func.count().filter(here).label("attempts"),
            func.count().filter(and_(here, accepted)).label("accepted"),
            func.count().filter(and_(here, failed)).label("failed"),
            func.count().label("tenant_attempts"),
            func.count().filter(failed).label("tenant_failed"),
            func.min(handovers.c.at).filter(and_(here, failed)).label("first_failed"),
        ).where(handovers.c.tenant == tenant, handovers.c.at >= since, handovers.c.at <= now)
    ).one()
    last = connection.execute(
        select(handovers.c.at, handovers.c.version)
        .where(handovers.c.tenant == tenant, here, accepted, handovers.c.at <= now)
        .order_by(handovers.c.at.desc())
        .limit(1)
    ).first()
    return {
        **row._mapping,  # noqa: SLF001 - SQLAlchemy's public way to a row as a mapping
        "last_accepted": last.at if last else None,
        "version_before": last.version if last else "",
    }


def bot_calls(connection: Connection, tenant: str, since: datetime, until: datetime) -> tuple[int, int]:
    """Bot calls that began between two times and were read, and how many of them asked for a handover."""
    row = connection.execute(
        select(func.count(), func.count().filter(conversations.c.outcome != "not_attempted")).where(
            conversations.c.tenant == tenant,
            conversations.c.bot,
            conversations.c.looks > 0,
            conversations.c.ended_at.is_not(None),
            conversations.c.started_at > since,
            conversations.c.started_at <= until,
        )
    ).one()
    return int(row[0]), int(row[1])
