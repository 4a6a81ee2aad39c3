"""Subscriptions, mutes and acknowledgements as people meet them, over real HTTP, on time moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from bot import phone
from bot.centres import audit_use
from bot.database import Database
from bot.demo.sending import Sender
from bot.demo.workspace import BOT_USER
from bot.slack import status_answers, typed
from bot.slack.access import Rules
from bot.slack.app import web_client
from bot.slack.info_commands import InfoCommands
from bot.slack.services import Asker
from bot.store import deliveries, pacing, purge, subscriptions, tables
from bot.store.engine import reading, writing
from tests.slack import alert_samples
from tests.slack.conftest import until
from tests.stories.room import Room
from tests.stories.world import ALERTS, OPS

Open = Callable[..., Room]


@pytest.fixture
def open_room(tmp_path: Path) -> Iterator[Open]:
    """Rooms whose messages are all expected in the end."""
    rooms: list[Room] = []

    def make(**options: Any) -> Room:
        rooms.append(Room(tmp_path, **options))
        return rooms[-1]

    yield make
    for room in rooms:
        room.silence()
        room.expect_nothing_else()
        room.close()


@pytest.fixture
def room(open_room: Open) -> Room:
    """A channel with `min=1`."""
    return open_room(subscribe="min=1")


def fired(room: Room, times: int = 1) -> dict[str, Any]:
    """An alert in the channel, with its cases."""
    calls = room.fails(times)
    room.passes(10)
    message = room.expect_message("Billing refuses handovers")
    room.expect_reply(calls)
    return message


def resolved(room: Room) -> None:
    """Three acceptances and five minutes later."""
    for _ in range(3):
        room.centre.call("accepted")
    room.passes(minutes=6, poll_every=20)


def menu(message: dict[str, Any], action: str, label: str) -> str:
    """The value of an option."""
    elements = [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]
    found = next(each for each in elements if each["action_id"] == action)
    return str(next(option["value"] for option in found["options"] if label in option["text"]["text"]))


# ---- subscribe ----------------------------------------------------------------------------------------------------


def test_a_subscription_is_echoed_exactly_and_tried_at_once(open_room: Open) -> None:
    """In words and in canonical form; the test alert goes the way of real ones; then real ones come."""
    room = open_room(subscribe=None)
    told = room.says("subscribe fault=TARGET  outcome=rejected,unanswered target=“Billing” min=2/5m rate=20%")
    assert "unanswered" in told
    assert "at fault: target, to Billing" in told
    assert "from 2 failures in 5 min on, if they are 20 % of all attempts" in told.lower()
    assert "/handover subscribe outcome=rejected,unanswered fault=target target=Billing min=2/5m rate=20%" in told
    assert "A test alert is in the channel" in told
    room.expect_message("Test alert")
    assert (room.uses[-1].action, room.uses[-1].result) == ("subscribe", "subscribed")
    calls = room.fails(2)
    room.passes(10)
    room.expect_message("Billing refuses handovers: 2 failed")
    room.expect_reply(calls)


@pytest.mark.parametrize("typed", ["outcome=rejcted", "queue=Billing", "min=5/10x", "rate=10% oops", "min=0"])
def test_an_unknown_filter_subscribes_nothing(open_room: Open, typed: str) -> None:
    """It is repeated, with the right form."""
    room = open_room(subscribe=None)
    ack = room.slack.command(f"subscribe {typed}", channel=ALERTS)
    assert typed.rsplit(maxsplit=1)[-1] in ack.body["text"]
    assert any(form in ack.body["text"] for form in ("outcome=rejected", "min=5/10m", "unanswered, rejected"))
    assert "no subscription" in room.says("list")


def test_where_the_bot_cannot_post_it_says_so_and_how_to_invite_it(open_room: Open) -> None:
    """At once, to the asker; nothing is subscribed, nobody else is told, and nothing comes later by itself."""
    room = open_room(subscribe=None)
    room.slack.kick(ALERTS)
    told = room.says("subscribe min=1")
    assert "cannot post in this channel" in told
    assert "/invite" in told
    assert room.uses[-1].result == "not subscribed: not_in_channel"
    assert "no subscription" in room.says("list")
    assert room.open_deliveries() == 0
    room.slack.invite(ALERTS)
    room.passes(10)
    assert "A test alert is in the channel" in room.says("subscribe min=1")
    room.expect_message("Test alert")


@pytest.mark.parametrize("typed", ["subscribe", "test"])
def test_an_archived_channel_is_named_as_such(open_room: Open, typed: str) -> None:
    """Slack's own word, and what it means."""
    room = open_room(subscribe=None)
    room.slack.archive(ALERTS)
    told = room.says(typed)
    assert "is_archived" in told
    assert "The channel is archived." in told


