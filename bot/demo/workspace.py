"""A local Slack: the Web API, response_urls, signed requests and Socket Mode, under Slack's rules, on loopback only.

The bot cannot tell the difference: real HTTP, real signatures, real refusals. See `limits` for the blocks, `rates` for
429, `workspace_faults` for what goes wrong on request. Time comes from the clock that is handed in, except the 3 s in
which the bot has to ack: these are the machine's.

    with Workspace() as slack:
        slack.connect("http://127.0.0.1:3000/slack/events")     # or Socket Mode: the bot connects by itself
        slack.command("+15550199888")
        answer = slack.messages("voicebot-ops")[-1]
        slack.press(answer, "run_again")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from bot.clock import Clock, SystemClock
from bot.demo import answers, interactions, views_api, web_api
from bot.demo.api_server import ApiServer, Call
from bot.demo.desk import Desk
from bot.demo.events import Events
from bot.demo.page_server import PageServer
from bot.demo.rates import Rates
from bot.demo.sending import Invocation, Sender
from bot.demo.socket_mode import SocketMode
from bot.demo.state import APP_ID, BOT_ID, BOT_USER, TEAM_ID, Channel, Team, User
from bot.demo.workspace_faults import Faults

Payload = dict[str, Any]


class Workspace:
    """The workspace. Channels #voicebot-ops and #handover-alerts and the person U0SAM are there from the start."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        port: int = 0,
        api_port: int = 0,
        bot_token: str = "xoxb-demo",  # noqa: S107  made up
        app_token: str = "xapp-demo",  # noqa: S107  made up
        signing_secret: str = "demo-signing-secret",  # noqa: S107  made up
        request_url: str = "",
        scopes: Iterable[str] = web_api.SCOPES,
        post_burst: int = 1,
        team_id: str = TEAM_ID,
    ) -> None:
        self.clock = clock or SystemClock()
        self.team = Team(self.clock, team_id)
        self.faults = Faults()
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.socket_mode = SocketMode()
        self.sender = Sender(self.clock, signing_secret, self.socket_mode)
        self.sender.request_url = request_url
        self.events = Events(self.team, self.sender)
        self.page = PageServer(self, port)
        rates = Rates(self.clock, post_burst)
        desk = Desk(
            self.team, rates, frozenset(scopes), bot_token, app_token, lambda: self.url, self.socket_mode.new_url
        )
        self.api = ApiServer(desk, self.faults, partial(answers.post_to_response_url, self.team), api_port)
        self.team.users[BOT_USER] = User(BOT_USER, "handover", "Handover", is_bot=True, team=team_id)
        self.user = self.add_user("sam", id="U0SAM", real_name="Sam de Vries")
        self.add_channel("voicebot-ops", id="C0VOICEBOT")
        self.add_channel("handover-alerts", id="C0ALERTS")

    # The workspace's life

    def start(self) -> Self:
        """Listen."""
        self.socket_mode.start()
        self.api.start()
        self.page.start()
        self.events.start()
        return self

    def stop(self) -> None:
        """End everything that `start` began."""
        self.events.stop()
        self.page.stop()
        self.api.stop()
        self.socket_mode.stop()
        self.sender.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.page.port}/"

    @property
    def api_url(self) -> str:
        """The base of the Web API, for `SLACK_API_URL`."""
        return f"http://127.0.0.1:{self.api.port}/api/"

    @property
    def calls(self) -> list[Call]:
        """The bot's calls of the Web API and the response_urls (`response_url`), in order."""
        return list(self.api.calls)

    def connect(self, request_url: str) -> None:
        """Where the bot listens; not needed in Socket Mode."""
        self.sender.request_url = request_url

    def down(self, is_down: bool = True) -> None:  # noqa: FBT001, FBT002  reads as a switch
        """Refuse every connection of the bot, or take them again on the same port."""
        self.api.stop()
        if not is_down:
            self.api.start()

    # People and channels

    def add_user(
        self,
        name: str,
        *,
        id: str = "",  # noqa: A002  Slack's word
        real_name: str = "",
        guest: bool = False,
        single_channel_guest: bool = False,
        stranger: bool = False,
        deleted: bool = False,
    ) -> str:
        """A person, in no channel but those made later; returns the id."""
        user = User(
            id or self.team.new_id("U"),
            name,
            real_name or name.title(),
            is_stranger=stranger,
            deleted=deleted,
            team=self.team.id,
        )
        user.is_restricted = guest or single_channel_guest
        user.is_ultra_restricted = single_channel_guest
        with self.team.lock:
            self.team.users[user.id] = user
            for channel in self.team.channels.values():
                if channel.kind == "public_channel":
                    channel.members.add(user.id)
        return user.id

    def add_usergroup(self, handle: str, users: Iterable[str], *, id: str = "") -> str:  # noqa: A002  Slack's word
        """A group of people; returns the id."""
        key = id or self.team.new_id("S")
        self.team.usergroups[key] = (handle, list(users))
        return key

    def add_channel(
        self,
        name: str,
        id: str = "",  # noqa: A002  Slack's word
        *,
        private: bool = False,
        member: bool = True,
        archived: bool = False,
        shared: bool = False,
    ) -> str:
        """A channel with everybody in it, the bot too if `member`; returns the id."""
        channel = Channel(id or self.team.new_id("C"), name.removeprefix("#"), private, archived, shared)
        with self.team.lock:
            channel.members = {user for user in self.team.users if user != BOT_USER or member}
            self.team.channels[channel.id] = channel
            self.team.changed_now("channels")
        return channel.id

    def archive(self, channel: str, *, archived: bool = True) -> None:
        """Close a channel, or open it again."""
        self.team.channel(channel).archived = archived

    def kick(self, channel: str) -> None:
        """Put the bot out of a channel."""
        self.team.channel(channel).members.discard(BOT_USER)

    def invite(self, channel: str) -> Invocation:
        """Take the bot into a channel; it learns of it by `member_joined_channel`."""
        found = self.team.channel(channel)
        found.members.add(BOT_USER)
        body = {"user": BOT_USER, "channel": found.id, "channel_type": "C", "team": self.team.id, "inviter": self.user}
        return self.event({"type": "member_joined_channel", **body})

    def remove(self, channel: str, ts: str) -> None:
        """Delete a message, as a person may."""
        self.team.remove(self.team.channel(channel).id, ts)

    def dismiss(self, channel: str, ts: str) -> None:
        """Take an ephemeral message away; no other."""
        found = self.team.find(self.team.channel(channel).id, ts)
        if found is not None and found.get("is_ephemeral"):
            self.team.remove(found["channel"], ts)

    # What people see

    def messages(self, channel: str) -> list[Payload]:
        """A channel's messages in order, replies too, nothing ephemeral; each with its `channel`."""
        with self.team.lock:
            return [dict(message) for message in self.team.channel(channel).messages.values()]

    def ephemerals(self, user: str | None = None, channel: str | None = None) -> list[Payload]:
        """What only that person sees, in order."""
        with self.team.lock:
            wanted = self.team.channel(channel).id if channel else None
            return [
                dict(e.message)
                for e in self.team.ephemerals
                if e.user == (user or self.user) and wanted in (None, e.message["channel"])
            ]

    @property
    def views(self) -> list[Payload]:
        """The open modals, the topmost of each person last."""
        with self.team.lock:
            return [dict(self.team.views[key]) for stack in self.team.stacks.values() for key in stack]

    def home(self, user: str | None = None) -> Payload | None:
        """The App Home that was published for that person."""
        return self.team.homes.get(user or self.user)

    # What people do

    def say(self, text: str, *, user: str | None = None, channel: str = "voicebot-ops", thread_ts: str = "") -> Payload:
        """Post as a person; a mention of the bot reaches it as `app_mention`."""
        found = self.team.channel(channel)
        message = {
            "text": interactions.typed(self.team, text, mobile=False),
            "user": user or self.user,
            "team": self.team.id,
        }
        posted = self.team.post(found, {**message, **({"thread_ts": thread_ts} if thread_ts else {})})
        mention = f"<@{BOT_USER}|handover>"
        if mention in posted["text"] and BOT_USER in found.members:
            self.event({**posted, "type": "app_mention", "text": posted["text"].replace(mention, f"<@{BOT_USER}>")})
        return posted

    def command(
        self,
        text: str = "",
        *,
        user: str | None = None,
        channel: str = "voicebot-ops",
        command: str = "/handover",
        mobile: bool = False,
    ) -> Invocation:
        """Type a slash command; returns when the bot acked it or its 3 s are over."""
        found, person = self.team.channel(channel), self.team.users[user or self.user]
        trigger = self.team.new_trigger(person.id)
        url = self._response_url(found.id, person.id)
        arrived = interactions.typed(self.team, text, mobile=mobile)
        fields = {"name": command, "text": arrived, "trigger_id": trigger, "response_url": url}
        outcome = self.sender.command(interactions.command(person, found, **fields))
        if outcome.error:
            answers.slackbot(self.team, person.id, found.id, f"{command} failed with the error “{outcome.error}”")
        elif outcome.body:
            answers.ack_of_command(self.team, outcome.body, found, person.id, f"{command} {arrived}".strip())
        return _with(outcome, trigger, url)

    def press(
        self,
        where: Mapping[str, Any],
        action_id: str,
        *,
        value: Any = None,
        user: str | None = None,
        block_id: str = "",
    ) -> Invocation:
        """Press a button of a message, modal or home (as `messages`, `ephemerals`, `views` and `home` give them)."""
        current, person = self._now(where), self.team.users[user or self.user]
        block, used = interactions.element(current["blocks"], action_id, block_id)
        trigger = self.team.new_trigger(person.id, current["id"] if current.get("type") == "modal" else "")
        payload = interactions.frame("block_actions", person, trigger)
        payload["actions"] = [interactions.action(block, used, value, self.team.new_ts())]
        url = ""
        if current.get("type") in ("modal", "home"):
            payload |= {"view": current, "container": {"type": "view", "view_id": current["id"]}}
        else:
            url = self._response_url(current["channel"], person.id, current["ts"], current.get("thread_ts") or "")
            payload |= interactions.message_frame(self.team, current) | {"response_url": url, "state": {"values": {}}}
        return _with(self.sender.interaction(payload), trigger, url)

    def choose(self, where: Mapping[str, Any], action_id: str, value: Any, *, user: str | None = None) -> Invocation:
        """Choose an option of a menu by its value."""
        return self.press(where, action_id, value=value, user=user)

    def options(
        self, where: Mapping[str, Any], action_id: str, query: str, *, user: str | None = None
    ) -> list[Payload]:
        """What an external menu offers for what was typed into it."""
        current, person = self._now(where), self.team.users[user or self.user]
        block, _ = interactions.element(current["blocks"], action_id)
        payload = interactions.frame("block_suggestion", person, "")
        payload |= {"action_id": action_id, "block_id": block["block_id"], "value": query}
        payload |= {"view": current} if "id" in current else interactions.message_frame(self.team, current)
        body = self.sender.interaction(payload).body
        return list(body.get("options") or []) if isinstance(body, dict) else []

    def submit_view(
        self, view: Mapping[str, Any], values: Mapping[str, Any] | None = None, *, user: str | None = None
    ) -> Invocation:
        """Send a modal with what was typed, by action_id; the ack's `response_action` is done.

        `errors` of the ack stay with the modal: they are in the answer's body.
        """
        person = self.team.users[user or self._owner(str(view["id"]))]
        current = dict(self._now(view))
        current["state"] = interactions.state(current["blocks"], values or {})
        trigger = self.team.new_trigger(person.id, str(current["id"]))
        payload = interactions.frame("view_submission", person, trigger)
        outcome = self.sender.interaction({**payload, "view": current, "response_urls": []})
        if outcome.ok:
            answers.ack_of_submission(self.team, outcome.body, person.id, str(current["id"]))
        return _with(outcome, trigger, "")

    def close_view(self, view: Mapping[str, Any], *, user: str | None = None) -> None:
        """Close a modal; the bot hears of it if the view asked for that."""
        person = self.team.users[user or self._owner(str(view["id"]))]
        current = self._now(view)
        views_api.close_view(self.team, person.id)
        if current.get("notify_on_close"):
            payload = interactions.frame("view_closed", person, "")
            self.sender.interaction({**payload, "view": current, "is_cleared": False})

    def open_home(self, user: str | None = None) -> Invocation:
        """Open the App Home."""
        person = user or self.user
        body = {"type": "app_home_opened", "user": person, "channel": self.team.direct(person).id, "tab": "home"}
        view = self.team.homes.get(person)
        return self.event({**body, **({"view": view} if view else {})})

    def allow(self, user: str | None = None) -> str:
        """Allow the app on Slack's page, as a person does; returns the code that Slack then hands to the app."""
        code = f"{self.team.id}.{self.team.new_id('code')}"
        self.team.codes[code] = user or self.user
        return code

    def uninstall(self) -> Invocation:
        """Take the app out of the workspace: its token is good for nothing, and the app is told."""
        self.team.installed = False
        self.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}})
        return self.event({"type": "app_uninstalled"})

    def event(self, body: Payload) -> Invocation:
        """Deliver an event; what is not acked comes again at once, after a minute and after five."""
        return self.events.deliver(body)

    def verify_url(self) -> bool:
        """Ask the bot's URL for its challenge, as Slack does when the URL is set."""
        challenge = self.team.new_id("challenge")
        outcome = self.sender.event({"type": "url_verification", "token": interactions.TOKEN, "challenge": challenge})
        body = outcome.body
        return outcome.ok and (body.get("challenge") if isinstance(body, dict) else body) == challenge

    # Behind the scenes

    def _response_url(self, channel: str, user: str, message_ts: str = "", thread_ts: str = "") -> str:
        key = self.team.new_response_url(channel, user, message_ts, thread_ts)
        return f"http://127.0.0.1:{self.api.port}/response/{key}"

    def _now(self, where: Mapping[str, Any]) -> Payload:
        """The message or view as it is now, whatever the caller has of it."""
        if "ts" in where:
            message = self.team.find(str(where["channel"]), str(where["ts"]))
            if message is None:
                raise LookupError("the message is gone")
            return dict(message)
        homes = {view["id"]: view for view in self.team.homes.values()}
        found = self.team.views.get(str(where["id"])) or homes.get(str(where["id"]))
        if found is None:
            raise LookupError("the view is gone")
        return dict(found)

    def _owner(self, view_id: str) -> str:
        return next((user for user, stack in self.team.stacks.items() if view_id in stack), self.user)


def _with(outcome: Invocation, trigger_id: str, response_url: str) -> Invocation:
    return replace(outcome, trigger_id=trigger_id, response_url=response_url)


__all__ = ["APP_ID", "BOT_ID", "BOT_USER", "TEAM_ID", "Call", "Invocation", "Workspace"]
