"""Lines for the ops channel: outages and their ends, a watcher that is late, messages that died. Each is said once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.alerts.listed import Listed
from bot.alerts.record import Scene
from bot.store import conversations, deliveries, facts

OUT_AFTER = timedelta(minutes=5)
BEHIND_AFTER = timedelta(minutes=2)
_CXONE = {
    facts.CXONE_OUT: (
        "CXone has been out of reach since {since}. {why} Failed handovers are found once it is back.",
        "CXone is back since {now}; it was out of reach since {since}. What failed meanwhile is being looked for.",
    ),
    facts.PARTLY: (
        "CXone's list of calls has come only in part since {since}. {why} What is missing is told once it comes.",
        "CXone's list of calls is whole again since {now}; parts of it were missing since {since}.",
    ),
    facts.UNREAD: (
        "CXone lists calls, and none of them could be read since {since}. {why} They are told once they can be read.",
        "CXone's calls can be read again since {now}; they could not since {since}. All that waited is being read.",
    ),
}


def say(connection: Connection, tenant: str, channel: str, *, key: str, text: str, now: datetime) -> bool:
    """Owe a channel a line, once a key. False if it was owed before, or there is no channel."""
    if not channel:
        return False
    return deliveries.add(
        connection, tenant, key=f"line:{key}", kind=deliveries.LINE, channel=channel, now=now, text=text
    )


def fails(connection: Connection, tenant: str, what: str, now: datetime, *, why: str, channel: str) -> None:
    """CXone does not do one of `_CXONE`; said once it has been so for five minutes."""
    facts.note(connection, tenant, what, now, why[:300])
    out = facts.fact(connection, tenant, what)
    if out is not None and now - out.at >= OUT_AFTER:
        text = _CXONE[what][0].format(since=_clock(out.at), why=out.value)
        say(connection, tenant, channel, key=f"{what}:{out.at.isoformat()}", text=text, now=now)


def works(connection: Connection, tenant: str, what: str, now: datetime, channel: str) -> None:
    """It does again; said if the failure was."""
    out = facts.drop(connection, tenant, what)
    if out is not None and now - out.at >= OUT_AFTER:
        text = _CXONE[what][1].format(since=_clock(out.at), now=_clock(now))
        say(connection, tenant, channel, key=f"{what}-over:{out.at.isoformat()}", text=text, now=now)


def listed(
    connection: Connection, tenant: str, now: datetime, found: Listed, *, before: datetime | None, channel: str
) -> None:
    """A list came: whole, in part, or after an absence with a span that nothing brings back."""
    works(connection, tenant, facts.CXONE_OUT, now, channel)
    if found.missing:
        fails(connection, tenant, facts.PARTLY, now, why=found.missing, channel=channel)
    else:
        works(connection, tenant, facts.PARTLY, now, channel)
    if found.gap and before is not None:
        words = "Of the calls between {} and {} only those are known that CXone still lists. {}"
        facts.renew(
            connection,
            tenant,
            facts.GAP,
            now,
            words.format(f"{before:%d %B %H:%M}", f"{now:%d %B %H:%M} UTC", found.gap),
        )
        text = words.format(_clock(before), _clock(now), found.gap[:300])
        say(connection, tenant, channel, key=f"gap:{before.isoformat()}", text=text, now=now)


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


def is_slack_out(connection: Connection, tenant: str) -> bool:
    """Whether a delivery found Slack out of reach, or was refused the token or a scope."""
    names = (facts.SLACK_OUT, facts.SLACK_STOPPED)
    return any(facts.fact(connection, tenant, name) is not None for name in names)


def slack_answers(connection: Connection, tenant: str, now: datetime, channel: str) -> None:
    """Slack takes the bot, without a delivery. If one waits, that one tells whether it can be sent."""
    if deliveries.is_trying(connection, tenant):
        return
    facts.drop(connection, tenant, facts.SLACK_STOPPED)
    slack_back(connection, tenant, now, channel)


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
