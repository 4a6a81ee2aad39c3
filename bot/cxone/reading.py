"""Tolerant reading: what should be a string, a time, a list. Nothing here raises, whatever JSON holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_LARGEST = 10**18  # beyond it a number is no id, and its digits may be too many to print
_LONGEST_TIME = 40
_FIRST_YEAR, _LAST_YEAR = 1971, 3000  # beyond them a stamp is a filler, and adding a second to it may overflow


def text(value: object) -> str:
    """A string without blanks around it; an integer as its digits; "" for anything else. Always encodable."""
    if value is None:  # by far the commonest
        return ""
    if isinstance(value, str):
        stripped = value.strip()
        return stripped if stripped.isascii() else stripped.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return str(value)
    return ""


def time(value: object) -> datetime | None:
    """An ISO 8601 time as an aware one in UTC. Without an offset it is UTC. None outside of 1971 to 2999."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        return None
    try:
        at = datetime.fromisoformat(value.strip().upper())
        if at.tzinfo is not UTC:
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if _FIRST_YEAR <= at.year < _LAST_YEAR else None


def whole(value: object) -> int | None:
    """A whole number, also where it comes as text; None for anything else, true and false included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _LARGEST else None
    if isinstance(value, str) and len(value) <= len(str(_LARGEST)) and value.strip().lstrip("-").isdecimal():
        try:
            return int(value)
        except ValueError:  # "--1"
            return None
    return None


def flag(value: object) -> bool | None:
    """True or false, also where it comes as text; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def items(value: object) -> list[Any]:
    """A list as it is; an empty one for anything else."""
    return value if isinstance(value, list) else []


def mapping(value: object) -> Mapping[str, Any]:
    """An object as it is; an empty one for anything else."""
    return value if isinstance(value, (dict, Mapping)) else _NOTHING  # a plain dict is told at once


def first(document: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds a text."""
    for name in names:
        if found := text(document.get(name)):
            return found
    return ""
