"""No test reaches another machine."""

from __future__ import annotations

import socket

import pytest
import requests

from tests.conftest import LeftLoopback, is_local


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "", None, b"localhost"])
def test_loopback_is_open(host: str | bytes | None) -> None:
    """What stays on this machine passes."""
    assert is_local(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "0.0.0.0", "slack.com", "localhost.example.com", "::", b"slack.com"])  # noqa: S104 - what is refused
def test_everything_else_is_shut(host: str | bytes) -> None:
    """Names and addresses of other machines do not."""
    assert not is_local(host)


def test_the_guard_stops_a_connection(left_loopback: list[str]) -> None:
    """A connect and a name look-up are stopped before they leave, and remembered."""
    with socket.socket() as outward, pytest.raises(LeftLoopback):
        outward.connect(("192.0.2.1", 80))
    with pytest.raises(LeftLoopback):
        requests.get("http://example.invalid/", timeout=1)
    assert len(left_loopback) == 2
    left_loopback.clear()
