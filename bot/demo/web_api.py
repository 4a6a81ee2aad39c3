"""The Web API of the local Slack: its methods, and who may call them.

Each method is a function from the team and the call's arguments to the answer without `ok`; it raises `SlackError`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo import conversations_api, views_api
from bot.demo.limits import LONGEST_BLOCK_TEXT, LONGEST_TEXT, block_text, blocks_faults
from bot.demo.rates import Rates
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


@dataclass(frozen=True)
class Desk:
    """What the methods need beside the arguments."""

    team: Team
    rates: Rates
    scopes: frozenset[str]
    bot_token: str
    app_token: str
    page_url: Callable[[], str]
    socket_url: Callable[[], str]


Arguments = Mapping[str, Any]
Method = Callable[[Desk, Arguments], dict[str, Any]]


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


def demand(desk: Desk, scopes: Iterable[str]) -> None:
    """Raise `missing_scope` unless all are granted."""
    missing = [scope for scope in scopes if scope not in desk.scopes]
    if missing:
        raise SlackError("missing_scope", needed=",".join(missing), provided=",".join(sorted(desk.scopes)))


def read_argument(args: Arguments, name: str) -> Any:
    """An argument that is JSON: as it is in a JSON body, as text in a form."""
    value = args.get(name)
    if isinstance(value, str):
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from None
    return value


def flag(args: Arguments, name: str) -> bool:
    """An argument that says yes or no."""
    return str(args.get(name, "")).lower() in ("1", "true")


def content(args: Arguments, *, roomy: bool = False) -> dict[str, Any]:
    """The checked text, blocks and attachments of a message, only those that were given.

    `roomy` leaves out `msg_blocks_too_long`: a response_url takes blocks that chat.postMessage refuses.
    """
    blocks = read_argument(args, "blocks")
    attachments = read_argument(args, "attachments")
    text = args.get("text")
    if text is not None and not isinstance(text, str):
        raise SlackError("invalid_arguments")
    if len(text or "") > LONGEST_TEXT:
        raise SlackError("msg_too_long")
    if blocks is not None:
        faults = blocks_faults(blocks)
        if faults:
            messages = [f"[ERROR] {fault}" for fault in faults]
            raise SlackError("invalid_blocks", errors=faults, response_metadata={"messages": messages})
        if not roomy and block_text(blocks) > LONGEST_BLOCK_TEXT:
            raise SlackError("msg_blocks_too_long")
    given = {"text": text, "blocks": blocks, "attachments": attachments}
    return {name: value for name, value in given.items() if value is not None}


def bot_message(team: Team, args: Arguments, given: Mapping[str, Any]) -> dict[str, Any]:
    """A message as the bot's, with its metadata and thread."""
    message = {"text": "", **given, "user": BOT_USER, "bot_id": BOT_ID, "app_id": APP_ID, "team": team.id}
    metadata = read_argument(args, "metadata")
    if metadata is not None:
        if not isinstance(metadata, dict) or not metadata.get("event_type") or "event_payload" not in metadata:
            raise SlackError("invalid_metadata_format")
        message["metadata"] = metadata
    if args.get("thread_ts"):
        message["thread_ts"] = str(args["thread_ts"])
        if flag(args, "reply_broadcast"):
            message["subtype"] = "thread_broadcast"
    return message


def public(message: Mapping[str, Any], *, metadata: bool = True) -> dict[str, Any]:
    """A message as the Web API shows it."""
    hidden = {"channel"} if metadata else {"channel", "metadata"}
    return {key: value for key, value in message.items() if key not in hidden}


def writable(desk: Desk, name: str) -> Channel:
    """The channel, if the bot may post there."""
    channel = desk.team.channel(name)
    if BOT_USER not in channel.members:
        if channel.private or channel.im_of:
            raise SlackError("channel_not_found")
        if "chat:write.public" not in desk.scopes:
            raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")
    return channel


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


def _post(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = writable(desk, str(args.get("channel", "")))
    given = content(args)
    if not given.get("text") and not given.get("blocks") and not given.get("attachments"):
        raise SlackError("no_text")
    message = bot_message(desk.team, args, given)
    desk.rates.post(channel.id)
    posted = desk.team.post(channel, message)
    return {"channel": channel.id, "ts": posted["ts"], "message": public(posted)}


def _update(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = desk.team.channel(str(args.get("channel", "")))
    ts = str(args.get("ts", ""))
    message = channel.messages.get(ts)
    if BOT_USER not in channel.members and channel.kind != "public_channel":
        raise SlackError("channel_not_found")
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_update_message")
    if channel.archived:
        raise SlackError("is_archived")
    given = content(args)
    if "text" not in given and "blocks" not in given and "attachments" not in given and "metadata" not in args:
        raise SlackError("no_text")
    if "text" in given and "blocks" not in given:
        given["blocks"] = []
    metadata = bot_message(desk.team, args, {}).get("metadata")
    if metadata is not None:
        given["metadata"] = metadata
    edited = desk.team.edit(channel.id, ts, given)
    return {"channel": channel.id, "ts": ts, "text": edited["text"], "message": public(edited)}


def _delete(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = desk.team.channel(str(args.get("channel", "")))
    message = channel.messages.get(str(args.get("ts", "")))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_delete_message")
    desk.team.remove(channel.id, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


def _whisper(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = writable(desk, str(args.get("channel", "")))
    user = str(args.get("user", ""))
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    given = content(args)
    if not given.get("text") and not given.get("blocks") and not given.get("attachments"):
        raise SlackError("no_text")
    return {"message_ts": desk.team.whisper(user, channel.id, bot_message(desk.team, args, given))["ts"]}


def _permalink(desk: Desk, args: Arguments) -> dict[str, Any]:
    channel = desk.team.channel(str(args.get("channel", "")))
    ts = str(args.get("message_ts", ""))
    if ts not in channel.messages:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": f"{desk.page_url()}archives/{channel.id}/p{ts.replace('.', '')}"}


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
    "chat.postMessage": (("chat:write",), _post),
    "chat.update": (("chat:write",), _update),
    "chat.delete": (("chat:write",), _delete),
    "chat.postEphemeral": (("chat:write",), _whisper),
    "chat.getPermalink": ((), _permalink),
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
