"""The notifier over real HTTP: what sockets do to a post, and what it costs other channels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import Engine, update

from bot.clock import SystemClock
from bot.slack.notifier import Notifier
from bot.store import deliveries
from bot.store.engine import migrate, open_store, reading, writing
from bot.store.tables import deliveries as rows

OTHER = "C0OTHER"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A migrated database."""
    opened = open_store(f"sqlite:///{tmp_path}/handover.db")
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def notifier(engine: Engine, workspace: Any) -> Notifier:
    """Over HTTP, with a second of patience."""
    workspace.add_channel("other", id=OTHER)
    client = WebClient("xoxb-demo", base_url=workspace.api_url, timeout=1, retry_handlers=[])
    return Notifier(client, engine, SystemClock(), "demo", http_timeout=1)


def _owe(engine: Engine, key: str, channel: str = "C0ALERTS") -> None:
    with writing(engine) as connection:
        now = datetime.now(UTC)
        deliveries.add(connection, "demo", key=key, kind=deliveries.LINE, channel=channel, now=now, text=key)


def _hurry(engine: Engine) -> None:
    """Let all that waits be due, as if the time had passed."""
    with writing(engine) as connection:
        connection.execute(update(rows).where(rows.c.state != "sent").values(due_at=datetime.now(UTC)))
        connection.exec_driver_sql("DELETE FROM pacing")


def _deliver(notifier: Notifier) -> None:
    while notifier.deliver_one():
        pass


def _states(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [row.state for row in connection.execute(rows.select().order_by(rows.c.id))]


@pytest.mark.parametrize(
    "word", ["accept_then_drop", "accept_then_500", "accept_then_hang:2", "500", "refuse", "hang:2"]
)
def test_an_unknown_end_is_looked_for(engine: Engine, notifier: Notifier, workspace: Any, word: str) -> None:
    """Whether Slack took it or not: one message."""
    workspace.faults.script("chat.postMessage", [word])
    _owe(engine, "a line")
    assert notifier.deliver_one()
    assert _states(engine) == ["sending"]
    time.sleep(1.2 if "hang" in word else 0.1)
    _hurry(engine)
    _deliver(notifier)
    assert _states(engine) == ["sent"]
    assert [message["text"] for message in workspace.messages("C0ALERTS")] == ["a line"]


def test_a_429_in_one_channel_delays_no_other(engine: Engine, notifier: Notifier, workspace: Any) -> None:
    """The other channel's message goes at once."""
    workspace.faults.script("chat.postMessage", ["429:30"])
    _owe(engine, "late")
    _owe(engine, "now", channel=OTHER)
    _deliver(notifier)
    assert [message["text"] for message in workspace.messages(OTHER)] == ["now"]
    assert workspace.messages("C0ALERTS") == []
    assert _states(engine) == ["due", "sent"]


def test_an_unlisted_code_dies_after_a_few_tries_and_says_so(
    engine: Engine, notifier: Notifier, workspace: Any
) -> None:
    """Four tries, then dead with the code."""
    workspace.faults.script("chat.postMessage", ["error:who_knows"] * 9)
    _owe(engine, "a line")
    for _ in range(6):
        _deliver(notifier)
        _hurry_due(engine)
    with reading(engine) as connection:
        row = connection.execute(rows.select()).one()
    assert (row.state, row.error) == ("dead", "Slack answers who_knows")
    assert len([call for call in workspace.calls if call.method == "chat.postMessage"]) == 4


def _hurry_due(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(rows).where(rows.c.state == "due").values(due_at=datetime.now(UTC)))
        connection.exec_driver_sql("DELETE FROM pacing")
