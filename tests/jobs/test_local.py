"""Threads of one process: periodic, nudged, stopped, and alive after a fault."""

from __future__ import annotations

import threading

from bot.jobs.local import Local


def test_a_nudge_runs_a_periodic_job_at_once() -> None:
    """The next run need not wait for its time."""
    jobs, ran = Local(), threading.Semaphore(0)
    jobs.periodic("poll", 3600, ran.release)
    jobs.start()
    try:
        assert ran.acquire(timeout=5)
        jobs.nudge("poll")
        assert ran.acquire(timeout=5)
    finally:
        jobs.stop()


def test_a_fault_does_not_end_a_job() -> None:
    """What raised runs again."""
    jobs, ran = Local(), threading.Semaphore(0)

    def job() -> None:
        ran.release()
        raise ValueError("once more")

    jobs.periodic("poll", 0.01, job)
    jobs.start()
    try:
        assert ran.acquire(timeout=5)
        assert ran.acquire(timeout=5)
    finally:
        jobs.stop()


def test_stop_waits_for_what_is_under_way() -> None:
    """A job that began is finished."""
    jobs, begun, finished = Local(), threading.Event(), threading.Event()
    go_on = threading.Event()

    def job() -> None:
        begun.set()
        go_on.wait(5)
        finished.set()

    jobs.periodic("poll", 3600, job)
    jobs.start()
    assert begun.wait(5)
    go_on.set()
    jobs.stop()
    assert finished.is_set()
