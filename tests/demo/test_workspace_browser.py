"""The page in a real browser: what people click and type, and that foreign text stays text."""

import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, Page
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient

from bot.demo.page_server import Step
from bot.demo.workspace import Workspace

OPS = "C0VOICEBOT"
pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> <!channel> *bold*"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def _answer(title: str) -> list[dict[str, Any]]:
    words = {"type": "text", "text": EVIL, "style": {"code": True}}
    date = {"type": "date", "timestamp": 1795413285, "format": "{date_num}", "fallback": "never"}
    menu = {"type": "static_select", "action_id": "other", "placeholder": _plain("Other calls")}
    return [
        {"type": "header", "text": _plain(title)},
        _rich(words, date),
        {"type": "table", "rows": [[_rich({"type": "text", "text": "Time"})], [_rich(date)]]},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*fat* `code` &lt;b&gt; <javascript:alert(1)|bad>"}},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "again", "text": _plain("Run again")},
                {"type": "button", "action_id": "raw", "text": _plain("Raw events")},
                menu | {"options": [{"text": _plain("the one before"), "value": "call-2"}]},
            ],
        },
    ]


def _bot(slack: Workspace) -> App:
    """A small bot that answers with everything the page has to draw."""
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    app = App(client=client, signing_secret=slack.signing_secret, token_verification_enabled=False)

    @app.command("/handover")
    def _command(ack: Any, body: dict[str, Any]) -> None:
        ack("Looking up …2233")
        client.chat_postMessage(channel=body["channel_id"], text="x", blocks=_answer("Refused by Billing"))

    @app.action("again")
    def _again(ack: Any, body: dict[str, Any]) -> None:
        ack()
        place = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        client.chat_update(**place, text="x", blocks=_answer("Looked at again"))

    @app.action("other")
    def _other(ack: Any, payload: dict[str, Any], respond: Any) -> None:
        ack()
        respond(f"chosen: {payload['selected_option']['value']}")

    @app.action("raw")
    def _raw(ack: Any, body: dict[str, Any]) -> None:
        ack()
        field = {"type": "plain_text_input", "action_id": "why"}
        blocks = [_rich({"type": "text", "text": EVIL}), {"type": "input", "label": _plain("Why"), "element": field}]
        view = {"type": "modal", "callback_id": "raw", "title": _plain("Raw events"), "submit": _plain("Save")}
        client.views_open(trigger_id=body["trigger_id"], view={**view, "blocks": blocks})

    @app.view("raw")
    def _saved(ack: Any, view: dict[str, Any]) -> None:
        ((field,),) = [list(inputs.values()) for inputs in view["state"]["values"].values()]
        block = view["blocks"][1]["block_id"]
        if field["value"] == "bad":
            ack(response_action="errors", errors={block: "not that"})
        else:
            ack()

    @app.event("app_home_opened")
    def _home(event: dict[str, Any]) -> None:
        view = {"type": "home", "blocks": [{"type": "header", "text": _plain("All is well")}]}
        client.views_publish(user_id=event["user"], view=view)

    return app


@pytest.fixture
def slack() -> Iterator[Workspace]:
    """A workspace with a bot that listens."""
    running = Workspace(post_burst=100)
    running.page.steps = [Step("/handover +15550142233", "a call that was refused")]
    with running:
        handler = SlackRequestHandler(_bot(running))
        server = make_server("127.0.0.1", 0, handler, server_class=_Server, handler_class=_Quiet)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.connect(f"http://127.0.0.1:{server.server_port}/slack/events")
        yield running
        server.shutdown()
        server.server_close()


@pytest.fixture
def page(slack: Workspace, browser: Browser) -> Iterator[Page]:
    """The page, open; anything in its console fails the test."""
    opened = browser.new_page(viewport={"width": 1300, "height": 850})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.set_default_timeout(5000)
    opened.goto(slack.url)
    opened.wait_for_selector("#messages > *")
    yield opened
    opened.close()
    assert complaints == []


def test_from_the_card_to_an_answer_its_buttons_and_its_modal(slack: Workspace, page: Page) -> None:
    """The way that a person goes, with foreign text on it."""
    page.click(".try")
    page.wait_for_selector("text=Only visible to you")
    page.wait_for_selector("h3:has-text('Refused by Billing')")
    assert page.inner_text(".b-rich code").startswith(EVIL[:40])
    assert page.inner_text(".b-table td") == "2026-11-23"
    assert page.inner_text(".b-text strong") == "fat"
    assert page.locator(".message img, .message script, a[href^=javascript]").count() == 0
    page.select_option("select[aria-label='Other calls']", "call-2")
    page.wait_for_selector("text=chosen: call-2")
    page.click("text=Run again")
    page.wait_for_selector("h3:has-text('Looked at again')")
    page.wait_for_selector("text=(edited)")
    page.click("text=Raw events")
    page.fill("dialog input", "bad")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=not that")
    page.fill("dialog input", "good")
    page.click("dialog >> text=Save")
    page.wait_for_selector("dialog", state="detached")
    assert slack.views == []
    assert "owned" not in page.title()


def test_by_keyboard_alone(page: Page) -> None:
    """A slash offers the command with its hint, Tab completes it, Enter sends, Escape closes the modal."""
    page.keyboard.type("/ha")
    assert "subscribe" in page.inner_text("#suggestions")
    page.keyboard.press("Tab")
    assert page.input_value("#composer-text") == "/handover "
    page.keyboard.type("+15550142233")
    page.keyboard.press("Enter")
    page.wait_for_selector("h3:has-text('Refused by Billing')")
    page.focus("button:has-text('Raw events')")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.modal")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.focus("#composer-text")
    page.keyboard.press("ArrowUp")
    assert page.input_value("#composer-text") == "/handover +15550142233"


def test_threads_home_json_and_unread_counts(slack: Workspace, page: Page) -> None:
    """What stands beside the messages."""
    slack.say("who knows?", channel=OPS)
    page.hover("text=who knows?")
    page.click(".message >> text=Reply")
    page.fill("#thread-text", "me")
    page.keyboard.press("Enter")
    page.wait_for_selector(".thread-list >> text=me")
    page.wait_for_selector("text=1 reply")
    page.keyboard.press("Escape")
    page.hover("text=who knows?")
    page.click(".message >> text=JSON")
    assert '"text": "who knows?"' in page.inner_text("dialog pre")
    page.keyboard.press("Escape")
    WebClient(slack.bot_token, base_url=slack.api_url).chat_postMessage(channel="C0ALERTS", text="alert")
    page.wait_for_selector("[data-channel=C0ALERTS] .count:has-text('1')")
    page.click("[data-home]")
    page.wait_for_selector("h3:has-text('All is well')")


def test_a_thousand_messages_still_scroll_and_take_input(slack: Workspace, page: Page) -> None:
    """Live, one after the other, in half a minute at the most; then typing is answered at once."""
    for number in range(1000):
        slack.say(f"message {number}", channel=OPS)
    page.wait_for_selector("text=message 999", timeout=30_000)
    page.fill("#composer-text", "still here")
    page.keyboard.press("Enter")
    page.wait_for_selector(".message >> text=still here", timeout=1000)
    page.evaluate("document.getElementById('scroll').scrollTop = 0")
    page.wait_for_selector("text=message 0")
    slack.say("below", channel=OPS)
    page.click("text=New messages")
    page.reload()
    page.wait_for_selector("text=below")
    page.click("text=Earlier messages")
    page.wait_for_selector(".message >> nth=399", state="attached")
