"""Builds the parts from the settings; the only place that knows them all."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from bot import phone
from bot.clock import Clock
from bot.cxone.cognigy_client import Cognigy
from bot.cxone.contacts import Contacts
from bot.cxone.contacts_sign_in import AccessKey, access_key
from bot.cxone.http import Call, Session
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.diagnosis.handover import Timing
from bot.settings import Settings
from bot.tenants import Tenant
from bot.tenants import load as load_tenants

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from sqlalchemy import Engine

    from bot.alerting import Alerting
    from bot.alerts.index import Index
    from bot.background import Background
    from bot.jobs import Jobs
    from bot.running import Part
    from bot.slack.services import Services, Use
    from bot.slack.status_answers import Quota

log = structlog.get_logger(__name__)

Reasons = Callable[[], list[str]]

DATABASE_PATIENCE, DATABASE_PAUSE = 30.0, 2.0  # seconds in which a PostgreSQL may come up, and between two tries
POST_SECONDS = 7  # of one call to Slack for alerts: a killed process's post is looked for soon after
SWEEP_LOCAL, SWEEP_DISTRIBUTED = 0.25, 2.0  # seconds between two looks for something to send


def timing(settings: Settings) -> Timing:
    """The durations that a judgement rests on."""
    return Timing(grace=timedelta(seconds=settings.grace_seconds), abandon=timedelta(seconds=settings.abandon_seconds))


def build_platform(
    settings: Settings, clock: Clock, on_call: Callable[[Call], None] | None = None
) -> Conversations | Contacts:
    """The tenant, asked for nothing yet."""
    if settings.cxone_api == "contacts":
        return _contacts(settings, clock, on_call)
    sign_in = client_credentials(settings.cxone_client_id, settings.cxone_client_secret.get_secret_value())
    session = Session(settings.platform_url, sign_in, clock, max_rps=settings.cxone_max_rps, on_call=on_call)
    return Conversations(session, clock, settings.cxone_tenant_id)


def _contacts(settings: Settings, clock: Clock, on_call: Callable[[Call], None] | None) -> Contacts:
    """The same over NICE's documented API, with Cognigy beside it if its settings are there."""
    key = AccessKey(
        issuer=settings.cxone_issuer,
        client_id=settings.cxone_client_id,
        client_secret=settings.cxone_client_secret.get_secret_value(),
        key_id=settings.cxone_access_key_id,
        key_secret=settings.cxone_access_key_secret.get_secret_value(),
        tenant_id=settings.cxone_tenant_id,
        version=settings.cxone_api_version,
        base_url=settings.cxone_base_url,
    )
    session = Session(
        settings.cxone_issuer, access_key(key, clock), clock, max_rps=settings.cxone_max_rps, on_call=on_call
    )
    cognigy = None
    if settings.cognigy_api_url:
        url, secret = settings.cognigy_api_url, settings.cognigy_api_key.get_secret_value()
        cognigy = Cognigy(url, secret, settings.cognigy_project_id, clock)
    return Contacts(session, clock, settings.cxone_tenant_id, cognigy=cognigy, agent_names=settings.agent_names)


def build_investigator(settings: Settings, clock: Clock, on_call: Callable[[Call], None] | None = None) -> Investigator:
    """Who looks up what people ask for."""
    return Investigator(
        build_platform(settings, clock, on_call),
        clock,
        timing(settings),
        settings.deadline_seconds,
        timedelta(hours=settings.lookback_hours),
    )


class Database(NamedTuple):
    """The store, open and of the newest schema, and the key that numbers are hashed with."""

    engine: Engine
    hash_key: str
    lock: int | None = None  # held as long as this process lives


