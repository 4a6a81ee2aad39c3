"""What a workspace knows: its people, channels, messages, views, triggers and response_urls. No network here.

Everything is under one lock, `team.lock`. Ids look like Slack's. Messages are Slack's own JSON, each with its `channel`
beside it, so that a test can take one and press its buttons.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.clock import Clock

TEAM_ID = "T0HANDOVER"
OTHER_TEAM_ID = "T0STRANGER"
APP_ID = "A0HANDOVER"
BOT_ID = "B0HANDOVER"
BOT_USER = "U0HANDOVER"
TRIGGER_SECONDS = 3.0
RESPONSE_USES = 5
RESPONSE_SECONDS = 1800.0
MOST_CHANGES = 2000


class SlackError(Exception):
    """An answer `{"ok": false, "error": code, …}`."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass
class User:
    """A person or the bot; a stranger belongs to another organisation (Slack Connect)."""

    id: str
    name: str
    real_name: str
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_bot: bool = False
    deleted: bool = False
    tz: str = "Europe/Amsterdam"
    team: str = TEAM_ID

    @property
    def team_id(self) -> str:
        """The organisation of this person."""
        return OTHER_TEAM_ID if self.is_stranger else self.team

    def document(self) -> dict[str, Any]:
        """The `user` of `users.info`."""
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "tz": self.tz,
            "profile": {"real_name": self.real_name, "display_name": self.name, "team": self.team_id},
            "is_admin": False,
            "is_owner": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_stranger": self.is_stranger,
        }


@dataclass
class Channel:
    """A channel, private channel or direct message, with its messages in the order of their ts."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    shared: bool = False
    im_of: str = ""
    members: set[str] = field(default_factory=set)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Slack's name of the type, as `types` of `conversations.list` and the scopes have it."""
        return "im" if self.im_of else "private_channel" if self.private else "public_channel"

    def document(self) -> dict[str, Any]:
        """The `channel` of `conversations.info`."""
        if self.im_of:
            return {"id": self.id, "is_im": True, "user": self.im_of, "is_archived": False}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.private,
            "is_group": self.private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "is_archived": self.archived,
            "is_member": BOT_USER in self.members,
            "is_shared": self.shared,
            "is_ext_shared": self.shared,
            "is_org_shared": False,
            "num_members": len(self.members),
        }


@dataclass
class Ephemeral:
    """A message that one person sees; never in the history."""

    user: str
    message: dict[str, Any]


@dataclass
class ResponseUrl:
    """Where one command or interaction may be answered: 5 times in 30 minutes."""

    channel: str
    user: str
    until: float
    message_ts: str = ""
    thread_ts: str = ""
    left: int = RESPONSE_USES


@dataclass
class Trigger:
    """The right to open one view within 3 s."""

    user: str
    until: float
    from_view: str = ""
    used: bool = False


