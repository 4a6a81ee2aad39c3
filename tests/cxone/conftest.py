"""An investigator in front of a simulated tenant, both in time that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.clock import Clock
from bot.cxone import lookup
from bot.cxone.http import Session
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.demo.tenant import Tenant
from tests.clock import HandClock

Build = Callable[..., Investigator]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other calls of a number are waited for, however busy the machine is that runs the tests."""
    monkeypatch.setattr(lookup, "_FEW", 10.0)


@pytest.fixture
def server(clock: HandClock) -> Iterator[Tenant]:
    """A tenant whose time is the test's."""
    with Tenant(clock=clock) as running:
        running.users["u-1"] = {"id": "u-1", "name": "Anna"}
        yield running


@pytest.fixture
def investigator_of() -> Iterator[Build]:
    """Builds investigators, and ends their threads afterwards."""
    built: list[Investigator] = []

    def build(server: Tenant, clock: Clock, **more: Any) -> Investigator:
        session = Session(server.url, client_credentials("demo-client", "demo-secret"), clock)
        built.append(Investigator(Conversations(session, clock, "demo"), clock, **more))
        return built[-1]

    yield build
    for each in built:
        each.close()


@pytest.fixture
def desk(server: Tenant, clock: HandClock, investigator_of: Build) -> Investigator:
    """The usual one."""
    return investigator_of(server, clock)
