"""Many processes on one PostgreSQL: take-over, graceful stop, and nothing lost or doubled whatever is killed."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.fleet import Fleet, failed_call, fleet
from tests.e2e.processes import Running, wait_for
from tests.postgres import Databases, Server

TARGETS = ("q-billing", "q-sales", "q-support", "q-returns")


def _settled(it: Fleet, failures: int) -> bool:
    books = it.ledgers()
    return sum(book.detected for book in books) >= failures and not any(book.waiting or book.held for book in books)


def _arrived(it: Fleet) -> bool:
    """Every tenant was polled once, so that what comes now is news."""
    return all(any(seen.path.endswith("/conversations") for seen in tenant.requests) for tenant in it.tenants)


@pytest.mark.long
def test_kills_and_a_restart_of_the_database_lose_and_double_nothing(tmp_path: Path) -> None:
    """2 web and 3 worker processes, 2,000 failures over 5 tenants, ten SIGKILLs, PostgreSQL restarted in the middle."""
    rng = random.Random(6)  # noqa: S311 - no secret
    failures, batches = 2_000, 50
    server = Server()
    try:
        with fleet(tmp_path, Databases(server.url).empty(), 5) as it:
            kinds = [("run", "--no-worker")] * 2 + [("worker",)] * 3
            running: list[Running] = [it.start(*kind) for kind in kinds]
            wait_for(lambda: _arrived(it), "first polls", seconds=60)
            time.sleep(3)
            ids: set[str] = set()
            kills = sorted(rng.sample(range(2, batches), 10))
            down = None
            for batch in range(batches):
                for number in range(failures // batches):
                    tenant = it.tenants[number % 5]
                    ids.add(tenant.add(failed_call(TARGETS[(batch + number) % 4])))
                if down is not None:
                    running[down] = it.start(*kinds[down])
                    down = None
                if batch in kills:
                    down = rng.choice((0, 1, 2, 2, 3, 3, 4, 4))
                    running[down].process.send_signal(signal.SIGKILL)
                if batch == batches // 2:
                    server.stop("fast")
                    time.sleep(1)
                    server.start()
                time.sleep(1.2)
            if down is not None:
                running[down] = it.start(*kinds[down])
            wait_for(lambda: _settled(it, failures) or None, "all is sent", seconds=150)
            time.sleep(4)
            books, lines, messages = it.ledgers(), it.lines(ids), it.messages()
            refused = [
                call for call in it.slack.calls if call.method == "chat.postMessage" and "ratelimited" in repr(call)
            ]
            codes = [process.stop() for process in running]
        assert len(ids) == failures
        assert [each for each in ids if lines[each] < 1] == []
        assert [each for each in ids if lines[each] > 1] == []
        assert all(book.balanced and not book.dead for book in books), books
        assert sum(book.sent for book in books) == failures
        sendings = Counter(message["metadata"]["event_payload"]["delivery_id"] for message in messages)
        assert max(sendings.values()) == 1
        assert min(it.gaps()) >= 0.99
        assert not refused
        assert all(code == 0 and took < 10 for code, took in codes), codes
    finally:
        server.remove()


def _told(it: Fleet, conversation: str) -> int:
    return it.lines({conversation})[conversation]


@pytest.mark.long
@pytest.mark.parametrize("engine", ["local", "distributed"])
def test_tenants_that_hang_or_answer_429_delay_no_other(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    """Of twenty-two tenants twenty hang and one answers 429, for a minute: the last one's failures are told as ever."""
    if engine == "local":
        url, command = f"sqlite:///{tmp_path}/handover.db", "run"
    else:
        url, command = request.getfixturevalue("postgres").migrated(), "worker"
    with fleet(tmp_path, url, 22) as it:
        running, well = it.start(command), it.tenants[-1]
        wait_for(lambda: _arrived(it), "first polls", running, seconds=60)
        time.sleep(3)
        for tenant in it.tenants[:-2]:
            tenant.faults.add("/api/", "hang")
        it.tenants[-2].faults.add("/api/", "status", status=429, retry_after=60)
        for tenant in it.tenants[:-1]:
            tenant.add(failed_call("q-billing"))
        took = []
        for number in range(3):
            time.sleep(10 if number else 2)
            conversation, began = well.add(failed_call(f"q-{number}")), time.monotonic()
            wait_for(partial(_told, it, conversation), "the failure is told", running, seconds=60)
            took.append(time.monotonic() - began)
        print(f"\n{engine}: told after {', '.join(f'{each:.1f}' for each in took)} s beside 21 that answer nothing")  # noqa: T201 - the proof
        assert max(took) < 8, took


