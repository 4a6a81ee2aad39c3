"""Several processes of the bot on one PostgreSQL, between several tenants and one Slack."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.demo.tenant import Tenant
from bot.demo.workspace import Workspace
from bot.store.engine import open_store, reading
from bot.store.ledger import ledger
from tests.e2e.processes import Running, environment

KEY = "a-hash-key-for-tests-only"
_numbers = itertools.count(1)


def failed_call(target: str, reason: str = "NO_AGENTS_AVAILABLE") -> dict[str, Any]:
    """A call that ended a moment ago and whose handover was refused."""
    number, now = next(_numbers), datetime.now(UTC)
    asked = now - timedelta(seconds=10)

    def at(seconds: float) -> str:
        return (asked + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    return {
        "id": f"conv-{number:06d}",
        "startTime": at(-30),
        "endTime": at(9),
        "participants": [
            {"id": "p-caller", "purpose": "customer", "identity": f"+1555{number:07d}"},
            {"id": "p-bot", "purpose": "bot", "name": "Cognigy Voicebot"},
        ],
        "events": [
            {
                "type": "sessionTransfer",
                "timestamp": at(0),
                "fromParticipantId": "p-bot",
                "toParticipantId": target,
                "properties": {"cognigySessionId": f"cgy-{number}"},
            },
            {"type": "sessionTransferRejected", "timestamp": at(1), "reason": reason},
            {"type": "conversationEnded", "timestamp": at(9)},
        ],
    }


class Fleet:
    """The tenants, the Slack, and the processes that run now."""

    def __init__(self, folder: Path, url: str, stack: ExitStack, tenants: int, **settings: str) -> None:
        self.url = url
        self.folder = folder
        self.slack = stack.enter_context(Workspace())
        self.tenants = [stack.enter_context(Tenant(tenant_id=f"t{number}")) for number in range(tenants)]
        self.channels = [self.slack.add_channel(f"alerts-{number}") for number in range((tenants + 1) // 2)]
        rows = [
            f'[[tenant]]\nname = "t{number}"\ntenant_id = "t{number}"\nclient_id_env = "CLIENT_ID"\n'
            f'client_secret_env = "CLIENT_SECRET"\nbase_url = "{tenant.url}"\n'
            f'alert_channel = "{self.channels[number // 2]}"\n'
            for number, tenant in enumerate(self.tenants)
        ]
        (folder / "tenants.toml").write_text("\n".join(rows))
        self.environment = environment(
            TENANTS_FILE=str(folder / "tenants.toml"),
            CLIENT_ID="demo-client",
            CLIENT_SECRET="demo-secret",
            DATABASE_URL=url,
            HASH_KEY=KEY,
            SLACK_BOT_TOKEN="xoxb-demo",
            SLACK_SIGNING_SECRET="demo-signing-secret",
            SLACK_API_URL=self.slack.api_url,
            PORT="0",
            ALERT_FILTER="min=1",
            **{"POLL_SECONDS": "2", "THREAD_MINUTES": "0", **settings},
        )
        self._stack = stack

    def start(self, *arguments: str) -> Running:
        """A process: "worker", or "run", "--no-worker"."""
        command = (sys.executable, "-m", "bot", *arguments)
        return self._stack.enter_context(Running(self.folder, self.environment, command))

    def ledgers(self) -> list[Any]:
        """Of each tenant, as the database has it now."""
        engine = open_store(self.url)
        try:
            with reading(engine) as connection:
                return [ledger(connection, tenant.tenant_id) for tenant in self.tenants]
        finally:
            engine.dispose()

    def messages(self) -> list[dict[str, Any]]:
        """What the bot said in the channels of the alerts, replies included."""
        return [each for channel in self.channels for each in self.slack.messages(channel) if each.get("bot_id")]

    def lines(self, ids: set[str]) -> Counter[str]:
        """How often each conversation's line is visible."""
        words = Counter(word for message in self.messages() for word in message["text"].replace("`", " ").split())
        return Counter({each: words[each] for each in ids})

    def gaps(self) -> list[float]:
        """Seconds between two posts in one channel, over all processes, as Slack saw them."""
        found = []
        for channel in self.channels:
            times = sorted(
                call.at
                for call in self.slack.calls
                if call.method == "chat.postMessage" and call.args.get("channel") == channel
            )
            found += [after - before for before, after in itertools.pairwise(times)]
        return found


@contextmanager
def fleet(folder: Path, url: str, tenants: int, **settings: str) -> Iterator[Fleet]:
    """All of it, ended at the end."""
    with ExitStack() as stack:
        yield Fleet(folder, url, stack, tenants, **settings)
