"""Calls that stand at the corner of two rules; each block names the rule that would tell them wrongly alone."""

from __future__ import annotations

from dataclasses import replace

from bot.diagnosis.handover import TargetKind
from tests.corpus.hard import LIVE, Q, told
from tests.corpus.story import (
    after,
    ana,
    asks,
    billing,
    call,
    flow,
    hidden,
    joined,
    leg,
    nowhere,
    refused,
    sam,
    state,
    user,
)

TWICE = [  # a request that is sent twice comes out as the one that was answered
    told(
        f"sent twice, and the first was refused: {reason}",
        call(asks(), asks(t=0.5), refused(reason)),
        answer,
        codes,
        Q,
        says=f"after the bot asked: “{reason}”",
    )
    for reason, answer, codes in (
        ("403 Forbidden", "forbidden reacted connector certain", "duplicate_transfer transfer_forbidden"),
        ("HTTP 503", "rejected reacted platform certain", "duplicate_transfer transfer_rejected"),
        (
            "QUEUE_FULL",
            "rejected reacted target certain",
            "duplicate_transfer no_agents_available transfer_rejected",
        ),
        ("QUEUE_CLOSED", "rejected reacted target certain", "duplicate_transfer target_closed transfer_rejected"),
        ("Invalid participant", "invalid_target reacted bot certain", "duplicate_transfer transfer_rejected"),
    )
]
TWICE.append(
    told(
        "sent twice, and nothing came of either",
        call(asks("f-main"), asks("f-main", 1)),
        "ignored asked flow likely",
        "caller_abandoned duplicate_transfer transfer_ignored",
        flow(),
        says="nothing happened for 40 s",
    )
)

TOO_LATE = [  # who comes when the caller has gone answered nobody
    told(
        "the agent comes 10 s after the caller left the queue",
        call(asks(), joined("p-billing", 1), legs=(billing(1, 50), ana(50, 55)), gone=40, over=55),
        "unanswered offered target certain",
        "caller_abandoned nobody_answered",
        Q,
        says="Ana came 10 s after the caller had left",
    ),
    told(
        "the same, and no queue is shown",
        call(asks(), legs=(ana(50, 55),), gone=40, over=55),
        "unanswered offered target certain",
        "caller_abandoned nobody_answered",
        Q,
        says="Ana came 10 s after the caller had left",
    ),
    told(
        "the asked agent comes 10 s after the caller left",
        call(asks("u-ana"), joined("p-ana", 50), legs=(ana(50, 55),), gone=40, over=55),
        "unanswered offered target certain",
        "caller_abandoned nobody_answered",
        user(),
    ),
    told(
        "the agent comes within the skew of the caller's leaving",
        call(asks(), joined("p-billing", 1), legs=(billing(1, 41), ana(41, 60)), gone=40, over=60),
        "accepted answered none certain",
        "",
        Q,
    ),
    told(
        "refused, and the agent comes when the caller has gone",
        call(asks("u-ana"), refused("agent declined", 20), joined("p-ana", 50), legs=(ana(50, 55),), gone=40, over=55),
        "rejected reacted target certain",
        "agent_refused transfer_rejected",
        user(),
    ),
]

REASONS = [  # refusals whose words could be read as another side's
    told(
        "a name stands between queue and closed, in a 400",
        call(asks(), refused("HTTP 400: Queue Billing is closed")),
        "rejected reacted target certain",
        "target_closed transfer_rejected",
        Q,
    ),
    told(
        "a name stands between queue and full, in a 400",
        call(asks(), refused("400 Bad Request: queue Billing is full")),
        "rejected reacted target certain",
        "no_agents_available transfer_rejected",
        Q,
    ),
    told(
        "not allowed outside the hours is closed",
        call(asks(), refused("Transfers are not allowed outside operating hours")),
        "rejected reacted target certain",
        "target_closed transfer_rejected",
        Q,
    ),
    told(
        "an unknown error of the queue is no unknown queue",
        call(asks(), refused("Unknown queue error")),
        "rejected reacted unknown possible",
        "transfer_rejected",
        Q,
    ),
    told(
        "an area code is no status",
        call(asks(), refused("Area code 503 is blocked")),
        "rejected reacted unknown possible",
        "transfer_rejected",
        Q,
    ),
    told(
        "permissions in the plural",
        call(asks(), refused("User does not have permissions")),
        "forbidden reacted connector certain",
        "transfer_forbidden",
        Q,
    ),
    told(
        "a status beside a code",
        call(asks(), refused({"code": "internal.error", "status": 500, "message": "Cannot transfer"})),
        "rejected reacted platform certain",
        "transfer_rejected",
        Q,
    ),
]