@pytest.mark.long
def test_a_killed_workers_job_is_taken_over_in_15_seconds(tmp_path: Path, postgres: Any) -> None:
    """One of two is killed while it holds a channel's key and waits for Slack; the other posts."""
    with fleet(tmp_path, postgres.migrated(), 1) as it:
        first = it.start("worker")
        wait_for(lambda: _arrived(it), "first poll", first, seconds=30)
        time.sleep(1)
        it.slack.faults.script("chat.postMessage", ["hang:30"])
        conversation = it.tenants[0].add(failed_call("q-billing"))
        wait_for(lambda: [c for c in it.slack.calls if c.method == "chat.postMessage"], "the post hangs", first)
        second = it.start("worker")
        wait_for(lambda: second.address, "the second listens")
        first.process.kill()
        killed = time.monotonic()
        wait_for(lambda: it.lines({conversation})[conversation], "the other posts", second, seconds=30)
        took = time.monotonic() - killed
        time.sleep(2)
        assert it.lines({conversation})[conversation] == 1
        assert took <= 15, took


@pytest.mark.long
def test_a_worker_ends_in_time_and_leaves_its_work_to_others(tmp_path: Path, postgres: Any) -> None:
    """SIGTERM in the middle of slow calls: exit 0 within 10 s, and the next worker does the rest."""
    with fleet(tmp_path, postgres.migrated(), 1) as it:
        first = it.start("worker")
        wait_for(lambda: _arrived(it), "first poll", first, seconds=30)
        time.sleep(1)
        it.tenants[0].latency = 1.0
        ids = {it.tenants[0].add(failed_call("q-billing")) for _ in range(200)}
        seen = len(it.tenants[0].requests)
        wait_for(lambda: len(it.tenants[0].requests) > seen + 20, "it reads", first)
        code, took = first.stop()
        it.tenants[0].latency = 0.0
        second = it.start("worker")
        wait_for(lambda: _settled(it, 200) or None, "the rest is sent", second, seconds=40)
        assert (code, took < 10) == (0, True), (code, took, first.log)
        assert set(it.lines(ids).values()) == {1}


def test_a_command_names_its_tenant(tmp_path: Path, postgres: Any) -> None:
    """`@t1` asks the other tenant; "Run again" on its answer asks it too; an unknown name is told what there is."""
    with fleet(tmp_path, postgres.migrated(), 2) as it:
        web = it.start("run", "--no-worker")
        it.slack.connect(f"{web.address}/slack/events")
        conversation = it.tenants[1].play("rejected", "+15550199888")
        it.slack.command("+15550199888 @t1")
        answer = wait_for(lambda: it.slack.messages("voicebot-ops"), "an answer", web)[-1]
        assert conversation in str(answer["blocks"])
        time.sleep(1.1)
        it.slack.press(answer, "run_again")
        wait_for(lambda: len(it.slack.messages("voicebot-ops")) > 1 or None, "the second answer", web)
        assert not [seen for seen in it.tenants[0].requests if seen.path.startswith("/api/v2/conversations/")]
        ack = it.slack.command("+15550199888 @t9")
        assert "@t0 and @t1" in str(ack.body)


@pytest.mark.long
def test_a_database_that_goes_and_comes_back(tmp_path: Path) -> None:
    """Without it not ready, with the reason; with it ready again, and what failed meanwhile is told once."""
    server = Server()
    try:
        with fleet(tmp_path, Databases(server.url).empty(), 1) as it:
            worker = it.start("worker")
            page = f"{worker.address}/readyz"
            wait_for(lambda: requests.get(page, timeout=20).status_code == 200, "ready", worker, seconds=40)
            server.stop("immediate")
            gone = requests.get(page, timeout=20)
            conversation = it.tenants[0].add(failed_call("q-billing"))
            time.sleep(3)
            assert requests.get(page.replace("readyz", "healthz"), timeout=20).status_code == 200
            server.start()
            wait_for(lambda: requests.get(page, timeout=20).status_code == 200, "ready again", worker, seconds=60)
            wait_for(lambda: it.lines({conversation})[conversation], "the alert", worker, seconds=40)
            time.sleep(3)
            assert gone.status_code == 503
            assert "database" in gone.text.lower()
            assert it.lines({conversation})[conversation] == 1
            assert "Traceback" not in gone.text
    finally:
        server.remove()
