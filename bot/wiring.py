"""Builds the parts from the settings; the only place that knows them all."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import Clock
from bot.cxone.http import Session
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.diagnosis.handover import Timing
from bot.settings import Settings


def timing(settings: Settings) -> Timing:
    """The durations that a judgement rests on."""
    return Timing(grace=timedelta(seconds=settings.grace_seconds), abandon=timedelta(seconds=settings.abandon_seconds))


def build_platform(settings: Settings, clock: Clock) -> Conversations:
    """The tenant, asked for nothing yet."""
    sign_in = client_credentials(settings.cxone_client_id, settings.cxone_client_secret.get_secret_value())
    session = Session(settings.platform_url, sign_in, clock, max_rps=settings.cxone_max_rps)
    return Conversations(session, clock, settings.cxone_tenant_id)


def build_investigator(settings: Settings, clock: Clock) -> Investigator:
    """The desk that looks up what people ask for."""
    return Investigator(
        build_platform(settings, clock),
        clock,
        timing(settings),
        settings.deadline_seconds,
        timedelta(hours=settings.lookback_hours),
    )
