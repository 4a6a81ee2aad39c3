"""Logs hold no token, no secret and no caller."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs

LEAKS = [
    "xoxb-12-34-abcdef",
    "xoxe.xoxb-1-abcdef",
    "xapp-1-A0-abcdef",
    "Bearer abcdef.ghi",
    "https://hooks.slack.com/commands/T1/2/abcdef",
    "client_secret=abcdef",
]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger as it was, afterwards."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    yield root
    root.handlers = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("leak", LEAKS)
def test_no_token_reaches_a_line(capsys: pytest.CaptureFixture[str], leak: str) -> None:
    """Neither in a message, a value, a nested value nor a traceback, ours or a library's."""
    logs.set_up("DEBUG", "json", ["my-own-secret"])
    log = structlog.get_logger("ours")
    log.info("message %s", leak, value=leak, nested={"deep": [leak, "my-own-secret"]})
    logging.getLogger("library").warning("said %s and %s", leak, "my-own-secret")
    try:
        raise ValueError(leak)  # noqa: TRY301 - a traceback is wanted
    except ValueError:
        log.exception("failed")
    written = capsys.readouterr().err
    assert "abcdef" not in written
    assert "my-own-secret" not in written
    assert len([json.loads(line) for line in written.splitlines()]) == 3


@pytest.mark.usefixtures("root")
def test_callers_are_masked_and_ids_stay(capsys: pytest.CaptureFixture[str]) -> None:
    """To the last four digits; what is made of digits and is no number keeps them."""
    logs.set_up("INFO", "json")
    structlog.get_logger().info(
        "asked for +1 (555) 019-9888", who="+15550199888", ts="1763647200.123456", seconds=12345678.5, id="5f0c2a1b9d"
    )
    line = json.loads(capsys.readouterr().err)
    assert "019" not in line["event"]
    assert line["who"] == "•••• 9888"
    assert (line["ts"], line["seconds"], line["id"]) == ("1763647200.123456", 12345678.5, "5f0c2a1b9d")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("library", ["slack_sdk.web.base_client", "slack_bolt.App", "urllib3.connectionpool"])
def test_no_library_shows_bodies(capsys: pytest.CaptureFixture[str], library: str) -> None:
    """DEBUG of these holds whole requests and answers, so it is never on."""
    logs.set_up("DEBUG", "console")
    logging.getLogger(library).debug("body: text=+15550199888")
    structlog.get_logger("ours").debug("mine")
    written = capsys.readouterr().err
    assert "body" not in written
    assert "mine" in written


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("text", ["%2B15550199888", "%2b1+555+019+9888", "%28555%29+019-9888", "1+555+019+9888"])
def test_callers_in_a_form_are_masked(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """As Slack sends them: a library may show a body that it refuses."""
    logs.set_up("INFO", "json")
    logging.getLogger("library").info("body: command=%%2Fhandover&text=%s&user_id=U1", text)
    written = capsys.readouterr().err
    assert "019" not in written
    assert "9888" in written
