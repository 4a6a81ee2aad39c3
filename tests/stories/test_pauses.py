"""A channel that takes nothing for a while: what fails meanwhile, and what is there once it takes messages again."""

from __future__ import annotations

from pathlib import Path

from bot.alerting import Alerting, Options
from bot.alerts import muting
from bot.alerts.record import scene
from bot.store import pacing, subscriptions
from bot.store.engine import reading, writing
from tests.stories.story import Story
from tests.stories.world import ALERTS, OPS


def _archived(story: Story) -> list[str]:
    story.slack.archive(ALERTS)
    calls = story.fails()
    story.passes(10)
    story.expect_message("is_archived", channel=OPS)
    direct = next(each for each in story.slack.team.channels if each.startswith("D"))
    story.expect_message("paused", channel=direct)
    return calls


def _back(story: Story) -> None:
    story.slack.archive(ALERTS, archived=False)
    story.subscribe("min=1")
    story.passes(minutes=1)


def test_what_fails_during_a_pause_comes_after_it(eager: Story) -> None:
    """As was said: what waits is sent then."""
    calls = _archived(eager)
    more = eager.fails(3, target="q-sales")
    eager.passes(minutes=5)
    assert eager.ledger().waiting == 4
    _back(eager)
    eager.expect_message("Billing refuses handovers: 1 failed")
    eager.expect_reply(calls)
    eager.expect_message("Sales refuses handovers: 3 failed")
    eager.expect_reply(more)


def test_a_day_later_it_is_given_up_and_counted(eager: Story) -> None:
    """And what fails then is owed to nobody: the list says that the subscription is paused."""
    _archived(eager)
    eager.fails(3, target="q-sales")
    eager.passes(minutes=1)
    eager.clock.advance(hours=24)
    eager.poll()
    assert eager.ledger().dead == 4
    eager.passes(minutes=1)
    eager.expect_message("messages for <#C0ALERTS> were given up after a day", channel=OPS)
    eager.fails(2, reason="QUEUE_FULL")
    eager.passes(minutes=2)
    assert eager.ledger().detected == 4


def test_a_message_is_brought_up_to_date_after_a_day(eager: Story) -> None:
    """Its group was resolved while the channel was closed, and its edit given up."""
    calls = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.fails(target="q-sales")
    eager.slack.archive(ALERTS)
    eager.passes(10)
    for _ in range(3):
        eager.centre.call("accepted")
    eager.passes(minutes=6)
    eager.clock.advance(hours=24)
    eager.passes(minutes=2)
    _back(eager)
    eager.expect_update("✅", "Resolved at")
    eager._news.clear()  # what was said of the pause


def test_a_start_resumes_what_was_paused_and_revives_nothing_else(tmp_path: Path) -> None:
    """What somebody had ended stays ended."""
    story = Story(tmp_path, subscribe=None)

    def start() -> None:
        options = Options(alert_channel=ALERTS, alert_filter="min=1", ops_channel=OPS)
        Alerting(
            platform=story.centre,
            client=story.client,
            engine=story.engine,
            clock=story.clock,
            hash_key="key",
            options=options,
        ).prepare()

    start()
    now = story.clock.now()
    with writing(story.engine) as connection:
        muting.unsubscribe(connection, scene(connection, "demo", story.rules, now), ALERTS, now)
        subscriptions.subscribe(connection, "demo", ALERTS, "fault=flow", author="U0SAM", now=now)
        subscriptions.pause(connection, "demo", ALERTS, now, "is_archived")
        pacing.pause(connection, "demo", ALERTS, now, "is_archived")
    start()
    with reading(story.engine) as connection:
        rows = subscriptions.listed(connection, "demo")
        assert [(row.filters, row.paused_at) for row in rows] == [("fault=flow", None)]
        assert not pacing.paused(connection, "demo", now)
    story.close()


def test_an_invitation_that_nobody_heard_of(tmp_path: Path) -> None:
    """The bot was down when it came: where it is a member again, what waits goes on at its start."""
    story = Story(tmp_path, subscribe=None)
    now = story.clock.now()
    closed = story.slack.add_channel("closed", member=False)
    with writing(story.engine) as connection:
        for channel in (ALERTS, closed):
            subscriptions.subscribe(connection, "demo", channel, "min=1", author="U0SAM", now=now)
            subscriptions.pause(connection, "demo", channel, now, "not_in_channel")
            pacing.pause(connection, "demo", channel, now, "not_in_channel")
    story.client.script("conversations.info", ["500"])
    bot = Alerting(
        platform=story.centre,
        client=story.client,
        engine=story.engine,
        clock=story.clock,
        hash_key="key",
        options=Options(alert_channel=OPS, alert_filter="min=1", ops_channel=OPS),
    )
    bot.prepare()
    with reading(story.engine) as connection:
        assert closed in {row.key for row in pacing.paused(connection, "demo", now)}
    bot._prepare()
    with reading(story.engine) as connection:
        assert [row.key for row in pacing.paused(connection, "demo", now)] == [closed]
        paused = {row.channel: row.paused_at is not None for row in subscriptions.listed(connection, "demo")}
    assert (paused[ALERTS], paused[closed]) == (False, True)
    story.close()
