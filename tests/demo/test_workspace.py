"""The local Slack says no where Slack says no, over real HTTP with Slack's own client."""

# ruff: noqa: D103 - the helpers' names say it

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.demo.web_api import SCOPES
from bot.demo.workspace import Workspace
from tests.clock import HandClock

ROOT = Path(__file__).parents[2]
OPS = "C0VOICEBOT"


@pytest.fixture
def slack(clock: HandClock) -> Iterator[Workspace]:
    """A workspace whose time stands still."""
    with Workspace(clock=clock) as running:
        yield running


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    """The bot's client, without repetitions of its own."""
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def error(call: Any, **args: Any) -> dict[str, Any]:
    """The refusal of a call."""
    with pytest.raises(SlackApiError) as caught:
        call(**args)
    answer: dict[str, Any] = caught.value.response.data
    return {**answer, "status": caught.value.response.status_code, "headers": caught.value.response.headers}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_a_wrong_token_is_refused(slack: Workspace, client: WebClient) -> None:
    """No token, a foreign one, and the app's where the bot's is needed."""
    assert error(WebClient("xoxb-other", base_url=slack.api_url).auth_test)["error"] == "invalid_auth"
    assert error(WebClient("xapp-demo", base_url=slack.api_url).auth_test)["error"] == "not_allowed_token_type"
    assert requests.post(f"{slack.api_url}auth.test", timeout=5).json()["error"] == "not_authed"
    assert error(client.api_call, api_method="no.such")["error"] == "unknown_method"


def test_a_missing_scope_is_named(clock: HandClock) -> None:
    """`needed` and `provided`, as Slack says them, and the scopes in a header."""
    with Workspace(clock=clock, scopes=["chat:write"]) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        answer = error(client.conversations_history, channel=OPS)
        assert (answer["error"], answer["needed"], answer["provided"]) == (
            "missing_scope",
            "channels:history",
            "chat:write",
        )
        assert error(client.users_info, user="U0SAM")["needed"] == "users:read"
        headers = {key.lower(): value for key, value in client.auth_test().headers.items()}
        assert headers["x-oauth-scopes"] == "chat:write"


def test_the_scopes_are_those_of_the_manifest() -> None:
    """The workspace grants what the manifest asks for, the optional ones too."""
    scopes = yaml.safe_load((ROOT / "manifest.yml").read_text())["oauth_config"]["scopes"]
    assert set(SCOPES) == {*scopes["bot"], *scopes.get("bot_optional", [])}


def test_posting_needs_membership(slack: Workspace, client: WebClient) -> None:
    """Public without the bot, private without the bot, closed, and not there at all."""
    slack.add_channel("outside", member=False)
    slack.add_channel("secret", private=True, member=False)
    slack.add_channel("old", archived=True)
    for channel, code in [
        ("outside", "not_in_channel"),
        ("secret", "channel_not_found"),
        ("old", "is_archived"),
        ("C0NONE", "channel_not_found"),
    ]:
        assert error(client.chat_postMessage, channel=channel, text="x")["error"] == code
    slack.kick(OPS)
    assert error(client.conversations_history, channel=OPS)["error"] == "not_in_channel"
    assert error(client.conversations_info, channel=slack.team.channel("secret").id)["error"] == "channel_not_found"
    assert "secret" not in [
        c["name"] for c in client.conversations_list(types="public_channel,private_channel")["channels"]
    ]


def test_messages_too_long_or_empty_are_refused(client: WebClient) -> None:
    """no_text, msg_too_long, msg_blocks_too_long and invalid_blocks with its pointer."""
    assert error(client.api_call, api_method="chat.postMessage", json={"channel": OPS})["error"] == "no_text"
    assert error(client.chat_postMessage, channel=OPS, text="x" * 40_001)["error"] == "msg_too_long"
    blocks = [section("x" * 2900)] * 4
    assert error(client.chat_postMessage, channel=OPS, text="x", blocks=blocks)["error"] == "msg_blocks_too_long"
    answer = error(client.chat_postMessage, channel=OPS, text="x", blocks=[section("x" * 3001)])
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_one_post_a_second_and_channel(slack: Workspace, client: WebClient, clock: HandClock) -> None:
    """The second at once is 429 with Retry-After; another channel and the next second are free."""
    client.chat_postMessage(channel=OPS, text="1")
    answer = error(client.chat_postMessage, channel=OPS, text="2")
    assert (answer["status"], answer["error"], answer["headers"]["Retry-After"]) == (429, "ratelimited", "1")
    client.chat_postMessage(channel="C0ALERTS", text="3")
    clock.advance(1.0)
    client.chat_postMessage(channel=OPS, text="4")
    assert [m["text"] for m in slack.messages(OPS)] == ["1", "4"]


