"""None lost, none doubled: the real watcher, store and notifier, killed at every step, against every fault of Slack."""

from __future__ import annotations

import functools
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from bot.alerts import outbox
from bot.slack import history
from bot.slack.notifier import Notifier
from tests.stories.sweep import (
    FAULTS,
    TALES,
    Play,
    Result,
    Steps,
    first_posts,
    pauses_and_lines,
    run,
    sweep,
    whole_life,
)


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up has to turn pages: there are more posts than fit on one."""
    monkeypatch.setattr(history, "PAGE", 3)


def _sweep(plays: Sequence[Play]) -> Counter[str]:
    """Play them; none may lose or double. Returns the number of runs of each tale, and prints them."""
    runs: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    doubled = 0
    shown: list[Result | str] = []
    for play, found in sweep(plays):
        wrong = [each for each in found if isinstance(each, str) or each.bad]
        runs[play.tale.__name__] += len(found)
        bad[play.tale.__name__] += len(wrong)
        shown += wrong[:2]
        doubled += sum(bool(each.doubled) for each in found if isinstance(each, Result) and not each.bad)
    for tale, count in runs.items():
        print(f"\n{tale}: {count} runs, {bad[tale]} of them with a loss or a double", end="")  # noqa: T201 - the proof
    print(f"\n{runs.total()} runs in all; {doubled} doubled for want of the history scope")  # noqa: T201 - the same
    assert not bad.total(), shown[:5]
    return runs


def test_a_short_sweep() -> None:
    """Every tale, with some faults, and crashes at a few steps."""
    faults = ["accepted, then 500", "replies lost", "edits fail", "busy channel"]
    _sweep(
        [Play(tale, fault, [Steps(149, offset=number * 31)]) for tale in TALES for number, fault in enumerate(faults)]
    )


def test_a_full_disk_loses_nothing() -> None:
    """Any statement may find the disk full: what it was part of is tried again."""
    full = functools.partial(sqlite3.OperationalError, "database or disk is full")
    _sweep([Play(first_posts, "accepted, answer lost", [Steps(61)], full)])


@pytest.mark.long
def test_the_sweep() -> None:
    """At least 2,000 runs: first posts; then edits, replies, broadcasts; then pauses and ops lines."""
    plays = [
        Play(tale, fault, [Steps(every, number, slack=True), Steps(again, number)])
        for tale, every, again in ((first_posts, 31, 600), (whole_life, 31, 800), (pauses_and_lines, 37, 900))
        for number, fault in enumerate(FAULTS)
    ]
    assert _sweep(plays).total() >= 2_000


def test_the_sweep_sees_a_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look before repeating, a lost answer doubles."""
    monkeypatch.setattr(Notifier, "_look", lambda _self, _taken: False)
    assert run(first_posts, "accepted, answer lost").doubled


def test_the_sweep_sees_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked whatever Slack answers, a reply that it refused is lost."""
    monkeypatch.setitem(FAULTS, "replies refused", {"chat.postMessage": ["ok", "ok", *["500"] * 9]})

    def mark_anyway(self: Notifier, taken: Any, *_: Any) -> None:
        self._mark(taken, ("", taken.row.ts), self.clock.now())

    monkeypatch.setattr(Notifier, "_failed", mark_anyway)
    assert run(first_posts, "replies refused").lost


def test_the_sweep_sees_a_lost_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that shows no longer what its group came to is a loss."""
    monkeypatch.setattr(outbox, "arm_edit", lambda *_: None)
    assert run(whole_life, "well").lost
