"""Every write to Slack: owed once by its name, `due → sending → sent`, or `dead` with a reason.

How one is taken and ended stands in leases.py. `dropped` is for rows that became needless before they were ever tried.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, or_, select, update

from bot.store.sql import AnyRow, if_new
from bot.store.tables import cases, deliveries, pacing, threads

POST, EDIT, REPLY, BROADCAST, LINE = "post", "edit", "reply", "broadcast", "line"
PRIORITY = {POST: 0, LINE: 0, EDIT: 1, BROADCAST: 2, REPLY: 3}
WORKSPACE = "*"  # the budget of everything: held while Slack refuses the token
UPDATES = "#update"  # the budget of edits: Slack's tier 3 counts them for the whole app

# What may be sent, as far as a row and its thread tell; a reply or an edit has to wait for its message.
UNSENT = deliveries.c.state.in_(("due", "sending"))
HAS_ITS_THREAD = or_(deliveries.c.kind.in_((POST, LINE)), threads.c.ts != "")
BUDGET = case((deliveries.c.kind == EDIT, UPDATES), else_=deliveries.c.channel)


def key_of(thread_id: int, what: str) -> str:
    """The unique name of a delivery of a thread: one post, one edit, reply 1, 2, 3, …"""
    return f"thread:{thread_id}:{what}"


def add(
    connection: Connection,
    tenant: str,
    *,
    key: str,
    kind: str,
    channel: str,
    now: datetime,
    due_at: datetime | None = None,
    thread_id: int | None = None,
    text: str = "",
) -> bool:
    """Owe Slack a write, once. True if it is new."""
    values = {
        "tenant": tenant,
        "key": key,
        "uid": uuid.uuid4().hex,
        "kind": kind,
        "priority": PRIORITY[kind],
        "channel": channel,
        "thread_id": thread_id,
        "state": "due",
        "due_at": due_at or now,
        "created_at": now,
        "text": text,
    }
    return connection.execute(if_new(connection, deliveries, deliveries.c.id), values).first() is not None


def rearm(connection: Connection, tenant: str, key: str, due_at: datetime, *, states: Iterable[str]) -> bool:
    """Make a finished row due again: an edit that has something new to show, a post that was dropped."""
    statement = (
        update(deliveries)
        .where(deliveries.c.tenant == tenant, deliveries.c.key == key, deliveries.c.state.in_(list(states)))
        .values(state="due", due_at=due_at, sending_since=None, tries=0, refusals=0, error="")
        .returning(deliveries.c.id)
    )
    return connection.execute(statement).first() is not None


def by_key(connection: Connection, tenant: str, key: str) -> AnyRow | None:
    """A delivery by its name."""
    return connection.execute(select(deliveries).where(deliveries.c.tenant == tenant, deliveries.c.key == key)).first()


def withhold(connection: Connection, thread_id: int) -> None:
    """Drop what a thread is to be told and Slack surely has not: cases that a reply was to carry wait again.

    What is `sending` may have arrived, and goes on. An edit stays: it notifies nobody.
    """
    statement = (
        update(deliveries)
        .where(deliveries.c.thread_id == thread_id, deliveries.c.kind != EDIT, deliveries.c.state == "due")
        .values(state="dropped")
        .returning(deliveries.c.id)
    )
    dropped = list(connection.scalars(statement))
    connection.execute(
        update(cases)
        .where(cases.c.delivery_id.in_(dropped), cases.c.state == "carried")
        .values(state="queued", delivery_id=None)
    )


def budget_of(row: AnyRow) -> str:
    """What Slack counts a delivery against."""
    return UPDATES if row.kind == EDIT else str(row.channel)


# ---- what waits, what died ----------------------------------------------------------------------------------------


def oldest_due(connection: Connection, tenant: str, now: datetime) -> datetime | None:
    """Since when the longest waiting delivery is due, paused channels aside; None if nothing waits."""
    found: datetime | None = connection.scalar(
        # What was never tried is late since it was due; what was tried is late since it was owed.
        select(func.min(case((deliveries.c.tries == 0, deliveries.c.due_at), else_=deliveries.c.created_at)))
        .outerjoin(pacing, and_(pacing.c.tenant == tenant, pacing.c.key == deliveries.c.channel))
        .where(
            deliveries.c.tenant == tenant,
            deliveries.c.kind != EDIT,
            UNSENT,
            deliveries.c.due_at <= now,
            pacing.c.paused_at.is_(None),
        )
    )
    return found


def is_trying(connection: Connection, tenant: str) -> bool:
    """Whether something that was tried before waits for its next try, paused channels aside."""
    found = connection.scalar(
        select(deliveries.c.id)
        .outerjoin(pacing, and_(pacing.c.tenant == tenant, pacing.c.key == deliveries.c.channel))
        .where(
            deliveries.c.tenant == tenant,
            UNSENT,
            deliveries.c.tries > 0,
            pacing.c.paused_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


def backlog(connection: Connection, tenant: str, workspace: str) -> Sequence[AnyRow]:
    """A row a channel with something to send: channel, waiting, next (when the next may go), paused why."""
    own = pacing.alias()
    return connection.execute(
        select(
            deliveries.c.channel,
            func.count().label("waiting"),
            func.min(deliveries.c.due_at).label("due_at"),
            func.max(own.c.free_at).label("free_at"),
            func.max(pacing.c.why).label("why"),
        )
        .outerjoin(pacing, and_(pacing.c.tenant == tenant, pacing.c.key == deliveries.c.channel))
        .outerjoin(own, and_(own.c.tenant == workspace, own.c.key == deliveries.c.channel))
        .where(deliveries.c.tenant == tenant, UNSENT)
        .group_by(deliveries.c.channel)
        .order_by(deliveries.c.channel)
    ).all()


def ready(connection: Connection, now: datetime) -> Sequence[AnyRow]:
    """Where something is due that may go now, as far as channels tell, over all tenants: tenant, channel."""
    held = (
        select(pacing.c.key)
        .where(
            pacing.c.key == deliveries.c.channel,
            or_(
                and_(pacing.c.tenant == deliveries.c.tenant, pacing.c.paused_at.is_not(None)),
                and_(pacing.c.tenant != deliveries.c.tenant, pacing.c.free_at > now, deliveries.c.kind != EDIT),
            ),
        )
        .exists()
    )
    return connection.execute(
        select(deliveries.c.tenant, deliveries.c.channel)
        .outerjoin(threads, threads.c.id == deliveries.c.thread_id)
        .where(
            UNSENT,
            deliveries.c.due_at <= now,
            HAS_ITS_THREAD,
            ~held,
        )
        .distinct()
    ).all()


def next_at(connection: Connection, tenant: str, channel: str, workspace: str = "") -> datetime | None:
    """When the next write into a channel may go; None if nothing is owed, or the channel is paused."""
    own, whole = pacing.alias(), pacing.alias()
    rows = connection.execute(
        select(
            BUDGET.label("budget"),
            func.min(deliveries.c.due_at).label("due_at"),
            func.max(own.c.free_at).label("free_at"),
            func.max(whole.c.free_at).label("resumes_at"),
        )
        .outerjoin(threads, threads.c.id == deliveries.c.thread_id)
        .outerjoin(pacing, and_(pacing.c.tenant == tenant, pacing.c.key == deliveries.c.channel))
        .outerjoin(own, and_(own.c.tenant == workspace, own.c.key == BUDGET))
        .outerjoin(whole, and_(whole.c.tenant == workspace, whole.c.key == WORKSPACE))
        .where(
            deliveries.c.tenant == tenant,
            deliveries.c.channel == channel,
            UNSENT,
            HAS_ITS_THREAD,
            pacing.c.paused_at.is_(None),
        )
        .group_by("budget")
    ).all()
    times = (max(at for at in (row.due_at, row.free_at, row.resumes_at) if at is not None) for row in rows)
    return min(times, default=None)


def unsaid_dead(connection: Connection, tenant: str) -> Sequence[AnyRow]:
    """Deliveries that died and that nobody was told of."""
    return connection.execute(
        select(deliveries).where(
            deliveries.c.tenant == tenant, deliveries.c.state == "dead", deliveries.c.said.is_(False)
        )
    ).all()


def mark_said(connection: Connection, delivery_id: int) -> None:
    """A death was told."""
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(said=True))


def kill_channel(connection: Connection, tenant: str, channel: str, why: str) -> int:
    """Give up what waits for a channel that has been closed for long. Returns how many died; who calls says so."""
    statement = (
        update(deliveries)
        .where(deliveries.c.tenant == tenant, deliveries.c.channel == channel, UNSENT)
        .values(state="dead", error=why, said=True)
        .returning(deliveries.c.id, deliveries.c.thread_id)
    )
    gone = connection.execute(statement).all()
    for row in gone:
        if row.thread_id is not None:
            connection.execute(
                update(cases)
                .where(cases.c.thread_id == row.thread_id, cases.c.state == "queued")
                .values(state="carried", delivery_id=row.id)
            )
    return len(gone)


def bury_cases(connection: Connection, thread_id: int, delivery_id: int) -> None:
    """Cases that waited for a message which died are dead with it, and so is what was to follow it."""
    withhold(connection, thread_id)
    connection.execute(
        update(cases)
        .where(cases.c.thread_id == thread_id, cases.c.state == "queued")
        .values(state="carried", delivery_id=delivery_id)
    )
