"""Lines for the ops channel: outages and their ends, a watcher that is late, messages that died. Each is said once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.alerts.record import Scene
from bot.store import conversations, deliveries, facts

OUT_AFTER = timedelta(minutes=5)
BEHIND_AFTER = timedelta(minutes=2)


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


def behind(connection: Connection, here: Scene, now: datetime) -> None:
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


def deaths(connection: Connection, here: Scene, now: datetime) -> None:
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
