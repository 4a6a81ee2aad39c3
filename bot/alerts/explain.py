"""Why a group is, or is not, told in a channel: read from the tables, judged by the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.alerts import audience, plan, policy
from bot.alerts.filters import Filters
from bot.alerts.policy import Entry, Reason
from bot.alerts.record import Scene
from bot.alerts.wording import rule_of
from bot.diagnosis.outcomes import Fault, Outcome, Threshold
from bot.store import deliveries, owed, pacing, threads
from bot.store.sql import AnyRow
from bot.store.tables import alerts
from bot.store.tables import groups as group_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A subscription of the channel, held against the group."""

    wish: Filters
    matches: bool
    threshold: Threshold
    failures: int = 0  # within the threshold's minutes: where it is reached, else before the latest failure
    attempts: int = 0

    @property
    def over(self) -> bool:
        """Whether the threshold is reached."""
        return self.matches and policy.is_over(self.threshold, self.failures, self.attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A group with all that decides whether the channel hears of it."""

    id: int
    key: str
    state: str
    headline: str
    failed: int
    first_at: datetime | None
    last_at: datetime | None
    ended_at: datetime | None
    rule: str
    heard: tuple[Heard, ...]
    muted_until: datetime | None
    reason: Reason


def find(connection: Connection, tenant: str, said: str) -> AnyRow | None:
    """The group that somebody means: by its number, or by a conversation that is in it."""
    found = select(group_rows).where(group_rows.c.tenant == tenant, group_rows.c.kind == "cause")
    number = said.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:  # noqa: PLR2004 - what an Integer holds
        row = connection.execute(found.where(group_rows.c.id == int(number))).first()
        if row is not None:
            return row
    return connection.execute(
        found.join(alerts, alerts.c.group_id == group_rows.c.id)
        .where(alerts.c.conversation_id == said)
        .order_by(alerts.c.id.desc())
    ).first()


def explain(connection: Connection, here: Scene, group: AnyRow, channel: str, now: datetime) -> Explained:
    """Everything that decides, and what is decided."""
    heard = tuple(_heard(connection, here, group, channel, wish) for wish in audience.wishes_of(here, channel))
    muted_until = audience.muted_until(connection, here, group, channel)
    entry = _entry(connection, group, channel, heard, muted_until)
    return Explained(
        id=group.id,
        key=group.key,
        state=group.state,
        headline=group.headline,
        failed=group.failed,
        first_at=group.first_at,
        last_at=group.last_at,
        ended_at=group.ended_at,
        rule=rule_of(Outcome(group.outcome), Fault(group.fault)),
        heard=heard,
        muted_until=muted_until,
        reason=policy.needs_update(
            entry, plan.state_of(connection, group, threads.find(connection, group.id, channel)), now
        ),
    )


def _heard(connection: Connection, here: Scene, group: AnyRow, channel: str, wish: Filters) -> Heard:
    threshold = audience.threshold_of(connection, group, channel, wish)
    if threshold is None:
        return Heard(wish=wish, matches=False, threshold=wish.threshold(Outcome(group.outcome)))
    ends = audience.ends_of(connection, group, channel)
    only = audience.only_of(connection, group, channel, wish)
    failures, attempts = audience.counted(connection, here, group, threshold, ends, only)
    return Heard(wish=wish, matches=True, threshold=threshold, failures=failures, attempts=attempts)


def _entry(
    connection: Connection, group: AnyRow, channel: str, heard: tuple[Heard, ...], muted_until: datetime | None
) -> Entry:
    entry = Entry(
        subscribed=any(each.matches for each in heard),
        reached=any(each.over for each in heard),
        muted_until=muted_until,
        paused=pacing.why_paused(connection, group.tenant, channel) is not None,
    )
    thread = threads.find(connection, group.id, channel)
    if thread is None:
        return entry

    def said(what: str) -> bool:
        return deliveries.by_key(connection, group.tenant, deliveries.key_of(thread.id, what)) is not None

    again = said(f"broadcast:reopened:{group.reopened}") or plan.says_reopened(connection, group, thread)
    return Entry(
        subscribed=entry.subscribed,
        reached=entry.reached,
        merged=thread.into_id is not None,
        muted_until=muted_until,
        paused=entry.paused,
        told=bool(thread.ts),
        shown=thread.shown,
        waiting=owed.queued(connection, thread.id),
        broadcast=thread.broadcast_count,
        reopened_told=group.reopened if again else max(group.reopened - 1, 0),
        hour_told=said(f"broadcast:hour:{group.reopened}"),
    )
