"""What Slack refuses in the elements that a person uses: buttons, menus, inputs, and the question before they act."""

from __future__ import annotations

from typing import Any

from bot.demo import shape

_SELECTS = {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
_MULTI_SELECTS = {f"multi_{kind}" for kind in _SELECTS}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_CHOICES = {"radio_buttons": 10, "checkboxes": 10, "overflow": 5, "static_select": 100, "multi_static_select": 100}
ELEMENTS = {"button", "plain_text_input", "number_input"} | _SELECTS | _MULTI_SELECTS | _PICKERS | set(_CHOICES)


def element(faults: shape.Faults, element: object, at: str, allowed: set[str]) -> None:
    """Append what Slack would refuse in an element, one of the allowed types."""
    if not isinstance(element, dict):
        faults.append(shape.fault("must be an object", at))
        return
    kind = str(element.get("type"))
    if kind not in allowed:
        faults.append(shape.fault(f"unsupported type: {kind}", f"{at}/type"))
        return
    if kind == "image":
        image(faults, element, at)
        return
    shape.string(faults, element, "action_id", at, longest=255)
    if element.get("placeholder") is not None:
        shape.text(faults, element["placeholder"], f"{at}/placeholder", longest=150, plain=True)
    if element.get("confirm") is not None:
        _confirm(faults, element["confirm"], f"{at}/confirm")
    if kind == "button":
        _button(faults, element, at)
    elif kind in _CHOICES:
        _options(faults, element, at, _CHOICES[kind])


def _button(faults: shape.Faults, button: dict[str, Any], at: str) -> None:
    shape.keys(faults, button, at, "type text action_id url value style confirm accessibility_label")
    shape.text(faults, button.get("text"), f"{at}/text", longest=75, plain=True)
    shape.string(faults, button, "value", at, longest=2000)
    shape.string(faults, button, "url", at, longest=3000)
    shape.string(faults, button, "accessibility_label", at, longest=75)
    if button.get("style") is not None and button["style"] not in ("primary", "danger"):
        faults.append(shape.fault("must be a valid enum value", f"{at}/style"))


def _options(faults: shape.Faults, element: dict[str, Any], at: str, most: int) -> None:
    groups = element.get("option_groups")
    if isinstance(groups, list):
        if not 1 <= len(groups) <= 100:  # noqa: PLR2004  Slack's number of groups
            faults.append(shape.fault("must have between 1 and 100 items", f"{at}/option_groups"))
        for index, group in shape.mappings(groups):
            shape.text(faults, group.get("label"), f"{at}/option_groups/{index}/label", longest=75, plain=True)
            _options(faults, {"options": group.get("options")}, f"{at}/option_groups/{index}", most)
        return
    for index, option in enumerate(shape.array(faults, element, "options", at, most=most, least=1)):
        here = f"{at}/options/{index}"
        if not isinstance(option, dict):
            faults.append(shape.fault("must be an object", here))
            continue
        shape.text(faults, option.get("text"), f"{here}/text", longest=75)
        shape.string(faults, option, "value", here, longest=150, required=True)
        if option.get("description") is not None:
            shape.text(faults, option["description"], f"{here}/description", longest=75)


def _confirm(faults: shape.Faults, confirm: object, at: str) -> None:
    if not isinstance(confirm, dict):
        faults.append(shape.fault("must be an object", at))
        return
    shape.text(faults, confirm.get("title"), f"{at}/title", longest=100, plain=True)
    shape.text(faults, confirm.get("text"), f"{at}/text", longest=300)
    for name in ("confirm", "deny"):
        shape.text(faults, confirm.get(name), f"{at}/{name}", longest=30, plain=True)


def image(faults: shape.Faults, block: dict[str, Any], at: str) -> None:
    """Append what Slack would refuse in an image, as a block or an element."""
    shape.string(faults, block, "image_url", at, longest=3000, required=True)
    shape.string(faults, block, "alt_text", at, longest=2000, required=True)
    if block.get("title") is not None:
        shape.text(faults, block["title"], f"{at}/title", longest=2000, plain=True)
