"""What is to be written to Slack, as deliveries: inside the transaction that changed a group.

A group in a channel is a *thread*: one post, one edit row that is armed again and again, replies 1, 2, 3, …, and
broadcasts by their occasion. All have names, so that planning twice plans once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from bot.alerts import policy
from bot.diagnosis.outcomes import Fault, Outcome
from bot.store import conversations, deliveries, groups
from bot.store.sql import AnyRow
from bot.store.tables import alerts, cases, threads
from bot.store.tables import deliveries as rows
from bot.store.tables import groups as group_rows

if TYPE_CHECKING:
    from bot.alerts.record import Scene

ARRIVAL_WAITS = timedelta(seconds=60)


def settle(connection: Connection, here: Scene, group_id: int, now: datetime) -> None:
    """Plan all that a changed group needs in all its channels."""
    group = groups.get(connection, group_id)
    # 1. Channels that hear of it for the first time.
    if group.state in groups.OPEN or group.state == "resolved":
        for channel in groups.channels_with(connection, group_id, "held"):
            if not is_muted(here, group, channel) and reached(connection, here, group, channel):
                fire(connection, here, group, channel, now)
    # 2. Channels that know it: cases, broadcasts, the edit.
    for thread in groups.threads_of(connection, group_id):
        if thread.into_id is not None:
            continue
        if group.state == "withdrawn":
            deliveries.withhold(connection, thread.id)
            groups.withdraw_waiting(connection, thread.id)
        else:
            revive_root(connection, here, thread, now)
            arm_reply(connection, here, thread, now)
            _broadcast_counts(connection, here, group, thread, now)
        arm_edit(connection, here, thread, now)
    # 3. Messages that hold it together with others show its ending too.
    for holder_id in _holders(connection, group_id) if group.state not in groups.OPEN else ():
        holder = groups.thread_by_id(connection, holder_id)
        groups.change(connection, holder.group_id, now)
        arm_edit(connection, here, holder, now)


def fire(connection: Connection, here: Scene, group: AnyRow, channel: str, now: datetime) -> None:
    """A group's first message in a channel, or its place in the one that holds the rest of a flood."""
    flood = groups.opened_lately(connection, here.tenant, channel, now, policy.FLOOD_MINUTES) >= policy.FLOOD_GROUPS
    if flood and group.kind == "cause":
        holder = _overflow_thread(connection, here, channel, now)
        groups.open_thread(connection, here.tenant, group.id, channel, now=now, into=holder.id)
        groups.move_cases(connection, group.id, channel, old=("held", "queued"), **merged_into(connection, holder))
        groups.change(connection, holder.group_id, now)
        arm_edit(connection, here, holder, now)
        return
    thread = groups.open_thread(connection, here.tenant, group.id, channel, now=now, into=None)
    groups.move_cases(connection, group.id, channel, old=("held",), state="queued", thread_id=thread.id)
    post_root(connection, here, thread, now)


