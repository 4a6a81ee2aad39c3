"""Time that a test moves by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


class HandClock:
    """A `Clock` that stands still until it is moved. `sleep` moves it by what was asked for and returns at once."""

    def __init__(self, start: datetime = START) -> None:
        self.slept: list[float] = []
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The start and all that has passed since."""
        with self._lock:
            return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Seconds passed since the start, and a thousand, so that nothing takes 0 for "never"."""
        with self._lock:
            return 1000.0 + self._passed

    def sleep(self, seconds: float) -> None:
        """Pass that time at once, and remember that it was asked for."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0) -> None:
        """Let time pass."""
        with self._lock:
            self._passed += seconds + 60 * minutes + 3600 * hours
