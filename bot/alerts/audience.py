"""Who hears of a group: subscriptions and their thresholds, and mutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from bot.alerts import policy
from bot.diagnosis.outcomes import Fault, Outcome
from bot.store import conversations, groups
from bot.store.sql import AnyRow
from bot.store.tables import alerts, cases

if TYPE_CHECKING:
    from bot.alerts.record import Scene


def reached(connection: Connection, here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether the group's failures reach the threshold of any subscription of the channel that matches."""
    outcome = Outcome(group.outcome)
    thresholds = {
        wish.threshold(outcome)
        for listener, wish in here.listeners
        if listener == channel
        and wish.matches(
            outcome=outcome,
            fault=Fault(group.fault),
            target_id=group.target_id,
            target_name=group.target_name,
        )
    }
    ends = _held_times(connection, group.id, channel) | {group.last_at}
    for threshold in sorted(thresholds):
        for end in sorted(ends, reverse=True):
            since = end - timedelta(minutes=threshold.minutes)
            failed = groups.failures(connection, group.id, since, end)
            if failed < threshold.failures:
                continue
            asked = (
                conversations.attempts(connection, here.tenant, group.scope, since, end) if threshold.rate else failed
            )
            if policy.is_over(threshold, failed, asked):
                return True
    return False


def _held_times(connection: Connection, group_id: int, channel: str, limit: int = 50) -> set[datetime]:
    return set(
        connection.scalars(
            select(alerts.c.at)
            .join(cases, cases.c.alert_id == alerts.c.id)
            .where(cases.c.group_id == group_id, cases.c.channel == channel, cases.c.state == "held")
            .order_by(alerts.c.id.desc())
            .limit(limit)
        )
    )


def is_muted(here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether a mute of the channel covers the group now."""
    return any(
        mute.covers(
            channel,
            outcome=group.outcome,
            fault=group.fault,
            target=(group.target_id, group.target_name),
            group_id=group.id,
        )
        for mute in here.mutes
    )
