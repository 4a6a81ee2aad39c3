"""`@emea` in what was typed: which tenant is meant. Pure; the terminal reads it the same way."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice
from typing import NamedTuple

from bot.redact import foreign

# Typed as it is, or as Slack rewrites it where a person or a group is called the same.
_NAMED = re.compile(r"(?:^|\s)(?:@([A-Za-z0-9][A-Za-z0-9-]*)|<[@!][^|>\s]+\|@?([A-Za-z0-9][A-Za-z0-9-]*)>)(?=\s|$)")
_MOST = 40  # names in one sentence


class Named(NamedTuple):
    """What was typed, without the tenant's name; the name is empty where none was typed."""

    tenant: str
    rest: str


def find(text: str) -> Named:
    """The first name in small letters, and the rest."""
    found = _NAMED.search(text)
    if found is None:
        return Named("", text)
    return Named((found[1] or found[2]).lower(), f"{text[: found.start()]} {text[found.end() :]}".strip())


def unknown(name: str, names: Collection[str]) -> str:
    """What to say of a name that nobody has; `names` has one or more."""
    there = f"There are {listed(names)}" if len(names) > 1 else f"There is only {listed(names)}"
    return f"There is no tenant @{foreign(name, 40)}. {there}."


def listed(names: Collection[str]) -> str:
    """@emea, @apac and @amer; of very many the first, and how many more."""
    marked = [f"@{name}" for name in islice(names, _MOST)]
    if len(names) > _MOST:
        marked.append(f"{len(names) - _MOST} more")
    return " and ".join([", ".join(marked[:-1]), marked[-1]]) if len(marked) > 1 else marked[0]
