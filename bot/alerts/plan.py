"""What a changed group is to say in its channels, as deliveries: inside the transaction that changed it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from bot.alerts import audience, holders, outbox, policy
from bot.store import deliveries, groups
from bot.store.sql import AnyRow

if TYPE_CHECKING:
    from bot.alerts.record import Scene


def settle(connection: Connection, here: Scene, group_id: int, now: datetime) -> None:
    """Plan all that a changed group needs in all its channels."""
    group = groups.get(connection, group_id)
    # 1. Channels that hear of it for the first time.
    if group.state in groups.OPEN or group.state == "resolved":
        for channel in groups.channels_with(connection, group_id, "held"):
            if not audience.is_muted(here, group, channel) and audience.reached(connection, here, group, channel):
                fire(connection, here, group, channel, now)
    # 2. Channels that know it: cases, broadcasts, the edit.
    for thread in groups.threads_of(connection, group_id):
        if thread.into_id is not None:
            continue
        if group.state == "withdrawn":
            deliveries.withhold(connection, thread.id)
            groups.withdraw_waiting(connection, thread.id)
        else:
            outbox.revive_root(connection, here, thread, now)
            outbox.arm_reply(connection, here, thread, now)
            _broadcast_counts(connection, here, group, thread, now)
        outbox.arm_edit(connection, here, thread, now)
    # 3. Messages that hold it together with others show its ending too.
    for holder_id in holders.holders_of(connection, group_id) if group.state not in groups.OPEN else ():
        holder = groups.thread_by_id(connection, holder_id)
        groups.change(connection, holder.group_id, now)
        outbox.arm_edit(connection, here, holder, now)


def fire(connection: Connection, here: Scene, group: AnyRow, channel: str, now: datetime) -> None:
    """A group's first message in a channel, or its place in the one that holds the rest of a flood."""
    flood = groups.opened_lately(connection, here.tenant, channel, now, policy.FLOOD_MINUTES) >= policy.FLOOD_GROUPS
    if flood and group.kind == "cause":
        holder = holders.overflow_thread(connection, here, channel, now)
        groups.open_thread(connection, here.tenant, group.id, channel, now=now, into=holder.id)
        groups.move_cases(
            connection, group.id, channel, old=("held", "queued"), **holders.merged_into(connection, holder)
        )
        groups.change(connection, holder.group_id, now)
        outbox.arm_edit(connection, here, holder, now)
        return
    thread = groups.open_thread(connection, here.tenant, group.id, channel, now=now, into=None)
    groups.move_cases(connection, group.id, channel, old=("held",), state="queued", thread_id=thread.id)
    outbox.post_root(connection, here, thread, now)


def _broadcast_counts(connection: Connection, here: Scene, group: AnyRow, thread: AnyRow, now: datetime) -> None:
    """A count that passed a mark, and a reopening. A message that is still to come says both by itself."""
    if not thread.ts or group.state not in groups.OPEN or audience.is_muted(here, group, thread.channel):
        return
    mark = policy.broadcast_for(group.failed, thread.broadcast_count)
    if mark is not None:
        groups.change_thread(connection, thread.id, broadcast_count=mark)
        outbox.broadcast(connection, here, thread, f"count:{mark}", now)
    if group.reopened:
        outbox.broadcast(connection, here, thread, f"reopened:{group.reopened}", now)


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
