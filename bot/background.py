"""What runs by itself, for all tenants: polls, deliveries, sweeps, purges, on whichever engine runs jobs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

import requests
import structlog
from sqlalchemy import Engine

from bot.alerting import SWEEP, Alerting
from bot.clock import Clock
from bot.jobs import Jobs
from bot.store import deliveries
from bot.store.engine import StoreError, reading

log = structlog.get_logger(__name__)

HOUSE, HEARTBEAT = "house", "heartbeat"
HOUSE_SECONDS, HEARTBEAT_SECONDS, PREPARE_SECONDS, ASK_SECONDS = 3600.0, 60.0, 5.0, 10.0


class Background:
    """A part of `run` and of `worker`."""

    def __init__(
        self,
        tenants: Sequence[Alerting],
        jobs: Jobs,
        engine: Engine,
        clock: Clock,
        *,
        sweep_seconds: float,
        heartbeat_url: str = "",
        also: Callable[[], list[str]] = list,
    ) -> None:
        """Nothing runs yet. `sweep_seconds`: between two looks for something to send that nobody nudged.

        `also` says what of the process, beside all this, is against its being ready.
        """
        self.tenants = tenants
        self._jobs = jobs
        self._engine = engine
        self._clock = clock
        self._sweep_seconds = sweep_seconds
        self._heartbeat_url = heartbeat_url
        self._also = also

    def start(self) -> None:
        """Begin, without waiting for anybody."""
        for tenant in self.tenants:
            self._jobs.periodic(f"poll:{tenant.tenant}", tenant.options.poll_seconds, tenant.poll, waits=True)
            self._jobs.keyed(f"deliver:{tenant.tenant}", tenant.deliver)
        self._jobs.periodic(SWEEP, self._sweep_seconds, self.sweep)
        self._jobs.periodic(HOUSE, HOUSE_SECONDS, self.purge)
        if self._heartbeat_url:
            self._jobs.periodic(HEARTBEAT, HEARTBEAT_SECONDS, self.heartbeat)
        self._jobs.start()
        threading.Thread(target=self._prepare, name="channels", daemon=True).start()
        threading.Thread(target=self._ask_slack, name="ask-slack", daemon=True).start()

    def stop(self) -> None:
        """Finish what is under way."""
        self._jobs.stop()
        self._engine.dispose()

    def _prepare(self) -> None:
        """Learn the channels of the settings also where no poll runs; commands speak of them."""
        while not self._jobs.stopping.is_set():
            try:
                waiting = [tenant for tenant in self.tenants if not tenant.prepare()]
                if not waiting:
                    return
            except StoreError as why:
                log.warning("channels not looked up", reason=str(why))
            self._jobs.stopping.wait(PREPARE_SECONDS)

    def _ask_slack(self) -> None:
        """Learn whether Slack takes the bot, in each process by itself, once a workspace."""
        while not self._jobs.stopping.is_set():
            known: dict[str, str] = {}
            for tenant in self.tenants:
                workspace = tenant.notifier.workspace
                if workspace not in known:
                    known[workspace] = tenant.ask_slack()
                tenant.slack_said(known[workspace])
            self._jobs.stopping.wait(ASK_SECONDS)

    # ---- jobs -----------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Wake the deliveries of every channel that something may go into now."""
        ours = {tenant.tenant for tenant in self.tenants}
        with reading(self._engine) as connection:
            found = deliveries.ready(connection, self._clock.now())
        for row in found:
            if row.tenant in ours:
                self._jobs.nudge(f"deliver:{row.tenant}", row.channel)

    def purge(self) -> None:
        """Delete what is old."""
        for tenant in self.tenants:
            tenant.purge()

    def heartbeat(self) -> None:
        """Say outside that all is well, if it is."""
        if not self.reasons() and all(tenant.health().heartbeat for tenant in self.tenants):
            try:
                requests.get(self._heartbeat_url, timeout=10).close()
            except requests.RequestException as error:
                log.warning("heartbeat not sent", error=type(error).__name__)

    # ---- how it is doing ------------------------------------------------------------------------------------------

    def reasons(self, workspace: str | None = None) -> list[str]:
        """Why it is not ready, for one workspace if it is named.

        One tenant's reasons carry its name where there are several.
        """
        why = [*self._also(), *self._jobs.reasons()]
        meant = [tenant for tenant in self.tenants if workspace in (None, tenant.notifier.workspace)]
        for tenant in meant:
            name, of_tenant = tenant.label or tenant.tenant, tenant.reasons()
            why += [f"{name}: {reason}" for reason in of_tenant] if len(meant) > 1 else of_tenant
        return list(dict.fromkeys(why))

    def ledger(self) -> dict[str, int]:
        """The ledger over all tenants."""
        total: Counter[str] = Counter()
        for tenant in self.tenants:
            total.update(tenant.health().ledger.gauges())
        return dict(total)
