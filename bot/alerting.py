"""The alerts of one tenant: store, watcher and notifier, as jobs and as answers to questions about them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from bot.alerts import filters, health, ops_lines, pausing, policy
from bot.alerts.policy import Rules
from bot.alerts.watcher import Watcher
from bot.clock import Clock
from bot.diagnosis.handover import Timing
from bot.jobs import Jobs
from bot.jobs.local import Local
from bot.slack.classify import Answer, classify
from bot.slack.notifier import Client, Notifier
from bot.store import deliveries, facts, pacing, purge, subscriptions
from bot.store.engine import StoreError, reading, writing

log = structlog.get_logger(__name__)

SWEEP = "sweep"  # the job that looks for what may be sent; nudged after whatever may owe something
WAITS = timedelta(seconds=1.5)  # for a channel's next turn; what takes longer comes back as a job of its own
LASTS = 6.0  # seconds; then other channels come first, and nobody waits long for a process to end
PREPARE_EVERY = 15.0  # seconds between two tries to learn the channels
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]+")  # a name has no capitals


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of the settings the alerts need."""

    alert_channel: str = ""
    alert_filter: str = ""
    ops_channel: str = ""
    poll_seconds: float = 15.0
    rules: Rules = field(default_factory=Rules)
    timing: Timing = field(default_factory=Timing)
    lookback: timedelta = timedelta(hours=24)
    retention_days: int = 30
    audit_days: int = 365
    http_timeout: float = 10.0


