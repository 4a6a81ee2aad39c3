"""Which tenant a command or a button means."""

from __future__ import annotations

from typing import Any, cast

import pytest
from slack_bolt import Ack

from bot.slack import blocks as b
from bot.slack import commands, tenant_names
from bot.slack.services import Services
from bot.slack.switchboard import Switchboard, Switchboards, UnknownTenantError, UnknownWorkspaceError, workspace_of
from tests.slack.conftest import House, alone

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


def test_help_lists_the_tenants_where_there_are_several(house: House) -> None:
    """With the default; where there is one, no word of it."""
    said: list[str] = []

    def ack(**answer: Any) -> None:
        said.append(answer["text"])

    board = Switchboards({"": Switchboard({"emea": house.services, "apac": house.services})})
    for trigger, boards in enumerate((board, alone(house.services))):
        body = {"text": "help", "trigger_id": str(trigger), "user_id": "U1", "channel_id": "C1"}
        commands.handle(boards, cast("Ack", ack), body)
    several, one = said
    assert "The tenants are @emea and @apac: " in several
    assert "else @emea." in several
    assert several.startswith(one)
    assert "tenant" not in one


def test_of_very_many_names_the_first_are_listed() -> None:
    """A message has an end."""
    said = tenant_names.listed([f"t{number}" for number in range(1000)])
    assert said.startswith("@t0, @t1, ")
    assert said.endswith("@t39 and 960 more")


@pytest.mark.parametrize(
    ("body", "workspace"),
    [
        ({"team_id": "T1", "command": "/handover"}, "T1"),
        ({"type": "block_actions", "team": {"id": "T1"}, "user": {"team_id": "T9"}}, "T1"),
        ({"type": "event_callback", "team_id": "T9", "authorizations": [{"team_id": "T1"}]}, "T1"),
        ({"type": "block_actions", "team": None}, ""),
    ],
)
def test_a_payload_says_which_install_it_is_for(body: dict[str, Any], workspace: str) -> None:
    """In a channel shared with others the person may be of another workspace than the app's."""
    assert workspace_of(body) == workspace


def test_a_workspace_that_no_tenant_names_is_told_so(house: House) -> None:
    """Nothing of the other workspaces is looked up, whatever tenant is named."""
    said: list[str] = []

    def ack(**answer: Any) -> None:
        said.append(answer["text"])

    boards = Switchboards({"T1": Switchboard({"emea": house.services, "apac": house.services})})
    body = {"text": "+15550199888 @emea", "trigger_id": "1", "user_id": "U1", "channel_id": "C1", "team_id": "T2"}
    commands.handle(boards, cast("Ack", ack), body)
    assert "No tenant is set up for this workspace" in said[0]
    assert not house.lookups.asked
    with pytest.raises(UnknownWorkspaceError):
        boards.action({"team": {"id": "T2"}, "actions": [{"block_id": "x"}]})
