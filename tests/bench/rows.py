"""The table that `make bench` prints, a row as soon as it is measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

MEGABYTE = 1_000_000

missed: list[str] = []


def head() -> None:
    """Begin the table, in Markdown."""
    _print("| what | figure | target | |\n|---|---|---|---|")


def row(what: str, figure: str, target: str = "", *, held: bool | None = None) -> None:
    """One figure. Without a target nothing is held or missed."""
    said = "" if held is None else "held" if held else "MISSED"
    if held is False:
        missed.append(what)
    _print(f"| {what} | {figure} | {target} | {said} |")


def foot() -> None:
    """Where and when it was measured."""
    _print(f"\n{datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}.")


def milliseconds(seconds: float) -> str:
    """For people."""
    return f"{seconds * 1000:.0f} ms"


def megabytes(count: int) -> str:
    """For people."""
    return f"{count / MEGABYTE:.0f} MB"


def at(seconds: Sequence[float], share: float) -> float:
    """The value below which this share of the measurements lies."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor() or 'unknown processor'}, {os.cpu_count()} cores"


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is what it is for
