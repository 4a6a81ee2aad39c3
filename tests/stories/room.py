"""A story in which people type and press: the same bot, with its Slack room on a real server before the local Slack."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from slack_bolt.adapter.wsgi import SlackRequestHandler

from bot import web
from bot.clock import SystemClock
from bot.slack import app as slack_app
from bot.slack.access import Rules
from bot.slack.info_commands import InfoCommands
from bot.slack.mute_commands import MuteCommands
from bot.slack.services import Use
from bot.slack.subscription_commands import SubscriptionCommands
from tests.slack.conftest import FixedLookups, alone, until
from tests.stories.story import Story
from tests.stories.world import ALERTS, OPS

SECRET = "demo-signing-secret"
QUIET_SECONDS = 0.15  # of the machine, after which no answer comes any more


class Room(Story):
    """Commands and buttons over HTTP, on time moved by hand."""

    def __init__(self, folder: Path, *, access: Rules | None = None, **options: Any) -> None:
        super().__init__(folder, **options)
        self.uses: list[Use] = []
        self.lookups = FixedLookups()
        self._ends: list[Callable[[], object]] = []
        self.slack.sender._clock = SystemClock()  # signatures are checked against the machine's time
        self.slack.start()
        self._serve(access or Rules())

    def restart(self) -> None:
        """The process ends and begins again: nothing but the tables is remembered."""
        self._close_server()
        self.begin()
        self._serve(Rules())

    def says(self, text: str, *, channel: str = ALERTS, user: str | None = None) -> str:
        """Type a command; what only that person is told."""
        return self._told(lambda: self.slack.command(text, channel=channel, user=user), user)

    def presses(
        self, message: dict[str, Any], action: str, value: str | None = None, *, user: str | None = None
    ) -> str:
        """Press a button, or choose of a menu; what only that person is told."""
        return self._told(lambda: self.slack.press(message, action, value=value, user=user), user)

    def silence(self) -> None:
        """Let whatever is still to come, come."""
        time.sleep(QUIET_SECONDS)

    def now(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as it stands now."""
        return next(each for each in self.slack.messages(message["channel"]) if each["ts"] == message["ts"])

    def close(self) -> None:
        """End the server and the local Slack too."""
        self._close_server()
        self.slack.stop()
        super().close()

    def _told(self, act: Callable[[], Any], user: str | None) -> str:
        before, used = len(self.slack.ephemerals(user)), len(self.uses)
        assert act().ok
        assert until(lambda: len(self.uses) > used), "no line in the audit"
        return "\n".join(each["text"] for each in self.slack.ephemerals(user)[before:])

    def _serve(self, access: Rules) -> None:
        client = slack_app.web_client("xoxb-demo", self.slack.api_url)
        decided: dict[str, Any] = {
            "engine": self.engine,
            "clock": self.clock,
            "tenant": "demo",
            "rules": self.rules,
            "ops_channel": lambda: OPS,
        }
        subscriptions = SubscriptionCommands(**decided, deliver=self.notifier.deliver_one)
        mutes = MuteCommands(**decided)
        info = InfoCommands(engine=self.engine, clock=self.clock, tenant="demo", client=client, rules=self.rules)
        services = slack_app.build_services(
            client=client,
            lookups=self.lookups,
            clock=self.clock,
            rules=access,
            audit=self.uses.append,
            handlers={**subscriptions.handlers(), **mutes.handlers(), **info.handlers()},
            buttons={**subscriptions.buttons(), **mutes.buttons()},
            home=info.home,
        )
        services = replace(services, invited=subscriptions.invited)
        handler = SlackRequestHandler(slack_app.build_app(alone(services), SECRET), path="/slack/events")
        server = web.Server(web.routes(slack=handler, reasons=list, metrics=bytes), "127.0.0.1", 0)
        server.start()
        self._ends = [server.stop, services.pool.close]
        self.slack.connect(f"{server.address}/slack/events")

    def _close_server(self) -> None:
        for end in self._ends:
            end()
