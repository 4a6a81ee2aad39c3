"""One rate over several processes, and a part of it kept for people."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.clock import SystemClock
from bot.cxone.http import Deadline, Priority
from bot.store.engine import open_store
from bot.store.rates import SharedRate

CLOCK = SystemClock()


@pytest.fixture
def engines(postgres: Any) -> Iterator[list[Engine]]:
    """What three processes would have open."""
    url = postgres.migrated()
    opened = [open_store(url) for _ in range(3)]
    yield opened
    for engine in opened:
        engine.dispose()


def granted(rates: list[SharedRate], seconds: float, priority: Priority = "person") -> list[float]:
    """When turns were granted, all asking as fast as they can."""
    times: list[float] = []
    end = time.monotonic() + seconds

    def ask(rate: SharedRate) -> None:
        while (left := end - time.monotonic()) > 0:
            if rate.take(priority, Deadline(CLOCK, left)):
                times.append(time.monotonic())

    threads = [threading.Thread(target=ask, args=(rate,)) for rate in rates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(times)


def test_three_processes_share_the_rate(engines: list[Engine]) -> None:
    """20 a second over all, and hardly less."""
    times = granted([SharedRate(CLOCK, engine, "t", 20.0) for engine in engines], 2.0)
    most = max(sum(1 for at in times if begin <= at < begin + 1.0) for begin in times)
    assert most <= 23
    assert len(times) >= 30


def test_the_watchers_leave_a_part_for_people(engines: list[Engine]) -> None:
    """Seven tenths are theirs; a person's turn comes at once beside them."""
    watching = threading.Thread(
        target=granted, args=([SharedRate(CLOCK, engine, "t", 10.0) for engine in engines[:2]], 2.0, "watcher")
    )
    watching.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert SharedRate(CLOCK, engines[2], "t", 10.0).take("person", Deadline(CLOCK, 5.0))
    took = time.monotonic() - began
    watching.join()
    assert took < 0.5


def test_a_429_holds_all_processes(engines: list[Engine]) -> None:
    """What one was told, the others wait for; other tenants do not."""
    first, second = (SharedRate(CLOCK, engine, "t") for engine in engines[:2])
    first.refused(5.0)
    assert not second.take("watcher", Deadline(CLOCK, 0.5))
    assert second.paused() > 3.0
    assert SharedRate(CLOCK, engines[2], "other").take("watcher", Deadline(CLOCK, 0.5))


def test_a_limited_rate_waits_out_a_429_too(engines: list[Engine]) -> None:
    """The pause stands in the row that turns are taken from."""
    first, second = (SharedRate(CLOCK, engine, "t", 50.0) for engine in engines[:2])
    first.refused(1.0)
    began = time.monotonic()
    assert second.take("person", Deadline(CLOCK, 5.0))
    assert time.monotonic() - began > 0.8


def test_without_a_database_each_process_keeps_its_own_rate() -> None:
    """A look-up goes on."""
    engine = open_store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    rate = SharedRate(CLOCK, engine, "t", 100.0)
    assert rate.take("person", Deadline(CLOCK, 5.0))
    engine.dispose()
