"""Parse and judge, in seconds of one core, in this process; and what a start of the program costs."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot import memory
from bot.cxone import conversations
from bot.diagnosis.diagnose import diagnose
from tests.bench.rows import milliseconds, row

_NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def measure() -> None:
    """The rows. As in `run`, what was there at the start is none of the collector's business."""
    memory.freeze()
    document = _call(10)
    conversation = conversations.parse(document)
    rate = _per_second(lambda: diagnose(conversation, {}, now=_NOW))
    row("diagnoses a second on one core, 10 events", f"{rate:,.0f}", "≥ 10,000", held=rate >= 10_000)
    both = _per_second(lambda: _judge(document))
    row("the same, read from JSON's objects first", f"{both:,.0f}")
    small, large = _seconds_of(_call(10_000)), _seconds_of(_call(100_000))
    row("one diagnosis of 100,000 events", f"{large:.2f} s", "< 1 s", held=large < 1)
    growth = large / small
    row("the same over one of 10,000 events", f"{growth:.1f} times", "linear: about 10", held=growth < 13)
    for arguments in (["--version"], ["diagnose", "-h"]):
        took = statistics.median(_started(arguments) for _ in range(5))
        row(f"`handover-bot {' '.join(arguments)}`", milliseconds(took))


def _call(events: int) -> dict[str, Any]:
    """A rejected handover with so many events."""
    state = {"type": "stateChanged", "timestamp": "2026-11-20T14:02:30Z", "participantId": "p-2", "state": "connected"}
    return {
        "id": "c-1",
        "startTime": "2026-11-20T14:02:11Z",
        "endTime": "2026-11-20T14:03:40Z",
        "participants": [
            {"id": "p-1", "purpose": "customer", "identity": "+15550199888"},
            {"id": "p-2", "purpose": "bot", "name": "Cognigy Voicebot"},
            {"id": "p-3", "purpose": "queue", "name": "Billing", "queueId": "q-1"},
        ],
        "events": [
            *[state] * (events - 2),
            {
                "type": "sessionTransfer",
                "timestamp": "2026-11-20T14:03:11Z",
                "fromParticipantId": "p-2",
                "toParticipantId": "p-3",
                "properties": {"cognigySessionId": "cgy-81"},
            },
            {"type": "sessionTransferRejected", "timestamp": "2026-11-20T14:03:12Z", "reason": "NO_AGENTS_AVAILABLE"},
        ],
    }


def _judge(document: dict[str, Any]) -> None:
    diagnose(conversations.parse(document), {}, now=_NOW)


def _per_second(work: Callable[[], object]) -> float:
    """The best of five half seconds."""
    best = 0.0
    for _ in range(5):
        count, began = 0, time.process_time()
        while time.process_time() - began < 0.5:
            for _ in range(50):
                work()
            count += 50
        best = max(best, count / (time.process_time() - began))
    return best


def _seconds_of(document: dict[str, Any]) -> float:
    """The best of seven."""
    best = float("inf")
    for _ in range(7):
        gc.collect()
        began = time.process_time()
        _judge(document)
        best = min(best, time.process_time() - began)
    return best


def _started(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "bot", *arguments], check=True, capture_output=True)  # noqa: S603 - ours
    return time.perf_counter() - began
