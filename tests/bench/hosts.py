"""The two fakes in processes of their own, so that their work is not measured as the bot's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from typing import Any

from bot.demo.tenant import Tenant
from bot.demo.workspace import Workspace
from tests.bench import documents

ALERTS = "C0ALERTS"
PATIENCE = 60.0  # seconds until an answer counts as lost
LOOK = 0.002  # seconds between two looks for an answer


class TenantHost:
    """A tenant, by method calls."""

    def __init__(self) -> None:
        self._tenant = Tenant(kept=200_000).start()

    def url(self) -> str:
        """For CXONE_BASE_URL."""
        return self._tenant.url

    def latency(self, seconds: float) -> None:
        """Seconds a call, the token's included."""
        self._tenant.latency = seconds

    def play(self, scenario: str, number: str) -> str:
        """One call that ended just now."""
        return self._tenant.play(scenario, number)

    def fill(self, calls: int) -> None:
        """So many newer calls of other numbers, all over."""
        start = datetime.now(UTC) - timedelta(hours=2)
        for each in range(calls):
            self._tenant.play("accepted_agent", f"+1212555{each:04d}", at=start + timedelta(seconds=each))

    def talk(self, calls: int) -> None:
        """So many calls that go on, none of them handed over yet."""
        for each in range(calls):
            self._tenant.add(documents.live(each))

    def feed(self, per_second: int, seconds: int, failing_every: int, first: int = 0) -> dict[str, float]:
        """So many calls end in each second, one in `failing_every` refused by a queue that no other call was for.

        Returns the queues' names with the time of day at which their call came to stand in the list.
        """
        failed: dict[str, float] = {}
        began = time.monotonic()
        for each in range(first, first + per_second * seconds):
            time.sleep(max(0.0, began + (each - first) / per_second - time.monotonic()))
            if each % failing_every == 0:
                queue = documents.queue(each)
                self._tenant.queues[queue["id"]] = queue
                self._tenant.add(documents.refused(each, queue["id"]))
                failed[queue["name"]] = time.time()
            else:
                self._tenant.play("accepted_agent", f"+1646{each:07d}")
        return failed

    def asked(self, since: float = 0.0) -> list[tuple[str, float]]:
        """The paths that were asked for since then, with their times of day."""
        seen = [(each.path, each.at.timestamp()) for each in self._tenant.requests]
        return [(path, at) for path, at in seen if at >= since]


class WorkspaceHost:
    """A workspace with many people, and as many channels as Slack lets be asked about in a minute, by method calls."""

    def __init__(self, channels: int = 45, people: int = 25) -> None:
        self._workspace = Workspace().start()
        self._channels = [self._workspace.add_channel(f"c{each}") for each in range(channels)]
        self._people = [self._workspace.add_user(f"person{each}") for each in range(people)]

    def api_url(self) -> str:
        """For SLACK_API_URL."""
        return self._workspace.api_url

    def connect(self, url: str) -> None:
        """Where the bot listens."""
        self._workspace.connect(url)

    def typed(self, text: str, count: int, at_once: int, channels: int = 45) -> list[tuple[bool, float]]:
        """Type it so often, so many at a time, channels and people in turns: taken on, and seconds to the ack.

        Taken on is an ack in time that says that something is looked up, and not that the bot is busy.
        """

        def one(each: int) -> tuple[bool, float]:
            where, who = self._channels[each % channels], self._people[each % len(self._people)]
            outcome = self._workspace.command(text, channel=where, user=who)
            return outcome.ok and "Looking up" in str(outcome.body), outcome.seconds

        with ThreadPoolExecutor(at_once) as hands:
            return list(hands.map(one, range(count)))

    def posted(self) -> list[int]:
        """How many messages stand in each of the channels."""
        return [len(self._workspace.team.channel(channel).messages) for channel in self._channels]

    def privately(self) -> int:
        """How many private answers were given after the acks."""
        return sum(call.method == "response_url" and call.status == 200 for call in self._workspace.calls)

    def refused(self) -> list[str]:
        """The calls of the bot that Slack refused: "users.info ratelimited"."""
        return [f"{call.method} {call.error}" for call in self._workspace.calls if call.error]

    def alerts(self) -> list[tuple[str, float]]:
        """The messages in the alerts' channel that are no replies: text, and the time of day of the post."""
        posted = self._workspace.messages(ALERTS)
        return [(each["text"], float(each["ts"])) for each in posted if each.get("thread_ts", each["ts"]) == each["ts"]]

    def answer(self, text: str, each: int) -> float:
        """Seconds from the signed command to the message in the channel."""
        where = self._channels[each % len(self._channels)]
        there = self._workspace.team.channel(where).messages
        before, began = len(there), time.monotonic()
        self._workspace.command(text, channel=where, user=self._people[each % len(self._people)])
        while len(there) == before and time.monotonic() - began < PATIENCE:
            time.sleep(LOOK)
        return time.monotonic() - began


class Hosts(BaseManager):
    """One process for each of what it makes."""


Hosts.register("TenantHost", TenantHost)
Hosts.register("WorkspaceHost", WorkspaceHost)


def hosts() -> Any:
    """A process of its own, started."""
    manager = Hosts(ctx=get_context("spawn"))
    manager.start()
    return manager
