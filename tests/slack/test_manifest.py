"""manifest.yml against a schema of our own: Slack's needs the network, and takes misspelt scopes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.demo import web_api
from bot.slack import app, installing

ROOT = Path(__file__).parents[2]
SCOPES = (
    *("commands", "chat:write", "users:read", "channels:read", "groups:read", "usergroups:read", "app_mentions:read"),
    *("channels:history", "groups:history"),
)
EVENTS = ["app_home_opened", "app_uninstalled", "member_joined_channel", "tokens_revoked"]
ADDRESS = {"type": "string", "pattern": "^https://[a-z0-9.-]+/slack/events$"}


def text(longest: int, least: int = 1, **more: Any) -> dict[str, Any]:
    """A string of so many characters."""
    return {"type": "string", "minLength": least, "maxLength": longest, **more}


def only(required: str = "", **properties: Any) -> dict[str, Any]:
    """An object with these keys and no others."""
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": properties}


def several(most: int, items: dict[str, Any]) -> dict[str, Any]:
    """A list without repetitions."""
    return {"type": "array", "maxItems": most, "uniqueItems": True, "items": items}


YES_NO = {"type": "boolean"}
COMMAND = only(
    "command description should_escape",
    command=text(32, pattern="^/[a-z0-9_-]+$"),
    url=ADDRESS,
    description=text(2000),
    usage_hint=text(1000),
    should_escape=YES_NO,
)
SCHEMA = only(
    "display_information features oauth_config settings",
    display_information=only(
        "name description",
        name=text(35),
        description=text(140),
        long_description=text(4000, 175),
        background_color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    ),
    features=only(
        "bot_user slash_commands",
        app_home=only(home_tab_enabled=YES_NO, messages_tab_enabled=YES_NO, messages_tab_read_only_enabled=YES_NO),
        bot_user=only("display_name", display_name=text(80), always_online=YES_NO),
        slash_commands=several(50, COMMAND),
    ),
    oauth_config=only(
        "scopes",
        redirect_urls=several(1000, {"type": "string", "pattern": "^https://[a-z0-9.-]+/slack/oauth_redirect$"}),
        scopes=only("bot", bot=several(20, {"enum": list(SCOPES)}), bot_optional=several(20, {"enum": list(SCOPES)})),
    ),
    settings=only(
        "interactivity socket_mode_enabled",
        event_subscriptions=only(
            request_url=ADDRESS,
            bot_events=several(100, {"enum": EVENTS}),
        ),
        interactivity=only("is_enabled", is_enabled=YES_NO, request_url=ADDRESS, message_menu_options_url=ADDRESS),
        org_deploy_enabled=YES_NO,
        socket_mode_enabled=YES_NO,
        token_rotation_enabled=YES_NO,
    ),
)
SOURCE = (ROOT / "manifest.yml").read_text(encoding="utf-8")
FOR_HTTP = SOURCE.replace("socket_mode_enabled: true", "socket_mode_enabled: false")
FOR_HTTP = re.sub(r"^( +)# (url|request_url|message_menu_options_url):", r"\1\2:", FOR_HTTP, flags=re.MULTILINE)


FOR_SEVERAL = FOR_HTTP.replace("# redirect_urls:", "redirect_urls:")


@pytest.fixture(params=[SOURCE, FOR_HTTP, FOR_SEVERAL], ids=["Socket Mode", "HTTP", "several workspaces"])
def manifest(request: pytest.FixtureRequest) -> Any:
    """The file as it stands, and as its own comment says it is for HTTP."""
    return yaml.safe_load(request.param)


def test_the_manifest_is_valid(manifest: Any) -> None:
    """Keys, lengths and words as Slack takes them."""
    jsonschema.validate(manifest, SCHEMA)


def test_the_schema_refuses_a_misspelt_scope() -> None:
    """Or it would prove nothing."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(SOURCE.replace("chat:write", "chat:wrote")), SCHEMA)


def test_over_http_every_address_is_set() -> None:
    """The command's, the interactions' and the events'."""
    manifest = yaml.safe_load(FOR_HTTP)
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["features"]["slash_commands"][0]["url"]
    assert manifest["settings"]["interactivity"]["request_url"]
    assert manifest["settings"]["event_subscriptions"]["request_url"]


def test_the_history_scopes_are_optional(manifest: Any) -> None:
    """Without them alerts are at-least-once, and everything else works."""
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes["bot_optional"] == ["channels:history", "groups:history"]
    assert set(scopes["bot_optional"]) < set(scopes["bot"])


def test_every_scope_says_what_it_is_for() -> None:
    """People who install an app ask."""
    asked = SOURCE[SOURCE.index("    bot:") : SOURCE.index("    bot_optional:")]
    for line in asked.splitlines()[1:]:
        assert "#" in line or "history" in line


def test_the_local_slack_grants_just_these_scopes(manifest: Any) -> None:
    """Tests against it prove that they suffice."""
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == set(web_api.SCOPES)


def test_the_command_and_the_events_are_those_that_the_app_listens_to(manifest: Any) -> None:
    """What is not in the manifest never arrives."""
    assert [command["command"] for command in manifest["features"]["slash_commands"]] == [app.COMMAND]
    assert manifest["features"]["slash_commands"][0]["should_escape"] is True
    listened = {
        ast.literal_eval(found)
        for path in (ROOT / "bot" / "slack").glob("*.py")
        for found in re.findall(r"@app\.event\((\"\w+\")\)", path.read_text(encoding="utf-8"))
    }
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == listened | set(installing.ENDINGS)