def test_what_slack_paused_lives_again_when_somebody_subscribes(room: Room) -> None:
    """Both subscriptions of the channel, and what waited is sent."""
    with_two = room.says("subscribe outcome=rejected min=1")
    assert "another subscription" in with_two
    room.expect_message("Test alert")
    room.slack.kick(ALERTS)
    calls = room.fails()
    room.passes(10)
    room.expect_message("are paused: Slack answers not_in_channel", channel=OPS)
    room._news = [each for each in room._news if not each[1].startswith("D")]
    assert room.says("list").count("paused") == 2
    room.slack.team.channel(ALERTS).members.add(BOT_USER)  # and the event got lost
    room.says("subscribe outcome=rejected min=1")
    room.passes(10)
    room.expect_message("Test alert")
    room.expect_message("Billing refuses handovers: 1 failed")
    room.expect_reply(calls)
    assert "paused" not in room.says("list")


def test_an_invitation_resumes_what_slack_paused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the channel is told, once, however often Slack delivers the event; what waited is sent."""
    room.slack.kick(ALERTS)
    calls = room.fails()
    room.passes(10)
    room.expect_message("are paused: Slack answers not_in_channel", channel=OPS)
    room._news = [each for each in room._news if not each[1].startswith("D")]
    monkeypatch.setattr(room.slack.team, "new_id", lambda kind: f"{kind}SAME")
    for _ in range(2):
        assert room.slack.invite(ALERTS).ok
        assert until(lambda: "paused" not in room.says("list"))
    room.passes(10)
    room.expect_message("I can post here again: the alerts of this channel go on.")
    room.expect_message("Billing refuses handovers: 1 failed")
    room.expect_reply(calls)


def test_an_invitation_where_nothing_is_paused_says_nothing(room: Room) -> None:
    """Nor does somebody else who joins."""
    room.slack.invite(ALERTS)
    room.slack.kick(ALERTS)
    room.fails()
    room.passes(10)
    room.expect_message("are paused: Slack answers not_in_channel", channel=OPS)
    room._news = [each for each in room._news if not each[1].startswith("D")]
    room.slack.event({"type": "member_joined_channel", "user": "U0SAM", "channel": ALERTS, "channel_type": "C"})
    assert "paused" in room.says("list")


def test_two_subscriptions_of_one_channel_tell_a_failure_once(room: Room) -> None:
    """However many match."""
    assert "comes once" in room.says("subscribe fault=target min=1")
    room.expect_message("Test alert")
    fired(room)
    assert room.ledger().detected == 1


def test_slack_that_does_not_answer_keeps_the_subscription(open_room: Open) -> None:
    """The test alert is tried again, and comes once."""
    room = open_room(subscribe=None)
    room.client.script("chat.postMessage", ["accept_then_drop"] + ["500"] * 3)
    told = room.says("subscribe min=1")
    assert "subscribed" in told
    assert "has not arrived yet" in told
    room.passes(60)
    room.expect_message("Test alert")


def test_a_token_that_slack_refuses_is_said(open_room: Open) -> None:
    """Not as something of the channel."""
    room = open_room(subscribe=None)
    room.client.script("chat.postMessage", ["error:invalid_auth"])
    assert "Slack refuses the bot: invalid_auth" in room.says("test")
    room.passes(40)
    room.expect_message("Test alert")


# ---- unsubscribe, list --------------------------------------------------------------------------------------------


def test_unsubscribing_ends_all_or_one(room: Room) -> None:
    """By its canonical form, or by the menu of the list; then nothing comes any more."""
    room.says("subscribe outcome=forbidden")
    room.expect_message("Test alert")
    assert "1 stays" in room.says("unsubscribe outcome=forbidden")
    assert "nothing to end" in room.says("unsubscribe outcome=forbidden")
    assert "/handover subscribe min=1" in room.says("list")
    listed = room.slack.ephemerals()[-1]
    room.clock.advance(5)
    assert "No alert comes here any more" in room.presses(
        listed, "end_subscription", menu(listed, "end_subscription", "min=1")
    )
    room.fails(3)
    room.passes(20)


def test_a_subscription_removed_while_its_delivery_is_on_the_way(room: Room) -> None:
    """What Slack may have stays; what was not tried is not sent; the ledger says where both are."""
    room.client.script("chat.postMessage", ["accept_then_hang"])
    room.fails()
    room.passes(5)
    assert room.open_deliveries()
    room.fails(reason="QUEUE_FULL")
    room.poll()
    assert "What is on its way still arrives" in room.says("unsubscribe")
    room.passes(60)
    room.expect_message("Billing refuses handovers: 1 failed")
    found = room.ledger()
    assert found.balanced
    assert found.unsubscribed == 2


def test_the_list_shows_mutes_and_how_many_are_elsewhere(room: Room) -> None:
    """Of this channel alone, with who, until when and why."""
    room.says("mute Billing 2h deploy of <!channel> +15550199888")
    room.passes(2)
    room.expect_message("has muted the target Billing")
    told = room.says("list")
    assert "the target Billing until 2026-11-20 16:00" in told.replace(":01", ":00")
    assert "•••• 9888" in told
    assert "0199888" not in told
    assert "1 in other channels" in room.says("list", channel=OPS)


# ---- mutes --------------------------------------------------------------------------------------------------------


def test_a_mute_is_said_holds_and_says_when_it_ends(room: Room) -> None:
    """Muted while it fires: no reply, no broadcast; the message says until when; the end is said, and what it held."""
    message = fired(room)
    assert "Muted" in room.says("mute rejected 10m deploy")
    room.passes(10)
    room.expect_message("sam has muted the outcome rejected until <!date^", ": deploy")
    room.expect_update("Muted until")
    held = room.fails(12)
    room.passes(minutes=4, poll_every=20)
    room.expect_update("13 failed", "Muted until")
    assert room.ledger().muted == 12
    room.passes(minutes=7, poll_every=20)
    room.expect_message("The mute of the outcome rejected has ended; 1 group is still firing.")
    room.expect_reply(held)
    room.expect_broadcast("more than 10 failed")
    room.expect_update("13 failed")
    assert "Muted until" not in room.now(message)["text"]


def test_resolved_during_a_mute_still_gets_its_ending(room: Room) -> None:
    """And the end of the mute says nothing: nothing fires any more."""
    fired(room)
    room.says("mute all 30m")
    room.passes(10)
    room.expect_message("has muted everything")
    room.expect_update("Muted until")
    resolved(room)
    room.expect_update("✅", "Resolved at")
    room.passes(minutes=30, poll_every=60)
    room.expect_nothing_else()


@pytest.mark.parametrize("typed", ["mute Billing", "mute Billing forever", "mute rejected 25h", "mute"])
def test_a_mute_without_an_end_is_refused(room: Room, typed: str) -> None:
    """24 hours at the most; the reply shows the right form."""
    ack = room.slack.command(typed, channel=ALERTS)
    assert typed in ack.body["text"]
    assert "24 hours at the most" in ack.body["text"]
    assert "Muted" not in room.says("list")


def test_a_target_that_nobody_knows_is_asked_back(room: Room) -> None:
    """A misspelled mute would hold nothing."""
    assert "is it spelled as CXone has it" in room.says("mute Biling 1h")
    room.passes(2)
    room.expect_message("has muted the target Biling")


def test_unmute_ends_what_was_meant_and_says_so(room: Room) -> None:
    """One of two, then the rest."""
    for what in ("Billing", "forbidden"):
        room.says(f"mute {what} 1h")
        room.clock.advance(5)
        room.passes(2)
        room.expect_message("has muted", what)
    assert "Nothing of that is muted" in room.says("unmute unanswered")
    assert "The mute has ended" in room.says("unmute billing")
    room.passes(2)
    room.expect_message("sam has ended the mute of the target Billing.")
    room.says("unmute")
    room.passes(2)
    room.expect_message("sam has ended the mute of the outcome forbidden.")


def test_the_menu_mutes_one_group_until_tomorrow_in_the_askers_zone(room: Room) -> None:
    """Other groups are still told."""
    room.slack.team.users["U0SAM"].tz = "America/New_York"
    message = fired(room)
    told = room.presses(message, "mute_group", menu(message, "mute_group", "tomorrow"))
    assert "Muted   alert" in told
    assert "until 2026-11-21 13:00 UTC" in told
    room.passes(10)
    room.expect_message("sam has muted alert", "(Billing refuses handovers) until")
    room.expect_update("Muted until")
    room.fails(3)
    other = room.fails(target="q-sales")
    room.passes(10)
    room.expect_update("4 failed")
    room.expect_message("Sales refuses handovers")
    room.expect_reply(other)


# ---- acknowledge --------------------------------------------------------------------------------------------------


def test_who_acknowledged_is_named(room: Room) -> None:
    """The first stays; the second is told."""
    message = fired(room)
    assert "Acknowledged." in room.presses(message, "acknowledge")
    kim = room.slack.add_user("kim")
    assert "<@U0SAM> acknowledged this" in room.presses(message, "acknowledge", user=kim)
    room.passes(10)
    room.expect_update("Acknowledged by <@U0SAM>")
    assert not [
        each
        for block in room.now(message)["blocks"]
        for each in block.get("elements", [])
        if each.get("action_id") == "acknowledge"
    ]
    assert [use.result for use in room.uses] == ["acknowledged", "acknowledged before"]


def test_an_acknowledgement_that_comes_too_late_undoes_nothing(room: Room) -> None:
    """The group was resolved meanwhile: it stays so, and the presser is told."""
    message = fired(room)
    resolved(room)
    room.expect_update("Resolved at")
    told = _pressed_stale(room, message)
    assert "This was resolved at" in told
    assert "nothing to acknowledge" in told
    room.passes(10)
    assert "Acknowledged" not in room.now(message)["text"]


def test_a_mute_that_comes_too_late_mutes_nothing(room: Room) -> None:
    """The same for the menu."""
    message = fired(room)
    value = menu(message, "mute_group", "1 hour")
    resolved(room)
    room.expect_update("Resolved at")
    assert "nothing to mute" in _pressed_stale(room, message, "mute_group", value)
    assert "Muted" not in room.says("list")


def test_a_repeated_press_acts_once_even_after_a_restart(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is noted with what it did."""
    message = fired(room)
    sent: list[dict[str, Any]] = []
    whole = Sender.interaction

    def seen(self: Sender, payload: dict[str, Any]) -> Any:
        sent.append(payload)
        return whole(self, payload)

    monkeypatch.setattr(Sender, "interaction", seen)
    room.presses(message, "mute_group", menu(message, "mute_group", "1 hour"))
    room.passes(10)
    room.expect_message("has muted alert")
    room.expect_update("Muted until")
    room.restart()
    assert room._told(lambda: whole(room.slack.sender, sent[0]), None) == ""
    assert room.uses[-1].result == "repeated"
    assert room.says("list").count("alert") == 1


