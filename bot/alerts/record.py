"""Writes what was found: alerts, their groups, and what is owed to which channel, in the watcher's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import redact
from bot.alerts import audience, filters, holders, plan, policy
from bot.alerts.policy import Failure, Mute, Rules
from bot.diagnosis.outcomes import TABLE
from bot.store import groups, mutes, owed, subscriptions, threads
from bot.store.sql import AnyRow


@dataclass(frozen=True, slots=True)
class Scene:
    """What holds while a transaction runs: who listens, what is muted, the rules."""

    tenant: str
    rules: Rules
    listeners: Sequence[tuple[str, filters.Filters]]
    mutes: Sequence[Mute]
    ops_channel: str = ""
    unreadable: Sequence[AnyRow] = ()  # subscriptions that cannot be read: nobody listens by them


def scene(connection: Connection, tenant: str, rules: Rules, now: datetime, ops_channel: str = "") -> Scene:
    """Read it from the tables."""
    rows = subscriptions.listening(connection, tenant, now - policy.CHANNEL_GIVEN_UP_AFTER)
    wishes = [(row, filters.stored(row.filters)) for row in rows]
    listeners = [(row.channel, wish) for row, wish in wishes if wish is not None]
    held = [Mute(row.channel, row.what, row.value, row.until) for row in mutes.active(connection, tenant, now)]
    return Scene(tenant, rules, listeners, held, ops_channel, [row for row, wish in wishes if wish is None])


def scene_after(connection: Connection, here: Scene, now: datetime) -> Scene:
    """The same once what holds was changed."""
    return scene(connection, here.tenant, here.rules, now, here.ops_channel)


def record(
    connection: Connection, here: Scene, failure: Failure, now: datetime, *, arrival: datetime | None
) -> set[int]:
    """Write a failed handover once; if a later look found another cause or attempt, its alert moves.

    Returns the groups to be recounted. `arrival`: the start of the poll that found it, if it is one of those found at
    the first start or after an absence.
    """
    # 1. The alert of this call that stands already. There is one: the attempt that decides.
    before, changed = _standing(connection, here, failure, now)
    key = (failure.attempt_at, failure.target_id)
    if before is not None and (before.attempt_at, before.target_id) == key:
        if _is_settled(connection, before, failure):
            return changed
    elif groups.has_alert(connection, here.tenant, failure.conversation_id, *key):
        return changed  # it was accepted in the end, once
    wanted = policy.matching(failure, here.listeners)
    if before is None and not wanted and TABLE[failure.outcome].on_request:
        return changed
    # 2. Its group: joined, reopened, or new.
    minutes = max((each.minutes for thresholds in wanted.values() for each in thresholds), default=0)
    group = _group_for(connection, here.tenant, failure, timedelta(minutes=minutes), now)
    # 3. The alert, unique by conversation, attempt and target.
    values = {
        "attempt_at": failure.attempt_at,
        "target_id": failure.target_id,
        "group_id": group.id,
        "at": failure.at,
        "outcome": failure.outcome.value,
        "fault": failure.fault.value,
        "target_name": redact.foreign(failure.target_name, 80),
        "reason": redact.foreign(failure.reason_code or failure.reason, 120),
        "phone": failure.phone,
        "headline": redact.foreign(failure.headline, 150),
        "owed": len(wanted),
    }
    known: set[str] = set()
    if before is None:
        first = {"tenant": here.tenant, "conversation_id": failure.conversation_id, "detected_at": now}
        alert_id = groups.add_alert(connection, values | first)
        if alert_id is None:
            return changed
    else:
        alert_id = int(before.id)
        if before.group_id == group.id:
            known = _leave(connection, here, before, now, stays=wanted.keys())
        else:
            _leave(connection, here, before, now)
            groups.change(connection, before.group_id, now, ending="moved")
        groups.change_alert(connection, alert_id, **values)
        changed.add(int(before.group_id))
    # 4. What is owed to each channel.
    for channel in sorted(wanted.keys() - known):
        _owe(connection, here, failure, group, alert_id=alert_id, channel=channel, now=now, arrival=arrival)
    return changed | {int(group.id)}


def _standing(connection: Connection, here: Scene, failure: Failure, now: datetime) -> tuple[AnyRow | None, set[int]]:
    """The alert of the failure's call that stands, and groups that lost one: earlier versions wrote one an attempt."""
    key = (failure.attempt_at, failure.target_id)
    standing = sorted(
        groups.alerts_of(connection, here.tenant, failure.conversation_id),
        key=lambda each: ((each.attempt_at, each.target_id) == key, each.id),
    )
    for each in standing[:-1]:
        groups.change(connection, each.group_id, now, ending="moved")
        groups.withdraw(connection, each.id, now)
    return (standing[-1] if standing else None), {int(each.group_id) for each in standing[:-1]}


