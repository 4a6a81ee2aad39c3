"""What could break the promise, one story each: neither lost, nor doubled, nor told to who did not ask for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.alerts import muting
from bot.alerts.record import scene
from bot.demo.state import BOT_USER
from bot.slack.notifier import Notifier
from bot.store import deliveries, facts, purge
from bot.store.engine import reading, writing
from bot.store.tables import deliveries as rows
from tests.stories.story import Story
from tests.stories.test_core import _resolve
from tests.stories.world import ALERTS, OPS


def _told(story: Story, calls: list[str], words: str = "1 failed") -> dict[str, Any]:
    story.passes(10)
    message = story.expect_message(words)
    story.expect_reply(calls)
    return message


# ---- what waits while Slack is out --------------------------------------------------------------------------------


def test_unsubscribed_while_slack_is_out(eager: Story) -> None:
    """A message that was tried in vain is not sent to a channel that unsubscribed meanwhile, nor is its reply."""
    _told(eager, eager.fails())
    eager.client.script("chat.postMessage", ["refuse"] * 3)
    eager.fails()
    eager.fails(target="q-sales")
    eager.passes(5)
    eager.unsubscribe()
    eager.check()
    eager.passes(minutes=7)
    eager.expect_update("2 failed")
    assert eager.ledger().unsubscribed == 2


def test_one_of_two_subscriptions_ends_while_slack_is_out(eager: Story) -> None:
    """What the other subscription of the channel still wants goes out."""
    eager.subscribe("target=Sales min=1")
    eager.client.script("chat.postMessage", ["refuse"] * 2)
    eager.fails()
    calls = eager.fails(target="q-sales")
    eager.passes(1)
    with writing(eager.engine) as connection:
        here = scene(connection, "demo", eager.rules, eager.clock.now())
        muting.unsubscribe(connection, here, ALERTS, eager.clock.now(), "min=1")
    eager.passes(20)
    eager.expect_message("Sales refuses handovers: 1 failed")
    eager.expect_reply(calls)
    assert eager.ledger().unsubscribed == 1


def test_muted_while_slack_is_out(eager: Story) -> None:
    """A message that was tried in vain is held by a mute, and comes when the mute ends."""
    eager.client.script("chat.postMessage", ["refuse"] * 2)
    calls = eager.fails()
    eager.passes(2)
    eager.mute(hours=0.2)
    eager.slack_answers()
    eager.passes(minutes=10)
    eager.expect_nothing_else()
    assert eager.ledger().muted == 1
    eager.passes(minutes=3)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.expect_message("has ended")


def test_refused_once_and_then_muted(eager: Story) -> None:
    """Slack refused the token at a post that a mute took back: the next good answer ends it."""
    eager.client.script("chat.postMessage", ["error:invalid_auth"])
    eager.fails()
    eager.passes(2)
    eager.slack_answers()
    assert _slack_stopped(eager)  # the post is still to be tried again: that will tell
    eager.mute(hours=10)
    eager.slack_answers()
    assert not _slack_stopped(eager)
    eager.passes(minutes=2)


def test_a_good_answer_says_nothing_of_posts_that_fail(eager: Story) -> None:
    """`auth.test` answers while posts do not: the outage goes on, and its end is said."""
    eager.client.script("chat.postMessage", ["refuse"] * 60)
    calls = eager.fails()
    for _ in range(14):
        eager.passes(30)
        eager.slack_answers()
    eager.client.scripts.clear()
    eager.passes(minutes=2)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager.expect_message("Slack is back", channel=OPS)


def test_history_that_can_be_read_again(eager: Story) -> None:
    """A look-up that succeeds takes back that the scope is missing."""
    with writing(eager.engine) as connection:
        facts.note(connection, "demo", facts.NO_HISTORY, eager.clock.now())
    eager.client.script("chat.postMessage", ["accept_then_drop"])
    calls = eager.fails()
    eager.passes(30)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    with reading(eager.engine) as connection:
        assert facts.fact(connection, "demo", facts.NO_HISTORY) is None


def _slack_stopped(story: Story) -> bool:
    with reading(story.engine) as connection:
        return facts.fact(connection, "demo", facts.SLACK_STOPPED) is not None


def test_withdrawn_while_slack_is_out(eager: Story) -> None:
    """Accepted in the end before anybody was told: no message ever comes."""
    eager.client.script("chat.postMessage", ["refuse"] * 20)
    (call,) = eager.fails(at=eager.clock.now())
    eager.passes(10)
    eager.centre.accept_late(call)
    eager.passes(minutes=2, poll_every=10)
    eager.client.scripts.clear()
    eager.passes(minutes=2)
    assert eager.ledger().withdrawn == 1


def test_the_reminder_of_an_hour_is_muted(eager: Story) -> None:
    """A mute that began before the failures covers the reminder too."""
    calls = eager.fails()
    _told(eager, calls)
    _resolve(eager)
    eager.mute(hours=3)
    for _ in range(4):
        eager.fails()
        eager.passes(minutes=20, poll_every=60)
    eager.expect_update("🔴")


# ---- messages that die, or are deleted ----------------------------------------------------------------------------


def test_a_message_that_dies_takes_its_lines_along(eager: Story) -> None:
    """A code that nobody listed, four times: dead, said, and nothing waits for it for ever."""
    eager.client.script("chat.postMessage", ["error:who_knows"] * 4)
    eager.fails(2)
    eager.passes(minutes=2)
    eager.expect_message("could not be delivered (post): Slack answers who_knows", channel=OPS)
    assert eager.ledger().dead == 2
    with reading(eager.engine) as connection:
        assert deliveries.oldest_due(connection, "demo", eager.clock.now()) is None
    later = eager.fails()
    eager.passes(20)
    eager.expect_message("3 failed")
    eager.expect_reply(later)


def test_a_reply_is_looked_for_where_it_was_sent(eager: Story) -> None:
    """Its answer was lost and its message deleted: under the message posted anew it is not repeated."""
    message = _told(eager, eager.fails())
    eager.client.script("chat.postMessage", ["accept_then_drop"])
    eager.clock.advance(minutes=5)
    more = eager.fails()
    eager.client.script("chat.update", ["429:20", "error:message_not_found"])  # as if somebody had deleted it then
    eager.client.script("conversations.replies", ["429:40"])
    eager.passes(5)
    eager.expect_reply(more)
    eager.passes(minutes=2, poll_every=10)
    assert eager.expect_message("2 failed")["ts"] != message["ts"]
    assert set(eager.lines().values()) == {1}


def test_a_reply_waits_for_its_message_that_is_posted_anew(eager: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its lease and its sending another thread's edit found the message gone: the reply is not dropped."""
    message = _told(eager, eager.fails())
    eager.slack.remove(ALERTS, message["ts"])
    eager.clock.advance(minutes=6)
    more = eager.fails(2)
    eager.watcher.poll()
    with writing(eager.engine) as connection:
        connection.execute(rows.update().where(rows.c.kind == "reply", rows.c.state == "due").values(priority=0))
    send = Notifier._send

    def after_an_edit(self: Notifier, taken: Any) -> None:
        monkeypatch.setattr(Notifier, "_send", send)
        assert self.deliver_one()
        send(self, taken)

    monkeypatch.setattr(Notifier, "_send", after_an_edit)
    eager.notifier.deliver_one()
    eager.check()
    eager.passes(60)
    eager.expect_message("3 failed")
    eager.expect_reply(more)


