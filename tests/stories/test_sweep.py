"""None lost, none doubled: the real watcher, store and notifier, killed at every step, against every fault of Slack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.slack import notifier
from bot.slack.notifier import Notifier
from tests.stories import sweep
from tests.stories.sweep import FAULTS, Tale


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up has to turn pages: there are more posts than fit on one."""
    monkeypatch.setattr(notifier, "PAGE", 3)


def _sweep(folder: Path, tale: Tale, singles: int, pairs_of: int, faults: list[str] | None = None) -> int:
    runs = 0
    bad: list[Any] = []
    for fault in faults or FAULTS:
        whole = sweep.run(folder, tale, fault)
        for crash_at in sweep.crash_sets(whole.steps, singles, pairs_of):
            result = sweep.run(folder, tale, fault, crash_at) if crash_at else whole
            runs += 1
            doubled = result.doubled and fault not in sweep.AT_LEAST_ONCE
            if result.lost or doubled:
                bad.append((fault, crash_at, result))
    print(f"\n{tale.__name__}: {runs} runs, {len(bad)} of them with a loss or a double")  # noqa: T201 - the proof
    assert not bad, bad[:5]
    return runs


@pytest.mark.parametrize("tale", [sweep.first_posts, sweep.whole_life, sweep.pauses_and_lines])
def test_a_short_sweep(tmp_path: Path, tale: Tale) -> None:
    """Every fault, and crashes at a few steps."""
    faults = ["accepted, then 500", "replies lost", "edits fail", "busy channel"]
    _sweep(tmp_path, tale, singles=3, pairs_of=0, faults=faults)


@pytest.mark.long
def test_the_sweep(tmp_path: Path) -> None:
    """At least 2,000 runs: first posts; then edits, replies, broadcasts; then pauses and ops lines."""
    runs = _sweep(tmp_path, sweep.first_posts, singles=50, pairs_of=8)
    runs += _sweep(tmp_path, sweep.whole_life, singles=25, pairs_of=5)
    runs += _sweep(tmp_path, sweep.pauses_and_lines, singles=20, pairs_of=5)
    print(f"the sweep: {runs} runs")  # noqa: T201 - the proof
    assert runs >= 2_000


def test_the_sweep_sees_a_double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look before repeating, a lost answer doubles."""
    monkeypatch.setattr(Notifier, "_look", lambda _self, _taken: False)
    assert sweep.run(tmp_path, sweep.first_posts, "accepted, answer lost").doubled


def test_the_sweep_sees_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked whatever Slack answers, a reply that it refused is lost."""
    monkeypatch.setitem(FAULTS, "replies refused", {"chat.postMessage": ["ok", "ok", *["500"] * 9]})

    def mark_anyway(self: Notifier, taken: Any, *_: Any) -> None:
        self._mark(taken, ("", taken.row.ts), self.clock.now())

    monkeypatch.setattr(Notifier, "_failed", mark_anyway)
    assert sweep.run(tmp_path, sweep.first_posts, "replies refused").lost
