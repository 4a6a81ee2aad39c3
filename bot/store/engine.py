"""The database: opened, migrated, locked against a second `run`.

    StoreError                  a sentence for people
    ├── StoreBroken             it cannot be opened, is no database of ours, or cannot be written
    ├── StoreNewer              a newer version of the bot wrote it
    └── StoreTaken              another `run` holds it

SQLite runs in WAL mode with full sync, `BEGIN IMMEDIATE` for whatever writes, and a busy timeout. The lock that keeps
a second `run` out is on a file of its own: closing the database file would drop SQLite's own locks. Threads of one
process take turns at writing: SQLite's waiting is a lottery in which one of many can lose for more than ten seconds.

PostgreSQL gives the same order to the writes of one tenant by an advisory lock (see `for_tenant`), and one snapshot
to a look. Dead peers are noticed by keepalives, so that no lock outlives its holder for long.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolEmpty

BUSY_SECONDS = 10
CACHE = "cache_size=-512"  # kB, in each of several connections; the system caches the file anyway
ADVISORY_KEY = 4_711_009  # one lock for whoever migrates a PostgreSQL database
SENTENCES = (
    (("full", "no space"), "The database cannot grow: the disk is full. Nothing was skipped; free some space."),
    (
        ("readonly", "read-only"),
        "The database cannot be written: it is read-only. The bot must be able to write the file and its folder.",
    ),
    (("locked", "busy"), f"The database was busy for more than {BUSY_SECONDS} s. Another process holds it."),
    (("not a database", "malformed"), "The database file is damaged or is no database."),
    (("unable to open",), "The database file cannot be opened. Its folder must exist and be writable."),
    (("starting up", "shutting down"), "PostgreSQL is starting or stopping."),
    (("no such table", "does not exist"), "The database has no tables yet. Run: handover-bot migrate"),
)
POOL_KEPT, POOL_MORE = 5, 27  # connections to PostgreSQL: kept open, and opened beyond them while they are needed
KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 12_000}
SESSION = {  # of the server's end: a peer that vanished, or that hangs within a transaction, holds no lock for long
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
}
MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = max(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # by the database's path


class StoreError(Exception):
    """The database cannot serve; the message is a sentence for people."""


class StoreBroken(StoreError):  # noqa: N818 - reads as a sentence where it is raised
    """It cannot be opened, is no database of ours, is full or cannot be written."""


class StoreNewer(StoreError):  # noqa: N818 - the same
    """A newer version of the bot wrote it."""


class StoreTaken(StoreError):  # noqa: N818 - the same
    """Another process holds it."""


def open_store(url: str, *, sync: str = "FULL") -> Engine:
    """An engine for `DATABASE_URL`. A new SQLite file is made readable by its owner alone."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _open_postgresql(parsed)
    path = parsed.database
    if path and path != ":memory:":
        _make_private(Path(path))
    engine = create_engine(
        parsed,
        pool_use_lifo=True,  # each has a cache of its own: few that are warm are better than all
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # this module says when a transaction begins
        for pragma in ("journal_mode=WAL", f"synchronous={sync}", f"busy_timeout={BUSY_SECONDS * 1000}", CACHE):
            with contextlib.suppress(sqlite3.OperationalError):  # a read-only file: said at the first write
                connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _open_postgresql(parsed: URL) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    try:
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=POOL_KEPT,
            max_overflow=POOL_MORE,
            connect_args={"connect_timeout": 5, "application_name": "handover", "options": options} | KEEPALIVES,
        )
    except ModuleNotFoundError as error:
        raise StoreBroken("PostgreSQL needs the extra `postgres`: pip install 'handover-bot[postgres]'.") from error

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        serial = connection.get_execution_options().get("serial")
        if serial is not None:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": serial})

    return engine


def for_tenant(engine: Engine, tenant: str) -> Engine:
    """The same database and pool, where one write transaction of this tenant runs at a time in all processes.

    The watcher decides by what it reads ("a reply is planned already"); on SQLite nothing can come between, and here
    neither. Other tenants go on beside it.
    """
    return engine.execution_options(serial=f"tenant:{tenant}") if engine.dialect.name == "postgresql" else engine


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write. Raises StoreBroken for a full or read-only database."""
    try:
        with _turn(engine), engine.begin() as connection:
            yield connection
    except (DBAPIError, PoolEmpty) as error:
        raise StoreBroken(explain(error)) from error


@contextlib.contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """This thread's turn to write; PostgreSQL has its own order."""
    if engine.dialect.name != "sqlite":
        yield
        return
    turn = _turns[str(engine.url.database)]
    if not turn.acquire(timeout=BUSY_SECONDS):
        raise StoreBroken(f"The database was busy for more than {BUSY_SECONDS} s.")
    try:
        yield
    finally:
        turn.release()


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent look that waits for no writer."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options = {"serial": None, "isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect().execution_options(**options) as connection:
            yield connection
    except (DBAPIError, PoolEmpty) as error:
        raise StoreBroken(explain(error)) from error


def explain(error: SQLAlchemyError) -> str:
    """What is wrong with the database, as a sentence; never a statement or a parameter."""
    said = str(getattr(error, "orig", None) or type(error).__name__)
    low = said.lower()
    for words, sentence in SENTENCES:
        if any(word in low for word in words):
            return sentence
    return f"The database failed: {said.splitlines()[0][:200]}"


def migrate(engine: Engine, also: Callable[[Connection], None] | None = None) -> str:
    """Bring the schema to the newest version; safe when several do it at once. Returns the version.

    `also` is run in the same transaction, after ours: the tables of the engine that runs the jobs.
    """
    try:
        with engine.begin() as connection:  # SQLite: BEGIN IMMEDIATE lets one in at a time
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_KEY})
            if _found(connection) != NEWEST:
                _upgrade(connection)
            if also is not None:
                also(connection)
    except DBAPIError as error:
        raise StoreBroken(explain(error)) from error
    return NEWEST


def schema_version(engine: Engine) -> tuple[str, str]:
    """The version that the database has, empty if none, and the newest that we know."""
    with reading(engine) as connection:
        return _found(connection), NEWEST


def _found(connection: Connection) -> str:
    """As Alembic keeps it."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _upgrade(connection: Connection) -> None:
    """Alembic is 12 MB, which a bot whose database is up to date does not carry along."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - the same
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _found(connection)
    if found and found not in known:
        raise StoreNewer(f"The database was written by a newer version of the bot (schema {found}). Update the bot.")
    command.upgrade(config, "head")


def take_lock(url: str) -> int | None:
    """Hold `<database>.lock` for as long as this process lives. None where the database is no file.

    Raises StoreTaken if another process holds it. Keep the descriptor; closing it lets the lock go.
    """
    parsed = make_url(url)
    path = parsed.database
    if parsed.get_backend_name() != "sqlite" or not path or path == ":memory:":
        return None
    try:
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreBroken(f"The lock file {path}.lock cannot be made: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreTaken(f"Another `handover-bot run` uses {path}. Stop it first, or set DATABASE_URL.") from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _make_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        if not os.access(path, os.R_OK):
            raise StoreBroken(f"The database {path} cannot be opened: {error.strerror}.") from error
