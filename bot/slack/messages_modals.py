"""The windows and the Home tab: loading, raw events, the whole timeline, what went wrong. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot import redact
from bot.diagnosis.handover import Diagnosis
from bot.slack import blocks as b
from bot.slack import messages_answers
from bot.slack.messages_timeline import gap

View = dict[str, Any]

_PART = 2_900  # characters of one block
_MOST_PARTS = 40
_MOST_LINES, _LINES_A_BLOCK = 400, 20


def loading(title: str) -> View:
    """What opens at once; a trigger lives for 3 seconds only."""
    return b.modal(title, [b.line("Loading")])


def words(title: str, message: b.Message) -> View:
    """A message in a window."""
    return b.modal(title, message.blocks or [b.line(message.text)])


def raw_events(conversation_id: str, document: Mapping[str, Any]) -> View:
    """The document as the platform gave it: allow-listed fields, callers masked, the others by name."""
    text = json.dumps(redact.document(document), indent=1, ensure_ascii=False, default=str)
    parts = _parts(text, _MOST_PARTS)
    shown = sum(len(part) for part in parts)
    made = [
        b.line("Conversation ", b.code(redact.whole_id(conversation_id) or "without an id")),
        b.line("Fields that may hold something of the caller are given by name only, under ", b.code("not_shown"), "."),
        *(b.preformatted(part) for part in parts),
    ]
    if shown < len(text):
        made.append(b.line(f"{len(text) - shown} characters more are not shown."))
    return b.modal("Raw events", made)


def whole_timeline(found: Diagnosis) -> View:
    """Every line of the timeline, as far as a window holds it."""
    rows: list[list[b.Part]] = []
    before = None
    for moment in found.timeline[:_MOST_LINES]:
        passed = gap(moment, before)
        rows.append(
            [
                b.when(moment.timestamp) if moment.timestamp else "no time",
                f"  {passed}" if passed else None,
                f"  {redact.foreign(moment.who, 80)}  {redact.foreign(moment.what, 200)}",
            ]
        )
        before = moment
    made = [b.bullets(rows[start : start + _LINES_A_BLOCK]) for start in range(0, len(rows), _LINES_A_BLOCK)]
    if len(found.timeline) > _MOST_LINES:
        made.append(b.line(f"{len(found.timeline) - _MOST_LINES} lines more are not shown."))
    return b.modal("Timeline", made or [b.line("This call has no timeline.")])


def home(own: list[b.Block]) -> View:
    """The Home tab; `own` is what concerns the reader."""
    made = [
        b.header("Why did a handover fail?"),
        b.line(
            "I look up calls that a Cognigy voicebot could not hand over to NICE CXone. I read, and change nothing."
        ),
        *own,
        *messages_answers.usage().blocks,
    ]
    return {"type": "home", "blocks": made}


def _parts(text: str, most: int) -> list[str]:
    """The text in pieces of whole lines."""
    parts: list[str] = []
    part = ""
    for row in text.splitlines():
        said = redact.cut(row, _PART - 1)
        if len(part) + len(said) + 1 > _PART:
            parts.append(part)
            part = ""
            if len(parts) == most:
                return parts
        part += said + "\n"
    return [*parts, part] if part else parts
