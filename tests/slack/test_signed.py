"""What Slack did not sign reaches nothing: not Bolt, not the log."""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
import time
from collections.abc import Iterable
from typing import Any

import pytest
from slack_bolt.adapter.wsgi import SlackRequestHandler

from bot.slack import app as slack_app
from bot.slack.signed import only_signed
from tests.slack.conftest import alone

SECRET = "signing-secret"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def ask(app: Any, body: bytes, *, stamp: str | None = None, mark: str | None = None, kind: str = FORM) -> int:
    """One request; the signature is right unless another one is given."""
    stamp = stamp or str(int(time.time()))
    right = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/slack/events",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_SLACK_REQUEST_TIMESTAMP": stamp,
        "HTTP_X_SLACK_SIGNATURE": mark or f"v0={right}",
        "wsgi.input": io.BytesIO(body),
    }
    list(app(environ, lambda status, _headers: said.append(status)))
    return int(said[0][:3])


@pytest.fixture
def app() -> Any:
    """The gate before something that says it was reached."""

    def slack(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [])
        return [environ["wsgi.input"].read()]

    return only_signed(slack, SECRET)


@pytest.mark.parametrize(
    "wrong",
    [{"stamp": "abc"}, {"stamp": "1e9"}, {"stamp": "1"}, {"mark": "v0=\u00fc"}, {"mark": "v0=" + "0" * 64}],
)
def test_what_is_not_signed_is_refused_without_a_word_of_it(
    app: Any, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A timestamp that is no number, and a signature that is no ASCII, too."""
    caplog.set_level(logging.DEBUG)
    assert ask(app, b"text=%2B15550199888", **wrong) == 401
    assert "9888" not in caplog.text


def test_what_is_not_text_is_refused(app: Any) -> None:
    """Slack signs UTF-8."""
    assert ask(app, b"\xff\xfe") == 401
    assert ask(app, b"text=help") == 200


@pytest.mark.parametrize("body", [b"[1,2]", b"null", b'{"a":'])
def test_a_signed_body_that_is_no_object_is_a_bad_request(slack_handler: Any, body: bytes) -> None:
    """Not a fault of ours."""
    app = only_signed(slack_handler, SECRET)
    assert ask(app, body, kind=JSON) == 400
    assert ask(app, b"payload=%5B1%5D") == 400


@pytest.fixture
def slack_handler(build: Any) -> SlackRequestHandler:
    """Bolt's own, as the bot has it."""
    return SlackRequestHandler(slack_app.build_app(alone(build().services), SECRET))
