"""How fast a tenant may be asked."""

from __future__ import annotations

import itertools

import pytest

from bot.cxone.deadline import Deadline
from bot.cxone.rate import Rate
from tests.clock import HandClock


def times_of(rate: Rate, clock: HandClock, many: int, priority: str = "person") -> list[float]:
    """When so many requests were granted, one after the other."""
    granted = []
    for _ in range(many):
        assert rate.take(priority, Deadline(clock, 1000))  # type: ignore[arg-type]
        granted.append(clock.monotonic())
    return granted


def test_without_a_limit_nobody_waits(clock: HandClock) -> None:
    """None is no limit."""
    times_of(Rate(clock), clock, 500)
    assert clock.slept == []


@pytest.mark.parametrize("rps", [1, 2.5, 5, 20, 0.5])
def test_no_second_holds_more_than_allowed(clock: HandClock, rps: float) -> None:
    """Bursts included."""
    granted = times_of(Rate(clock, rps), clock, 60)
    slots = max(1, int(rps))
    for first, later in zip(granted, itertools.islice(granted, slots, None), strict=False):
        assert later - first >= slots / rps - 1e-6


def test_the_watcher_leaves_a_part_for_people(clock: HandClock) -> None:
    """However long it asks, a person's request goes out at once."""
    rate = Rate(clock, 10)
    times_of(rate, clock, 40, "watcher")
    waited = len(clock.slept)
    times_of(rate, clock, 3)
    assert len(clock.slept) == waited


def test_the_watcher_still_gets_on_at_one_request_a_second(clock: HandClock) -> None:
    """The part for people is never the whole."""
    assert len(times_of(Rate(clock, 1), clock, 5, "watcher")) == 5


def test_a_turn_after_the_deadline_is_not_waited_for(clock: HandClock) -> None:
    """A person is told instead."""
    rate = Rate(clock, 0.1)
    assert rate.take("person", Deadline(clock, 5))
    assert not rate.take("person", Deadline(clock, 5))
    assert clock.slept == []


def test_a_wait_notices_soon_that_its_deadline_was_closed(clock: HandClock) -> None:
    """The bot stops, and whoever waits for a turn is still to be answered."""
    rate, deadline = Rate(clock), Deadline(clock, 20)
    rate.refused(15)
    before, sleep = clock.monotonic(), clock.sleep

    def closed_meanwhile(seconds: float) -> None:
        deadline.close()
        sleep(seconds)

    clock.sleep = closed_meanwhile  # type: ignore[method-assign]
    assert not rate.take("person", deadline)
    assert clock.monotonic() - before <= 1


def test_a_429_stops_everybody_for_as_long_as_it_says(clock: HandClock) -> None:
    """It is about the account, not about one call."""
    rate = Rate(clock)
    rate.refused(4)
    before = clock.monotonic()
    times_of(rate, clock, 1, "watcher")
    assert clock.monotonic() - before >= 4


def test_a_429_teaches_a_limit_for_ten_minutes(clock: HandClock) -> None:
    """A fifth less than what was too much."""
    rate = Rate(clock)
    times_of(rate, clock, 50)
    rate.refused(1)
    assert rate.limit() == 40
    clock.advance(602)
    assert rate.limit() is None
