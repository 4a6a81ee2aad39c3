"""Socket Mode: the WebSocket side of the local Slack, on a port of its own.

A bot asks `apps.connections.open` for a URL that is good for one connection, is greeted with `hello`, gets envelopes
and answers each with its `envelope_id`. Any one of up to ten connections gets an envelope.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import simple_websocket

from bot.demo.state import APP_ID

MOST_CONNECTIONS = 10


class SocketMode:
    """The server, its connections and the envelopes that wait for an ack."""

    def __init__(self) -> None:
        self.port = 0
        self._tickets: set[str] = set()
        self._connections: list[Any] = []
        self._waiting: dict[str, tuple[threading.Event, dict[str, Any]]] = {}
        self._turn = itertools.count()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen on a free port of loopback."""
        owner = self

        class Handler(_Handler):
            mode = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="slack-socket", daemon=True).start()

    def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server is None:
            return
        for connection in list(self._connections):
            with contextlib.suppress(Exception):
                connection.close()
        self._server.shutdown()
        self._server.server_close()
        self._server = None

    def new_url(self) -> str:
        """A URL for one connection."""
        ticket = secrets.token_urlsafe(12)
        with self._lock:
            self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self.port}/link/?ticket={ticket}&app_id={APP_ID}"

    def connected(self) -> bool:
        """Whether any bot listens."""
        return bool(self._connections)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to go, as Slack does from time to time, and close it."""
        for connection in list(self._connections):
            with contextlib.suppress(Exception):
                connection.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}}))
                connection.close()

    def send(self, kind: str, payload: dict[str, Any], retry: int, reason: str, seconds: float) -> tuple[bool, Any]:
        """Send an envelope to one connection and wait for its ack: whether it came in time, and its payload."""
        envelope_id = secrets.token_hex(16)
        acked, answer = threading.Event(), dict[str, Any]()
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        with self._lock:
            self._waiting[envelope_id] = (acked, answer)
            connection = self._connections[next(self._turn) % len(self._connections)] if self._connections else None
        try:
            if connection is None:
                return False, ""
            connection.send(json.dumps(envelope))
            return acked.wait(seconds), answer.get("payload", "")
        except simple_websocket.ConnectionClosed:
            return False, ""
        finally:
            with self._lock:
                self._waiting.pop(envelope_id, None)

    def admit(self, ticket: str) -> bool:
        """Whether that ticket is good; it is spent by asking."""
        with self._lock:
            good = ticket in self._tickets and len(self._connections) < MOST_CONNECTIONS
            self._tickets.discard(ticket)
            return good

    def serve(self, connection: Any) -> None:
        """Greet a connection and take its acks until it ends."""
        with self._lock:
            self._connections.append(connection)
            count = len(self._connections)
        try:
            info = {"app_id": APP_ID}
            connection.send(json.dumps({"type": "hello", "num_connections": count, "connection_info": info}))
            while True:
                self._ack(connection.receive())
        except (simple_websocket.ConnectionClosed, OSError):
            pass
        finally:
            with self._lock:
                self._connections.remove(connection)

    def _ack(self, text: Any) -> None:
        with contextlib.suppress(ValueError):
            message = json.loads(text or "{}")
            with self._lock:
                found = self._waiting.get(message.get("envelope_id", ""))
            if found is not None:
                found[1]["payload"] = message.get("payload") or ""
                found[0].set()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a bot, from the upgrade to its end."""

    mode: SocketMode
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing."""

    def do_GET(self) -> None:
        """Upgrade to a WebSocket if the ticket is good."""
        self.close_connection = True
        if not self.mode.admit(parse_qs(urlsplit(self.path).query).get("ticket", [""])[0]):
            self.send_error(403)
            return
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        with contextlib.suppress(simple_websocket.ConnectionError):
            self.mode.serve(simple_websocket.Server({**environ, "werkzeug.socket": self.connection}))
