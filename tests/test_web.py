"""The HTTP side: four addresses, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from bot import web


def slack(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """Stands where Bolt's adapter stands, and says how much it was given."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start("200 OK", [("Content-Type", "text/plain")])
    return [f"{len(body)}".encode()]


class Bot:
    """A server, and what it is to say of itself."""

    def __init__(self, *, with_slack: bool = True) -> None:
        self.reasons: list[str] = []
        self.fails = False
        app = web.routes(slack=slack if with_slack else None, reasons=self.why, metrics=lambda: b"handover_up 1\n")
        self.server = web.Server(app, "127.0.0.1", 0)
        self.server.start()

    def why(self) -> list[str]:
        """Why it is not ready."""
        if self.fails:
            raise ValueError("secret")
        return self.reasons

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request."""
        return requests.request(method, self.server.address + path, timeout=5, **more)


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A server in HTTP mode."""
    running = Bot()
    yield running
    running.server.stop()


def test_slack_is_answered_by_post(bot: Bot) -> None:
    """And a GET is told so."""
    assert bot.ask("POST", "/slack/events", data=b"x" * 100).text == "100"
    refused = bot.ask("GET", "/slack/events")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


def test_health_is_always_there(bot: Bot) -> None:
    """Alive, and measured."""
    assert bot.ask("GET", "/healthz").status_code == 200
    assert bot.ask("HEAD", "/healthz").content == b""
    assert bot.ask("GET", "/metrics").text == "handover_up 1\n"
    assert bot.ask("POST", "/healthz").status_code == 405


def test_readiness_says_why_not(bot: Bot) -> None:
    """One reason a line."""
    assert bot.ask("GET", "/readyz").status_code == 200
    bot.reasons = ["the last poll was 9 minutes ago", "Slack: no ping for 2 minutes"]
    answer = bot.ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.text.splitlines() == bot.reasons


def test_a_page_that_fails_shows_no_traceback(bot: Bot) -> None:
    """The log has it."""
    bot.fails = True
    answer = bot.ask("GET", "/readyz")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_everything_else_is_not_found(bot: Bot) -> None:
    """Also with a slash too many, a query, or a way up."""
    for path in ("/", "/slack", "/slack/events/", "/healthz/x", "/../etc/passwd", "/%2e%2e/"):
        assert bot.ask("GET", path).status_code == 404


def test_in_socket_mode_nobody_posts() -> None:
    """Health is there, Slack's address is not."""
    running = Bot(with_slack=False)
    try:
        assert running.ask("POST", "/slack/events", data=b"").status_code == 404
        assert running.ask("GET", "/healthz").status_code == 200
    finally:
        running.server.stop()


def test_slow_installs_take_no_thread_from_an_ack() -> None:
    """The page is public: two at a time, the next is told to come again, and Slack's requests wait for none."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def install(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        begun.release()
        go_on.wait(10)
        return slack(environ, start)

    server = web.Server(web.routes(slack=slack, install=install, reasons=list, metrics=bytes), "127.0.0.1", 0)
    server.start()
    page = f"{server.address}{web.INSTALL[1]}"
    with ThreadPoolExecutor(web.INSTALLS) as people:
        try:
            slow = [people.submit(requests.get, page, timeout=15) for _ in range(web.INSTALLS)]
            assert all(begun.acquire(timeout=5) for _ in slow)
            busy = requests.get(page, timeout=5)
            assert (busy.status_code, busy.text) == (503, "Others install it now. Open this page again soon.\n")
            assert requests.post(f"{server.address}/slack/events", data=b"x", timeout=5).text == "1"
        finally:
            go_on.set()
        assert [each.result().status_code for each in slow] == [200, 200]
    assert requests.get(page, timeout=5).status_code == 200
    server.stop()


def test_a_body_that_is_too_large_is_refused(bot: Bot) -> None:
    """Before it is read by anybody."""
    refused = bot.ask("POST", "/slack/events", data=b"x" * (web.LARGEST_BODY + 1))
    assert refused.status_code == 413


def test_a_taken_port_is_a_sentence(bot: Bot) -> None:
    """With the settings to change."""
    port = int(bot.server.address.rpartition(":")[2])
    with pytest.raises(web.CannotListenError, match=r"Cannot listen on 127\.0\.0\.1:\d+: .* Set HOST and PORT\."):
        web.Server(lambda _environ, _start: [], "127.0.0.1", port)


def test_stopping_closes_the_port() -> None:
    """At once, with a connection that idles."""
    running = Bot()
    address = ("127.0.0.1", int(running.server.address.rpartition(":")[2]))
    with socket.create_connection(address):
        running.server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
