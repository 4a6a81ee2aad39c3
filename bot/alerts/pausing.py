"""A channel that Slack has closed to the bot, and that opens again."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Connection

from bot.alerts import ops_lines
from bot.store import pacing, subscriptions

log = structlog.get_logger()


def pause(connection: Connection, tenant: str, channel: str, code: str, now: datetime, *, ops_channel: str) -> None:
    """Pause a channel's subscriptions and hold what waits; tell who subscribed it and the ops channel, once."""
    before = [each.paused_at for each in subscriptions.listed(connection, tenant, channel)]
    again = bool(before) and None not in before  # somebody tried it meanwhile
    authors = subscriptions.pause(connection, tenant, channel, now, code)
    pacing.pause(connection, tenant, channel, min(before) if again else now, f"Slack answers {code}")
    if again:
        return
    log.error("channel paused", channel=channel, code=code)
    text = (
        f"Alerts for <#{channel}> are paused: Slack answers {code}. Invite the bot and they go on; of a channel "
        "that was archived, unarchive it and subscribe once more. What waits is sent then, within 24 hours."
    )
    for receiver in dict.fromkeys([*authors, ops_channel]):
        if receiver and receiver != channel:
            key = f"paused:{channel}:{now.isoformat()}:{receiver}"
            ops_lines.say(connection, tenant, receiver, key=key, text=text, now=now)


def resume(connection: Connection, tenant: str, channel: str) -> None:
    """Its subscriptions are active again, and what waits goes on."""
    subscriptions.resume(connection, tenant, channel)
    pacing.resume(connection, tenant, channel)
