"""Which tenant a command or a button means."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bot.slack import blocks as b
from bot.slack.services import Services
from bot.slack.switchboard import Switchboard, UnknownTenantError

EMEA, APAC = cast("Services", "the services of emea"), cast("Services", "the services of apac")
BOARD = Switchboard({"emea": EMEA, "apac": APAC}, {"C0APAC": "apac"})


@pytest.mark.parametrize(
    ("text", "channel", "services", "rest"),
    [
        ("+15550199888 @apac", "C1", APAC, "+15550199888"),
        ("@apac +15550199888 since 3d", "C1", APAC, "+15550199888 since 3d"),
        ("+15550199888 @EMEA since 3d", "C0APAC", EMEA, "+15550199888  since 3d"),
        ("recent <@U0APAC|apac>", "C1", APAC, "recent"),
        ("recent <!subteam^S1|@apac>", "C1", APAC, "recent"),
        ("+15550199888", "C1", EMEA, "+15550199888"),
        ("+15550199888", "C0APAC", APAC, "+15550199888"),
        ("mute target 2h mail me@apac", "C1", EMEA, "mute target 2h mail me@apac"),
    ],
)
def test_a_command_means_the_tenant_it_names_or_its_channels_or_the_first(
    text: str, channel: str, services: Services, rest: str
) -> None:
    """The name is taken out of what was typed."""
    found, body = BOARD.command({"text": text, "channel_id": channel, "user_id": "U1"})
    assert (found, body["text"], body["user_id"]) == (services, rest, "U1")


def test_an_unknown_name_is_told_what_there_is() -> None:
    """And nothing is looked up elsewhere."""
    with pytest.raises(UnknownTenantError, match=r"no tenant @amer\. There are @emea and @apac"):
        BOARD.command({"text": "+15550199888 @amer", "channel_id": "C1"})


def test_a_button_finds_its_way_back() -> None:
    """By the mark on its message; an unmarked one belongs to its channel."""
    sent = b.of_tenant(b.message([b.line("x"), b.actions(b.button("Again", "run_again", "conv-1"))]), "apac")
    pressed: dict[str, Any] = {"actions": [{"block_id": sent.blocks[1]["block_id"]}], "channel": {"id": "C1"}}
    assert BOARD.action(pressed) == APAC
    assert BOARD.action({"actions": [{"block_id": "xYz"}], "channel": {"id": "C0APAC"}}) == APAC
    assert BOARD.action({"actions": [{"block_id": "xYz"}]}) == EMEA


def test_without_a_name_a_message_stays_as_it_is() -> None:
    """One tenant: nothing is marked."""
    sent = b.message([b.line("x")])
    assert b.of_tenant(sent, "") is sent
