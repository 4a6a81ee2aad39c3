"""The lines of `check`: does everything that the bot needs answer, and with enough permission?

Each line is one question, asked of the real thing. Only reads, and nothing is posted. Ids that do not exist are asked
for on purpose: a 404 shows that the call is permitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.cxone.errors import AnswerError, CXoneError, MethodError, NotFoundError
from bot.cxone.http import Deadline
from bot.cxone.platform import READ_ANALYTICS, READ_CONVERSATIONS, Conversations
from bot.settings import Settings
from bot.slack.classify import NotSentError

NOBODY = "handover-check-00000000"  # an id that nothing has
SCOPES = {
    "commands": "/handover itself",
    "chat:write": "answers and alerts",
    "users:read": "guests are told from members",
    "channels:read": "channels by name, and whether they are shared",
    "groups:read": "the same for private channels",
}
HISTORY = ("channels:history", "groups:history")
_CALLS = (
    ("CXone conversation", "/api/v2/conversations/{id}", READ_CONVERSATIONS),
    ("CXone users", "/api/v2/users/{id}", "the scope users:read"),
    ("CXone queues", "/api/v2/queues/{id}", "a scope for queues"),
    ("CXone flows", "/api/v2/flows/{id}", "a scope for flows"),
)
_PAGES = 10  # of channels, when one is looked for by name


class Mark(StrEnum):
    """How a question was answered."""

    OK = "ok"
    FAIL = "FAIL"
    NOTE = "note"  # works without, and what is lost


@dataclass(frozen=True, slots=True)
class Line:
    """One question and its answer, as a sentence."""

    mark: Mark
    what: str
    text: str
    tenant: str = ""  # whose, where there are several

    @property
    def failed(self) -> bool:
        """Whether the bot cannot do without."""
        return self.mark is Mark.FAIL

    def __str__(self) -> str:
        whose = f"{self.tenant}  " if self.tenant else ""
        return f"{self.mark.value:<5} {whose}{self.what:<22} {self.text}"


def cxone(settings: Settings, platform: Conversations, clock: Clock) -> Iterator[Line]:
    """Token, then each call with the scope that it needs. Without a token nothing else is asked."""

    def deadline() -> Deadline:
        return Deadline(clock, settings.deadline_seconds)

    def ask(what: str, call: Callable[[Deadline], object]) -> Line:
        with deadline() as limit:
            try:
                call(limit)
            except NotFoundError:
                return Line(Mark.OK, what, "permitted")
            except CXoneError as error:
                return Line(Mark.FAIL, what, error.sentence)
        return Line(Mark.OK, what, "permitted")

    # 1. The sign-in.
    with deadline() as limit:
        try:
            platform.session.token(limit)
        except CXoneError as error:
            yield Line(Mark.FAIL, "CXone token", error.sentence)
            yield from not_looked_at(["CXone conversations", *(what for what, *_ in _CALLS), "CXone analytics"])
            return
    yield Line(Mark.OK, "CXone token", f"given by {platform.host} for tenant {platform.tenant}")

    # 2. The list; its absence means another API.
    with deadline() as limit:
        try:
            platform.session.get("/api/v2/conversations", {"pageSize": 1}, limit, needs=READ_CONVERSATIONS)
            yield Line(Mark.OK, "CXone conversations", "listed")
        except (NotFoundError, MethodError, AnswerError) as error:
            yield Line(
                Mark.FAIL,
                "CXone conversations",
                f"{platform.host} does not speak the profile “{settings.cxone_api}”: {error.sentence} "
                "Check CXONE_API and CXONE_BASE_URL.",
            )
            yield from not_looked_at([*(what for what, *_ in _CALLS), "CXone analytics"])
            return
        except CXoneError as error:
            yield Line(Mark.FAIL, "CXone conversations", error.sentence)

    # 3. Everything else that a diagnosis reads.
    for what, path, needs in _CALLS:
        yield ask(what, partial(_get, platform, path, needs))
    now = clock.now()
    line = ask("CXone analytics", lambda limit: platform.history(now - timedelta(minutes=1), now, limit))
    if line.mark is Mark.FAIL:
        lost = f" Calls older than the list reaches cannot be found ({READ_ANALYTICS})."
        line = Line(Mark.FAIL, line.what, line.text + lost)
    yield line


def not_looked_at(whats: Iterable[str]) -> Iterator[Line]:
    """A line for each question that had no sense after a failure."""
    return (Line(Mark.NOTE, what, "not looked at") for what in whats)


def _get(platform: Conversations, path: str, needs: str, limit: Deadline) -> object:
    return platform.session.send("GET", path, item=NOBODY, deadline=limit, needs=needs)


def slack(settings: Settings, client: WebClient, tenants: Mapping[str, Settings] | None = None) -> Iterator[Line]:
    """The bot's token and its scopes, the app's token where Socket Mode is set, and the channels.

    Those of the settings, or where there are several tenants those of each, by its name.
    """
    # 1. The bot's token, and what it may do.
    try:
        answer = client.auth_test()
    except (SlackClientError, OSError) as error:
        yield Line(Mark.FAIL, "Slack token", f"POST {settings.slack_api_url}auth.test: {_said(error)}")
        reached = "Slack Socket Mode" if settings.socket_mode else "Slack over HTTP"
        yield from not_looked_at(["Slack scopes", "Slack history", reached])
        for tenant, own in (tenants or {"": settings}).items():
            named = [name for name in ("alert_channel", "ops_channel") if getattr(own, name)]
            yield from (
                replace(line, tenant=tenant) for line in not_looked_at(f"Slack {name.upper()}" for name in named)
            )
        return
    yield Line(Mark.OK, "Slack token", f"bot {answer.get('user')} in {answer.get('team')}")
    granted = _header(answer.headers, "x-oauth-scopes")
    yield from _scopes({scope.strip() for scope in granted.split(",") if scope.strip()}, settings)

    # 2. How Slack reaches the bot.
    if settings.socket_mode:
        try:
            client.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
            yield Line(Mark.OK, "Slack Socket Mode", "a connection was granted")
        except (SlackClientError, OSError) as error:
            yield Line(Mark.FAIL, "Slack Socket Mode", f"apps.connections.open: {_said(error)} (SLACK_APP_TOKEN)")
    else:
        yield Line(Mark.OK, "Slack over HTTP", f"expected on {settings.host}:{settings.port}/slack/events, signed")

    # 3. Where it is to post.
    for tenant, own in (tenants or {"": settings}).items():
        for name in ("alert_channel", "ops_channel"):
            wanted = getattr(own, name)
            if wanted:
                yield replace(_channel(client, name.upper(), wanted), tenant=tenant)


def _scopes(granted: set[str], settings: Settings) -> Iterator[Line]:
    if not granted:
        yield Line(Mark.NOTE, "Slack scopes", "Slack did not say which scopes the token has")
        return
    needed = SCOPES | ({"usergroups:read": "ALLOWED_USERGROUPS"} if settings.allowed_usergroups else {})
    missing = [f"{scope} ({why})" for scope, why in needed.items() if scope not in granted]
    if missing:
        yield Line(Mark.FAIL, "Slack scopes", f"missing: {', '.join(missing)}; add them and install the app again")
    else:
        yield Line(Mark.OK, "Slack scopes", ", ".join(sorted(needed)))
    lost = [scope for scope in HISTORY if scope not in granted]
    if lost:
        text = (
            f"{', '.join(lost)} missing: a post whose answer got lost cannot be looked up, so an alert may come twice"
        )
        yield Line(Mark.NOTE, "Slack history", text)
    else:
        yield Line(Mark.OK, "Slack history", "a post whose answer got lost can be looked up")


def _channel(client: WebClient, setting: str, wanted: str) -> Line:
    what = f"Slack {setting}"
    try:
        found = _find(client, wanted.removeprefix("#"))
    except (SlackClientError, OSError) as error:
        return Line(Mark.FAIL, what, f"{wanted}: {_said(error)}")
    if found is None:
        return Line(Mark.FAIL, what, f"{wanted}: no such channel, or a private one that has not invited the bot")
    name = f"#{found.get('name')} ({found.get('id')})"
    if found.get("is_archived"):
        return Line(Mark.FAIL, what, f"{name} is archived")
    if not found.get("is_member"):
        return Line(Mark.FAIL, what, f"the bot is no member of {name}; type /invite there")
    return Line(Mark.OK, what, f"member of {name}")


def _find(client: WebClient, wanted: str) -> dict[str, Any] | None:
    """A channel by id, or else by name."""
    try:
        channel: dict[str, Any] = client.conversations_info(channel=wanted)["channel"]
    except SlackApiError as error:
        if error.response.get("error") != "channel_not_found":
            raise
    else:
        return channel
    cursor = ""
    for _ in range(_PAGES):
        page = client.conversations_list(
            types="public_channel,private_channel", limit=999, cursor=cursor, exclude_archived=False
        )
        for each in page["channels"]:
            if each.get("name") == wanted:
                return dict(each)
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    return None


def _header(headers: Any, name: str) -> str:
    """A header whatever its case."""
    for key, value in dict(headers).items():
        if key.lower() == name:
            return str(value)
    return ""


def _said(error: Exception) -> str:
    """A failure of Slack's in a few words; nothing that was sent is in it."""
    if isinstance(error, SlackApiError):
        missing = error.response.get("needed")
        return f"Slack says {error.response.get('error')}" + (f", needed: {missing}" if missing else "")
    return str(error) if isinstance(error, NotSentError) else f"no answer ({type(error).__name__})"
