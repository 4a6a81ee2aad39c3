"""How often Slack lets a method be called: its tiers, and one post a second and channel.

Figures from Slack's documentation: tier 2 is 20, tier 3 is 50, tier 4 is 100 calls a minute; `chat.postMessage` about
one a second and channel, short bursts tolerated. Here the burst is exactly what it is set to.
"""

from __future__ import annotations

import math
import threading
from collections import deque

from bot.clock import Clock
from bot.demo.state import SlackError

_TIERS = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.info": 50,
    "conversations.members": 100,
    "conversations.open": 50,
    "conversations.list": 20,
    "usergroups.users.list": 20,
    "usergroups.list": 20,
    "users.info": 100,
    "views.open": 100,
    "views.push": 100,
    "views.update": 100,
    "views.publish": 100,
}
MINUTE = 60.0


class Rates:
    """Counts the calls and answers `ratelimited` with `retry_after` in whole seconds."""

    def __init__(self, clock: Clock, post_burst: int) -> None:
        self._clock = clock
        self._burst = post_burst
        self._calls: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def call(self, method: str) -> None:
        """Count a call against its method's tier."""
        if method in _TIERS:
            self._take(method, _TIERS[method], MINUTE)

    def post(self, channel: str) -> None:
        """Count a message against its channel's one a second."""
        self._take(f"post {channel}", self._burst, float(self._burst))

    def _take(self, key: str, most: int, seconds: float) -> None:
        now = self._clock.monotonic()
        with self._lock:
            calls = self._calls.setdefault(key, deque())
            while calls and calls[0] <= now - seconds:
                calls.popleft()
            if len(calls) >= most:
                raise SlackError("ratelimited", retry_after=max(1, math.ceil(calls[0] + seconds - now)))
            calls.append(now)
