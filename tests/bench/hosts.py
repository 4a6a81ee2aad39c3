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

PATIENCE = 60.0


class TenantHost:
    """A tenant, by method calls."""

    def __init__(self) -> None:
        self._tenant = Tenant().start()

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
        """So many newer calls of other numbers."""
        start = datetime.now(UTC) - timedelta(hours=2)
        for each in range(calls):
            self._tenant.play("accepted_agent", f"+1212555{each:04d}", at=start + timedelta(seconds=each))


class WorkspaceHost:
    """A workspace, by method calls."""

    def __init__(self, channels: int = 60) -> None:
        self._workspace = Workspace().start()
        self._channels = [self._workspace.add_channel(f"c{each}") for each in range(channels)]

    def api_url(self) -> str:
        """For SLACK_API_URL."""
        return self._workspace.api_url

    def connect(self, url: str) -> None:
        """Where the bot listens."""
        self._workspace.connect(url)

    def commands(self, text: str, count: int, at_once: int, channels: int = 50) -> list[tuple[bool, float]]:
        """Type it so often, so many at a time, each in the next channel: acked in time, and seconds to the ack."""

        def one(each: int) -> tuple[bool, float]:
            outcome = self._workspace.command(text, channel=self._channels[each % channels])
            return outcome.ok, outcome.seconds

        with ThreadPoolExecutor(at_once) as people:
            return list(people.map(one, range(count)))

    def posts(self) -> int:
        """How many messages the bot posted."""
        return sum(call.method == "chat.postMessage" for call in self._workspace.calls)

    def privately(self) -> int:
        """How many private answers arrived."""
        return sum(call.method == "response_url" for call in self._workspace.calls)

    def answer(self, text: str, each: int) -> float:
        """Seconds from the typed command to the posted message."""
        before, began = self.posts(), time.monotonic()
        self._workspace.command(text, channel=self._channels[each % len(self._channels)])
        end = time.monotonic() + PATIENCE
        while self.posts() == before and time.monotonic() < end:
            time.sleep(0.001)
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
