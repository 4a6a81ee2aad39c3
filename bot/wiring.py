"""Builds the parts from the settings; the only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.clock import Clock
from bot.cxone.http import Call, Session
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.diagnosis.handover import Timing
from bot.settings import Need, Settings, SettingsError, load

if TYPE_CHECKING:
    from bot.check import Line
    from bot.running import Part

log = structlog.get_logger(__name__)


def timing(settings: Settings) -> Timing:
    """The durations that a judgement rests on."""
    return Timing(grace=timedelta(seconds=settings.grace_seconds), abandon=timedelta(seconds=settings.abandon_seconds))


def build_platform(settings: Settings, clock: Clock, on_call: Callable[[Call], None] | None = None) -> Conversations:
    """The tenant, asked for nothing yet."""
    sign_in = client_credentials(settings.cxone_client_id, settings.cxone_client_secret.get_secret_value())
    session = Session(settings.platform_url, sign_in, clock, max_rps=settings.cxone_max_rps, on_call=on_call)
    return Conversations(session, clock, settings.cxone_tenant_id)


def build_investigator(settings: Settings, clock: Clock, on_call: Callable[[Call], None] | None = None) -> Investigator:
    """The desk that looks up what people ask for."""
    return Investigator(
        build_platform(settings, clock, on_call),
        clock,
        timing(settings),
        settings.deadline_seconds,
        timedelta(hours=settings.lookback_hours),
    )


def build_bot(settings: Settings, clock: Clock) -> list[Part]:
    """The parts of `run`, in the order in which they start. Raises `CannotListenError`."""
    # 1. Who looks things up, and what is counted of it.
    from slack_bolt.adapter.wsgi import SlackRequestHandler  # noqa: PLC0415 - `diagnose` needs nothing of Slack

    from bot import web  # noqa: PLC0415 - as above
    from bot.metrics import Metrics  # noqa: PLC0415 - as above
    from bot.slack import app as slack  # noqa: PLC0415 - as above
    from bot.slack.access import Rules  # noqa: PLC0415 - as above
    from bot.slack.office import Use  # noqa: PLC0415 - as above
    from bot.socket_mode import SocketMode  # noqa: PLC0415 - as above

    def reasons() -> list[str]:
        return socket.reasons() if socket else []

    metrics = Metrics(lambda: not reasons())
    desk = build_investigator(settings, clock, metrics.called)

    # 2. Who answers people in Slack.
    def audit(use: Use) -> None:
        metrics.used(use.action, use.result)
        log.info("Used", action=use.action, subject=use.subject, result=use.result, who=use.user_id)

    office = slack.build_office(
        client=slack.web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url),
        desk=desk,
        clock=clock,
        rules=Rules(frozenset(settings.allowed_channels), frozenset(settings.allowed_usergroups)),
        audit=audit,
        region=settings.default_region,
        deadline_seconds=settings.deadline_seconds,
    )
    app = slack.build_app(office, settings.slack_signing_secret.get_secret_value())

    # 3. How Slack and everybody else reach it.
    socket = SocketMode(app, settings.slack_app_token.get_secret_value()) if settings.socket_mode else None
    handler = None if socket else SlackRequestHandler(app)
    server = web.Server(web.routes(slack=handler, reasons=reasons, metrics=metrics.page), settings.host, settings.port)
    return [_Office(office.pool.close, desk.close), server, *([socket] if socket else [])]


def checks(clock: Clock) -> Iterator[Line]:
    """The lines of `check`. What the settings lack is said, and the rest is checked all the same."""
    from bot import check  # noqa: PLC0415 - as above
    from bot.slack import app as slack  # noqa: PLC0415 - as above

    try:
        load(("cxone", "slack"))
        yield check.Line(check.Mark.OK, "Settings", "complete")
    except SettingsError as wrong:
        for fault in wrong.faults:
            yield check.Line(check.Mark.FAIL, "Settings", fault)
    needs: tuple[Need, ...] = ("cxone", "slack")
    for need in needs:
        try:
            settings = load((need,))
        except SettingsError:
            continue
        if need == "cxone":
            yield from check.cxone(settings, build_platform(settings, clock), clock)
        else:
            yield from check.slack(
                settings, slack.web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
            )


class _Office:
    """Whoever works for people: finishes the look-ups that are under way, then lets the connections go."""

    def __init__(self, *closing: Callable[[], None]) -> None:
        self._closing = closing

    def start(self) -> None:
        """It works when it is asked."""

    def stop(self) -> None:
        """Finish."""
        for close in self._closing:
            close()
