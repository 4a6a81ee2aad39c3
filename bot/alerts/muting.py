"""Mutes, acknowledgements and subscriptions: what people decide about alerts, each in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from bot import redact
from bot.alerts import filters, outbox, plan, policy
from bot.alerts.record import Scene, scene
from bot.diagnosis.outcomes import Fault, Outcome
from bot.store import deliveries, groups, mutes, subscriptions
from bot.store.sql import AnyRow
from bot.store.tables import alerts, cases, threads
from bot.store.tables import deliveries as delivery_rows
from bot.store.tables import groups as group_rows


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
    held = policy.Mute(channel, what, value, until)
    for group in groups.open_ones(connection, here.tenant):
        if not _covers(held, group):
            continue
        thread = groups.thread(connection, group.id, channel)
        if thread is not None:
            deliveries.withhold(connection, thread.id)
        groups.move_cases(connection, group.id, channel, old=("queued", "held"), state="muted")
        if thread is None:
            continue
        groups.change_thread(connection, thread.id, muted_until=until)
        groups.change(connection, group.id, now)
        outbox.arm_edit(connection, here, thread, now)
    return mute_id


def unmute(connection: Connection, here: Scene, row: AnyRow, now: datetime, *, by: str = "") -> bool:
    """End a mute, its time come or not: what it held of groups that still fire is sent. False if it was over before.

    The channel is told if a group still fires, or if somebody ended it early: `by`, made harmless for Slack.
    """
    if not mutes.end(connection, row.id, now):
        return False
    left = scene(connection, here.tenant, here.rules, now, here.ops_channel)
    mine = policy.Mute(row.channel, row.what, row.value, row.until)
    touched = connection.execute(
        select(group_rows)
        .where(group_rows.c.tenant == here.tenant, group_rows.c.kind == "cause")
        .where(
            group_rows.c.id.in_(
                select(cases.c.group_id).where(cases.c.channel == row.channel, cases.c.state == "muted")
            )
            | group_rows.c.id.in_(
                select(threads.c.group_id).where(threads.c.channel == row.channel, threads.c.muted_until.is_not(None))
            )
        )
    ).all()
    firing = 0
    for group in touched:
        if not _covers(mine, group):
            continue
        others = [each.until for each in left.mutes if _covers(each, group)]
        thread = groups.thread(connection, group.id, row.channel)
        if thread is not None:
            groups.change_thread(connection, thread.id, muted_until=max(others, default=None))
        if others:
            continue
        if group.state in groups.OPEN:
            firing += group.state == "open"
            state = {"state": "queued", "thread_id": thread.id} if thread is not None else {"state": "held"}
            groups.move_cases(connection, group.id, row.channel, old=("muted",), **state)
        groups.change(connection, group.id, now)
        plan.settle(connection, left, group.id, now)
    if firing or by:
        what = redact.escape(said(row))
        ended = f"{by} has ended the mute of {what}" if by else f"The mute of {what} has ended"
        firing_still = f"; {firing} {'group is' if firing == 1 else 'groups are'} still firing." if firing else "."
        text = f"{ended}{firing_still}"
        deliveries.add(
            connection,
            here.tenant,
            key=f"line:mute-ended:{row.id}",
            kind=deliveries.LINE,
            channel=row.channel,
            now=now,
            text=text,
        )
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
    for thread in groups.threads_of(connection, group_id):
        outbox.arm_edit(connection, here, thread, now)
    return str(group.state)


def unsubscribe(connection: Connection, here: Scene, channel: str, now: datetime, wish: str | None = None) -> int:
    """End a subscription of a channel, or all. What waits unsent is unsubscribed; what is on its way arrives."""
    ended = subscriptions.end(connection, here.tenant, channel, now, wish)
    left = [wish for listener, wish in scene(connection, here.tenant, here.rules, now).listeners if listener == channel]
    # 1. What Slack surely has not of groups that nobody here wants any more.
    withheld = []
    owed = select(threads.c.id, group_rows).join(group_rows, group_rows.c.id == threads.c.group_id)
    due = select(delivery_rows.c.thread_id).where(
        delivery_rows.c.tenant == here.tenant, delivery_rows.c.channel == channel, delivery_rows.c.state == "due"
    )
    for row in connection.execute(owed.where(threads.c.id.in_(due), group_rows.c.kind == "cause")).all():
        if not any(_wants(each, row) for each in left):
            deliveries.withhold(connection, row[0])
            withheld.append(row[0])
    # 2. Their cases.
    waiting = connection.execute(
        select(
            cases.c.alert_id,
            alerts.c.outcome,
            alerts.c.fault,
            alerts.c.target_id,
            alerts.c.target_name,
        )
        .join(alerts, alerts.c.id == cases.c.alert_id)
        .where(
            cases.c.tenant == here.tenant,
            cases.c.channel == channel,
            cases.c.state.in_(("held", "queued", "muted")),
        )
    ).all()
    for row in waiting:
        if not any(_wants(each, row) for each in left):
            this = (cases.c.alert_id == row.alert_id, cases.c.channel == channel)
            connection.execute(update(cases).where(*this).values(state="unsubscribed"))
    # 3. What somebody else here still wants goes on.
    for thread_id in withheld:
        thread = groups.thread_by_id(connection, thread_id)
        outbox.revive_root(connection, here, thread, now)
        outbox.arm_reply(connection, here, thread, now)
    return ended


def _wants(wish: filters.Filters, row: AnyRow) -> bool:
    return wish.matches(
        outcome=Outcome(row.outcome), fault=Fault(row.fault), target_id=row.target_id, target_name=row.target_name
    )


def _covers(held: policy.Mute, group: AnyRow) -> bool:
    return held.covers(
        held.channel,
        outcome=group.outcome,
        fault=group.fault,
        target=(group.target_id, group.target_name),
        group_id=group.id,
    )
