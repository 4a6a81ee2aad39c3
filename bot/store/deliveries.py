"""Every write to Slack, leased one at a time: `due → sending → sent`, or `dead` with a reason.

The rule the SQL keeps: a row goes to `sending` in a committed transaction before the call is made, and leaves it only
by the token of the lease that put it there. A row found in `sending` after its lease may have reached Slack: it is
leased again to be *looked for*. `dropped` is for rows that became needless before they were ever tried.

Slack counts by channel and app, whoever the alerts are from: budgets belong to the `workspace` (empty where there is
one), so that all tenants and processes share them. That a channel is paused belongs to one tenant's subscription.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, Text, and_, bindparam, case, func, or_, select, update

from bot.store.sql import AnyRow, insert, upsert
from bot.store.tables import Instant, cases, deliveries, pacing, threads

POST, EDIT, REPLY, BROADCAST, LINE = "post", "edit", "reply", "broadcast", "line"
PRIORITY = {POST: 0, LINE: 0, EDIT: 1, BROADCAST: 2, REPLY: 3}
WORKSPACE = "*"  # the budget of everything: held while Slack refuses the token
UPDATES = "#update"  # the budget of edits: Slack's tier 3 counts them for the whole app
EVERY = {UPDATES: timedelta(seconds=1.2)}
A_POST = timedelta(seconds=1)  # Slack's limit of posts in one channel

# What may be sent, as far as a row and its thread tell; a reply or an edit has to wait for its message.
_UNSENT = deliveries.c.state.in_(("due", "sending"))
_HAS_ITS_THREAD = or_(deliveries.c.kind.in_((POST, LINE)), threads.c.ts != "")
_BUDGET = case((deliveries.c.kind == EDIT, UPDATES), else_=deliveries.c.channel)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to make one call, until `until`. `look` says that an earlier sending may have reached Slack."""

    row: AnyRow
    token: str
    until: datetime
    look: bool


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
    statement = insert(connection, deliveries).values(
        tenant=tenant,
        key=key,
        uid=uuid.uuid4().hex,
        kind=kind,
        priority=PRIORITY[kind],
        channel=channel,
        thread_id=thread_id,
        state="due",
        due_at=due_at or now,
        created_at=now,
        text=text,
    )
    return connection.execute(statement.on_conflict_do_nothing().returning(deliveries.c.id)).first() is not None


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


def lease(
    connection: Connection, tenant: str, now: datetime, seconds: float, *, channel: str = "", workspace: str = ""
) -> Lease | None:
    """Take the most urgent write whose channel is free, for so many seconds. None if nothing can be sent now.

    With `channel` only what goes there is looked at.
    """
    row = _candidate(connection, tenant, now, channel, workspace)
    if row is None:
        return None
    # 1. Reserve the channel's next instant; whoever loses it comes again.
    if not _reserve(connection, workspace, budget_of(row), now):
        return None
    # 2. Put the row into `sending` by a token of our own.
    token = uuid.uuid4().hex
    until = now + timedelta(seconds=seconds)
    look = row.state == "sending" and row.kind != EDIT
    statement = (
        update(deliveries)
        .where(
            deliveries.c.id == row.id,
            deliveries.c.state == row.state,
            deliveries.c.token == row.token,
            deliveries.c.due_at == row.due_at,
        )
        .values(
            state="sending",
            token=token,
            due_at=until,
            sending_since=row.sending_since or now,
            tries=deliveries.c.tries + (0 if look else 1),
        )
        .returning(deliveries)
    )
    taken = connection.execute(statement).first()
    return Lease(taken, token, until, look) if taken is not None else None


def budget_of(row: AnyRow) -> str:
    """What Slack counts a delivery against."""
    return UPDATES if row.kind == EDIT else str(row.channel)


def _candidate(connection: Connection, tenant: str, now: datetime, channel: str, workspace: str) -> AnyRow | None:
    wanted = {"tenant": tenant, "now": now, "channel": channel, "workspace": workspace}
    return connection.execute(_candidates(), wanted).first()


