"""What both engines promise of jobs. The tables carry the rest."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from croniter import croniter

from bot.jobs import distributed
from bot.jobs.distributed import EVERY_TICK, TICK, Distributed
from bot.jobs.local import Local
from bot.store.engine import open_store
from tests.e2e.processes import wait_for

SOON = 10.0  # seconds at most; Procrastinate looks for freed locks and times once a second


@pytest.fixture(params=["local", "distributed"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes engines: on the same database, or each for itself."""
    made: list[Any] = []
    engines = []
    url = request.getfixturevalue("postgres").migrated() if request.param == "distributed" else ""

    def make_one(**options: Any) -> Any:
        if url:
            engines.append(open_store(url))
            runner: Any = Distributed(engines[-1], **options)
        else:
            runner = Local()
        made.append(runner)
        return runner

    yield make_one
    for runner in made:
        runner.stop()
    for engine in engines:
        engine.dispose()


class Counted:
    """A keyed job that counts its runs, and how many of a key were at work at a time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.runs: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.at: list[float] = []
        self.gate = threading.Event()
        self.gate.set()
        self._now: Counter[str] = Counter()
        self._seconds = seconds
        self._lock = threading.Lock()

    def __call__(self, key: str) -> None:
        """One run."""
        with self._lock:
            self.at.append(time.time())
            self._now[key] += 1
            self.peak[key] = max(self.peak[key], self._now[key])
        self.gate.wait(10)
        time.sleep(self._seconds)
        with self._lock:
            self.runs[key] += 1
            self._now[key] -= 1


def test_a_nudge_runs_the_job_with_its_key(make: Callable[..., Any]) -> None:
    """Soon, and once."""
    runner, job = make(), Counted()
    runner.keyed("deliver", job)
    runner.start()
    runner.nudge("deliver", "C1")
    wait_for(lambda: job.runs["C1"] == 1, "the job ran", seconds=SOON)
    time.sleep(0.3)
    assert job.runs == Counter(C1=1)


def test_at_most_one_waits_a_key(make: Callable[..., Any]) -> None:
    """However often it is nudged while it runs, it runs once more."""
    runner, job = make(), Counted()
    job.gate.clear()
    runner.keyed("deliver", job)
    runner.start()
    runner.nudge("deliver", "C1")
    wait_for(lambda: len(job.at) == 1, "the first run began", seconds=SOON)
    for _ in range(5):
        runner.nudge("deliver", "C1")
    job.gate.set()
    wait_for(lambda: job.runs["C1"] == 2, "the second run", seconds=SOON)
    time.sleep(1.5)
    assert job.runs["C1"] == 2


def test_one_runs_a_key_and_keys_run_beside_each_other(make: Callable[..., Any]) -> None:
    """Over all threads."""
    runner, job = make(), Counted(0.05)
    runner.keyed("deliver", job)
    runner.start()
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        for key in ("C1", "C2", "C3"):
            runner.nudge("deliver", key)
        time.sleep(0.03)
    assert set(job.peak.values()) == {1}
    assert set(job.runs) == {"C1", "C2", "C3"}


def test_a_hanging_key_delays_no_other(make: Callable[..., Any]) -> None:
    """A second key is served while the first hangs."""
    runner, done = make(), threading.Event()
    free = threading.Event()

    def job(key: str) -> None:
        if key == "hangs":
            free.wait(10)
        else:
            done.set()

    runner.keyed("deliver", job)
    runner.start()
    runner.nudge("deliver", "hangs")
    time.sleep(0.2)
    runner.nudge("deliver", "other")
    served = done.wait(SOON)
    free.set()
    assert served


@pytest.mark.long
def test_jobs_that_wait_for_long_delay_no_other(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty tenants hang: deliveries begin at once, and the polls of the others come in time once that is known."""
    monkeypatch.setattr(distributed, "WAITING", 8)
    monkeypatch.setattr(distributed, "SLOW_AT_ONCE", 3)
    monkeypatch.setattr(distributed, "SLOW", 1.0)
    runner, free, polls, delivered = make(), threading.Event(), list[float](), list[float]()
    for number in range(20):
        runner.periodic(f"poll:hangs-{number}", 2.0, lambda: free.wait(4), waits=True)
    runner.periodic("poll:well", 2.0, lambda: polls.append(time.monotonic()), waits=True)
    runner.keyed("deliver", lambda _key: delivered.append(time.monotonic()))
    runner.start()
    time.sleep(3)
    asked = time.monotonic()
    runner.nudge("deliver", "C1")
    wait_for(lambda: delivered, "the delivery", seconds=SOON)
    assert delivered[0] - asked < 2.5
    time.sleep(14)  # by now each of the twenty has hung once
    seen = len(polls)
    time.sleep(8)
    free.set()
    assert len(polls) - seen >= 3


