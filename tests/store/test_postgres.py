"""The same store on PostgreSQL: migration by many at once, one writer a tenant, one snapshot a look."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from bot.jobs import schema
from bot.store import facts
from bot.store.engine import StoreBroken, for_tenant, migrate, open_store, reading, schema_version, writing

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def test_ten_migrate_an_empty_database_at_once(postgres: Any) -> None:
    """All ten end with the newest schema, Procrastinate's tables included."""
    url = postgres.empty()
    engines = [open_store(url) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        versions = list(pool.map(lambda engine: migrate(engine, schema.migrate), engines))
    found, newest = schema_version(engines[0])
    with reading(engines[0]) as connection:
        jobs = connection.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
        step = facts.fact(connection, "", schema.STEP)
    for engine in engines:
        engine.dispose()
    assert set(versions) == {newest}
    assert found == newest
    assert jobs == 0
    assert step is not None


def test_a_later_step_of_procrastinate_is_applied_once(
    postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database at an earlier step gets the later files, and no earlier one."""
    engine = open_store(postgres.migrated())
    (tmp_path / "03.00.00_01_earlier.sql").write_text("SELECT 1/0")
    (tmp_path / "99.00.00_01_later.sql").write_text("CREATE TABLE later (a int); COMMENT ON TABLE later IS '100 %s'")
    monkeypatch.setattr(SchemaManager, "get_migrations_path", lambda: str(tmp_path))
    migrate(engine, schema.migrate)
    migrate(engine, schema.migrate)
    with reading(engine) as connection:
        there = connection.scalar(text("SELECT to_regclass('later')"))
        step = facts.fact(connection, "", schema.STEP)
    engine.dispose()
    assert there == "later"
    assert step is not None
    assert step.value == "99.00.00_01_later"


def test_writes_of_one_tenant_wait_for_each_other_and_for_no_other_tenant(postgres: Any) -> None:
    """The second writer of the same tenant begins after the first has committed."""
    engine = open_store(postgres.migrated())
    emea, apac = for_tenant(engine, "emea"), for_tenant(engine, "apac")
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with writing(for_tenant(engine, "emea")):
            order.append("second")

    with writing(emea):
        other = threading.Thread(target=second)
        other.start()
        begun.wait(5)
        with writing(apac):
            order.append("other tenant")
        with reading(emea):
            order.append("reader")
        other.join(0.3)
        order.append("first")
    other.join(5)
    engine.dispose()
    assert order == ["other tenant", "reader", "first", "second"]


def test_a_look_sees_one_moment(postgres: Any) -> None:
    """What is committed during a look is not seen by it."""
    engine = open_store(postgres.migrated())
    with reading(engine) as connection:
        before = facts.fact(connection, "t", "x")
        with writing(engine) as other:
            facts.note(other, "t", "x", NOW)
        after = facts.fact(connection, "t", "x")
    engine.dispose()
    assert before is None
    assert after is None


def test_a_database_out_of_reach_is_a_sentence() -> None:
    """Nothing listens there: StoreBroken, without the password."""
    engine = open_store("postgresql+psycopg://handover:secret-word@127.0.0.1:1/handover")
    with pytest.raises(StoreBroken) as broken, writing(engine):
        pass
    engine.dispose()
    assert "refused" in str(broken.value)
    assert "secret-word" not in str(broken.value)
