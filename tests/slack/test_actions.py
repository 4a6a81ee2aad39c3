"""Buttons, menus and windows over real HTTP."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bot.cxone.errors import UnreachableError
from bot.cxone.investigate import ById
from bot.slack import blocks
from bot.slack.access import Rules
from bot.slack.services import Pool
from tests.slack import reports
from tests.slack.conftest import Build, FixedLookups, House, until


def asked(house: House) -> dict[str, Any]:
    """A diagnosis in the channel."""
    house.slack.command("+15550199888")
    return house.posted()[0]


def window(house: House, words: str) -> str:
    """The open window's content, once it holds these words."""
    until(lambda: words in json.dumps(house.slack.views, ensure_ascii=False))
    return json.dumps(house.slack.views, ensure_ascii=False)


def test_run_again_diagnoses_by_id_below_the_message(house: House) -> None:
    """A number that was typed once is kept nowhere."""
    message = asked(house)
    house.slack.press(message, "run_again")
    again = house.posted(count=2)[1]
    assert again["thread_ts"] == message["ts"]
    assert house.lookups.asked[-1] == ById(reports.ID)


def test_the_other_calls_of_the_number_are_one_choice_away(build: Build) -> None:
    """By their ids."""
    house = build(lookups=FixedLookups(report=reports.full()))
    message = asked(house)
    house.slack.choose(message, "other_call", "c-2")
    assert len(house.posted(count=2)) == 2
    assert house.lookups.asked[-1] == ById("c-2")


def test_a_private_answer_stays_private_when_run_again(house: House) -> None:
    """Nobody else has seen it."""
    house.slack.command("+15550199888 private")
    (seen,) = house.whispered("Billing refused")
    house.slack.press(seen, "run_again")
    assert until(lambda: len(house.whispered("Billing refused")) == 2)
    assert house.slack.messages("voicebot-ops") == []


def test_raw_events_open_at_once_and_show_no_caller(house: House) -> None:
    """Loading comes first, for a trigger lives 3 seconds."""
    message = asked(house)
    house.lookups.gate = threading.Event()
    house.slack.press(message, "raw_events")
    assert "Loading" in window(house, "Loading")
    house.lookups.gate.set()
    shown = window(house, "•••• 9888")
    assert "0199888" not in shown


def test_the_whole_timeline_opens_when_the_message_cut_it(build: Build) -> None:
    """With the button that only then is there."""
    house = build(lookups=FixedLookups(report=reports.long()))
    house.slack.press(asked(house), "timeline")
    assert "step 50" in window(house, "step 50")


def test_a_window_says_what_went_wrong(house: House) -> None:
    """In the window, not in silence."""
    message = asked(house)
    house.lookups.error = UnreachableError("GET", "/api/v2/conversations/x", None, "CXone could not be reached.")
    house.slack.press(message, "raw_events")
    assert "CXone could not be reached." in window(house, "could not be reached")


def test_a_window_that_slack_refuses_says_so(house: House) -> None:
    """Plainer words fit where the document does not."""
    message = asked(house)
    house.slack.faults.script("views.update", ["error:view_too_large", "ok"])
    house.slack.press(message, "raw_events")
    assert "Slack refused to show this" in window(house, "refused")


def test_a_window_closed_meanwhile_is_left_alone(house: House) -> None:
    """Nothing more is tried."""
    message = asked(house)
    house.slack.faults.script("views.update", ["error:not_found"])
    house.slack.press(message, "raw_events")
    assert house.used(2)[1].result == "shown"


@pytest.mark.parametrize("fault", ["error:expired_trigger_id", "accept_then_drop"])
def test_a_window_that_does_not_open_is_said(house: House, fault: str) -> None:
    """A trigger that came too late cannot be used again."""
    message = asked(house)
    house.slack.faults.script("views.open", [fault])
    house.slack.press(message, "raw_events")
    assert house.whispered("press the button again")


def test_a_double_click_acts_once(house: House) -> None:
    """Two presses have two triggers, so they are told apart by what was pressed."""
    message = asked(house)
    house.slack.press(message, "run_again")
    house.slack.press(message, "run_again")
    house.posted(count=2)
    assert len(house.lookups.asked) == 2


@pytest.mark.parametrize("action", ["run_again", "raw_events"])
def test_when_all_places_are_taken_a_press_is_told_so(build: Build, action: str) -> None:
    """As a command is."""
    gate = threading.Event()
    house = build(pool=Pool(1, 0))
    message = asked(house)
    house.used()
    house.lookups.gate = gate
    until(house.services.pool.reserve)
    house.slack.press(message, action)
    assert house.whispered("I am busy") if action == "run_again" else "I am busy" in window(house, "busy")
    house.services.pool.release()


