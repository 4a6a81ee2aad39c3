"""The same crash sweep with the tables on PostgreSQL: a crash at every kind of step, times the faults of Slack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from bot.slack import history
from bot.store.engine import for_tenant, open_store
from bot.store.tables import metadata
from tests.stories import sweep
from tests.stories import world as worlds
from tests.stories.sweep import Steps, Tale
from tests.stories.world import World


@pytest.fixture(autouse=True)
def on_postgres(postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Worlds on one database, emptied for each; statements and commits are steps as on SQLite."""
    engine = open_store(postgres.migrated())
    serial = for_tenant(engine, "demo")

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        worlds._now_playing[0].steps.tick(statement[:40])

    @event.listens_for(engine, "commit")
    def _commit(_connection: Any) -> None:
        worlds._now_playing[0].steps.tick("commit")

    empty_engine = open_store(engine.url.render_as_string(hide_password=False))

    def emptied(*arguments: Any, **options: Any) -> World:
        with empty_engine.begin() as connection:
            names = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        return World(*arguments, **options)

    def the_engine() -> Engine:
        return serial

    monkeypatch.setattr(worlds, "_engine", the_engine)
    monkeypatch.setattr(sweep, "World", emptied)
    monkeypatch.setattr(history, "PAGE", 3)
    yield
    engine.dispose()
    empty_engine.dispose()


def _sweep(tale: Tale, faults: Iterable[str], singles: int) -> int:
    """A run without a crash, and some with one at steps spread over it. A database cannot be forked as memory can."""
    runs = 0
    for fault in faults:
        steps = sweep.run(tale, fault).steps
        for crash_at in (10**5, *(steps * each // singles for each in range(singles))):
            result = sweep.run(tale, fault, Steps(10**6, crash_at))
            assert not result.bad, (crash_at, result)
            runs += 1
    return runs


@pytest.mark.long
def test_the_sweep_on_postgres() -> None:
    """Crashes at steps spread over each story, with the faults that need a look before repeating."""
    few = ["accepted, answer lost", "replies lost", "edits fail"]
    runs = _sweep(sweep.TALES[0], few[:1], 12) + sum(_sweep(tale, few[1:], 3) for tale in sweep.TALES[1:])
    assert runs >= 25
