"""Threads for calls in parallel: people's and the watcher's apart, so that neither waits for the other's."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.cxone.rate import Priority

T = TypeVar("T")


class Pools:
    """A pool a priority. A job must not submit further ones to the same pools, or they could wait for themselves."""

    def __init__(self, name: str, at_once: Mapping[Priority, int]) -> None:
        """Start no thread yet; `at_once` is how many of a priority may run."""
        self._pools = {
            priority: concurrent.futures.ThreadPoolExecutor(many, thread_name_prefix=f"{name}-{priority}")
            for priority, many in at_once.items()
        }

    def submit(self, priority: Priority, job: Callable[..., T], *args: Any) -> concurrent.futures.Future[T]:
        """Run one job in parallel."""
        return self._pools[priority].submit(job, *args)

    def close(self, *, wait: bool = False) -> None:
        """Take nothing more, and drop what has not begun; what is under way may finish."""
        for pool in self._pools.values():
            pool.shutdown(wait=wait, cancel_futures=True)
