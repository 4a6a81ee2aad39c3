"""What goes wrong on request between the bot and the local Slack.

A script is one word a call of a method, used up in order; then all is well again:

    ok                  as usual
    500                 any status from 400 to 599, and nothing done
    429:3               rate limited, with Retry-After: 3
    error:CODE          {"ok": false, "error": CODE}, and nothing done
    refuse              the connection is reset, and nothing done
    hang:5              5 s of silence, then as usual; nothing done if the client has gone by then
    accept_then_drop    done, and the connection ends without an answer
    accept_then_500     done, and any such status
    accept_then_hang:5  done, and the answer comes after 5 s
    accept_then_error:CODE

`response_url` is scripted under that name. Beside the scripts, `slow(seconds)` delays every call.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable

_WORD = re.compile(r"ok|refuse|(accept_then_)?(drop|[45]\d\d|hang:[\d.]+|error:\w+)|429:\d+")


class Faults:
    """The scripts, by method."""

    def __init__(self) -> None:
        self.delay = 0.0
        self._scripts: dict[str, deque[str]] = {}
        self._lock = threading.Lock()

    def script(self, method: str, words: Iterable[str]) -> None:
        """Let the next calls of a method go as these words say. Raises ValueError on a word that is none."""
        words = list(words)
        for word in words:
            if not _WORD.fullmatch(word):
                raise ValueError(f"no such fault: {word}")
        with self._lock:
            self._scripts.setdefault(method, deque()).extend(words)

    def next(self, method: str) -> str:
        """How this call goes; uses up one word of the method's script."""
        with self._lock:
            script = self._scripts.get(method)
            return script.popleft() if script else "ok"

    def slow(self, seconds: float) -> None:
        """Delay every answer from now on by that long; 0 ends it."""
        self.delay = seconds

    def clear(self) -> None:
        """All is well again."""
        with self._lock:
            self._scripts.clear()
            self.delay = 0.0
