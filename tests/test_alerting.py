"""The channels of the settings: ids are taken as they are, names are looked up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from bot.alerting import Alerting, Options
from bot.alerts import pausing
from bot.background import Background
from bot.jobs.local import Local
from bot.store import facts, subscriptions
from bot.store.engine import migrate, open_store, reading, writing
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


def test_a_channel_of_the_settings_that_is_paused_is_a_reason(tmp_path: Path) -> None:
    """Its subscription has no author, and the ops channel is the same: nobody else would be told."""
    engine, clock = open_store(f"sqlite:///{tmp_path}/handover.db"), HandClock()
    migrate(engine)
    alerting = _alerting(engine, clock)
    alerting.prepare()
    said = "Alerts for the channel C1 of ALERT_CHANNEL are paused: Slack answers channel_not_found."
    assert said not in alerting.reasons()
    for channel in ("C1", "C2"):
        with writing(engine) as connection:
            pausing.pause(connection, "acme", channel, "channel_not_found", clock.now(), ops_channel="C1")
    assert [reason for reason in alerting.reasons() if "paused" in reason] == [said]
    with writing(engine) as connection:
        pausing.resume(connection, "acme", "C1")
    assert said not in alerting.reasons()
    engine.dispose()


def test_slack_answers_and_nothing_is_stopped_any_more(tmp_path: Path) -> None:
    """A good `auth.test` ends what a delivery noted that nobody sends any more."""
    engine, clock = open_store(f"sqlite:///{tmp_path}/handover.db"), HandClock()
    migrate(engine)
    alerting = _alerting(engine, clock)
    with writing(engine) as connection:
        facts.note(connection, "acme", facts.SLACK_STOPPED, clock.now(), "invalid_auth")
        facts.note(connection, "acme", facts.SLACK_OUT, clock.now(), "refused")
    alerting.slack_said(alerting.ask_slack())
    assert not alerting.health().slack_stopped
    with reading(engine) as connection:
        assert facts.fact(connection, "acme", facts.SLACK_OUT) is None
    engine.dispose()


def test_the_heartbeat_is_sent_only_while_there_is_no_reason_against_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CXone out of reach for an hour, or no Socket Mode: the ledger balances, and all is not well."""
    engine, clock, sent = open_store(f"sqlite:///{tmp_path}/handover.db"), HandClock(), list[str]()
    disconnected = list[bool]()
    migrate(engine)
    alerting = _alerting(engine, clock)
    alerting.slack_said("")

    def get(url: str, **_: Any) -> Any:
        sent.append(url)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(requests, "get", get)
    background = Background(
        [alerting],
        Local(),
        engine,
        clock,
        sweep_seconds=1,
        heartbeat_url="http://localhost/beat",
        also=lambda: ["Slack: Socket Mode is not connected."] if disconnected else [],
    )
    with writing(engine) as connection:
        facts.set_cursor(connection, "acme", polled_at=clock.now(), listed_until=clock.now())
    background.heartbeat()
    assert len(sent) == 1
    disconnected.append(True)
    background.heartbeat()
    assert len(sent) == 1
    disconnected.clear()
    clock.advance(hours=1)
    background.heartbeat()
    assert len(sent) == 1
    engine.dispose()


def _alerting(engine: Engine, clock: HandClock) -> Alerting:
    return Alerting(
        platform=SimpleNamespace(tenant="acme"),
        client=Slack(),
        engine=engine,
        clock=clock,
        hash_key="key",
        options=Options(alert_channel="C1"),
    )
