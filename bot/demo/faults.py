"""What can go wrong between the bot and the tenant, on request.

A fault is bound to the start of a path and, if wanted, to a number of requests. `status` answers with a code (and
`retry_after` in seconds, or as a date `retry_date`), `slow` waits `seconds` before the true answer, `hang` never
answers, `cut_json` breaks off in the middle, `html` is a gateway's error page, `not_json` is text with status 200,
`body` gives any bytes, `reset` closes the connection hard, `expired_token` answers 401 and forgets the token.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset({"status", "slow", "hang", "cut_json", "html", "not_json", "body", "reset", "expired_token"})


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong. `left` counts down; None is for ever."""

    path: str
    kind: str
    left: int | None = None
    args: dict[str, Any] = field(default_factory=dict)


class Faults:
    """The faults of a tenant, asked once a request; the first that fits is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, path_prefix: str, kind: str, times: int | None = None, **args: Any) -> None:
        """Let requests whose path begins so go wrong, `times` times or until `clear`."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; there are {', '.join(sorted(KINDS))}")
        with self._lock:
            self._faults.append(Fault(path_prefix, kind, times, args))

    def clear(self) -> None:
        """All well again."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str) -> Fault | None:
        """The fault that this request meets, counted."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if path.startswith(fault.path):
                    if fault.left is not None:
                        fault.left -= 1
                        if fault.left <= 0:
                            self._faults.remove(fault)
                    return fault
        return None
