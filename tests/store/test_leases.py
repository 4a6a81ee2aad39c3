"""Leases: one at a time, by token, paced by channel."""

from __future__ import annotations

import concurrent.futures
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from bot.store import deliveries, leases, pacing
from bot.store.engine import writing
from bot.store.leases import Lease

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _owe(engine: Engine, key: str, channel: str = "C1") -> bool:
    with writing(engine) as connection:
        return deliveries.add(connection, "t", key=key, kind=deliveries.LINE, channel=channel, now=NOW, text=key)


def _lease(engine: Engine, now: datetime = NOW) -> Lease | None:
    with writing(engine) as connection:
        return leases.lease(connection, "t", now, 15)


def test_a_delivery_is_owed_once(engine: Engine) -> None:
    """The key is unique."""
    assert _owe(engine, "a")
    assert not _owe(engine, "a")


def test_one_lease_and_one_post_a_second_and_channel(engine: Engine) -> None:
    """A second delivery of the channel waits for its second; another channel does not."""
    _owe(engine, "a")
    _owe(engine, "b")
    _owe(engine, "c", channel="C2")
    first, second = _lease(engine), _lease(engine)
    assert first is not None
    assert second is not None
    assert (first.row.key, second.row.key) == ("a", "c")
    assert _lease(engine) is None
    third = _lease(engine, NOW + SECOND)
    assert third is not None
    assert third.row.key == "b"


def test_many_take_each_delivery_once(engine: Engine) -> None:
    """Sixty deliveries and eight takers: sixty leases."""
    for number in range(60):
        _owe(engine, f"d{number}", channel=f"C{number}")

    def taker(_: int) -> list[str]:
        taken = []
        while (one := _lease(engine)) is not None:
            taken.append(one.row.key)
        return taken

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        keys = [key for found in pool.map(taker, range(8)) for key in found]
    assert sorted(keys) == sorted({f"d{number}" for number in range(60)})


def test_a_lease_that_ended_is_looked_for(engine: Engine) -> None:
    """What is found in `sending` may have reached Slack; the old token has no say any more."""
    _owe(engine, "a")
    lost = _lease(engine)
    assert lost is not None
    assert not lost.look
    assert _lease(engine, NOW + 14 * SECOND) is None
    taken = _lease(engine, NOW + 15 * SECOND)
    assert taken is not None
    assert taken.look
    assert taken.row.sending_since == NOW
    with writing(engine) as connection:
        assert not leases.sent(connection, lost, "1.0", NOW)
        assert not leases.again(connection, lost, NOW, "late")
        assert leases.sent(connection, taken, "1.0", NOW)
    assert _lease(engine, NOW + timedelta(hours=1)) is None


def test_a_429_holds_its_channel_alone(engine: Engine) -> None:
    """Another channel goes on."""
    _owe(engine, "a")
    _owe(engine, "b", channel="C2")
    with writing(engine) as connection:
        pacing.hold(connection, "", "C1", NOW + 30 * SECOND)
    one = _lease(engine)
    assert one is not None
    assert one.row.key == "b"
    with writing(engine) as connection:
        assert leases.sent(connection, one, "1.0", NOW)
    assert _lease(engine, NOW + 29 * SECOND) is None
    assert _lease(engine, NOW + 30 * SECOND) is not None


def test_a_shorter_hold_ends_no_longer_one(engine: Engine) -> None:
    """Two answers of 429 cross: the channel waits for the later end."""
    _owe(engine, "a")
    with writing(engine) as connection:
        pacing.hold(connection, "", "C1", NOW + 30 * SECOND)
        pacing.hold(connection, "", "C1", NOW + 5 * SECOND)
    assert _lease(engine, NOW + 29 * SECOND) is None
    assert _lease(engine, NOW + 30 * SECOND) is not None


def test_a_refused_token_holds_everything(engine: Engine) -> None:
    """The workspace's budget is asked beside the channel's."""
    _owe(engine, "a")
    with writing(engine) as connection:
        pacing.hold(connection, "", deliveries.WORKSPACE, NOW + 30 * SECOND)
    assert _lease(engine) is None
    assert _lease(engine, NOW + 30 * SECOND) is not None
