"""The timeline of a call as a table, cut by rule. Pure.

What decides is kept: the first and the last line, and those around each attempt, the deciding attempt's first. What
is left out is counted where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.diagnosis.handover import Diagnosis, Moment
from bot.redact import foreign
from bot.slack import blocks as b
from bot.slack.spans import said

MOST_ROWS = 14
_BEFORE, _AFTER = 2, 4  # lines kept around an attempt
_WHO, _WHAT = 80, 140  # characters

Row = list[list[b.Part]]


@dataclass(frozen=True, slots=True)
class Shown:
    """Which lines are shown, by index, and whether these are all."""

    lines: tuple[int, ...]
    complete: bool


def shown(found: Diagnosis) -> Shown:
    """The lines that are kept: all, if they are few."""
    count = len(found.timeline)
    if count <= MOST_ROWS:
        return Shown(tuple(range(count)), complete=True)
    kept = {0, count - 1}
    first: dict[datetime, int] = {}
    for index, moment in enumerate(found.timeline):
        if moment.timestamp:
            first.setdefault(moment.timestamp, index)
    deciding = [found.decided_by] if found.decided_by else []
    for attempt in [*deciding, *reversed(found.attempts)]:
        at = first.get(attempt.timestamp) if attempt.timestamp else None
        if at is None:
            continue
        for index in (at, *range(at + 1, at + _AFTER + 1), *range(at - 1, at - _BEFORE - 1, -1)):
            if 0 <= index < count and len(kept) < MOST_ROWS:
                kept.add(index)
    rest = [index for index in range(MOST_ROWS * 2) if index not in kept and index < count]
    kept.update(rest[: MOST_ROWS - len(kept)])
    return Shown(tuple(sorted(kept)), complete=False)


def table(found: Diagnosis, part: Shown) -> b.Block | None:
    """Time, gap, who to whom, what. None for a call without a timeline."""
    if not part.lines:
        return None
    rows: list[Row] = [[["Time"], ["Gap"], ["Who"], ["What"]]]
    before: int | None = None
    for index in part.lines:
        left_out = index - before - 1 if before is not None else index
        if left_out:
            rows.append([["…"], [], [], [_more(left_out)]])
        rows.append(row(found.timeline[index], found.timeline[before] if before is not None else None))
        before = index
    return b.table(rows)


def row(moment: Moment, before: Moment | None) -> Row:
    """One line of the table."""
    return [
        [b.when(moment.timestamp) if moment.timestamp else "no time"],
        [gap(moment, before)],
        [foreign(moment.who, _WHO)],
        [foreign(moment.what, _WHAT)],
    ]


def gap(moment: Moment, before: Moment | None) -> str:
    """How long after the line before: "+ 1.2 s"; empty for the first, and where a time is missing."""
    if before is None or moment.timestamp is None or before.timestamp is None:
        return ""
    passed = moment.timestamp - before.timestamp
    return f"+ {said(passed)}" if passed.total_seconds() > 0 else ""


def _more(count: int) -> str:
    return "1 line more" if count == 1 else f"{count} lines more"