NO_BOT = [  # the bot has no leg of its own: then it is who sends the first request
    told(
        "the bot's leg is missing, and nothing followed",
        call(asks("f-main"), participants=[leg("p-caller", "customer", "", -60, 40)]),
        "ignored asked flow possible",
        "caller_abandoned no_bot_leg transfer_ignored",
        flow(),
    ),
    told(
        "the bot's leg is missing, and the queue refused",
        call(asks(), refused("QUEUE_FULL"), participants=[leg("p-caller", "customer", "", -60, 40)]),
        "rejected reacted target certain",
        "no_agents_available no_bot_leg transfer_rejected",
        Q,
    ),
    told(
        "the bot's leg is missing, and the request came in the caller's name",
        call(asks(by="p-caller"), participants=[leg("p-caller", "customer", "", -60, 40)]),
        "forbidden asked connector possible",
        "from_participant_not_bot no_bot_leg",
        Q,
    ),
]

CLOCKS = [  # clocks that do not agree: no length is below zero
    told(
        "the caller left a second before the bot asked, by another clock",
        call(asks(), gone=-1, over=1),
        "abandoned asked caller likely",
        "caller_abandoned",
        Q,
        says="The caller hung up in the moment when the handover was asked for",
    ),
    told(
        "asked for half a minute from now, by our clock",
        call(asks(), **LIVE),
        "pending asked none certain",
        "",
        Q,
        now=after(-29),
        says="Handover to Billing asked for just now",
    ),
]

ELSEWHERE = [  # the call stood in another queue than the one asked for
    told(
        "asked for Billing, and the record shows Support",
        call(asks(), legs=(leg("p-support", "queue", "Support", 5, 40, queueId="q-support"),)),
        "unanswered queued target certain",
        "caller_abandoned nobody_answered",
        Q,
        says="The caller waited 35 s in Support",
    ),
    told(
        "a flow took the call and queued it in Support",
        call(
            asks("f-main"),
            legs=(
                leg("p-flow", "flow", "Main", 1, 5, flowId="f-main"),
                leg("p-support", "queue", "Support", 5, 40, queueId="q-support"),
            ),
        ),
        "unanswered queued target certain",
        "nobody_answered",
        flow(),
        says="Nobody at Support answered",
    ),
    told(
        "a flow queued the call in Support, and it is live",
        call(
            asks("f-main"),
            legs=(
                leg("p-flow", "flow", "Main", 1, flowId="f-main"),
                leg("p-support", "queue", "Support", 5, queueId="q-support"),
            ),
            **LIVE,
        ),
        "waiting queued none certain",
        "",
        flow(),
        now=after(185),
        says="Waiting in Support for 3 min",
    ),
    told(
        "Billing passed the call on to Overflow, and nobody came there either",
        call(asks(), legs=(billing(1, 20), leg("p-over", "queue", "Overflow", 20, 40, queueId="q-over"))),
        "unanswered queued target certain",
        "nobody_answered",
        Q,
        says="The caller waited 20 s in Overflow",
    ),
]

RUNG = [  # an agent is rung, and the call is live
    told(
        "Ana has been rung for 3 min",
        call(asks("u-ana"), state("p-ana", "alerting", 2), legs=(ana(),), **LIVE),
        "waiting offered none certain",
        "",
        user(),
        now=after(180),
        says="Ana has been rung for 3 min",
    ),
    told(
        "Ana declined, and nobody has been rung since",
        call(asks("u-ana"), state("p-ana", "alerting", 2), state("p-ana", "declined", 20), legs=(ana(),), **LIVE),
        "waiting offered none possible",
        "agent_refused",
        user(),
        now=after(90),
        says="Ana did not take the call",
    ),
    told(
        "Ana declined, and Sam is being rung",
        call(
            asks("f-main"),
            state("p-ana", "alerting", 2),
            state("p-sam", "alerting", 10),
            state("p-ana", "declined", 20),
            legs=(ana(), sam()),
            **LIVE,
        ),
        "waiting offered none certain",
        "agent_refused",
        flow(),
        now=after(90),
        says="Sam has been rung for",
    ),
    told(
        "Ana declined, and the call waits in its queue",
        call(
            asks(),
            state("p-billing", "queued", 1),
            state("p-ana", "alerting", 2),
            state("p-ana", "declined", 20),
            legs=(billing(1), ana()),
            **LIVE,
        ),
        "waiting offered none certain",
        "agent_refused",
        Q,
        now=after(90),
        says="Waiting in Billing for 90 s",
    ),
]

