"""Several Slack workspaces: the app is installed by OAuth, and each workspace's token is kept sealed in the database.

slack_sdk's installation store is used, on tables of ours. It keeps tokens in clear; here every token is encrypted by
Fernet (cryptography). Of `SLACK_TOKEN_KEYS` the first seals and all open, so that a key can be changed: at each start
of the bot what another key sealed is sealed anew.

An install is taken from those workspaces alone that a tenant names: else whoever installs the app could look calls up.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt.error import BoltError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.web import SlackResponse
from sqlalchemy import ColumnElement, Dialect, Engine, Table, Text, TypeDecorator, delete, insert, select, update

from bot.slack.classify import NotSentError
from bot.store.engine import StoreBroken, StoreError, reading, writing

log = logging.getLogger(__name__)

SEALED = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")


class NotServedError(BoltError):
    """Somebody installed the app in a workspace that no tenant names; the message is for them."""

    def __init__(self) -> None:
        super().__init__("Handover is not set up for this workspace. Ask whoever runs it to add it to TENANTS_FILE.")


class Sealed(TypeDecorator[str]):
    """A text that the database holds encrypted. Raises StoreBroken where no key opens it."""

    impl = Text
    cache_ok = False  # it holds the keys

    def __init__(self, box: MultiFernet) -> None:
        super().__init__()
        self._box = box

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal it with the first key."""
        del dialect
        return None if value is None else self._box.encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open it with whichever key fits."""
        del dialect
        try:
            return None if value is None else self._box.decrypt(value).decode()
        except InvalidToken:
            raise StoreBroken(
                "A Slack token in the database was sealed with a key that SLACK_TOKEN_KEYS lacks."
            ) from None


class Installations(SQLAlchemyInstallationStore):
    """slack_sdk's store with sealed tokens, for the workspaces that tenants name."""

    def __init__(self, client_id: str, engine: Engine, keys: Sequence[str], served: Collection[str]) -> None:
        super().__init__(client_id, engine)
        box = MultiFernet([Fernet(key) for key in keys])
        self._served = frozenset(served)
        for table in (self.bots, self.installations):
            for column in table.columns:
                if column.name in SEALED:
                    column.type = Sealed(box)

    def save(self, installation: Installation) -> None:
        """Keep an install in place of the workspace's others. Raises NotServedError, StoreError.

        An install for a whole organisation names no workspace.
        """
        if installation.team_id not in self._served:
            log.warning("an install in workspace %s was refused: no tenant names it", installation.team_id)
            raise NotServedError
        with writing(self.engine) as connection:
            for table, found in ((self.installations, installation), (self.bots, installation.to_bot())):
                row = {**found.to_dict(), "client_id": self.client_id}
                times = {name: normalize_datetime_for_db(row[name]) for name in row if name.endswith("_at")}
                connection.execute(delete(table).where(*self._of(table, installation.team_id)))
                connection.execute(insert(table).values(row | times))
        log.info("installed in workspace %s by %s", installation.team_id, installation.user_id)

    def forget(self, workspace: str, until: float) -> None:
        """Remove what a workspace installed up to that second (Unix time), and nothing later. Raises StoreError."""
        end = datetime.fromtimestamp(int(until) + 1, UTC).replace(tzinfo=None)  # as slack_sdk keeps it
        with writing(self.engine) as connection:
            for table in (self.bots, self.installations):
                connection.execute(delete(table).where(*self._of(table, workspace), table.c.installed_at < end))

    def token(self, workspace: str) -> str:
        """The newest token of a workspace, empty where the app is not installed. Raises StoreError."""
        bots = self.bots.columns
        newest = (
            select(bots.bot_token)
            .where(*self._of(self.bots, workspace), bots.bot_token.is_not(None))
            .order_by(bots.installed_at.desc(), bots.id.desc())
            .limit(1)
        )
        with reading(self.engine) as connection:
            return connection.scalar(newest) or ""

    def _of(self, table: Table, workspace: str) -> tuple[ColumnElement[bool], ...]:
        """Whatever organisation it is in: events do not always say, and it may join one."""
        return table.c.client_id == self.client_id, table.c.team_id == workspace

    def seal_anew(self) -> None:
        """Seal all with the first key. Raises StoreError where no key opens a token."""
        with writing(self.engine) as connection:
            for table in (self.bots, self.installations):
                sealed = [column for column in table.columns if column.name in SEALED]
                for row in connection.execute(select(table.c.id, *sealed)).all():
                    opened = {column.name: getattr(row, column.name) for column in sealed}
                    connection.execute(update(table).where(table.c.id == row.id).values(opened))


class WorkspaceClient(WebClient):
    """A client of one workspace. Its token is looked up for each call, so an install or its end holds at once."""

    def __init__(self, installations: Installations | None, workspace: str, like: WebClient) -> None:
        """Where there are no installations it is not installed."""
        super().__init__(base_url=like.base_url, timeout=like.timeout, retry_handlers=[])
        self._installations = installations
        self._workspace = workspace

    def api_call(self, api_method: str, **arguments: Any) -> SlackResponse:
        """One call. Without asking Slack it raises SlackApiError "not_installed", and NotSentError for the database."""
        try:
            self.token = self._installations.token(self._workspace) if self._installations else ""
        except StoreError as why:
            log.warning("the token of workspace %s was not read: %s", self._workspace, why)
            raise NotSentError(str(why)) from why
        if not self.token:
            answer = {"ok": False, "error": "not_installed"}
            raise SlackApiError("the app is not installed in this workspace", answer)  # type: ignore[no-untyped-call]
        return super().api_call(api_method, **arguments)