def test_a_burst_can_be_allowed(clock: HandClock) -> None:
    """Three at once, the fourth waits."""
    with Workspace(clock=clock, post_burst=3) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        for _ in range(3):
            client.chat_postMessage(channel=OPS, text="x")
        assert error(client.chat_postMessage, channel=OPS, text="x")["headers"]["Retry-After"] == "3"


def test_updates_have_their_own_rate(client: WebClient, clock: HandClock) -> None:
    """Fifty a minute, then Retry-After until the first is a minute old."""
    ts = client.chat_postMessage(channel=OPS, text="1")["ts"]
    clock.advance(10)
    for number in range(50):
        client.chat_update(channel=OPS, ts=ts, text=str(number))
    clock.advance(10)
    assert error(client.chat_update, channel=OPS, ts=ts, text="x")["headers"]["Retry-After"] == "50"


def test_an_update_with_text_alone_removes_the_blocks(slack: Workspace, client: WebClient) -> None:
    """And marks the message as edited; with blocks alone the text stays."""
    ts = client.chat_postMessage(channel=OPS, text="1", blocks=[section("a")])["ts"]
    client.api_call("chat.update", json={"channel": OPS, "ts": ts, "blocks": [section("b")]})
    (message,) = slack.messages(OPS)
    assert (message["text"], message["blocks"][0]["text"]["text"]) == ("1", "b")
    client.chat_update(channel=OPS, ts=ts, text="2")
    (message,) = slack.messages(OPS)
    assert (message["text"], message["blocks"], message["edited"]["user"]) == ("2", [], "U0HANDOVER")


def test_only_the_bots_own_messages_can_be_changed(slack: Workspace, client: WebClient) -> None:
    """message_not_found, cant_update_message, cant_delete_message; an ephemeral one cannot be updated."""
    said = slack.say("hello", channel=OPS)
    assert error(client.chat_update, channel=OPS, ts=said["ts"], text="x")["error"] == "cant_update_message"
    assert error(client.chat_delete, channel=OPS, ts=said["ts"])["error"] == "cant_delete_message"
    assert error(client.chat_update, channel=OPS, ts="1.0", text="x")["error"] == "message_not_found"
    whispered = client.chat_postEphemeral(channel=OPS, user="U0SAM", text="x")["message_ts"]
    assert error(client.chat_update, channel=OPS, ts=whispered, text="x")["error"] == "message_not_found"


def test_metadata_is_kept_and_shown_only_when_asked_for(client: WebClient) -> None:
    """include_all_metadata; a shape that is none is refused."""
    wanted = {"event_type": "handover_delivery", "event_payload": {"delivery_id": "7"}}
    client.chat_postMessage(channel=OPS, text="x", metadata=wanted)
    assert "metadata" not in client.conversations_history(channel=OPS)["messages"][0]
    assert client.conversations_history(channel=OPS, include_all_metadata=True)["messages"][0]["metadata"] == wanted
    answer = error(client.chat_postMessage, channel="C0ALERTS", text="x", metadata={"event_type": "x"})
    assert answer["error"] == "invalid_metadata_format"


def test_history_in_pages(slack: Workspace, client: WebClient, clock: HandClock) -> None:
    """Newest first, by cursor; oldest and latest exclusive unless inclusive."""
    stamps = []
    for number in range(5):
        stamps.append(slack.say(str(number), channel=OPS)["ts"])
        clock.advance(1)
    first = client.conversations_history(channel=OPS, limit=2)
    assert [m["text"] for m in first["messages"]] == ["4", "3"]
    assert first["has_more"] is True
    cursor = first["response_metadata"]["next_cursor"]
    second = client.conversations_history(channel=OPS, limit=2, cursor=cursor)
    assert [m["text"] for m in second["messages"]] == ["2", "1"]
    window = {"channel": OPS, "oldest": stamps[1], "latest": stamps[3]}
    assert [m["text"] for m in client.conversations_history(**window)["messages"]] == ["2"]
    assert len(client.conversations_history(**window, inclusive=True)["messages"]) == 3
    assert error(client.conversations_history, channel=OPS, cursor="x")["error"] == "invalid_cursor"
    assert error(client.conversations_history, channel=OPS, limit=1000)["error"] == "invalid_limit"


