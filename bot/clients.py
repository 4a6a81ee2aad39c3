"""Slack's clients: the one of the bot's token, or one for each workspace that installed the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_sdk import WebClient
from sqlalchemy import Engine

from bot import check, tenants
from bot.settings import Settings
from bot.slack.app import web_client
from bot.store.engine import StoreBroken

if TYPE_CHECKING:
    from bot.slack.installing import Installing
    from bot.slack.workspaces import Installations


class Clients:
    """Made from the settings, and where workspaces install the app from what the database holds of them."""

    def __init__(self, settings: Settings, engine: Engine | None) -> None:
        """Without an engine no workspace has installed it. Raises `StoreError`, `SettingsError`. Writes nothing."""
        self._settings = settings
        if settings.several_workspaces:
            _find_oauth()
        self._installations = _installations(settings, engine) if engine and settings.several_workspaces else None

    def of(self, workspace: str) -> WebClient:
        """A new client; `workspace` is empty where there is one alone."""
        plain = web_client(self._settings.slack_bot_token.get_secret_value(), self._settings.slack_api_url)
        if not self._settings.several_workspaces:
            return plain
        from bot.slack.workspaces import WorkspaceClient  # noqa: PLC0415 - the extra `oauth` brings what it needs

        return WorkspaceClient(self._installations, workspace, plain)

    def seal_anew(self) -> None:
        """Seal with the first key whatever another one sealed. Only whoever runs does so: all of them know the key."""
        if self._installations is not None:
            self._installations.seal_anew()

    def installing(self) -> Installing | None:
        """How workspaces come and go, where there may be several."""
        if self._installations is None:
            return None
        from bot.slack import installing  # noqa: PLC0415 - as above

        return installing.installing(
            self._installations,
            web_client("", self._settings.slack_api_url),
            secret=self._settings.slack_client_secret.get_secret_value(),
            keys=self._settings.seal_keys,
            scopes=[*check.SCOPES, "usergroups:read", *check.HISTORY],
        )


def _find_oauth() -> None:
    try:
        from bot.slack import workspaces  # noqa: F401, PLC0415 - as above
    except ModuleNotFoundError as error:
        raise StoreBroken("Several workspaces need the extra `oauth`: pip install 'handover-bot[oauth]'.") from error


def _installations(settings: Settings, engine: Engine) -> Installations:
    from bot.slack.workspaces import Installations  # noqa: PLC0415 - as above

    served = {tenant.workspace for tenant in tenants.load(settings, secrets=False)}
    return Installations(settings.slack_client_id, engine, settings.seal_keys, served)
