"""What the bot counts of itself, for Prometheus. Every name begins with `handover_`; no label holds an id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot import __version__
from bot.cxone.http import Call

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Metrics:
    """The counters of one process."""

    def __init__(self, ready: Callable[[], bool], ledger: Callable[[], Mapping[str, int]]) -> None:
        """`ready` and `ledger` are asked at each reading."""
        self.registry = CollectorRegistry()
        self._uses = Counter(
            "handover_uses",
            "Commands, buttons and menus, by what became of them",
            ["action", "result"],
            registry=self.registry,
        )
        self._calls = Counter(
            "handover_cxone_requests",
            "Calls to CXone; status 0 had no answer",
            ["route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "handover_cxone_seconds", "How long a call to CXone took", registry=self.registry, buckets=_BUCKETS
        )
        self.registry.register(_Now(ready, ledger))
        ProcessCollector(namespace="handover", registry=self.registry)

    def used(self, action: str, result: str) -> None:
        """Somebody used the bot."""
        self._uses.labels(action, result.partition(":")[0]).inc()

    def called(self, call: Call) -> None:
        """CXone was asked."""
        self._calls.labels(call.route, str(call.status or 0)).inc()
        self._seconds.observe(call.seconds)

    def page(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Now(Collector):
    """What is looked up when somebody reads."""

    def __init__(self, ready: Callable[[], bool], ledger: Callable[[], Mapping[str, int]]) -> None:
        self._ready = ready
        self._ledger = ledger

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("handover_ready", "1 while /readyz says so", value=float(self._ready()))
        where = GaugeMetricFamily(
            "handover_ledger", "Where the failed handovers owed to channels are", labels=["state"]
        )
        for state, count in self._ledger().items():
            where.add_metric([state], float(count))
        yield where
        info = GaugeMetricFamily("handover_build", "The version that runs", labels=["version"])
        info.add_metric([__version__], 1.0)
        yield info
