"""What all tests share: no way out of loopback, no settings of the machine, and the two fakes with real HTTP."""

from __future__ import annotations

import functools
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from tests.clock import HandClock

LOCAL_NAMES = {"", "localhost", "localhost.localdomain", "ip6-localhost"}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")

# For this process and for those that tests start: nobody's proxy stands between two ends of loopback.
for _name in PROXIES:
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"

_left: list[str] = []  # every attempt to leave loopback, whoever swallowed the error


class LeftLoopback(Exception):  # noqa: N818 - it is what happened
    """A test tried to reach another machine."""


def is_local(host: object) -> bool:
    """Whether a host, as `connect` or `getaddrinfo` are given it, is this machine's loopback."""
    name = host.decode("idna") if isinstance(host, bytes) else host
    if name is None or (isinstance(name, str) and name.lower() in LOCAL_NAMES):
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


def _stay(what: str, host: object) -> None:
    """Raise, and remember, where somebody is about to reach another machine."""
    if not is_local(host):
        _left.append(f"{what} {host!r}")
        raise LeftLoopback(f"{what}: {host!r} is not loopback")


def _guarded(name: str) -> None:
    """Look at the address before a socket's method gets it.

    Not by an audit hook: each event of Python's own passes that, and with coverage two threads that start at once then
    trip over each other in `sys.settrace`.
    """
    original = getattr(socket.socket, name)

    @functools.wraps(original)
    def method(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        _stay(f"socket.{name}", address[0] if isinstance(address, tuple) else "")  # a path: a socket of this machine
        return original(self, *args)

    setattr(socket.socket, name, method)


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    if not _is_address(host):  # an address is read, nobody is asked
        _stay("socket.getaddrinfo", host)
    return _resolve(host, *args, **kwargs)


_resolve = socket.getaddrinfo
socket.getaddrinfo = _getaddrinfo
for _name in ("connect", "connect_ex", "sendto"):
    _guarded(_name)


@pytest.fixture
def left_loopback() -> list[str]:
    """The attempts to leave loopback so far; the guard's own test empties it."""
    return _left


@pytest.fixture(autouse=True)
def _stays_on_loopback() -> Iterator[None]:
    """Fail a test that tried to leave loopback, even where the code under test swallowed the error."""
    _left.clear()
    yield
    attempts = list(_left)
    _left.clear()
    assert not attempts, f"left loopback: {attempts}"


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see only the settings that they set, and write no database beside the sources."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/handover.db")


@pytest.fixture
def clock() -> HandClock:
    """Time that stands still until the test moves it."""
    return HandClock()


@pytest.fixture
def tenant() -> Iterator[Any]:
    """A simulated CXone tenant, empty, on a free port."""
    from bot.demo.tenant import Tenant  # noqa: PLC0415 - most tests need none

    with Tenant() as running:
        yield running


@pytest.fixture
def workspace() -> Iterator[Any]:
    """A local Slack workspace on a free port."""
    from bot.demo.workspace import Workspace  # noqa: PLC0415 - most tests need none

    running = Workspace()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Any]:
    """The databases of a real PostgreSQL: one from the environment, else one that the tests bring up."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - most tests need none

    from tests.postgres import Databases, NoPostgres, Server  # noqa: PLC0415 - the same

    given = os.environ.get("HANDOVER_TEST_POSTGRES")
    server = None
    if not given:
        try:
            server = Server()
        except NoPostgres as why:
            if os.environ.get("HANDOVER_POSTGRES") == "required":
                pytest.fail(str(why))
            pytest.skip(str(why))
    databases = Databases(make_url(given) if given else server.url)  # type: ignore[union-attr]
    yield databases
    databases.drop()
    if server is not None:
        server.remove()


@pytest.fixture
def postgres(_postgres: Any) -> Any:
    """Databases on a real PostgreSQL: `.migrated()` and `.empty()` give the address of a new one."""
    return _postgres
