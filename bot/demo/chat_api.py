"""The local Slack's `chat.…`: messages are checked, posted, edited and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.demo.desk import Arguments, Desk, flag, read_argument
from bot.demo.limits import LONGEST_BLOCK_TEXT, LONGEST_TEXT, block_text, blocks_faults
from bot.demo.state import APP_ID, BOT_ID, BOT_USER, Channel, SlackError, Team


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


def _public(message: Mapping[str, Any], *, metadata: bool = True) -> dict[str, Any]:
    """A message as the Web API shows it."""
    hidden = {"channel"} if metadata else {"channel", "metadata"}
    return {key: value for key, value in message.items() if key not in hidden}


def _writable(desk: Desk, name: str) -> Channel:
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


def post(desk: Desk, args: Arguments) -> dict[str, Any]:
    """A message into a channel."""
    channel = _writable(desk, str(args.get("channel", "")))
    given = content(args)
    if not given.get("text") and not given.get("blocks") and not given.get("attachments"):
        raise SlackError("no_text")
    message = bot_message(desk.team, args, given)
    desk.rates.post(channel.id)
    posted = desk.team.post(channel, message)
    return {"channel": channel.id, "ts": posted["ts"], "message": _public(posted)}


def update(desk: Desk, args: Arguments) -> dict[str, Any]:
    """A message of the bot's own, changed."""
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
    return {"channel": channel.id, "ts": ts, "text": edited["text"], "message": _public(edited)}


def delete(desk: Desk, args: Arguments) -> dict[str, Any]:
    """A message of the bot's own, taken away."""
    channel = desk.team.channel(str(args.get("channel", "")))
    message = channel.messages.get(str(args.get("ts", "")))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_delete_message")
    desk.team.remove(channel.id, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


def whisper(desk: Desk, args: Arguments) -> dict[str, Any]:
    """A message that one person alone sees."""
    channel = _writable(desk, str(args.get("channel", "")))
    user = str(args.get("user", ""))
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    given = content(args)
    if not given.get("text") and not given.get("blocks") and not given.get("attachments"):
        raise SlackError("no_text")
    return {"message_ts": desk.team.whisper(user, channel.id, bot_message(desk.team, args, given))["ts"]}


def permalink(desk: Desk, args: Arguments) -> dict[str, Any]:
    """A message's address."""
    channel = desk.team.channel(str(args.get("channel", "")))
    ts = str(args.get("message_ts", ""))
    if ts not in channel.messages:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": f"{desk.page_url()}archives/{channel.id}/p{ts.replace('.', '')}"}
