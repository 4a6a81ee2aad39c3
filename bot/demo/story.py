"""What happens in one simulated call, told without any platform's words.

A `Story` has legs (who takes part) and steps (what happens, how long after the step before). `schedule` gives every
step its second, faster where the world runs faster; a step's `least` keeps the gaps that a judgement rests on, so that
a silence of 40 s stays a silence at any speed. Which document a platform makes of it is that platform's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

EMPTY: Mapping[str, Any] = MappingProxyType({})


def _empty() -> Mapping[str, Any]:
    return EMPTY


class What(StrEnum):
    """What a step can be."""

    JOINS = "joins"  # a leg is in the call
    ASKS = "asks"  # the bot, or an agent, asks for a handover
    REFUSES = "refuses"  # the platform refuses the last one
    ACCEPTS = "accepts"  # the platform takes the last one
    QUEUES = "queues"  # the call stands in a queue
    RINGS = "rings"  # an agent is offered the call
    DECLINES = "declines"  # and does not take it
    STATE = "state"  # a leg changes its state
    LEAVES = "leaves"  # a leg hangs up
    ENDS = "ends"  # the call is over
    RAW = "raw"  # an event of the platform that says nothing to us, as given in `extra`


@dataclass(frozen=True, slots=True)
class Leg:
    """Somebody who takes part. `target` is the id of the user, queue or flow behind it."""

    purpose: str
    name: str = ""
    kind: str = ""  # user, queue, flow
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens, `gap` seconds after the one before; at any speed at least `least` seconds after it."""

    gap: float
    what: What
    who: str = ""  # key of a leg
    to: str = ""  # key of a leg, or any id
    least: float = 0.4
    after_request: float | None = None  # told late: it bears the time so many seconds after the last request
    extra: Mapping[str, Any] = field(default_factory=_empty)  # over the event as rendered
    without: tuple[str, ...] = ()  # fields of the event left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole call, from the first ring to the end."""

    legs: Mapping[str, Leg]
    steps: tuple[Step, ...]
    outbound: bool = False
    present: int = 0  # played as it stands after so many steps; 0: when it is over
    age: float = 30.0  # and so many seconds after that step


def schedule(story: Story, speed: float = 1.0) -> tuple[float, ...]:
    """Seconds from the start of the call to each step, in a world that runs `speed` times as fast."""
    times: list[float] = []
    at = 0.0
    for step in story.steps:
        at += max(step.gap / speed, min(step.gap, step.least))
        times.append(round(at, 3))
    return tuple(times)
