"""The pages on which a workspace installs the app, and the events that end an install: Bolt's flow on our store."""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt import App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.state_store import OAuthStateStore

from bot.slack.classify import Answer, classify
from bot.slack.workspaces import Installations, NotServedError
from bot.store.engine import StoreError

log = logging.getLogger(__name__)

Next = Callable[[], BoltResponse]

MOST_USED = 1000
ENDINGS = ("app_uninstalled", "tokens_revoked")  # the events after which a workspace's token is worth nothing
INSTALL_SECONDS = 600  # between the page that leads to Slack and the way back


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

        for kind in ENDINGS:
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
