"""Time spans as people type and read them. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

_PART = re.compile(
    r"(\d{1,6})\s*(w|d|h|m|s|weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?)(?![a-z])", re.IGNORECASE
)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TENS = 10


def duration(text: str) -> timedelta | None:
    """`90m`, `2h`, `1d 12h` or `2 hours` as a time span; None if it is none, or nothing."""
    parts = list(_PART.finditer(text))
    if not parts or _PART.sub("", text).strip():
        return None
    found = sum((timedelta(**{_UNITS[part[2][0].lower()]: int(part[1])}) for part in parts), timedelta())
    return found or None


def said(span: timedelta) -> str:
    """A time span in words: "1.2 s", "48 s", "1 min 29 s", "2 h 5 min", "3 d 4 h"."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < _TENS and seconds != int(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def _two(whole: int, big: int, name: str, small: int, rest: str) -> str:
    count, left = divmod(whole, big)
    return f"{count} {name}" + (f" {left // small} {rest}" if left // small else "")
