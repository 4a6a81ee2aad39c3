"""`run`: the parts started in order, and stopped in the other order when somebody says so."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Protocol

import structlog

from bot import memory

TIDY_SECONDS = 15.0
SECONDS_TO_STOP = 9.0  # Docker, systemd and Kubernetes kill after ten or more

log = structlog.get_logger(__name__)


class Part(Protocol):
    """Something that runs beside the others."""

    def start(self) -> None:
        """Begin, without waiting for anybody."""
        ...

    def stop(self) -> None:
        """Finish what is under way and end; may take seconds."""
        ...


def until_told(parts: list[Part]) -> None:
    """Run the parts until SIGTERM or SIGINT; then stop them, within ten seconds. A second signal ends it at once."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        del frame
        if told.is_set():
            os._exit(128 + number)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    for part in parts:
        part.start()
    memory.freeze()
    while not told.wait(TIDY_SECONDS):
        memory.give_back()
    began = time.monotonic()
    log.info("Stopping: nothing new is taken, what is under way is finished")
    ending = threading.Thread(target=_stop, args=(parts,), name="stop", daemon=True)
    ending.start()
    ending.join(SECONDS_TO_STOP)
    if ending.is_alive():
        log.warning("Stopped before all was finished", seconds=SECONDS_TO_STOP)
        _leave()
    log.info("Stopped")
    # Python's own exit waits for every thread of a pool, however long its call takes.
    last = threading.Timer(max(0.2, SECONDS_TO_STOP - (time.monotonic() - began)), _leave)
    last.daemon = True
    last.start()


def _stop(parts: list[Part]) -> None:
    for part in reversed(parts):
        try:
            part.stop()
        except Exception:
            log.exception("A part did not stop cleanly", part=type(part).__name__)


def _leave() -> None:
    """End the process although threads still work: Python's own exit would wait for them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
