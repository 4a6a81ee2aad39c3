"""What a person does in the workspace, as the payloads that Slack sends to the bot.

Each function only builds JSON from the team's state; `workspace` sends it and shows what comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.demo.limits import interactive
from bot.demo.state import APP_ID, Channel, Team, User, seconds_of

TOKEN = "legacy-verification-token"  # noqa: S105  Slack still sends one; nobody checks it
_NUMBER = re.compile(r"\+?\d[\d\s().\-]{5,}\d")
_NAMES = re.compile(r"([@#])([\w.\-]+)")


def escaped(text: str) -> str:
    """Text as Slack hands on what people typed: `&`, `<` and `>` as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(team: Team, text: str, *, mobile: bool) -> str:
    """What arrives of a typed command with `should_escape`: names as ids, on a phone numbers as links."""

    def link(match: re.Match[str]) -> str:
        digits = "".join(c for c in match[0] if c.isdigit() or c == "+")
        return f"<tel:{digits}|{match[0]}>"

    def name(match: re.Match[str]) -> str:
        if match[1] == "#":
            channel = next((c for c in team.channels.values() if c.name == match[2] and not c.im_of), None)
            return f"<#{channel.id}|{channel.name}>" if channel else match[0]
        user = next((u for u in team.users.values() if u.name == match[2]), None)
        return f"<@{user.id}|{user.name}>" if user else match[0]

    text = _NAMES.sub(name, escaped(text))
    return _NUMBER.sub(link, text) if mobile else text


def command(
    user: User, channel: Channel, *, name: str, text: str, trigger_id: str, response_url: str
) -> dict[str, str]:
    """A slash command's fields."""
    return {
        "token": TOKEN,
        "team_id": user.team_id,
        "team_domain": "handover-demo",
        "channel_id": channel.id,
        "channel_name": "privategroup" if channel.private else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def person(user: User) -> dict[str, str]:
    """The `user` of an interaction."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def frame(kind: str, user: User, trigger_id: str) -> dict[str, Any]:
    """What all interactions have in common."""
    return {
        "type": kind,
        "user": person(user),
        "team": {"id": user.team_id, "domain": "handover-demo"},
        "api_app_id": APP_ID,
        "token": TOKEN,
        "trigger_id": trigger_id,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_frame(team: Team, message: dict[str, Any]) -> dict[str, Any]:
    """Which message an interaction came from; an ephemeral one is not sent along, as in Slack."""
    channel = team.channels[message["channel"]]
    whispered = bool(message.get("is_ephemeral"))
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": whispered,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    placed: dict[str, Any] = {"container": container, "channel": {"id": channel.id, "name": channel.name}}
    if not whispered:
        placed["message"] = {key: value for key, value in message.items() if key != "channel"}
    return placed


def element(blocks: list[dict[str, Any]], action_id: str, block_id: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """The block and the element of an action_id. Raises LookupError when there is none: nobody can press it."""
    for block in blocks:
        for _, found in interactive(block):
            if found.get("action_id") == action_id and block_id in ("", block["block_id"]):
                return block, found
    raise LookupError(f"nothing to use is called {action_id}")


def action(block: Mapping[str, Any], used: Mapping[str, Any], value: Any, ts: str) -> dict[str, Any]:
    """One entry of `actions`. Raises LookupError when a menu has no such option."""
    done = {"action_id": used.get("action_id"), "block_id": block["block_id"], "type": used["type"], "action_ts": ts}
    if used["type"] == "button":
        done["text"] = used["text"]
        if used.get("value") is not None:
            done["value"] = used["value"]
        return done
    return {**done, **chosen(used, value)}


def chosen(used: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """What an element's `state` says after `value` was typed or chosen."""
    kind = str(used["type"])
    if kind.startswith("multi_static") or kind == "checkboxes":
        wanted = [value] if isinstance(value, str) else list(value or [])
        return {"selected_options": [option(used, each) for each in wanted]}
    if kind in ("static_select", "overflow", "radio_buttons"):
        return {"selected_option": option(used, value) if value is not None else None}
    if kind == "external_select":
        return {"selected_option": {"text": {"type": "plain_text", "text": str(value)}, "value": value}}
    names = {
        "users_select": "selected_user",
        "conversations_select": "selected_conversation",
        "channels_select": "selected_channel",
        "multi_users_select": "selected_users",
        "multi_conversations_select": "selected_conversations",
        "multi_channels_select": "selected_channels",
        "datepicker": "selected_date",
        "timepicker": "selected_time",
        "datetimepicker": "selected_date_time",
    }
    return {names.get(kind, "value"): value}


def option(used: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """The option of that value."""
    for each in options(used):
        if each.get("value") == value:
            return {"text": each["text"], "value": each["value"]}
    raise LookupError(f"{used.get('action_id')} has no option {value}")


def options(used: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All options of an element, those in groups too."""
    yield from used.get("options") or []
    for group in used.get("option_groups") or []:
        yield from group.get("options") or []


def state(blocks: list[dict[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    """`view.state`: what the inputs hold, from `values` by action_id, else from what the view set first."""
    filled: dict[str, dict[str, Any]] = {}
    for block in blocks:
        for _, used in interactive(block):
            if used["type"] in ("button", "overflow"):
                continue
            name = str(used.get("action_id"))
            first = {
                key.replace("initial_", "selected_"): used[key]
                for key in ("initial_option", "initial_options", "initial_user", "initial_conversation")
                if key in used
            }
            if name in values:
                held = chosen(used, values[name])
            else:
                held = first or (
                    {"value": used.get("initial_value")} if "input" in used["type"] else chosen(used, None)
                )
            filled.setdefault(block["block_id"], {})[name] = {"type": used["type"], **held}
    return {"values": filled}


def event(team: Team, body: dict[str, Any]) -> dict[str, Any]:
    """An Events API delivery round an event."""
    return {
        "token": TOKEN,
        "team_id": team.id,
        "api_app_id": APP_ID,
        "event": {"event_ts": team.new_ts(), **body},
        "type": "event_callback",
        "event_id": team.new_id("Ev"),
        "event_time": seconds_of(team.clock.now()),
        "authorizations": [{"enterprise_id": None, "team_id": team.id, "user_id": "U0HANDOVER", "is_bot": True}],
        "is_ext_shared_channel": False,
    }
