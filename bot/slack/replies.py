"""Saying something in Slack, once, and never in silence.

A post whose answer was lost may have arrived, so it is not repeated: the asker is told instead. What Slack refuses as
blocks goes out as plain text. Where the bot is no member, the answer goes to the asker alone.
"""

from __future__ import annotations

import http.client
import logging
import threading
import urllib.error
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, auto

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.clock import Clock
from bot.slack.blocks import Message

log = logging.getLogger(__name__)

LONGEST_WAIT = 25.0  # seconds that a person's answer waits for its channel; then it is given in private
_SHORTEST_WAIT = 0.1
_SECONDS = 10  # of one call
_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
_CLOSED = frozenset(
    {
        *(
            "not_in_channel",
            "channel_not_found",
            "is_archived",
            "restricted_action",
            "restricted_action_read_only_channel",
        ),
        *("restricted_action_thread_only_channel", "cannot_reply_to_message", "thread_not_found"),
    }
)
_LOST = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_SERVER_FAULT = 500
_OK = 200
_FAULTS = (SlackClientError, OSError, ValueError, http.client.HTTPException)


class Posted(Enum):
    """What became of a post."""

    YES = auto()
    CLOSED = auto()  # the bot cannot post there
    UNSURE = auto()  # Slack may have taken it
    NO = auto()  # it did not, for another reason


@dataclass(frozen=True, slots=True)
class _Failure:
    posted: Posted
    word: str
    blocks: bool = False
    wait: float | None = None


class Poster:
    """Posts answers, one at a time in each channel: Slack takes about one message a second there."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        """`client` must not retry by itself."""
        self._client = client
        self._clock = clock
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def post(self, channel: str, message: Message, thread_ts: str = "") -> Posted:
        """Post at most once, waiting for the channel's turn and as Slack asks, but not for ever."""
        turn = self._turns[channel]
        if not turn.acquire(timeout=LONGEST_WAIT):
            return Posted.NO
        try:
            return self._in_turn(channel, message, thread_ts)
        finally:
            turn.release()

    def _in_turn(self, channel: str, message: Message, thread_ts: str) -> Posted:
        until = self._clock.monotonic() + LONGEST_WAIT
        while True:
            try:
                self._client.chat_postMessage(
                    channel=channel,
                    text=message.text,
                    blocks=message.blocks or None,
                    thread_ts=thread_ts or None,
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except _FAULTS as fault:
                failure = _failure(fault)
                log.warning("chat.postMessage: %s", failure.word)
                if failure.blocks and message.blocks:
                    message = message.plain()
                elif failure.wait is not None and self._clock.monotonic() + failure.wait < until:
                    self._clock.sleep(max(failure.wait, _SHORTEST_WAIT))
                else:
                    return failure.posted
            else:
                return Posted.YES


def whisper(response_url: str, message: Message, *, replace: bool = False) -> bool:
    """Answer the asker alone through the response_url. Whether Slack took it."""
    webhook = WebhookClient(response_url, timeout=_SECONDS, retry_handlers=[])
    for text, blocks in ((message.text, message.blocks or None), (message.text, None)):
        try:
            answer = webhook.send_dict(
                {
                    "response_type": "ephemeral",
                    "replace_original": replace,
                    "text": text,
                    **({"blocks": blocks} if blocks else {}),
                    "unfurl_links": False,
                    "unfurl_media": False,
                }
            )
        except _FAULTS as fault:
            log.warning("response_url: %s", type(fault).__name__)
            continue
        if answer.status_code == _OK:
            return True
        log.warning("response_url: HTTP %s %s", answer.status_code, answer.body[:200])
    return False


def tell(client: WebClient, response_url: str, channel: str, user: str, message: Message) -> bool:
    """Answer the asker alone, by whatever way is left: the response_url, an ephemeral post, a direct message."""
    if response_url and whisper(response_url, message):
        return True
    try:
        client.chat_postEphemeral(channel=channel, user=user, text=message.text, blocks=message.blocks or None)
    except _FAULTS as fault:
        log.warning("chat.postEphemeral: %s", _failure(fault).word)
    else:
        return True
    try:
        client.chat_postMessage(channel=user, text=message.text, unfurl_links=False, unfurl_media=False)
    except _FAULTS as fault:
        log.error("an answer reached nobody: %s", _failure(fault).word)  # noqa: TRY400 - the trace says nothing more
        return False
    return True


def _failure(fault: Exception) -> _Failure:
    if isinstance(fault, SlackApiError):
        return _refusal(fault)
    if isinstance(fault, urllib.error.URLError) and isinstance(fault.reason, ConnectionRefusedError):
        return _Failure(Posted.NO, "connection refused")
    return _Failure(Posted.UNSURE, type(fault).__name__)


def _refusal(fault: SlackApiError) -> _Failure:
    answer = fault.response
    status = answer.get("status") if isinstance(answer, dict) else getattr(answer, "status_code", None)
    body = answer if not isinstance(answer, str) else {}
    try:
        code = str(body.get("error") or "")
    except (AttributeError, ValueError):
        code = ""
    if code in _BLOCKS:
        details = (body.get("response_metadata") or {}).get("messages") or []
        return _Failure(Posted.NO, f"{code} {details}", blocks=True)
    if code == "ratelimited" or status == 429:  # noqa: PLR2004 - too many requests
        headers = {str(k).lower(): v for k, v in (getattr(answer, "headers", None) or {}).items()}
        return _Failure(Posted.NO, "ratelimited", wait=_seconds(headers.get("retry-after")))
    if code in _CLOSED:
        return _Failure(Posted.CLOSED, code)
    if code in _LOST or not code or (isinstance(status, int) and status >= _SERVER_FAULT):
        return _Failure(Posted.UNSURE, code or f"HTTP {status}")
    return _Failure(Posted.NO, code)


def _seconds(value: object) -> float:
    try:
        return max(float(str(value)), 0.0)
    except ValueError:
        return 1.0
