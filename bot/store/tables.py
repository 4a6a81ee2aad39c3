"""The tables. They carry every promise: unique keys, cursor, deliveries with leases. A tenant column everywhere.

The same on SQLite and PostgreSQL. Times are aware and in UTC on both sides of `Instant`. Foreign text is masked and
cut before it comes here; numbers come as keyed hashes and as their last four digits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Instant(TypeDecorator[datetime]):
    """A moment: aware UTC in the code, `timestamptz` on PostgreSQL, sortable text without a zone on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: it would be off by the machine's zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give it its zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, key: bool = False) -> Column[Any]:
    return Column(name, Text, primary_key=key, nullable=False, server_default=None if key else "")


def _whole(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default="0")


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default="0")


# Where the watcher stands. `polled_at`: the last list of which a page came; `listed_until`: the last whole one.
cursors = Table(
    "cursors",
    metadata,
    _text("tenant", key=True),
    Column("listed_until", Instant),
    Column("polled_at", Instant),
    Column("arrived_at", Instant),  # start of the first poll, or of the first after an absence
)

# Every conversation that was ever listed. `next_look` None: settled, nothing more is asked about it.
conversations = Table(
    "conversations",
    metadata,
    _text("tenant", key=True),
    _text("id", key=True),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("seen_at", Instant, nullable=False),
    Column("next_look", Instant),
    _whole("looks"),
    _whole("unreadable"),  # tries in a row that failed
    _text("error"),
    _flag("outbound"),
    _flag("bot"),  # a bot took part
    _flag("arrival"),  # found at the first start or after an absence
    _flag("forgotten"),  # its number is not to be kept again
    _text("phone"),  # masked
    _text("outcome"),
    Index(None, "tenant", "next_look"),
    Index(None, "tenant", "seen_at"),
)

# Keyed hashes of the numbers in a conversation.
numbers = Table(
    "numbers",
    metadata,
    _text("tenant", key=True),
    _text("hash", key=True),
    _text("conversation_id", key=True),
    Column("started_at", Instant),
    Index(None, "tenant", "conversation_id"),
)

# One row a call whose bot asked for a handover: the denominator of every rate.
handovers = Table(
    "handovers",
    metadata,
    _text("tenant", key=True),
    _text("conversation_id", key=True),
    Column("at", Instant, nullable=False),
    _text("target_id"),
    _text("bot"),
    _text("outcome"),
    _text("fault"),
    _text("verdict"),  # accepted | failed | open
    _text("version"),  # of a flow as target, when it was looked at
    Index(None, "tenant", "at"),
    Index(None, "tenant", "target_id", "at"),
)

# The same cause and target, from its first failure to its ending.
groups = Table(
    "groups",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    _text("kind"),  # cause | arrival | overflow | stopped | test
    _text("key"),
    _whole("generation"),
    _text("state"),  # open | quiet | resolved | withdrawn | lapsed
    _text("outcome"),
    _text("fault"),
    _text("scope"),  # what an acceptance must be of, to count: target:… | bot:… | tenant:
    _text("target_id"),
    _text("target_name"),
    _text("bot"),
    _text("reason"),
    _text("headline"),
    _text("next_step"),
    _text("target_state"),
    Column("target_read_at", Instant),
    Column("opened_at", Instant, nullable=False),
    Column("first_at", Instant),
    Column("last_at", Instant),
    Column("firing_since", Instant),
    _whole("failed"),
    _text("last_conversation"),
    Column("last_accepted_at", Instant),
    Column("quiet_since", Instant),
    Column("ended_at", Instant),
    _text("ending"),
    _whole("reopened"),
    _text("acked_by"),
    Column("acked_at", Instant),
    _whole("version"),  # grows with every change that a message shows
    Column("changed_at", Instant),
    UniqueConstraint("tenant", "key", "generation"),
    Index(None, "tenant", "state"),
)

# One failed handover.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    _text("conversation_id"),
    _text("attempt_at"),  # ISO, or empty where the record has no time
    _text("target_id"),
    Column("group_id", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("detected_at", Instant, nullable=False),
    _text("outcome"),
    _text("fault"),
    _text("target_name"),
    _text("reason"),
    _text("phone"),
    _text("headline"),
    _whole("owed"),  # to how many channels, as decided when it was found
    Column("withdrawn_at", Instant),
    UniqueConstraint("tenant", "conversation_id", "attempt_at", "target_id"),
    Index(None, "group_id", "at"),
    Index(None, "tenant", "detected_at"),
)