def test_replies_are_in_the_thread_and_broadcasts_in_the_channel_too(slack: Workspace, client: WebClient) -> None:
    """History has no replies but broadcast ones; the parent counts all."""
    parent = slack.say("parent", channel=OPS)["ts"]
    client.chat_postMessage(channel=OPS, text="reply", thread_ts=parent)
    slack.clock.sleep(1)
    client.chat_postMessage(channel=OPS, text="loud", thread_ts=parent, reply_broadcast=True)
    assert [m["text"] for m in client.conversations_history(channel=OPS)["messages"]] == ["loud", "parent"]
    thread = client.conversations_replies(channel=OPS, ts=parent)["messages"]
    assert [m["text"] for m in thread] == ["parent", "reply", "loud"]
    assert thread[0]["reply_count"] == 2
    assert error(client.conversations_replies, channel=OPS, ts="1.0")["error"] == "thread_not_found"


def test_ephemeral_messages_are_never_in_the_history(slack: Workspace, client: WebClient) -> None:
    """Only that person sees it; who is not in the channel gets none."""
    client.chat_postEphemeral(channel=OPS, user="U0SAM", text="psst")
    assert client.conversations_history(channel=OPS)["messages"] == []
    assert [m["text"] for m in slack.ephemerals("U0SAM", OPS)] == ["psst"]
    slack.team.channel(OPS).members.discard("U0SAM")
    answer = error(client.chat_postEphemeral, channel=OPS, user="U0SAM", text="x")
    assert answer["error"] == "user_not_in_channel"


def test_people_and_groups(slack: Workspace, client: WebClient) -> None:
    """Guests and strangers are told apart; groups name their people."""
    guest = slack.add_user("gil", guest=True)
    single = slack.add_user("sue", single_channel_guest=True)
    stranger = slack.add_user("max", stranger=True)
    assert client.users_info(user=guest)["user"]["is_restricted"] is True
    assert client.users_info(user=single)["user"]["is_ultra_restricted"] is True
    assert client.users_info(user=stranger)["user"]["team_id"] != client.auth_test()["team_id"]
    group = slack.add_usergroup("oncall", [guest])
    assert client.usergroups_users_list(usergroup=group)["users"] == [guest]
    assert error(client.users_info, user="U0NOBODY")["error"] == "user_not_found"
    assert error(client.usergroups_users_list, usergroup="S0NONE")["error"] == "no_such_subteam"


def modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": "M"}, "blocks": [section("x")], **more}


def test_a_trigger_lives_three_seconds_and_once(slack: Workspace, client: WebClient, clock: HandClock) -> None:
    """expired_trigger_id, exchanged_trigger_id, invalid_trigger_id."""
    trigger = slack.team.new_trigger("U0SAM")
    client.views_open(trigger_id=trigger, view=modal())
    assert error(client.views_open, trigger_id=trigger, view=modal())["error"] == "exchanged_trigger_id"
    late = slack.team.new_trigger("U0SAM")
    clock.advance(3.1)
    assert error(client.views_open, trigger_id=late, view=modal())["error"] == "expired_trigger_id"
    assert error(client.views_open, trigger_id="1.2.3", view=modal())["error"] == "invalid_trigger_id"


def test_views_have_ids_and_hashes(slack: Workspace, client: WebClient) -> None:
    """An update with an old hash, of an unknown view, or with a title of 25 is refused."""
    opened = client.views_open(trigger_id=slack.team.new_trigger("U0SAM"), view=modal(external_id="e"))["view"]
    updated = client.views_update(view_id=opened["id"], hash=opened["hash"], view=modal(external_id="e"))["view"]
    assert updated["id"] == opened["id"]
    assert (
        error(client.views_update, view_id=opened["id"], hash=opened["hash"], view=modal())["error"] == "hash_conflict"
    )
    client.views_update(external_id="e", view=modal())
    assert error(client.views_update, view_id="V0NONE", view=modal())["error"] == "not_found"
    long = modal(title={"type": "plain_text", "text": "x" * 25})
    answer = error(client.views_open, trigger_id=slack.team.new_trigger("U0SAM"), view=long)
    assert answer["error"] == "invalid_arguments"
    assert "/view/title/text" in answer["response_metadata"]["messages"][0]


def test_modals_pile_up_to_three(slack: Workspace, client: WebClient) -> None:
    """push_limit_reached; a push needs a trigger from a modal; closing takes the topmost."""
    view = client.views_open(trigger_id=slack.team.new_trigger("U0SAM"), view=modal())["view"]
    for _ in range(2):
        client.views_push(trigger_id=slack.team.new_trigger("U0SAM", view["id"]), view=modal())
    answer = error(client.views_push, trigger_id=slack.team.new_trigger("U0SAM", view["id"]), view=modal())
    assert answer["error"] == "push_limit_reached"
    assert (
        error(client.views_push, trigger_id=slack.team.new_trigger("U0SAM"), view=modal())["error"]
        == "invalid_trigger_id"
    )
    slack.close_view(slack.views[-1])
    assert len(slack.views) == 2


