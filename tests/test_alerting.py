"""The channels of the settings: ids are taken as they are, names are looked up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.alerting import Alerting, Options
from bot.store import subscriptions
from bot.store.engine import migrate, open_store, reading
from tests.clock import HandClock


class Slack:
    """Knows one channel by name; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def api_call(self, api_method: str, **_: Any) -> dict[str, Any]:
        """`conversations.list`."""
        self.asked.append(api_method)
        return {"ok": True, "channels": [{"id": "C0ALERTS", "name": "handover-alerts"}]}


@pytest.mark.parametrize(
    ("wanted", "found", "asked"),
    [
        ("C1", "C1", 0),
        ("C0ALERTS", "C0ALERTS", 0),
        ("handover-alerts", "C0ALERTS", 1),
        ("#handover-alerts", "C0ALERTS", 1),
    ],
)
def test_the_alert_channel_is_an_id_or_a_name(tmp_path: Path, wanted: str, found: str, asked: int) -> None:
    """However short the id is: a name has no capitals."""
    engine, slack = open_store(f"sqlite:///{tmp_path}/handover.db"), Slack()
    migrate(engine)
    alerting = Alerting(
        platform=SimpleNamespace(tenant="acme"),
        client=slack,
        engine=engine,
        clock=HandClock(),
        hash_key="key",
        options=Options(alert_channel=wanted, alert_filter="min=1"),
    )
    assert alerting.prepare()
    assert len(slack.asked) == asked
    with reading(engine) as connection:
        assert [row.channel for row in subscriptions.active(connection, "acme")] == [found]
    engine.dispose()