# A group in a channel: one message there, and its thread.
threads = Table(
    "threads",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    Column("group_id", Integer, nullable=False),
    _text("channel"),
    _text("posted_channel"),  # as Slack answered
    _text("ts"),
    _whole("root"),  # how many times its message had to be posted anew
    Column("into_id", Integer),  # the thread of the message that holds it, beyond the flood limit or on arrival
    _whole("shown"),  # the version of the group that the message shows
    Column("opened_at", Instant, nullable=False),
    Column("replied_at", Instant),
    _whole("replies"),  # numbers the replies
    _whole("broadcast_count"),  # the highest of 10, 100, 1000 that was said
    Column("muted_until", Instant),
    UniqueConstraint("group_id", "channel"),
    Index(None, "tenant", "channel", "opened_at"),
)

# An alert in a channel: the row that the ledger counts.
cases = Table(
    "cases",
    metadata,
    Column("alert_id", Integer, primary_key=True),
    _text("channel", key=True),
    _text("tenant"),
    Column("group_id", Integer, nullable=False),
    Column("thread_id", Integer),
    _text("state"),  # held | queued | carried | muted | merged | withdrawn | unsubscribed
    Column("delivery_id", Integer),  # what carries its line
    Index(None, "group_id", "channel", "state"),
    Index(None, "thread_id", "state"),
    Index(None, "delivery_id"),
    Index(None, "tenant", "state"),
)

# Every write to Slack. `due → sending → sent`, or `dead` with a reason; `dropped` before it was ever tried.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    _text("key"),
    _text("uid"),  # what the message carries as metadata.delivery_id
    _text("kind"),  # post | reply | broadcast | edit | line
    _whole("priority"),
    _text("channel"),
    Column("thread_id", Integer),
    _text("state"),
    Column("due_at", Instant, nullable=False),  # while sending: the end of the lease
    Column("created_at", Instant, nullable=False),
    _text("token"),
    Column("sending_since", Instant),  # the last sending, whose end is not known: a look begins 60 s before it
    _whole("tries"),
    _whole("refusals"),  # answers in a row that no table lists
    _flag("plain"),  # blocks were refused: text alone
    _whole("version"),  # of the group, as last rendered
    _text("text"),  # of a line
    _text("ts"),
    Column("sent_at", Instant),
    _text("error"),
    _flag("said"),  # a death that was told
    UniqueConstraint("tenant", "key"),
    Index(None, "tenant", "state", "due_at"),
    Index(None, "state", "due_at"),
    Index(None, "thread_id", "state"),
    Index(None, "tenant", "channel", "state"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    _text("channel"),
    _text("filters"),
    _text("author"),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("paused_at", Instant),
    _text("paused_why"),
    UniqueConstraint("tenant", "channel", "filters"),
)

mutes = Table(
    "mutes",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    _text("channel"),
    _text("what"),  # outcome | fault | target | group | all
    _text("value"),
    _text("author"),
    _text("why"),
    Column("created_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "tenant", "ended_at", "until"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("tenant"),
    Column("at", Instant, nullable=False),
    _text("actor"),
    _text("channel"),
    _text("action"),
    _text("subject"),  # masked
    _text("hash"),
    _text("result"),
    Index(None, "tenant", "at"),
)

# The next free instant of a channel (or of another budget): one row a key, reserved in the lease's transaction.
pacing = Table(
    "pacing",
    metadata,
    _text("tenant", key=True),
    _text("key", key=True),
    Column("free_at", Instant, nullable=False),
    Column("paused_at", Instant),
    _text("why"),
)

# The same for the calls to a tenant, over all processes: the whole budget, and the watcher's part of it.
rates = Table(
    "rates",
    metadata,
    _text("tenant", key=True),
    _text("key", key=True),
    Column("free_at", Instant, nullable=False),
    Column("paused_until", Instant),
)

# Small things worth remembering: that Slack refuses the token, that a scope is missing, since when CXone is out.
facts = Table(
    "facts",
    metadata,
    _text("tenant", key=True),
    Column("name", String(64), primary_key=True),
    Column("at", Instant, nullable=False),
    _text("value"),
)

# Events of Slack that were acted on, so that a repeated delivery acts once.
seen_events = Table(
    "seen_events",
    metadata,
    _text("tenant", key=True),
    _text("id", key=True),
    Column("at", Instant, nullable=False),
)
