"""The page over HTTP: what its first HTML holds, what it tells the browser, and whom it refuses."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from slack_sdk import WebClient

from bot.demo.page_server import Step
from bot.demo.workspace import Workspace

OPS = "C0VOICEBOT"


class Centre:
    """A contact centre of one call and one switch."""

    def __init__(self) -> None:
        self.placed: list[tuple[str, str]] = []
        self.on = False

    def calls(self) -> list[dict[str, Any]]:
        """One call."""
        return [{"id": "1", "number": "+15550142233", "state": "refused", "at": "2026-11-20T14:00:00Z", "failed": True}]

    def scenarios(self) -> dict[str, dict[str, str]]:
        """One story."""
        return {"Fails": {"rejected": "The queue refuses."}}

    def now(self) -> str:
        """What is broken."""
        return "The queue is closed."

    def place_some(self, what: str) -> None:
        """Remember it."""
        self.placed.append((what, "some"))

    def place(self, scenario: str, number: str) -> str:
        """Remember it; a number begins with a plus."""
        if not number.startswith("+"):
            raise ValueError("That is no number.")
        self.placed.append((scenario, number))
        return "id-1"

    def faults(self) -> list[dict[str, Any]]:
        """One switch."""
        return [{"name": "down", "label": "CXone down", "effect": "It says so.", "on": self.on}]

    def set_fault(self, name: str, on: bool) -> None:  # noqa: FBT001 - a switch
        """Turn it."""
        assert name == "down"
        self.on = on


@pytest.fixture
def centre() -> Centre:
    """What the panel shows."""
    return Centre()


@pytest.fixture
def slack(centre: Centre) -> Iterator[Workspace]:
    """A workspace with a card and a panel."""
    running = Workspace(post_burst=100)
    running.page.steps = [
        Step("/handover +15550142233", "a call <b>refused</b>"),
        Step("/handover help", "what it knows"),
    ]
    running.page.panel = centre
    with running:
        yield running


def do(slack: Workspace, **wish: Any) -> dict[str, Any]:
    """What the page's script posts."""
    told: dict[str, Any] = requests.post(f"{slack.url}do", json=wish, timeout=5).json()
    return told


def get(slack: Workspace, path: str, **query: Any) -> dict[str, Any]:
    """What the page's script asks for."""
    told: dict[str, Any] = requests.get(f"{slack.url}{path}", params=query, timeout=5).json()
    return told


def test_the_first_html_holds_the_channels_and_the_first_steps(slack: Workspace) -> None:
    """Readable without a script, escaped, and forbidding everything from elsewhere."""
    answer = requests.get(slack.url, timeout=5)
    for words in ("voicebot-ops", "handover-alerts", "First steps", "/handover +15550142233", "/handover help"):
        assert words in answer.text
    assert "a call &lt;b&gt;refused&lt;/b&gt;" in answer.text
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_all_files_of_the_page_are_there(slack: Workspace) -> None:
    """And nothing outside the list is served."""
    page = requests.get(slack.url, timeout=5).text
    for name in ("app.css", "blocks.css", "app.js", "icon.svg"):
        assert f"/static/{name}" in page
    for name in ("render.js", "text.js", "dialogs.js", "panel.js", "steps.js", "app.js", "app.css"):
        assert requests.get(f"{slack.url}static/{name}", timeout=5).status_code == 200
    for name in ("../page_server.py", "page.html", "nothing.js"):
        assert requests.get(f"{slack.url}static/{name}", timeout=5).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test", "Content-Type": "application/json"},
        {"Host": "evil.test", "Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
    ],
)
def test_other_sites_cannot_use_the_page(slack: Workspace, headers: dict[str, str]) -> None:
    """Another origin, another name for this machine, a form that needs no permission."""
    body = '{"what": "say", "text": "x", "channel": "C0VOICEBOT"}'
    assert requests.post(f"{slack.url}do", data=body, headers=headers, timeout=5).status_code == 403
    assert slack.messages(OPS) == []
    if "Host" in headers:
        assert requests.get(f"{slack.url}state", headers=headers, timeout=5).status_code == 403


