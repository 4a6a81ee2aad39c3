"""What stories are made of: the legs by their short names, and the passages that most calls share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.demo import cast
from bot.demo.story import EMPTY, Leg, Step, Story, What

CALLER = Leg("customer", "")
BOT = Leg("bot", cast.BOT_NAME)
BILLING = Leg("queue", "Billing", "queue", cast.BILLING)
OVERFLOW = Leg("queue", "Overflow", "queue", cast.OVERFLOW)
RETIRED = Leg("queue", "Retail (old)", "queue", cast.RETIRED)
ANNA = Leg("agent", "Anna Agent", "user", cast.ANNA)
CARLA = Leg("agent", "Carla Break", "user", cast.CARLA)
SUPERVISOR = Leg("agent", "Sam Supervisor", "user", cast.SUPERVISOR)
FLOW = Leg("flow", "Handover to agent", "flow", cast.FLOW)
DEAF = Leg("flow", "Survey", "flow", cast.DEAF_FLOW)

LEGS: Mapping[str, Leg] = {
    "caller": CALLER,
    "bot": BOT,
    "billing": BILLING,
    "overflow": OVERFLOW,
    "retired": RETIRED,
    "anna": ANNA,
    "carla": CARLA,
    "supervisor": SUPERVISOR,
    "flow": FLOW,
    "deaf": DEAF,
}


def begin(talk: float = 60.0) -> tuple[Step, ...]:
    """The caller rings, the bot answers, and they talk for `talk` seconds."""
    return (
        Step(gap=0, what=What.JOINS, who="caller"),
        Step(gap=0.8, what=What.JOINS, who="bot"),
        Step(
            gap=talk - 0.8, what=What.RAW, who="bot", extra={"type": "botIntentRecognised", "intent": "speak_to_agent"}
        ),
    )


def asks(to: str, gap: float = 0.2, extra: Mapping[str, Any] = EMPTY, without: tuple[str, ...] = ()) -> Step:
    """The bot asks for a handover."""
    return Step(gap=gap, what=What.ASKS, who="bot", to=to, extra=extra, without=without)


def refused(reason: object, gap: float = 1.2, **extra: Any) -> Step:
    """The platform says no."""
    return Step(gap=gap, what=What.REFUSES, least=gap, extra={"reason": reason, **extra})


def answered(by: str, talk: float = 180.0, gap: float = 6.0) -> tuple[Step, ...]:
    """An agent is rung, answers, talks, and the caller hangs up."""
    return (
        Step(gap=1.0, what=What.RINGS, who=by),
        Step(gap=gap, what=What.JOINS, who=by),
        Step(gap=0.3, what=What.LEAVES, who="bot"),
        *over(talk),
    )


def over(after: float = 28.0, least: float = 1.0) -> tuple[Step, ...]:
    """The caller hangs up, and with that the call is over."""
    return (
        Step(gap=after, what=What.LEAVES, who="caller", least=least),
        Step(gap=0.2, what=What.ENDS),
    )


def tell(*steps: Step | tuple[Step, ...], **how: Any) -> Story:
    """Steps in a row as a story, with the legs that they name."""
    row: list[Step] = []
    for step in steps:
        row.extend([step] if isinstance(step, Step) else step)
    named = {name.removeprefix("leg:") for step in row for name in (step.who, step.to)}
    return Story(legs={key: leg for key, leg in LEGS.items() if key in named}, steps=tuple(row), **how)


def rejected(reason: object, to: str = "billing", **extra: Any) -> Story:
    """A request, a refusal, and the caller gives up."""
    return tell(begin(), asks(to), refused(reason, **extra), over())


def queued(gap: float = 0.9) -> Step:
    """The call stands in Billing's queue."""
    return Step(gap=gap, what=What.QUEUES, who="billing", least=gap)


def taken(gap: float = 0.7) -> Step:
    """The platform says that it took the transfer."""
    return Step(gap=gap, what=What.ACCEPTS)


def silence(to: str, seconds: float = 40.0, **how: Any) -> Story:
    """A request, then nothing, until the caller hangs up."""
    return tell(begin(), asks(to, **how), over(seconds, least=8.0))