def test_a_nudge_for_later_waits_and_an_earlier_one_comes_first(make: Callable[..., Any]) -> None:
    """Not before its time; a nudge for now does not wait for it, and there is one run for both."""
    runner, job = make(), Counted()
    runner.keyed("deliver", job)
    runner.start()
    now = datetime.now(UTC)
    runner.nudge("deliver", "later", now + timedelta(seconds=1.5))
    runner.nudge("deliver", "both", now + timedelta(seconds=60))
    runner.nudge("deliver", "both")
    wait_for(lambda: job.runs["both"] == 1, "the nudge for now", seconds=SOON)
    wait_for(lambda: job.runs["later"] == 1, "the nudge for later", seconds=SOON)
    assert job.at[-1] >= (now + timedelta(seconds=1.5)).timestamp()
    assert job.runs["both"] == 1


def test_a_job_that_names_a_time_runs_again_then(make: Callable[..., Any]) -> None:
    """It returns when it wants to run on."""
    runner, at = make(), list[float]()

    def job(key: str) -> datetime | None:
        del key
        at.append(time.monotonic())
        return datetime.now(UTC) + timedelta(seconds=0.5) if len(at) < 3 else None

    runner.keyed("deliver", job)
    runner.start()
    runner.nudge("deliver", "C1")
    wait_for(lambda: len(at) == 3, "three runs", seconds=2 * SOON)
    assert at[1] - at[0] >= 0.45


def test_a_job_that_fails_runs_again_and_stops_nobody(make: Callable[..., Any]) -> None:
    """It is logged, tried again, and other keys go on."""
    runner, tries = make(), Counter[str]()

    def job(key: str) -> None:
        tries[key] += 1
        if key == "bad" and tries[key] < 2:
            raise RuntimeError("on purpose")

    runner.keyed("deliver", job)
    runner.start()
    runner.nudge("deliver", "bad")
    runner.nudge("deliver", "good")
    wait_for(lambda: tries["good"] == 1, "the good one", seconds=SOON)
    wait_for(lambda: tries["bad"] == 2, "the second try", seconds=2 * SOON)


def test_a_periodic_job_runs_at_once_again_and_when_nudged(make: Callable[..., Any]) -> None:
    """From the start on, never twice at a time."""
    runner, job = make(), Counted()
    runner.periodic("poll", 2.0, lambda: job("poll"))
    runner.periodic("house", 3600.0, lambda: job("house"))
    runner.start()
    wait_for(lambda: job.runs["poll"] >= 3, "three polls", seconds=25)
    wait_for(lambda: job.runs["house"] == 1, "one cleaning", seconds=SOON)
    runner.nudge("house")
    wait_for(lambda: job.runs["house"] == 2, "a nudged cleaning", seconds=SOON)
    assert job.peak["poll"] == 1


def test_ticks_come_in_every_minute() -> None:
    """Every two seconds, in odd minutes too: the library's cron has its seconds at the end."""
    ticks = croniter(EVERY_TICK, datetime(2026, 11, 23, 14, 0, 57, tzinfo=UTC).timestamp())
    times = [ticks.get_next(float) for _ in range(40)]
    assert {round(after - before) for before, after in pairwise(times)} == {TICK}


def test_stop_lets_a_run_finish_and_starts_none(make: Callable[..., Any]) -> None:
    """What runs ends; what is nudged afterwards is not begun here."""
    runner, job = make(), Counted(0.5)
    runner.keyed("deliver", job)
    runner.start()
    runner.nudge("deliver", "C1")
    wait_for(lambda: len(job.at) == 1, "it began", seconds=SOON)
    began = time.monotonic()
    runner.stop()
    took = time.monotonic() - began
    runner.nudge("deliver", "C2")
    time.sleep(0.5)
    assert job.runs == Counter(C1=1)
    assert took < 9
