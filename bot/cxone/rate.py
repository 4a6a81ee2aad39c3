"""How fast a tenant may be asked: people first, and a part of the rate always kept free for them."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Literal

from bot.clock import Clock
from bot.cxone.deadline import Deadline

Priority = Literal["person", "watcher"]

KEPT_FOR_PEOPLE = 0.3
_LEARNED_LASTS = 600.0  # seconds after the last 429
_LEARNED_LEAST = 5.0  # requests a second; slower than this only when told so
_HOUR = 3600.0
_LOOKS_UP = 1.0  # seconds after which a wait notices that its deadline was closed


class Rate:
    """Grants requests: at most `max_rps` in any second; without it as many as wanted, until a 429 teaches a limit."""

    def __init__(self, clock: Clock, max_rps: float | None = None) -> None:
        """Start with nothing granted."""
        self._clock = clock
        self._max_rps = max_rps
        self._lock = threading.Lock()
        self._granted: deque[float] = deque()  # times, the last second's at least
        self._minutes: deque[tuple[int, int]] = deque()  # (minute, how many), the last hour's
        self._people_waiting = 0
        self._paused_until = 0.0
        self._learned: tuple[float, float] | None = None  # (requests a second, until when)

    def take(self, priority: Priority, deadline: Deadline) -> bool:
        """Wait for a turn. False if it would come after the deadline, or the deadline was closed meanwhile."""
        waited = False
        try:
            while True:
                with self._lock:
                    wait = self._wait(priority)
                    if wait <= 0.0:
                        self._grant()
                        return True
                    if priority == "person" and not waited:
                        waited = True
                        self._people_waiting += 1
                if wait >= deadline.left():
                    return False
                self._clock.sleep(min(wait, _LOOKS_UP))
        finally:
            if waited:
                with self._lock:
                    self._people_waiting -= 1

    def refused(self, retry_after: float) -> None:
        """A 429 came: everybody waits for so many seconds, and the rate is the one that was too much, less a fifth."""
        now = self._clock.monotonic()
        with self._lock:
            self._paused_until = max(self._paused_until, now + retry_after)
            last_second = sum(1 for at in self._granted if at > now - 1.0)
            self._learned = (max(_LEARNED_LEAST, 0.8 * last_second), now + retry_after + _LEARNED_LASTS)

    def pause(self, seconds: float) -> None:
        """Everybody waits for so many seconds: another process was refused."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def paused(self) -> float:
        """Seconds until the pause that a 429 asked for is over."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    def last_hour(self) -> int:
        """How many were granted in the last hour, to the minute."""
        with self._lock:
            self._forget_old_minutes()
            return sum(count for _, count in self._minutes)

    def limit(self) -> float | None:
        """Requests a second that are in force now; None: no limit."""
        learned = None
        if self._learned is not None and self._clock.monotonic() < self._learned[1]:
            learned = self._learned[0]
        if self._max_rps is None or learned is None:
            return self._max_rps or learned
        return min(self._max_rps, learned)

    def _wait(self, priority: Priority) -> float:
        """Seconds until it may be this one's turn; 0.0: now."""
        now = self._clock.monotonic()
        pause = self._paused_until - now
        if pause > 0.0:
            return pause
        rate = self.limit()
        if rate is None:
            return 0.0
        slots = max(1, int(rate))
        window = slots / rate
        granted = [at for at in self._granted if at > now - window]
        usable = slots
        if priority == "watcher":
            if self._people_waiting:
                return window / slots
            usable = max(1, slots - math.ceil(slots * KEPT_FOR_PEOPLE))
        if len(granted) < usable:
            return 0.0
        return max(0.001, granted[-usable] + window - now)

    def _grant(self) -> None:
        now = self._clock.monotonic()
        self._granted.append(now)
        while self._granted and self._granted[0] <= now - max(1.0, 1.0 / (self.limit() or 1.0)):
            self._granted.popleft()
        minute = int(now // 60)
        if self._minutes and self._minutes[-1][0] == minute:
            minute, count = self._minutes.pop()
            self._minutes.append((minute, count + 1))
        else:
            self._minutes.append((minute, 1))
            self._forget_old_minutes()

    def _forget_old_minutes(self) -> None:
        oldest = int((self._clock.monotonic() - _HOUR) // 60)
        while self._minutes and self._minutes[0][0] <= oldest:
            self._minutes.popleft()