def test_the_latest_case_is_diagnosed_into_the_thread(room: Room) -> None:
    """The whole diagnosis, below the alert."""
    message = fired(room)
    room.slack.press(message, "diagnose_latest")
    reply = _until_reply(room, message)
    assert "Billing refused the handover" in reply["text"]
    room._look()
    room._news.clear()


def test_buttons_ask_who_may(room: Room) -> None:
    """Guests press in vain, and it is audited."""
    message = fired(room)
    guest = room.slack.add_user("gast", guest=True)
    assert "I do not answer guests" in room.presses(message, "acknowledge", user=guest)
    assert room.uses[-1].result == "refused: guest"
    room.passes(10)


def test_commands_ask_who_may_and_where(open_room: Open) -> None:
    """A channel that is not allowed subscribes nothing."""
    room = open_room(subscribe=None, access=Rules(channels=frozenset({"voicebot-ops"})))
    assert "do not answer in this channel" in room.says("subscribe")
    assert room.uses[-1].result == "refused: channel"
    with reading(room.engine) as connection:
        assert not subscriptions.listed(connection, "demo")


def test_a_button_of_what_was_forgotten_says_so(room: Room) -> None:
    """A message may outlive its rows."""
    message = fired(room)
    assert "older than what I keep" in _pressed_stale(room, message, "acknowledge", "4711")


