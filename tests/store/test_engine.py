"""The database: opened, migrated, locked, and what it says when it cannot serve."""

from __future__ import annotations

import concurrent.futures
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text

from bot.store import keys
from bot.store.engine import (
    MIGRATIONS,
    NEWEST,
    StoreBroken,
    StoreNewer,
    StoreTaken,
    migrate,
    open_store,
    reading,
    schema_version,
    take_lock,
    writing,
)
from bot.store.tables import cursors, metadata

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def _url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/handover.db"


def test_migrating_makes_every_table(tmp_path: Path) -> None:
    """The migrations and the tables say the same, and migrating twice is one."""
    engine = open_store(_url(tmp_path))
    assert migrate(engine) == migrate(engine)
    with reading(engine) as connection:
        found = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
    assert set(metadata.tables) <= found
    newest, known = schema_version(engine)
    assert newest == known
    engine.dispose()


def test_several_migrate_at_once(tmp_path: Path) -> None:
    """Whoever comes second waits, and finds it done."""

    def one(_: int) -> str:
        engine = open_store(_url(tmp_path))
        try:
            return migrate(engine)
        finally:
            engine.dispose()

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(one, range(6)))) == 1


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A database of a newer version is left alone."""
    engine = open_store(_url(tmp_path))
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreNewer, match="newer version"):
        migrate(engine)
    engine.dispose()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Database, lock and key are 0600."""
    engine = open_store(_url(tmp_path))
    migrate(engine)
    lock = take_lock(_url(tmp_path))
    key = keys.hash_key("", _url(tmp_path))
    assert lock is not None
    assert key == keys.hash_key("", _url(tmp_path))
    for name in ("handover.db", "handover.db.lock", "handover.db.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    engine.dispose()


def test_a_second_run_is_kept_out(tmp_path: Path) -> None:
    """The sentence says what to do."""
    lock = take_lock(_url(tmp_path))
    with pytest.raises(StoreTaken, match="Another"):
        take_lock(_url(tmp_path))
    assert lock is not None


def test_a_full_database_says_so(tmp_path: Path) -> None:
    """A write that does not fit is refused with a sentence, and nothing of it stays."""
    engine = open_store(_url(tmp_path))
    migrate(engine)
    with reading(engine) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # stays with the pooled connection
    with pytest.raises(StoreBroken, match="disk is full"), writing(engine) as connection:
        connection.execute(insert(cursors).values(tenant="x" * 500_000, polled_at=NOW))
    with reading(engine) as connection:
        assert connection.execute(select(cursors)).all() == []
    engine.dispose()


def test_a_read_only_database_says_so(tmp_path: Path) -> None:
    """Reading serves; writing is refused with a sentence."""
    engine = open_store(_url(tmp_path))
    migrate(engine)
    with reading(engine) as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.execute(select(cursors)).all()
    with pytest.raises(StoreBroken, match="read-only"), writing(engine) as connection:
        connection.execute(insert(cursors).values(tenant="x"))
    engine.dispose()


def test_what_is_no_database_says_so(tmp_path: Path) -> None:
    """Any other file is refused."""
    (tmp_path / "handover.db").write_text(
        "not a database, just some text that is long enough to be read as a header" * 20
    )
    engine = open_store(_url(tmp_path))
    with pytest.raises(StoreBroken, match="no database"):
        migrate(engine)
    engine.dispose()


def test_times_keep_their_zone(tmp_path: Path) -> None:
    """Aware in, aware out; naive is refused."""
    engine = open_store(_url(tmp_path))
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(insert(cursors).values(tenant="t", polled_at=NOW))
        assert connection.scalar(select(cursors.c.polled_at)) == NOW
    with pytest.raises(Exception, match="without a zone"), writing(engine) as connection:
        connection.execute(insert(cursors).values(tenant="u", polled_at=NOW.replace(tzinfo=None)))
    engine.dispose()


def test_a_reader_waits_for_no_writer(tmp_path: Path) -> None:
    """While a transaction writes, others read what was before."""
    engine = open_store(_url(tmp_path))
    migrate(engine)
    with writing(engine) as writer:
        writer.execute(insert(cursors).values(tenant="t"))
        with reading(engine) as connection:
            assert connection.execute(select(cursors)).all() == []
    engine.dispose()
    assert sqlite3.connect(tmp_path / "handover.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_newest_version_is_what_alembic_says() -> None:
    """It is read from the file names, so that a database that is up to date needs no Alembic."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


def test_many_threads_write_in_turns(tmp_path: Path) -> None:
    """None waits for SQLite's own lock, in which one of many can lose for long."""
    engine = open_store(_url(tmp_path))
    migrate(engine)

    def one(number: int) -> None:
        with writing(engine) as connection:
            connection.execute(insert(cursors).values(tenant=f"t{number}", polled_at=NOW))

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(one, range(64)))
    with reading(engine) as connection:
        assert len(connection.scalars(select(cursors.c.tenant)).all()) == 64
    engine.dispose()
