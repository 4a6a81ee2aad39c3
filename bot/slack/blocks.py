"""Slack's blocks as plain dicts, and the same as plain text. Pure.

Foreign text goes into `plain_text` and `rich_text` elements alone: there it is neither escaped nor parsed, so it cannot
mention, link or format. The one place where Slack parses is the top-level `text`; `as_text` makes it from the blocks,
escaped and with the marks of mrkdwn made harmless. Limits: https://docs.slack.dev/reference/block-kit/blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import redact

Block = dict[str, Any]
Element = dict[str, Any]
Part = Element | str | None  # of a line

GAP = "  ·  "  # between two parts of a line
LONGEST_TEXT = 3_900  # of the top-level text; Slack advises 4,000
LONGEST_BLOCKS = 9_000  # characters of all block text; chat.postMessage refuses somewhere above 11,000
_HEADER, _BUTTON, _OPTION, _VALUE, _MODAL_TITLE = 150, 75, 75, 150, 24
_MOST_OPTIONS = 100

# In mrkdwn these begin formatting; each has a look-alike that does not. An underscore may stay: codes are full of them,
# and the worst it does is slant a word.
_MARKS = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_IN_A_SENTENCE = re.compile(
    r"“[^”]*”|`(?P<code>[^`]{1,80})`|(?<!\d )(?<![\d:])(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d) UTC", re.ASCII
)
_NOTHING = "\u2013"  # Slack refuses empty texts


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the text for notifications and screen readers, complete by itself, and the blocks."""

    text: str
    blocks: list[Block] = field(default_factory=list)

    def plain(self) -> Message:
        """The same without blocks, for when Slack refuses them."""
        return Message(self.text)


MARK = "tenant:"  # how a block_id begins that says whose message it is


def of_tenant(sent: Message, tenant: str) -> Message:
    """The message with its tenant's name in all that can be pressed; as it is without a name."""
    if not tenant:
        return sent
    blocks = [
        block | {"block_id": f"{MARK}{tenant}:{number}"} if block["type"] in ("actions", "section") else block
        for number, block in enumerate(sent.blocks)
    ]
    return Message(sent.text, blocks)


def message(blocks: Sequence[Block]) -> Message:
    """Blocks with their text."""
    return Message(as_text(blocks), list(blocks))


# ---- blocks -------------------------------------------------------------------------------------------------------


def header(words: str) -> Block:
    """The first line, large."""
    return {"type": "header", "text": _plain(words, _HEADER)}


def line(*elements: Part) -> Block:
    """One paragraph of rich text; strings are plain text. Empty parts are left out."""
    return {"type": "rich_text", "elements": [_section(elements)]}


def bullets(rows: Iterable[Sequence[Part]]) -> Block:
    """A list of rich text."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_list", "style": "bullet", "elements": [_section(row) for row in rows]}],
    }


def preformatted(text: str) -> Block:
    """Text in a fixed width, as it stands."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [words(text)]}]}


def table(rows: Iterable[Sequence[Sequence[Part]]]) -> Block:
    """A table of rich-text cells; the first row is its heading. At most 100 rows, one table a message."""
    return {
        "type": "table",
        "column_settings": [{"is_wrapped": False}, {"align": "right"}, {"is_wrapped": True}, {"is_wrapped": True}],
        "rows": [[{"type": "rich_text", "elements": [_section(cell)]} for cell in row] for row in rows],
    }


def context(*elements: Part) -> Block:
    """One small grey line. Elements are mrkdwn made of our own words, escaped names and user ids."""
    text = "".join(_as_mrkdwn(element) for element in elements if element)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": redact.cut(text, 2_000), "verbatim": True}]}


def actions(*elements: Element | None) -> Block:
    """Buttons and menus."""
    return {"type": "actions", "elements": [element for element in elements if element]}


def button(label: str, action_id: str, value: str, style: str | None = None) -> Element:
    """A button. `value` comes back when it is pressed, and may hold an id, never a number."""
    made = {"type": "button", "text": _plain(label, _BUTTON), "action_id": action_id, "value": value}
    return made | {"style": style} if style else made


def menu(label: str, action_id: str, options: Iterable[tuple[str, str]]) -> Element:
    """A menu of (label, value); values above Slack's 150 characters are left out."""
    made = [{"text": _plain(said, _OPTION), "value": value} for said, value in options if 0 < len(value) <= _VALUE]
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": _plain(label, _BUTTON),
        "options": made[:_MOST_OPTIONS],
    }


def modal(title: str, blocks: Sequence[Block], private_metadata: str = "") -> dict[str, Any]:
    """A window with nothing to submit."""
    made = {
        "type": "modal",
        "title": _plain(title, _MODAL_TITLE),
        "close": _plain("Close", _MODAL_TITLE),
        "blocks": list(blocks),
    }
    return made | {"private_metadata": private_metadata} if private_metadata else made


# ---- elements of rich text ----------------------------------------------------------------------------------------