AFTER_A_REFUSAL = [  # a new agent after a refusal is an acceptance, unless nothing could have come of the request
    told(
        "nobody available, and Ana came 7 s later",
        call(asks(), refused("NO_AGENTS_AVAILABLE", 2), legs=(ana(9, 200),), gone=200, over=201),
        "accepted answered none possible",
        "transfer_rejected",
        Q,
        says="Ana answered 7 s after the transfer to Billing had been refused",
    ),
    told(
        "a reason nobody knows, and Ana joined",
        call(asks(), refused("timeout", 10), joined("p-ana", 20), legs=(ana(20, 39),)),
        "accepted answered none possible",
        "transfer_rejected",
        Q,
        says="Handover accepted: answered by Ana",
    ),
    told(
        "forbidden, and Ana came by another way",
        call(asks(), refused("403 Forbidden", 2), legs=(ana(9, 200),), gone=200, over=201),
        "forbidden reacted connector certain",
        "transfer_forbidden",
        Q,
        says="Ana answered 7 s after the transfer to Billing had been refused",
    ),
    told(
        "no target named, refused, and Ana came by another way",
        call(asks(None), refused("503 Service Unavailable", 2), legs=(ana(9, 200),), gone=200, over=201),
        "malformed reacted bot certain",
        "missing_to_participant transfer_rejected",
    ),
    told(
        "refused, and the agent who joins just then is the next request's",
        call(
            asks(),
            refused("QUEUE_FULL", 2),
            joined("p-ana", 9),
            asks("u-ana", 10),
            legs=(ana(9, 200),),
            gone=200,
            over=201,
        ),
        "accepted answered none certain",
        "no_agents_available transfer_rejected",
        user(),
    ),
]

HUNG_UP_FIRST = [  # a refusal that only says that the caller had gone
    told(
        "gone at 2 s, refused at 3 s because the call ended",
        call(asks(), refused("Call ended", 3), gone=2, over=4),
        "abandoned reacted caller possible",
        "caller_abandoned transfer_rejected",
        Q,
        says="too early to judge CXone",
    ),
    told(
        "gone after 40 s of silence, and the refusal came then",
        call(asks(), refused("Call ended", 41), gone=40, over=42),
        "rejected reacted unknown possible",
        "caller_abandoned transfer_rejected",
        Q,
        says="after 40 s of silence",
    ),
    told(
        "gone at 2 s, refused at 3 s for a reason of the queue",
        call(asks(), refused("QUEUE_FULL", 3), gone=2, over=4),
        "rejected reacted target certain",
        "no_agents_available transfer_rejected",
        Q,
    ),
]

TARGETS = [  # what is known of the target does not fit the silence
    told(
        "the asked agent is in the call already",
        call(asks("u-ana"), legs=(ana(-10, 41),)),
        "ignored asked flow possible",
        "caller_abandoned transfer_ignored",
        user(),
    ),
    told(
        "the asked leg's user is gone",
        call(asks("p-ana"), legs=(ana(),)),
        "ignored asked flow possible",
        "caller_abandoned transfer_ignored",
        nowhere("u-ana"),
        says="Ana is a participant of this call, and no user, queue or flow of this tenant",
    ),
    told(
        "two kinds know no such id, and the flows may not be read",
        call(asks("zzz")),
        "ignored asked flow possible",
        "caller_abandoned transfer_ignored",
        {"zzz": replace(hidden("zzz")["zzz"], kind=TargetKind.FLOW)},
        says="The handover to zzz was ignored",
    ),
]

CORNERS = [*TWICE, *TOO_LATE, *REASONS, *NO_BOT, *CLOCKS, *ELSEWHERE, *RUNG, *AFTER_A_REFUSAL, *HUNG_UP_FIRST, *TARGETS]
