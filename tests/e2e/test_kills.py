"""The running process, killed again and again while alerts go out to a Slack that drops answers."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.processes import Running, environment, settings_for

KILLS, ALERTS_IN_ALL, TARGETS = 30, 160, 40
CHANNEL = "C0ALERTS"


def _failed_call(number: int) -> dict[str, Any]:
    """A call whose handover was refused, just now; every few of them share a target."""
    asked = datetime.now(UTC) - timedelta(seconds=20)
    transfer = {"type": "sessionTransfer", "timestamp": asked.isoformat(), "fromParticipantId": "p-bot"}
    transfer |= {"toParticipantId": f"q-{number % TARGETS}"}
    refusal = {"type": "sessionTransferRejected", "timestamp": asked.isoformat(), "reason": "QUEUE_FULL"}
    return {
        "id": f"conversation-{number:04d}",
        "startTime": (asked - timedelta(seconds=30)).isoformat(),
        "endTime": (asked + timedelta(seconds=15)).isoformat(),
        "participants": [
            {"id": "p-caller", "purpose": "customer", "identity": f"+1555010{number:04d}"},
            {"id": "p-bot", "purpose": "bot", "name": "Cognigy Voicebot"},
        ],
        "events": [transfer, refusal],
    }


@pytest.mark.long
def test_thirty_kills(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Thirty SIGKILLs at random moments over 160 alerts: every case has its line, and has it once."""
    chance = random.Random(4)  # noqa: S311 - repeatable, not secret
    tenant.queues |= {f"q-{n}": {"id": f"q-{n}", "name": f"Queue {n}", "agentsAvailable": 1} for n in range(TARGETS)}
    settings = settings_for(tenant, workspace) | {
        "ALERT_CHANNEL": CHANNEL,
        "ALERT_FILTER": "min=1",
        "POLL_SECONDS": "1",
        "THREAD_MINUTES": "0",
        "DATABASE_URL": f"sqlite:///{tmp_path}/handover.db",
    }
    env = environment(**settings)
    made = killed = 0
    with Running(tmp_path, env) as bot:  # the first start: nothing is there yet
        _until(lambda: requests.get(f"{bot.address}/readyz", timeout=5).status_code == 200, 30)
    began = time.monotonic()
    while killed < KILLS:
        with Running(tmp_path, env) as bot:
            _until(lambda: "Listening" in bot.log, 20)
            for _ in range(chance.randint(4, 7)):
                if made < ALERTS_IN_ALL:
                    tenant.add(_failed_call(made))
                    made += 1
            if chance.random() < 0.4:
                faults = ["accept_then_drop", "accept_then_500", "500", "429:1"]
                workspace.faults.script("chat.postMessage", [chance.choice(faults)])
            time.sleep(chance.uniform(0.3, 2.5))
            bot.process.send_signal(signal.SIGKILL)
            bot.process.wait(10)
            killed += 1
    with Running(tmp_path, env) as bot:
        while made < ALERTS_IN_ALL:
            tenant.add(_failed_call(made))
            made += 1
        _until(lambda: sum(_lines(workspace).values()) >= ALERTS_IN_ALL, 240)
        time.sleep(3)
        measured = requests.get(f"{bot.address}/metrics", timeout=5).text
    lines = _lines(workspace)
    roots = Counter(
        message["text"].split(":")[0]
        for message in workspace.messages(CHANNEL)
        if message.get("thread_ts", message["ts"]) == message["ts"]
    )
    lost = ALERTS_IN_ALL - len(lines)
    doubled = [each for each, count in lines.items() if count > 1] + [each for each, n in roots.items() if n > 1]
    seconds = time.monotonic() - began
    print(f"\n{killed} kills, {made} alerts in {seconds:.0f} s: {lost} lost, {len(doubled)} doubled")  # noqa: T201
    assert lost == 0
    assert doubled == []
    assert f'handover_ledger{{state="sent"}} {float(ALERTS_IN_ALL)}' in measured


def _lines(workspace: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for message in workspace.messages(CHANNEL):
        for number in range(ALERTS_IN_ALL):
            found[f"conversation-{number:04d}"] += message["text"].count(f"conversation-{number:04d}")
    return +found


def _until(done: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return
        time.sleep(0.2)
    raise AssertionError("it took too long")
