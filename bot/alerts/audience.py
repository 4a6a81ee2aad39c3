"""Who hears of a group: subscriptions with their thresholds, and mutes.

A group of a bot or of a tenant mixes targets, the latter outcomes too: what somebody wants or has muted is held against
the failures in it, not against the one that began it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from bot.alerts import policy
from bot.alerts.filters import Filters
from bot.alerts.policy import Failure, Mute
from bot.diagnosis.outcomes import Fault, Outcome, Threshold
from bot.store import conversations, groups, mutes, owed
from bot.store.sql import AnyRow
from bot.store.tables import alerts, cases

if TYPE_CHECKING:
    from bot.alerts.record import Scene


# ---- subscriptions ------------------------------------------------------------------------------------------------


def wants(wish: Filters, row: AnyRow) -> bool:
    """Whether a subscription matches what a row is about: an alert, a handover, a group."""
    return wish.matches(
        outcome=Outcome(row.outcome), fault=Fault(row.fault), target_id=row.target_id, target_name=row.target_name
    )


def wishes_of(here: Scene, channel: str) -> list[Filters]:
    """What a channel subscribed."""
    return [wish for listener, wish in here.listeners if listener == channel]


def kinds(connection: Connection, group: AnyRow, channel: str, state: str = "") -> Sequence[AnyRow]:
    """What differs among a group's failures in a channel; where nothing can, or none is left, the group itself."""
    if group.kind != "cause" or group.scope.startswith("target:"):
        return [group]
    return owed.kinds(connection, group.id, channel, state) or [group]


def hears(connection: Connection, here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether a channel is to be told more of a group: somebody there wants it, and it is not muted."""
    wishes = wishes_of(here, channel)
    if group.kind == "cause":
        rows = kinds(connection, group, channel)
        wishes = [wish for wish in wishes if any(wants(wish, row) for row in rows)]
    if group.kind == "stopped":  # it is told where nobody narrowed what is heard of to certain failures
        wishes = [wish for wish in wishes if not (wish.outcomes or wish.faults or wish.targets)]
    return bool(wishes) and not is_muted(connection, here, group, channel)


def reached(connection: Connection, here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether the group's failures reach a threshold of a subscription that matches any which are held here."""
    rows = kinds(connection, group, channel, "held")
    asked = {
        (threshold, only_of(connection, group, channel, wish))
        for wish in wishes_of(here, channel)
        for threshold in _thresholds(wish, rows)
    }
    ends = ends_of(connection, group, channel)
    return any(
        policy.is_over(threshold, *counted(connection, here, group, threshold, ends, only)) for threshold, only in asked
    )


def threshold_of(connection: Connection, group: AnyRow, channel: str, wish: Filters) -> Threshold | None:
    """From when on a subscription hears of a group; None if it matches nothing in it."""
    return min(_thresholds(wish, kinds(connection, group, channel)), default=None)


def only_of(connection: Connection, group: AnyRow, channel: str, wish: Filters) -> groups.Kinds | None:
    """Which kinds of a group's failures count for a subscription; None: all, for it or the group is of one kind."""
    if group.kind != "cause" or group.scope.startswith("target:") or not wish.narrows:
        return None
    rows = [row for row in kinds(connection, group, channel) if wants(wish, row)]
    return tuple(sorted((row.outcome, row.fault, row.target_id, row.target_name) for row in rows))


def counted(  # noqa: PLR0917 - what is counted, and in what
    connection: Connection,
    here: Scene,
    group: AnyRow,
    threshold: Threshold,
    ends: Sequence[datetime],
    only: groups.Kinds | None = None,
) -> tuple[int, int]:
    """Failures and attempts in the threshold's minutes before the end at which it is reached, else before the first."""
    targets = {target for _, _, target, _ in only or ()}
    scopes = [f"target:{target}" for target in sorted(targets)] if targets and "" not in targets else [group.scope]
    found: tuple[int, int] | None = None
    for end in ends:
        since = end - timedelta(minutes=threshold.minutes)
        failed = groups.failures(connection, group.id, since, end, only)
        if found is not None and failed < threshold.failures:
            continue
        asked = failed
        if threshold.rate:
            asked = sum(conversations.attempts(connection, here.tenant, scope, since, end) for scope in scopes)
        if policy.is_over(threshold, failed, asked):
            return failed, asked
        found = found or (failed, asked)
    return found or (0, 0)


def ends_of(connection: Connection, group: AnyRow, channel: str, limit: int = 50) -> list[datetime]:
    """The times at which a threshold may have been reached: of the latest failure and of those held, newest first."""
    held = connection.scalars(
        select(alerts.c.at)
        .join(cases, cases.c.alert_id == alerts.c.id)
        .where(cases.c.group_id == group.id, cases.c.channel == channel, cases.c.state == "held")
        .order_by(alerts.c.id.desc())
        .limit(limit)
    )
    return sorted({*held, group.last_at} - {None}, reverse=True)


def _thresholds(wish: Filters, rows: Iterable[AnyRow]) -> list[Threshold]:
    return [wish.threshold(Outcome(row.outcome)) for row in rows if wants(wish, row)]


# ---- mutes --------------------------------------------------------------------------------------------------------


def covers(mute: Mute, channel: str, row: AnyRow | Failure, group_id: int) -> bool:
    """Whether a mute covers in a channel what a row is about."""
    target = (row.target_id, row.target_name)
    return mute.covers(channel, outcome=row.outcome, fault=row.fault, target=target, group_id=group_id)


def muted_until(connection: Connection, here: Scene, group: AnyRow, channel: str) -> datetime | None:
    """Until when all of a group is muted in a channel; None if any of it is not."""
    mine = [mute for mute in here.mutes if mute.channel == channel]
    if not mine:
        return None
    ends = [
        max((mute.until for mute in mine if covers(mute, channel, row, group.id)), default=None)
        for row in kinds(connection, group, channel)
    ]
    return min((end for end in ends if end is not None), default=None) if None not in ends else None


def unmuted_at(connection: Connection, group: AnyRow, channel: str) -> datetime | None:
    """When the last mute ended that held any of a group in a channel; None if there was none since it fires."""
    ended = [
        row.ended_at
        for row in mutes.ended(connection, group.tenant, channel, group.firing_since or group.opened_at)
        for each in kinds(connection, group, channel)
        if covers(Mute(channel, row.what, row.value, row.until), channel, each, group.id)
    ]
    return max(ended, default=None)


def is_muted(connection: Connection, here: Scene, group: AnyRow, channel: str) -> bool:
    """Whether all of a group is muted in a channel now."""
    return muted_until(connection, here, group, channel) is not None
