"""The HTTP door of the Web API and of the response_urls, with the faults that were asked for. Loopback only."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.demo import web_api
from bot.demo.desk import Desk
from bot.demo.state import SlackError
from bot.demo.workspace_faults import Faults

OK = 200
MOST_CALLS = 20_000


@dataclass(frozen=True)
class Call:
    """One call of the bot: `at` in seconds of the clock's `monotonic`, the answer's status and error."""

    method: str
    args: dict[str, Any]
    at: float
    status: int = OK
    error: str = ""


@dataclass
class Answer:
    """What goes over the wire."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class ApiServer:
    """The server and its log of calls; can go down and come back on the same port."""

    def __init__(
        self, desk: Desk, faults: Faults, respond: Callable[[str, dict[str, Any]], None], port: int = 0
    ) -> None:
        self.desk = desk
        self.faults = faults
        self.respond = respond
        self.calls: list[Call] = []
        self.port = port
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen, on the port it had before if there was one."""
        owner = self

        class Handler(_Handler):
            server_of = owner

        server = _Http(("127.0.0.1", self.port), Handler)
        self.port = int(server.server_address[1])
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), name="slack-api", daemon=True).start()

    def stop(self) -> None:
        """Stop listening and cut what is open: from now on connections are refused."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def opened(self, connection: socket.socket) -> None:
        """A connection to cut when the server goes down."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """A connection that ended by itself."""
        with self._lock:
            self._open.discard(connection)

    def perform(self, method: str, token: str, args: dict[str, Any]) -> Answer:
        """Do what the call asks, and log it."""
        headers = {"X-OAuth-Scopes": ",".join(sorted(self.desk.scopes))}
        try:
            if method == "response_url":
                self.respond(str(args.pop("__key")), args)
                answer = Answer(OK, {"ok": True})
            else:
                answer = Answer(OK, {"ok": True, **web_api.call(self.desk, method, token, args)}, headers)
        except SlackError as error:
            answer = refused(error, method, headers)
        self.log(method, args, answer)
        return answer

    def log(self, method: str, args: dict[str, Any], answer: Answer) -> None:
        """Remember a call for the tests and the page."""
        shown = {key: value for key, value in args.items() if key not in ("token", "client_secret", "__key")}
        at = self.desk.team.clock.monotonic()
        refusal = str(answer.body.get("error", ""))
        self.calls.append(Call(method, shown, at, answer.status, refusal))
        del self.calls[:-MOST_CALLS]
        if refusal:
            pointers = (answer.body.get("response_metadata") or {}).get("messages") or []
            self.desk.team.changed_now("refused", method=method, error=refusal, pointers=pointers[:3])


class _Http(ThreadingHTTPServer):
    """A thread for each connection; many may come at once."""

    daemon_threads = True
    request_queue_size = 256


def refused(error: SlackError, method: str, headers: dict[str, str]) -> Answer:
    """Slack's answer to what it does not do: `ok: false`, 429 with Retry-After, or a response_url's plain status."""
    body = {"ok": False, "error": error.code, **error.more}
    if error.code == "ratelimited":
        return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(error.more["retry_after"])})
    if method == "response_url":
        return Answer(404 if error.code.endswith("_url") else 400, body)
    return Answer(OK, body, headers)


class _Handler(BaseHTTPRequestHandler):
    """One connection of the bot."""

    server_of: ApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing: the calls are logged by the server."""

    def setup(self) -> None:
        """Note the connection."""
        super().setup()
        self.server_of.opened(self.connection)

    def handle(self) -> None:
        """Serve until the bot, a fault or `stop` ends it."""
        with contextlib.suppress(OSError):
            super().handle()

    def finish(self) -> None:
        """Forget the connection."""
        self.server_of.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        """The Web API takes GET too."""
        self._serve(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        """A call by form or JSON."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        kind = self.headers.get("Content-Type", "")
        args: Any = dict(parse_qsl(body, keep_blank_values=True))
        if body and ("json" in kind or body.startswith("{")):
            try:
                args = json.loads(body)
            except ValueError:
                args = None
        if not isinstance(args, dict):
            self._send(Answer(OK, {"ok": False, "error": "invalid_json"}))
            return
        self._serve({**dict(parse_qsl(urlsplit(self.path).query)), **args})

    def _serve(self, args: dict[str, Any]) -> None:
        path = urlsplit(self.path).path
        method = path.removeprefix("/api/")
        if path.startswith("/response/"):
            method, args = "response_url", {**args, "__key": path.removeprefix("/response/")}
        scheme, _, bearer = self.headers.get("Authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else str(args.get("token", ""))
        if scheme.lower() == "basic":  # oauth.v2.access
            client_id, _, secret = base64.b64decode(bearer).decode("utf-8", "replace").partition(":")
            args = {**args, "client_id": client_id, "client_secret": secret}
        faults = self.server_of.faults
        if faults.delay:
            threading.Event().wait(faults.delay)
        self._go(faults.next(method), method, token, args)

    def _go(self, word: str, method: str, token: str, args: dict[str, Any]) -> None:
        """The call as its fault's word says."""
        done = word.startswith("accept_then_")
        what, _, detail = word.removeprefix("accept_then_").partition(":")
        if what == "hang" and not done:
            threading.Event().wait(float(detail))
            if self._client_gone():
                self.close_connection = True
                return
        answer = Answer(OK, {"ok": True})
        if done or what in ("ok", "hang"):
            answer = self.server_of.perform(method, token, args)
        if what == "refuse":
            # A reset, so that the client cannot take the end for an empty answer.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif what == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            if what == "hang" and done:
                threading.Event().wait(float(detail))
            self._send(self._scripted(what, detail, answer, method, args, done=done))

    def _scripted(
        self, what: str, detail: str, answer: Answer, method: str, args: dict[str, Any], *, done: bool
    ) -> Answer:
        if what in ("ok", "hang"):
            return answer
        if what == "error":
            scripted = Answer(OK, {"ok": False, "error": detail})
            if detail == "missing_scope":
                scripted.body |= {"needed": "", "provided": ",".join(sorted(self.server_of.desk.scopes))}
        elif what == "429":
            scripted = Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": detail or "1"})
        else:
            scripted = Answer(int(what), {"ok": False, "error": "internal_error"})
        if not done:
            self.server_of.log(method, args, scripted)
        return scripted

    def _client_gone(self) -> bool:
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _send(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
