"""Saying something in Slack, once, and never in silence.

What surely was not sent (no connection, a 429) is sent again with growing pauses, as an outage may be over in seconds.
A post whose answer was lost may have arrived, so it is not repeated: the asker is told instead. What Slack refuses as
blocks goes out as plain text. Where the bot is no member, the answer goes to the asker alone.
"""

from __future__ import annotations

import http.client
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.clock import Clock
from bot.slack.blocks import Message
from bot.slack.classify import Answer, Meaning, classify

log = logging.getLogger(__name__)

LONGEST_WAIT = 25.0  # seconds that a person's answer waits for its channel's turn; then it is given in private
SHORT_WAIT = 1.0  # the same where the bot is about to end
PATIENCE = 60.0  # seconds in which an answer is offered again while Slack takes no connection
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_SHORTEST_WAIT = 0.1
_SECONDS = 10  # of one call
_OK, _TOO_MANY = 200, 429
_FAULTS = (SlackClientError, OSError, ValueError, http.client.HTTPException)


class Posted(Enum):
    """What became of a post."""

    YES = auto()
    CLOSED = auto()  # the bot cannot post there
    UNSURE = auto()  # Slack may have taken it
    NO = auto()  # it did not, for another reason


_POSTED = {Answer.PAUSE: Posted.CLOSED, Answer.REPOST: Posted.CLOSED, Answer.LOOK: Posted.UNSURE}


class Pauses:
    """Growing pauses between tries, until so many seconds have passed."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._until = clock.monotonic() + seconds
        self._next = _FIRST_PAUSE

    def pause(self, at_least: float = 0.0) -> bool:
        """Sleep until the next try; False at once if it would be too late."""
        seconds = max(self._next, at_least)
        if self._clock.monotonic() + seconds > self._until:
            return False
        self._clock.sleep(seconds)
        self._next = min(2 * self._next, _LONGEST_PAUSE)
        return True


class Poster:
    """Posts answers, one at a time in each channel: Slack takes about one message a second there."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        """`client` must not retry by itself."""
        self._client = client
        self._clock = clock
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def post(self, channel: str, message: Message, thread_ts: str = "", *, hurry: bool = False) -> Posted:
        """Post at most once, waiting for the channel's turn, as Slack asks, and for Slack itself, but not for ever."""
        wait = SHORT_WAIT if hurry else LONGEST_WAIT
        pauses = Pauses(self._clock, wait if hurry else PATIENCE)
        turn = self._turns[channel]
        while True:
            if not turn.acquire(timeout=wait):
                return Posted.NO
            try:
                refused = self._in_turn(channel, message, thread_ts, wait)
            finally:
                turn.release()
            if refused is None:
                return Posted.YES
            if refused.answer is not Answer.REPEAT or not pauses.pause():
                return _POSTED.get(refused.answer, Posted.NO)

    def _in_turn(self, channel: str, message: Message, thread_ts: str, wait: float) -> Meaning | None:
        """None once Slack has it, else why not."""
        until = self._clock.monotonic() + wait
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
                refused = classify(fault)
                log.warning("chat.postMessage: %s %s", refused.code, _details(fault))
                if refused.answer is Answer.REDUCE and message.blocks:
                    message = message.plain()
                elif refused.answer is Answer.WAIT and self._clock.monotonic() + refused.wait < until:
                    self._clock.sleep(max(refused.wait, _SHORTEST_WAIT))
                else:
                    return refused
            else:
                return None


def tell(
    client: WebClient,
    clock: Clock,
    message: Message,
    *,
    response_url: str,
    channel: str,
    user: str,
    patience: float = PATIENCE,
) -> bool:
    """Answer the asker alone, by whatever way is left: the response_url, an ephemeral post, a direct message.

    A way that Slack surely got nothing by is tried again for `patience` seconds, the others once.
    """
    ways: list[tuple[str, Callable[[], object]]] = [
        (
            "chat.postEphemeral",
            lambda: client.chat_postEphemeral(
                channel=channel, user=user, text=message.text, blocks=message.blocks or None
            ),
        ),
        (
            "chat.postMessage",
            lambda: client.chat_postMessage(channel=user, text=message.text, unfurl_links=False, unfurl_media=False),
        ),
    ]
    if response_url:
        ways.insert(0, ("response_url", lambda: whisper(response_url, message)))
    pauses = Pauses(clock, patience)
    while True:
        again, wait, refused = [], 0.0, None
        for name, say in ways:
            try:
                say()
            except _FAULTS as fault:
                refused = classify(fault)
                log.warning("%s: %s %s", name, refused.code, _details(fault))
                if refused.answer in (Answer.REPEAT, Answer.WAIT):
                    again.append((name, say))
                    wait = max(wait, refused.wait)
            else:
                return True
        ways = again
        if not ways or not pauses.pause(wait):
            log.error("an answer reached nobody: %s", refused.code if refused else "no way is left")
            return False


def whisper(response_url: str, message: Message) -> None:
    """Answer the asker alone through the response_url; as plain text if Slack does not take it as it is.

    Raises what `classify` understands.
    """
    webhook = WebhookClient(response_url, timeout=_SECONDS, retry_handlers=[])
    asked = {"response_type": "ephemeral", "text": message.text, "unfurl_links": False, "unfurl_media": False}
    answer = webhook.send_dict(asked | ({"blocks": message.blocks} if message.blocks else {}))
    if answer.status_code not in (_OK, _TOO_MANY) and message.blocks:
        log.warning("response_url: HTTP %s %s", answer.status_code, answer.body[:200])
        answer = webhook.send_dict(asked)
    if answer.status_code != _OK:
        said = {"status": answer.status_code, "headers": answer.headers, "error": answer.body[:200]}
        raise SlackApiError("response_url", said)  # type: ignore[no-untyped-call]


def _details(fault: Exception) -> Any:
    """Which block Slack does not take, if it says so."""
    try:
        return (fault.response.get("response_metadata") or {}).get("messages") or ""  # type: ignore[attr-defined]
    except (AttributeError, ValueError):  # no answer, or none that is JSON
        return ""
