"""What the tables know that a look-up by a person can use: the calls of a number, and how others fared.

Numbers stand there as keyed hashes. With another key they are found no more, so they are dropped and gathered anew;
until the index holds as many hours again as a list does, it does not answer.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine, delete, update

from bot import phone
from bot.alerts.looks import peers
from bot.clock import Clock
from bot.cxone.investigate import Known
from bot.diagnosis.handover import Diagnosis, OtherCall, Peers
from bot.diagnosis.outcomes import Outcome
from bot.store import conversations, facts
from bot.store.engine import StoreError, reading
from bot.store.tables import audit, numbers

log = structlog.get_logger(__name__)

HASHED_WITH = "hashed_with"  # a fact: the key's fingerprint, and since when calls are indexed under it
FRESH_MOST = timedelta(seconds=15)  # however rarely is polled
FRESH_MARGIN = timedelta(seconds=5)  # that a poll may take and still be fresh
LATE = timedelta(minutes=10)  # by which a call may be listed late
OLDER = timedelta(minutes=15)  # a call of which "the last hour" would say nothing


@dataclass(frozen=True, kw_only=True)
class Index:
    """Reads alone; nothing that is wrong with the database keeps a look-up from asking the platform."""

    engine: Engine
    clock: Clock
    tenant: str
    hash_key: str
    poll_every: timedelta
    lookback: timedelta

    def known(self, number: phone.Number) -> Known | None:
        """The calls of a number, newest first, and from when on a list must complete them; None: ask for all."""
        now = self.clock.now()
        try:
            with reading(self.engine) as connection:
                cursor = facts.cursor(connection, self.tenant)
                hashed = facts.fact(connection, self.tenant, HASHED_WITH)
                if cursor.listed_until is None or hashed is None:
                    return None
                if hashed.value != fingerprint(self.hash_key) or hashed.at > now - self.lookback:
                    return None
                if cursor.listed_until < now - self.lookback:
                    return None
                rows = conversations.known(connection, self.tenant, phone.hashed(number.e164, self.hash_key))
        except StoreError as why:
            log.warning("index not read", reason=str(why))
            return None
        if not rows:
            return None
        outcomes = {outcome.value: outcome for outcome in Outcome}
        calls = tuple(
            OtherCall(
                conversation_id=row.id,
                started_at=row.started_at,
                outcome=outcomes.get(row.outcome),
                outbound=row.outbound,
            )
            for row in rows
        )
        fresh = now - cursor.listed_until <= min(self.poll_every, FRESH_MOST) + FRESH_MARGIN
        return Known(calls, None if fresh else cursor.listed_until - LATE)

    def peers_of(self, found: Diagnosis) -> Peers | None:
        """What the tables know of the target that a diagnosis speaks of."""
        attempt = found.decided_by
        if attempt is None:
            return None
        # Of an older call, how the others fared then: what came after it explains nothing.
        now, asked = self.clock.now(), attempt.timestamp
        then = asked if asked is not None and now - asked > OLDER else None
        try:
            with reading(self.engine) as connection:
                found_then = peers(connection, self.tenant, attempt.target_id, then or now)
                return replace(found_then, until=then) if found_then is not None else None
        except StoreError as why:
            log.warning("peers not read", reason=str(why))
            return None


def fingerprint(key: str) -> str:
    """Tells two keys apart, and says nothing of either."""
    return hmac.new(key.encode(), b"which key", hashlib.sha256).hexdigest()[:16]


def keep_to_key(connection: Connection, tenant: str, key: str, now: datetime, lookback: timedelta) -> bool:
    """Note the key at the start. True if it was another before: what was hashed with that one is dropped."""
    mine = fingerprint(key)
    before = facts.fact(connection, tenant, HASHED_WITH)
    if before is None:
        facts.renew(connection, tenant, HASHED_WITH, now - lookback, mine)  # the first list reaches as far back
        return False
    if before.value == mine:
        return False
    connection.execute(delete(numbers).where(numbers.c.tenant == tenant))
    connection.execute(update(audit).where(audit.c.tenant == tenant).values(hash=""))
    facts.renew(connection, tenant, HASHED_WITH, now, mine)
    return True
