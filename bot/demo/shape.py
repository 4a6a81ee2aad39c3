"""The checks that all limits are made of: texts, strings, arrays, keys. They append Slack's sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Faults = list[str]


def text(faults: Faults, value: object, at: str, *, longest: int, plain: bool = False) -> None:
    """A text object, `plain_text` or `mrkdwn`, not empty."""
    if not isinstance(value, dict):
        faults.append(fault("must be an object", at))
        return
    kind = value.get("type")
    if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        faults.append(fault("must be a valid enum value", f"{at}/type"))
    keys(faults, value, at, "type text emoji" if kind == "plain_text" else "type text verbatim")
    string(faults, value, "text", at, longest=longest, required=True)


def string(
    faults: Faults, holder: Mapping[str, Any], key: str, at: str, *, longest: int, required: bool = False
) -> None:
    """A string of at most so many characters, not empty if required."""
    value = holder.get(key)
    if value is None:
        if required:
            faults.append(fault(f"missing required field: {key}", at))
    elif not isinstance(value, str):
        faults.append(fault("must be a string", f"{at}/{key}"))
    elif required and not value:
        faults.append(fault("must be more than 0 characters", f"{at}/{key}"))
    elif len(value) > longest:
        faults.append(fault(f"must be less than {longest + 1} characters", f"{at}/{key}"))


def array(faults: Faults, holder: Mapping[str, Any], key: str, at: str, *, most: int, least: int = 0) -> list[Any]:
    """The list under a key, with its length checked; an empty one if there is none."""
    value = holder.get(key)
    if value is None and not least:
        return []
    if not isinstance(value, list):
        faults.append(fault(f"missing required field: {key}", at))
        return []
    if len(value) > most:
        faults.append(fault(f"no more than {most} items allowed", f"{at}/{key}"))
    if len(value) < least:
        faults.append(fault(f"no less than {least} items allowed", f"{at}/{key}"))
    return value


def keys(faults: Faults, holder: Mapping[str, Any], at: str, allowed: str) -> None:
    """No keys but these."""
    faults += [fault(f"no additional property allowed: {key}", at) for key in holder if key not in allowed.split()]


def mappings(items: object) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a list, with their places."""
    if isinstance(items, list):
        yield from ((index, item) for index, item in enumerate(items) if isinstance(item, dict))


def fault(sentence: str, at: str) -> str:
    """A sentence with its pointer."""
    return f"{sentence} [json-pointer:{at}]"