def test_the_home_is_published_for_one_person(slack: Workspace, client: WebClient) -> None:
    """A modal cannot be a home."""
    client.views_publish(user_id="U0SAM", view={"type": "home", "blocks": [section("hello")]})
    home = slack.home()
    assert home is not None
    assert home["blocks"][0]["text"]["text"] == "hello"
    assert error(client.views_publish, user_id="U0SAM", view=modal())["error"] == "invalid_arguments"


def respond(url: str, **body: Any) -> tuple[int, str]:
    answer = requests.post(url, json=body, timeout=5)
    return answer.status_code, answer.json().get("error", "")


def test_a_response_url_is_good_for_five_uses(slack: Workspace) -> None:
    """Ephemeral by default; a refused answer costs a use as well."""
    url = slack.command("x").response_url
    before = len(slack.ephemerals())
    assert respond(url, text="1") == (200, "")
    assert respond(url, text="2", response_type="in_channel") == (200, "")
    assert respond(url) == (400, "no_text")
    assert respond(url, text="4", blocks=[section("x" * 3001)]) == (400, "invalid_blocks")
    assert respond(url, text="5", blocks=[section("x" * 2900)] * 5) == (200, "")
    assert respond(url, text="6") == (404, "used_url")
    assert [m["text"] for m in slack.messages(OPS)] == ["2"]
    assert len(slack.ephemerals()) == before + 2


def test_a_response_url_is_good_for_half_an_hour(slack: Workspace, clock: HandClock) -> None:
    """Also where the bot is no member."""
    slack.add_channel("secret", private=True, member=False)
    url = slack.command("x", channel="secret").response_url
    assert respond(url, text="1", response_type="in_channel") == (200, "")
    assert [m["text"] for m in slack.messages("secret")] == ["1"]
    clock.advance(minutes=30, seconds=1)
    assert respond(url, text="2") == (404, "expired_url")
    assert respond(f"{url}x", text="2") == (404, "no_such_url")


def test_faults_are_played_in_order(slack: Workspace, client: WebClient) -> None:
    """What was accepted is there, what was not is not, whatever the bot was told."""
    words = [
        "accept_then_drop",
        "429:3",
        "500",
        "accept_then_500",
        "refuse",
        "error:channel_not_found",
        "hang:0.01",
        "ok",
    ]
    slack.faults.script("chat.postMessage", words)
    told = []
    for word in words:
        slack.clock.sleep(1)
        try:
            client.chat_postMessage(channel=OPS, text=word)
            told.append("ok")
        except SlackApiError as refusal:
            told.append(refusal.response.get("error") or str(refusal.response.status_code))
        except OSError as broken:
            told.append(type(broken).__name__)
    assert told[1:4] == ["ratelimited", "internal_error", "internal_error"]
    assert told[5:] == ["channel_not_found", "ok", "ok"]
    assert told[0] in ("RemoteDisconnected", "ConnectionResetError")
    assert told[4] in ("RemoteDisconnected", "ConnectionResetError")
    assert [m["text"] for m in slack.messages(OPS)] == ["accept_then_drop", "accept_then_500", "hang:0.01", "ok"]
    with pytest.raises(ValueError, match="no such fault"):
        slack.faults.script("chat.postMessage", ["explode"])


def test_a_client_that_left_during_a_hang_has_posted_nothing(slack: Workspace) -> None:
    """So that a look into the history after the timeout tells the truth."""
    slack.faults.script("chat.postMessage", ["hang:0.3"])
    impatient = WebClient(slack.bot_token, base_url=slack.api_url, timeout=0.1, retry_handlers=[])  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        impatient.chat_postMessage(channel=OPS, text="x")
    threading.Event().wait(0.5)
    assert slack.messages(OPS) == []


def test_down_means_refused_and_the_port_stays(slack: Workspace, client: WebClient) -> None:
    """Nothing listens while it is down; afterwards it is where it was."""
    slack.down()
    with pytest.raises(OSError, match="refused"):
        client.auth_test()
    slack.down(is_down=False)
    assert client.auth_test()["ok"]


def test_calls_are_logged_without_the_token(slack: Workspace, client: WebClient) -> None:
    """Method, arguments, time, and what was answered."""
    client.chat_postMessage(channel=OPS, text="x")
    error(client.chat_postMessage, channel=OPS, text="y")
    assert [(c.method, c.status, c.error) for c in slack.calls[-2:]] == [
        ("chat.postMessage", 200, ""),
        ("chat.postMessage", 429, "ratelimited"),
    ]
    assert slack.bot_token not in json.dumps([c.args for c in slack.calls])