def post_root(
    connection: Connection, here: Scene, thread: AnyRow, now: datetime, due_at: datetime | None = None
) -> None:
    """Owe the thread its message."""
    deliveries.add(
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


def revive_root(connection: Connection, here: Scene, thread: AnyRow, now: datetime) -> None:
    """A post that a mute dropped comes back; one that died is tried once more when new cases wait for it."""
    if thread.ts or not groups.queued(connection, thread.id):
        return
    if deliveries.rearm(connection, here.tenant, root_key(thread), now, states=("dropped",)):
        return
    root = deliveries.by_key(connection, here.tenant, root_key(thread))
    if root is not None and root.state == "dead":
        groups.change_thread(connection, thread.id, root=thread.root + 1)
        post_root(connection, here, groups.thread_by_id(connection, thread.id), now)


def arm_reply(connection: Connection, here: Scene, thread: AnyRow, now: datetime, *, at_once: bool = False) -> None:
    """Owe the thread a reply if cases wait for one and none is planned."""
    if not groups.queued(connection, thread.id):
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
    groups.change_thread(connection, thread.id, replies=number)
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
    """Owe the thread a reply that the channel sees too, once an occasion."""
    deliveries.add(
        connection,
        here.tenant,
        key=deliveries.key_of(thread.id, f"broadcast:{occasion}"),
        kind=deliveries.BROADCAST,
        channel=thread.channel,
        now=now,
        thread_id=thread.id,
        text=occasion,
    )


def _broadcast_counts(connection: Connection, here: Scene, group: AnyRow, thread: AnyRow, now: datetime) -> None:
    """A count that passed a mark, and a reopening. A message that is still to come says both by itself."""
    if not thread.ts or group.state not in groups.OPEN or is_muted(here, group, thread.channel):
        return
    mark = policy.broadcast_for(group.failed, thread.broadcast_count)
    if mark is not None:
        groups.change_thread(connection, thread.id, broadcast_count=mark)
        broadcast(connection, here, thread, f"count:{mark}", now)
    if group.reopened:
        broadcast(connection, here, thread, f"reopened:{group.reopened}", now)


def reached(connection: Connection, here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether the group's failures reach the threshold of any subscription of the channel that matches."""
    outcome = Outcome(group.outcome)
    thresholds = {
        wish.threshold(outcome)
        for listener, wish in here.listeners
        if listener == channel
        and wish.matches(
            outcome=outcome,
            fault=Fault(group.fault),
            target_id=group.target_id,
            target_name=group.target_name,
        )
    }
    ends = _held_times(connection, group.id, channel) | {group.last_at}
    for threshold in sorted(thresholds):
        for end in sorted(ends, reverse=True):
            since = end - timedelta(minutes=threshold.minutes)
            failed = groups.failures(connection, group.id, since, end)
            if failed < threshold.failures:
                continue
            asked = (
                conversations.attempts(connection, here.tenant, group.scope, since, end) if threshold.rate else failed
            )
            if policy.is_over(threshold, failed, asked):
                return True
    return False


def _held_times(connection: Connection, group_id: int, channel: str, limit: int = 50) -> set[datetime]:
    return set(
        connection.scalars(
            select(alerts.c.at)
            .join(cases, cases.c.alert_id == alerts.c.id)
            .where(cases.c.group_id == group_id, cases.c.channel == channel, cases.c.state == "held")
            .order_by(alerts.c.id.desc())
            .limit(limit)
        )
    )


def state_of(group: AnyRow) -> policy.State:
    """What the policy asks of a group."""
    return policy.State(
        state=group.state,
        version=group.version,
        failed=group.failed,
        reopened=group.reopened,
        firing_since=group.firing_since,
        acknowledged=bool(group.acked_by),
    )


def is_muted(here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether a mute of the channel covers the group now."""
    return any(
        mute.covers(
            channel,
            outcome=group.outcome,
            fault=group.fault,
            target=(group.target_id, group.target_name),
            group_id=group.id,
        )
        for mute in here.mutes
    )


def _holders(connection: Connection, group_id: int) -> list[int]:
    """Threads of other messages that hold cases of this group."""
    return [
        int(row)
        for row in connection.scalars(
            select(cases.c.thread_id).where(cases.c.group_id == group_id, cases.c.state == "merged").distinct()
        )
        if row is not None
    ]


# ---- messages that hold several groups ----------------------------------------------------------------------------


def merged_into(connection: Connection, holder: AnyRow) -> dict[str, Any]:
    """The columns of a case that a holding message stands for."""
    root = connection.execute(
        select(rows.c.id)
        .where(rows.c.thread_id == holder.id, rows.c.kind == deliveries.POST)
        .order_by(rows.c.id.desc())
    ).first()
    return {"state": "merged", "thread_id": holder.id, "delivery_id": root.id if root is not None else None}


def arrival_thread(connection: Connection, here: Scene, channel: str, *, arrived: datetime, now: datetime) -> AnyRow:
    """The one message of what was found on arrival, in a channel. It waits until all was read, a minute at most."""
    group = groups.open_group(
        connection,
        here.tenant,
        f"arrival channel={channel}",
        int(arrived.timestamp()),
        {"kind": "arrival", "opened_at": now, "headline": "Found on arrival", "firing_since": arrived},
    )
    thread = groups.open_thread(connection, here.tenant, group.id, channel, now=now, into=None)
    post_root(connection, here, thread, now, due_at=now + ARRIVAL_WAITS)
    groups.change(connection, group.id, now)
    arm_edit(connection, here, thread, now)
    return thread


def release_arrival(connection: Connection, tenant: str, now: datetime) -> None:
    """All that was there on arrival has been read: the summaries may go."""
    waiting = (
        select(threads.c.id)
        .join(group_rows, group_rows.c.id == threads.c.group_id)
        .where(group_rows.c.tenant == tenant, group_rows.c.kind == "arrival")
    )
    connection.execute(
        update(rows)
        .where(
            rows.c.tenant == tenant,
            rows.c.kind == deliveries.POST,
            rows.c.state == "due",
            rows.c.tries == 0,
            rows.c.due_at > now,
            rows.c.thread_id.in_(waiting),
        )
        .values(due_at=now)
    )


def _overflow_thread(connection: Connection, here: Scene, channel: str, now: datetime) -> AnyRow:
    key = f"overflow channel={channel}"
    newest = groups.newest(connection, here.tenant, key)
    if newest is None or now - newest.opened_at >= timedelta(minutes=policy.FLOOD_MINUTES):
        newest = groups.open_group(
            connection,
            here.tenant,
            key,
            newest.generation + 1 if newest is not None else 1,
            {"kind": "overflow", "opened_at": now, "headline": "Further causes", "firing_since": now},
        )
    thread = groups.open_thread(connection, here.tenant, newest.id, channel, now=now, into=None)
    post_root(connection, here, thread, now)
    return thread
