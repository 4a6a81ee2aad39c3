"""What time alone brings to what is open: endings, quiet, an hour unacknowledged, mutes that are over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.alerts import audience, muting, ops_lines, outbox, plan, policy, stopped
from bot.alerts.record import Scene
from bot.store import conversations, deliveries, groups, mutes, pacing, threads
from bot.store.sql import AnyRow

QUIET_LAPSES_AFTER = timedelta(hours=24)


def advance(connection: Connection, here: Scene, now: datetime) -> None:
    """One round over all that is open."""
    # 1. Mutes whose time has come.
    for mute in mutes.over(connection, here.tenant, now):
        muting.unmute(connection, here, mute, now)
    # 2. Groups: resolved, quiet, an hour unacknowledged.
    for group in groups.open_ones(connection, here.tenant):
        _advance_group(connection, here, group, now)
    groups.lapse(connection, here.tenant, now - policy.LAPSES_AFTER)
    # 3. Channels that have been closed for a day.
    for row in pacing.paused(connection, here.tenant, now - policy.CHANNEL_GIVEN_UP_AFTER):
        gone = deliveries.kill_channel(connection, here.tenant, row.key, row.why)
        if gone:
            text = f"{gone} messages for <#{row.key}> were given up after a day: {row.why}."
            ops_lines.say(
                connection, here.tenant, here.ops_channel, key=f"given-up:{row.key}:{row.paused_at}", text=text, now=now
            )
    # 4. Lines for the ops channel.
    ops_lines.behind(connection, here, now)
    ops_lines.deaths(connection, here, now)
    for row in here.unreadable:
        text = (
            f"A subscription of <#{row.channel}> cannot be read, and nothing is sent for it. "
            "End it there with `/handover unsubscribe`, and subscribe again."
        )
        ops_lines.say(connection, here.tenant, here.ops_channel, key=f"unreadable:{row.id}", text=text, now=now)
    # 5. Bot calls that no longer ask for a handover.
    stopped.watch(connection, here, now)


def _advance_group(connection: Connection, here: Scene, group: AnyRow, now: datetime) -> None:
    if group.last_at is None:
        return
    judged = conversations.latest(connection, here.tenant, group.scope, group.last_at, here.rules.resolve_accepted)
    latest = [(row.at, row.verdict) for row in judged]
    ended_at = policy.ending(here.rules, latest, group.last_at, now)
    accepted_at = max((at for at, verdict in latest if verdict == "accepted"), default=group.last_accepted_at)
    if ended_at is not None:
        groups.change(
            connection,
            group.id,
            now,
            state="resolved",
            ended_at=ended_at,
            ending="accepted",
            quiet_since=None,
            last_accepted_at=accepted_at,
        )
        plan.settle(connection, here, group.id, now)
        return
    if group.state == "open":
        since = policy.quiet_since(here.rules, (group.last_at, accepted_at), now)
        if since is not None:
            groups.change(connection, group.id, now, state="quiet", quiet_since=since)
            plan.settle(connection, here, group.id, now)
            return
        _remind(connection, here, group, now)
    elif now - group.last_at >= QUIET_LAPSES_AFTER:
        groups.change(connection, group.id, now, state="lapsed")
    elif accepted_at is not None and group.quiet_since < accepted_at and not _says_accepted(group):
        groups.change(connection, group.id, now, last_accepted_at=accepted_at)
        plan.settle(connection, here, group.id, now)


def _says_accepted(group: AnyRow) -> bool:
    """Whether a group that is quiet tells already of something accepted since."""
    return group.last_accepted_at is not None and group.last_accepted_at > group.quiet_since


def _remind(connection: Connection, here: Scene, group: AnyRow, now: datetime) -> None:
    """A broadcast, once, when an hour went by and nobody acknowledged."""
    if not policy.is_unacknowledged(plan.state_of(connection, group, None), now):
        return
    for thread in threads.of_group(connection, group.id):
        told = thread.ts and policy.is_unacknowledged(plan.state_of(connection, group, thread), now)
        if told and audience.hears(connection, here, group, thread.channel):
            outbox.broadcast(connection, here, thread, f"hour:{group.reopened}", now)
