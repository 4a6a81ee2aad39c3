"""One overall deadline for many calls, kept even when a server dribbles.

A socket's timeout starts anew with each byte, so a server that sends one now and then could hold a call for ever.
Sockets in use are therefore registered with the deadline, which shuts them down when it passes: a blocked read ends
at once, whatever it was reading. The same happens to what is still on its way when the deadline is closed early.

Before there is a socket to shut down, a call may hang in the look-up of a name, which nothing can break off, or at a
proxy that answers byte by byte. So each new connection is made in a thread of its own, which is left behind when the
time for it is over.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from bot.clock import Clock


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request that was made. `status` is None where no answer came; `route` has no ids in it."""

    method: str
    path: str
    route: str
    status: int | None
    seconds: float


class Deadline:
    """`seconds` from now for everything that is asked under it; counts what was asked. Threads may share one."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Start now."""
        self.seconds = seconds
        self.requests = 0
        self._clock = clock
        self._started = clock.monotonic()
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: set[socket.socket] = set()
        self._timer: threading.Timer | None = None
        self._calls: list[Call] = []

    def left(self) -> float:
        """Seconds that are left, 0.0 when it has passed."""
        if self._closed:
            return 0.0
        return max(0.0, self.seconds - self.spent())

    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.left() <= 0.0

    def spent(self) -> float:
        """Seconds since it started."""
        return self._clock.monotonic() - self._started

    def close(self) -> None:
        """End it now: what is still on its way is broken off, nothing more is asked under it."""
        with self._lock:
            self._closed = True
            timer, self._timer = self._timer, None
            sockets = list(self._sockets)
        if timer is not None:
            timer.cancel()
        for each in sockets:
            # Not SSLSocket.shutdown, which would change the object under the thread that reads from it.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        """Use it for one block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    # ---- for the session ----

    def asked(self) -> None:
        """One more request goes out."""
        with self._lock:
            self.requests += 1

    def answered(self, call: Call) -> None:
        """It came back, or failed."""
        with self._lock:
            self._calls.append(call)

    def slowest(self) -> Call | None:
        """The call that took longest, to be named when time has run out."""
        with self._lock:
            return max(self._calls, key=lambda call: call.seconds, default=None)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """While the block runs, sockets that this thread sends on are shut down when the deadline passes."""
        used: list[socket.socket] = []
        _thread.call = (self, used)
        try:
            yield
        finally:
            _thread.call = None
            with self._lock:
                self._sockets.difference_update(used)

    def watch(self, used: socket.socket) -> None:
        """Shut this socket down when the deadline passes."""
        with self._lock:
            self._sockets.add(used)
            if self._timer is None and not self._closed:
                self._timer = threading.Timer(max(0.0, self.seconds - self.spent()), self.close)
                self._timer.daemon = True
                self._timer.start()
            closed = self._closed
        if closed:
            self.close()


_thread = threading.local()


class _Watched:
    """Hands the socket of a connection to the deadline that its thread works under."""

    sock: socket.socket | None
    timeout: float | None

    def connect(self) -> None:
        """Within the seconds for a connection, whatever belongs to it. Raises what connecting raises."""
        over = threading.Event()
        raised: list[BaseException] = []

        def connecting() -> None:
            try:
                super(_Watched, self).connect()  # type: ignore[misc]  # the connection's own, see the two classes below
            except BaseException as error:  # noqa: BLE001 - told to the thread that waits for it
                raised.append(error)
            if over.is_set() and self.sock is not None:
                self.sock.close()
            over.set()

        threading.Thread(target=connecting, name="connecting", daemon=True).start()
        if not over.wait(self.timeout):
            over.set()
            raise ConnectTimeoutError(self, "no connection in time")
        if raised:
            raise raised[0]

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)  # type: ignore[misc]  # the connection's own, see the two classes below
        call = getattr(_thread, "call", None)
        if call is not None and self.sock is not None:
            deadline, used = call
            used.append(self.sock)
            deadline.watch(self.sock)


class _PlainConnection(_Watched, HTTPConnection):
    pass


class _TLSConnection(_Watched, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class WatchedAdapter(requests.adapters.HTTPAdapter):
    """requests' adapter over connections that a `Deadline` can break off; direct and through a proxy."""

    _POOLS = {"http": _PlainPool, "https": _TLSPool}  # noqa: RUF012  # a constant, named like urllib3's own attribute

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """The pools for direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """The pools for connections through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._POOLS
        return manager
