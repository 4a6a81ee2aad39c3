"""What a message says in the end, and of whom."""

from __future__ import annotations

from pathlib import Path

from tests.stories.story import Story, first_start


def test_the_ending_of_a_bots_group_names_the_bot(eager: Story) -> None:
    """It began with Billing, and Sales accepted."""
    calls = eager.fails(outcome="forbidden")
    eager.passes(10)
    eager.expect_message("CXone forbids the handovers of Cognigy Voicebot", "Billing at 14:00 UTC: 3 logged in")
    eager.expect_reply(calls)
    more = eager.fails(outcome="forbidden", target="q-sales")
    eager.passes(minutes=6)
    eager.expect_update("2 failed", "Billing at 14:00 UTC: 3 logged in")
    eager.expect_reply(more)
    for _ in range(3):
        eager.centre.call("accepted", target="q-sales")
    eager.passes(minutes=6)
    message = eager.expect_update("✅", "handovers of Cognigy Voicebot are accepted again")
    assert "to Billing" not in message["text"].split("Resolved at")[1]


def test_quiet_until_something_is_accepted(eager: Story) -> None:
    """Then it does not say that nothing was."""
    calls = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.passes(minutes=33, poll_every=30)
    eager.expect_update("Quiet since 13:59 UTC: no failure and no acceptance.")
    eager.centre.call("accepted")
    eager.passes(minutes=2)
    eager.expect_update("Quiet since 13:59 UTC: no failure, and a handover was accepted at 14:32 UTC.")
    eager.centre.call("accepted")
    eager.passes(minutes=2)


def test_the_summary_of_an_arrival_shows_what_became_of_each(tmp_path: Path) -> None:
    """Resolved, and accepted in the end."""
    story = first_start(tmp_path)
    story.fails(2)
    taken_back = story.fails(2, target="q-sales", at=story.clock.now())
    story.passes(15)
    story.expect_message("🔴  Found on arrival: 4 failed handovers, 2 causes")
    for call in taken_back:
        story.centre.accept_late(call, target="q-sales")
    story.passes(minutes=3)
    story.expect_update("2 failed handovers, 2 causes", "Sales refuses handovers: withdrawn, accepted in the end")
    for _ in range(3):
        story.centre.call("accepted")
    story.passes(minutes=6)
    story.expect_update("✅", "Billing refuses handovers: 2, resolved")
    story.expect_nothing_else()
    story.close()


def test_the_summary_of_what_was_accepted_in_the_end_never_comes(tmp_path: Path) -> None:
    """All of it was, before the summary went out."""
    story = first_start(tmp_path)
    story.client.down = True
    calls = story.fails(2, at=story.clock.now())
    story.passes(8)
    for call in calls:
        story.centre.accept_late(call)
    story.passes(minutes=3)
    story.client.down = False
    story.passes(minutes=1)
    assert story.ledger().withdrawn == 2
    story.expect_nothing_else()
    story.close()
