"""The real bot as a process of its own, between a tenant and a workspace in processes of theirs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests

from tests.bench.hosts import hosts
from tests.e2e.processes import Running, environment, wait_for

READY_SECONDS = 60.0


class Between(NamedTuple):
    """All three, and the folder with the bot's database."""

    tenant: Any
    slack: Any
    bot: Running
    folder: Path
    settings: dict[str, str]

    def resident(self) -> int:
        """Bytes of the bot's process that lie in memory, shared ones too."""
        return int(psutil.Process(self.bot.process.pid).memory_info().rss)

    def own(self) -> int:
        """The bytes among them that no other process shares."""
        return int(psutil.Process(self.bot.process.pid).memory_full_info().uss)


@contextmanager
def between(**settings: str) -> Iterator[Between]:
    """The bot, its first poll done; then nothing is left running."""
    tenants, slacks = hosts(), hosts()
    try:
        tenant, slack = tenants.TenantHost(), slacks.WorkspaceHost()
        with tempfile.TemporaryDirectory() as folder:
            given = {
                "CXONE_TENANT_ID": "demo",
                "CXONE_CLIENT_ID": "demo-client",
                "CXONE_CLIENT_SECRET": "demo-secret",
                "CXONE_BASE_URL": tenant.url(),
                "SLACK_BOT_TOKEN": "xoxb-demo",
                "SLACK_SIGNING_SECRET": "demo-signing-secret",
                "SLACK_API_URL": slack.api_url(),
                "PORT": "0",
                **settings,
            }
            with _running(tenant, slack, Path(folder), given) as all_three:
                yield all_three
    finally:
        tenants.shutdown()
        slacks.shutdown()


@contextmanager
def again(before: Between, **settings: str) -> Iterator[Between]:
    """The bot stopped and started once more, with the database that it has."""
    before.bot.stop()
    with _running(before.tenant, before.slack, before.folder, before.settings | settings) as all_three:
        yield all_three


@contextmanager
def _running(tenant: Any, slack: Any, folder: Path, settings: dict[str, str]) -> Iterator[Between]:
    """The bot in this folder until the block ends."""
    with Running(folder, environment(**settings)) as bot:
        wait_for(lambda: _ready(bot.address), "the bot is ready", bot, READY_SECONDS)
        slack.connect(f"{bot.address}/slack/events")
        yield Between(tenant, slack, bot, folder, settings)
        if bot.process.poll() is None:
            bot.stop()


def settled(all_three: Between, seconds: float = 2.0) -> int:
    """Resident bytes, when nothing happens any more."""
    time.sleep(seconds)
    return all_three.resident()


def _ready(address: str) -> bool:
    try:
        return bool(requests.get(f"{address}/readyz", timeout=5).status_code == requests.codes.ok)
    except requests.RequestException:
        return False
