"""`run`: the parts started in order, and stopped in the other order when somebody says so."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Protocol

import structlog

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_LARGE = 131_072  # bytes; glibc's own first value, which it would raise as large blocks come and go
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
    library = _share_memory()
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
    while not told.wait(TIDY_SECONDS):
        _tidy(library)
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


def _share_memory() -> ctypes.CDLL:
    """Let many threads, most of which wait, share two heaps, and give large blocks back; glibc is after speed."""
    library = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):  # another C library has no such thing
        for what, value in ((_M_ARENA_MAX, 2), (_M_TRIM_THRESHOLD, _LARGE), (_M_MMAP_THRESHOLD, _LARGE)):
            library.mallopt(what, value)
    return library


def _tidy(library: ctypes.CDLL) -> None:
    """Give back what is free between blocks in use; glibc does so of itself at the end of a heap alone."""
    with contextlib.suppress(AttributeError):  # as above
        library.malloc_trim(0)


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
