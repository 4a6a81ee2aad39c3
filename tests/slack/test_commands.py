"""`/handover` over real HTTP: signed requests in, Web API calls out."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from slack_sdk import WebClient
from sqlalchemy import create_engine

from bot.cxone.errors import ServerFaultError
from bot.cxone.investigate import ById, ByNumber, BySession, ConversationNotFound
from bot.demo.workspace import Workspace
from bot.diagnosis.handover import Searched
from bot.slack import commands, typed
from bot.slack.app import build_app
from bot.slack.blocks import Message
from bot.slack.info_commands import InfoCommands
from bot.slack.mute_commands import MuteCommands
from bot.slack.services import Asker, Pool, Told
from bot.slack.subscription_commands import SubscriptionCommands
from tests.clock import HandClock
from tests.slack import reports
from tests.slack.conftest import SECRET, Build, FixedLookups, House, alone, until

NUMBER = "+15550199888"
FORM = "application/x-www-form-urlencoded"


def test_a_number_is_acked_at_once_and_answered_in_the_channel(house: House) -> None:
    """The main job: the ack is ephemeral, the answer is the channel's, and who asked stands in it."""
    ack = house.slack.command(NUMBER)
    assert ack.body == {"text": "Looking up …9888", "response_type": "ephemeral"}
    (posted,) = house.posted()
    assert posted["text"].startswith("🔴  Billing refused the handover")
    assert "<@U0SAM>" in posted["text"]
    assert isinstance(house.lookups.asked[0], ByNumber)
    call = next(call for call in house.slack.calls if call.method == "chat.postMessage")
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) in ((False, False), ("0", "0"), ("false", "false"))


def test_the_typed_number_never_reaches_the_channel(house: House) -> None:
    """Nor the audit, nor any call to Slack."""
    house.slack.command(NUMBER)
    house.posted()
    (use,) = house.used()
    assert (use.action, use.subject, use.result) == ("diagnose", "•••• 9888", "rejected")
    assert not [call for call in house.slack.calls if "0199888" in json.dumps(call.args, default=str)]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (f"id {reports.ID}", ById(reports.ID)),
        ("session cgy-81", BySession("cgy-81")),
    ],
)
def test_ids_are_looked_up_as_such(house: House, text: str, query: object) -> None:
    """The ack names what is looked up."""
    ack = house.slack.command(text)
    assert str(ack.body["text"]).endswith(text.split()[1])
    house.posted()
    assert house.lookups.asked == [query]


def test_a_time_of_day_is_that_of_the_asker(house: House) -> None:
    """Sam is in Amsterdam."""
    house.slack.command(f"{NUMBER} at yesterday 12:00")
    house.posted()
    at = house.lookups.asked[0].at
    assert at.astimezone(UTC).hour in (10, 11)


def test_private_answers_only_the_asker_who_may_post_it(house: House) -> None:
    """The button posts it to the channel, diagnosed afresh by its id."""
    house.slack.command(f"{NUMBER} private")
    (seen,) = house.whispered("Billing refused")
    assert house.slack.messages("voicebot-ops") == []
    house.slack.press(seen, "share")
    (posted,) = house.posted()
    assert house.lookups.asked[-1] == ById(reports.ID)
    assert "thread_ts" not in posted


@pytest.mark.parametrize("private", [False, True])
def test_where_the_bot_is_no_member_the_answer_is_private(house: House, private: bool) -> None:  # noqa: FBT001 - a table
    """With a hint to invite it; in public and private channels alike."""
    house.slack.add_channel("elsewhere", private=private, member=False)
    house.slack.command(NUMBER, channel="elsewhere")
    (seen,) = house.whispered("Billing refused")
    assert "Invite me" in seen["text"]
    assert house.slack.messages("elsewhere") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Why did a handover fail"),
        ("help", "Why did a handover fail"),
        ("hello <!channel>", "You typed hello &lt;!channel&gt;. That is neither"),
        ("12345", "You typed 12345. That number is too short"),
        ("+9991234567890", "You typed +9991234567890. That number begins with"),
        ("anonymous", "The caller withheld the number"),
        ("subscribe outcome=nonsense", "no such outcome"),
    ],
)
def test_what_is_not_understood_gets_help_and_asks_nobody(house: House, text: str, words: str) -> None:
    """In the ack itself, with what was typed and an example; no call to CXone or Slack."""
    ack = house.slack.command(text)
    assert ack.ok
    assert words in ack.body["text"]
    assert ack.body["response_type"] == "ephemeral"
    assert house.lookups.asked == []
    assert house.slack.calls == []


