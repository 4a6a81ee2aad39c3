"""What channels asked for: filters and mutes, where a group mixes what they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.alerts.explain import Explained, explain, find
from bot.alerts.policy import Reason
from bot.alerts.record import scene
from bot.store.engine import reading
from tests.stories.story import Story, first_start
from tests.stories.world import ALERTS, OPS


def test_a_subscription_that_cannot_be_read_stops_nobody(eager: Story) -> None:
    """An earlier version stored such. The others are told as ever, and the ops channel hears of it once."""
    eager.subscribe('target="Sales,"Team A"', channel="C0OTHER")
    calls = eager.fails(3)
    eager.passes(20)
    eager.expect_message("3 failed")
    eager.expect_reply(calls)
    eager.expect_message("A subscription of <#C0OTHER> cannot be read", channel=OPS)


def test_a_filter_by_target_hears_of_its_own_in_a_group_of_several(tmp_path: Path) -> None:
    """A group of a bot began with another target: what was asked for is told all the same, and explained so."""
    story = Story(tmp_path, subscribe="target=Sales min=1")
    story.fails(outcome="forbidden")
    story.passes(10)
    story.expect_nothing_else()
    calls = story.fails(3, outcome="forbidden", target="q-sales")
    story.passes(10)
    message = story.expect_message("CXone forbids the handovers of Cognigy Voicebot: 4 failed")
    story.expect_reply(calls)
    assert story.ledger().held == 0
    why = _why(story, message)
    assert why.heard[0].over
    assert why.reason is Reason.NOTHING
    story.close()


def test_a_narrow_subscription_counts_its_own_failures(tmp_path: Path) -> None:
    """Three to Billing and one to Sales are no three to Sales."""
    story = Story(tmp_path, subscribe="target=Sales min=3/10m")
    story.fails(3, outcome="forbidden")
    first = story.fails(outcome="forbidden", target="q-sales")
    story.passes(10)
    story.expect_nothing_else()
    calls = [*first, *story.fails(2, outcome="forbidden", target="q-sales")]
    story.passes(10)
    message = story.expect_message("CXone forbids the handovers of Cognigy Voicebot: 6 failed")
    story.expect_reply(calls)
    assert (_why(story, message).heard[0].failures, _why(story, message).heard[0].over) == (3, True)
    story.close()


def test_a_narrow_subscription_counts_its_own_attempts(tmp_path: Path) -> None:
    """Of the handovers to Sales half fail, whatever becomes of those to Billing."""
    story = Story(tmp_path, subscribe="target=Sales min=2/10m rate=50%")
    for _ in range(20):
        story.centre.call("accepted")
    calls = story.fails(2, outcome="forbidden", target="q-sales")
    for _ in range(2):
        story.centre.call("accepted", target="q-sales")
    story.passes(10)
    message = story.expect_message("2 failed")
    story.expect_reply(calls)
    assert (_why(story, message).heard[0].failures, _why(story, message).heard[0].attempts) == (2, 4)
    story.close()


@pytest.mark.parametrize("resolved", [False, True])
def test_a_mute_longer_than_an_hour_loses_nothing(eager: Story, resolved: bool) -> None:  # noqa: FBT001 - a table
    """What it held of a cause that nobody knew is told when it ends, be it over or not."""
    eager.mute(hours=2)
    held = eager.fails(2, outcome="forbidden")
    eager.passes(60)
    for _ in range(3 if resolved else 0):
        eager.centre.call("accepted")
    eager.passes(minutes=115, poll_every=60)
    eager.expect_nothing_else()
    assert eager.ledger().muted == 2
    eager.passes(minutes=6, poll_every=30)
    eager.expect_message("✅" if resolved else "🟠", "CXone forbids the handovers of Cognigy Voicebot: 2 failed")
    eager.expect_reply(held)
    assert (eager.ledger().muted, eager.ledger().sent) == (0, 2)


def test_a_mute_of_one_target_holds_no_other(eager: Story) -> None:
    """In a group of several targets those that are not muted are told; the others come when the mute ends."""
    eager.mute(hours=0.1, what="target", value="Billing")
    muted = eager.fails(outcome="forbidden")
    other = eager.fails(outcome="forbidden", target="q-sales")
    eager.passes(60)
    eager.expect_message("2 failed")
    eager.expect_reply(other)
    assert eager.ledger().muted == 1
    eager.passes(minutes=6)
    eager.expect_message("The mute of the target Billing has ended")
    eager.expect_reply(muted)


def test_a_mute_of_one_target_takes_back_what_is_not_sent_yet(eager: Story) -> None:
    """Of the same group what is not muted goes out."""
    eager.client.script("chat.postMessage", ["refuse"] * 2)
    eager.fails(outcome="forbidden")
    other = eager.fails(outcome="forbidden", target="q-sales")
    eager.passes(1)
    eager.mute(hours=1, what="target", value="Billing")
    eager.passes(60)
    eager.expect_message("2 failed")
    eager.expect_reply(other)
    assert eager.ledger().muted == 1


def _why(story: Story, message: dict[str, Any]) -> Explained:
    with reading(story.engine) as connection:
        group = find(connection, "demo", message["text"].rsplit("Alert ", 1)[1])
        assert group is not None
        now = story.clock.now()
        return explain(connection, scene(connection, "demo", story.rules, now), group, ALERTS, now)


# ---- what waits unsent --------------------------------------------------------------------------------------------


def _arrives(tmp_path: Path, *, other: int = 0) -> Story:
    """Failures found on arrival, whose summary waits for a call that cannot be read."""
    story = first_start(tmp_path)
    story.fails(5)
    story.fails(other, target="q-sales")
    story.centre.unreadable.add(story.fails()[0])
    story.passes(5)
    return story


def test_a_mute_holds_the_summary_of_an_arrival(tmp_path: Path) -> None:
    """Its cases come when the mute ends, as those of any group."""
    story = _arrives(tmp_path)
    story.mute(hours=0.1)
    assert story.ledger().muted == 5
    story.passes(90)
    story.expect_nothing_else()
    story.passes(minutes=6)
    story.expect_message("Billing refuses handovers: 5 failed")
    story.expect_reply()
    story.expect_message("The mute of everything has ended")
    story.expect_nothing_else()
    story.close()


def test_a_mute_of_one_target_takes_its_part_out_of_the_summary(tmp_path: Path) -> None:
    """The others are told in it."""
    story = _arrives(tmp_path, other=2)
    story.mute(hours=1, what="target", value="Billing")
    assert story.ledger().muted == 5
    story.passes(90)
    story.expect_message("Found on arrival: 2 failed handovers, 1 cause", "Sales refuses handovers: 2")
    story.expect_nothing_else()
    story.close()


def test_unsubscribing_drops_the_summary_of_an_arrival(tmp_path: Path) -> None:
    """Nobody hears of it any more."""
    story = _arrives(tmp_path)
    story.unsubscribe()
    assert story.ledger().unsubscribed == 5
    story.passes(90)
    story.expect_nothing_else()
    story.close()


def test_a_mute_holds_that_attempts_stopped(story: Story) -> None:
    """It is said when the mute ends, if it still is so."""
    for _ in range(60):
        story.centre.call("accepted")
    story.passes(minutes=31, poll_every=60)
    story.mute(hours=0.75)
    for _ in range(10):
        story.centre.call("stopped")
        story.passes(minutes=4, poll_every=60)
    story.expect_nothing_else()
    for _ in range(2):
        story.centre.call("stopped")
        story.passes(minutes=4, poll_every=60)
    story.expect_message("no handover is asked for")


def test_a_mute_holds_the_message_of_what_is_over_already(eager: Story) -> None:
    """It was resolved while Slack was out, and nobody is to hear of it."""
    eager.client.down = True
    eager.fails()
    eager.passes(10)
    for _ in range(3):
        eager.centre.call("accepted")
    eager.passes(minutes=6)
    eager.mute(hours=1)
    eager.client.down = False
    eager.passes(minutes=2)
    eager.expect_nothing_else()
    assert eager.ledger().muted == 1


def test_the_longer_of_two_mutes_is_shown(eager: Story) -> None:
    """Whichever came last."""
    calls = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.mute(hours=10)
    eager.passes(10)
    eager.mute(hours=1)
    eager.passes(10)
    eager.expect_update("Muted until 00:00")


def test_a_channel_that_unsubscribed_hears_no_broadcast(eager: Story) -> None:
    """Neither of a count nor of an hour; its message is kept up to date."""
    calls = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.unsubscribe()
    eager.fails(12)
    eager.passes(minutes=70, poll_every=60)
    eager.expect_update("13 failed")
