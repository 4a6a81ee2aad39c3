"""What people see of failed handovers, from the first to the ending."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.alerts import muting
from bot.alerts.record import scene
from bot.store import subscriptions
from bot.store.engine import reading, writing
from bot.store.tables import groups
from tests.stories.story import Story
from tests.stories.world import ALERTS, OPS


def test_fire_join_repeat_resolve(story: Story) -> None:
    """Five failures fire; further ones join by an edit and one reply; three acceptances resolve; the cause stays."""
    first = story.fails(5)
    story.passes(10)
    story.expect_message("🔴  Billing refuses handovers: 5 failed", "NO_AGENTS_AVAILABLE")
    story.expect_reply(first)
    more = story.fails(2)
    story.passes(30)
    story.expect_update("7 failed")
    story.expect_nothing_else()
    story.passes(minutes=5)
    story.expect_reply(more)
    for _ in range(3):
        story.centre.call("accepted")
    story.passes(minutes=6)
    story.expect_update("✅  Billing refuses handovers: 7 failed", "NO_AGENTS_AVAILABLE", "Resolved at")


def test_refire_within_30_minutes(eager: Story) -> None:
    """A failure within 30 minutes of the ending reopens the same message, with a broadcast."""
    first = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(first)
    _resolve(eager)
    again = eager.fails()
    eager.passes(minutes=1)
    eager.expect_broadcast("Billing refuses handovers again: 2 failed")
    eager.expect_update("🔴", "2 failed", "Fails again")
    eager.passes(minutes=5)
    eager.expect_reply(again)


def test_refire_after_30_minutes(eager: Story) -> None:
    """A later failure opens a new message; the old one stays resolved."""
    first = eager.fails()
    eager.passes(10)
    old = eager.expect_message("1 failed")
    eager.expect_reply(first)
    _resolve(eager)
    eager.passes(minutes=31, poll_every=30)
    again = eager.fails()
    eager.passes(10)
    assert eager.expect_message("🔴", "1 failed")["ts"] != old["ts"]
    eager.expect_reply(again)


def test_resolved_at_of_a_busy_target(eager: Story) -> None:
    """The third acceptance after the failure is the ending, however many come before that can be said."""
    calls = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.passes(20)
    third = eager.clock.now() - timedelta(seconds=20)
    for _ in range(30):
        for _ in range(10):
            eager.centre.call("accepted")
        eager.passes(10)
    eager.passes(minutes=1)
    eager.expect_update(f"Resolved at {third:%H:%M}")
    with reading(eager.engine) as connection:
        assert connection.scalar(select(groups.c.ended_at)) == third


def test_below_the_threshold_then_over(story: Story) -> None:
    """Four failures are held; the fifth tells of all."""
    held = story.fails(4)
    story.passes(minutes=1)
    story.expect_nothing_else()
    assert story.ledger().held == 4
    story.fails(4, target="q-sales")
    held += story.fails()
    story.passes(10)
    story.expect_message("Billing refuses handovers: 5 failed")
    story.expect_reply(held)
    assert story.ledger().held == 4


def test_the_rate_holds(story: Story) -> None:
    """Five failures among a hundred attempts are below 10 %."""
    for _ in range(95):
        story.centre.call("accepted")
    story.fails(5)
    story.passes(20)
    story.expect_nothing_else()
    assert story.ledger().held == 5


def test_a_late_acceptance_withdraws(eager: Story) -> None:
    """An acceptance that arrives late takes the alert back; its line stays, its message says so."""
    (call,) = eager.fails(at=eager.clock.now())
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply([call])
    eager.centre.accept_late(call)
    eager.passes(minutes=2)
    message = eager.expect_update("⚪  Withdrawn: accepted ", "Billing refuses handovers")
    assert "Next step" not in message["text"]
    assert (eager.ledger().withdrawn, eager.ledger().sent) == (1, 0)


def test_a_late_acceptance_before_the_message(story: Story) -> None:
    """What was still held is withdrawn, and no message ever comes."""
    (call,) = story.fails(at=story.clock.now())
    story.passes(10)
    story.centre.accept_late(call)
    story.passes(minutes=2)
    assert story.ledger().withdrawn == 1


def test_first_start_is_one_summary(tmp_path: Path) -> None:
    """What is there at the first start is one message, not a flood."""
    story = Story(tmp_path, subscribe=None)
    story.steps.armed = False
    story.fails(30)
    story.fails(3, outcome="forbidden")
    story.fails(9, target="q-sales")
    story.forget_polls()
    story.subscribe("")
    story.passes(90)
    story.expect_message("Found on arrival: 42 failed handovers, 3 causes")
    story.expect_nothing_else()
    story.fails(5, target="q-sales", reason="QUEUE_FULL")
    story.passes(10)
    story.expect_message("Sales refuses handovers: 5 failed")
    story.expect_reply()
    story.expect_nothing_else()
    story.close()


def test_a_day_of_absence_is_one_summary(eager: Story) -> None:
    """After a day away: one message, then as usual."""
    eager.clock.advance(hours=24)
    eager.fails(20)
    eager.fails(20, target="q-sales")
    eager.passes(90)
    eager.expect_message("Found on arrival: 40 failed handovers, 2 causes")
    later = eager.fails()
    eager.passes(15)
    eager.expect_message("Billing refuses handovers: 21 failed")
    eager.expect_reply(later)


def test_channel_archived(eager: Story) -> None:
    """The subscription pauses, its author and ops are told, other channels go on; a resume brings the rest."""
    eager.slack.add_channel("other", id="C0OTHER")
    eager.subscribe("min=1", channel="C0OTHER")
    eager.slack.archive(ALERTS)
    calls = eager.fails(2)
    eager.passes(20)
    eager.expect_message("2 failed", channel="C0OTHER")
    eager.expect_reply(calls, channel="C0OTHER")
    eager.expect_message("is_archived", channel=OPS)
    direct = next(each for each in eager.slack.team.channels if each.startswith("D"))
    eager.expect_message("paused", channel=direct)
    assert eager.ledger(ALERTS).waiting == 2
    eager.slack.archive(ALERTS, archived=False)
    eager.subscribe("min=1")
    eager.passes(20)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)


def test_an_edit_of_a_deleted_message_posts_it_anew(eager: Story) -> None:
    """Somebody deleted the message: the next change posts it again."""
    first = eager.fails()
    eager.passes(10)
    message = eager.expect_message("1 failed")
    eager.expect_reply(first)
    eager.slack.remove(ALERTS, message["ts"])
    more = eager.fails()
    eager.passes(minutes=6)
    eager.expect_message("2 failed")
    eager.expect_reply(more)


def test_two_subscriptions_one_delivery(eager: Story) -> None:
    """Two subscriptions of a channel that both match bring one message."""
    eager.subscribe("outcome=rejected min=2")
    eager.subscribe("target=Billing")
    calls = eager.fails(2)
    eager.passes(20)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)


def test_one_lucky_call_resolves_nothing(eager: Story) -> None:
    """A single acceptance in an outage is no ending."""
    first = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(first)
    eager.centre.call("accepted")
    eager.passes(minutes=10, poll_every=15)


def test_silence_says_quiet(eager: Story) -> None:
    """Half an hour without a failure and without an acceptance is quiet, not resolved."""
    first = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(first)
    eager.passes(minutes=35, poll_every=30)
    eager.expect_update("🟠", "Quiet since")


def test_an_hour_unacknowledged(eager: Story) -> None:
    """After an hour without an acknowledgement the thread says so in the channel, once."""
    calls = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    for _ in range(4):
        eager.passes(minutes=20, poll_every=60)
        eager.fails()
    eager.passes(minutes=6)
    eager.expect_broadcast("for more than an hour")
    eager.expect_update("5 failed")
    for _ in range(4):
        eager.expect_reply()


def test_mute_while_firing_and_resolve_during_it(eager: Story) -> None:
    """A mute holds lines until it ends; the message says until when, and still gets its ending."""
    first = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(first)
    eager.mute(hours=1)
    held = eager.fails(2)
    eager.passes(minutes=6)
    eager.expect_update("3 failed", "Muted until")
    eager.expect_nothing_else()
    assert eager.ledger().muted == 2
    for _ in range(3):
        eager.centre.call("accepted")
    eager.passes(minutes=6)
    eager.expect_update("✅", "Resolved")
    eager.passes(minutes=45, poll_every=30)
    assert eager.ledger().muted == 2
    eager.passes(minutes=5, poll_every=30)
    eager.expect_reply(held)
    assert (eager.ledger().muted, eager.ledger().sent) == (0, 3)


def test_a_mute_ends_while_it_still_fires(eager: Story) -> None:
    """What the mute held is sent when it ends, and the end is said."""
    eager.mute(hours=0.25)
    held = eager.fails(2)
    eager.passes(60)
    eager.expect_nothing_else()
    eager.passes(minutes=15)
    eager.expect_message("2 failed")
    eager.expect_reply(held)
    eager.expect_message("The mute of everything has ended")


def test_a_subscription_ends_while_its_delivery_waits(eager: Story) -> None:
    """What waits unsent when the subscription ends is unsubscribed, and never sent."""
    eager.client.down = True
    eager.fails(2)
    eager.passes(10)
    with writing(eager.engine) as connection:
        here = scene(connection, "demo", eager.rules, eager.clock.now())
        assert muting.unsubscribe(connection, here, ALERTS, eager.clock.now()) == 1
        assert not subscriptions.active(connection, "demo")
    eager.check()
    assert eager.ledger().unsubscribed == 2


@pytest.mark.long
def test_slack_out_for_an_hour(eager: Story) -> None:
    """500 failures while Slack refuses: none lost, none doubled, as many messages as groups, and a line about it."""
    eager.client.down = True
    for _ in range(12):
        eager.fails(21)
        eager.fails(21, target="q-sales")
        eager.passes(minutes=5, poll_every=60)
    eager.client.down = False
    eager.passes(minutes=3)
    assert len(eager.roots()) == 2
    assert set(eager.lines().values()) == {1}
    assert len(eager.lines()) == 504
    assert eager.ledger().sent == 504
    assert any("Slack is back" in message["text"] for message in eager.messages(OPS))
    eager._news.clear()


@pytest.mark.long
def test_a_storm_is_one_message(eager: Story) -> None:
    """1,000 failures with one cause in a minute: one message with the right count, at most one post a second."""
    for _ in range(6):
        eager.fails(167)
        eager.passes(10)
    eager.passes(minutes=8)
    (root,) = eager.roots()
    assert "1002 failed" in root["text"]
    assert set(eager.lines().values()) == {1}
    assert len(eager.lines()) == 1002
    eager._news.clear()


def test_a_flood_of_causes_is_held_in_one_message(eager: Story) -> None:
    """Beyond 50 new groups in ten minutes one message holds the rest."""
    for number in range(60):
        eager.centre.targets[f"q-{number}"] = {"id": f"q-{number}", "name": f"Queue {number}"}
        eager.fails(target=f"q-{number}")
    eager.passes(minutes=3)
    roots = [message["text"] for message in eager.roots()]
    assert len(roots) == 51
    assert sum("10 causes more, 10 failed handovers" in text for text in roots) == 1
    assert eager.ledger().sent == 50
    assert eager.ledger().merged == 10
    eager._news.clear()


def test_a_conversation_that_cannot_be_read_is_retried(eager: Story) -> None:
    """An unreadable conversation stops nobody, is not skipped, and alerts once it can be read."""
    bad, good = eager.fails(2)
    eager.centre.unreadable.add(bad)
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply([good])
    eager.centre.unreadable.clear()
    eager.passes(minutes=6)
    eager.expect_update("2 failed")
    eager.expect_reply([bad])


def test_cxone_out_and_back_is_said(eager: Story) -> None:
    """CXone out for five minutes is a line in the ops channel, and so is its return."""
    eager.centre.down = True
    eager.passes(minutes=7)
    eager.expect_message("CXone has been out of reach", channel=OPS)
    calls = eager.fails(2)
    eager.centre.down = False
    eager.passes(20)
    eager.expect_message("CXone is back", channel=OPS)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)


def test_a_token_that_slack_refuses_stops_everything_and_loses_nothing(eager: Story) -> None:
    """While Slack refuses the token the bot is not ready; afterwards everything is sent once."""
    eager.client.script("chat.postMessage", ["error:invalid_auth"] * 2)
    calls = eager.fails()
    eager.passes(20)
    eager.expect_nothing_else()
    eager.passes(60)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)


def _resolve(story: Story) -> None:
    for _ in range(3):
        story.centre.call("accepted")
    story.passes(minutes=6)
    story.expect_update("Resolved at")
