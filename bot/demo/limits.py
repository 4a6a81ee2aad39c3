"""What Slack refuses: the limits of blocks and views, as pure checks.

Every check answers with Slack's own sentences and JSON pointers, as they come in `response_metadata.messages` of
`invalid_blocks`. The figures are from Slack's type package (@slack/types 3.2.0), its Python SDK's models and its
documentation; those that no validator knows (51 blocks, ragged tables, repeated ids) are checked as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from bot.demo import shape
from bot.demo.element_limits import ELEMENTS, element, image
from bot.demo.rich_text_limits import rich_text
from bot.demo.shape import Faults

Surface = Literal["message", "modal", "home"]

LONGEST_BLOCK_TEXT = 11_000
"""Characters of all block text that `chat.postMessage` takes. Slack documents none and answers `msg_blocks_too_long`
somewhere near 12,000; the least that was seen rejected is 11,341, so this is stricter than Slack."""
LONGEST_TEXT = 40_000
LONGEST_TABLES = 10_000
LONGEST_MARKDOWN = 12_000
LONGEST_VIEW = 250_000
MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}


def blocks_faults(blocks: object, surface: Surface = "message", at: str = "/blocks") -> Faults:
    """Everything that Slack would refuse in these blocks; an empty list when it takes them."""
    faults: Faults = []
    if not isinstance(blocks, list):
        return [shape.fault("must be an array", at)]
    if len(blocks) > MOST_BLOCKS[surface]:
        faults.append(shape.fault(f"no more than {MOST_BLOCKS[surface]} items allowed", at))
    for index, block in enumerate(blocks):
        _block(faults, block, f"{at}/{index}", surface)
    _repeated(faults, ((b.get("block_id"), f"{at}/{i}/block_id") for i, b in shape.mappings(blocks)), "block_id")
    for index, block in shape.mappings(blocks):
        ids = ((e.get("action_id"), f"{at}/{index}/{e_at}/action_id") for e_at, e in interactive(block))
        _repeated(faults, ids, "action_id")
    _tables(faults, blocks, at)
    markdown = sum(len(str(b.get("text") or "")) for _, b in shape.mappings(blocks) if b.get("type") == "markdown")
    if markdown > LONGEST_MARKDOWN:
        faults.append(shape.fault(f"must be less than {LONGEST_MARKDOWN + 1} characters", at))
    return faults


def view_faults(view: object) -> Faults:
    """Everything that Slack would refuse in a view of `views.open`, `update`, `push` or `publish`."""
    if not isinstance(view, dict):
        return [shape.fault("must be an object", "/view")]
    faults: Faults = []
    kind = view.get("type")
    if kind not in ("modal", "home"):
        return [shape.fault("must be a valid enum value", "/view/type")]
    keys = "type blocks private_metadata callback_id external_id"
    if kind == "modal":
        keys += " title submit close clear_on_close notify_on_close submit_disabled"
        shape.text(faults, view.get("title"), "/view/title", longest=24, plain=True)
        for name in ("submit", "close"):
            if view.get(name) is not None:
                shape.text(faults, view[name], f"/view/{name}", longest=24, plain=True)
        if view.get("submit") is None and any(b.get("type") == "input" for _, b in shape.mappings(view.get("blocks"))):
            faults.append(shape.fault("submit is required when an input block is present", "/view"))
    shape.keys(faults, view, "/view", keys)
    shape.string(faults, view, "private_metadata", "/view", longest=3000)
    shape.string(faults, view, "callback_id", "/view", longest=255)
    shape.string(faults, view, "external_id", "/view", longest=255)
    if "blocks" not in view:
        faults.append(shape.fault("missing required field: blocks", "/view"))
    else:
        faults += blocks_faults(view["blocks"], "modal" if kind == "modal" else "home", "/view/blocks")
    return faults


def block_text(blocks: object) -> int:
    """Characters of all text in the blocks, the measure of `msg_blocks_too_long`."""
    if isinstance(blocks, list):
        return sum(block_text(item) for item in blocks)
    if isinstance(blocks, dict):
        own = blocks.get("text")
        length = len(own) if isinstance(own, str) else 0
        return length + sum(block_text(value) for value in blocks.values())
    return 0


def interactive(block: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The elements of a block that a person can use, each with its place inside the block."""
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict) and block[key].get("type") != "image":
            yield key, block[key]
    if block.get("type") == "actions":
        for index, each in shape.mappings(block.get("elements")):
            yield f"elements/{index}", each


def _block(faults: Faults, block: object, at: str, surface: Surface) -> None:
    if not isinstance(block, dict):
        faults.append(shape.fault("must be an object", at))
        return
    kind = str(block.get("type"))
    if kind not in _BLOCKS:
        faults.append(shape.fault(f"unsupported type: {kind}", f"{at}/type"))
        return
    check, keys, surfaces = _BLOCKS[kind]
    if surface not in surfaces:
        faults.append(shape.fault(f"unsupported type: {kind}", f"{at}/type"))
        return
    shape.keys(faults, block, at, f"type block_id {keys}")
    shape.string(faults, block, "block_id", at, longest=255)
    check(faults, block, at)


