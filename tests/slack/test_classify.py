"""Every answer of Slack has a class."""

from __future__ import annotations

import socket
from http.client import RemoteDisconnected
from typing import Any
from urllib.error import URLError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.demo.workspace import Workspace
from bot.slack.classify import CODES, Answer, classify


def _error(status: int, body: dict[str, Any] | str, headers: dict[str, str] | None = None) -> SlackApiError:
    return SlackApiError("x", {"status": status, "headers": headers or {}, **(body if isinstance(body, dict) else {})})  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("code", CODES)
def test_every_listed_code(code: str) -> None:
    """A listed code has its class whatever the rest says."""
    assert classify(_error(200, {"ok": False, "error": code})).answer is CODES[code]


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (_error(429, {"error": "ratelimited"}, {"Retry-After": "7"}), Answer.WAIT),
        (_error(500, {}), Answer.LOOK),
        (_error(503, {"error": "something_new"}), Answer.LOOK),
        (_error(200, {}), Answer.LOOK),
        (_error(200, {"error": "something_new"}), Answer.TRY),
        (URLError(ConnectionRefusedError(111, "refused")), Answer.REPEAT),
        (URLError(socket.gaierror(-2, "no name")), Answer.REPEAT),
        (URLError(TimeoutError()), Answer.LOOK),
        (TimeoutError(), Answer.LOOK),
        (ConnectionResetError(), Answer.LOOK),
        (RemoteDisconnected("gone"), Answer.LOOK),
        (ValueError("anything else"), Answer.LOOK),
        (SlackApiError("x", "not json"), Answer.LOOK),  # type: ignore[no-untyped-call]
        (_error(429, {}, {"Retry-After": "soon"}), Answer.WAIT),
    ],
)
def test_transport_and_unlisted(error: Exception, answer: Answer) -> None:
    """Only what surely was not sent is repeated without a look."""
    assert classify(error).answer is answer


def test_retry_after_is_kept() -> None:
    """A 429 says how long."""
    assert classify(_error(429, {"error": "ratelimited"}, {"Retry-After": "7"})).wait == 7


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("accept_then_drop", Answer.LOOK),
        ("accept_then_500", Answer.LOOK),
        ("500", Answer.LOOK),
        ("429:3", Answer.WAIT),
        ("refuse", Answer.LOOK),
        ("hang:2", Answer.LOOK),
        ("error:is_archived", Answer.PAUSE),
        ("error:invalid_blocks", Answer.REDUCE),
        ("error:who_knows", Answer.TRY),
    ],
)
def test_over_real_http(workspace: Workspace, word: str, answer: Answer) -> None:
    """slack_sdk's own exceptions, from real sockets."""
    client = WebClient("xoxb-demo", base_url=workspace.api_url, timeout=1, retry_handlers=[])
    workspace.faults.script("chat.postMessage", [word])
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever comes is to be classified
        client.api_call("chat.postMessage", json={"channel": "C0ALERTS", "text": "x"})
    assert classify(raised.value).answer is answer


def test_down_over_real_http(workspace: Workspace) -> None:
    """Nobody listens: nothing was sent."""
    workspace.down()
    client = WebClient("xoxb-demo", base_url=workspace.api_url, timeout=1, retry_handlers=[])
    with pytest.raises(URLError) as raised:
        client.api_call("chat.postMessage", json={"channel": "C0ALERTS", "text": "x"})
    assert classify(raised.value).answer is Answer.REPEAT