def test_a_target_is_shown_to_the_asker_alone(house: House) -> None:
    """Looking up a person is nobody else's business."""
    house.slack.command("agent u-1")
    assert house.whispered("Billing, now")
    assert house.slack.messages("voicebot-ops") == []


def test_every_command_has_its_handler() -> None:
    """But those that are looked up, and those that the ack answers."""
    parts: dict[str, Any] = {"engine": create_engine("sqlite://"), "clock": HandClock(), "tenant": "demo"}
    kept = SubscriptionCommands(**parts, deliver=lambda: False), MuteCommands(**parts)
    served = {kind for each in (*kept, InfoCommands(**parts, client=WebClient())) for kind in each.handlers()}
    looked_up = {typed.Diagnose, typed.DiagnoseId, typed.DiagnoseSession, typed.LookAtTarget}
    assert served == set(commands._NAMES) - looked_up - {typed.Help, typed.Misunderstood}


def test_a_handler_answers_the_asker(build: Build) -> None:
    """How other rooms add commands."""

    def status(action: typed.ShowStatus, asker: Asker) -> Told:
        del action
        return Told(Message(f"All well, {asker.user_id}."), "well")

    house = build(handlers={typed.ShowStatus: status})
    house.slack.command("status")
    assert house.whispered("All well, U0SAM.")
    assert house.used()[0].result == "well"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ServerFaultError("GET", "/api/v2/conversations", 503, "CXone answered 503, four times."),
            "CXone answered 503",
        ),
        (ConversationNotFound(None, "No conversation with the id c-9."), "No conversation with the id"),
        (RuntimeError("a secret path"), "Something in the bot went wrong"),
    ],
)
def test_every_failure_ends_with_an_answer(build: Build, error: Exception, words: str) -> None:
    """To the asker alone, in plain words."""
    house = build(lookups=FixedLookups(error=error))
    house.slack.command(NUMBER)
    (seen,) = house.whispered(words)
    assert "secret" not in seen["text"]
    assert "Traceback" not in seen["text"]
    assert house.slack.messages("voicebot-ops") == []


def test_nothing_found_says_what_was_searched(build: Build) -> None:
    """And how to look further."""
    now = datetime.now(UTC)
    searched = Searched(tenant="demo", host="demo.example", since=now - timedelta(hours=24), until=now)
    house = build(lookups=FixedLookups(error=ConversationNotFound(searched, "No conversation of •••• 9888.")))
    house.slack.command(NUMBER)
    (seen,) = house.whispered("No conversation of")
    assert "since 3d" in seen["text"]
    assert house.used()[0].result == "not_found"