class Team:
    """The workspace's memory."""

    def __init__(self, clock: Clock, team_id: str = TEAM_ID) -> None:
        self.id = team_id
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 0
        self.changes: list[tuple[int, dict[str, Any]]] = []
        self.users: dict[str, User] = {}
        self.usergroups: dict[str, tuple[str, list[str]]] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Ephemeral] = []
        self.views: dict[str, dict[str, Any]] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.installed = True
        self.codes: dict[str, str] = {}  # of an install that a person allowed, until the app fetches its token
        self.on_event: Callable[[dict[str, Any]], None] = lambda _event: None
        self._last_ts = 0
        self._numbers = itertools.count(1)

    def changed_now(self, kind: str, **what: Any) -> None:
        """Tell the page's listeners that something is to be drawn anew."""
        with self.lock:
            self.version += 1
            self.changes.append((self.version, {"kind": kind, **what}))
            del self.changes[:-MOST_CHANGES]
            self.changed.notify_all()

    def new_ts(self) -> str:
        """A message's ts: seconds and microseconds, never given twice, always growing."""
        with self.lock:
            moment = int(self.clock.now().timestamp() * 1_000_000)
            self._last_ts = max(moment, self._last_ts + 1)
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """An id as Slack's look, growing, so that a run repeats itself."""
        return f"{prefix}0{next(self._numbers):08X}"

    def channel(self, name_or_id: str) -> Channel:
        """The channel of an id, `name` or `#name`; a user's id means the direct messages with the bot."""
        with self.lock:
            if name_or_id in self.channels:
                return self.channels[name_or_id]
            name = name_or_id.removeprefix("#")
            for channel in self.channels.values():
                if channel.name == name and not channel.im_of:
                    return channel
            if name_or_id in self.users:
                return self.direct(name_or_id)
        raise SlackError("channel_not_found")

    def direct(self, user: str) -> Channel:
        """The direct messages of a person and the bot, opened when first asked for."""
        with self.lock:
            found = next((c for c in self.channels.values() if c.im_of == user), None)
            if found is None:
                found = Channel(self.new_id("D"), "directmessage", im_of=user, members={user, BOT_USER})
                self.channels[found.id] = found
                self.changed_now("channels")
            return found

    def post(self, channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
        """Put a message into a channel, at its thread if it has a `thread_ts`; returns it with its `ts`."""
        with self.lock:
            message = {"type": "message", **message, "ts": self.new_ts(), "channel": channel.id}
            if message.get("blocks"):
                message["blocks"] = with_ids(message["blocks"])
            channel.messages[message["ts"]] = message
            self._count_reply(channel, message)
            self.changed_now("message", channel=channel.id, ts=message["ts"], new=True)
            return message

    def whisper(self, user: str, channel: str, message: dict[str, Any]) -> dict[str, Any]:
        """Show a message to one person."""
        with self.lock:
            message = {"type": "message", **message, "ts": self.new_ts(), "channel": channel, "is_ephemeral": True}
            if message.get("blocks"):
                message["blocks"] = with_ids(message["blocks"])
            self.ephemerals.append(Ephemeral(user, message))
            self.changed_now("ephemeral", channel=channel, user=user, ts=message["ts"], new=True)
            return message

    def edit(self, channel: str, ts: str, changes: dict[str, Any], *, editor: str = BOT_USER) -> dict[str, Any]:
        """Change a message in place, wherever it is, and mark it as edited."""
        with self.lock:
            message = self.find(channel, ts)
            if message is None:
                raise SlackError("message_not_found")
            if changes.get("blocks"):
                changes = {**changes, "blocks": with_ids(changes["blocks"])}
            message.update(changes)
            if not message.get("is_ephemeral"):
                message["edited"] = {"user": editor, "ts": self.new_ts()}
            self.changed_now("message", channel=channel, ts=ts)
            return message

    def remove(self, channel: str, ts: str) -> None:
        """Take a message away, an ephemeral one too."""
        with self.lock:
            self.channels[channel].messages.pop(ts, None)
            self.ephemerals = [e for e in self.ephemerals if (e.message["channel"], e.message["ts"]) != (channel, ts)]
            self.changed_now("removed", channel=channel, ts=ts)

    def find(self, channel: str, ts: str) -> dict[str, Any] | None:
        """The message or ephemeral message of that ts, or None."""
        with self.lock:
            message = self.channels[channel].messages.get(ts)
            if message is not None:
                return message
            whispers = (e.message for e in self.ephemerals)
            return next((m for m in whispers if (m["channel"], m["ts"]) == (channel, ts)), None)

    def new_trigger(self, user: str, from_view: str = "") -> str:
        """A trigger_id, good for one view within 3 s."""
        with self.lock:
            name = f"{next(self._numbers)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}"
            self.triggers[name] = Trigger(user, self.clock.monotonic() + TRIGGER_SECONDS, from_view)
            return name

    def use_trigger(self, name: str) -> Trigger:
        """Spend a trigger_id; raises Slack's error when it is unknown, spent or older than 3 s."""
        with self.lock:
            trigger = self.triggers.get(name)
            if trigger is None:
                raise SlackError("invalid_trigger_id")
            if trigger.used:
                raise SlackError("exchanged_trigger_id")
            if self.clock.monotonic() > trigger.until:
                raise SlackError("expired_trigger_id")
            trigger.used = True
            return trigger

    def new_response_url(self, channel: str, user: str, message_ts: str = "", thread_ts: str = "") -> str:
        """The key of a new response_url."""
        with self.lock:
            key = secrets.token_urlsafe(18)
            until = self.clock.monotonic() + RESPONSE_SECONDS
            self.response_urls[key] = ResponseUrl(channel, user, until, message_ts, thread_ts)
            return key

    def use_response_url(self, key: str) -> ResponseUrl:
        """Spend one use; raises `no_such_url`, `expired_url` or `used_url`."""
        with self.lock:
            url = self.response_urls.get(key)
            if url is None:
                raise SlackError("no_such_url")
            if self.clock.monotonic() > url.until:
                raise SlackError("expired_url")
            if url.left == 0:
                raise SlackError("used_url")
            url.left -= 1
            return url

    def _count_reply(self, channel: Channel, message: dict[str, Any]) -> None:
        parent = channel.messages.get(message.get("thread_ts", ""))
        if parent is None or parent["ts"] == message["ts"]:
            return
        parent["thread_ts"] = parent["ts"]
        parent["reply_count"] = parent.get("reply_count", 0) + 1
        parent["latest_reply"] = message["ts"]
        users = parent.setdefault("reply_users", [])
        if message.get("user") not in users:
            users.append(message.get("user"))
        parent["reply_users_count"] = len(users)
        self.changed_now("message", channel=channel.id, ts=parent["ts"])


def with_ids(blocks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks, each with a block_id, as Slack gives one to those that came without."""
    return [{**b, "block_id": b.get("block_id") or secrets.token_urlsafe(4)} for b in blocks]


def seconds_of(moment: datetime) -> int:
    """A time as Slack's `event_time` has it."""
    return int(moment.timestamp())
