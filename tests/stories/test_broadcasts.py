"""What a channel is told loudly: counts, reopenings, an hour unacknowledged."""

from __future__ import annotations

from bot.alerts import muting
from bot.alerts.record import scene
from bot.store.engine import writing
from tests.stories.story import Story
from tests.stories.test_core import _resolve
from tests.stories.world import ALERTS


def _fired(story: Story, times: int = 1) -> None:
    calls = story.fails(times)
    story.passes(10)
    story.expect_message(f"{times} failed")
    story.expect_reply(calls)


def test_a_channel_that_hears_first_after_a_reopening_is_told_once(eager: Story) -> None:
    """Its message says itself that it fails again; the other channel gets the broadcast."""
    eager.slack.add_channel("other", id="C0OTHER")
    eager.subscribe("min=2/10m", channel="C0OTHER")
    _fired(eager)
    _resolve(eager)
    eager.fails(2)
    eager.passes(20)
    eager.expect_broadcast("again: 3 failed")
    eager.expect_update("3 failed")
    eager.expect_message("3 failed", "Fails again", channel="C0OTHER")
    eager.expect_reply(channel="C0OTHER")
    eager.fails()
    eager.passes(minutes=6)
    eager.expect_update("4 failed")
    eager.expect_update("4 failed", channel="C0OTHER")
    eager.expect_reply()
    eager.expect_reply()
    eager.expect_reply(channel="C0OTHER")


def test_the_hour_begins_with_the_message(story: Story) -> None:
    """What was below the threshold for an hour is not said to be unacknowledged for an hour."""
    for _ in range(3):
        story.fails()
        story.passes(minutes=22, poll_every=60)
    story.fails(5)
    story.passes(minutes=2)
    story.expect_message("8 failed")
    story.expect_reply()
    for _ in range(3):
        story.fails()
        story.passes(minutes=15, poll_every=60)
    story._news.clear()
    story.fails()
    story.passes(minutes=15, poll_every=60)
    story.expect_broadcast("for more than an hour")
    story._news.clear()


def test_the_hour_begins_with_the_end_of_a_mute(eager: Story) -> None:
    """Nobody could acknowledge what nobody was to see."""
    _fired(eager)
    eager.mute(hours=1.2)
    for _ in range(5):
        eager.fails()
        eager.passes(minutes=18, poll_every=60)
    eager.expect_message("has ended")
    eager.expect_update("6 failed")
    eager.expect_reply()


def test_a_lost_answer_hides_no_broadcast(eager: Story) -> None:
    """The message that Slack took said 3, whatever it was when it was found."""
    eager.client.script("chat.postMessage", ["accept_then_drop"])
    first = eager.fails(3)
    eager.passes(5)
    more = eager.fails(9)
    eager.passes(minutes=3)
    eager.expect_message("3 failed")
    eager.expect_update("12 failed")
    eager.expect_broadcast("more than 10 failed")
    eager.expect_reply(first + more)


def test_no_broadcast_after_the_ending(eager: Story) -> None:
    """What waited while Slack was out is not said any more of a group that is resolved."""
    _fired(eager)
    eager.client.down = True
    eager.fails(12)
    eager.passes(30)
    for _ in range(3):
        eager.centre.call("accepted")
    eager.passes(minutes=7)
    eager.client.down = False
    eager.passes(minutes=3)
    eager.expect_update("✅", "13 failed")
    eager.expect_reply()
    eager.expect_message("Slack is back", channel="C0VOICEBOT")


def test_an_hour_is_not_said_once_somebody_acknowledged(eager: Story) -> None:
    """While the broadcast waited."""
    _fired(eager)
    for _ in range(3):
        eager.passes(minutes=19, poll_every=60)
        eager.fails()
    eager._look()
    eager._news.clear()
    eager.client.script("chat.postMessage", ["refuse"] * 40)
    eager.passes(minutes=4, poll_every=30)
    with writing(eager.engine) as connection:
        here = scene(connection, "demo", eager.rules, eager.clock.now())
        muting.acknowledge(connection, here, 1, "U0SAM", eager.clock.now())
    eager.client.scripts.clear()
    eager.passes(minutes=2)
    eager._look()
    assert not [news for news in eager._news if news[0] == "broadcast"]
    eager._news.clear()


def test_a_broadcast_that_a_mute_withheld_comes_when_it_ends(eager: Story) -> None:
    """Once."""
    _fired(eager, 3)
    eager.client.script("chat.postMessage", ["refuse"] * 3)
    eager.fails(9)
    eager.passes(3)
    eager.mute(hours=0.1)
    eager.passes(minutes=8)
    eager.expect_broadcast("more than 10 failed")
    eager.expect_update("12 failed")
    eager.expect_reply()
    eager.expect_message("has ended")
    assert eager.roots(ALERTS)


def test_what_nobody_was_told_of_begins_anew(story: Story) -> None:
    """A failure now and then, below the threshold, is no history of the outage that comes later."""
    for _ in range(4):
        for _ in range(30):
            story.centre.call("accepted")
        story.fails()
        story.passes(minutes=1)
        for _ in range(5):
            story.centre.call("accepted")
        story.passes(minutes=11, poll_every=30)
    first = story.fails(8)
    story.passes(30)
    message = story.expect_message("Billing refuses handovers: 8 failed")
    assert "again" not in message["text"]
    story.expect_reply(first)
    story.fails(2)
    story.passes(30)
    story.expect_broadcast("10 failed")
    story.expect_update("10 failed")


def test_what_nobody_was_told_of_still_counts_within_its_minutes(story: Story) -> None:
    """Three failures, acceptances, and two more within ten minutes are five in ten minutes."""
    held = story.fails(3)
    story.passes(minutes=1)
    for _ in range(3):
        story.centre.call("accepted")
    story.passes(minutes=5)
    held += story.fails(2)
    story.passes(20)
    story.expect_message("Billing refuses handovers: 5 failed")
    story.expect_reply(held)
    assert story.ledger().held == 0
