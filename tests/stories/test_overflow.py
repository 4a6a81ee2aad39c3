"""Beyond fifty new groups in ten minutes one message holds the rest: what becomes of it, and of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stories.story import Story

LAST = "q-51"  # the last of the flood by its id: its group is in the message that holds the rest


@pytest.fixture
def flooded(tmp_path: Path) -> Any:
    """Fifty-two causes at once, all of them told."""
    story = Story(tmp_path, subscribe="min=1")
    for number in range(52):
        queue = f"q-{number:02d}"
        story.centre.targets[queue] = {"id": queue, "name": f"Queue {number:02d}"}
        story.fails(target=queue)
    story.passes(minutes=3)
    story.expect_message("2 causes more, 2 failed handovers", "Queue 51 refuses handovers: 1")
    story._news.clear()
    yield story
    story.expect_nothing_else()
    story.close()


def test_further_failures_of_a_held_group_are_shown(flooded: Story) -> None:
    """While the flood lasts the message that holds it counts them."""
    flooded.fails(3, target=LAST)
    flooded.passes(minutes=1)
    flooded.expect_update("2 causes more, 5 failed handovers", "Queue 51 refuses handovers: 4")
    assert flooded.ledger().merged == 5


def test_after_the_flood_a_held_group_gets_its_own_message(flooded: Story) -> None:
    """What fails on is told as ever."""
    flooded.passes(minutes=10)
    calls = flooded.fails(3, target=LAST)
    flooded.passes(10)
    flooded.expect_message("Queue 51 refuses handovers: 4 failed")
    flooded.expect_reply(calls)


def test_what_a_mute_held_of_a_held_group_comes_when_it_ends(flooded: Story) -> None:
    """Into the message that holds the group, while the flood lasts."""
    flooded.mute(hours=0.05, what="target", value="Queue 51")
    flooded.fails(2, target=LAST)
    flooded.passes(minutes=1)
    assert flooded.ledger().muted == 2
    flooded.passes(minutes=3)
    flooded.expect_update("2 causes more, 4 failed handovers")
    flooded.expect_message("The mute of the target Queue 51 has ended")
    found = flooded.ledger()
    assert (found.muted, found.waiting, found.merged) == (0, 0, 4)