# ---- recent, why, status, Home ------------------------------------------------------------------------------------


def test_a_forgotten_number_is_in_no_free_text(room: Room) -> None:
    """Neither in a mute, the line about it or the audit; `recent` does not call it withheld."""
    fired(room)
    call = next(iter(room.centre.documents))
    number = room.centre.documents[call]["participants"][0]["identity"]
    last4 = number[-4:]
    room.says(f"mute all 1h call {number}")
    (use,) = [use for use in room.uses if use.action == "mute"]
    audit_use(Database(room.engine, "key"), "demo", use)
    assert f"•••• {last4}" in _free_text(room)
    with writing(room.engine) as connection:
        purge.forget(connection, "demo", phone.hashed(number, "key"), phone.mask(number))
    assert last4 not in _free_text(room)
    assert "call ••••" in _free_text(room)
    assert "number removed" in room.says("recent")


def _free_text(room: Room) -> str:
    with reading(room.engine) as connection:
        columns = (tables.mutes.c.why, tables.deliveries.c.text, tables.audit.c.subject)
        return "\n".join(text for column in columns for text in connection.scalars(select(column)))


def test_recent_shows_failed_handovers_each_a_choice(room: Room) -> None:
    """Masked, with target and outcome; filters narrow it."""
    fired(room, 2)
    room.centre.call("accepted")
    sales = room.fails(target="q-sales", reason="QUEUE_FULL")
    room.passes(10)
    room.expect_message("Sales")
    room.expect_reply(sales)
    told = room.says("recent")
    assert "3 of 4 handovers failed" in told
    assert told.count("•••• ") == 3
    assert "QUEUE_FULL" in room.says("recent target=sales")
    assert "Billing" not in room.says("recent target=sales")
    assert "No failed handover that matches outcome=forbidden" in room.says("recent outcome=forbidden")
    room.says("recent min=5")
    chosen = room.slack.ephemerals()[-1]
    assert "they change nothing" in chosen["text"]
    room.clock.advance(5)
    room.presses(chosen, "other_call", sales[0])
    assert room.uses[-1].action == "other_call"


