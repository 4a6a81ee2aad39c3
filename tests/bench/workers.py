"""What further processes bring: conversations a second with 1, 2 and 4 workers, how late a message is, what idle costs.

All on this machine: PostgreSQL, the fakes and the workers share its cores, so the curve bends where these are full.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import event, text

from bot.alerts.watcher import Watcher
from bot.store.engine import for_tenant, open_store, reading
from tests.bench.rows import at, megabytes, milliseconds, row
from tests.clock import HandClock
from tests.e2e.fleet import Fleet, failed_call, fleet
from tests.e2e.processes import wait_for
from tests.postgres import Databases, Server
from tests.stories.centre import Centre

WORKERS = (1, 2, 4)
TENANTS, EACH, LATENCY = 4, 300, 0.05
FAILURES, EVERY, IDLE_SECONDS = 15, 3.0, 10.0  # posts are to wait for no other: a channel takes one a second


def measure() -> None:
    """The rows."""
    server = Server()
    try:
        databases = Databases(server.url)
        _queries(databases)
        for many in WORKERS:
            with tempfile.TemporaryDirectory() as folder, fleet(Path(folder), databases.migrated(), TENANTS) as it:
                _throughput(it, many)
        with tempfile.TemporaryDirectory() as folder, fleet(Path(folder), databases.migrated(), 1) as it:
            _latency_and_idle(it)
    finally:
        server.remove()


def _throughput(it: Fleet, many: int) -> None:
    """Calls that ended at once, over four tenants, read as fast as it goes."""
    started = [it.start("worker") for _ in range(many)]
    wait_for(lambda: all(tenant.requests for tenant in it.tenants), "first polls", seconds=60)
    time.sleep(5)
    for tenant in it.tenants:
        tenant.latency = LATENCY
    began, cpu = time.monotonic(), _cpu(started)
    for _ in range(EACH):
        for tenant in it.tenants:
            tenant.add(failed_call("q-billing"))
    wait_for(lambda: _looked_at(it.url) >= TENANTS * EACH or None, "all are read", seconds=180)
    took, spent = time.monotonic() - began, _cpu(started) - cpu
    figure = f"{TENANTS * EACH / took:.0f}/s, {milliseconds(spent / (TENANTS * EACH))} CPU each"
    row(f"conversations read, {many} workers, {TENANTS} tenants, CXone at 50 ms", figure)


def _latency_and_idle(it: Fleet) -> None:
    """One worker, polling every 2 s; then a web process and a worker that have nothing to do."""
    started = [it.start("run", "--no-worker"), it.start("worker")]
    wait_for(lambda: it.tenants[0].requests, "first poll", seconds=60)
    time.sleep(5)
    began = []
    for number in range(FAILURES):
        began.append(time.time())
        it.tenants[0].add(failed_call(f"q-new-{number:03d}"))
        time.sleep(EVERY)

    def told() -> list[float] | None:
        posted = [
            [float(each["ts"]) for each in it.messages() if f"q-new-{n:03d}" in each["text"]] for n in range(FAILURES)
        ]
        return [min(times) for times in posted] if all(posted) else None

    waits = [at_last - since for at_last, since in zip(wait_for(told, "all are told", seconds=60), began, strict=True)]
    row(f"failure to message, one worker on PostgreSQL, polls every 2 s: p50 of {FAILURES}", f"{at(waits, 0.5):.1f} s")
    row("the same: p99", f"{at(waits, 0.99):.1f} s")
    time.sleep(10)
    commits, since = _commits(it.url), time.monotonic()
    for name, process in zip(("web process", "worker"), started, strict=True):
        here = psutil.Process(process.process.pid)
        used = sum(here.cpu_times()[:2])
        time.sleep(IDLE_SECONDS)
        share = (sum(here.cpu_times()[:2]) - used) / IDLE_SECONDS
        row(f"idle {name}", f"{share:.1%} CPU, {megabytes(here.memory_info().rss)}, {here.num_threads()} threads")
    rate = (_commits(it.url) - commits) / (time.monotonic() - since)
    row("transactions a second while both idle, polls every 2 s", f"{rate:.0f}")
    with reading(open_store(it.url)) as connection:
        count = connection.scalar(
            text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> ''")
        )
    row("connections of one web process and one worker", str(count))


def _queries(databases: Databases) -> None:
    """Statements of one poll: of nothing new, and for each failed call that is new."""
    engine, clock = open_store(databases.migrated()), HandClock()
    centre, counted = Centre(clock), [0]

    @event.listens_for(engine, "before_cursor_execute")
    def _count(*_: Any) -> None:
        counted[0] += 1

    watcher = Watcher(centre, for_tenant(engine, "demo"), clock, "key", workers=1)
    watcher.poll()
    figures = []
    for calls in (0, 100):
        for _ in range(calls):
            centre.call("rejected")
        clock.advance(20)
        counted[0] = 0
        watcher.poll()
        figures.append(counted[0])
    engine.dispose()
    row("statements of a poll that finds nothing", str(figures[0]))
    row("statements for each failed call beyond that", f"{(figures[1] - figures[0]) / 100:.1f}")


def _looked_at(url: str) -> int:
    engine = open_store(url)
    try:
        with reading(engine) as connection:
            return int(connection.scalar(text("SELECT count(*) FROM conversations WHERE looks > 0")) or 0)
    finally:
        engine.dispose()


def _commits(url: str) -> int:
    engine = open_store(url)
    try:
        with reading(engine) as connection:
            found = text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            return int(connection.scalar(found) or 0)
    finally:
        engine.dispose()


def _cpu(started: list[Any]) -> float:
    return sum(sum(psutil.Process(each.process.pid).cpu_times()[:2]) for each in started)
