"""The alerts as one part of `run`: store, watcher and notifier, on whichever engine runs jobs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
import structlog
from sqlalchemy import Engine

from bot.alerts import filters, health, tend
from bot.alerts.policy import Rules
from bot.alerts.watcher import Watcher
from bot.clock import Clock
from bot.diagnosis.handover import Timing
from bot.jobs.local import Local
from bot.slack.classify import Answer, classify
from bot.slack.notifier import Client, Notifier
from bot.store import facts, purge, subscriptions
from bot.store.engine import StoreError, reading, writing

log = structlog.get_logger(__name__)

POLL, DELIVER, HOUSE, HEARTBEAT, SLACK = "poll", "deliver", "house", "heartbeat", "slack"
IDLE = 0.25  # seconds between two looks for something to send
SENDERS = 4
PREPARE_EVERY = 15.0  # seconds between two tries to learn the channels
ASK_EVERY = 10.0  # seconds between two questions whether Slack takes the bot
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{5,}")


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
    heartbeat_url: str = field(default="", repr=False)
    http_timeout: float = 10.0


class Alerting:
    """Polls, sends, purges, and says how it is doing. `start` and `stop` as any part of `run`."""

    def __init__(
        self, *, platform: Any, client: Client, engine: Engine, clock: Clock, hash_key: str, options: Options
    ) -> None:
        """Touches neither network nor database."""
        self.engine = engine
        self.clock = clock
        self.tenant: str = platform.tenant
        self.options = options
        self.jobs = Local()
        self.watcher = Watcher(
            platform,
            engine,
            clock,
            hash_key,
            rules=options.rules,
            timing=options.timing,
            lookback=options.lookback,
        )
        self.notifier = Notifier(
            client, engine, clock, self.tenant, rules=options.rules, http_timeout=options.http_timeout
        )
        self._client = client
        self._ready = threading.Event()  # the channels are known
        self._prepare_at = 0.0
        self._hold = False  # nobody has ever subscribed, and who would is not known yet
        self._unknown = ""  # which channel of the settings is not known, as a sentence
        self._store_fault = ""
        self._slack_fault = "Slack was not asked yet."

    # ---- as a part of `run` ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, without waiting for anybody."""
        self.jobs.periodic(POLL, self.options.poll_seconds, self.poll)
        self.jobs.worker(DELIVER, self.notifier.deliver_one, IDLE, SENDERS)
        self.jobs.periodic(HOUSE, 3600.0, self.purge)
        self.jobs.periodic(SLACK, ASK_EVERY, self.ask_slack)
        if self.options.heartbeat_url:
            self.jobs.periodic(HEARTBEAT, 60.0, self.heartbeat)
        self.jobs.start()

    def stop(self) -> None:
        """Finish the poll and the sending that are under way."""
        self.jobs.stop()
        self.engine.dispose()

    def poll(self) -> None:
        """One round of the watcher; before the first, the channels of the settings are looked up."""
        if not self._ready.is_set() and self.clock.monotonic() >= self._prepare_at:
            if self._prepare():
                self._ready.set()
            else:
                self._prepare_at = self.clock.monotonic() + PREPARE_EVERY
        if self._hold:
            return
        try:
            done = self.watcher.poll()
        except StoreError as why:
            self._store_fault = str(why)
            raise
        self._store_fault = ""
        if done.error:
            log.warning("poll failed", error=done.error)
        self.jobs.nudge(DELIVER)

    def ask_slack(self) -> None:
        """Whether Slack takes the bot. A wrong token would show at the first alert else, or at the first answer."""
        try:
            self._client.api_call("auth.test")
        except Exception as error:  # noqa: BLE001 - every failure has a class
            meaning = classify(error)
            if meaning.answer is not Answer.WAIT:  # it is there, and busy
                refused = meaning.answer is Answer.STOP
                self._slack_fault = f"Slack refuses the bot: {meaning.code}." if refused else f"{meaning.code}."
        else:
            self._slack_fault = ""

    def purge(self) -> None:
        """Delete what is old."""
        while True:
            with writing(self.engine) as connection:
                gone = purge.purge(
                    connection,
                    self.tenant,
                    self.clock.now(),
                    retention_days=self.options.retention_days,
                    audit_days=self.options.audit_days,
                )
            if gone < purge.MOST_AT_ONCE:
                return

    def heartbeat(self) -> None:
        """Say outside that all is well, if it is."""
        if self.health().heartbeat:
            try:
                requests.get(self.options.heartbeat_url, timeout=10).close()
            except requests.RequestException as error:
                log.warning("heartbeat not sent", error=type(error).__name__)

    # ---- how it is doing ------------------------------------------------------------------------------------------

    def health(self) -> health.Health:
        """The facts, read now."""
        return health.health(self.engine, self.tenant, self.clock.now())

    def reasons(self) -> list[str]:
        """Why the bot is not ready, as far as alerts know."""
        found = self.health().reasons(self.clock.now(), self.options.poll_seconds)
        own = [each for each in (self._store_fault, self._slack_fault) if each and each not in found]
        if self._unknown:
            own.append(self._unknown)
        return [*own, *found]

    # ---- the channels of the settings -----------------------------------------------------------------------------

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
        if alert:
            wish = str(filters.parse(self.options.alert_filter))
            with writing(self.engine) as connection:
                paused = any(row.paused_at for row in subscriptions.listed(connection, self.tenant, alert))
                if paused or not subscriptions.any_ever(connection, self.tenant):
                    subscriptions.subscribe(connection, self.tenant, alert, wish, author="", now=now)
        with reading(self.engine) as connection:
            self._hold = alert is None and not subscriptions.any_ever(connection, self.tenant)
        return alert is not None and ops is not None and not self._unknown

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
                tend.slack_out(connection, self.tenant, now, meaning.code)
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
