"""The default engine: threads in this one process. The tables carry every promise; a nudge only saves waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from bot.jobs import Keyed

log = structlog.get_logger(__name__)

SECONDS_TO_FINISH = 8.0
AFTER_A_FAULT = 2.0  # seconds before a job that raised is run again
THREADS = 4  # runs of a keyed job at a time


class Local:
    """Runs jobs in threads of their own until it is stopped."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._woken: dict[str, threading.Event] = {}
        self._pools: dict[str, _Pool] = {}
        self._threads: list[threading.Thread] = []

    def periodic(self, name: str, seconds: float, job: Callable[[], object], *, waits: bool = False) -> None:
        """Run a job every so many seconds from its start on, never twice at a time, and at once when it is nudged."""
        del waits  # each has a thread of its own
        woken = self._woken[name] = threading.Event()

        def loop() -> None:
            while not self.stopping.is_set():
                begun = time.monotonic()
                woken.clear()
                wait = seconds
                try:
                    job()
                except Exception:
                    log.exception("A job failed", job=name)
                    wait = min(seconds, AFTER_A_FAULT)
                woken.wait(max(0.0, wait - (time.monotonic() - begun)))

        self._threads.append(threading.Thread(target=loop, name=name, daemon=True))

    def keyed(self, name: str, job: Keyed) -> None:
        """A job that runs for one key when it is nudged, one run a key at a time."""
        pool = self._pools[name] = _Pool(name, job, self.stopping)
        self._threads += [threading.Thread(target=pool.loop, name=name, daemon=True) for _ in range(THREADS)]

    def nudge(self, name: str, key: str = "", at: datetime | None = None) -> None:
        """There is something to do, now or at a time. Lost or repeated, it changes nothing."""
        if name in self._pools:
            self._pools[name].nudge(key, at)
        elif name in self._woken:
            self._woken[name].set()

    def start(self) -> None:
        """Start what was added."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every job finish what it is doing, for some seconds at most."""
        self.stopping.set()
        for woken in self._woken.values():
            woken.set()
        for pool in self._pools.values():
            pool.wake()
        until = time.monotonic() + SECONDS_TO_FINISH
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def reasons(self) -> list[str]:
        """Why no jobs are run here: there is nothing that could be out of reach."""
        return []


class _Pool:
    """The keys of one job: which wait and from when on, and which are at work."""

    def __init__(self, name: str, job: Keyed, stopping: threading.Event) -> None:
        self._name = name
        self._job = job
        self._stopping = stopping
        self._changed = threading.Condition()
        self._waiting: dict[str, datetime] = {}
        self._running: set[str] = set()

    def nudge(self, key: str, at: datetime | None) -> None:
        when = at or datetime.now(UTC)
        with self._changed:
            self._waiting[key] = min(when, self._waiting.get(key, when))
            self._changed.notify()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def loop(self) -> None:
        """What one thread does."""
        while (key := self._take()) is not None:
            try:
                again = self._job(key)
            except Exception:
                log.exception("A job failed", job=self._name)
                again = datetime.now(UTC) + timedelta(seconds=AFTER_A_FAULT)
            with self._changed:
                self._running.discard(key)
                self._changed.notify()
            if again is not None:
                self.nudge(key, again)

    def _take(self) -> str | None:
        """Wait for a key whose time has come and that nobody works on. None: it is over."""
        with self._changed:
            while not self._stopping.is_set():
                free = [(at, key) for key, at in self._waiting.items() if key not in self._running]
                at, key = min(free, default=(None, ""))
                wait = (at - datetime.now(UTC)).total_seconds() if at is not None else None
                if wait is not None and wait <= 0:
                    del self._waiting[key]
                    self._running.add(key)
                    return key
                self._changed.wait(wait)
            return None
