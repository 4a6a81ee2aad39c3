"""Slack's limits of blocks and views, each broken once."""

# ruff: noqa: D103 - the helpers' names say it

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.limits import block_text, blocks_faults, view_faults

Block = dict[str, Any]


def plain(text: str = "x") -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> Block:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> Block:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action_id: str = "a", text: str = "Go", **more: Any) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(*elements: Block, **more: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **more}


def option(text: str = "x", value: str = "v") -> Block:
    return {"text": plain(text), "value": value}


def menu(options: list[Block], kind: str = "static_select") -> Block:
    return actions({"type": kind, "action_id": "m", "options": options})


def rich(*inline: Block) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(inline)}]}


def table(*rows: list[Block], **more: Any) -> Block:
    return {"type": "table", "rows": list(rows), **more}


def cell(text: str = "x") -> Block:
    return {"type": "raw_text", "text": text}


DATE = {"type": "date", "timestamp": 1795413285, "format": "{time}", "fallback": "14:00"}

GOOD: list[list[Block]] = [
    [],
    [{"type": "divider"}] * 50,
    [section("x" * 3000)],
    [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "context", "elements": [mrkdwn()] * 10}],
    [actions(*(button(f"a{i}", "x" * 75, value="v" * 2000, style="primary") for i in range(25)))],
    [menu([option("x" * 75, "v" * 150)] * 100)],
    [menu([option()] * 5, "overflow")],
    [table(*[[cell()] * 20] * 100)],
    [table([cell(), rich({"type": "text", "text": "x", "style": {"bold": True}}, DATE)])],
    [rich({"type": "text", "text": "x"}, {"type": "link", "url": "https://x.test"}, {"type": "user", "user_id": "U1"})],
    [section(accessory=button(confirm={"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain()}))],
]

BAD: list[tuple[str, list[Block], str, str]] = [
    ("51 blocks", [{"type": "divider"}] * 51, "no more than 50 items allowed", "/blocks"),
    ("long section", [section("x" * 3001)], "must be less than 3001 characters", "/blocks/0/text/text"),
    ("empty section", [{"type": "section"}], "must provide either text or fields", "/blocks/0"),
    ("empty text", [section("")], "must be more than 0 characters", "/blocks/0/text/text"),
    ("11 fields", [{"type": "section", "fields": [mrkdwn()] * 11}], "no more than 10 items", "/blocks/0/fields"),
    ("long field", [{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "less than 2001", "/blocks/0/fields/0/text"),
    ("long header", [{"type": "header", "text": plain("x" * 151)}], "less than 151", "/blocks/0/text/text"),
    ("mrkdwn header", [{"type": "header", "text": mrkdwn()}], "valid enum value", "/blocks/0/text/type"),
    ("11 in context", [{"type": "context", "elements": [mrkdwn()] * 11}], "no more than 10", "/blocks/0/elements"),
    ("button in context", [{"type": "context", "elements": [button()]}], "text or an image", "/blocks/0/elements/0"),
    ("no actions", [actions()], "no less than 1 items", "/blocks/0/elements"),
    ("26 actions", [actions(*(button(f"a{i}") for i in range(26)))], "no more than 25", "/blocks/0/elements"),
    ("long button", [actions(button(text="x" * 76))], "less than 76", "/blocks/0/elements/0/text/text"),
    ("long value", [actions(button(value="x" * 2001))], "less than 2001", "/blocks/0/elements/0/value"),
    ("style", [actions(button(style="pink"))], "valid enum value", "/blocks/0/elements/0/style"),
    ("long action_id", [actions(button("a" * 256))], "less than 256", "/blocks/0/elements/0/action_id"),
    ("same action_id", [actions(button("a"), button("a"))], "already exists", "/blocks/0/elements/1/action_id"),
    ("same block_id", [section(block_id="b"), section(block_id="b")], "already exists", "/blocks/1/block_id"),
    ("long block_id", [section(block_id="b" * 256)], "less than 256", "/blocks/0/block_id"),
    ("unknown block", [{"type": "alert"}], "unsupported type: alert", "/blocks/0/type"),
    ("unknown key", [section(colour="red")], "no additional property allowed: colour", "/blocks/0"),
    ("101 options", [menu([option()] * 101)], "no more than 100", "/blocks/0/elements/0/options"),
    ("6 in overflow", [menu([option()] * 6, "overflow")], "no more than 5", "/blocks/0/elements/0/options"),
    ("long option", [menu([option("x" * 76)])], "less than 76", "/blocks/0/elements/0/options/0/text/text"),
    ("long option value", [menu([option(value="v" * 151)])], "less than 151", "/blocks/0/elements/0/options/0/value"),
    ("image without alt", [{"type": "image", "image_url": "https://x.test"}], "required field: alt_text", "/blocks/0"),
    ("101 rows", [table(*[[cell()]] * 101)], "no more than 100", "/blocks/0/rows"),
    ("21 columns", [table([cell()] * 21)], "between 1 and 20", "/blocks/0/rows/0"),
    ("ragged table", [table([cell()] * 2, [cell()])], "the same number of cells", "/blocks/0/rows"),
    ("empty cell", [table([cell("")])], "more than 0 characters", "/blocks/0/rows/0/0/text"),
    ("section as cell", [table([section()])], "must be a raw_text", "/blocks/0/rows/0/0"),
    ("two tables", [table([cell()]), table([cell()])], "only_one_table_allowed", "/blocks/1"),
    ("huge table", [table(*[[cell("x" * 101)]] * 100)], "tables must be less than 10001", "/blocks"),
    ("align", [table([cell()], column_settings=[{"align": "top"}])], "enum value", "/blocks/0/column_settings/0/align"),
    ("rich list", [{"type": "rich_text", "elements": [{"type": "text"}]}], "unsupported", "/blocks/0/elements/0"),
    ("empty rich text", [rich({"type": "text", "text": ""})], "more than 0", "/blocks/0/elements/0/elements/0/text"),
    ("date as text", [rich({**DATE, "timestamp": "1"})], "must be an integer", "elements/0/elements/0/timestamp"),
    ("date without token", [rich({**DATE, "format": "at"})], "date token", "/blocks/0/elements/0/elements/0/format"),
    ("input as button", [{"type": "input", "label": plain(), "element": button()}], "unsupported", "/blocks/0/element"),
    ("not blocks", [["x"]], "must be an object", "/blocks/0"),  # type: ignore[list-item]
]


@pytest.mark.parametrize("blocks", GOOD)
def test_what_slack_takes_is_taken(blocks: list[Block]) -> None:
    """The largest that Slack allows has no fault."""
    assert blocks_faults(blocks) == []


@pytest.mark.parametrize(("blocks", "sentence", "pointer"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_slack_refuses_is_refused(blocks: list[Block], sentence: str, pointer: str) -> None:
    """One fault, said in Slack's words with the place."""
    faults = blocks_faults(blocks)
    assert len(faults) == 1, faults
    assert sentence in faults[0]
    assert f"{pointer}" in faults[0].partition("[json-pointer:")[2]


def modal(**more: Any) -> Block:
    return {"type": "modal", "title": plain("Raw events"), "blocks": [section()], **more}


def test_views_that_slack_takes() -> None:
    """A modal of 100 blocks and a home have no fault."""
    assert view_faults(modal(blocks=[{"type": "divider"}] * 100, private_metadata="x" * 3000)) == []
    assert view_faults({"type": "home", "blocks": []}) == []


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title=plain("x" * 25)), "/view/title/text"),
        (modal(close=plain("x" * 25)), "/view/close/text"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(callback_id="x" * 256), "/view/callback_id"),
        (modal(blocks=[{"type": "divider"}] * 101), "/view/blocks"),
        (modal(blocks=[table([cell()])]), "/view/blocks/0/type"),
        (modal(type="message"), "/view/type"),
        (modal(blocks=[{"type": "input", "label": plain(), "element": {"type": "plain_text_input"}}]), "/view]"),
        ({"type": "home", "blocks": [], "title": plain()}, "/view]"),
        ("x", "/view]"),
    ],
)
def test_views_that_slack_refuses(view: Any, pointer: str) -> None:
    """Titles of 25, a table in a modal, an input without submit."""
    faults = view_faults(view)
    assert len(faults) == 1, faults
    assert pointer in faults[0]


def test_block_text_counts_every_text() -> None:
    """Sections, cells, buttons: the sum decides on msg_blocks_too_long."""
    assert block_text([section("abc"), actions(button(text="de")), table([cell("f")])]) == 6


_WORDS = (
    "type text section header table rows rich_text elements actions button fields accessory options style view modal"
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(_WORDS.split()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS.split()), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(_JSON)
def test_no_json_breaks_the_checks(anything: Any) -> None:
    """Whatever a bot sends is judged, never an exception."""
    blocks_faults(anything)
    blocks_faults([anything])
    view_faults({"type": "modal", "blocks": anything})
    block_text(anything)
