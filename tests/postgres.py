"""A real PostgreSQL for tests: from `HANDOVER_TEST_POSTGRES`, else brought up here and taken down at the end.

The programs are Debian's, or those that pip's `pgserver` carries. A server that we start has a folder of its own, a
free port of loopback and no access beyond it; as root it runs as a user of its own, since PostgreSQL refuses root.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url

_UNSAFE_AND_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")  # a test machine's power does not fail
_SETTINGS = ("-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal")


class NoPostgres(Exception):  # noqa: N818 - it is what is the case
    """There is no PostgreSQL on this machine."""


def programs() -> Path:
    """Where initdb and pg_ctl are. Raises NoPostgres."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    with contextlib.suppress(ImportError):
        import pgserver  # noqa: PLC0415 - only where Debian's is not

        return Path(pgserver.__file__).parent / "pginstall" / "bin"
    raise NoPostgres("no PostgreSQL: install Debian's postgresql, or pgserver with pip")


class Server:
    """A PostgreSQL of our own, in a folder of its own."""

    def __init__(self) -> None:
        """Make it and start it."""
        self._programs = programs()
        self._user = _other_user() if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="handover-pg-"))
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._run("initdb", "-D", self._data, "-U", "handover", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    @property
    def url(self) -> URL:
        """Its first database."""
        return make_url(f"postgresql+psycopg://handover@127.0.0.1:{self.port}/postgres")

    def start(self) -> None:
        """Start it and wait until it answers."""
        listen = ("-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}", "-k", str(self._folder))
        options = " ".join((*listen, *_SETTINGS, *_UNSAFE_AND_FAST))
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` ends all connections, `immediate` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "stop")

    def remove(self) -> None:
        """Stop it and leave nothing."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        who: dict[str, Any] = {}
        if self._user is not None:
            who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            check=True,
            timeout=120,
            **who,
        )


def _other_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("PostgreSQL refuses root, and there is no user postgres or nobody")


class Databases:
    """Databases on one server: each new one is a copy of a migrated template, or empty."""

    _names = itertools.count(1)

    def __init__(self, url: URL) -> None:
        """Nothing is made yet."""
        self.url = url
        self._template = ""
        self._made: list[str] = []

    def empty(self) -> str:
        """The address of a new, empty database."""
        return self._create("template0")

    def migrated(self) -> str:
        """The address of a new database of the newest schema."""
        if not self._template:
            from bot.jobs import schema  # noqa: PLC0415 - the migration is what is under test elsewhere
            from bot.store.engine import migrate, open_store  # noqa: PLC0415 - the same

            url = self.empty()
            engine = open_store(url)
            migrate(engine, schema.migrate)
            engine.dispose()
            self._template = make_url(url).database or ""
        return self._create(self._template)

    def drop(self) -> None:
        """Drop all that was made."""
        with self._admin() as connection:
            for name in self._made:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        self._made.clear()

    def _create(self, template: str) -> str:
        name = f"handover_test_{os.getpid()}_{next(self._names)}"
        with self._admin() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        self._made.append(name)
        return self.url.set(database=name).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def _admin(self) -> Iterator[Connection]:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
