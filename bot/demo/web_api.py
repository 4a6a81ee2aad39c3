"""The Web API of the local Slack: its methods, and who may call them.

Each method is a function from the team and the call's arguments to the answer without `ok`; it raises `SlackError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.demo import chat_api, conversations_api, views_api
from bot.demo.desk import Arguments, Desk, Method, demand, flag, read_argument
from bot.demo.state import APP_ID, BOT_ID, BOT_USER, Channel, SlackError, Team

SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "usergroups:read",
    "users:read",
)
"""What the bot was granted; a test holds it against manifest.yml."""

CLIENT_ID, CLIENT_SECRET = "1234.5678", "demo-client-secret"  # of the app, where it is installed by OAuth


def call(desk: Desk, method: str, token: str, args: Arguments) -> dict[str, Any]:
    """Answer one call as Slack does. Raises SlackError for `{"ok": false}`."""
    if method not in _METHODS:
        raise SlackError("unknown_method", req_method=method)
    scopes, function = _METHODS[method]
    if method == "apps.connections.open":
        if token != desk.app_token:
            raise SlackError("not_allowed_token_type" if token == desk.bot_token else "invalid_auth")
        return function(desk, args)
    if method not in _WITHOUT_TOKEN:
        if not token:
            raise SlackError("not_authed")
        if token != desk.bot_token:
            raise SlackError("not_allowed_token_type" if token == desk.app_token else "invalid_auth")
        if not desk.team.installed:
            raise SlackError("account_inactive")
    if scopes:
        demand(desk, scopes)
    desk.rates.call(method)
    with desk.team.lock:
        return function(desk, args)


def _auth_test(desk: Desk, _args: Arguments) -> dict[str, Any]:
    return {
        "url": desk.page_url(),
        "team": "Handover demo",
        "user": "handover",
        "team_id": desk.team.id,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _access(desk: Desk, args: Arguments) -> dict[str, Any]:
    """The token of an install that a person allowed; a code is good for one."""
    if (args.get("client_id"), args.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        raise SlackError("bad_client_secret")
    person = desk.team.codes.pop(str(args.get("code", "")), None)
    if person is None:
        raise SlackError("invalid_code")
    desk.team.installed = True
    return {
        "access_token": desk.bot_token,
        "token_type": "bot",
        "scope": ",".join(sorted(desk.scopes)),
        "bot_user_id": BOT_USER,
        "app_id": APP_ID,
        "team": {"id": desk.team.id, "name": "Handover demo"},
        "enterprise": None,
        "authed_user": {"id": person},
        "is_enterprise_install": False,
    }


def _user(desk: Desk, args: Arguments) -> dict[str, Any]:
    user = desk.team.users.get(str(args.get("user", "")))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user.document()}


def _usergroup_users(desk: Desk, args: Arguments) -> dict[str, Any]:
    group = desk.team.usergroups.get(str(args.get("usergroup", "")))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group[1])}


def _usergroups(desk: Desk, _args: Arguments) -> dict[str, Any]:
    groups = desk.team.usergroups.items()
    return {"usergroups": [{"id": key, "handle": handle, "name": handle} for key, (handle, _) in groups]}


def _history(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = _readable(desk, args)
    return conversations_api.history(channel, args, metadata=flag(args, "include_all_metadata"))


def _replies(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = _readable(desk, args)
    return conversations_api.replies(channel, args, metadata=flag(args, "include_all_metadata"))


def _readable(desk: Desk, args: Arguments) -> Channel:
    channel = desk.team.channel(str(args.get("channel", "")))
    scope = {"public_channel": "channels", "private_channel": "groups", "im": "im"}[channel.kind]
    demand(desk, [f"{scope}:history"])
    if BOT_USER not in channel.members:
        raise SlackError("channel_not_found" if channel.private or channel.im_of else "not_in_channel")
    return channel


def _visible(desk: Desk, args: Arguments) -> Channel:
    channel = desk.team.channel(str(args.get("channel", "")))
    scope = {"public_channel": "channels", "private_channel": "groups", "im": "im"}[channel.kind]
    demand(desk, [f"{scope}:read"])
    if channel.kind != "public_channel" and BOT_USER not in channel.members:
        raise SlackError("channel_not_found")
    return channel


def _info(desk: Desk, args: Arguments) -> dict[str, Any]:
    return {"channel": _visible(desk, args).document()}


def _members(desk: Desk, args: Arguments) -> dict[str, Any]:
    return {"members": sorted(_visible(desk, args).members), "response_metadata": {"next_cursor": ""}}


def _list(desk: Desk, args: Arguments) -> dict[str, Any]:
    types = str(args.get("types") or "public_channel").replace(" ", "").split(",")
    demand(
        desk, [{"public_channel": "channels:read", "private_channel": "groups:read"}.get(t, "im:read") for t in types]
    )
    return conversations_api.listing(desk.team, types, args, without_archived=flag(args, "exclude_archived"))


def _open_direct(desk: Desk, args: Arguments) -> dict[str, Any]:
    user = str(args.get("users", ""))
    if user not in desk.team.users:
        raise SlackError("user_not_found")
    return {"channel": {"id": desk.team.direct(user).id}}


def _view(function: Callable[[Team, Arguments, Any], dict[str, Any]]) -> Method:
    return lambda desk, args: function(desk.team, args, read_argument(args, "view"))


_WITHOUT_TOKEN = ("api.test", "oauth.v2.access")
_METHODS: dict[str, tuple[tuple[str, ...], Method]] = {
    "api.test": ((), lambda _desk, args: {"args": dict(args)}),
    "auth.test": ((), _auth_test),
    "oauth.v2.access": ((), _access),
    "apps.connections.open": ((), lambda desk, _args: {"url": desk.socket_url()}),
    "chat.postMessage": (("chat:write",), chat_api.post),
    "chat.update": (("chat:write",), chat_api.update),
    "chat.delete": (("chat:write",), chat_api.delete),
    "chat.postEphemeral": (("chat:write",), chat_api.whisper),
    "chat.getPermalink": ((), chat_api.permalink),
    "conversations.history": ((), _history),
    "conversations.replies": ((), _replies),
    "conversations.info": ((), _info),
    "conversations.list": ((), _list),
    "conversations.members": ((), _members),
    "conversations.open": (("im:write",), _open_direct),
    "users.info": (("users:read",), _user),
    "usergroups.list": (("usergroups:read",), _usergroups),
    "usergroups.users.list": (("usergroups:read",), _usergroup_users),
    "views.open": ((), _view(views_api.open_view)),
    "views.push": ((), _view(views_api.push_view)),
    "views.update": ((), _view(views_api.update_view)),
    "views.publish": ((), _view(views_api.publish_view)),
}
