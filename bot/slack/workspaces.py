"""Several Slack workspaces: the app is installed by OAuth, and each workspace's token is kept sealed in the database.

Bolt's flow and slack_sdk's installation store do the work, on tables of ours. That store keeps tokens in clear; here
every token is encrypted by Fernet (cryptography). Of `SLACK_TOKEN_KEYS` the first seals and all open, so that a key can
be changed: at each start of the bot what another key sealed is sealed anew.

An install is taken from those workspaces alone that a tenant names: else whoever installs the app could look calls up.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt import App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.oauth.state_store import OAuthStateStore
from slack_sdk.web import SlackResponse
from sqlalchemy import ColumnElement, Dialect, Engine, Table, Text, TypeDecorator, delete, insert, select, update

from bot.slack.classify import Answer, NotSentError, classify
from bot.store.engine import StoreBroken, StoreError, reading, writing

log = logging.getLogger(__name__)

Next = Callable[[], BoltResponse]

SEALED = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
MOST_USED = 1000
INSTALL_SECONDS = 600  # between the page that leads to Slack and the way back


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


class _States(OAuthStateStore):
    """The state of an install under way, sealed with its time; Bolt holds it against a cookie of the same browser.

    No table keeps them: the page is public, and whoever calls it would fill it. Each is good once: this process
    remembers those that came back, the last 1000. Another process does not know of them.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._box = MultiFernet([Fernet(key) for key in keys])
        self._used: deque[bytes] = deque(maxlen=MOST_USED)
        self._lock = threading.Lock()

    def issue(self, *_args: Any, **_kwargs: Any) -> str:
        """A new one."""
        return self._box.encrypt(b"install" + secrets.token_bytes()).decode().rstrip("=")  # it stands in an address

    def consume(self, state: str) -> bool:
        """Whether it is ours, young and new."""
        try:
            found = self._box.decrypt(state + "=" * (-len(state) % 4), ttl=INSTALL_SECONDS)
        except InvalidToken:
            return False
        with self._lock:
            if found in self._used or not found.startswith(b"install"):
                return False
            self._used.append(found)
            return True


class _Flow(OAuthFlow):
    """Bolt's, with a sentence for the browser where Slack or the database does not answer, and no code in the log."""

    def build_authorize_url(self, state: str, request: BoltRequest) -> str:
        """Slack's page; `team`, the workspace that it is to propose, is taken if it is an id."""
        team = request.query.get("team", [""])[0]
        return self.settings.authorize_url_generator.generate(state, team if re.fullmatch("[A-Z0-9]+", team) else None)

    def handle_callback(self, request: BoltRequest) -> BoltResponse:
        """The way back."""
        try:
            return super().handle_callback(request)
        except (SlackClientError, OSError, HTTPException) as error:
            why = f"Slack: {classify(error).code}"
        except StoreError as error:
            why = str(error)
        log.error("an install failed: %s", why)
        return _said(503, "Slack did not answer, or the database did not. Open /slack/install again.")

    def run_installation(self, code: str) -> Installation | None:
        """What Slack gives for the code; None if it takes the code for none. Raises what a call of Slack raises."""
        try:
            answer = self.client.oauth_v2_access(
                client_id=self.settings.client_id,
                client_secret=self.settings.client_secret,
                code=code,
                redirect_uri=self.settings.redirect_uri,
            )
        except SlackApiError as error:
            meaning = classify(error)
            if meaning.answer in (Answer.LOOK, Answer.WAIT):
                raise
            log.warning("Slack takes no install: %s", meaning.code)
            return None
        return Installation(
            app_id=answer.get("app_id"),
            enterprise_id=(answer.get("enterprise") or {}).get("id"),
            team_id=(answer.get("team") or {}).get("id"),
            team_name=(answer.get("team") or {}).get("name"),
            bot_token=answer.get("access_token"),
            bot_user_id=answer.get("bot_user_id"),
            bot_scopes=answer.get("scope") or "",
            user_id=(answer.get("authed_user") or {}).get("id") or "",
            is_enterprise_install=bool(answer.get("is_enterprise_install")),
            token_type=answer.get("token_type"),
        )


@dataclass(frozen=True, slots=True)
class Installing:
    """How workspaces come and go: the pages of the flow, and the events that end an install."""

    flow: OAuthFlow
    installations: Installations

    def register(self, app: App) -> None:
        """Forget a workspace's tokens when it uninstalls the app or revokes the bot's token."""

        # Bolt acks an event before its listener begins, and after its middleware: what fails there comes again.
        def forget(event: dict[str, Any], body: dict[str, Any], context: BoltContext, next_: Next) -> Any:
            if event["type"] == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
                return next_()
            try:
                self.installations.forget(str(context.team_id), body["event_time"])
            except StoreError as why:
                log.error("uninstalled from workspace %s, its token is still kept: %s", context.team_id, why)  # noqa: TRY400 - a sentence
                return BoltResponse(status=503, body="")
            log.info("uninstalled from workspace %s", context.team_id)
            return next_()

        for kind in ("app_uninstalled", "tokens_revoked"):
            app.event(kind, middleware=[forget])(lambda: None)


def installing(
    installations: Installations, client: WebClient, *, secret: str, keys: Sequence[str], scopes: Sequence[str]
) -> Installing:
    """Bolt's flow on our store: /slack/install leads to Slack, /slack/oauth_redirect is the way back."""
    settings = OAuthSettings(
        client_id=installations.client_id,
        client_secret=secret,
        scopes=scopes,
        user_scopes=[],
        install_page_rendering_enabled=False,  # at once to Slack's own page
        installation_store=installations,
        state_store=_States(keys),
        state_expiration_seconds=INSTALL_SECONDS,
        authorization_url=client.base_url.removesuffix("api/") + "oauth/v2/authorize",
        callback_options=CallbackOptions(success=lambda args: args.default.success(args), failure=_failed),
    )
    return Installing(_Flow(client=client, settings=settings), installations)


def _failed(args: FailureArgs) -> BoltResponse:
    if isinstance(args.error, NotServedError):
        return _said(403, str(args.error))
    return args.default.failure(args)


def _said(status: int, sentence: str) -> BoltResponse:
    return BoltResponse(status=status, body=f"{sentence}\n", headers={"Content-Type": "text/plain; charset=utf-8"})
