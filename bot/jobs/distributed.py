"""The engine for more than one process: Procrastinate on PostgreSQL. The same port as `local`.

A job is a row of Procrastinate's: its `lock` lets one run a key in all processes, its queueing lock lets one wait. The
tables of the store carry every promise, so a job that is lost or repeated changes nothing.

Seen in Procrastinate 3.10: the sweep of stalled jobs is the user's to write, and must have no lock of its own; a worker
that loses its connection ends as if all were well, so it runs in a loop here; a periodic task is deferred once a tick
over all workers; synchronous jobs run in the event loop's default pool, which is small unless it is set. The ticks
have a worker of their own, so that long polls cannot keep them waiting; and so have jobs that wait for somebody who may
be slow (polls), so that they keep no delivery waiting. Of those that were slow the last time, a few run at a time.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32

import structlog
from procrastinate import App, JobContext, PsycopgConnector, SyncPsycopgConnector, exceptions
from procrastinate.jobs import Job, Status
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.jobs import Keyed
from bot.jobs.local import AFTER_A_FAULT, SECONDS_TO_FINISH
from bot.jobs.worker import STALE, Worker, conninfo
from bot.store import facts

log = structlog.get_logger(__name__)

TICK = 2  # seconds; a period is kept to this
EVERY_TICK = f"* * * * * */{TICK}"  # the seconds are the last field
THREADS, WAITING = 16, 32  # jobs at a time in one process, and of those that wait; a thread is made when it is needed
SLOW = 10.0  # seconds of a job that waits, after which it is slow
SLOW_AT_ONCE, SLOW_LATER = 8, 2.0  # so many of them in one process; seconds after which another one tries again
WORK, WAITS, TICKS, TASK = "work", "waits", "ticks", "handover"
LAST_TICK = "tick"  # the fact: up to when periods were looked at

_WAITING = text(
    "UPDATE procrastinate_jobs SET scheduled_at = CASE WHEN CAST(:at AS timestamptz) IS NULL OR scheduled_at IS NULL"
    " THEN NULL ELSE LEAST(scheduled_at, CAST(:at AS timestamptz)) END"
    " WHERE queueing_lock = :slot AND status = 'todo' RETURNING id"
)

_RETRY = text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
_REMOVE = text("SELECT procrastinate_finish_job_v1(:id, 'failed', true)")


@dataclass(frozen=True, slots=True)
class _Periodic:
    seconds: float
    offset: float  # spreads the tenants' polls over the period
    waits: bool = False

    def due(self, since: float, until: float) -> bool:
        """Whether a beginning of the period lies after `since` and not after `until` (seconds of the epoch)."""
        return (until - self.offset) // self.seconds > (since - self.offset) // self.seconds


class Distributed:
    """Defers jobs, and with `work` runs them, until it is stopped."""

    def __init__(self, engine: Engine, *, work: bool = True) -> None:
        """Nothing is connected yet."""
        logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it tells of every job at INFO
        self.stopping = threading.Event()
        self._engine = engine
        self._work = work
        self._jobs: dict[str, Keyed] = {}
        self._periodic: dict[str, _Periodic] = {}
        self._deferring = App(connector=SyncPsycopgConnector())
        self._workers: list[Worker] = []
        self._running: set[int] = set()  # ids of jobs at work
        self._slow = _Slow()

    # ---- the port -------------------------------------------------------------------------------------------------

    def periodic(self, name: str, seconds: float, job: Callable[[], object], *, waits: bool = False) -> None:
        """Run a job every so many seconds, once over all processes, and at once when it is nudged."""

        def ignoring_key(key: str) -> None:
            del key
            job()

        self._jobs[name] = ignoring_key
        self._periodic[name] = _Periodic(seconds, crc32(name.encode()) % 10_000 / 10_000 * seconds, waits)

    def keyed(self, name: str, job: Keyed) -> None:
        """A job that runs for one key when it is nudged, one run a key at a time over all processes."""
        self._jobs[name] = job

    def nudge(self, name: str, key: str = "", at: datetime | None = None) -> None:
        """There is something to do, now or at a time. At most one waits a key, the earliest. Never raises."""
        slot = f"{name}/{key}"
        try:
            with self._engine.begin() as connection:
                if connection.execute(_WAITING, {"slot": slot, "at": at}).first() is None:
                    self._deferring.configure_task(
                        TASK,
                        queue=WAITS if self._waits(name) else WORK,
                        lock=slot,
                        queueing_lock=slot,
                        schedule_at=at,
                        connection=connection.connection.dbapi_connection,
                    ).defer(name=name, key=key)
        except exceptions.AlreadyEnqueued:
            pass  # somebody was faster
        except (SQLAlchemyError, exceptions.ProcrastinateException) as error:
            log.warning("A nudge was lost; the next sweep finds the work", job=name, error=type(error).__name__)

    def start(self) -> None:
        """Begin to work, without waiting for the database."""
        if not self._work:
            return
        self._workers = [
            Worker(self._app(self._add_run), self._engine, {"queues": [WORK], "concurrency": THREADS}),
            Worker(self._app(self._add_run), self._engine, {"queues": [WAITS], "concurrency": WAITING}),
            Worker(self._app(self._add_tick), self._engine, {"queues": [TICKS], "concurrency": 2}),
        ]
        for worker in self._workers:
            worker.start()
        threading.Thread(target=self._nudge_all, name="first-nudges", daemon=True).start()

    def stop(self) -> None:
        """Take nothing more, let what runs finish for some seconds, and give the rest back to the others."""
        self.stopping.set()
        for worker in self._workers:
            worker.stop()
        until = time.monotonic() + SECONDS_TO_FINISH
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
        for job_id in list(self._running):
            self._give_back(job_id)

    def reasons(self) -> list[str]:
        """Why no jobs are run here, if so."""
        return list(dict.fromkeys(worker.problem for worker in self._workers if worker.problem))

    # ---- the tasks ------------------------------------------------------------------------------------------------

    def _app(self, add: Callable[[App], None]) -> App:
        app = App(connector=PsycopgConnector(conninfo=conninfo(self._engine), min_size=1, max_size=4))
        add(app)
        return app

    def _add_run(self, app: App) -> None:
        @app.task(name=TASK, pass_context=True)
        def run(context: JobContext, *, name: str, key: str) -> None:
            if context.job.id is None or self.stopping.is_set():
                self.nudge(name, key)
                return
            if not self._slow.may_begin(name):
                self.nudge(name, key, datetime.now(UTC) + timedelta(seconds=SLOW_LATER))
                return
            self._running.add(context.job.id)
            began = time.monotonic()
            try:
                again = self._run(name, key)
            finally:
                self._running.discard(context.job.id)
                self._slow.ended(name, is_slow=self._waits(name) and time.monotonic() - began > SLOW)
            if again is not None:
                self.nudge(name, key, again)

    def _add_tick(self, app: App) -> None:
        @app.periodic(cron=EVERY_TICK)
        @app.task(name="tick", queue=TICKS, queueing_lock="tick", priority=10)
        async def tick(timestamp: int) -> None:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALE):
                await _take_over(app, job)
            await asyncio.to_thread(self._tick, float(timestamp))

    def _waits(self, name: str) -> bool:
        return name in self._periodic and self._periodic[name].waits

    def _run(self, name: str, key: str) -> datetime | None:
        """Run it once; when it is to run again. What failed is logged and goes on where the tables say."""
        job = self._jobs.get(name)
        if job is None:
            log.warning("A job that this process does not know; do all processes have the same settings?", job=name)
            return None
        try:
            return job(key)
        except Exception:
            log.exception("A job failed", job=name)
            return datetime.now(UTC) + timedelta(seconds=AFTER_A_FAULT)

    def _tick(self, now: float) -> None:
        """Nudge what has a period that began since the last tick, whichever process had that one."""
        with self._engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('tick', 0))"))
            last = facts.fact(connection, "", LAST_TICK)
            since = last.at.timestamp() if last is not None else now  # at the first tick of all, `start` has nudged
            if last is not None and since >= now:
                return
            facts.renew(connection, "", LAST_TICK, datetime.fromtimestamp(now, UTC))
        for name in due(self._periodic, since, now):
            self.nudge(name)

    def _nudge_all(self) -> None:
        for name in self._periodic:
            self.nudge(name)

    def _give_back(self, job_id: int) -> None:
        """A job that would not end in time: others may take it at once. Where the same waits already, that one does."""
        for statement in (_RETRY, _REMOVE):
            try:
                with self._engine.begin() as connection:
                    connection.execute(statement, {"id": job_id})
            except IntegrityError:
                continue
            except SQLAlchemyError as error:  # ended meanwhile, or no database: the sweep of the others sees to it
                log.info("A job is left to the others", job=job_id, error=type(error).__name__)
            return


class _Slow:
    """Which jobs took long the last time in this process, and which of these run now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._running: set[str] = set()

    def may_begin(self, name: str) -> bool:
        """Whether it may run now, noted if so."""
        with self._lock:
            if name in self._known:
                if len(self._running) >= SLOW_AT_ONCE:
                    return False
                self._running.add(name)
            return True

    def ended(self, name: str, *, is_slow: bool) -> None:
        """It ran."""
        with self._lock:
            self._running.discard(name)
            (self._known.add if is_slow else self._known.discard)(name)


def due(periods: Mapping[str, _Periodic], since: float, until: float) -> list[str]:
    """The names whose period began after `since`, up to `until`."""
    return [name for name, period in periods.items() if period.due(since, until)]


async def _take_over(app: App, job: Job) -> None:
    """Let others run what a dead worker left. Where the same is waiting already, that one does."""
    log.info("Taking over from a worker that is gone", job=job.queueing_lock or job.task_name)
    try:
        await app.job_manager.retry_job(job)
    except exceptions.UniqueViolation:
        await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
    except exceptions.ConnectorException as error:  # another sweep was faster
        log.info("Not taken over", job=job.id, error=str(error))