def _is_settled(connection: Connection, alert: AnyRow, failure: Failure) -> bool:
    """Whether a further look changes nothing. What is concluded from silence takes nothing of what was seen back."""
    return failure.outcome in policy.BY_SILENCE or groups.get(connection, alert.group_id).key == policy.group_key(
        failure
    )


def _leave(connection: Connection, here: Scene, alert: AnyRow, now: datetime, stays: Collection[str] = ()) -> set[str]:
    """Owe an alert no more, but in the channels where it stays. Returns those; a visible line is not taken back."""
    known = set()
    for case in owed.of_alert(connection, alert.id):
        if case.channel in stays:
            known.add(case.channel)
            continue
        owed.drop(connection, alert.id, case.channel)
        if case.state == "merged":
            holders.show(connection, here, threads.get(connection, case.thread_id), now)
    return known


def recount(connection: Connection, group_id: int, now: datetime) -> None:
    """Bring a group's figures to what its alerts say."""
    found = groups.standing(connection, group_id)
    newest = groups.newest_alert(connection, group_id)
    group = groups.get(connection, group_id)
    values = {"failed": found.failed}
    if newest is not None:
        values |= {"first_at": found.first_at, "last_at": found.last_at, "last_conversation": newest.conversation_id}
        if group.state == "quiet" and (group.quiet_since is None or found.last_at > group.quiet_since):
            values |= {"state": "open", "quiet_since": None}
    elif group.state != "withdrawn":
        values |= {"state": "withdrawn", "ended_at": now}
    groups.change(connection, group_id, now, **values)


def withdraw(connection: Connection, here: Scene, alert: AnyRow, accepted_at: datetime | None, now: datetime) -> int:
    """The handover was accepted in the end: take its alert back. Returns its group, to be recounted."""
    at = {"last_accepted_at": accepted_at} if accepted_at is not None else {}
    groups.change(connection, alert.group_id, now, ending="", **at)
    for holder in threads.holding(connection, alert.group_id):
        holders.show(connection, here, holder, now)
    groups.withdraw(connection, alert.id, now)
    return int(alert.group_id)


def _group_for(connection: Connection, tenant: str, failure: Failure, window: timedelta, now: datetime) -> AnyRow:
    """The group that a failure belongs to. `window`: how far back it may count together with what was held before."""
    key = policy.group_key(failure)
    newest = groups.newest(connection, tenant, key)
    told = newest is not None and (newest.state in groups.OPEN or groups.was_told(connection, newest.id))
    what = policy.joins(newest.state, newest.ended_at, failure.at, told=told) if newest is not None else "new"
    if newest is not None and what == "join":
        return newest
    if newest is not None and what == "reopen":
        groups.change(
            connection,
            newest.id,
            now,
            state="open",
            ended_at=None,
            ending="",
            quiet_since=None,
            firing_since=now,  # later than what is posted already: that is told of it
            reopened=newest.reopened + 1,
            acked_by="",
            acked_at=None,
        )
        return groups.get(connection, newest.id)
    group = groups.open_next(
        connection,
        tenant,
        key,
        newest,
        {
            "kind": "cause",
            "outcome": failure.outcome.value,
            "fault": failure.fault.value,
            "scope": policy.scope_of(failure),
            "target_id": failure.target_id,
            "target_name": redact.foreign(failure.target_name, 80),
            "bot": redact.foreign(failure.bot, 80),
            "headline": redact.foreign(failure.headline, 150),
            "next_step": redact.foreign(failure.next_step, 600),
            "opened_at": now,
            "firing_since": failure.at,
            "first_at": failure.at,
            "last_at": failure.at,
        },
    )
    if newest is not None and not told:
        groups.inherit(connection, newest.id, group.id, failure.at - window)
    return group


def _owe(
    connection: Connection,
    here: Scene,
    failure: Failure,
    group: AnyRow,
    *,
    alert_id: int,
    channel: str,
    now: datetime,
    arrival: datetime | None,
) -> None:
    case = {"alert_id": alert_id, "channel": channel, "tenant": here.tenant, "group_id": group.id}
    if any(audience.covers(mute, channel, failure, group.id) for mute in here.mutes):
        owed.add(connection, case | {"state": "muted"})
    elif arrival is not None and threads.find(connection, group.id, channel) is None:
        holder = holders.arrival_thread(connection, here, channel, arrived=arrival, now=now)
        owed.add(connection, case | holders.merged_into(connection, here, holder, now))
    else:
        owed.add(connection, case | plan.place(connection, here, group.id, channel, now))