def test_a_poll_returns_as_soon_as_something_happens(slack: Workspace) -> None:
    """A message, its edit as one change, its end; what others see alone is not told."""
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    version = get(slack, "state")["version"]
    threading.Timer(0.1, lambda: client.chat_postMessage(channel=OPS, text="hello")).start()
    answer = get(slack, "poll", since=version)
    assert [c["message"]["text"] for c in answer["changes"]] == ["hello"]
    ts = slack.messages(OPS)[0]["ts"]
    client.chat_update(channel=OPS, ts=ts, text="one")
    client.chat_update(channel=OPS, ts=ts, text="two")
    other = slack.add_user("olga")
    client.chat_postEphemeral(channel=OPS, user=other, text="psst")
    client.chat_postEphemeral(channel=OPS, user="U0SAM", text="for sam")
    answer = get(slack, "poll", since=answer["version"])
    assert [c["message"]["text"] for c in answer["changes"] if c["kind"] == "message"] == ["two", "for sam"]
    client.chat_delete(channel=OPS, ts=ts)
    assert get(slack, "poll", since=answer["version"])["changes"][0]["kind"] == "removed"
    assert get(slack, "poll", since=10**6)["reset"] is True


def test_messages_come_in_pages_with_the_ephemeral_ones_among_them(slack: Workspace) -> None:
    """200 at a time; replies only in their thread."""
    first = slack.say("first", channel=OPS)
    for number in range(210):
        slack.say(str(number), channel=OPS)
    slack.say("reply", channel=OPS, thread_ts=first["ts"])
    slack.team.whisper("U0SAM", OPS, {"text": "psst"})
    page = get(slack, "messages", channel=OPS)
    assert (len(page["messages"]), page["more"]) == (200, True)
    assert page["messages"][-1]["text"] == "psst"
    page = get(slack, "messages", channel=OPS, before=page["messages"][0]["ts"])
    assert (page["messages"][0]["text"], page["more"]) == ("first", False)
    thread = get(slack, "thread", channel=OPS, ts=first["ts"])
    assert [m["text"] for m in thread["messages"]] == ["first", "reply"]
    assert requests.get(f"{slack.url}messages?channel=C0NONE", timeout=5).status_code == 404


def test_a_command_that_nobody_answers_says_so(slack: Workspace) -> None:
    """In the answer, and as Slackbot's ephemeral message."""
    told = do(slack, what="command", command="/handover", text="x", channel=OPS)
    assert told["error"] == "dispatch_failed"
    shown = get(slack, "messages", channel=OPS)["messages"]
    assert "/handover failed with the error “dispatch_failed”" in shown[0]["text"]
    do(slack, what="dismiss", channel=OPS, ts=shown[0]["ts"])
    assert slack.ephemerals() == []


def test_what_is_gone_cannot_be_used(slack: Workspace) -> None:
    """A sentence instead of an error page; only ephemeral messages can be dismissed."""
    posted = slack.say("hello", channel=OPS)
    do(slack, what="dismiss", channel=OPS, ts=posted["ts"])
    assert len(slack.messages(OPS)) == 1
    where = {"channel": OPS, "ts": "1.0"}
    assert do(slack, what="use", where=where, action_id="a")["error"] == "the message is gone"
    assert "error" in do(slack, what="explode")
    assert "error" in do(slack, what="say")


def test_the_panel_places_calls_and_breaks_things(slack: Workspace, centre: Centre) -> None:
    """What the demo's wiring hands in is what the page shows and does."""
    assert get(slack, "panel")["calls"][0]["state"] == "refused"
    assert do(slack, what="place", scenario="rejected", number="+15550142233") == {"id": "id-1"}
    assert do(slack, what="place", scenario="rejected", number="x")["error"] == "That is no number."
    do(slack, what="fault", name="down", on=True)
    assert get(slack, "panel")["faults"][0]["on"] is True
    assert centre.placed == [("rejected", "+15550142233")]


def test_what_slack_refused_is_told(slack: Workspace) -> None:
    """So that a broken rule is seen on the page."""
    version = get(slack, "state")["version"]
    requests.post(f"{slack.api_url}chat.postMessage", data={"channel": "C0NONE"}, timeout=5)
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    client.api_call  # noqa: B018 - the same door, with a token
    change = get(slack, "poll", since=version)["changes"][0]
    assert (change["kind"], change["method"], change["error"]) == ("refused", "chat.postMessage", "not_authed")


def test_the_page_answers_while_slack_is_down(slack: Workspace) -> None:
    """The switch must be within reach."""
    slack.down()
    assert requests.get(slack.url, timeout=5).status_code == 200