def test_why_says_key_threshold_rule_and_reason(open_room: Open) -> None:
    """Held below the threshold, then told; by the number of the alert or by a conversation of it."""
    room = open_room(subscribe="")
    calls = room.fails(2)
    room.passes(10)
    told = room.says(f"why {calls[0]}")
    assert "outcome=rejected target=q-billing reason=NO_AGENTS_AVAILABLE" in told
    assert "One group for each target and reason." in told
    assert "from 5 failures in 10 min on" in told
    assert "2 in the 10 min before the latest, not reached" in told
    assert "Held: the failures are below the threshold" in told
    more = room.fails(3)
    room.passes(10)
    message = room.expect_message("5 failed")
    room.expect_reply(calls + more)
    number = message["text"].rsplit("Alert ", 1)[1]
    assert "Nothing to write: what the channel shows is up to date." in room.says(f"why {number}")
    assert "this channel has none" in room.says(f"why #{number}", channel=OPS)
    assert "I know no alert 999." in room.says("why 999")


def test_status_tells_how_everything_is(room: Room) -> None:
    """Ledger, backlog with the next post, the watcher, Slack, CXone, and whether delivery is exact."""
    fired(room)
    told = room.says("status")
    assert "All is well" in told
    assert "1 firing" in told
    assert "1 owed to channels = 1 sent" in told
    assert "To be sent   nothing" in told
    assert "Slack   answered just now" in told
    assert "requests in the last hour" in told
    assert "each alert once" in told
    room.client.script("chat.postMessage", ["429:30"])
    calls = room.fails(target="q-sales")
    room.passes(10)
    told = room.says("status")
    assert "<#C0ALERTS> 2  ·  next post 14:00:" in told
    room.slack.faults.script("auth.test", ["500"])
    assert "did not answer just now" in room.says("status")
    room.passes(40)
    room.expect_message("Sales")
    room.expect_reply(calls)


