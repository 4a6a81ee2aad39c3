"""What Slack surely has not is taken back: a mute began, or a subscription ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from bot.alerts import audience, outbox, plan
from bot.alerts.record import Scene
from bot.store import deliveries, groups, owed, threads
from bot.store.sql import AnyRow


def take_back(
    connection: Connection, here: Scene, channel: str, now: datetime, *, state: str, gone: Callable[[AnyRow], bool]
) -> None:
    """Put a channel's unsent cases that are `gone` into a state, and drop the messages that nobody there hears of now.

    `here` is the scene after the change. What is `sending` may have arrived, and goes on.
    """
    taken = [row for row in owed.unsent(connection, here.tenant, channel) if row.state != state and gone(row)]
    # 1. Messages that were to carry such a case, or that the channel does not hear of any more, are not sent.
    carried_by = {row.thread_id for row in taken}
    withheld = [
        row.thread_id
        for row in groups.with_due(connection, here.tenant, channel)
        if row.thread_id in carried_by or not audience.hears(connection, here, row, channel)
    ]
    for thread_id in withheld:
        deliveries.withhold(connection, thread_id)
    # 2. The cases.
    owed.put(connection, channel, [row.alert_id for row in taken], state=state, thread_id=None, delivery_id=None)
    # 3. What is left of the messages goes on.
    for thread_id in withheld:
        thread = threads.get(connection, thread_id)
        if owed.held_in(connection, thread_id):
            outbox.post_root(connection, here, thread, now)
        plan.settle_in(connection, here, groups.get(connection, thread.group_id), channel, now)
