"""The Bolt app. It starts while Slack is down and acks without asking anybody anything.

Bolt's one pool runs acks, so nothing slow may run there: look-ups have a bounded pool of their own. `authorize` does no
I/O, and the token is not verified at the start. Seen in slack-bolt 1.30: SLACK_CLIENT_ID and SLACK_CLIENT_SECRET in the
environment switch on OAuth, which would serve an install page and write files; it is taken out again.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_bolt.error import BoltUnhandledRequestError
from slack_sdk import WebClient

from bot.clock import Clock
from bot.slack import actions, commands, invited
from bot.slack import home as home_tab
from bot.slack.access import Access, Rules
from bot.slack.blocks import Block
from bot.slack.replies import Poster
from bot.slack.services import Handler, Lookups, Pool, Seen, Services, Use
from bot.slack.switchboard import Switchboards, UnknownWorkspaceError, workspace_of

if TYPE_CHECKING:
    from bot.slack.installing import Installing  # the extra `oauth` brings what it needs

log = logging.getLogger(__name__)

COMMAND = "/handover"
_ACKS = 12  # threads for acks: each takes milliseconds
_WINDOWS = 8  # threads that open windows: a trigger is soon over, so none waits behind a look-up
_LOOK_UPS = 26  # at once; each waits for CXone most of its time, and fifty are two rounds
_WAITING = 124  # for a place
_SECONDS = 10  # of one call to Slack


def web_client(token: str, base_url: str = "https://slack.com/api/") -> WebClient:
    """A client that repeats nothing by itself: a repeated post is a double one."""
    base = base_url if base_url.endswith("/") else f"{base_url}/"
    return WebClient(token=token or None, base_url=base, timeout=_SECONDS, retry_handlers=[])


def build_services(
    *,
    client: WebClient,
    lookups: Lookups,
    clock: Clock,
    rules: Rules = Rules(),  # noqa: B008 - frozen
    audit: Callable[[Use], None] = lambda use: log.info("use: %s %s: %s", use.action, use.subject, use.result),
    region: str = "US",
    deadline_seconds: float = 20.0,
    pool: Pool | None = None,
    windows: Pool | None = None,
    handlers: Mapping[type, Handler] | None = None,
    buttons: Mapping[str, Handler] | None = None,
    home: Callable[[str], list[Block]] = lambda user_id: [],  # noqa: ARG005 - nobody has anything
) -> Services:
    """The seams of the Slack room. `handlers` and `buttons` need the store: by type of the grammar, by action id."""
    return Services(
        lookups=lookups,
        client=client,
        clock=clock,
        access=Access(client, clock, rules),
        poster=Poster(client, clock),
        pool=pool or Pool(_LOOK_UPS, _WAITING),
        windows=windows or Pool(_WINDOWS, _WAITING),
        seen=Seen(clock),
        audit=audit,
        region=region,
        deadline_seconds=deadline_seconds,
        handlers=handlers or {},
        buttons=buttons or {},
        home=home,
    )


def build_app(boards: Switchboards, signing_secret: str = "", installing: Installing | None = None) -> App:
    """The app, without opening a connection. Without a signing secret (Socket Mode) every HTTP request is refused.

    With `installing` workspaces can install it, and uninstall it.
    """
    app = App(
        name="handover",
        client=web_client("", next(iter(boards)).first.client.base_url),
        signing_secret=signing_secret or secrets.token_hex(32),
        authorize=_Anybody(),  # type: ignore[no-untyped-call]  # the library left it without types
        oauth_flow=installing.flow if installing else None,
        token_verification_enabled=False,
        listener_executor=ThreadPoolExecutor(_ACKS, thread_name_prefix="ack"),
        process_before_response=False,
        raise_error_for_unhandled_request=True,
    )
    if installing is None:
        app._oauth_flow = None  # noqa: SLF001 - see above; Bolt has no switch for it

    @app.command(COMMAND)
    def handover(ack: Ack, body: dict[str, Any]) -> None:
        commands.handle(boards, ack, body)

    actions.register(app, {button for board in boards for button in board.first.buttons}, boards.action)
    home_tab.register(app, boards)
    invited.register(app, boards)
    if installing:
        installing.register(app)

    @app.error
    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        if isinstance(error, BoltUnhandledRequestError):
            log.info("nothing listens for %s", body.get("type") or body.get("command"))
            return BoltResponse(status=200, body="")
        if isinstance(error, UnknownWorkspaceError):
            log.warning("from workspace %s, which no tenant names: %s", workspace_of(body), body.get("type"))
            return BoltResponse(status=200, body="")
        reference = secrets.token_hex(4)
        log.error("a listener failed, reference %s", reference, exc_info=error)
        return BoltResponse(status=200, body=f"Something went wrong. The log tells more under {reference}.")

    return app


class _Anybody(Authorize):
    """Whoever asks; what the handlers say goes by the client of the services, which has the token."""

    def __call__(self, *, enterprise_id: str | None, team_id: str | None, **_: Any) -> AuthorizeResult:
        """No I/O, so that an ack waits for nobody."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)