def test_while_slack_opens_no_window_commands_are_acked(build: Build) -> None:
    """Fifteen people press a button of a Slack that hangs; whoever types a command notices nothing."""
    house = build()
    message = asked(house)
    people = [house.slack.add_user(f"person{number}") for number in range(15)]
    house.slack.faults.script("views.open", ["hang:4"] * 15)
    with ThreadPoolExecutor(15) as hands:
        acks = list(hands.map(lambda person: house.slack.press(message, "raw_events", user=person), people))
    assert all(ack.ok for ack in acks)
    answer = house.slack.command("help")
    assert (answer.ok, answer.seconds < 1) == (True, True)


@pytest.mark.parametrize("action", ["run_again", "raw_events", "other_call"])
def test_access_is_checked_at_every_press(build: Build, action: str) -> None:
    """A guest sees the message, and may do nothing with it."""
    house = build(lookups=FixedLookups(report=reports.full()))
    message = asked(house)
    guest = house.slack.add_user("guest", guest=True)
    house.slack.press(message, action, value="c-2" if action == "other_call" else None, user=guest)
    if action == "raw_events":
        assert "do not answer guests" in window(house, "guests")
    else:
        assert house.whispered("do not answer guests", guest)
    assert house.used(2)[1].result == "refused: guest"
    assert len(house.lookups.asked) == 1


def test_the_home_tab_is_shown(build: Build) -> None:
    """With how the bot is doing."""
    house = build(home=lambda user_id: [blocks.line(f"CXone answered {user_id} 3 s ago.")])
    house.slack.open_home()
    assert "CXone answered U0SAM 3 s ago." in json.dumps(until(house.slack.home))


def test_a_home_tab_that_slack_refuses_is_only_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing depends on it."""
    house.slack.faults.script("views.publish", ["error:internal_error"])
    assert house.slack.open_home().ok
    assert until(lambda: "views.publish" in caplog.text)


# ---- access -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"guest": True}, "guest"),
        ({"single_channel_guest": True}, "guest"),
        ({"stranger": True}, "stranger"),
        ({"deleted": True}, "deleted"),
    ],
)
def test_guests_and_strangers_are_refused_and_audited(house: House, flags: dict[str, bool], reason: str) -> None:
    """Before anything is asked of CXone."""
    user = house.slack.add_user("x", **flags)  # type: ignore[arg-type]
    house.slack.command("+15550199888", user=user)
    assert house.used()[0].result == f"refused: {reason}"
    assert house.lookups.asked == []
    assert house.slack.messages("voicebot-ops") == []


def test_a_stranger_whom_the_bot_meets_in_a_channel_is_known_by_the_team(house: House) -> None:
    """Slack sets `is_stranger` only for those it meets nowhere."""
    user = house.slack.add_user("x", stranger=True)
    document = house.slack.team.users[user].document()
    assert house.services.access._from_elsewhere(document)
    assert not house.services.access._from_elsewhere(replace(house.slack.team.users["U0SAM"]).document())


def test_a_shared_channel_is_refused_unless_it_is_listed(build: Build) -> None:
    """Others read there."""
    house = build()
    house.slack.add_channel("partners", shared=True)
    house.slack.command("+15550199888", channel="partners")
    assert house.used()[0].result == "refused: shared"
    listed = build(rules=Rules(frozenset({"#partners"})))
    listed.slack.add_channel("partners", shared=True)
    listed.slack.command("+15550199888", channel="partners")
    assert listed.posted("partners")


def test_allowed_channels_narrow_it(build: Build) -> None:
    """By name or id, private ones too, whose name is in no payload."""
    house = build(rules=Rules(frozenset({"secret", "C0VOICEBOT"})))
    house.slack.add_channel("secret", private=True)
    house.slack.command("+15550199888", channel="handover-alerts")
    assert house.used()[0].result == "refused: channel"
    house.slack.command("+15550199888", channel="secret")
    assert house.posted("secret")
    house.slack.command("+15550199888")
    assert house.posted()


def test_allowed_usergroups_narrow_it_and_let_guests_in(build: Build) -> None:
    """A member of an allowed group was allowed by name."""
    house = build(rules=Rules(usergroups=frozenset({"@oncall"})))
    guest = house.slack.add_user("guest", guest=True)
    house.slack.add_usergroup("oncall", [guest])
    house.slack.add_usergroup("others", ["U0SAM"])
    house.slack.command("+15550199888")
    assert house.used()[0].result == "refused: usergroup"
    house.slack.command("+15550199888", user=guest)
    assert house.posted()
