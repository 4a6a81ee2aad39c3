"""Bot calls keep coming, and no handover is asked for."""

from __future__ import annotations

from tests.stories.story import Story


def test_attempts_stop_altogether(story: Story) -> None:
    """Half an hour of bot calls without one request, against the usual rate, is said once; and that it is over."""
    for _ in range(60):
        story.centre.call("accepted")
    story.passes(minutes=31, poll_every=60)
    for _ in range(10):
        story.centre.call("stopped")
        story.passes(minutes=2, poll_every=60)
    story.passes(minutes=12, poll_every=60)
    story.expect_message("no handover is asked for", "60 of 60 did")
    story.centre.call("accepted")
    story.passes(minutes=2, poll_every=60)
    story.expect_update("✅", "handovers are asked for again")