@functools.cache
def _candidates() -> Select[*tuple[Any, ...]]:
    """The most urgent row whose channel is free; built once, for it is asked several times a second."""
    tenant: BindParameter[str] = bindparam("tenant", type_=Text())
    only: BindParameter[str] = bindparam("channel", type_=Text())
    workspace: BindParameter[str] = bindparam("workspace", type_=Text())
    now: BindParameter[datetime] = bindparam("now", type_=Instant())
    own, whole, channel = pacing.alias(), pacing.alias(), pacing.alias()
    return (
        select(deliveries)
        .outerjoin(threads, threads.c.id == deliveries.c.thread_id)
        .outerjoin(own, and_(own.c.tenant == workspace, own.c.key == _BUDGET))
        .outerjoin(whole, and_(whole.c.tenant == workspace, whole.c.key == WORKSPACE))
        .outerjoin(channel, and_(channel.c.tenant == tenant, channel.c.key == deliveries.c.channel))
        .where(
            deliveries.c.tenant == tenant,
            _UNSENT,
            deliveries.c.due_at <= now,
            or_(only == "", deliveries.c.channel == only),
            _HAS_ITS_THREAD,
            or_(own.c.free_at.is_(None), own.c.free_at <= now),
            or_(whole.c.free_at.is_(None), whole.c.free_at <= now),
            channel.c.paused_at.is_(None),
        )
        .order_by(deliveries.c.priority, deliveries.c.due_at, deliveries.c.id)
        .limit(1)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def _reserve(connection: Connection, workspace: str, key: str, now: datetime) -> bool:
    free_at = now + EVERY.get(key, A_POST)
    statement = insert(connection, pacing).values(tenant=workspace, key=key, free_at=free_at, why="")
    statement = statement.on_conflict_do_update(
        index_elements=["tenant", "key"], set_={"free_at": free_at}, where=pacing.c.free_at <= now
    )
    return connection.execute(statement.returning(pacing.c.key)).first() is not None


def extend(connection: Connection, taken: Lease, now: datetime, seconds: float) -> Lease | None:
    """Keep the lease for a sending that follows a look. None if somebody else has it."""
    until = now + timedelta(seconds=seconds)
    row = _with_token(connection, taken, due_at=until, tries=deliveries.c.tries + 1)
    return Lease(row, taken.token, until, look=False) if row is not None else None


def sent(connection: Connection, taken: Lease, ts: str, now: datetime) -> bool:
    """Slack has it. False if the lease was lost, and with it the right to say so."""
    return _with_token(connection, taken, state="sent", ts=ts, sent_at=now, error="", refusals=0) is not None


def again(connection: Connection, taken: Lease, due_at: datetime, error: str, **values: Any) -> bool:
    """Slack surely has it not: due again."""
    return (
        _with_token(connection, taken, state="due", due_at=due_at, sending_since=None, error=error, **values)
        is not None
    )


def unsure(connection: Connection, taken: Lease, look_at: datetime, error: str) -> bool:
    """Slack may have it: stays in `sending`, to be looked for."""
    return _with_token(connection, taken, due_at=look_at, error=error) is not None


def finish(connection: Connection, taken: Lease, state: str, error: str) -> bool:
    """Dead or dropped, with the reason."""
    return _with_token(connection, taken, state=state, error=error) is not None


def _with_token(connection: Connection, taken: Lease, **values: Any) -> AnyRow | None:
    statement = (
        update(deliveries)
        .where(deliveries.c.id == taken.row.id, deliveries.c.token == taken.token, deliveries.c.state == "sending")
        .values(**values)
        .returning(deliveries)
    )
    return connection.execute(statement).first()


# ---- pacing -------------------------------------------------------------------------------------------------------


def hold(connection: Connection, workspace: str, key: str, until: datetime) -> None:
    """Nothing more under this key before `until`, or before a longer hold ends: a 429, a refused token."""
    statement = insert(connection, pacing).values(tenant=workspace, key=key, free_at=until, why="")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "key"], set_={"free_at": until}, where=pacing.c.free_at < until
        )
    )


def counted(connection: Connection, workspace: str, row: AnyRow, now: datetime) -> None:
    """Slack took a write by now at the latest, and counts from there; the reservation counted from its beginning."""
    key = budget_of(row)
    free_at = now + EVERY.get(key, A_POST)
    connection.execute(
        update(pacing)
        .where(pacing.c.tenant == workspace, pacing.c.key == key, pacing.c.free_at < free_at)
        .values(free_at=free_at)
    )


def pause(connection: Connection, tenant: str, channel: str, now: datetime, why: str) -> None:
    """Nothing more into this channel until somebody resumes it."""
    upsert(connection, pacing, {"tenant": tenant, "key": channel}, {"free_at": now, "paused_at": now, "why": why})


def resume(connection: Connection, tenant: str, channel: str) -> None:
    """The channel takes messages again; what is there and was given up is brought up to date."""
    connection.execute(
        update(pacing).where(pacing.c.tenant == tenant, pacing.c.key == channel).values(paused_at=None, why="")
    )
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.tenant == tenant,
            deliveries.c.channel == channel,
            deliveries.c.kind == EDIT,
            deliveries.c.state == "dead",
        )
        .values(state="due", sending_since=None, tries=0, refusals=0, error="")
    )


def paused(connection: Connection, tenant: str, before: datetime) -> Sequence[AnyRow]:
    """Channels that have been paused since before a time."""
    return connection.execute(
        select(pacing.c.key, pacing.c.paused_at, pacing.c.why).where(
            pacing.c.tenant == tenant, pacing.c.paused_at <= before
        )
    ).all()


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
            _UNSENT,
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
            deliveries.c.state.in_(("due", "sending")),
            deliveries.c.tries > 0,
            pacing.c.paused_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


def backlog(connection: Connection, tenant: str, workspace: str = "") -> Sequence[AnyRow]:
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
        .where(deliveries.c.tenant == tenant, _UNSENT)
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
            _UNSENT,
            deliveries.c.due_at <= now,
            _HAS_ITS_THREAD,
            ~held,
        )
        .distinct()
    ).all()


def next_at(connection: Connection, tenant: str, channel: str, workspace: str = "") -> datetime | None:
    """When the next write into a channel may go; None if nothing is owed, or the channel is paused."""
    own, whole = pacing.alias(), pacing.alias()
    rows = connection.execute(
        select(
            _BUDGET.label("budget"),
            func.min(deliveries.c.due_at).label("due_at"),
            func.max(own.c.free_at).label("free_at"),
            func.max(whole.c.free_at).label("resumes_at"),
        )
        .outerjoin(threads, threads.c.id == deliveries.c.thread_id)
        .outerjoin(pacing, and_(pacing.c.tenant == tenant, pacing.c.key == deliveries.c.channel))
        .outerjoin(own, and_(own.c.tenant == workspace, own.c.key == _BUDGET))
        .outerjoin(whole, and_(whole.c.tenant == workspace, whole.c.key == WORKSPACE))
        .where(
            deliveries.c.tenant == tenant,
            deliveries.c.channel == channel,
            _UNSENT,
            _HAS_ITS_THREAD,
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
        .where(deliveries.c.tenant == tenant, deliveries.c.channel == channel, _UNSENT)
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
