"""A conversation saved as JSON, diagnosed without asking anybody.

The file holds the conversation as the platform gives it, or an object with it under `conversation`. Beside it may
stand `targets`: the documents of the targets, as a list or by id, each with its `kind` (user, queue or flow).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.clock import Clock
from bot.cxone import conversations
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Report, Target, TargetKind, Timing

STDIN = "-"


class NotReadableError(Exception):
    """The file is no saved conversation; the message is a sentence that says why."""


def report(path: str, *, timing: Timing, clock: Clock) -> Report:
    """The diagnosis of a saved conversation; `-` reads stdin. Raises `NotReadableError`."""
    started = clock.monotonic()
    document = read(path)
    inner = document.get("conversation")
    conversation = inner if isinstance(inner, Mapping) else document
    targets = _targets(document.get("targets"), clock)
    diagnosis = diagnose(conversations.parse(conversation), targets, now=clock.now(), timing=timing)
    return Report(diagnosis=diagnosis, seconds=clock.monotonic() - started, document=conversation)


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


def _targets(given: object, clock: Clock) -> dict[str, Target]:
    """The targets that were saved with it, by id. What cannot be read is absent, and so not checked."""
    named = given if isinstance(given, Mapping) else dict(enumerate(given)) if isinstance(given, list) else {}
    found = {}
    for key, document in named.items():
        if not isinstance(document, Mapping):
            continue
        kind = document.get("kind")
        if kind not in list(TargetKind):
            continue
        target = conversations.parse_target(TargetKind(kind), document, clock.now())
        found[target.id or str(key)] = target
    return found
