"""Who may use the bot, and where.

What a payload says is checked at once; who somebody is must be asked of Slack, so that part runs after the ack, and its
answers are kept for some minutes. Of many who ask the same at once one asks Slack. A question that broke off or came
too fast is put once more, for it changes nothing there; while Slack takes no connection, for some seconds. What cannot
be checked is refused.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.slack.classify import Answer, Meaning, classify
from bot.slack.replies import Pauses

log = logging.getLogger(__name__)

_KEPT_SECONDS = 300.0
_MOST_KEPT = 5_000
_AGAIN_SECONDS = 0.2  # before a question is put once more
_LONGEST_WAIT = 5.0  # seconds that a person waits because Slack asks for it
_PATIENCE = 20.0  # seconds in which a question is put again while Slack takes no connection
_OF_USERS = (
    "deleted",
    "enterprise_user",
    "is_restricted",
    "is_stranger",
    "is_ultra_restricted",
    "team_id",
    "tz",
    "tz_offset",
)
_OF_CHANNELS = ("is_ext_shared", "is_pending_ext_shared", "name")
_UNKNOWN_CHANNEL = frozenset({"channel_not_found", "not_in_channel"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings, as people write them: ids, `#voicebot-ops`, `@oncall`. Empty means: no narrowing."""

    channels: frozenset[str] = frozenset()
    usergroups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack says of a user, as far as it matters here."""

    zone: tzinfo = UTC


class Refused(Exception):  # noqa: N818 - it is what happened, and reads so in a raise
    """Access is denied. `sentence` is for the asker, `reason` one word for the audit."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class Access:
    """The rules with what was learned of people and channels."""

    def __init__(self, client: WebClient, clock: Clock, rules: Rules = Rules()) -> None:
        self._client = client
        self._clock = clock
        self._channels = frozenset(word.lstrip("#") for word in rules.channels)
        self._usergroups = frozenset(word.lstrip("@") for word in rules.usergroups)
        self._kept: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def check(self, user_id: str, channel_id: str, channel_name: str) -> Person:
        """Who this is, if they may use the bot here. Asks Slack; raises Refused."""
        try:
            self._channel_allowed(channel_id, channel_name)
            grouped = self._in_usergroup(user_id)
            user = self._ask(
                f"user {user_id}", lambda: _only(_OF_USERS, self._client.users_info(user=user_id).get("user"))
            )
            self._user_allowed(user, grouped=grouped)
        except (SlackClientError, OSError) as fault:
            word = classify(fault).code
            log.warning("access could not be checked: %s", word)
            raise Refused(
                "not_checked", f"Slack did not say whether you may use me here ({word}), so I did not look anything up."
            ) from fault
        return Person(_zone(user))

    def _in_usergroup(self, user_id: str) -> bool:
        """Whether the user is in an allowed group; raises Refused if groups are asked for and they are in none."""
        if not self._usergroups:
            return False
        for group in self._groups():
            path = f"usergroup {group}"
            members = self._ask(path, lambda: self._client.usergroups_users_list(usergroup=group).get("users") or [])  # noqa: B023 - called at once
            if user_id in members:
                return True
        raise Refused("usergroup", "You are in none of the user groups that may use me.")

    def _groups(self) -> list[str]:
        """The allowed groups by id; handles are looked up."""
        listed = self._ask("usergroups", lambda: self._client.usergroups_list().get("usergroups") or [])
        return [str(group["id"]) for group in listed if {group.get("id"), group.get("handle")} & self._usergroups]

    def _user_allowed(self, user: Mapping[str, Any], *, grouped: bool) -> None:
        if user.get("deleted"):
            raise Refused("deleted", "Your account is switched off.")
        if grouped:
            return
        if user.get("is_stranger") or self._from_elsewhere(user):
            raise Refused("stranger", "I answer people of this organisation only.")
        if user.get("is_restricted") or user.get("is_ultra_restricted"):
            raise Refused("guest", "I do not answer guests. A member of this workspace can ask for you.")

    def _from_elsewhere(self, user: Mapping[str, Any]) -> bool:
        """Whether the user is of another organisation; workspaces of one enterprise are one organisation.

        Slack says `is_stranger` only of those whom the bot meets in no shared channel, so the teams are compared.
        """
        own = self._ask("own team", self._client.auth_test)
        enterprise = (user.get("enterprise_user") or {}).get("enterprise_id")
        if enterprise and enterprise == own.get("enterprise_id"):
            return False
        return user.get("team_id") not in (None, own.get("team_id"))

    def _channel_allowed(self, channel_id: str, channel_name: str) -> None:
        """Only listed channels, if any are listed; else none that is shared with others.

        A channel that the bot cannot see passes: its answers stay private.
        """
        listed = self._channels
        if listed & {channel_id, channel_name} or (not listed and channel_id.startswith("D")):
            return
        channel = self._channel(channel_id)
        if listed:
            if channel.get("name") not in listed:
                raise Refused("channel", "I do not answer in this channel. Please ask in one that is set up for it.")
        elif channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
            raise Refused("shared", "This channel is shared with another organisation, so I do not answer here.")

    def _channel(self, channel_id: str) -> Mapping[str, Any]:
        """What Slack says of the channel; nothing, if the bot cannot see it. Payloads name private ones not at all."""
        try:
            return self._ask(
                f"channel {channel_id}",
                lambda: _only(_OF_CHANNELS, self._client.conversations_info(channel=channel_id).get("channel")),
            )
        except SlackApiError as fault:
            if fault.response.get("error") in _UNKNOWN_CHANNEL:
                return {}
            raise

    def _ask(self, key: str, ask: Callable[[], T]) -> T:
        """What Slack says, or said some minutes ago."""
        with self._lock:
            turn = self._asking[key]
        with turn:
            now = self._clock.monotonic()
            with self._lock:
                kept = self._kept.get(key)
            if kept and kept[0] > now:
                found: T = kept[1]
                return found
            answer = self._asked(ask)
            with self._lock:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                    self._asking.clear()
                self._kept[key] = (now + _KEPT_SECONDS, answer)
            return answer

    def _asked(self, ask: Callable[[], T]) -> T:
        pauses, broken = Pauses(self._clock, _PATIENCE), False
        while True:
            try:
                return ask()
            except (SlackApiError, OSError) as fault:
                meaning = classify(fault)
                if meaning.answer is Answer.REPEAT:
                    if not pauses.pause():
                        raise
                    continue
                if broken or not _worth_repeating(fault, meaning):
                    raise
                broken = True
                self._clock.sleep(max(meaning.wait, _AGAIN_SECONDS))


def _worth_repeating(fault: Exception, meaning: Meaning) -> bool:
    """What broke off, and what Slack wants a few seconds later."""
    if isinstance(fault, SlackApiError):
        return meaning.answer is Answer.WAIT and meaning.wait <= _LONGEST_WAIT
    return True


def _only(names: Iterable[str], said: Any) -> Mapping[str, Any]:
    """What is asked of it here; the rest of what Slack says, kilobytes a person, is not kept."""
    return {name: said[name] for name in names if name in said} if isinstance(said, Mapping) else {}


def _zone(user: Mapping[str, Any]) -> tzinfo:
    try:
        return ZoneInfo(str(user.get("tz") or ""))
    except (ValueError, KeyError, OSError):  # no such zone, or no zones on this machine
        offset = user.get("tz_offset")
        day = 86_400
        return timezone(timedelta(seconds=offset)) if isinstance(offset, int) and abs(offset) < day else UTC
