"""Lines for the ops channel: outages and their ends, a watcher that is late, messages that died. Each is said once."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from bot.alerts.record import Scene
from bot.store import conversations, deliveries, facts

log = structlog.get_logger()

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
    """CXone did not answer, neither a list nor any look; said once it has been so for five minutes."""
    facts.note(connection, tenant, facts.CXONE_OUT, now, sentence[:300])
    cxone_still_out(connection, tenant, now, channel)


def cxone_still_out(connection: Connection, tenant: str, now: datetime, channel: str) -> None:
    """Nothing was asked meanwhile that would tell; five minutes may have passed all the same."""
    out = facts.fact(connection, tenant, facts.CXONE_OUT)
    if out is not None and now - out.at >= OUT_AFTER:
        since = _clock(out.at)
        text = f"CXone has been out of reach since {since}. {out.value} Failed handovers are found once it is back."
        say(connection, tenant, channel, key=f"cxone-out:{out.at.isoformat()}", text=text, now=now)


def cxone_back(connection: Connection, tenant: str, now: datetime, channel: str) -> bool:
    """CXone answered; said if the outage was. Whether there was one at all."""
    out = facts.drop(connection, tenant, facts.CXONE_OUT)
    if out is not None and now - out.at >= OUT_AFTER:
        text = f"CXone is back since {_clock(now)}; it was out of reach since {_clock(out.at)}. Nothing was skipped."
        say(connection, tenant, channel, key=f"cxone-back:{out.at.isoformat()}", text=text, now=now)
    return out is not None


def list_incomplete(connection: Connection, tenant: str, now: datetime, why: str, channel: str) -> None:
    """Why some of the list is missing, empty if it was read to its end; said once it has been so for five minutes."""
    if not why:
        facts.drop(connection, tenant, facts.LIST_INCOMPLETE)
        return
    facts.note(connection, tenant, facts.LIST_INCOMPLETE, now, why[:300])
    since = facts.fact(connection, tenant, facts.LIST_INCOMPLETE)
    if since is not None and now - since.at >= OUT_AFTER:
        text = (
            f"Since {_clock(since.at)} the list of CXone's calls is not read to its end, so failed handovers may be "
            f"missing. {since.value}"
        )
        say(connection, tenant, channel, key=f"list:{since.at.isoformat()}", text=text, now=now)


def not_listed(connection: Connection, tenant: str, now: datetime, gap: tuple[datetime, str], channel: str) -> None:
    """Calls that began in a span can no longer be listed, and why: said at once, once."""
    since, why = gap
    log.error("calls are not listed", tenant=tenant, since=since.isoformat(), reason=why)
    text = (
        f"Calls that began after {_clock(since)} and that CXone's list no longer holds could not be looked through, so "
        f"failed handovers among them are not told. {why}"
    )
    say(connection, tenant, channel, key=f"not-listed:{since.isoformat()}", text=text, now=now)


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
