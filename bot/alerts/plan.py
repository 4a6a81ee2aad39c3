"""What a changed group is to say in its channels, as deliveries: inside the transaction that changed it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bot.alerts import audience, holders, outbox, policy
from bot.store import deliveries, groups, owed, threads
from bot.store.sql import AnyRow

if TYPE_CHECKING:
    from bot.alerts.record import Scene


def settle(connection: Connection, here: Scene, group_id: int, now: datetime) -> None:
    """Plan all that a changed group needs in all its channels."""
    group = groups.get(connection, group_id)
    # 1. Channels that are to hear of it, or know it.
    told = [thread.channel for thread in threads.of_group(connection, group_id)]
    for channel in dict.fromkeys([*owed.channels_with(connection, group_id, "held"), *told]):
        settle_in(connection, here, group, channel, now)
    # 2. Messages that hold it together with others show its ending too.
    over = group.state not in groups.OPEN or group.reopened
    for holder in threads.holding(connection, group_id) if over else ():
        holders.show(connection, here, holder, now)


def settle_held(connection: Connection, here: Scene, channel: str, now: datetime) -> None:
    """Plan again what is held in a channel, whose thresholds are others now."""
    for group in groups.open_ones(connection, here.tenant):
        if channel in owed.channels_with(connection, group.id, "held"):
            settle_in(connection, here, group, channel, now)


def settle_in(connection: Connection, here: Scene, group: AnyRow, channel: str, now: datetime) -> None:
    """Plan what a group needs in one channel: the first message, then cases, broadcasts, the edit."""
    # 1. It hears of it for the first time.
    thread = threads.find(connection, group.id, channel)
    if thread is None and group.state in (*groups.OPEN, "resolved"):
        if audience.reached(connection, here, group, channel):
            fire(connection, here, group, channel, now)
        thread = threads.find(connection, group.id, channel)
    if thread is None or thread.into_id is not None:
        return
    # 2. It knows it.
    if group.state == "withdrawn":
        deliveries.withhold(connection, thread.id)
        owed.withdraw_waiting(connection, thread.id)
    else:
        if owed.queued(connection, thread.id):
            outbox.post_root(connection, here, thread, now)
        outbox.arm_reply(connection, here, thread, now)
        arm_broadcasts(connection, here, group, thread, now)
    until = audience.muted_until(connection, here, group, channel)
    if until != thread.muted_until:
        threads.change(connection, thread.id, muted_until=until)
    outbox.arm_edit(connection, here, thread, now)


def fire(connection: Connection, here: Scene, group: AnyRow, channel: str, now: datetime) -> None:
    """A group's first message in a channel, or its place in the one that holds the rest of a flood."""
    if holders.is_flood(connection, here, channel, now):
        holder = holders.overflow_thread(connection, here, channel, now)
        threads.begin(connection, here.tenant, group.id, channel, now=now, into=holder.id)
        merged = holders.merged_into(connection, here, holder, now)
        owed.move(connection, group.id, channel, old=("held", "queued"), **merged)
        return
    thread = outbox.announce(connection, here, group, channel, now)
    owed.move(connection, group.id, channel, old=("held",), state="queued", thread_id=thread.id)


def place(connection: Connection, here: Scene, group_id: int, channel: str, now: datetime) -> dict[str, Any]:
    """The columns of a case that a channel is to hear of, by what it was told of the group.

    A group that the message of a flood holds gets one of its own once the flood is over.
    """
    thread = threads.find(connection, group_id, channel)
    if thread is None:
        return {"state": "held", "thread_id": None}
    if thread.into_id is not None:
        if holders.is_flood(connection, here, channel, now):
            return holders.merged_into(connection, here, threads.get(connection, thread.into_id), now)
        threads.change(connection, thread.id, into_id=None, opened_at=now)
    return {"state": "queued", "thread_id": thread.id}


def arm_broadcasts(connection: Connection, here: Scene, group: AnyRow, thread: AnyRow, now: datetime) -> None:
    """Owe the channel a count that passed a mark, and a reopening, unless its message says them by itself."""
    if not thread.ts or group.state != "open" or not audience.hears(connection, here, group, thread.channel):
        return
    mark = policy.broadcast_for(group.failed, thread.broadcast_count)
    if mark is not None:
        outbox.broadcast(connection, here, thread, f"count:{mark}", now)
    if group.reopened and not says_reopened(connection, group, thread):
        outbox.broadcast(connection, here, thread, f"reopened:{group.reopened}", now)


def says_reopened(connection: Connection, group: AnyRow, thread: AnyRow) -> bool:
    """Whether the message was posted after the reopening, and says so by itself."""
    told_at = outbox.told_at(connection, thread)
    return told_at is not None and told_at >= group.firing_since


def state_of(connection: Connection, group: AnyRow, thread: AnyRow | None) -> policy.State:
    """What the policy asks of a group. It fires, for a channel, since people there could have acknowledged it."""
    since = [group.firing_since]
    if thread is not None:
        since += [outbox.told_at(connection, thread), audience.unmuted_at(connection, group, thread.channel)]
    return policy.State(
        state=group.state,
        version=group.version,
        failed=group.failed,
        reopened=group.reopened,
        firing_since=max((at for at in since if at is not None), default=None),
        acknowledged=bool(group.acked_by),
    )