def open_database(settings: Settings, *, alone: bool = False, clock: Clock | None = None) -> Database:
    """Open and migrate it; `alone` keeps a second process out of SQLite. Raises `StoreError`.

    With a clock a PostgreSQL that is out of reach is tried again for a while: it may be starting as well.
    """
    from bot.jobs import schema  # noqa: PLC0415 - `diagnose` needs no store
    from bot.store import engine, keys  # noqa: PLC0415 - as above

    url = settings.database_url.get_secret_value()
    lock = engine.take_lock(url) if alone else None
    opened = engine.open_store(url)
    if alone and not settings.many_processes and len(set(engine.schema_version(opened))) > 1:
        _migrate_beside(url)
    deadline = clock.monotonic() + DATABASE_PATIENCE if clock and settings.many_processes else None
    while True:
        try:
            engine.migrate(opened, schema.migrate)
            break
        except engine.StoreNewer:
            raise
        except engine.StoreError as why:
            if clock is None or deadline is None or clock.monotonic() >= deadline:
                raise
            log.warning(f"No database yet, trying again: {why}")  # noqa: G004 - people look for it
            clock.sleep(DATABASE_PAUSE)
    return Database(opened, keys.hash_key(settings.hash_key.get_secret_value(), url), lock)


def _migrate_beside(url: str) -> None:
    """Migrate in a process of its own: Alembic is 12 MB, which `run` would keep to its end.

    Whether that was done shows in the database; what went wrong is said when it is tried here.
    """
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [sys.executable, "-m", "bot.jobs.schema"], input=url.encode(), capture_output=True, check=False, timeout=120
        )


class Centre(NamedTuple):
    """One tenant at work: its settings, who looks things up there, who watches it."""

    tenant: Tenant
    investigator: Investigator
    alerting: Alerting


def build_jobs(database: Database, *, work: bool = True) -> Jobs:
    """The engine that runs jobs: threads with SQLite, Procrastinate with PostgreSQL."""
    if database.engine.dialect.name != "postgresql":
        from bot.jobs.local import Local  # noqa: PLC0415 - `diagnose` needs none

        return Local()
    from bot.jobs.distributed import Distributed  # noqa: PLC0415 - the extra `postgres` brings what it needs

    return Distributed(database.engine, work=work)


def build_centres(
    settings: Settings, clock: Clock, database: Database, jobs: Jobs, on_call: Callable[[Call], None] | None = None
) -> list[Centre]:
    """All tenants. Raises `SettingsError`."""
    from bot.alerts.index import keep_to_key  # noqa: PLC0415 - `diagnose` needs no store
    from bot.slack import app as slack  # noqa: PLC0415 - as above
    from bot.store import rates  # noqa: PLC0415 - as above
    from bot.store.engine import writing  # noqa: PLC0415 - as above

    client = slack.web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    client.timeout = POST_SECONDS
    tenants = load_tenants(settings)
    centres = []
    for tenant in tenants:
        investigator = build_investigator(tenant.settings, clock, on_call)
        if settings.many_processes:
            session, key = investigator.platform.session, tenant.settings.cxone_tenant_id
            session.rate = rates.SharedRate(clock, database.engine, key, tenant.settings.cxone_max_rps)
        label = tenant.name if len(tenants) > 1 else ""
        alerting = build_alerting(
            tenant.settings, clock, investigator.platform, client, database, jobs=jobs, label=label
        )
        found = index(tenant.settings, clock, database)
        with writing(alerting.engine) as connection:
            if keep_to_key(connection, alerting.tenant, database.hash_key, clock.now(), found.lookback):
                log.warning("HASH_KEY is another than before: numbers are indexed anew; no alert is touched")
        investigator.known, investigator.peers_of = found.known, found.peers_of
        centres.append(Centre(tenant, investigator, alerting))
    return centres


def build_background(
    settings: Settings, clock: Clock, database: Database, jobs: Jobs, all_of: list[Centre]
) -> Background:
    """Polls, deliveries, sweeps and purges of all tenants."""
    from bot.background import Background  # noqa: PLC0415 - as above

    return Background(
        [each.alerting for each in all_of],
        jobs,
        database.engine,
        clock,
        sweep_seconds=SWEEP_DISTRIBUTED if settings.many_processes else SWEEP_LOCAL,
        heartbeat_url=settings.heartbeat_url.get_secret_value(),
    )