def test_a_deleted_message_is_not_posted_anew_during_a_mute(eager: Story) -> None:
    """It comes back when the mute ends."""
    message = _told(eager, eager.fails())
    eager.mute(hours=0.1)
    eager.passes(10)
    eager.expect_update("Muted until")
    eager.slack.remove(ALERTS, message["ts"])
    more = eager.fails()
    eager.passes(minutes=1)
    eager.expect_nothing_else()
    eager.passes(minutes=6)
    eager.expect_message("2 failed")
    eager.expect_reply(more)
    eager.expect_message("has ended")


def test_a_line_to_a_person_is_not_looked_for(eager: Story) -> None:
    """Direct messages are not ours to read: the line is repeated, and the person's channel is not paused."""
    eager.slack.archive(ALERTS)
    eager.client.script("chat.postMessage", ["ok", "ok", "500", "500"])
    eager.fails()
    eager.passes(minutes=1)
    eager.expect_message("is_archived", channel=OPS)
    direct = next(each for each in eager.slack.team.channels if each.startswith("D"))
    eager.expect_message("paused", channel=direct)
    with reading(eager.engine) as connection:
        assert facts.fact(connection, "demo", facts.NO_HISTORY) is None
        assert [row.state for row in connection.execute(select(rows).where(rows.c.kind == "line"))] == ["sent"] * 2


