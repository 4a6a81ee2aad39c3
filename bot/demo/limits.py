"""What Slack refuses: the limits of blocks and views, as pure checks.

Every check answers with Slack's own sentences and JSON pointers, as they come in `response_metadata.messages` of
`invalid_blocks`. The figures are from Slack's type package (@slack/types 3.2.0), its Python SDK's models and its
documentation; those that no validator knows (51 blocks, ragged tables, repeated ids) are checked as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from bot.demo.rich_text_limits import rich_text

Surface = Literal["message", "modal", "home"]
Faults = list[str]

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
        return [_fault("must be an array", at)]
    if len(blocks) > MOST_BLOCKS[surface]:
        faults.append(_fault(f"no more than {MOST_BLOCKS[surface]} items allowed", at))
    for index, block in enumerate(blocks):
        _block(faults, block, f"{at}/{index}", surface)
    _repeated(faults, ((b.get("block_id"), f"{at}/{i}/block_id") for i, b in _mappings(blocks)), "block_id")
    for index, block in _mappings(blocks):
        ids = ((e.get("action_id"), f"{at}/{index}/{e_at}/action_id") for e_at, e in interactive(block))
        _repeated(faults, ids, "action_id")
    _tables(faults, blocks, at)
    markdown = sum(len(str(b.get("text") or "")) for _, b in _mappings(blocks) if b.get("type") == "markdown")
    if markdown > LONGEST_MARKDOWN:
        faults.append(_fault(f"must be less than {LONGEST_MARKDOWN + 1} characters", at))
    return faults


def view_faults(view: object) -> Faults:
    """Everything that Slack would refuse in a view of `views.open`, `update`, `push` or `publish`."""
    if not isinstance(view, dict):
        return [_fault("must be an object", "/view")]
    faults: Faults = []
    kind = view.get("type")
    if kind not in ("modal", "home"):
        return [_fault("must be a valid enum value", "/view/type")]
    keys = "type blocks private_metadata callback_id external_id"
    if kind == "modal":
        keys += " title submit close clear_on_close notify_on_close submit_disabled"
        _text(faults, view.get("title"), "/view/title", longest=24, plain=True)
        for name in ("submit", "close"):
            if view.get(name) is not None:
                _text(faults, view[name], f"/view/{name}", longest=24, plain=True)
        if view.get("submit") is None and any(b.get("type") == "input" for _, b in _mappings(view.get("blocks"))):
            faults.append(_fault("submit is required when an input block is present", "/view"))
    _keys(faults, view, "/view", keys)
    _string(faults, view, "private_metadata", "/view", longest=3000)
    _string(faults, view, "callback_id", "/view", longest=255)
    _string(faults, view, "external_id", "/view", longest=255)
    if "blocks" not in view:
        faults.append(_fault("missing required field: blocks", "/view"))
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
        for index, element in _mappings(block.get("elements")):
            yield f"elements/{index}", element


def _block(faults: Faults, block: object, at: str, surface: Surface) -> None:
    if not isinstance(block, dict):
        faults.append(_fault("must be an object", at))
        return
    kind = str(block.get("type"))
    if kind not in _BLOCKS:
        faults.append(_fault(f"unsupported type: {kind}", f"{at}/type"))
        return
    check, keys, surfaces = _BLOCKS[kind]
    if surface not in surfaces:
        faults.append(_fault(f"unsupported type: {kind}", f"{at}/type"))
        return
    _keys(faults, block, at, f"type block_id {keys}")
    _string(faults, block, "block_id", at, longest=255)
    check(faults, block, at)


def _section(faults: Faults, block: dict[str, Any], at: str) -> None:
    if block.get("text") is None and not block.get("fields"):
        faults.append(_fault("must provide either text or fields", at))
    if block.get("text") is not None:
        _text(faults, block["text"], f"{at}/text", longest=3000)
    for index, field in enumerate(_array(faults, block, "fields", at, most=10)):
        _text(faults, field, f"{at}/fields/{index}", longest=2000)
    if block.get("accessory") is not None:
        _element(faults, block["accessory"], f"{at}/accessory", {*_ELEMENTS, "image"} - {"plain_text_input"})


def _header(faults: Faults, block: dict[str, Any], at: str) -> None:
    _text(faults, block.get("text"), f"{at}/text", longest=150, plain=True)


def _context(faults: Faults, block: dict[str, Any], at: str) -> None:
    for index, element in enumerate(_array(faults, block, "elements", at, most=10, least=1)):
        here = f"{at}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "image":
            _image(faults, element, here)
        elif isinstance(element, dict) and element.get("type") in ("mrkdwn", "plain_text"):
            _text(faults, element, here, longest=3000)
        else:
            faults.append(_fault("must be a text or an image element", here))


def _actions(faults: Faults, block: dict[str, Any], at: str) -> None:
    for index, element in enumerate(_array(faults, block, "elements", at, most=25, least=1)):
        _element(faults, element, f"{at}/elements/{index}", _ELEMENTS - {"plain_text_input"})


def _input(faults: Faults, block: dict[str, Any], at: str) -> None:
    _text(faults, block.get("label"), f"{at}/label", longest=2000, plain=True)
    if block.get("hint") is not None:
        _text(faults, block["hint"], f"{at}/hint", longest=2000, plain=True)
    _element(faults, block.get("element"), f"{at}/element", _ELEMENTS - {"button", "overflow"})


def _image(faults: Faults, block: dict[str, Any], at: str) -> None:
    _string(faults, block, "image_url", at, longest=3000, required=True)
    _string(faults, block, "alt_text", at, longest=2000, required=True)
    if block.get("title") is not None:
        _text(faults, block["title"], f"{at}/title", longest=2000, plain=True)


def _markdown(faults: Faults, block: dict[str, Any], at: str) -> None:
    _string(faults, block, "text", at, longest=LONGEST_MARKDOWN, required=True)


def _table(faults: Faults, block: dict[str, Any], at: str) -> None:
    rows = _array(faults, block, "rows", at, most=100, least=1)
    widths = set()
    for r, row in enumerate(rows):
        here = f"{at}/rows/{r}"
        if not isinstance(row, list):
            faults.append(_fault("must be an array", here))
            continue
        widths.add(len(row))
        if not 1 <= len(row) <= 20:  # noqa: PLR2004  Slack's width of a table
            faults.append(_fault("must have between 1 and 20 items", here))
        for c, cell in enumerate(row):
            _cell(faults, cell, f"{here}/{c}")
    if len(widths) > 1:
        faults.append(_fault("all rows must have the same number of cells", f"{at}/rows"))
    for index, setting in enumerate(_array(faults, block, "column_settings", at, most=20)):
        here = f"{at}/column_settings/{index}"
        if setting is None:
            continue
        if not isinstance(setting, dict):
            faults.append(_fault("must be an object", here))
            continue
        _keys(faults, setting, here, "align is_wrapped")
        if setting.get("align", "left") not in ("left", "center", "right"):
            faults.append(_fault("must be a valid enum value", f"{here}/align"))


def _cell(faults: Faults, cell: object, at: str) -> None:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if not isinstance(cell, dict) or kind not in ("raw_text", "raw_number", "rich_text"):
        faults.append(_fault("must be a raw_text, raw_number or rich_text cell", at))
    elif kind == "raw_text":
        _keys(faults, cell, at, "type text")
        _string(faults, cell, "text", at, longest=LONGEST_TABLES, required=True)
    elif kind == "raw_number":
        _keys(faults, cell, at, "type value text")
        if not isinstance(cell.get("value"), int | float):
            faults.append(_fault("must be a number", f"{at}/value"))
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
    "image": (_image, "image_url alt_text title slack_file", _EVERYWHERE),
    "rich_text": (rich_text, "elements", _EVERYWHERE),
    "markdown": (_markdown, "text", ("message",)),
    "table": (_table, "rows column_settings", ("message",)),
}
_SELECTS = {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
_MULTI_SELECTS = {f"multi_{kind}" for kind in _SELECTS}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_CHOICES = {"radio_buttons": 10, "checkboxes": 10, "overflow": 5, "static_select": 100, "multi_static_select": 100}
_ELEMENTS = {"button", "plain_text_input", "number_input"} | _SELECTS | _MULTI_SELECTS | _PICKERS | set(_CHOICES)


def _element(faults: Faults, element: object, at: str, allowed: set[str]) -> None:
    if not isinstance(element, dict):
        faults.append(_fault("must be an object", at))
        return
    kind = str(element.get("type"))
    if kind not in allowed:
        faults.append(_fault(f"unsupported type: {kind}", f"{at}/type"))
        return
    if kind == "image":
        _image(faults, element, at)
        return
    _string(faults, element, "action_id", at, longest=255)
    if element.get("placeholder") is not None:
        _text(faults, element["placeholder"], f"{at}/placeholder", longest=150, plain=True)
    if element.get("confirm") is not None:
        _confirm(faults, element["confirm"], f"{at}/confirm")
    if kind == "button":
        _button(faults, element, at)
    elif kind in _CHOICES:
        _options(faults, element, at, _CHOICES[kind])


def _button(faults: Faults, button: dict[str, Any], at: str) -> None:
    _keys(faults, button, at, "type text action_id url value style confirm accessibility_label")
    _text(faults, button.get("text"), f"{at}/text", longest=75, plain=True)
    _string(faults, button, "value", at, longest=2000)
    _string(faults, button, "url", at, longest=3000)
    _string(faults, button, "accessibility_label", at, longest=75)
    if button.get("style") is not None and button["style"] not in ("primary", "danger"):
        faults.append(_fault("must be a valid enum value", f"{at}/style"))


def _options(faults: Faults, element: dict[str, Any], at: str, most: int) -> None:
    groups = element.get("option_groups")
    if isinstance(groups, list):
        if not 1 <= len(groups) <= 100:  # noqa: PLR2004  Slack's number of groups
            faults.append(_fault("must have between 1 and 100 items", f"{at}/option_groups"))
        for index, group in _mappings(groups):
            _text(faults, group.get("label"), f"{at}/option_groups/{index}/label", longest=75, plain=True)
            _options(faults, {"options": group.get("options")}, f"{at}/option_groups/{index}", most)
        return
    for index, option in enumerate(_array(faults, element, "options", at, most=most, least=1)):
        here = f"{at}/options/{index}"
        if not isinstance(option, dict):
            faults.append(_fault("must be an object", here))
            continue
        _text(faults, option.get("text"), f"{here}/text", longest=75)
        _string(faults, option, "value", here, longest=150, required=True)
        if option.get("description") is not None:
            _text(faults, option["description"], f"{here}/description", longest=75)


def _confirm(faults: Faults, confirm: object, at: str) -> None:
    if not isinstance(confirm, dict):
        faults.append(_fault("must be an object", at))
        return
    _text(faults, confirm.get("title"), f"{at}/title", longest=100, plain=True)
    _text(faults, confirm.get("text"), f"{at}/text", longest=300)
    for name in ("confirm", "deny"):
        _text(faults, confirm.get(name), f"{at}/{name}", longest=30, plain=True)


def _text(faults: Faults, value: object, at: str, *, longest: int, plain: bool = False) -> None:
    if not isinstance(value, dict):
        faults.append(_fault("must be an object", at))
        return
    kind = value.get("type")
    if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        faults.append(_fault("must be a valid enum value", f"{at}/type"))
    _keys(faults, value, at, "type text emoji" if kind == "plain_text" else "type text verbatim")
    _string(faults, value, "text", at, longest=longest, required=True)


def _string(
    faults: Faults, holder: Mapping[str, Any], key: str, at: str, *, longest: int, required: bool = False
) -> None:
    value = holder.get(key)
    if value is None:
        if required:
            faults.append(_fault(f"missing required field: {key}", at))
    elif not isinstance(value, str):
        faults.append(_fault("must be a string", f"{at}/{key}"))
    elif required and not value:
        faults.append(_fault("must be more than 0 characters", f"{at}/{key}"))
    elif len(value) > longest:
        faults.append(_fault(f"must be less than {longest + 1} characters", f"{at}/{key}"))


def _array(faults: Faults, holder: Mapping[str, Any], key: str, at: str, *, most: int, least: int = 0) -> list[Any]:
    value = holder.get(key)
    if value is None and not least:
        return []
    if not isinstance(value, list):
        faults.append(_fault(f"missing required field: {key}", at))
        return []
    if len(value) > most:
        faults.append(_fault(f"no more than {most} items allowed", f"{at}/{key}"))
    if len(value) < least:
        faults.append(_fault(f"no less than {least} items allowed", f"{at}/{key}"))
    return value


def _keys(faults: Faults, holder: Mapping[str, Any], at: str, allowed: str) -> None:
    faults += [_fault(f"no additional property allowed: {key}", at) for key in holder if key not in allowed.split()]


def _repeated(faults: Faults, ids: Iterator[tuple[Any, str]], name: str) -> None:
    seen: set[str] = set()
    for value, at in ids:
        if isinstance(value, str) and value in seen:
            faults.append(_fault(f"`{name}` {value} already exists", at))
        elif isinstance(value, str):
            seen.add(value)


def _tables(faults: Faults, blocks: list[Any], at: str) -> None:
    tables = [(i, b) for i, b in _mappings(blocks) if b.get("type") == "table"]
    faults += [_fault("only_one_table_allowed", f"{at}/{index}") for index, _ in tables[1:]]
    if sum(block_text(table.get("rows")) for _, table in tables) > LONGEST_TABLES:
        faults.append(_fault(f"tables must be less than {LONGEST_TABLES + 1} characters", at))


def _mappings(items: object) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(items, list):
        yield from ((index, item) for index, item in enumerate(items) if isinstance(item, dict))


def _fault(sentence: str, at: str) -> str:
    return f"{sentence} [json-pointer:{at}]"