def _section(faults: Faults, block: dict[str, Any], at: str) -> None:
    if block.get("text") is None and not block.get("fields"):
        faults.append(shape.fault("must provide either text or fields", at))
    if block.get("text") is not None:
        shape.text(faults, block["text"], f"{at}/text", longest=3000)
    for index, field in enumerate(shape.array(faults, block, "fields", at, most=10)):
        shape.text(faults, field, f"{at}/fields/{index}", longest=2000)
    if block.get("accessory") is not None:
        element(faults, block["accessory"], f"{at}/accessory", {*ELEMENTS, "image"} - {"plain_text_input"})


def _header(faults: Faults, block: dict[str, Any], at: str) -> None:
    shape.text(faults, block.get("text"), f"{at}/text", longest=150, plain=True)


def _context(faults: Faults, block: dict[str, Any], at: str) -> None:
    for index, each in enumerate(shape.array(faults, block, "elements", at, most=10, least=1)):
        here = f"{at}/elements/{index}"
        if isinstance(each, dict) and each.get("type") == "image":
            image(faults, each, here)
        elif isinstance(each, dict) and each.get("type") in ("mrkdwn", "plain_text"):
            shape.text(faults, each, here, longest=3000)
        else:
            faults.append(shape.fault("must be a text or an image element", here))


def _actions(faults: Faults, block: dict[str, Any], at: str) -> None:
    for index, each in enumerate(shape.array(faults, block, "elements", at, most=25, least=1)):
        element(faults, each, f"{at}/elements/{index}", ELEMENTS - {"plain_text_input"})


def _input(faults: Faults, block: dict[str, Any], at: str) -> None:
    shape.text(faults, block.get("label"), f"{at}/label", longest=2000, plain=True)
    if block.get("hint") is not None:
        shape.text(faults, block["hint"], f"{at}/hint", longest=2000, plain=True)
    element(faults, block.get("element"), f"{at}/element", ELEMENTS - {"button", "overflow"})


def _markdown(faults: Faults, block: dict[str, Any], at: str) -> None:
    shape.string(faults, block, "text", at, longest=LONGEST_MARKDOWN, required=True)


def _table(faults: Faults, block: dict[str, Any], at: str) -> None:
    rows = shape.array(faults, block, "rows", at, most=100, least=1)
    widths = set()
    for r, row in enumerate(rows):
        here = f"{at}/rows/{r}"
        if not isinstance(row, list):
            faults.append(shape.fault("must be an array", here))
            continue
        widths.add(len(row))
        if not 1 <= len(row) <= 20:  # noqa: PLR2004  Slack's width of a table
            faults.append(shape.fault("must have between 1 and 20 items", here))
        for c, cell in enumerate(row):
            _cell(faults, cell, f"{here}/{c}")
    if len(widths) > 1:
        faults.append(shape.fault("all rows must have the same number of cells", f"{at}/rows"))
    for index, setting in enumerate(shape.array(faults, block, "column_settings", at, most=20)):
        here = f"{at}/column_settings/{index}"
        if setting is None:
            continue
        if not isinstance(setting, dict):
            faults.append(shape.fault("must be an object", here))
            continue
        shape.keys(faults, setting, here, "align is_wrapped")
        if setting.get("align", "left") not in ("left", "center", "right"):
            faults.append(shape.fault("must be a valid enum value", f"{here}/align"))


def _cell(faults: Faults, cell: object, at: str) -> None:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if not isinstance(cell, dict) or kind not in ("raw_text", "raw_number", "rich_text"):
        faults.append(shape.fault("must be a raw_text, raw_number or rich_text cell", at))
    elif kind == "raw_text":
        shape.keys(faults, cell, at, "type text")
        shape.string(faults, cell, "text", at, longest=LONGEST_TABLES, required=True)
    elif kind == "raw_number":
        shape.keys(faults, cell, at, "type value text")
        if not isinstance(cell.get("value"), int | float):
            faults.append(shape.fault("must be a number", f"{at}/value"))
    else:
        rich_text(faults, cell, at)


def _nothing(faults: Faults, block: dict[str, Any], at: str) -> None:
    """A divider has nothing that could be wrong."""


Check = Callable[[Faults, dict[str, Any], str], None]
_EVERYWHERE = ("message", "modal", "home")
_BLOCKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "section": (_section, "text fields accessory expand", _EVERYWHERE),
    "header": (_header, "text", _EVERYWHERE),
    "context": (_context, "elements", _EVERYWHERE),
    "actions": (_actions, "elements", _EVERYWHERE),
    "divider": (_nothing, "", _EVERYWHERE),
    "input": (_input, "label element hint optional dispatch_action", _EVERYWHERE),
    "image": (image, "image_url alt_text title slack_file", _EVERYWHERE),
    "rich_text": (rich_text, "elements", _EVERYWHERE),
    "markdown": (_markdown, "text", ("message",)),
    "table": (_table, "rows column_settings", ("message",)),
}


def _repeated(faults: Faults, ids: Iterator[tuple[Any, str]], name: str) -> None:
    seen: set[str] = set()
    for value, at in ids:
        if isinstance(value, str) and value in seen:
            faults.append(shape.fault(f"`{name}` {value} already exists", at))
        elif isinstance(value, str):
            seen.add(value)


def _tables(faults: Faults, blocks: list[Any], at: str) -> None:
    tables = [(i, b) for i, b in shape.mappings(blocks) if b.get("type") == "table"]
    faults += [shape.fault("only_one_table_allowed", f"{at}/{index}") for index, _ in tables[1:]]
    if sum(block_text(table.get("rows")) for _, table in tables) > LONGEST_TABLES:
        faults.append(shape.fault(f"tables must be less than {LONGEST_TABLES + 1} characters", at))
