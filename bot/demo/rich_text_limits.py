"""What Slack refuses in rich text: the structure of its sections, lists and inline elements."""

from __future__ import annotations

from typing import Any

_INLINE: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "link": ("url",),
    "user": ("user_id",),
    "usergroup": ("usergroup_id",),
    "channel": ("channel_id",),
    "emoji": ("name",),
    "broadcast": ("range",),
    "color": ("value",),
    "date": ("timestamp", "format"),
}
_STYLES = {"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"}
_PARTS = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")


def rich_text(faults: list[str], block: dict[str, Any], at: str) -> None:
    """Append a sentence for each thing that Slack would refuse in a `rich_text` block or cell."""
    for index, part in enumerate(_elements(faults, block, at)):
        here = f"{at}/elements/{index}"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in _PARTS:
            _section(faults, part, here)
        elif kind == "rich_text_list":
            if part.get("style") not in ("bullet", "ordered"):
                faults.append(f"must be a valid enum value [json-pointer:{here}/style]")
            for place, item in enumerate(_elements(faults, part, here)):
                _section(faults, item, f"{here}/elements/{place}")
        else:
            faults.append(f"unsupported rich text element: {kind} [json-pointer:{here}]")


def _section(faults: list[str], section: object, at: str) -> None:
    if not isinstance(section, dict) or section.get("type") not in _PARTS:
        faults.append(f"must be a rich_text_section [json-pointer:{at}]")
        return
    for index, inline in enumerate(_elements(faults, section, at)):
        _inline(faults, inline, f"{at}/elements/{index}")


def _inline(faults: list[str], inline: object, at: str) -> None:
    kind = inline.get("type") if isinstance(inline, dict) else None
    if not isinstance(inline, dict) or kind not in _INLINE:
        faults.append(f"unsupported rich text element: {kind} [json-pointer:{at}]")
        return
    for key in _INLINE[str(kind)]:
        value = inline.get(key)
        if key == "timestamp":
            if not isinstance(value, int) or isinstance(value, bool):
                faults.append(f"must be an integer [json-pointer:{at}/{key}]")
        elif not isinstance(value, str) or not value:
            faults.append(f"must be more than 0 characters [json-pointer:{at}/{key}]")
    if kind == "date" and "{" not in str(inline.get("format")):
        faults.append(f"must contain a date token [json-pointer:{at}/format]")
    style = inline.get("style")
    if style is not None and (not isinstance(style, dict) or set(style) - _STYLES):
        faults.append(f"unknown style [json-pointer:{at}/style]")


def _elements(faults: list[str], holder: dict[str, Any], at: str) -> list[Any]:
    elements = holder.get("elements")
    if isinstance(elements, list):
        return elements
    faults.append(f"missing required field: elements [json-pointer:{at}]")
    return []
