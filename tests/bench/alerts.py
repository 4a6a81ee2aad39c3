"""What the watcher promises: how soon a failure is posted, what that asks of CXone, and what it costs here."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta

import requests

from bot.store import audit, conversations
from bot.store.engine import migrate, open_store, writing
from tests.bench.between import Between, between, settled
from tests.bench.rows import MEGABYTE, at, megabytes, row
from tests.e2e.processes import wait_for

FEED, SECONDS, FAILING_EVERY = 20, 45, 40  # 20 calls a second, a failure every two seconds
AT_ONCE = 3_000
LIVE, RPS = 2_000, 40
SEEN = 100_000
WATCH = {"ALERT_CHANNEL": "C0ALERTS", "ALERT_FILTER": "min=1", "POLL_SECONDS": "5"}


def measure() -> None:
    """The rows."""
    with between(**WATCH) as all_three:
        _failures(all_three)
        _many(all_three)
    with between(**WATCH, CXONE_MAX_RPS=str(RPS)) as all_three:
        _live(all_three)
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/handover.db"
        _commits(address)
        _seen(address)
        with between(**WATCH, DATABASE_URL=address) as all_three:
            _memory(all_three)


def _failures(all_three: Between) -> None:
    """Twenty calls end each second, at 50 ms a call of CXone."""
    tenant = all_three.tenant
    tenant.latency(0.05)
    began = time.time()
    failed = tenant.feed(FEED, SECONDS, FAILING_EVERY)
    waits = _waits(all_three, failed, 60)
    late = at(waits, 0.99)
    row(f"failure to message, {FEED} calls a second, CXone at 50 ms: p50 of {len(waits)}", f"{at(waits, 0.5):.1f} s")
    row("the same: p99", f"{late:.1f} s", "≤ 8 s", held=late <= 8 and len(waits) == len(failed))
    asked = [path for path, _ in tenant.asked(began)]
    pages = sum(path == "/api/v2/conversations" for path in asked)
    each = (len(asked) - pages) / (FEED * SECONDS)
    row("calls to CXone for each conversation, beside the pages of the list", f"{each:.2f}", "≤ 1.1", held=each <= 1.1)


def _many(all_three: Between) -> None:
    """Thousands that ended at once, read as fast as it goes."""
    tenant = all_three.tenant
    began = time.time()
    tenant.fill(AT_ONCE)
    before = len(_details(all_three, began))
    wait_for(lambda: len(_details(all_three, began)) >= AT_ONCE, "all are read", all_three.bot, 90)
    times = _details(all_three, began)[before:]
    rate = len(times) / (times[-1] - times[0])
    row("conversations watched a second, CXone at 50 ms", f"{rate:.0f}", "≥ 200", held=rate >= 200)


def _live(all_three: Between) -> None:
    """So many calls go on that looking at them all would take more than CXone is to be asked."""
    tenant = all_three.tenant
    tenant.latency(0.05)
    tenant.talk(LIVE)
    time.sleep(15)
    began = time.time()
    failed = tenant.feed(2, 20, 5, first=700_000)
    waits = _waits(all_three, failed, 60)
    moments = sorted(moment for _, moment in tenant.asked(began))
    most = max(sum(first <= other < first + 10 for other in moments[here:]) for here, first in enumerate(moments)) / 10
    what = f"{LIVE:,} calls live, CXONE_MAX_RPS={RPS}: calls a second in the busiest ten seconds"
    row(what, f"{most:.1f}", f"≤ {RPS}", held=most <= RPS * 1.05)
    row("the same: failure to message, p50 and longest", f"{statistics.median(waits):.1f} s, {max(waits):.1f} s")


def _waits(all_three: Between, failed: dict[str, float], patience: float) -> list[float]:
    """Seconds from each failure to its message; those without one count as the whole patience."""
    posted: dict[str, float] = {}
    end = time.time() + patience
    while time.time() < end and len(posted) < len(failed):
        time.sleep(1)
        for text, moment in all_three.slack.alerts():
            posted |= {name: moment for name in failed if name.removesuffix(".") in text}
    return [posted.get(name, then + patience) - then for name, then in failed.items()]


def _details(all_three: Between, since: float) -> list[float]:
    """When details were asked for."""
    asked = all_three.tenant.asked(since)
    return [moment for path, moment in asked if path.startswith("/api/v2/conversations/")]


def _commits(address: str) -> None:
    """A line of the audit each, on this machine's disk."""
    engine = open_store(address)
    migrate(engine)
    count, began = 0, time.monotonic()
    while time.monotonic() - began < 2:
        with writing(engine) as connection:
            audit.write(connection, "bench", at=datetime.now(UTC), actor="U0", channel="C0", action="diagnose")
        count += 1
    row("commits a second at full sync (SQLite)", f"{count / (time.monotonic() - began):.0f}")
    engine.dispose()


def _seen(address: str) -> None:
    """Write what the watcher writes of so many calls that are over."""
    engine = open_store(address)
    now = datetime.now(UTC)
    for start in range(0, SEEN, 10_000):
        calls = [(f"seen-{each}", now - timedelta(seconds=each / 2)) for each in range(start, start + 10_000)]
        with writing(engine) as connection:
            over = {"seen_at": now, "next_look": None, "arrival": False, "outbound": False}
            rows = [{"id": call, "started_at": then, "ended_at": then, **over} for call, then in calls]
            conversations.add(connection, "demo", rows)
            conversations.index(connection, "demo", [(call, f"{call:0>64}", then) for call, then in calls])
    engine.dispose()


def _memory(all_three: Between) -> None:
    """Of a bot that has seen so many, after some polls and looks at its health."""
    all_three.tenant.fill(2_000)
    for _ in range(4):
        time.sleep(5)
        for page in ("readyz", "metrics"):
            requests.get(f"{all_three.bot.address}/{page}", timeout=10).close()
    size = settled(all_three)
    what = f"memory of `run` after {SEEN:,} conversations seen, 2,000 more just now"
    row(what, megabytes(size), "≤ 120 MB", held=size <= 120 * MEGABYTE)
