"""Events for the bot, and their redelivery: what is not acked comes again, three times at the most."""

from __future__ import annotations

import threading
from typing import Any

from bot.demo import interactions
from bot.demo.sending import Invocation, Sender
from bot.demo.state import Team

RETRIES = (0.0, 60.0, 300.0)
"""Seconds after which Slack sends an unacked event again: at once, after a minute, after five."""


class Events:
    """Delivers events; waits by the team's clock, looking at it every 50 ms."""

    def __init__(self, team: Team, sender: Sender) -> None:
        self._team = team
        self._sender = sender
        self._unacked: list[tuple[float, int, dict[str, Any]]] = []
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to look for what is due."""
        self._stopped.clear()
        threading.Thread(target=self._redeliver, name="slack-retries", daemon=True).start()

    def stop(self) -> None:
        """Send nothing again."""
        self._stopped.set()

    def deliver(self, body: dict[str, Any]) -> Invocation:
        """Send an event; returns when it was acked or its 3 s are over."""
        payload = interactions.event(self._team, body)
        outcome = self._sender.event(payload)
        if outcome.error:
            self._unacked.append((self._team.clock.monotonic() + RETRIES[0], 1, payload))
        return outcome

    def _redeliver(self) -> None:
        while not self._stopped.wait(0.05):
            now = self._team.clock.monotonic()
            for entry in [entry for entry in self._unacked if entry[0] <= now]:
                self._unacked.remove(entry)
                _, number, payload = entry
                outcome = self._sender.event(payload, number, "http_error")
                if outcome.error and number < len(RETRIES):
                    self._unacked.append((now + RETRIES[number], number + 1, payload))
