"""The ledger: of every failed handover owed to a channel, where it is. It balances, always.

`detected` is counted from what the alerts say they owe, the states from the cases and the deliveries that carry them,
so that a case which lost its delivery is missed here. A case is `sent` only when the delivery with its own line is, and
`withdrawn` once its call was accepted in the end, whether its line was seen or not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, case, func, select

from bot.store.tables import alerts, cases, deliveries


@dataclass(frozen=True, slots=True)
class Ledger:
    """How many cases were detected, and how many are in which state."""

    detected: int = 0
    sent: int = 0
    waiting: int = 0
    held: int = 0
    muted: int = 0
    merged: int = 0
    withdrawn: int = 0
    unsubscribed: int = 0
    dead: int = 0

    @property
    def balanced(self) -> bool:
        """Whether nothing is lost and nothing counted twice."""
        parts = asdict(self)
        return bool(parts.pop("detected") == sum(parts.values()))

    def gauges(self) -> dict[str, int]:
        """For `handover_ledger{state="…"}`."""
        return asdict(self)


def ledger(connection: Connection, tenant: str, *, group_id: int | None = None, channel: str | None = None) -> Ledger:
    """The ledger of a tenant, of a group, or of a group in a channel."""
    owed = select(func.coalesce(func.sum(alerts.c.owed), 0)).where(alerts.c.tenant == tenant)
    carrier = deliveries.c.state
    state = case(
        (cases.c.state == "queued", "waiting"),
        (cases.c.state.in_(("carried", "merged")) & carrier.in_(("due", "sending")), "waiting"),
        (cases.c.state.in_(("carried", "merged")) & (carrier == "dead"), "dead"),
        ((cases.c.state == "carried") & (carrier == "sent") & alerts.c.withdrawn_at.is_not(None), "withdrawn"),
        ((cases.c.state == "carried") & (carrier == "sent"), "sent"),
        ((cases.c.state == "merged") & (carrier == "sent"), "merged"),
        (cases.c.state.in_(("held", "muted", "withdrawn", "unsubscribed")), cases.c.state),
        else_="lost",
    )
    counted = (
        select(state, func.count())
        .select_from(
            cases.outerjoin(deliveries, deliveries.c.id == cases.c.delivery_id).outerjoin(
                alerts, alerts.c.id == cases.c.alert_id
            )
        )
        .where(cases.c.tenant == tenant)
        .group_by(state)
    )
    if group_id is not None:
        owed, counted = owed.where(alerts.c.group_id == group_id), counted.where(cases.c.group_id == group_id)
    if channel is not None:  # what an alert owes is not split by channel: the cases are
        owed = select(func.count()).where(cases.c.tenant == tenant, cases.c.channel == channel)
        if group_id is not None:
            owed = owed.where(cases.c.group_id == group_id)
        counted = counted.where(cases.c.channel == channel)
    found = {str(row[0]): int(row[1]) for row in connection.execute(counted)}
    found.pop("lost", None)
    return Ledger(detected=int(connection.scalar(owed) or 0), **found)
