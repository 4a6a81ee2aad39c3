"""Requests from the local Slack to the bot: signed over HTTP or as envelopes of Socket Mode, and their acks."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import requests

from bot.clock import Clock

ACK_SECONDS = 3.0


@dataclass(frozen=True)
class Invocation:
    """What the bot answered to one request.

    `error` is empty, or the word that Slack shows: `operation_timeout` (no ack within 3 s), `dispatch_failed` (nobody
    there), `http_client_error` (4xx), `http_service_error` (5xx). `body` is the ack's JSON, or its text.
    """

    status: int
    body: Any
    seconds: float
    error: str = ""
    trigger_id: str = ""
    response_url: str = ""

    @property
    def ok(self) -> bool:
        """Whether the bot acked in time."""
        return not self.error


class Socket(Protocol):
    """The Socket Mode side, as far as sending needs it."""

    def connected(self) -> bool:
        """Whether any bot listens."""
        ...

    def send(self, kind: str, payload: dict[str, Any], retry: int, reason: str, seconds: float) -> tuple[bool, Any]:
        """Whether it was acked in time, and with what payload."""
        ...


class Sender:
    """Delivers to the bot: over Socket Mode while a bot is connected there, else to the request URL."""

    def __init__(self, clock: Clock, signing_secret: str, socket: Socket) -> None:
        self.request_url = ""
        self._clock = clock
        self._secret = signing_secret
        self._socket = socket
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=64)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def command(self, payload: dict[str, Any]) -> Invocation:
        """A slash command: a form in HTTP."""
        return self._send("slash_commands", payload, urlencode(payload), form=True)

    def interaction(self, payload: dict[str, Any]) -> Invocation:
        """A button, menu or modal: one form field of JSON in HTTP."""
        return self._send("interactive", payload, urlencode({"payload": json.dumps(payload)}), form=True)

    def event(self, payload: dict[str, Any], retry: int = 0, reason: str = "") -> Invocation:
        """An Events API delivery, with what Slack says of repeated ones."""
        return self._send("events_api", payload, json.dumps(payload), form=False, retry=retry, reason=reason)

    def signed(self, body: str) -> dict[str, str]:
        """The headers of a request that Slack signed (HMAC v0 over `v0:timestamp:body`)."""
        timestamp = str(int(self._clock.now().timestamp()))
        digest = hmac.new(self._secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}

    def _send(
        self, kind: str, payload: dict[str, Any], body: str, *, form: bool, retry: int = 0, reason: str = ""
    ) -> Invocation:
        began = time.perf_counter()
        if self._socket.connected():
            acked, answer = self._socket.send(kind, payload, retry, reason, ACK_SECONDS)
            seconds = time.perf_counter() - began
            return Invocation(200, answer, seconds) if acked else Invocation(0, "", seconds, "operation_timeout")
        if not self.request_url:
            return Invocation(0, "", 0.0, "dispatch_failed")
        headers = {
            **self.signed(body),
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            answer = self._session.post(self.request_url, body.encode(), headers=headers, timeout=ACK_SECONDS)
        except requests.Timeout:
            return Invocation(0, "", time.perf_counter() - began, "operation_timeout")
        except requests.RequestException:
            return Invocation(0, "", time.perf_counter() - began, "dispatch_failed")
        return _outcome(answer, time.perf_counter() - began)


def _outcome(answer: requests.Response, seconds: float) -> Invocation:
    body: Any = answer.text
    if "json" in answer.headers.get("Content-Type", ""):
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
    error = ""
    if seconds > ACK_SECONDS:
        error = "operation_timeout"
    elif answer.status_code >= 500:  # noqa: PLR2004  HTTP's own figure
        error = "http_service_error"
    elif answer.status_code >= 300:  # noqa: PLR2004  HTTP's own figure
        error = "http_client_error"
    return Invocation(answer.status_code, body, seconds, error)
