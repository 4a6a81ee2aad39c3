"""The bot was invited to a channel: what was paused there, because it could not post, goes on."""

from __future__ import annotations

from typing import Any

from slack_bolt import App

from bot.slack.switchboard import Switchboards


def register(app: App, boards: Switchboards) -> None:
    """Tell each tenant when it is the bot that joined. Whose event it is stands in its authorizations."""

    @app.event("member_joined_channel")
    def joined(event: dict[str, Any], body: dict[str, Any]) -> None:
        ours = {each.get("user_id") for each in body.get("authorizations") or []}
        channel, event_id = str(event.get("channel") or ""), str(body.get("event_id") or "")
        if channel and event_id and event.get("user") in ours:
            for services in boards.of(body).by_tenant.values():
                services.invited(channel, event_id)
