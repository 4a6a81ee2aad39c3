"""What `conversations.*` lists: history, replies and channels, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.demo.state import BOT_USER, Channel, SlackError, Team

MOST = 999


def history(channel: Channel, args: Mapping[str, Any], *, metadata: bool) -> dict[str, Any]:
    """A page of the channel's own messages, newest first: no replies but those that were broadcast."""
    messages = [
        message
        for message in reversed(channel.messages.values())
        if message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
    ]
    return _page(_within(messages, args), args, metadata=metadata)


def replies(channel: Channel, args: Mapping[str, Any], *, metadata: bool) -> dict[str, Any]:
    """A page of a thread: the parent, then its replies, oldest first."""
    ts = str(args.get("ts", ""))
    parent = channel.messages.get(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    thread = [m for m in channel.messages.values() if m.get("thread_ts") == ts and m["ts"] != ts]
    return _page([parent, *_within(thread, args)], args, metadata=metadata)


def listing(team: Team, types: list[str], args: Mapping[str, Any], *, without_archived: bool) -> dict[str, Any]:
    """A page of the channels that the bot can see."""
    seen = [
        channel.document()
        for channel in team.channels.values()
        if channel.kind in types
        and (channel.kind == "public_channel" or BOT_USER in channel.members)
        and not (without_archived and channel.archived)
    ]
    start, end = _span(args)
    more = len(seen) > end
    return {"channels": seen[start:end], "response_metadata": {"next_cursor": _cursor(end) if more else ""}}


def _within(messages: list[dict[str, Any]], args: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        oldest = Decimal(str(args.get("oldest") or 0))
        latest = Decimal(str(args.get("latest") or "Infinity"))
    except InvalidOperation:
        raise SlackError("invalid_ts_oldest") from None
    if str(args.get("inclusive", "")).lower() in ("1", "true"):
        return [m for m in messages if oldest <= Decimal(m["ts"]) <= latest]
    return [m for m in messages if oldest < Decimal(m["ts"]) < latest]


def _page(messages: list[dict[str, Any]], args: Mapping[str, Any], *, metadata: bool) -> dict[str, Any]:
    start, end = _span(args)
    hidden = {"channel"} if metadata else {"channel", "metadata"}
    page = [{k: v for k, v in m.items() if k not in hidden} for m in messages[start:end]]
    answer: dict[str, Any] = {"messages": page, "has_more": len(messages) > end, "pin_count": 0}
    if len(messages) > end:
        answer["response_metadata"] = {"next_cursor": _cursor(end)}
    return answer


def _span(args: Mapping[str, Any]) -> tuple[int, int]:
    try:
        limit = int(args.get("limit") or 100)
    except (ValueError, TypeError):
        raise SlackError("invalid_limit") from None
    if not 1 <= limit <= MOST:
        raise SlackError("invalid_limit")
    start = 0
    if args.get("cursor"):
        try:
            start = int(base64.b64decode(str(args["cursor"]), validate=True).decode().removeprefix("next:"))
        except (ValueError, binascii.Error):
            raise SlackError("invalid_cursor") from None
    return start, start + limit


def _cursor(place: int) -> str:
    return base64.b64encode(f"next:{place}".encode()).decode()
