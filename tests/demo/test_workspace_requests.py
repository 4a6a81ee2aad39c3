"""What the local Slack sends to the bot: commands, buttons, modals and events, to a real Bolt app."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient

from bot.demo import sending
from bot.demo.workspace import Workspace
from tests.clock import HandClock

OPS = "C0VOICEBOT"
PLAIN = {"type": "plain_text", "text": "x"}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def slack() -> Iterator[Workspace]:
    """A workspace of today, as Bolt takes no signature of another time."""
    with Workspace() as running:
        yield running


@pytest.fixture
def app(slack: Workspace) -> App:
    """A bot without handlers."""
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    return App(client=client, signing_secret=slack.signing_secret, token_verification_enabled=False)


@pytest.fixture
def http(app: App, slack: Workspace) -> Iterator[None]:
    """The bot listens."""
    handler = SlackRequestHandler(app)
    server = make_server("127.0.0.1", 0, handler, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    slack.connect(f"http://127.0.0.1:{server.server_port}/slack/events")
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def answering(slack: Workspace) -> Iterator[Callable[[list[int]], list[dict[str, str]]]]:
    """A bot that answers with these statuses, then with 200; returns the headers of what it got."""
    statuses: list[int] = []
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(dict(self.headers))
            status = statuses.pop(0) if statuses else 200
            if status == 0:
                threading.Event().wait(0.3)
            self.send_response(status or 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    slack.connect(f"http://127.0.0.1:{server.server_address[1]}/")

    def play(those: list[int]) -> list[dict[str, str]]:
        statuses[:] = those
        return seen

    yield play
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("http")
def test_a_command_is_signed_and_its_ack_is_ephemeral(app: App, slack: Workspace) -> None:
    """Bolt takes the signature; what people typed arrives escaped, a number from a phone as a link."""
    got: list[dict[str, Any]] = []

    @app.command("/handover")
    def _handle(ack: Any, body: dict[str, Any]) -> None:
        got.append(body)
        ack("Looking up")

    outcome = slack.command("+15550199888 <!channel> @sam", mobile=True)
    assert outcome.ok
    assert (outcome.status, outcome.body) == (200, "Looking up")
    assert got[0]["text"] == "<tel:+15550199888|+15550199888> &lt;!channel&gt; <@U0SAM|sam>"
    assert [m["text"] for m in slack.ephemerals()] == ["Looking up"]
    assert slack.messages(OPS) == []


@pytest.mark.usefixtures("http")
def test_an_in_channel_ack_shows_what_was_typed_to_everybody(app: App, slack: Workspace) -> None:
    """As Slack does; which is why the product must not use it."""
    app.command("/handover")(lambda ack: ack(text="hello", response_type="in_channel"))
    slack.command("+15550199888")
    assert [m["text"] for m in slack.messages(OPS)] == ["/handover +15550199888", "hello"]


def test_a_wrong_secret_is_noticed_by_the_bot(app: App, slack: Workspace, http: None) -> None:  # noqa: ARG001 - it listens
    """401, shown as Slack shows it."""
    slack.sender._secret = "other"
    app.command("/handover")(lambda ack: ack())
    outcome = slack.command("x")
    assert (outcome.status, outcome.error) == (401, "http_client_error")
    assert "http_client_error" in slack.ephemerals()[-1]["text"]


def test_what_is_not_acked_is_shown_as_slack_shows_it(
    slack: Workspace, answering: Callable[[list[int]], list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """operation_timeout, http_service_error, dispatch_failed."""
    monkeypatch.setattr(sending, "ACK_SECONDS", 0.1)
    answering([0, 500])
    assert slack.command("x").error == "operation_timeout"
    assert slack.command("x").error == "http_service_error"
    slack.connect("http://127.0.0.1:9/")
    assert slack.command("x").error == "dispatch_failed"
    assert "operation_timeout" in slack.ephemerals()[0]["text"]


def test_unacked_events_come_again(answering: Callable[[list[int]], list[dict[str, str]]], slack: Workspace) -> None:
    """At once, after a minute, after five; with the number of the retry, and not after the third."""
    clock = HandClock()
    slack.team.clock = clock
    seen = answering([500, 500, 500, 500, 500])
    slack.event({"type": "app_home_opened", "user": "U0SAM"})

    def wait_for(count: int) -> None:
        for _ in range(100):
            if len(seen) >= count:
                break
            threading.Event().wait(0.02)
        assert len(seen) == count

    wait_for(2)
    clock.advance(59)
    threading.Event().wait(0.12)
    wait_for(2)
    clock.advance(2)
    wait_for(3)
    clock.advance(301)
    wait_for(4)
    clock.advance(3600)
    threading.Event().wait(0.12)
    wait_for(4)
    assert [headers.get("X-Slack-Retry-Num") for headers in seen] == [None, "1", "2", "3"]


@pytest.mark.usefixtures("http")
def test_buttons_menus_and_their_response_url(app: App, slack: Workspace) -> None:
    """A press arrives with the message; replace_original edits it, delete_original removes it."""
    got: list[dict[str, Any]] = []

    @app.action("again")
    def _again(ack: Any, body: dict[str, Any], respond: Any) -> None:
        ack()
        got.append(body)
        respond("pressed", replace_original=True)

    @app.action("other")
    def _other(ack: Any, body: dict[str, Any], respond: Any) -> None:
        ack()
        got.append(body)
        respond(delete_original=True)

    menu = {"type": "static_select", "action_id": "other", "options": [{"text": PLAIN, "value": "call-2"}]}
    button = {"type": "button", "action_id": "again", "text": PLAIN, "value": "id-1"}
    blocks = [{"type": "actions", "elements": [button, menu]}]
    app.client.chat_postMessage(channel=OPS, text="t", blocks=blocks)
    app.client.chat_postMessage(channel="C0ALERTS", text="t", blocks=blocks)
    slack.press(slack.messages(OPS)[0], "again")
    slack.choose(slack.messages("C0ALERTS")[0], "other", "call-2")
    _wait(lambda: not slack.messages("C0ALERTS") and slack.messages(OPS)[0]["text"] == "pressed")
    assert (got[0]["actions"][0]["value"], got[0]["message"]["text"]) == ("id-1", "t")
    assert got[1]["actions"][0]["selected_option"]["value"] == "call-2"
    with pytest.raises(LookupError):
        slack.press(slack.messages(OPS)[0], "again")


@pytest.mark.usefixtures("http")
def test_a_modal_opens_and_is_submitted(app: App, slack: Workspace) -> None:
    """What was typed is in its state; errors keep it open, an empty ack closes it."""
    view = {
        "type": "modal",
        "callback_id": "mute",
        "title": PLAIN,
        "submit": PLAIN,
        "blocks": [
            {
                "type": "input",
                "block_id": "why",
                "label": PLAIN,
                "element": {"type": "plain_text_input", "action_id": "why"},
            }
        ],
    }

    @app.command("/handover")
    def _open(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("mute")
    def _submit(ack: Any, view: dict[str, Any]) -> None:
        if view["state"]["values"]["why"]["why"]["value"] == "bad":
            ack(response_action="errors", errors={"why": "no"})
        else:
            ack()

    slack.command("mute")
    _wait(lambda: len(slack.views) == 1)
    assert slack.submit_view(slack.views[0], {"why": "bad"}).body["errors"] == {"why": "no"}
    assert len(slack.views) == 1
    slack.submit_view(slack.views[0], {"why": "good"})
    assert slack.views == []


@pytest.mark.usefixtures("http")
def test_options_mentions_home_and_url_verification(app: App, slack: Workspace) -> None:
    """The rest of what Slack asks a bot."""
    got: list[str] = []
    app.options("pick")(lambda ack, payload: ack(options=[{"text": PLAIN, "value": payload["value"]}]))
    app.event("app_home_opened")(lambda event: got.append(event["user"]))
    app.event("app_mention")(lambda event: got.append(event["text"]))
    app.event("member_joined_channel")(lambda event: got.append(event["channel"]))
    external = {"type": "external_select", "action_id": "pick", "placeholder": PLAIN}
    app.client.chat_postMessage(channel=OPS, text="t", blocks=[{"type": "actions", "elements": [external]}])
    assert slack.options(slack.messages(OPS)[0], "pick", "bil")[0]["value"] == "bil"
    assert slack.open_home().ok
    slack.say("@handover status", channel=OPS)
    slack.add_channel("new", id="C0NEW", member=False)
    slack.invite("new")
    _wait(lambda: len(got) == 3)
    assert set(got) == {"U0SAM", "<@U0HANDOVER> status", "C0NEW"}
    assert slack.verify_url()


def test_socket_mode_carries_the_same(app: App, slack: Workspace) -> None:
    """hello, an envelope, and its ack with a payload."""
    app.command("/handover")(lambda ack: ack("over the socket"))
    handler = SocketModeHandler(app, slack.app_token, trace_enabled=False)
    handler.client.connect()
    try:
        _wait(slack.socket_mode.connected)
        outcome = slack.command("x")
        assert outcome.ok, outcome
        assert slack.ephemerals()[-1]["text"] == "over the socket"
    finally:
        handler.client.close()


def _wait(happened: Callable[[], object]) -> None:
    """Wait for another thread, two seconds at most."""
    for _ in range(200):
        if happened():
            return
        threading.Event().wait(0.01)
    assert happened()
