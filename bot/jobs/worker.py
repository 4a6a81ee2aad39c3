"""One of Procrastinate's workers in a thread of its own, begun again whenever it ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from procrastinate import App
from sqlalchemy import Engine

from bot.store.engine import KEEPALIVES

log = structlog.get_logger(__name__)

HEARTBEAT = 2.0  # seconds
STALE = 10.0  # seconds without a heartbeat, after which a worker's jobs are given to others
POLLING = 1.0  # seconds between two looks for jobs whose time has come, or whose lock is free again
BACKOFF = (0.5, 1.0, 2.0, 5.0)


def conninfo(engine: Engine) -> str:
    """The database of an engine, as psycopg wants it."""
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - procrastinate's import above brings it

    _, options = engine.dialect.create_connect_args(engine.url)
    named = {name: value for name, value in options.items() if name != "context"}  # SQLAlchemy's, not the server's
    return make_conninfo("", **{**named, **KEEPALIVES, "application_name": "handover-jobs", "connect_timeout": 5})


def _cancel(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None]) -> None:
    with contextlib.suppress(RuntimeError):  # it has ended meanwhile
        loop.call_soon_threadsafe(work.cancel)


class Worker:
    """One of Procrastinate's workers in a thread of its own, begun again whenever it ends."""

    def __init__(self, app: App, engine: Engine, options: dict[str, Any]) -> None:
        self.problem = "The jobs: not connected to PostgreSQL yet."
        self._app = app
        self._engine = engine
        self._options = options
        self._stopping = threading.Event()
        self._stop_loop: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._loop, name=f"jobs-{options['queues'][0]}", daemon=True)
        self.start, self.join = self._thread.start, self._thread.join

    def stop(self) -> None:
        """Take no further jobs."""
        self._stopping.set()
        self._stop_loop()

    def _loop(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                asyncio.run(self._main())
            except Exception as error:  # noqa: BLE001 - whatever it was, the next try comes
                log.warning("The worker ended", error=type(error).__name__)
            if self._stopping.is_set():
                return
            self.problem = "The jobs: no connection to PostgreSQL."
            failures = 0 if time.monotonic() - began > 2 * STALE else failures + 1
            wait = BACKOFF[min(failures, len(BACKOFF) - 1)]
            log.warning("The worker is begun again", seconds=wait)
            self._stopping.wait(wait)

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        threads = int(self._options["concurrency"])
        loop.set_default_executor(ThreadPoolExecutor(threads + 2, thread_name_prefix="job"))
        async with self._app.open_async():
            work = asyncio.create_task(
                self._app.run_worker_async(
                    **self._options,
                    fetch_job_polling_interval=POLLING,
                    abort_job_polling_interval=3600.0,
                    update_heartbeat_interval=HEARTBEAT,
                    stalled_worker_timeout=STALE,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            )
            self._stop_loop = lambda: _cancel(loop, work)
            if self._stopping.is_set():
                work.cancel()
            self.problem = ""
            try:
                await work
            except asyncio.CancelledError:
                return
            finally:
                self._stop_loop = lambda: None