def build_alerting(
    settings: Settings,
    clock: Clock,
    platform: Conversations | Contacts,
    client: WebClient,
    database: Database,
    **more: Any,
) -> Alerting:
    """Watcher and notifier of one tenant."""
    from bot.alerting import Alerting, Options  # noqa: PLC0415 - as above
    from bot.alerts.policy import Rules  # noqa: PLC0415 - as above
    from bot.store.engine import for_tenant  # noqa: PLC0415 - as above

    rules = Rules(
        resolve_accepted=settings.resolve_accepted,
        resolve_after=timedelta(minutes=settings.resolve_minutes),
        quiet_after=timedelta(minutes=settings.quiet_minutes),
        thread_every=timedelta(minutes=settings.thread_minutes),
    )
    options = Options(
        alert_channel=settings.alert_channel,
        alert_filter=settings.alert_filter,
        ops_channel=settings.ops_channel,
        poll_seconds=settings.poll_seconds,
        rules=rules,
        timing=timing(settings),
        lookback=timedelta(hours=settings.lookback_hours),
        retention_days=settings.retention_days,
        audit_days=settings.audit_days,
        http_timeout=POST_SECONDS,
    )
    return Alerting(
        platform=platform,
        client=client,
        engine=for_tenant(database.engine, platform.tenant),
        clock=clock,
        hash_key=database.hash_key,
        options=options,
        **more,
    )


def build_worker(settings: Settings, clock: Clock) -> list[Part]:
    """The parts of `worker`: what runs by itself, and the pages that say how it is doing. Raises as `build_bot`."""
    from bot import web  # noqa: PLC0415 - as above
    from bot.metrics import Metrics  # noqa: PLC0415 - as above

    database = open_database(settings, clock=clock)
    jobs = build_jobs(database)
    metrics = Metrics(lambda: not background.reasons(), lambda: background.ledger())  # noqa: PLW0108 - made below
    centres = build_centres(settings, clock, database, jobs, metrics.called)
    background = build_background(settings, clock, database, jobs, centres)
    pages = web.routes(slack=None, reasons=background.reasons, metrics=metrics.page)
    server = web.Server(pages, settings.host, settings.port)
    return [*(_OnlyStops(each.investigator.close) for each in centres), background, server]


def build_bot(settings: Settings, clock: Clock, *, work: bool = True) -> list[Part]:
    """The parts of `run`, in the order in which they start; without `work` others poll and deliver.

    Raises `CannotListenError`, `StoreError`, `SettingsError`.
    """
    from slack_bolt.adapter.wsgi import SlackRequestHandler  # noqa: PLC0415 - `diagnose` needs nothing of Slack

    from bot import web  # noqa: PLC0415 - as above
    from bot.metrics import Metrics  # noqa: PLC0415 - as above
    from bot.slack import app as slack  # noqa: PLC0415 - as above
    from bot.slack.access import Rules  # noqa: PLC0415 - as above
    from bot.slack.signed import only_signed  # noqa: PLC0415 - as above
    from bot.slack.switchboard import Switchboard  # noqa: PLC0415 - as above
    from bot.socket_mode import SocketMode  # noqa: PLC0415 - as above

    # 1. What is kept, and how it is doing.
    database = open_database(settings, alone=True, clock=clock)
    jobs = build_jobs(database, work=work)

    def reasons() -> list[str]:
        return [*(socket.reasons() if socket else []), *background.reasons()]

    metrics = Metrics(lambda: not reasons(), lambda: background.ledger())  # noqa: PLW0108 - made below

    def used(tenant: str, use: Use) -> None:
        metrics.used(use.action, use.result)
        audit_use(database, tenant, use)

    # 2. Who looks things up, who answers people, who watches.
    client = slack.web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    centres = build_centres(settings, clock, database, jobs, metrics.called)
    background = build_background(settings, clock, database, jobs, centres)
    first = slack.build_services(
        client=client,
        lookups=centres[0].investigator,
        clock=clock,
        rules=Rules(frozenset(settings.allowed_channels), frozenset(settings.allowed_usergroups)),
        region=settings.default_region,
        deadline_seconds=settings.deadline_seconds,
    )
    by_tenant = {
        each.tenant.name: services_of(each, first, partial(used, each.alerting.tenant), reasons) for each in centres
    }
    channels = {channel: each.tenant.name for each in centres for channel in each.tenant.channels}
    board = Switchboard(by_tenant, channels) if len(centres) > 1 else None
    services = by_tenant[centres[0].tenant.name]
    signing_secret = settings.slack_signing_secret.get_secret_value()
    app = slack.build_app(services, signing_secret, board)

    # 3. How Slack and everybody else reach it.
    socket = SocketMode(app, settings.slack_app_token.get_secret_value()) if settings.socket_mode else None
    handler = None if socket else only_signed(SlackRequestHandler(app), signing_secret)
    server = web.Server(web.routes(slack=handler, reasons=reasons, metrics=metrics.page), settings.host, settings.port)
    closing = [_OnlyStops(each.investigator.close) for each in centres]
    return [*closing, background, _OnlyStops(services.pool.close), server, *([socket] if socket else [])]


