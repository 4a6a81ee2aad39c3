"""`attempts_stopped`: bot calls keep coming, and handovers are no longer asked for. Nothing fails then."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.alerts import audience, outbox, policy
from bot.alerts.policy import Asking
from bot.alerts.record import Scene
from bot.store import conversations, groups, threads
from bot.store.sql import AnyRow

KEY = "attempts_stopped"


def watch(connection: Connection, here: Scene, now: datetime) -> None:
    """Open the group when it stops, end it when it goes on."""
    begun = now - policy.STOPPED_WINDOW
    newest = groups.newest(connection, here.tenant, KEY)
    if newest is not None and newest.state == "open":
        lately = Asking(*conversations.bot_calls(connection, here.tenant, newest.opened_at, now))
        if lately.asked:
            groups.change(connection, newest.id, now, state="resolved", ended_at=now)
            for thread in threads.of_group(connection, newest.id):
                outbox.arm_edit(connection, here, thread, now)
        else:
            _tell(connection, here, newest, now)  # where a mute has ended meanwhile
        return
    lately = Asking(*conversations.bot_calls(connection, here.tenant, begun, now))
    if lately.asked or not lately.calls:
        return
    usually = Asking(*conversations.bot_calls(connection, here.tenant, begun - policy.USUAL_WINDOW, begun))
    if not policy.has_stopped(lately, usually):
        return
    group = groups.open_next(
        connection,
        here.tenant,
        KEY,
        newest,
        {
            "kind": "stopped",
            "opened_at": now,
            "first_at": begun,
            "headline": f"{lately.calls} bot calls in 30 minutes, none asked for a handover; in the day before "
            f"{usually.asked} of {usually.calls} did.",
        },
    )
    _tell(connection, here, group, now)


def _tell(connection: Connection, here: Scene, group: AnyRow, now: datetime) -> None:
    for channel in dict.fromkeys(channel for channel, _ in here.listeners):
        if audience.hears(connection, here, group, channel):
            outbox.announce(connection, here, group, channel, now)
