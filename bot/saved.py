"""A conversation saved as JSON, diagnosed without asking anybody.

The file holds the conversation as the platform gives it (of either profile), or an object with it under
`conversation`. Beside it may stand `targets`: the documents of the targets, as a list or by id, each with its `kind`
(user, queue or flow) and, where that is known, when it was read (`readAt`). Or it is a bundle that `diagnose --save`
wrote.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot import bundle
from bot.clock import Clock
from bot.cxone import conversations, reading
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Report, Target, TargetKind, Timing

STDIN = "-"
_OWNER_ALONE = 0o600


class NotWritableError(Exception):
    """The bundle could not be written; the message is a sentence that says why."""


class NotReadableError(Exception):
    """The file is no saved conversation; the message is a sentence that says why."""


def report(path: str, *, timing: Timing, clock: Clock) -> Report:
    """The diagnosis of a saved conversation; `-` reads stdin. Raises `NotReadableError`."""
    started = clock.monotonic()
    document = read(path)
    if bundle.is_bundle(document):
        again = bundle.read_back(document, timing=timing, now=clock.now())
        return replace(again, seconds=clock.monotonic() - started)
    inner = document.get("conversation")
    conversation = inner if isinstance(inner, Mapping) else document
    targets = _targets(document.get("targets"))
    diagnosis = diagnose(bundle.parse(conversation), targets, now=clock.now(), timing=timing)
    return Report(diagnosis=diagnosis, seconds=clock.monotonic() - started, document=conversation)


def save(path: str, report: Report, shown: Mapping[str, Any], *, profile: str, clock: Clock) -> None:
    """Write the bundle of a report, readable by its owner alone. Raises `NotWritableError`."""
    text = json.dumps(
        bundle.of(report, profile=profile, now=clock.now(), diagnosis=shown), indent=2, ensure_ascii=False
    )
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ALONE), "w", encoding="utf-8"
        ) as file:
            file.write(text + "\n")
    except OSError as why:
        raise NotWritableError(f"“{path}” cannot be written: {why.strerror}.") from None


def read(path: str) -> Mapping[str, Any]:
    """The JSON object that a file holds. Raises `NotReadableError`."""
    name = "stdin" if path == STDIN else f"“{path}”"
    try:
        raw = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
        document = json.loads(raw)
    except OSError as why:
        raise NotReadableError(f"{name} cannot be read: {why.strerror}.") from None
    except json.JSONDecodeError as why:
        raise NotReadableError(f"{name} is not JSON: {why.msg} in line {why.lineno}, column {why.colno}.") from None
    except UnicodeDecodeError:
        raise NotReadableError(f"{name} is not JSON: it is not text in UTF-8.") from None
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        raise NotReadableError(f"{name} is not JSON that can be read: it is nested too deeply or too large.") from None
    if not isinstance(document, Mapping):
        raise NotReadableError(f"{name} holds no conversation: that is one JSON object, as CXone gives it.")
    return document


def _targets(given: object) -> dict[str, Target]:
    """The targets that were saved with it, by id. What cannot be read is absent, and so not checked."""
    named = given if isinstance(given, Mapping) else dict(enumerate(given)) if isinstance(given, list) else {}
    found = {}
    for key, document in named.items():
        if not isinstance(document, Mapping):
            continue
        kind = document.get("kind")
        if kind not in list(TargetKind):
            continue
        # When it was read only the file can say: it may be as old as the call, or read long after it.
        target = conversations.parse_target(TargetKind(kind), document, reading.time(document.get("readAt")))
        found[target.id or str(key)] = target
    return found
