"""Where the watcher stands, and small things worth remembering across restarts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from bot.store.sql import if_new, upsert
from bot.store.tables import cursors, facts, seen_events

SLACK_STOPPED = "slack_stopped"  # Slack refuses the token or a scope; value: the code
SLACK_OUT = "slack_out"  # nothing reached Slack since then
SLACK_OK = "slack_ok"  # the last call that Slack answered well
NO_HISTORY = "no_history"  # a look-up answered missing_scope
CXONE_OUT = "cxone_out"  # no listing succeeded since then; value: the sentence
PARTLY = "partly"  # lists came without some of their pages since then; value: the sentence
UNREAD = "unread"  # no conversation could be read since then; value: the sentence
GAP = "gap"  # noted then: a span that will not be listed; value: the sentence
BEHIND = "behind"  # the watcher is behind since then


class Fact(NamedTuple):
    """Something noted, and since when."""

    at: datetime
    value: str


class Cursor(NamedTuple):
    """How far whole lists reach, when the last one was begun, and when the bot last arrived after an absence."""

    listed_until: datetime | None = None
    polled_at: datetime | None = None
    arrived_at: datetime | None = None


def cursor(connection: Connection, tenant: str) -> Cursor:
    """The tenant's cursor; all None before the first poll."""
    row = connection.execute(
        select(cursors.c.listed_until, cursors.c.polled_at, cursors.c.arrived_at).where(cursors.c.tenant == tenant)
    ).first()
    return Cursor(*row) if row else Cursor()


def set_cursor(connection: Connection, tenant: str, **values: datetime | None) -> None:
    """Move it; in the transaction that wrote what was listed."""
    upsert(connection, cursors, {"tenant": tenant}, values)


def note(connection: Connection, tenant: str, name: str, now: datetime, value: str = "") -> bool:
    """Remember a thing once; the first time stays. True if it is new."""
    values = {"tenant": tenant, "name": name, "at": now, "value": value}
    return connection.execute(if_new(connection, facts, facts.c.name), values).first() is not None


def renew(connection: Connection, tenant: str, name: str, now: datetime, value: str = "") -> None:
    """Remember a thing with its latest time."""
    upsert(connection, facts, {"tenant": tenant, "name": name}, {"at": now, "value": value})


def fact(connection: Connection, tenant: str, name: str) -> Fact | None:
    """What was noted, or None."""
    row = connection.execute(
        select(facts.c.at, facts.c.value).where(facts.c.tenant == tenant, facts.c.name == name)
    ).first()
    return Fact(*row) if row else None


def drop(connection: Connection, tenant: str, name: str) -> Fact | None:
    """Forget it; returns what it was."""
    row = connection.execute(
        delete(facts).where(facts.c.tenant == tenant, facts.c.name == name).returning(facts.c.at, facts.c.value)
    ).first()
    return Fact(*row) if row else None


def first_time(connection: Connection, tenant: str, event_id: str, now: datetime) -> bool:
    """True the first time that an event of Slack is seen; a redelivery gets False."""
    values = {"tenant": tenant, "id": event_id, "at": now}
    return connection.execute(if_new(connection, seen_events, seen_events.c.id), values).first() is not None
