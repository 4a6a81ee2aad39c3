"""How the alerts are doing: why the bot is not ready, the ledger, and whether the heartbeat may be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine

from bot.store import deliveries, facts, pacing
from bot.store.engine import StoreError, reading
from bot.store.ledger import Ledger, ledger

DELIVERY_LATE = timedelta(minutes=5)
GAP_SHOWN = timedelta(hours=1)  # nothing ends it


@dataclass(frozen=True, slots=True)
class Health:
    """Facts for `/readyz`, `/metrics` and `status`."""

    database: str = ""  # the sentence, if it cannot be read
    polled_at: datetime | None = None
    oldest_due: datetime | None = None
    slack_stopped: str = ""  # the code, if Slack refuses the bot
    slack_ok_at: datetime | None = None
    cxone_out: str = ""
    partly: facts.Fact | None = None  # lists come without some of their pages
    unread: facts.Fact | None = None  # calls are listed, and none can be read
    gap: facts.Fact | None = None  # a span that will not be listed
    history_missing: bool = False
    unsaid_dead: int = 0
    paused: Mapping[str, str] = field(default_factory=dict)  # channels that Slack has closed to the bot, and why
    ledger: Ledger = field(default_factory=Ledger)

    def reasons(self, now: datetime, poll_seconds: float) -> list[str]:
        """Why the bot is not ready; empty if it is."""
        if self.database:
            return [self.database]
        why = []
        stale = timedelta(seconds=max(120.0, 4 * poll_seconds))
        if self.polled_at is None:
            why.append(f"No poll of CXone has succeeded yet. {self.cxone_out}".strip())
        elif now - self.polled_at > stale:
            last = f"The last poll of CXone that succeeded was at {self.polled_at:%H:%M:%S} UTC."
            why.append(f"{last} {self.cxone_out}".strip())
        if self.partly is not None and now - self.partly.at > stale:
            why.append(f"CXone's list has come only in part since {self.partly.at:%H:%M:%S} UTC. {self.partly.value}")
        if self.unread is not None and now - self.unread.at > stale:
            why.append(f"No call could be read since {self.unread.at:%H:%M:%S} UTC. {self.unread.value}")
        if self.gap is not None and now - self.gap.at < GAP_SHOWN:
            why.append(self.gap.value)
        if self.slack_stopped:
            why.append(f"Slack refuses the bot: {self.slack_stopped}.")
        if self.oldest_due is not None and now - self.oldest_due > DELIVERY_LATE:
            minutes = int((now - self.oldest_due).total_seconds() // 60)
            why.append(f"The oldest delivery has waited for {minutes} min.")
        if not self.ledger.balanced:
            why.append("The ledger does not balance: an alert lost its delivery.")
        return why

    @property
    def heartbeat(self) -> bool:
        """Whether all is well enough to say so: the ledger balances, no death is unsaid, Slack takes the bot."""
        return not self.database and self.ledger.balanced and not self.unsaid_dead and not self.slack_stopped


def health(engine: Engine, tenant: str, now: datetime) -> Health:
    """Read it. Never raises: a database that cannot be read is a reason."""
    try:
        with reading(engine) as connection:
            found = {
                name: facts.fact(connection, tenant, name)
                for name in (
                    facts.SLACK_STOPPED,
                    facts.SLACK_OK,
                    facts.CXONE_OUT,
                    facts.PARTLY,
                    facts.UNREAD,
                    facts.GAP,
                    facts.NO_HISTORY,
                )
            }
            stopped, cxone = found[facts.SLACK_STOPPED], found[facts.CXONE_OUT]
            answered = found[facts.SLACK_OK]
            return Health(
                polled_at=facts.cursor(connection, tenant).polled_at,
                oldest_due=deliveries.oldest_due(connection, tenant, now),
                slack_stopped=stopped.value if stopped else "",
                slack_ok_at=answered.at if answered else None,
                cxone_out=cxone.value if cxone else "",
                partly=found[facts.PARTLY],
                unread=found[facts.UNREAD],
                gap=found[facts.GAP],
                history_missing=found[facts.NO_HISTORY] is not None,
                unsaid_dead=len(deliveries.unsaid_dead(connection, tenant)),
                paused={row.key: row.why for row in pacing.paused(connection, tenant, now)},
                ledger=ledger(connection, tenant),
            )
    except StoreError as error:
        return Health(database=str(error))