def words(text: str) -> Element:
    """Plain words."""
    return {"type": "text", "text": text}


def bold(text: str) -> Element:
    """Words in bold."""
    return {"type": "text", "text": text, "style": {"bold": True}}


def marked(text: str, near: datetime | None = None) -> list[Part]:
    """A sentence of ours, in which `…` stands for a code and a clock time, "14:03 UTC", for a moment `near` to this.

    What stands in “…” is quoted from others and stays as it is; names of others come without back-ticks.
    """
    made: list[Part] = []
    end = 0
    for found in _IN_A_SENTENCE.finditer(text):
        element = _moment(found, near) if found["hour"] else code(found["code"]) if found["code"] else None
        if element is not None:
            made += [text[end : found.start()], element]
            end = found.end()
    return [*made, text[end:]]


def _moment(found: re.Match[str], near: datetime | None) -> Element | None:
    if near is None:
        return None
    day = near.astimezone(UTC).replace(hour=int(found["hour"]), minute=int(found["minute"]), second=0, microsecond=0)
    days = (day + timedelta(days=shift) for shift in (-1, 0, 1))
    return when(min(days, key=lambda at: abs(at - near)), "{time}")


def code(text: str) -> Element:
    """A code or an id, to copy."""
    return {"type": "text", "text": text, "style": {"code": True}}


def when(moment: datetime, form: str = "{time_secs}") -> Element:
    """A time, shown in the reader's own zone."""
    if moment.timestamp() < 0:
        return words(_utc(moment, form))
    return {"type": "date", "timestamp": int(moment.timestamp()), "format": form, "fallback": _utc(moment, form)}


def person(user_id: str) -> Element:
    """A Slack user, by id."""
    return {"type": "user", "user_id": user_id}


def channel(channel_id: str) -> Element:
    """A Slack channel, by id."""
    return {"type": "channel", "channel_id": channel_id}


def _section(elements: Iterable[Part]) -> Element:
    made = [words(element) if isinstance(element, str) else element for element in elements if element]
    made = [element for element in made if element.get("text") != ""]
    return {"type": "rich_text_section", "elements": made or [words(_NOTHING)]}


def _plain(text: str, limit: int) -> Element:
    return {"type": "plain_text", "text": redact.cut(text, limit) or _NOTHING, "emoji": False}


def _utc(moment: datetime, form: str) -> str:
    day, clock = (
        "%Y-%m-%d" if "date" in form else "",
        "%H:%M:%S" if "secs" in form else "%H:%M" if "time" in form else "",
    )
    return moment.astimezone(UTC).strftime(" ".join(part for part in (day, clock) if part)) + (" UTC" if clock else "")


# ---- as text ------------------------------------------------------------------------------------------------------


def as_text(blocks: Sequence[Block], limit: int = LONGEST_TEXT) -> str:
    """All that the blocks say, as lines of mrkdwn that formats nothing, cut at a whole line."""
    lines: list[str] = []
    left = limit
    for said in (said for block in blocks for said in _lines(block)):
        if len(said) + 1 > left - 1:
            lines.append("…")
            break
        lines.append(said)
        left -= len(said) + 1
    return "\n".join(lines)


def _lines(block: Block) -> list[str]:
    match block["type"]:
        case "header":
            return [harmless(block["text"]["text"])]
        case "rich_text":
            return [said for part in block["elements"] for said in _rich(part)]
        case "table":
            rows = ([said for cell in row for said in _rich(cell["elements"][0])] for row in block["rows"][1:])
            return ["  ".join(said for said in row if said != _NOTHING) for row in rows]
        case "context":
            return [element["text"] for element in block["elements"]]
        case _:  # buttons say nothing that is not said elsewhere
            return []


def _rich(part: Element) -> list[str]:
    if part["type"] == "rich_text_list":
        return ["• " + said for row in part["elements"] for said in _rich(row)]
    return ["".join(_as_mrkdwn(element) for element in part["elements"])]


def _as_mrkdwn(element: Element | str) -> str:
    if isinstance(element, str):
        return harmless(element)
    match element["type"]:
        case "user":
            return f"<@{redact.escape(element['user_id'])}>"
        case "channel":
            return f"<#{redact.escape(element['channel_id'])}>"
        case "date":
            return str(element["fallback"])
        case _:
            return harmless(element["text"])


def harmless(text: str) -> str:
    """Text that mrkdwn shows as it stands: `& < >` escaped, the marks of formatting replaced by look-alikes."""
    return redact.escape(text.translate(_MARKS))


def weight(blocks: Any) -> int:
    """Characters of all text in the blocks, the measure of `msg_blocks_too_long`."""
    if isinstance(blocks, Mapping):
        own = blocks.get("text")
        return (len(own) if isinstance(own, str) else 0) + sum(weight(value) for value in blocks.values())
    if isinstance(blocks, list):
        return sum(weight(item) for item in blocks)
    return 0
