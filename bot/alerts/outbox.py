"""What Slack is owed of one thread: its post, its edit, its replies and broadcasts.

A group in a channel is a *thread*: one post, one edit row that is armed again and again, replies 1, 2, 3, …, and
broadcasts by their occasion. All have names, so that planning twice plans once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from bot.store import deliveries, owed, threads
from bot.store.sql import AnyRow
from bot.store.tables import deliveries as rows

if TYPE_CHECKING:
    from bot.alerts.record import Scene


def announce(
    connection: Connection,
    here: Scene,
    group: AnyRow,
    channel: str,
    now: datetime,
    *,
    due_at: datetime | None = None,
) -> AnyRow:
    """A group's thread in a channel, and its message owed."""
    thread = threads.begin(connection, here.tenant, group.id, channel, now=now, into=None)
    post_root(connection, here, thread, now, due_at)
    return thread


def post_root(
    connection: Connection, here: Scene, thread: AnyRow, now: datetime, due_at: datetime | None = None
) -> None:
    """Owe the thread its message, unless it is there. One that was dropped comes back; one that died is tried anew."""
    if thread.ts or _add_root(connection, here, thread, now, due_at):
        return
    if deliveries.rearm(connection, here.tenant, root_key(thread), due_at or now, states=("dropped",)):
        return
    root = deliveries.by_key(connection, here.tenant, root_key(thread))
    if root is not None and root.state == "dead":
        threads.change(connection, thread.id, root=thread.root + 1)
        _add_root(connection, here, threads.get(connection, thread.id), now, due_at)


def _add_root(connection: Connection, here: Scene, thread: AnyRow, now: datetime, due_at: datetime | None) -> bool:
    return deliveries.add(
        connection,
        here.tenant,
        key=root_key(thread),
        kind=deliveries.POST,
        channel=thread.channel,
        now=now,
        due_at=due_at,
        thread_id=thread.id,
    )


def root_key(thread: AnyRow) -> str:
    """The name of the post that is, or will be, the thread's message."""
    return deliveries.key_of(thread.id, f"post:{thread.root}")


def told_at(connection: Connection, thread: AnyRow) -> datetime | None:
    """When Slack got the thread's message."""
    root = deliveries.by_key(connection, thread.tenant, root_key(thread))
    return root.sent_at if root is not None else None


def arm_reply(connection: Connection, here: Scene, thread: AnyRow, now: datetime, *, at_once: bool = False) -> None:
    """Owe the thread a reply if cases wait for one and none is planned."""
    if not owed.queued(connection, thread.id):
        return
    planned = connection.execute(
        select(rows.c.id).where(
            rows.c.thread_id == thread.id,
            rows.c.kind == deliveries.REPLY,
            rows.c.state == "due",
            rows.c.tries == 0,
        )
    ).first()
    if planned is not None:
        return
    number = thread.replies + 1
    threads.change(connection, thread.id, replies=number)
    last = None if at_once else thread.replied_at
    deliveries.add(
        connection,
        here.tenant,
        key=deliveries.key_of(thread.id, f"reply:{number}"),
        kind=deliveries.REPLY,
        channel=thread.channel,
        now=now,
        due_at=max(now, last + here.rules.thread_every) if last is not None else now,
        thread_id=thread.id,
    )


def arm_edit(connection: Connection, here: Scene, thread: AnyRow, now: datetime) -> None:
    """Owe the thread's message an edit, at most one every few seconds. Before it is posted none is needed."""
    if not thread.ts:
        return
    key = deliveries.key_of(thread.id, "edit")
    if deliveries.add(
        connection, here.tenant, key=key, kind=deliveries.EDIT, channel=thread.channel, now=now, thread_id=thread.id
    ):
        return
    row = deliveries.by_key(connection, here.tenant, key)
    last = row.sent_at if row is not None else None
    due_at = max(now, last + here.rules.edit_every) if last is not None else now
    deliveries.rearm(connection, here.tenant, key, due_at, states=("sent", "dropped", "dead"))


def broadcast(connection: Connection, here: Scene, thread: AnyRow, occasion: str, now: datetime) -> None:
    """Owe the thread a reply that the channel sees too, once an occasion; one that was dropped comes back."""
    key = deliveries.key_of(thread.id, f"broadcast:{occasion}")
    if not deliveries.add(
        connection,
        here.tenant,
        key=key,
        kind=deliveries.BROADCAST,
        channel=thread.channel,
        now=now,
        thread_id=thread.id,
        text=occasion,
    ):
        deliveries.rearm(connection, here.tenant, key, now, states=("dropped",))