def audit_use(database: Database, tenant: str, use: Use) -> None:
    """Write one use of the bot down; the answer matters more than its line in the audit."""
    from bot.store import audit  # noqa: PLC0415 - as above
    from bot.store.engine import StoreError, writing  # noqa: PLC0415 - as above

    log.info("Used", action=use.action, subject=use.subject, result=use.result, who=use.user_id)
    try:
        with writing(database.engine) as connection:
            audit.write(
                connection,
                tenant,
                at=use.at,
                actor=use.user_id,
                channel=use.channel_id,
                action=use.action,
                subject=use.subject,
                number_hash=phone.hashed(use.number.e164, database.hash_key) if use.number else "",
                result=use.result,
            )
    except StoreError as why:
        log.warning("Not audited", action=use.action, reason=str(why))


def services_of(centre: Centre, common: Services, audit: Callable[[Use], None], reasons: Reasons) -> Services:
    """The services of one tenant: the common one with its look-ups, its commands and its buttons."""
    from bot.slack.alert_commands import AlertCommands  # noqa: PLC0415 - as above
    from bot.slack.info_commands import InfoCommands  # noqa: PLC0415 - as above

    alerting = centre.alerting
    alerts = AlertCommands(
        engine=alerting.engine,
        clock=common.clock,
        tenant=alerting.tenant,
        deliver=alerting.notifier.deliver_one,
        rules=alerting.options.rules,
        ops_channel=lambda: alerting.watcher.ops_channel,
    )
    info = InfoCommands(
        engine=alerting.engine,
        clock=common.clock,
        tenant=alerting.tenant,
        client=common.client,
        rules=alerting.options.rules,
        poll_seconds=centre.tenant.settings.poll_seconds,
        reasons=reasons,
        quota=lambda: quota(centre.investigator, centre.tenant.settings.cxone_max_rps),
    )
    return dataclasses.replace(
        common,
        lookups=centre.investigator,
        tenant=alerting.label,
        audit=audit,
        handlers={**alerts.handlers(), **info.handlers()},
        buttons=alerts.buttons(),
        home=info.home,
        invited=alerts.invited,
    )


def index(settings: Settings, clock: Clock, database: Database) -> Index:
    """What the tables know of calls and targets."""
    from bot.alerts.index import Index  # noqa: PLC0415 - as above

    return Index(
        engine=database.engine,
        clock=clock,
        tenant=settings.cxone_tenant_id,
        hash_key=database.hash_key,
        poll_every=timedelta(seconds=settings.poll_seconds),
        lookback=timedelta(hours=settings.lookback_hours),
    )


def quota(investigator: Investigator, max_rps: float | None) -> Quota:
    """What was asked of CXone, and how fast it may be asked now."""
    from bot.slack.status_answers import Quota  # noqa: PLC0415 - as above

    session = investigator.platform.session
    return Quota(session.requests_last_hour(), max_rps, session.rate.limit())


class _OnlyStops:
    """What works when it is asked, and has something to finish at the end."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Finish."""
        self._close()
