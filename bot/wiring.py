"""Builds the bot's parts from the settings; the only place that knows them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from slack_bolt.adapter.wsgi import SlackRequestHandler

from bot import web
from bot.background import Background
from bot.centres import Centre, audit_use, build_centres, services_of
from bot.clients import Clients
from bot.clock import Clock
from bot.database import Database, open_database
from bot.jobs import Jobs
from bot.jobs.local import Local
from bot.metrics import Metrics
from bot.running import Part
from bot.settings import Settings
from bot.slack import app as slack
from bot.slack.access import Rules
from bot.slack.services import Services, Use
from bot.slack.signed import only_signed
from bot.slack.switchboard import Switchboard, Switchboards
from bot.socket_mode import SocketMode

SWEEP_LOCAL, SWEEP_DISTRIBUTED = 0.25, 2.0  # seconds between two looks for something to send


def build_worker(settings: Settings, clock: Clock) -> list[Part]:
    """The parts of `worker`: what runs by itself, and the pages that say how it is doing. Raises as `build_bot`."""
    database = open_database(settings, clock=clock)
    jobs = build_jobs(database)
    metrics = Metrics(lambda: not background.reasons(), lambda: background.ledger())  # noqa: PLW0108 - made below
    clients = Clients(settings, database.engine)
    clients.seal_anew()
    centres = build_centres(settings, clock, database, jobs, client_of=clients.of, on_call=metrics.called)
    background = build_background(settings, clock, database, jobs, centres)
    pages = web.routes(slack=None, reasons=background.reasons, metrics=metrics.page)
    server = web.Server(pages, settings.host, settings.port)
    return [*(_OnlyStops(each.investigator.close) for each in centres), background, server]


def build_bot(settings: Settings, clock: Clock, *, work: bool = True) -> list[Part]:
    """The parts of `run`, in the order in which they start; without `work` others poll and deliver.

    Raises `CannotListenError`, `StoreError`, `SettingsError`.
    """
    # 1. What is kept, and how it is doing.
    database = open_database(settings, alone=True, clock=clock)
    jobs = build_jobs(database, work=work)
    metrics = Metrics(lambda: not background.reasons(), lambda: background.ledger())  # noqa: PLW0108 - made below

    def used(tenant: str, use: Use) -> None:
        metrics.used(use.action, use.result)
        audit_use(database, tenant, use)

    # 2. Who looks things up, who watches, who answers people.
    clients = Clients(settings, database.engine)
    clients.seal_anew()
    centres = build_centres(settings, clock, database, jobs, client_of=clients.of, on_call=metrics.called)
    background = build_background(
        settings, clock, database, jobs, centres, also=lambda: socket.reasons() if socket else []
    )
    services = build_services(settings, clock, clients, centres)
    boards: defaultdict[str, dict[str, Services]] = defaultdict(dict)
    for each in centres:
        home, why = each.tenant.workspace, partial(background.reasons, each.tenant.workspace)
        common = services[home]
        boards[home][each.tenant.name] = services_of(each, common, partial(used, each.alerting.tenant), why)
    channels = {channel: each.tenant.name for each in centres for channel in each.tenant.channels}
    board = Switchboards({home: Switchboard(by_tenant, channels) for home, by_tenant in boards.items()})

    # 3. How Slack and everybody else reach it.
    signing_secret = settings.slack_signing_secret.get_secret_value()
    app = slack.build_app(board, signing_secret, clients.installing())
    socket = SocketMode(app, settings.slack_app_token.get_secret_value()) if settings.socket_mode else None
    handler = SlackRequestHandler(app)
    pages = web.routes(
        slack=None if socket else only_signed(handler, signing_secret),
        install=handler if settings.several_workspaces else None,
        reasons=background.reasons,
        metrics=metrics.page,
    )
    server = web.Server(pages, settings.host, settings.port)
    first = next(iter(services.values()))
    looking = [_OnlyStops(each.investigator.close) for each in centres]
    answering = [_OnlyStops(first.windows.close), _OnlyStops(first.pool.close)]  # the pool's jobs take the seconds
    return [*looking, background, *answering, server, *([socket] if socket else [])]


def build_jobs(database: Database, *, work: bool = True) -> Jobs:
    """The engine that runs jobs: threads with SQLite, Procrastinate with PostgreSQL."""
    if database.engine.dialect.name != "postgresql":
        return Local()
    from bot.jobs.distributed import Distributed  # noqa: PLC0415 - the extra `postgres` brings what it needs

    return Distributed(database.engine, work=work)


def build_background(  # noqa: PLR0917 - all that it runs on
    settings: Settings,
    clock: Clock,
    database: Database,
    jobs: Jobs,
    all_of: list[Centre],
    also: Callable[[], list[str]] = list,
) -> Background:
    """Polls, deliveries, sweeps and purges of all tenants; `also` gives further reasons not to be ready."""
    return Background(
        [each.alerting for each in all_of],
        jobs,
        database.engine,
        clock,
        sweep_seconds=SWEEP_DISTRIBUTED if settings.many_processes else SWEEP_LOCAL,
        heartbeat_url=settings.heartbeat_url.get_secret_value(),
        also=also,
    )


def build_services(settings: Settings, clock: Clock, clients: Clients, centres: list[Centre]) -> dict[str, Services]:
    """What the handlers of each workspace work with, by its id; they share one pool."""
    rules = Rules(frozenset(settings.allowed_channels), frozenset(settings.allowed_usergroups))
    found: dict[str, Services] = {}
    for each in centres:
        if each.tenant.workspace not in found:
            found[each.tenant.workspace] = slack.build_services(
                client=clients.of(each.tenant.workspace),
                lookups=each.investigator,
                clock=clock,
                rules=rules,
                region=settings.default_region,
                deadline_seconds=settings.deadline_seconds,
                pool=next((known.pool for known in found.values()), None),
                windows=next((known.windows for known in found.values()), None),
            )
    return found


class _OnlyStops:
    """What works when it is asked, and has something to finish at the end."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Finish."""
        self._close()
