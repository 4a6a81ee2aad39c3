"""What happened when, and how lengths are said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.diagnosis.order import seconds
from bot.diagnosis.outcomes import Outcome
from tests.corpus.story import accepted, ana, asks, call, event, joined, left, leg, refused
from tests.diagnosis.told import diagnosed


def test_a_caller_whose_call_goes_on_with_a_new_leg_has_not_left() -> None:
    """The first leg ended when the call was passed on; the agent who comes then answers it."""
    legs = (leg("p-caller-2", "customer", "", 5, identity="+15550199888"), ana(20))
    found = diagnosed(call(asks("u-ana"), joined("p-ana", 20), legs=legs, gone=5, over=None))
    assert (found.outcome, found.ended_at) == (Outcome.ACCEPTED, None)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (0, "0 s"),
        (1.24, "1.2 s"),
        (40.4, "40 s"),
        (119, "119 s"),
        (195, "3 min 15 s"),
        (540, "9 min"),
        (545, "9 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
    ],
)
def test_lengths_as_people_say_them(length: float, said: str) -> None:
    """Tenths where they matter, no seconds where they do not."""
    assert seconds(timedelta(seconds=length)) == said


def test_untimed_and_newest_first() -> None:
    """An end before the first request can only be written backwards."""
    told = [event("conversationEnded", None), accepted(None), asks("q-b", None), refused("busy", None), asks(t=None)]
    found = diagnosed(call(*told, gone=None, over=None, endTime="2026-03-02T14:05:00Z"))
    assert [each.to_id for each in found.attempts] == ["q-billing", "q-b"]
    assert [each.outcome for each in found.attempts] == [Outcome.REJECTED, Outcome.ACCEPTED]


def test_a_whole_second_is_not_before_a_fraction_of_it() -> None:
    """One stamp has no fraction: who of the two left first is unknown."""
    assert diagnosed(call(asks(), left("p-bot", 2.5), gone=2, over=3)).outcome is Outcome.UNKNOWN
    assert diagnosed(call(asks(), left("p-bot", 2.5), gone=2.1, over=3)).outcome is Outcome.ABANDONED
