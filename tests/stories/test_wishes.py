"""What channels asked for: filters and mutes, where a group mixes what they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.alerts.explain import Explained, explain, find
from bot.alerts.policy import Reason
from bot.alerts.record import scene
from bot.store.engine import reading
from tests.stories.story import Story
from tests.stories.test_core import _mute
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


def test_a_mute_of_one_target_holds_no_other(eager: Story) -> None:
    """In a group of several targets those that are not muted are told; the others come when the mute ends."""
    _mute(eager, hours=0.1, what="target", value="Billing")
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
    _mute(eager, hours=1, what="target", value="Billing")
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
