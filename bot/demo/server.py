"""A small HTTP server on loopback: a thread a connection, kept alive, and every wait ends when it stops."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.demo.routes import Reply

Handle = Callable[[str, str, dict[str, str], Mapping[str, str], bytes], Reply]


class Server:
    """Serves `handle` on 127.0.0.1; port 0 takes a free one, known from the start."""

    def __init__(self, handle: Handle, port: int) -> None:
        self.handle = handle
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        owner = self

        class Handler(_Handler):
            server_of = owner

        self._http = _Http(("127.0.0.1", port), Handler)
        self.port: int = self._http.server_address[1]
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Answer from now on."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="tenant", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No answer any more; connections are closed, hanging ones too."""
        self._stopped.set()
        if self._thread:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float | None) -> None:
        """Real time passes, as on a network; ends early when the server stops."""
        self._stopped.wait(seconds)

    def opened(self, connection: socket.socket) -> None:
        """A connection came."""
        self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """A connection went."""
        self._open.discard(connection)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def server_bind(self) -> None:
        """As the library's, without asking the resolver for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is everyday life; nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server_of: Server

    def setup(self) -> None:
        super().setup()
        self.server_of.opened(self.connection)

    def finish(self) -> None:
        self.server_of.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing to a log: the tenant keeps its requests itself."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server_of.handle(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
        if reply.hang:
            self.server_of.wait(None)
            self.close_connection = True
            return
        if reply.reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if reply.cut is not None:
            self.wfile.write(reply.body[: reply.cut])
            self.close_connection = True
            return
        self.wfile.write(reply.body)

    do_POST = do_GET  # noqa: N815 - the library's names
    do_PUT = do_GET  # noqa: N815
    do_PATCH = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815