def test_a_finer_subscription_tells_what_was_held(open_room: Open) -> None:
    """It need not wait for the next failure."""
    room = open_room(subscribe="min=5")
    calls = room.fails(2)
    room.passes(10)
    room.expect_nothing_else()
    room.says("subscribe min=2")
    room.passes(10)
    room.expect_message("Test alert")
    room.expect_message("Billing refuses handovers: 2 failed")
    room.expect_reply(calls)


def test_status_says_that_a_poll_failed_before_that_makes_the_bot_not_ready() -> None:
    """One that fails now and then is no alarm, and nothing that is well."""
    failed = replace(alert_samples.WELL, health=replace(alert_samples.WELL.health, cxone_out="GET …: 403"))
    told = status_answers.status(failed).text
    assert told.startswith("🟡  The last poll of CXone failed")
    assert "GET …: 403" in told


def test_the_next_post_goes_by_the_budgets_of_the_workspace(room: Room) -> None:
    """What another tenant of it posted in the channel counts."""
    fired(room)
    client = web_client("xoxb-demo", room.slack.api_url)
    info = InfoCommands(engine=room.engine, clock=room.clock, tenant="demo", workspace="T1", client=client)
    now = room.clock.now()
    with writing(room.engine) as connection:
        deliveries.add(connection, "demo", key="x", kind="line", channel="C0FAR", now=now, text="x")
        pacing.hold(connection, "T1", "C0FAR", now + timedelta(minutes=3))
    told = info.status(typed.ShowStatus(), Asker("U0SAM", "C0FAR", "far", "")).message
    assert told is not None
    assert f"<#C0FAR> 1  ·  next post {now + timedelta(minutes=3):%H:%M:%S}" in told.text
    with writing(room.engine) as connection:
        connection.execute(delete(tables.deliveries).where(tables.deliveries.c.key == "x"))


def test_the_home_tab_shows_health_subscriptions_and_diagnoses(room: Room) -> None:
    """To those who may use the bot; a guest sees the help alone."""
    room.slack.open_home()
    told = str(until(room.slack.home))
    assert "All is well" in told
    assert "/handover subscribe min=1" in told
    guest = room.slack.add_user("gast", guest=True)
    room.slack.open_home(guest)
    told = str(until(lambda: room.slack.home(guest)))
    assert "Why did a handover fail?" in told
    assert "All is well" not in told


# ---- parts --------------------------------------------------------------------------------------------------------


def _pressed_stale(room: Room, message: dict[str, Any], action: str = "acknowledge", value: str | None = None) -> str:
    """Press a button that the message showed before it was edited: on a phone that has not seen the edit."""
    channel, ts = message["channel"], message["ts"]
    current = room.slack.team.channel(channel).messages[ts]
    shown = {**current, "blocks": message["blocks"]}
    if value is not None and action == "acknowledge":
        shown["blocks"] = [
            {
                **block,
                "elements": [
                    {**each, "value": value} if each.get("action_id") == action else each for each in block["elements"]
                ],
            }
            if block["type"] == "actions"
            else block
            for block in message["blocks"]
        ]
        value = None
    room.slack.team.channel(channel).messages[ts] = shown
    try:
        return room.presses(shown, action, value)
    finally:
        room.slack.team.channel(channel).messages[ts] = current


def _until_reply(room: Room, message: dict[str, Any]) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [each for each in room.slack.messages(ALERTS) if "Asked for by" in each["text"]]

    (reply,) = until(found)
    assert reply["thread_ts"] == message["ts"]
    return reply
