"""What is kept, for how long, and what is forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot import phone
from bot.store import purge
from bot.store.engine import StoreError, reading, writing
from bot.store.tables import alerts, cases, conversations, deliveries, groups, metadata, numbers
from tests.stories.story import Story


def _count(story: Story, name: str) -> int:
    with reading(story.engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(metadata.tables[name])) or 0)


def _purge(story: Story) -> bool:
    with writing(story.engine) as connection:
        return purge.purge(connection, "demo", story.clock.now())


def test_old_rows_go_and_what_waits_stays(eager: Story) -> None:
    """After 30 days what was sent is gone; what is still to be sent is not."""
    calls = eager.fails(3)
    eager.passes(minutes=2)
    eager.expect_message("3 failed")
    eager.expect_reply(calls)
    eager.client.down = True
    waiting = eager.fails(2, target="q-sales")
    eager.passes(10)
    eager.clock.advance(hours=24 * 31)
    eager.centre.documents = {key: eager.centre.documents[key] for key in waiting}
    assert _count(eager, "alerts") == 5
    while _purge(eager):
        eager.check()
    assert _count(eager, "alerts") == 2
    eager.check()
    assert eager.ledger().waiting == 2
    assert _count(eager, "conversations") <= 2
    eager.client.down = False
    eager.deliver()
    eager.passes(5, poll_every=1000)
    eager.expect_message("Sales refuses handovers: 2 failed")
    eager.expect_reply(waiting)
    eager.expect_message("Slack is back", channel="C0VOICEBOT")
    eager.passes(5, poll_every=1000)
    eager._news.clear()


def test_a_transaction_deletes_so_much_and_no_more(eager: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of many alerts goes in parts, and the ledger balances between them."""
    monkeypatch.setattr(purge, "MOST_AT_ONCE", 10)
    eager.fails(35)
    eager.passes(minutes=2)
    eager.clock.advance(hours=24 * 31)
    eager.centre.documents.clear()
    eager._look()
    eager._news.clear()
    counts = {name: _count(eager, name) for name in ("alerts", "conversations", "handovers", "numbers")}
    assert set(counts.values()) == {35}
    rounds = 0
    while _purge(eager):
        rounds += 1
        eager.check()
        before, counts = counts, {name: _count(eager, name) for name in counts}
        assert all(before[name] - counts[name] <= 10 for name in counts)
    assert rounds >= 4
    assert not any(_count(eager, name) for name in ("alerts", "cases", "groups", "threads", "deliveries", "numbers"))


def test_a_number_is_forgotten(eager: Story) -> None:
    """Its hash and its last digits go; the alert stays."""
    (call,) = eager.fails()
    eager.passes(10)
    eager.expect_message("1 failed")
    eager.expect_reply([call])
    number = eager.centre.documents[call]["participants"][0]["identity"]
    with writing(eager.engine) as connection:
        assert purge.forget(connection, "demo", phone.hashed(number, "key"), phone.mask(number))[:2] == (1, 1)
        assert connection.execute(select(numbers)).all() == []
        assert connection.scalar(select(alerts.c.phone)) == ""
        assert connection.scalar(select(conversations.c.phone)) == ""
    # The look that lets the call settle does not bring it back.
    eager.passes(90)
    with reading(eager.engine) as connection:
        assert connection.scalar(select(conversations.c.looks)) == 2
        assert connection.execute(select(numbers)).all() == []
        assert connection.scalar(select(conversations.c.phone)) == ""
        assert connection.scalar(select(alerts.c.phone)) == ""
    eager.check()


def test_no_number_is_in_the_database(eager: Story, tmp_path: Path) -> None:
    """Neither the number nor more than its last four digits stand in any file."""
    calls = eager.fails(3)
    eager.passes(10)
    eager.expect_message()
    eager.expect_reply(calls)
    written = b"".join(path.read_bytes() for path in tmp_path.glob("world-*"))
    assert calls[0].encode() in written
    assert b"555020" not in written


def test_a_changed_key_loses_no_alert(eager: Story) -> None:
    """What waited under the old key is sent under the new one."""
    eager.client.down = True
    calls = eager.fails(2)
    eager.passes(5)
    eager.watcher.hash_key = "another key"
    eager.client.down = False
    eager.passes(20)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)


def test_a_full_database_skips_nothing(eager: Story) -> None:
    """While nothing can be written the cursor stays; afterwards all is found."""
    calls = eager.fails(2)
    with reading(eager.engine) as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="read-only"):
        eager.watcher.poll()
    with reading(eager.engine) as connection:
        connection.exec_driver_sql("PRAGMA query_only = OFF")
    eager.passes(10)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)


def test_a_line_that_lost_its_delivery_is_missed(eager: Story) -> None:
    """The ledger counts what is owed apart from what is there: a lost delivery shows."""
    calls = eager.fails(2)
    eager.passes(10)
    eager.expect_message("2 failed")
    eager.expect_reply(calls)
    with writing(eager.engine) as connection:
        connection.execute(deliveries.delete().where(deliveries.c.kind == "reply"))
    assert not eager.ledger().balanced
    with writing(eager.engine) as connection:
        connection.execute(cases.delete())
        connection.execute(alerts.delete())
        connection.execute(groups.update().values(opened_at=eager.clock.now() - timedelta(days=1)))
    assert eager.ledger().balanced
