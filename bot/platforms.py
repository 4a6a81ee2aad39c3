"""Who asks a tenant: its platform and the investigator, built from the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.clock import Clock
from bot.cxone.cognigy_client import Cognigy
from bot.cxone.contacts import Contacts
from bot.cxone.contacts_sign_in import AccessKey, access_key
from bot.cxone.http import Call, Session
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.diagnosis.handover import Timing
from bot.settings import Settings


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