class Alerting:
    """Polls, sends, purges, and says how it is doing."""

    def __init__(
        self,
        *,
        platform: Any,
        client: Client,
        engine: Engine,
        clock: Clock,
        hash_key: str,
        options: Options,
        jobs: Jobs | None = None,
        label: str = "",
        workspace: str = "",
    ) -> None:
        """Touches neither network nor database. `label` names the tenant in messages where there are several.

        `workspace` is the one whose channels it speaks in, where there are several.
        """
        self.engine = engine
        self.clock = clock
        self.tenant: str = platform.tenant
        self.options = options
        self.label = label
        self.jobs: Jobs = jobs or Local()
        self.watcher = Watcher(
            platform,
            engine,
            clock,
            hash_key,
            rules=options.rules,
            timing=options.timing,
            lookback=options.lookback,
            absence=max(policy.ABSENCE, 2 * timedelta(seconds=options.poll_seconds)),
            retention=timedelta(days=options.retention_days),
            stopping=self.jobs.stopping.is_set,
        )
        self.notifier = Notifier(
            client,
            engine,
            clock,
            self.tenant,
            rules=options.rules,
            http_timeout=options.http_timeout,
            label=label,
            workspace=workspace,
        )
        self._client = client
        self._ready = threading.Event()  # the channels are known
        self._prepare_at = 0.0
        self._hold = False  # nobody has ever subscribed, and who would is not known yet
        self._unknown = ""  # which channel of the settings is not known, as a sentence
        self._named: dict[str, str] = {}  # the channels of the settings, and by which
        self._store_fault: tuple[datetime, str] | None = None  # of a poll here
        self.slack_fault = "Slack was not asked yet."

    # ---- jobs -----------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """One round of the watcher; before the first, the channels of the settings are looked up."""
        self.prepare()
        if self._hold:
            return
        try:
            done = self.watcher.poll()
        except StoreError as why:
            self._store_fault = (self.clock.now(), str(why))
            raise
        self._store_fault = None
        if done.error:
            log.warning("poll failed", tenant=self.tenant, error=done.error)
        self.jobs.nudge(SWEEP)

    def deliver(self, channel: str) -> datetime | None:
        """Send what may go into a channel, waiting for its turns for some seconds. When to go on; None: all is sent."""
        self.prepare()
        ends = time.monotonic() + LASTS
        while not self.jobs.stopping.is_set():
            if self.notifier.deliver_one(channel):
                continue
            with reading(self.engine) as connection:
                at = deliveries.next_at(connection, self.tenant, channel, self.notifier.workspace)
            wait = at - self.clock.now() if at is not None else timedelta(0)
            if at is None or wait > WAITS or time.monotonic() > ends:
                return at
            self.jobs.stopping.wait(max(0.02, wait.total_seconds()))
        return self.clock.now()

    def ask_slack(self) -> str:
        """Why Slack does not take the bot, empty if it does. A wrong token would show at the first alert else."""
        try:
            self._client.api_call("auth.test")
        except Exception as error:  # noqa: BLE001 - every failure has a class
            meaning = classify(error)
            if meaning.answer is Answer.WAIT:  # it is there, and busy
                return self.slack_fault
            return f"Slack refuses the bot: {meaning.code}." if meaning.answer is Answer.STOP else f"{meaning.code}."
        return ""

    def slack_said(self, fault: str) -> None:
        """What it answered, for all tenants of a workspace. Where nothing waits to be sent, this ends an outage."""
        self.slack_fault = fault
        if fault:
            return
        try:
            with reading(self.engine) as connection:
                if not ops_lines.is_slack_out(connection, self.tenant):
                    return
            with writing(self.engine) as connection:
                ops_lines.slack_answers(connection, self.tenant, self.clock.now(), self.watcher.ops_channel)
        except StoreError as why:
            log.warning("what Slack answered was not noted", reason=str(why))

    def purge(self) -> None:
        """Delete what is old."""
        while True:
            with writing(self.engine) as connection:
                more = purge.purge(
                    connection,
                    self.tenant,
                    self.clock.now(),
                    retention_days=self.options.retention_days,
                    audit_days=self.options.audit_days,
                )
            if not more:
                return

    # ---- how it is doing ------------------------------------------------------------------------------------------

    def health(self) -> health.Health:
        """The facts, read now."""
        return health.health(self.engine, self.tenant, self.clock.now())

    def reasons(self) -> list[str]:
        """Why the bot is not ready, as far as alerts know."""
        seen = self.health()
        found = seen.reasons(self.clock.now(), self.options.poll_seconds)
        own = [self.slack_fault] if self.slack_fault and self.slack_fault not in found else []
        fault = self._store_fault  # over once a poll succeeded, in this process or another
        if fault and fault[1] not in found and (seen.polled_at is None or seen.polled_at < fault[0]):
            own.append(fault[1])
        if self._unknown:
            own.append(self._unknown)
        own += [  # its subscription has no author, and there is no ops channel or it is this one: nobody else is told
            f"Alerts for the channel {channel} of {setting} are paused: {seen.paused[channel]}."
            for channel, setting in self._named.items()
            if channel in seen.paused
        ]
        return [*own, *found]

    # ---- the channels of the settings -----------------------------------------------------------------------------

    def prepare(self) -> bool:
        """Learn the channels of the settings, trying every now and then. Whether they are known."""
        if not self._ready.is_set() and self.clock.monotonic() >= self._prepare_at:
            if self._prepare():
                self._ready.set()
            else:
                self._prepare_at = self.clock.monotonic() + PREPARE_EVERY
        return self._ready.is_set()

    def _prepare(self) -> bool:
        """Look up ALERT_CHANNEL and OPS_CHANNEL, and subscribe at the first start. False: to be tried again.

        Meanwhile is polled, with one exception: at the very first start nothing is, as long as Slack does not answer,
        for what is found before anybody has subscribed is told to nobody.
        """
        now = self.clock.now()
        self._unknown = ""
        alert = self._channel(self.options.alert_channel, now)
        ops = self._channel(self.options.ops_channel, now) if self.options.ops_channel else alert
        self.watcher.ops_channel = self.notifier.ops_channel = ops or alert or ""
        self._named = {ops or "": "OPS_CHANNEL", alert or "": "ALERT_CHANNEL"}
        if alert:
            wish = str(filters.parse(self.options.alert_filter))
            with writing(self.engine) as connection:
                if any(row.paused_at for row in subscriptions.listed(connection, self.tenant, alert)):
                    pausing.resume(connection, self.tenant, alert)
                if not subscriptions.any_ever(connection, self.tenant):
                    subscriptions.subscribe(connection, self.tenant, alert, wish, author="", now=now)
        self._reopen(now)
        with reading(self.engine) as connection:
            self._hold = alert is None and not subscriptions.any_ever(connection, self.tenant)
        return alert is not None and ops is not None and not self._unknown

    def _reopen(self, now: datetime) -> None:
        """Paused channels in which the bot is again: the event that says so came to nobody while it was down."""
        with reading(self.engine) as connection:
            paused = [row.key for row in pacing.paused(connection, self.tenant, now)]
        for channel in paused:
            try:
                said = self._client.api_call("conversations.info", params={"channel": channel}).get("channel") or {}
            except Exception as error:  # noqa: BLE001 - every failure has a class
                log.info("paused channel not looked up", channel=channel, code=classify(error).code)
                continue
            if said.get("is_member") and not said.get("is_archived"):
                with writing(self.engine) as connection:
                    pausing.resume(connection, self.tenant, channel)

    def _channel(self, wanted: str, now: datetime) -> str | None:
        """A channel's id; names are asked for once and remembered. None: Slack did not say; "": there is none."""
        name = wanted.strip().lstrip("#")
        if not name or _CHANNEL_ID.fullmatch(name):
            return name
        key = f"channel:{name}"[:64]
        with reading(self.engine) as connection:
            known = facts.fact(connection, self.tenant, key)
        if known is not None:
            return known.value
        try:
            found = next((row["id"] for row in self._channels() if row.get("name") == name), "")
        except Exception as error:  # noqa: BLE001 - every failure has a class
            meaning = classify(error)
            log.warning("channel not looked up", channel=name, code=meaning.code)
            self._unknown = f"The channel #{name} could not be looked up: {meaning.code}."
            with writing(self.engine) as connection:
                ops_lines.slack_out(connection, self.tenant, now, meaning.code)
            return None
        if not found:
            log.error("channel not found; invite the bot, or set its id", channel=name)
            self._unknown = f"Slack shows no channel #{name}: invite the bot, or set the channel's id."
            return ""
        with writing(self.engine) as connection:
            facts.renew(connection, self.tenant, key, now, found)
        return str(found)

    def _channels(self) -> Iterable[dict[str, Any]]:
        arguments: dict[str, Any] = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": 200}
        while True:
            answer = self._client.api_call("conversations.list", params=arguments)
            yield from answer.get("channels") or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            arguments["cursor"] = cursor
