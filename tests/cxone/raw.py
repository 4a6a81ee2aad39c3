"""A server that sends exactly the bytes a test wants, as slowly as it wants; for what no well-behaved server does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Script = Callable[[socket.socket, threading.Event], None]


def bytewise(text: bytes, pause: float, head: bytes = b"") -> Script:
    """`head` at once, then `text` one byte at a time."""

    def play(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(head)
        for value in text:
            if stopped.wait(pause):
                return
            connection.sendall(bytes([value]))

    return play


def at_once(answer: bytes) -> Script:
    """All of it, and the end of the connection."""
    return lambda connection, _: connection.sendall(answer)


class RawServer:
    """Takes connections on loopback and plays the script to each after its request came."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.heads.append(connection.recv(65_536))
            self.script(connection, self._stopped)