def test_an_error_of_ours_has_a_reference_in_the_log(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """The same that the asker is given."""
    house = build(lookups=FixedLookups(error=RuntimeError("broken")))
    house.slack.command(NUMBER)
    (seen,) = house.whispered("reference")
    reference = seen["text"].split("reference ")[1][:8]
    assert reference in caplog.text
    assert house.used()[0].result == f"failed: {reference}"


# ---- once, fast, and only if signed -------------------------------------------------------------------------------


def send(
    house: House, text: str, *, trigger: str = "1.2.3", secret: str = SECRET, age: float = 0.0, signed: bool = True
) -> int:
    """One request as Slack, or somebody else, sends it."""
    body = urlencode(
        {
            "command": "/handover",
            "text": text,
            "user_id": "U0SAM",
            "channel_id": "C0VOICEBOT",
            "channel_name": "voicebot-ops",
            "team_id": "T0HANDOVER",
            "trigger_id": trigger,
            "response_url": "",
        }
    )
    stamp = str(int(time.time() - age))
    mark = "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": FORM} | (
        {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": mark} if signed else {}
    )
    return requests.post(house.address, data=body, headers=headers, timeout=5).status_code


def test_only_signed_and_fresh_requests_are_served(house: House) -> None:
    """Forged, stale, from the future, unsigned: 401, and nothing happens."""
    assert send(house, NUMBER, secret="guessed") == 401
    assert send(house, NUMBER, age=301) == 401
    assert send(house, NUMBER, age=-301) == 401
    assert send(house, NUMBER, signed=False) == 401
    assert house.lookups.asked == []
    assert send(house, NUMBER, age=299) == 200


def test_a_command_that_slack_sends_twice_is_answered_once(house: House) -> None:
    """It carries the same trigger_id, and the same words."""
    assert send(house, NUMBER) == 200
    assert send(house, NUMBER) == 200
    house.posted()
    assert send(house, NUMBER, trigger="4.5.6") == 200
    assert len(house.posted(count=2)) == 2
    assert len(house.lookups.asked) == 2


@pytest.mark.parametrize("trigger", ["1.2.3", ""])
def test_another_command_is_another_whatever_its_trigger(house: House, trigger: str) -> None:
    """Slack gives each a trigger of its own; who stands between may give none, or the same one to all."""
    assert send(house, NUMBER, trigger=trigger) == 200
    assert send(house, "+15550100002", trigger=trigger) == 200
    assert len(house.posted(count=2)) == 2
    assert len(house.lookups.asked) == 2


def test_fifty_at_once_are_acked_fast_and_all_answered(build: Build) -> None:
    """However slow the look-ups are; those that find no place are told so."""
    gate = threading.Event()
    house = build(lookups=FixedLookups(gate=gate), pool=Pool(4, 30))
    with ThreadPoolExecutor(50) as people:
        acks = list(people.map(lambda _: house.slack.command(NUMBER), range(50)))
    assert max(ack.seconds for ack in acks) < 2.5
    texts = [ack.body["text"] for ack in acks]
    assert texts.count("Looking up …9888") == 34
    assert sum("I am busy" in text for text in texts) == 16
    gate.set()
    assert len(house.posted(count=34)) == 34


def test_in_one_channel_answers_take_turns(build: Build) -> None:
    """Slack takes one message a second there; none is lost."""
    house = build(slack=Workspace(post_burst=1))
    for _ in range(3):
        house.slack.command(NUMBER)
    assert len(house.posted(count=3)) == 3


# ---- when Slack fails ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_500", "500", "error:internal_error"])
def test_a_post_whose_answer_was_lost_is_not_repeated(house: House, fault: str) -> None:
    """The asker is told instead, for nobody knows whether it arrived."""
    house.slack.faults.script("chat.postMessage", [fault])
    house.slack.command(NUMBER)
    assert house.whispered("did not confirm")
    assert len([call for call in house.slack.calls if call.method == "chat.postMessage"]) == 1


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
def test_what_slack_refuses_as_blocks_goes_out_as_text(house: House, code: str) -> None:
    """The same words."""
    house.slack.faults.script("chat.postMessage", [f"error:{code}", "ok"])
    house.slack.command(NUMBER)
    (posted,) = house.posted()
    assert "blocks" not in posted
    assert posted["text"].startswith("🔴  Billing refused the handover")


def test_a_refused_post_is_answered_in_private(house: House) -> None:
    """Whatever the reason."""
    house.slack.faults.script("chat.postMessage", ["error:no_permission"])
    house.slack.command(NUMBER)
    assert house.whispered("Slack did not take my post")


def test_without_a_response_url_the_asker_is_told_otherwise(house: House) -> None:
    """By an ephemeral post; and if that fails, by a direct message."""
    house.lookups.error = RuntimeError("broken")
    assert send(house, NUMBER) == 200
    assert house.whispered("Something in the bot went wrong")
    house.slack.faults.script("chat.postEphemeral", ["error:user_not_in_channel"])
    assert send(house, NUMBER, trigger="4.5.6") == 200
    assert until(lambda: house.slack.messages("U0SAM"))


def test_the_bot_starts_and_acks_while_slack_is_down(build: Build) -> None:
    """No I/O before the ack; what cannot be checked is refused, and said as soon as that is possible."""
    house = build(clock=HandClock())
    house.slack.down()
    assert send(house, NUMBER) == 200
    assert house.used()[0].result == "refused: not_checked"
    house.slack.down(is_down=False)
    assert send(house, NUMBER, trigger="4.5.6") == 200
    assert house.posted()


def test_oauth_settings_in_the_environment_change_nothing(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bolt would take them for a reason to serve an install page and to forget the token."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "x")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-somebody-else")
    house = build()
    house.slack.command(NUMBER)
    assert house.posted()
    assert build_app(alone(house.services)).oauth_flow is None


def test_a_slow_call_to_slack_holds_up_no_ack(house: House) -> None:
    """Windows open in the pool that acks; there is room for many."""
    house.slack.command(NUMBER)
    (posted,) = house.posted()
    house.slack.faults.script("views.open", ["hang:2"] * 8)
    for action in ("raw_events",) * 8:
        house.slack.press(posted, action, user=house.slack.add_user(f"user{len(house.slack.team.users)}"))
    assert house.slack.command("help").seconds < 1


def test_a_listener_that_fails_is_acked_and_said(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """With a reference, like every error of ours."""
    object.__setattr__(house.services, "seen", None)
    ack = house.slack.command(NUMBER)
    assert ack.ok
    assert "Something went wrong" in ack.body
    assert str(ack.body).split()[-1].rstrip(".") in caplog.text
