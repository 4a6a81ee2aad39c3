"""What people who type `/handover` feel: the ack, the answer, and what a thousand commands leave in memory."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

import requests

from bot import phone
from bot.clock import SystemClock
from bot.cxone.http import Session
from bot.cxone.investigate import ByNumber, Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.running import TIDY_SECONDS
from tests.bench.between import Between, again, between, settled
from tests.bench.rows import MEGABYTE, at, megabytes, milliseconds, row
from tests.e2e.processes import wait_for

NUMBER = "+15550199888"
LISTED = f"{NUMBER} since 23h"  # asks CXone's list, whatever the watcher's index knows
PRIVATE = f"{NUMBER} private"
LOOKS = 15
TIDIED = TIDY_SECONDS + 2
LIMIT = 100 * MEGABYTE
FIRST_POLL_ALONE = {"POLL_SECONDS": "86400"}


def measure() -> None:
    """The rows."""
    with between() as first:
        size = settled(first)
        row("memory of `run`, idle, having made its database", megabytes(size), "≤ 100 MB", held=size <= LIMIT)
        first.tenant.play("rejected", NUMBER)
        _memory(first)
        with again(first, **FIRST_POLL_ALONE) as second:
            size = settled(second)
            row("the same, its database there already", megabytes(size), "≤ 100 MB", held=size <= LIMIT)
            _acks(second)
            _answers(second)


def _acks(all_three: Between) -> None:
    """Fifty commands at once, in many channels, while CXone takes two seconds a call."""
    tenant, slack, *_ = all_three
    tenant.latency(2.0)
    before, began = slack.privately(), time.monotonic()
    outcomes = slack.typed(LISTED, 50, 50)
    wait_for(
        lambda: sum(slack.posted()) + slack.privately() - before >= len(outcomes), "every answer", all_three.bot, 60
    )
    took = time.monotonic() - began
    tenant.latency(0.0)
    seconds, taken, posted = [each for _, each in outcomes], sum(ok for ok, _ in outcomes), slack.posted()
    p99 = at(seconds, 0.99)
    row("ack, 50 commands at once, CXone at 2 s a call: p50", milliseconds(at(seconds, 0.5)))
    row("the same: p99", milliseconds(p99), "< 300 ms", held=p99 < 0.3)
    all_there = taken == 50 and sum(posted) == 50 and min(posted) == 1
    row("the same: taken on / answered in their channels", f"{taken} / {sum(posted)}", "50 / 50", held=all_there)
    row("the same: until the last answer (three calls of 2 s each)", f"{took:.1f} s", "< 20 s", held=took < 20)
    for refused in set(slack.refused()):
        row("Slack refused", refused)


def _answers(all_three: Between) -> None:
    """At 100 ms a call: looked up in this process, from the typed command to the message, and by a plain client."""
    tenant, slack, *_ = all_three
    tenant.latency(0.1)
    desk = _desk(tenant.url())
    query = ByNumber(phone.parse(NUMBER, "US"), None, timedelta(hours=23))
    desk.look_up(query)
    slack.answer(LISTED, 0)
    looked, ours, plain = [], [], []
    for each in range(LOOKS):
        looked.append(_seconds(lambda: desk.look_up(query)))
        ours.append(slack.answer(LISTED, each + 1))
        plain.append(_plainly(tenant.url()))
    look, took, other = (statistics.median(each) for each in (looked, ours, plain))
    path = f"{look / 0.3:.2f}"
    row("look-up at 100 ms a call, over its critical path (list, details, target)", path, "≤ 1.15", held=look <= 0.345)
    told = f"{milliseconds(took)}, {took / 0.3:.2f} of the path"
    row("the same from the signed command to the message in the channel", told, "≤ 1.15", held=took <= 0.345)
    row("a plain sequential client in the same run", f"{milliseconds(other)}, {other / took:.2f} times ours")
    tenant.latency(0.0)
    tenant.fill(1_999)
    tenant.latency(0.1)
    slack.answer(LISTED, 20)
    many = statistics.median(slack.answer(LISTED, each + 21) for each in range(5))
    tenant.latency(0.0)
    desk.close()
    trips = f"{milliseconds(many)}, {many / 0.1:.1f} round trips"
    row("answer with 2,000 conversations on 20 pages, the number on the last", trips, "≤ 6", held=many <= 0.6)


def _memory(all_three: Between) -> None:
    """Of the bot's process, while commands are answered, ten at a time, for longer than it remembers them."""
    rates, sizes = zip(*(_commands(all_three, 1_000) for _ in range(15)), strict=True)
    row("commands a second, ten at a time, CXone at 0 ms", f"{statistics.median(rates):.0f}")
    shown = ", ".join(f"{size / MEGABYTE:.1f}" for size in sizes)
    row("memory after 1,000, 2,000, … 15,000 commands", f"{shown} MB", "≤ 100 MB", held=max(sizes) <= LIMIT)
    grown = sizes[-1] - sizes[-4]
    row("growth over the last three thousand", f"{grown / MEGABYTE:.1f} MB", "none", held=grown < MEGABYTE // 2)
    row("of the memory the process's own, shared with no other", megabytes(all_three.own()))


def _commands(all_three: Between, count: int) -> tuple[float, int]:
    """Type so many, fifty and their answers at a time; commands a second, and resident bytes after it."""
    began, slack = time.monotonic(), all_three.slack
    for _ in range(0, count, 50):
        due = slack.privately() + 50
        slack.typed(PRIVATE, 50, 10, 5)
        wait_for(lambda due=due: slack.privately() >= due, "every answer", all_three.bot, 60)  # type: ignore[misc]
    return count / (time.monotonic() - began), settled(all_three, TIDIED)


def _desk(url: str) -> Investigator:
    """Look-ups in this process, as the bot does them."""
    clock = SystemClock()
    platform = Conversations(Session(url, client_credentials("demo-client", "demo-secret"), clock), clock, "demo")
    return Investigator(platform, clock)


def _seconds(job: Any) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _plainly(url: str) -> float:
    """As a script would do it: a new connection for each call, a new token, one page, one after the other."""
    began = time.perf_counter()
    given = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
    token = requests.post(f"{url}/oauth2/token", data=given, timeout=10).json()["access_token"]

    def get(path: str, **params: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(url + path, params=params, headers=headers, timeout=10).json()

    page = get("/api/v2/conversations", pageSize=100, conversationType="voice")
    row = next(row for row in page["entities"] if any(leg.get("identity") == NUMBER for leg in row["participants"]))
    document = get(f"/api/v2/conversations/{row['id']}")
    asked = next(event for event in document["events"] if event.get("type") == "sessionTransfer")
    get(f"/api/v2/queues/{asked['toParticipantId']}")
    return time.perf_counter() - began
