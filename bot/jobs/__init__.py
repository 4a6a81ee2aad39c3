"""Who runs the work: `local` (threads, the default) or `distributed` (Procrastinate on PostgreSQL), behind one port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Keyed = Callable[[str], datetime | None]
"""A job for a key. It returns when it wants to run again for that key, None if nothing is left."""


class Jobs(Protocol):
    """What both engines promise. The tables carry the rest, so that a lost or repeated nudge changes nothing."""

    stopping: threading.Event
    """By which a long job notices that it is to end."""

    def periodic(self, name: str, seconds: float, job: Callable[[], object], *, waits: bool = False) -> None:
        """Run a job every so many seconds, once over all processes, at once at the start and when it is nudged.

        `waits`: for somebody who may be slow. It delays no job that does not.
        """
        ...

    def keyed(self, name: str, job: Keyed) -> None:
        """Run a job for a key when that is nudged, one run a key at a time over all processes."""
        ...

    def nudge(self, name: str, key: str = "", at: datetime | None = None) -> None:
        """There is something to do, now or at a time. At most one waits a key, the earliest. Never raises."""
        ...

    def start(self) -> None:
        """Begin, without waiting for anybody."""
        ...

    def stop(self) -> None:
        """Begin nothing more, and let what runs finish for some seconds at most."""
        ...

    def reasons(self) -> list[str]:
        """Why no jobs are run here, if so."""
        ...
