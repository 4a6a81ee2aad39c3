"""What time alone brings: endings, quiet, an hour unacknowledged, mutes that are over, outages worth a line."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.alerts import muting, plan, policy, stopped
from bot.alerts.record import Scene
from bot.store import conversations, deliveries, facts, groups, mutes
from bot.store.sql import AnyRow

OUT_AFTER = timedelta(minutes=5)
BEHIND_AFTER = timedelta(minutes=2)
CHANNEL_GIVEN_UP_AFTER = timedelta(hours=24)
QUIET_LAPSES_AFTER = timedelta(hours=24)


def tend(connection: Connection, here: Scene, now: datetime) -> None:
    """One round over all that is open."""
    # 1. Groups: resolved, quiet, an hour unacknowledged.
    for group in groups.open_ones(connection, here.tenant):
        _tend_group(connection, here, group, now)
    groups.lapse(connection, here.tenant, now - policy.LAPSES_AFTER)
    # 2. Mutes whose time has come.
    for mute in mutes.over(connection, here.tenant, now):
        muting.unmute(connection, here, mute, now)
    # 3. Channels that have been closed for a day.
    for row in deliveries.paused(connection, here.tenant, now - CHANNEL_GIVEN_UP_AFTER):
        gone = deliveries.kill_channel(connection, here.tenant, row.key, row.why)
        if gone:
            text = f"{gone} messages for <#{row.key}> were given up after a day: {row.why}."
            say(
                connection, here.tenant, here.ops_channel, key=f"given-up:{row.key}:{row.paused_at}", text=text, now=now
            )
    # 4. Lines for the ops channel.
    _behind(connection, here, now)
    say_deaths(connection, here, now)
    # 5. Bot calls that no longer ask for a handover.
    stopped.watch(connection, here, now)


def _tend_group(connection: Connection, here: Scene, group: AnyRow, now: datetime) -> None:
    if group.last_at is None:
        return
    latest = [
        (row.at, row.verdict) for row in conversations.latest(connection, here.tenant, group.scope, group.last_at, 50)
    ]
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


def _remind(connection: Connection, here: Scene, group: AnyRow, now: datetime) -> None:
    """A broadcast, once, when an hour went by and nobody acknowledged."""
    if not policy.is_unacknowledged(plan.state_of(group), now):
        return
    for thread in groups.threads_of(connection, group.id):
        if thread.ts and thread.into_id is None and not plan.is_muted(here, group, thread.channel):
            plan.broadcast(connection, here, thread, f"hour:{group.reopened}", now)


# ---- lines for the ops channel ------------------------------------------------------------------------------------


def say(connection: Connection, tenant: str, channel: str, *, key: str, text: str, now: datetime) -> bool:
    """Owe a channel a line, once a key. False if it was owed before, or there is no channel."""
    if not channel:
        return False
    return deliveries.add(
        connection, tenant, key=f"line:{key}", kind=deliveries.LINE, channel=channel, now=now, text=text
    )


def cxone_out(connection: Connection, tenant: str, now: datetime, sentence: str, channel: str) -> None:
    """CXone did not answer a listing; said once it has been so for five minutes."""
    facts.note(connection, tenant, facts.CXONE_OUT, now, sentence[:300])
    out = facts.fact(connection, tenant, facts.CXONE_OUT)
    if out is not None and now - out.at >= OUT_AFTER:
        since = _clock(out.at)
        text = f"CXone has been out of reach since {since}. {out.value} Failed handovers are found once it is back."
        say(connection, tenant, channel, key=f"cxone-out:{out.at.isoformat()}", text=text, now=now)


def cxone_back(connection: Connection, tenant: str, now: datetime, channel: str) -> None:
    """A listing succeeded; said if the outage was."""
    out = facts.drop(connection, tenant, facts.CXONE_OUT)
    if out is not None and now - out.at >= OUT_AFTER:
        text = f"CXone is back since {_clock(now)}; it was out of reach since {_clock(out.at)}. Nothing was skipped."
        say(connection, tenant, channel, key=f"cxone-back:{out.at.isoformat()}", text=text, now=now)


def slack_out(connection: Connection, tenant: str, now: datetime, why: str) -> None:
    """Slack did not answer."""
    facts.note(connection, tenant, facts.SLACK_OUT, now, why[:200])


def slack_back(connection: Connection, tenant: str, now: datetime, channel: str) -> None:
    """Slack answered; said if it had been out for five minutes."""
    out = facts.drop(connection, tenant, facts.SLACK_OUT)
    if out is not None and now - out.at >= OUT_AFTER:
        text = (
            f"Slack is back since {_clock(now)}; it was out of reach since {_clock(out.at)} ({out.value}). "
            "What waited is being sent."
        )
        say(connection, tenant, channel, key=f"slack-back:{out.at.isoformat()}", text=text, now=now)


def _behind(connection: Connection, here: Scene, now: datetime) -> None:
    """The watcher is more than two minutes late with calls that ended."""
    since = conversations.overdue(connection, here.tenant)
    late = since is not None and now - since > BEHIND_AFTER
    if late and since is not None:
        facts.note(connection, here.tenant, facts.BEHIND, since)
        noted = facts.fact(connection, here.tenant, facts.BEHIND)
        at = noted.at if noted else since
        text = f"The watcher is more than 2 minutes behind: calls that ended at {_clock(at)} are not read yet."
        say(connection, here.tenant, here.ops_channel, key=f"behind:{at.isoformat()}", text=text, now=now)
        return
    before = facts.drop(connection, here.tenant, facts.BEHIND)
    if before is not None:
        text = f"The watcher has caught up at {_clock(now)}."
        say(connection, here.tenant, here.ops_channel, key=f"caught-up:{before.at.isoformat()}", text=text, now=now)


def say_deaths(connection: Connection, here: Scene, now: datetime) -> None:
    """A line for every delivery that died; the death of a line is in the log and the metric alone."""
    for row in deliveries.unsaid_dead(connection, here.tenant):
        if row.kind == deliveries.LINE or not here.ops_channel:
            deliveries.mark_said(connection, row.id)
            continue
        text = f"A message for <#{row.channel}> could not be delivered ({row.kind}): {row.error}"
        say(connection, here.tenant, here.ops_channel, key=f"dead:{row.id}", text=text, now=now)
        deliveries.mark_said(connection, row.id)


def _clock(at: datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"
