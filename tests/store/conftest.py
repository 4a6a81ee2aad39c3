"""A migrated database for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.store.engine import migrate, open_store


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty database of the newest schema."""
    opened = open_store(f"sqlite:///{tmp_path}/handover.db", sync="OFF")
    migrate(opened)
    yield opened
    opened.dispose()
