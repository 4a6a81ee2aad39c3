"""What channels asked for: filters and mutes, where a group mixes what they are about."""

from __future__ import annotations

from tests.stories.story import Story
from tests.stories.world import OPS


def test_a_subscription_that_cannot_be_read_stops_nobody(eager: Story) -> None:
    """An earlier version stored such. The others are told as ever, and the ops channel hears of it once."""
    eager.subscribe('target="Sales,"Team A"', channel="C0OTHER")
    calls = eager.fails(3)
    eager.passes(20)
    eager.expect_message("3 failed")
    eager.expect_reply(calls)
    eager.expect_message("A subscription of <#C0OTHER> cannot be read", channel=OPS)
