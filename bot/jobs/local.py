"""The default engine: threads in this one process. The tables carry every promise; a nudge only saves waiting.

The port that `distributed` has as well: `periodic(name, seconds, job)`, `worker(name, job, idle)`, `nudge(name)`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

SECONDS_TO_FINISH = 8.0
AFTER_A_FAULT = 2.0  # seconds before a job that raised is run again


class Local:
    """Runs jobs in threads of their own until it is stopped."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._woken: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def periodic(self, name: str, seconds: float, job: Callable[[], object]) -> None:
        """Run a job every so many seconds from its start on, never twice at a time, and at once when it is nudged."""

        def loop(woken: threading.Event) -> None:
            while not self._stopping.is_set():
                begun = time.monotonic()
                woken.clear()
                wait = seconds if self._run(name, job) is not None else min(seconds, AFTER_A_FAULT)
                woken.wait(max(0.0, wait - (time.monotonic() - begun)))

        self._add(name, loop)

    def worker(self, name: str, job: Callable[[], bool], idle: float, threads: int = 1) -> None:
        """Run a job again and again while it returns True; else look every `idle` seconds, or when it is nudged."""

        def loop(woken: threading.Event) -> None:
            while not self._stopping.is_set():
                woken.clear()
                busy = self._run(name, job)
                if not busy:
                    woken.wait(idle if busy is False else max(idle, AFTER_A_FAULT))

        for _ in range(threads):
            self._add(name, loop)

    def nudge(self, name: str) -> None:
        """There is something to do. Lost or repeated, it changes nothing."""
        woken = self._woken.get(name)
        if woken is not None:
            woken.set()

    def start(self) -> None:
        """Start what was added."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every job finish what it is doing, for some seconds at most."""
        self._stopping.set()
        for woken in self._woken.values():
            woken.set()
        until = time.monotonic() + SECONDS_TO_FINISH
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _add(self, name: str, loop: Callable[[threading.Event], None]) -> None:
        woken = self._woken.setdefault(name, threading.Event())
        self._threads.append(threading.Thread(target=loop, args=(woken,), name=name, daemon=True))

    def _run(self, name: str, job: Callable[[], object]) -> bool | None:
        """Run it once; whether it had something to do. None: it failed, is logged, and goes on where the tables say."""
        try:
            return bool(job())
        except Exception:
            log.exception("A job failed", job=name)
            return None
