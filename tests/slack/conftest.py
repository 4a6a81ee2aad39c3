"""The bot's Slack room on a real WSGI server, before a local Slack."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from slack_bolt.adapter.wsgi import SlackRequestHandler

from bot import web
from bot.clock import Clock, SystemClock
from bot.cxone.deadline import Deadline
from bot.cxone.investigate import Query
from bot.demo.workspace import Workspace
from bot.diagnosis.handover import Report, Target, TargetKind
from bot.slack import app as slack_app
from bot.slack.access import Rules
from bot.slack.services import Services, Use
from bot.slack.switchboard import Switchboard, Switchboards
from tests.slack import reports

T = TypeVar("T")
SECRET = "demo-signing-secret"


def until(look: Callable[[], T], seconds: float = 8.0) -> T:
    """What `look` gives as soon as it is true; what it gave last if it never is."""
    end = time.monotonic() + seconds
    found = look()
    while not found and time.monotonic() < end:
        time.sleep(0.02)
        found = look()
    return found


@dataclass
class FixedLookups:
    """One that knows one answer, or one way to fail. `gate` holds it until it is set."""

    report: Report = reports.REJECTED
    error: Exception | None = None
    asked: list[Any] = field(default_factory=list)
    gate: threading.Event | None = None

    def look_up(self, query: Query, *, deadline: Deadline | None = None) -> Report:
        """The one report."""
        del deadline
        return self._answer(query, self.report)

    def target(self, kind: TargetKind, target_id: str, deadline: Deadline | None = None) -> Target:
        """The one queue."""
        del deadline
        return self._answer((kind, target_id), reports.QUEUE)

    def document(self, conversation_id: str, deadline: Deadline | None = None) -> Mapping[str, Any]:
        """One document with a caller in it."""
        del deadline
        people = [{"id": "p1", "purpose": "customer", "identity": "+15550199888"}]
        return self._answer(conversation_id, {"id": conversation_id, "participants": people})

    def _answer(self, asked: Any, answer: T) -> T:
        self.asked.append(asked)
        if self.gate:
            self.gate.wait(10)
        if self.error:
            raise self.error
        return answer


@dataclass
class House:
    """All that a test may want to look at."""

    slack: Workspace
    lookups: FixedLookups
    services: Services
    address: str
    uses: list[Use]

    def posted(self, channel: str = "voicebot-ops", count: int = 1) -> list[dict[str, Any]]:
        """The messages of a channel, once there are as many."""
        until(lambda: len(self.slack.messages(channel)) >= count)
        return self.slack.messages(channel)

    def whispered(self, words: str, user: str | None = None) -> list[dict[str, Any]]:
        """What only that person sees and holds these words, once there is something."""
        return until(lambda: [seen for seen in self.slack.ephemerals(user) if words in seen["text"]])

    def used(self, count: int = 1) -> list[Use]:
        """The audit, once it has as many lines."""
        until(lambda: len(self.uses) >= count)
        return self.uses


def alone(services: Services) -> Switchboards:
    """One tenant, whatever workspace asks."""
    return Switchboards({"": Switchboard({"demo": services})})


Build = Callable[..., House]


@pytest.fixture
def build() -> Iterator[Build]:
    """Build a house with what is given in place of the usual."""
    ends: list[Callable[[], object]] = []

    def make(
        *,
        slack: Workspace | None = None,
        lookups: Any = None,
        rules: Rules | None = None,
        clock: Clock | None = None,
        **more: Any,
    ) -> House:
        workspace = (slack or Workspace(post_burst=200)).start()
        ends.append(workspace.stop)
        uses: list[Use] = []
        known = lookups or FixedLookups()
        services = slack_app.build_services(
            client=slack_app.web_client("xoxb-demo", workspace.api_url),
            lookups=known,
            clock=clock or SystemClock(),
            rules=rules or Rules(),
            audit=uses.append,
            **more,
        )
        ends.append(services.pool.close)
        handler = SlackRequestHandler(slack_app.build_app(alone(services), SECRET), path="/slack/events")
        server = web.Server(web.routes(slack=handler, reasons=list, metrics=bytes), "127.0.0.1", 0)
        server.start()
        ends.append(server.stop)
        address = f"{server.address}/slack/events"
        workspace.connect(address)
        return House(workspace, known, services, address, uses)

    yield make
    for end in reversed(ends):
        end()


@pytest.fixture
def house(build: Build) -> House:
    """The usual house."""
    return build()