# ---- channels -----------------------------------------------------------------------------------------------------


def test_a_renamed_channel_is_the_same(eager: Story) -> None:
    """Its id stays."""
    _told(eager, eager.fails())
    eager.slack.team.channels[ALERTS].name = "other-name"
    more = eager.fails()
    eager.passes(minutes=6)
    eager.expect_update("2 failed")
    eager.expect_reply(more)


@pytest.mark.parametrize(("private", "code"), [(False, "not_in_channel"), (True, "channel_not_found")])
def test_the_bot_is_removed(eager: Story, code: str, private: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The subscription pauses and its author is told; once the bot is back, what waited is sent."""
    eager.slack.team.channels[ALERTS].private = private
    eager.slack.kick(ALERTS)
    calls = eager.fails()
    eager.passes(20)
    eager.expect_message(code, channel=OPS)
    direct = next(each for each in eager.slack.team.channels if each.startswith("D"))
    eager.expect_message(code, channel=direct)
    eager.slack.team.channels[ALERTS].members.add(BOT_USER)
    eager.subscribe("min=1")
    eager.passes(20)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)


def test_a_429_delays_no_other_channel(eager: Story) -> None:
    """The other channel is told in the same second."""
    eager.slack.add_channel("other", id="C0OTHER")
    eager.subscribe("min=1", channel="C0OTHER")
    eager.client.script("chat.postMessage", ["429:60"])
    calls = eager.fails()
    eager.passes(5)
    eager.expect_message("1 failed", channel="C0OTHER")
    eager.expect_reply(calls, channel="C0OTHER")
    eager.expect_nothing_else()
    eager.passes(minutes=1)
    eager.expect_message("1 failed")
    eager.expect_reply(calls)


def test_twenty_causes_are_twenty_messages(eager: Story) -> None:
    """Each with its own line, at most one post a second."""
    for number in range(20):
        eager.centre.targets[f"q-{number}"] = {"id": f"q-{number}", "name": f"Queue {number}"}
        eager.fails(target=f"q-{number}")
    eager.passes(45)
    assert len(eager.roots()) == 20
    assert sorted(eager.lines().values()) == [1] * 20
    assert eager.client.too_fast == 0
    eager._news.clear()


# ---- what CXone lists ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-2, 2])
def test_clocks_that_differ(eager: Story, minutes: int) -> None:
    """Two minutes between CXone's clock and ours, either way: told once, and resolved."""
    skew = timedelta(minutes=minutes)
    calls = eager.fails(2, at=eager.clock.now() + skew)
    _told(eager, calls, "2 failed")
    eager.passes(minutes=6)
    for _ in range(3):
        eager.centre.call("accepted", at=eager.clock.now() + skew)
    eager.passes(minutes=8)
    eager.expect_update("✅")


def test_a_list_in_another_order_with_calls_twice(eager: Story) -> None:
    """Neither the order of a list nor a call that is in it twice changes anything."""
    calls = eager.fails(3)
    _told(eager, calls, "3 failed")
    listed = eager.centre.list

    def shuffled(*arguments: Any, **options: Any) -> Any:
        listing = listed(*arguments, **options)
        listing.rows[:] = [*reversed(listing.rows), *listing.rows]
        return listing

    eager.centre.list = shuffled  # type: ignore[method-assign]
    more = eager.fails(2)
    eager.passes(minutes=6)
    eager.expect_update("5 failed")
    eager.expect_reply(more)


def test_a_poll_that_fails_midway(eager: Story) -> None:
    """CXone goes away between the list and the details: nothing is skipped."""
    asked = eager.centre._ask

    def goes_away(what: str) -> None:
        asked(what)
        eager.centre.down = eager.centre.down or what.startswith("conv-")

    eager.centre._ask = goes_away  # type: ignore[method-assign]
    calls = eager.fails(4)
    eager.passes(1)
    eager.centre._ask = asked  # type: ignore[method-assign]
    eager.centre.down = False
    eager.passes(minutes=6)
    assert set(eager.lines()) == set(calls)
    assert set(eager.lines().values()) == {1}
    eager._news.clear()


def test_a_call_that_is_listed_after_its_row_was_purged(eager: Story) -> None:
    """It alerted once; a month later it is still listed, and says nothing."""
    _told(eager, eager.fails())
    eager.clock.advance(hours=24 * 31)
    eager.passes(minutes=2)
    with writing(eager.engine) as connection:
        while purge.purge(connection, "demo", eager.clock.now()):
            pass
        connection.exec_driver_sql("DELETE FROM conversations")
        connection.exec_driver_sql("DELETE FROM alerts")
        connection.exec_driver_sql("DELETE FROM cases")
        connection.exec_driver_sql("DELETE FROM groups")
    eager._look()
    eager._news.clear()
    eager.passes(minutes=2)


def test_an_acknowledgement_after_the_ending_undoes_nothing(eager: Story) -> None:
    """The group was resolved while the button was on somebody's screen."""
    _told(eager, eager.fails())
    _resolve(eager)
    with writing(eager.engine) as connection:
        here = scene(connection, "demo", eager.rules, eager.clock.now())
        assert muting.acknowledge(connection, here, 1, "U0SAM", eager.clock.now()) == "resolved"
    eager.passes(minutes=1)


@pytest.mark.long
def test_a_thousand_stale_targets(eager: Story) -> None:
    """A thousand ids that are no targets any more: fifty messages, and one that holds the rest."""
    for number in range(1_000):
        eager.fails(target=f"gone-{number}", reason="")
    eager.passes(minutes=4)
    assert len(eager.roots()) == 51
    assert eager.ledger().merged == 950
    assert eager.client.too_fast == 0
    eager._news.clear()


@pytest.mark.long
def test_cxone_out_for_an_hour(eager: Story) -> None:
    """500 failures while CXone cannot be asked: found once it is back, each with its line."""
    eager.passes(10)
    _cxone_out(eager, minutes=59)  # beyond an hour it is an absence, and told as one summary
    began = eager.clock.now()
    while sum(eager.lines().values()) < 500 and eager.clock.now() - began < timedelta(minutes=20):
        eager.passes(10)
    print(f"\nCXone out for 59 minutes: 500 failures told in {eager.clock.now() - began}")  # noqa: T201 - the proof
    assert len(eager.lines()) == 500
    assert set(eager.lines().values()) == {1}
    assert eager.client.too_fast == 0
    eager._news.clear()


@pytest.mark.long
def test_cxone_out_for_more_than_an_hour(eager: Story) -> None:
    """What is found then is one summary with the right count, as after any absence."""
    eager.passes(10)
    _cxone_out(eager, minutes=65)
    eager.passes(minutes=1, poll_every=10)
    eager.expect_message("CXone has been out of reach", channel="C0VOICEBOT")
    eager.expect_message("CXone is back", channel="C0VOICEBOT")
    eager.expect_message("Found on arrival: 500 failed handovers, 2 causes")


def _cxone_out(story: Story, *, minutes: int) -> None:
    """CXone down for so long, while 500 handovers to two queues fail."""
    story.centre.down = True
    for part in range(10):
        story.fails(25)
        story.fails(25, target="q-sales")
        story.passes(minutes=minutes // 10 if part < 9 else minutes - 9 * (minutes // 10), poll_every=60)
    story.centre.down = False


def test_a_look_reads_what_was_written_then(eager: Story) -> None:
    """Not what people wrote in the hours since: a busy channel would never be read to its end."""
    calls = eager.fails(1)
    eager.client.script("chat.postMessage", ["accept_then_drop"])
    eager.passes(2)
    eager.client.down = True
    for _ in range(60):
        eager.clock.advance(minutes=1)
        for _ in range(100):
            eager.slack.say("is anybody there?", channel="C0ALERTS")
    eager.client.down = False
    eager.passes(minutes=3)
    looks = [each for each in eager.slack.calls if each.method == "conversations.history"]
    assert 1 <= len(looks) <= 4
    eager.expect_message("1 failed")
    eager.expect_reply(calls)
    eager._news.clear()
