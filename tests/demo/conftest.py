"""A tenant whose time stands still, and a plain client that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.demo.tenant import Tenant
from tests.browser import browser
from tests.clock import HandClock
from tests.demo.asking import Client

__all__ = ["browser", "client", "tenant"]


@pytest.fixture
def tenant(clock: HandClock) -> Iterator[Tenant]:
    """A tenant whose time stands still."""
    with Tenant(clock=clock) as running:
        yield running


@pytest.fixture
def client(tenant: Tenant) -> Iterator[Client]:
    """A client of it."""
    one = Client(tenant)
    yield one
    one.close()
