"""A PostgreSQL that is out of reach at the start is waited for, then given up with a sentence."""

from __future__ import annotations

import pytest

from bot import database
from bot.settings import load
from bot.store.engine import StoreError
from tests.clock import HandClock


def test_it_is_tried_again_for_a_while(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a minute, a line each time, no password in any."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://handover:secret-word@127.0.0.1:1/handover")
    clock = HandClock()
    began = clock.monotonic()
    with pytest.raises(StoreError, match="refused"):
        database.open_database(load(), clock=clock)
    said = capsys.readouterr().out
    assert 29 <= clock.monotonic() - began <= 33
    assert said.count("No database yet, trying again") >= 10
    assert "secret-word" not in said


def test_other_commands_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """`migrate`, `audit`, `forget`: at once."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://handover@127.0.0.1:1/handover")
    with pytest.raises(StoreError, match="refused"):
        database.open_database(load())
