"""The tenants at work: who looks things up in each, who watches it, and what answers people for it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import structlog
from slack_sdk import WebClient

from bot import phone, tenants
from bot.alerting import Alerting, Options
from bot.alerts.index import keep_to_key
from bot.alerts.policy import Rules
from bot.clock import Clock
from bot.cxone.contacts import Contacts
from bot.cxone.http import Call
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations
from bot.database import Database, index
from bot.jobs import Jobs
from bot.platforms import build_investigator, timing
from bot.settings import Settings
from bot.slack.info_commands import InfoCommands
from bot.slack.mute_commands import MuteCommands
from bot.slack.services import Services, Use
from bot.slack.status_answers import Quota
from bot.slack.subscription_commands import SubscriptionCommands
from bot.store import audit, rates
from bot.store.engine import StoreError, for_tenant, writing
from bot.tenants import Tenant

log = structlog.get_logger(__name__)

POST_SECONDS = 7  # of one call to Slack for alerts: a killed process's post is looked for soon after


class Centre(NamedTuple):
    """One tenant at work: its settings, who looks things up there, who watches it."""

    tenant: Tenant
    investigator: Investigator
    alerting: Alerting


def build_centres(
    settings: Settings,
    clock: Clock,
    database: Database,
    jobs: Jobs,
    *,
    client_of: Callable[[str], WebClient],
    on_call: Callable[[Call], None] | None = None,
) -> list[Centre]:
    """All tenants, each with the client of its workspace. Raises `SettingsError`."""
    found = tenants.load(settings)
    together = Counter(tenant.workspace for tenant in found)
    centres = []
    for tenant in found:
        investigator = build_investigator(tenant.settings, clock, on_call)
        if settings.many_processes:
            session, key = investigator.platform.session, tenant.settings.cxone_tenant_id
            session.rate = rates.SharedRate(clock, database.engine, key, tenant.settings.cxone_max_rps)
        client = client_of(tenant.workspace)
        client.timeout = POST_SECONDS
        alerting = _alerting(
            tenant.settings,
            clock,
            investigator.platform,
            client,
            database,
            jobs=jobs,
            label=tenant.name if together[tenant.workspace] > 1 else "",
            workspace=tenant.workspace,
        )
        known = index(tenant.settings, clock, database)
        with writing(alerting.engine) as connection:
            if keep_to_key(connection, alerting.tenant, database.hash_key, clock.now(), known.lookback):
                log.warning("HASH_KEY is another than before: numbers are indexed anew; no alert is touched")
        investigator.known, investigator.peers_of = known.known, known.peers_of
        centres.append(Centre(tenant, investigator, alerting))
    return centres


def _alerting(
    settings: Settings,
    clock: Clock,
    platform: Conversations | Contacts,
    client: WebClient,
    database: Database,
    **more: Any,
) -> Alerting:
    """Watcher and notifier of one tenant."""
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


def services_of(
    centre: Centre, common: Services, audit: Callable[[Use], None], reasons: Callable[[], list[str]]
) -> Services:
    """The services of one tenant: the common one with its look-ups, its commands and its buttons."""
    alerting = centre.alerting
    decided: dict[str, Any] = {
        "engine": alerting.engine,
        "clock": common.clock,
        "tenant": alerting.tenant,
        "rules": alerting.options.rules,
        "ops_channel": lambda: alerting.watcher.ops_channel,
    }
    subscriptions = SubscriptionCommands(**decided, deliver=alerting.notifier.deliver_one)
    mutes = MuteCommands(**decided)
    info = InfoCommands(
        engine=alerting.engine,
        clock=common.clock,
        tenant=alerting.tenant,
        workspace=alerting.notifier.workspace,
        client=common.client,
        rules=alerting.options.rules,
        poll_seconds=centre.tenant.settings.poll_seconds,
        reasons=reasons,
        quota=lambda: _quota(centre.investigator, centre.tenant.settings.cxone_max_rps),
    )
    return dataclasses.replace(
        common,
        lookups=centre.investigator,
        tenant=alerting.label,
        audit=audit,
        handlers={**subscriptions.handlers(), **mutes.handlers(), **info.handlers()},
        buttons={**subscriptions.buttons(), **mutes.buttons()},
        home=info.home,
        invited=subscriptions.invited,
    )


def _quota(investigator: Investigator, max_rps: float | None) -> Quota:
    """What was asked of CXone, and how fast it may be asked now."""
    session = investigator.platform.session
    return Quota(session.requests_last_hour(), max_rps, session.rate.limit())


def audit_use(database: Database, tenant: str, use: Use) -> None:
    """Write one use of the bot down; the answer matters more than its line in the audit."""
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
