"""Mutes, acknowledgements and subscriptions: what people decide about alerts, each in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot import redact
from bot.alerts import audience, ops_lines, outbox, plan, policy, withholding
from bot.alerts.record import Scene, scene_after
from bot.store import groups, mutes, owed, subscriptions, threads
from bot.store.sql import AnyRow


def mute(
    connection: Connection,
    here: Scene,
    *,
    channel: str,
    what: str,
    value: str,
    until: datetime,
    author: str,
    why: str,
    now: datetime,
) -> int:
    """Mute in a channel until a time, 24 h at most; `what`: outcome, fault, target, group or all. Returns its id.

    What waits unsent is held; messages that are there say "muted until". Raises ValueError if `until` is too far.
    """
    if not now < until <= now + policy.LONGEST_MUTE:
        raise ValueError("A mute lasts up to 24 hours.")
    mute_id = mutes.add(
        connection,
        {
            "tenant": here.tenant,
            "channel": channel,
            "what": what,
            "value": value,
            "author": author,
            "why": why,
            "created_at": now,
            "until": until,
        },
    )
    after = scene_after(connection, here, now)
    held = policy.Mute(channel, what, value, until)
    # 1. What Slack surely has not is held.
    withholding.take_back(
        connection,
        after,
        channel,
        now,
        state="muted",
        gone=lambda row: audience.covers(held, channel, row, row.group_id),
    )
    # 2. What is there says until when.
    for group in groups.open_ones(connection, here.tenant):
        thread = threads.find(connection, group.id, channel)
        if thread is not None and audience.muted_until(connection, after, group, channel) != thread.muted_until:
            groups.change(connection, group.id, now)
            plan.settle_in(connection, after, group, channel, now)
    return mute_id


def unmute(connection: Connection, here: Scene, row: AnyRow, now: datetime, *, by: str = "") -> bool:
    """End a mute, its time come or not: what it held is sent. False if it was over before.

    The channel is told if a group still fires, or if somebody ended it early: `by`, made harmless for Slack.
    """
    if not mutes.end(connection, row.id, now):
        return False
    left = scene_after(connection, here, now)
    # 1. What no other mute holds goes on.
    freed: dict[int, list[int]] = {}
    for case in owed.unsent(connection, here.tenant, row.channel):
        if case.state == "muted" and not any(
            audience.covers(each, row.channel, case, case.group_id) for each in left.mutes
        ):
            freed.setdefault(case.group_id, []).append(case.alert_id)
    firing = 0
    for group in groups.open_ones(connection, here.tenant, *freed):
        thread = threads.find(connection, group.id, row.channel)
        until = audience.muted_until(connection, left, group, row.channel)
        if group.id in freed:
            place = plan.place(connection, left, group.id, row.channel, now)
            owed.put(connection, row.channel, freed[group.id], **place)
        elif thread is None or thread.muted_until == until:
            continue
        firing += group.state == "open" and until is None
        groups.change(connection, group.id, now)
        plan.settle_in(connection, left, group, row.channel, now)
    # 2. The channel is told.
    if firing or by:
        what = redact.escape(said(row))
        ended = f"{by} has ended the mute of {what}" if by else f"The mute of {what} has ended"
        firing_still = f"; {firing} {'group is' if firing == 1 else 'groups are'} still firing." if firing else "."
        text = f"{ended}{firing_still}"
        ops_lines.say(connection, here.tenant, row.channel, key=f"mute-ended:{row.id}", text=text, now=now)
    return True


def said(row: AnyRow) -> str:
    """What a mute is of, in words."""
    return words(row.what, row.value)


def words(what: str, value: str) -> str:
    """What is muted, in words; a target's name is foreign text, masked and cut."""
    match what:
        case "all":
            return "everything"
        case "group":
            return f"alert {value}"
        case "target":
            return f"the target {redact.foreign(value, 80)}"
        case _:
            return f"the {what} {value}"


def acknowledge(connection: Connection, here: Scene, group_id: int, user: str, now: datetime) -> str:
    """Note who has seen it. Returns the group's state; one that is over stays over, and is not changed."""
    group = groups.get(connection, group_id)
    if group.state not in groups.OPEN or group.acked_at is not None:
        return str(group.state)
    groups.change(connection, group_id, now, acked_by=user, acked_at=now)
    for thread in threads.of_group(connection, group_id):
        outbox.arm_edit(connection, here, thread, now)
    return str(group.state)


def unsubscribe(connection: Connection, here: Scene, channel: str, now: datetime, wish: str | None = None) -> int:
    """End a subscription of a channel, or all. What waits unsent is unsubscribed; what is on its way arrives."""
    ended = subscriptions.end(connection, here.tenant, channel, now, wish)
    after = scene_after(connection, here, now)
    left = audience.wishes_of(after, channel)
    withholding.take_back(
        connection,
        after,
        channel,
        now,
        state="unsubscribed",
        gone=lambda row: not any(audience.wants(each, row) for each in left),
    )
    return ended
