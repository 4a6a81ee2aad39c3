"""What the bot answers over HTTP: Slack's requests, and how it is doing.

    POST /slack/events   commands, interactions and events; not there in Socket Mode
    GET  /slack/install, /slack/oauth_redirect   where several workspaces install the app
    GET  /healthz        200 while the process is alive
    GET  /readyz         200, or 503 with one reason a line
    GET  /metrics        Prometheus; every name begins with `handover_`

Waitress serves it: threads, a limit on what a request may hold, and Bolt's own WSGI adapter behind `/slack/events`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog
from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 1_048_576  # Slack's own are below 100 kB
INSTALL = ("/slack/install", "/slack/oauth_redirect")
INSTALLS = 2  # at once: each may wait for Slack, and acks need the other threads
THREADS = 8  # an ack takes milliseconds; fifty of them at once wait for each other, not for anything slow
SECONDS_TO_FINISH = 5

log = structlog.get_logger(__name__)


def routes(
    *,
    slack: WSGIApplication | None,
    reasons: Callable[[], list[str]],
    metrics: Callable[[], bytes],
    install: WSGIApplication | None = None,
) -> WSGIApplication:
    """The WSGI application. `slack` is None in Socket Mode; `reasons` says why the bot is not ready, if so."""

    def health() -> tuple[str, bytes]:
        return "200 OK", b"alive\n"

    def ready() -> tuple[str, bytes]:
        why = reasons()
        if why:
            return "503 Service Unavailable", "".join(f"{reason}\n" for reason in why).encode()
        return "200 OK", b"ready\n"

    def measured() -> tuple[str, bytes]:
        return "200 OK", metrics()

    few = _few(install) if install else None
    pages: dict[str, Callable[[], tuple[str, bytes]]] = {"/healthz": health, "/readyz": ready, "/metrics": measured}

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path == "/slack/events" and slack is not None:
            return slack(environ, start) if method == "POST" else _refuse(start, "405 Method Not Allowed", allow="POST")
        if path in INSTALL and few is not None:
            return few(environ, start) if method == "GET" else _refuse(start, "405 Method Not Allowed", allow="GET")
        if path not in pages:
            return _refuse(start, "404 Not Found")
        if method not in ("GET", "HEAD"):
            return _refuse(start, "405 Method Not Allowed", allow="GET, HEAD")
        return _shown(pages[path], path, method, start)

    return application


def _few(install: WSGIApplication) -> WSGIApplication:
    """So many installs at a time; whoever comes then is told to come again."""
    places = threading.BoundedSemaphore(INSTALLS)

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not places.acquire(blocking=False):
            return _refuse(start, "503 Service Unavailable", why="Others install it now. Open this page again soon.")
        try:
            return install(environ, start)
        finally:
            places.release()

    return application


def _shown(page: Callable[[], tuple[str, bytes]], path: str, method: str, start: StartResponse) -> Iterable[bytes]:
    try:
        status, body = page()
    except Exception:
        log.exception("A health page failed", path=path)
        status, body = "500 Internal Server Error", b"the page failed; the log says why\n"
    kind = "text/plain; version=0.0.4; charset=utf-8" if path == "/metrics" else "text/plain; charset=utf-8"
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
    return [b"" if method == "HEAD" else body]


def _refuse(start: StartResponse, status: str, *, allow: str = "", why: str = "") -> Iterable[bytes]:
    body = f"{why or status[4:].lower()}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start(status, [*headers, ("Allow", allow)] if allow else headers)
    return [body]


class CannotListenError(Exception):
    """The address is taken or is not this machine's; the message is a sentence."""


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as why:
        reason = why.strerror or "no such address here"
        raise CannotListenError(f"Cannot listen on {host}:{port}: {reason}. Set HOST and PORT.") from None


class Server:
    """Waitress in a thread of its own, so that it can be stopped."""

    def __init__(self, application: WSGIApplication, host: str, port: int) -> None:
        """Bind the address; port 0 takes a free one. Raises `CannotListenError`."""
        self._socket = _listen(host, port)
        self._sockets: dict[int, Any] = {}
        self._server: BaseWSGIServer = create_server(
            application,
            map=self._sockets,
            sockets=[self._socket],
            threads=THREADS,
            max_request_body_size=LARGEST_BODY,
            channel_timeout=30,
            clear_untrusted_proxy_headers=True,
            ident=None,
        )
        self._socket_name: tuple[str, int] = self._socket.getsockname()[:2]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    @property
    def address(self) -> str:
        """Where it answers: "http://127.0.0.1:3000"."""
        host, port = self._socket_name
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()
        log.info(f"Listening on {self.address}")  # noqa: G004 - people look for it

    def stop(self) -> None:
        """Answer what has been taken in, take no more, and close."""
        self._stopping.set()
        self._server.pull_trigger()
        self._thread.join(SECONDS_TO_FINISH)
        self._server.task_dispatcher.shutdown(cancel_pending=False, timeout=SECONDS_TO_FINISH)
        wasyncore.close_all(self._sockets)
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1.0, map=self._sockets, count=1)
