"""The named scenarios: every outcome, and every incident that one conversation can show.

Each is a story with a line that says what it shows. Broken and hostile documents are in `oddities.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bot.demo import cast
from bot.demo.parts import answered, asks, begin, over, queued, refused, rejected, silence, taken, tell
from bot.demo.story import Step, Story, What


class Scenario(NamedTuple):
    """A story and what it shows, in a line."""

    about: str
    story: Story


TAKEN: dict[str, Scenario] = {
    "accepted_agent": Scenario(
        "an agent was asked for and answered",
        tell(begin(), asks("anna"), answered("anna", gap=3.0)),
    ),
    "accepted_queue": Scenario(
        "Billing queued the call, and an agent answered",
        tell(begin(), asks("billing"), queued(), answered("anna")),
    ),
    "accepted_event": Scenario(
        "CXone said sessionTransferAccepted, then an agent answered",
        tell(begin(), asks("billing"), taken(), queued(), answered("anna")),
    ),
    "accepted_joined": Scenario(
        "the only sign of acceptance is participantJoined of the target",
        tell(begin(), asks("leg:anna"), Step(gap=2.0, what=What.JOINS, who="anna"), over(120)),
    ),
    "accepted_connected": Scenario(
        "the same as participantConnected",
        tell(
            begin(),
            asks("anna"),
            Step(gap=2.0, what=What.JOINS, who="anna", extra={"type": "participantConnected"}),
            over(120),
        ),
    ),
    "accepted_state": Scenario(
        "the only sign of acceptance is stateChanged to connected",
        tell(begin(), asks("anna"), Step(gap=2.0, what=What.STATE, who="anna"), over(120)),
    ),
    "accepted_flow": Scenario(
        "the Studio flow took the transfer and passed it to Billing, where an agent answered",
        tell(begin(), asks("flow"), taken(), queued(), answered("anna")),
    ),
    "accepted_no_context": Scenario(
        "accepted, but no Cognigy session came along",
        tell(begin(), asks("billing", extra={"properties": {}}), taken(), queued(), answered("anna")),
    ),
    "accepted_late": Scenario(
        "the acceptance is told 2 min after the call ended",
        tell(
            begin(),
            asks("billing"),
            over(80, least=8.0),
            Step(gap=120, what=What.ACCEPTS, after_request=0.7),
            Step(gap=0.1, what=What.JOINS, who="anna", after_request=4.0),
        ),
    ),
    "supervisor": Scenario(
        "Anna was asked for, a supervisor took it",
        tell(begin(), asks("anna"), answered("supervisor")),
    ),
    "duplicate": Scenario(
        "the request was sent twice; the first was accepted, the second refused",
        tell(
            begin(),
            asks("billing"),
            taken(),
            asks("billing", gap=0.4),
            refused("409 Conflict: session already transferred", gap=0.5, code="409"),
            queued(),
            answered("anna"),
        ),
    ),
    "fallback_queue": Scenario(
        "Billing refused, Overflow took it 14 s later",
        tell(
            begin(),
            asks("billing"),
            refused("NO_AGENTS_AVAILABLE"),
            asks("overflow", gap=12.8),
            taken(),
            answered("anna"),
        ),
    ),
    "agent_declined": Scenario(
        "Anna was rung and declined; the supervisor answered",
        tell(
            begin(),
            asks("billing"),
            queued(),
            Step(gap=2.0, what=What.RINGS, who="anna"),
            Step(gap=20.0, what=What.DECLINES, who="anna"),
            answered("supervisor"),
        ),
    ),
    "agent_transfer": Scenario(
        "accepted; later the agent passed the call on by hand",
        tell(
            begin(),
            asks("billing"),
            taken(),
            Step(gap=4.0, what=What.JOINS, who="anna"),
            Step(gap=60.0, what=What.ASKS, who="anna", to="supervisor"),
            Step(gap=5.0, what=What.JOINS, who="supervisor"),
            over(60),
        ),
    ),
}

OPEN: dict[str, Scenario] = {
    "waiting": Scenario(
        "in Billing's queue for 3 min, and live",
        tell(begin(), asks("billing"), taken(), queued(), answered("anna", gap=300.0), present=6, age=180.0),
    ),
    "ringing": Scenario(
        "an agent is being rung right now",
        tell(begin(), asks("billing"), queued(), answered("anna"), present=6, age=5.0),
    ),
    "pending": Scenario(
        "asked for 10 s ago, nothing yet",
        tell(begin(), asks("billing"), queued(20.0), answered("anna"), present=4, age=10.0),
    ),
    "bot_talking": Scenario(
        "the bot is still talking with the caller",
        tell(begin(), asks("billing"), queued(), answered("anna"), present=3, age=5.0),
    ),
}

REASONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "rejected": ("NO_AGENTS_AVAILABLE", {}),
    "rejected_queue_full": ("QUEUE_FULL", {}),
    "rejected_closed": ("QUEUE_CLOSED: outside hours of operation", {}),
    "rejected_503": ("503 Service Unavailable", {}),
    "rejected_500_code": ("internal error", {"code": 500}),
    "rejected_429": ("HTTP 429 Too Many Requests", {}),
    "rejected_timeout": ("timeout after 400 ms", {}),
    "rejected_unknown": ("E-7731 refused by policy", {}),
    "rejected_no_reason": (None, {}),
    "rejected_object": ({"code": "QUEUE_FULL", "message": "limit of 20 calls"}, {}),
}

FAILED: dict[str, Scenario] = {
    "unanswered": Scenario(
        "Billing queued the call, nobody came, the caller left after 9 min",
        tell(begin(), asks("billing"), taken(), queued(), over(540, least=8.0)),
    ),
    "unanswered_ringing": Scenario(
        "Anna was rung for 30 s and never answered",
        tell(begin(), asks("anna"), Step(gap=1.0, what=What.RINGS, who="anna"), over(30, least=8.0)),
    ),
    "unanswered_declined": Scenario(
        "Anna declined, nobody else came, the caller left",
        tell(
            begin(),
            asks("billing"),
            queued(),
            Step(gap=2.0, what=What.RINGS, who="anna"),
            Step(gap=20.0, what=What.DECLINES, who="anna"),
            over(90, least=8.0),
        ),
    ),
    **{
        name: Scenario(f"Billing refused: {reason}", rejected(reason, **extra))
        for name, (reason, extra) in REASONS.items()
    },
    "rejected_agent": Scenario("Carla is on a break and was refused", rejected("AGENT_NOT_AVAILABLE", to="carla")),
    "rejected_twice": Scenario(
        "Billing refused, Overflow refused too",
        tell(
            begin(),
            asks("billing"),
            refused("NO_AGENTS_AVAILABLE"),
            asks("overflow", gap=5.0),
            refused("QUEUE_FULL"),
            over(),
        ),
    ),
    "forbidden": Scenario("refused with 403", rejected("403 Forbidden: participant may not transfer")),
    "forbidden_code": Scenario("refused for lack of permission, said by a code field", rejected("denied", code=403)),
    "forbidden_wrong_from": Scenario(
        "asked in the name of the caller, and refused",
        tell(
            begin(),
            Step(gap=0.2, what=What.ASKS, who="caller", to="billing"),
            refused("403 Forbidden"),
            over(),
        ),
    ),
    "invalid_target": Scenario(
        "refused with 400: invalid participant", rejected("400 Bad Request: invalid participant", to=cast.NOWHERE)
    ),
    "invalid_target_404": Scenario("the target is no user, no queue and no flow", silence(cast.NOWHERE)),
    "retired_queue": Scenario("the target queue is switched off", silence("retired")),
    "malformed_from": Scenario("fromParticipantId is missing", silence("billing", without=("fromParticipantId",))),
    "malformed_to": Scenario("toParticipantId is missing", silence("billing", without=("toParticipantId",))),
    "malformed_both": Scenario(
        "neither from nor to", silence("billing", without=("fromParticipantId", "toParticipantId"))
    ),
    "ignored": Scenario("the Studio flow did not react; the caller hung up after 40 s of silence", silence("flow")),
    "ignored_deaf_flow": Scenario("the Studio flow has no trigger for sessionTransfer", silence("deaf")),
    "ignored_queue": Scenario("Billing never reacted", silence("billing")),
    "ignored_no_context": Scenario(
        "no reaction, and no Cognigy session came along", silence("flow", extra={"properties": {}})
    ),
    "ignored_live": Scenario(
        "no reaction for 3 min, and the call is live",
        tell(begin(), asks("flow"), over(400, least=90.0), present=4, age=180.0),
    ),
    "abandoned": Scenario(
        "the caller hung up 1.5 s after the request", tell(begin(), asks("billing"), over(1.5, least=1.5))
    ),
    "not_attempted": Scenario("the bot never asked", tell(begin(), over(20))),
    "no_bot": Scenario(
        "no bot took part",
        tell(
            Step(gap=0, what=What.JOINS, who="caller"),
            queued(),
            Step(gap=1.0, what=What.RINGS, who="anna"),
            Step(gap=6.0, what=What.JOINS, who="anna"),
            over(180),
        ),
    ),
    "outbound": Scenario(
        "a callback: we called the customer",
        tell(
            Step(gap=0, what=What.JOINS, who="anna"),
            Step(gap=9, what=What.JOINS, who="caller"),
            over(60),
            outbound=True,
        ),
    ),
    "all_at_once": Scenario(
        "every leg ended in the same second: who hung up is unknown",
        tell(begin(), asks("flow"), Step(gap=3.0, what=What.ENDS, least=3.0)),
    ),
}

STORIES: dict[str, Scenario] = {**TAKEN, **OPEN, **FAILED}
