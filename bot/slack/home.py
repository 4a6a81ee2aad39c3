"""The App Home, published whenever somebody opens it."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import App
from slack_sdk.errors import SlackClientError

from bot.slack import messages_modals
from bot.slack.access import Refused
from bot.slack.blocks import Block
from bot.slack.services import Services
from bot.slack.switchboard import Switchboards
from bot.store.engine import StoreError

log = logging.getLogger(__name__)


def register(app: App, boards: Switchboards) -> None:
    """Show the Home tab whenever somebody opens it."""

    @app.event("app_home_opened")
    def opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("tab", "home") == "home":
            show(boards.of(body).first, str(event.get("user") or ""), str(event.get("channel") or ""))


def _own(services: Services, user_id: str, channel_id: str) -> list[Block]:
    """What is shown to those alone who may use the bot."""
    try:
        services.access.check(user_id, channel_id, "")
        return services.home(user_id)
    except (Refused, StoreError) as fault:
        log.info("the Home tab shows nothing of its own: %s", fault)
        return []


def show(services: Services, user_id: str, channel_id: str) -> None:
    """Publish one person's Home tab. Nothing depends on it, so a failure is only logged."""
    try:
        services.client.views_publish(user_id=user_id, view=messages_modals.home(_own(services, user_id, channel_id)))
    except (SlackClientError, OSError, ValueError) as fault:
        log.warning("views.publish: %s", type(fault).__name__)
