"""Hard calls, their answers written from the contract and the incidents alone; each block names what it is about."""

from __future__ import annotations

from typing import Any

from bot.diagnosis.handover import Target
from tests.corpus.story import (
    Document,
    Known,
    accepted,
    after,
    ana,
    asks,
    billing,
    call,
    event,
    flow,
    hidden,
    joined,
    left,
    leg,
    nowhere,
    queue,
    refused,
    sam,
    state,
    user,
)

LIVE: dict[str, Any] = {"gone": None, "over": None}
Q = queue()


def told(
    name: str, document: Document, answer: str, codes: str = "", targets: dict[str, Target] | None = None, **more: Any
) -> Known:
    """A row: `answer` is "outcome reached fault sureness"."""
    outcome, reached, fault, sure = answer.split()
    return Known(name, document, outcome, reached, fault, codes, sure, targets or {}, **more)


INCIDENTS = [
    # 1, 2: the queue took it
    told(
        "incident 1: accepted, queued, gone after 9 min",
        call(asks(), accepted(1), state("p-billing", "queued", 1), legs=(billing(1, 540),), gone=540, over=542),
        "unanswered queued target certain",
        "caller_abandoned nobody_answered",
        Q,
        says="waited 9 min in Billing",
    ),
    told(
        "incident 2: 3 min in the queue by its joining",
        call(asks(), joined("p-billing", 1), legs=(billing(1),), **LIVE),
        "waiting queued none certain",
        "",
        Q,
        now=after(181),
        says="3 min",
    ),
    # 3, 4: who hung up, and when
    told(
        "incident 3: silence, the leg's end alone tells that the caller left",
        call(asks("f-main"), over=42)
        | {"events": [asks("f-main")], "participants": call(gone=40, over=42)["participants"]},
        "ignored asked flow likely",
        "caller_abandoned transfer_ignored",
        flow(),
        says="40 s of silence",
    ),
    told(
        "incident 4: 1.5 s with fractions on every stamp",
        call(asks(t=0.25), gone=1.75, over=1.9),
        "abandoned asked caller likely",
        "caller_abandoned",
        Q,
        says="1.5 s",
    ),
    told(
        "the same, and CXone's refusal still came",
        call(asks(), refused("QUEUE_FULL", 1.8), gone=1.5, over=2.5),
        "rejected reacted target certain",
        "no_agents_available transfer_rejected",
        Q,
    ),
    # 5, 6: closed, retired
    told(
        "incident 5: closed, in prose",
        call(asks(), refused("The queue is closed")),
        "rejected reacted target certain",
        "target_closed transfer_rejected",
        Q,
    ),
    told(
        "incident 5: closed for a holiday, as a 400",
        call(asks(), refused("HOLIDAY", code=400)),
        "rejected reacted target certain",
        "target_closed transfer_rejected",
        Q,
    ),
    told(
        "incident 6: retired, asked by a participant's id",
        call(asks("p-billing"), legs=(billing(),)),
        "invalid_target asked bot likely",
        "target_inactive",
        queue(is_active=False),
    ),
    told(
        "incident 6: retired flow, refused as invalid",
        call(asks("f-main"), refused("INVALID_DESTINATION")),
        "invalid_target reacted bot certain",
        "target_inactive transfer_rejected",
        flow(is_active=False),
    ),
    # 7, 8: more than one request
    told(
        "incident 7: sent twice in one second, refused twice over",
        call(asks(), asks(t=0), accepted(1), refused("already transferred", 1), joined("p-ana", 9), legs=(ana(),)),
        "accepted answered none certain",
        "duplicate_transfer transfer_rejected",
        Q,
    ),
    told(
        "incident 8: fallback after a 503",
        call(
            asks(),
            refused("HTTP 503 Service Unavailable"),
            asks("q-over", 14),
            accepted(15),
            joined("p-ana", 30),
            legs=(ana(),),
        ),
        "accepted answered none certain",
        "transfer_rejected",
        says="On the second try, 14 s lost",
    ),
    told(
        "incident 8: third target took it",
        call(
            asks(),
            refused("QUEUE_FULL"),
            asks("q-b", 5),
            refused("QUEUE_CLOSED", 6),
            asks("u-ana", 9),
            joined("u-ana", 12),
            legs=(ana(),),
        ),
        "accepted answered none certain",
        "no_agents_available target_closed transfer_rejected transfer_rejected",
        says="On the third try, 9 s lost",
    ),
    told(
        "fallback queued, and nobody there",
        call(
            asks(),
            refused("QUEUE_FULL"),
            asks("q-over", 5),
            accepted(6),
            state("q-over", "queued", 6),
            gone=200,
            over=201,
        ),
        "unanswered queued target certain",
        "caller_abandoned no_agents_available nobody_answered transfer_rejected",
    ),
    # 9: the platform
    told(
        "incident 9: 503 as a number",
        call(asks(), refused("", code=503)),
        "rejected reacted platform certain",
        "transfer_rejected",
        Q,
    ),
    told(
        "incident 9: nested",
        call(asks(), refused({"status": 502, "message": "upstream"})),
        "rejected reacted platform certain",
        "transfer_rejected",
        Q,
    ),
    told(
        "429 in words",
        call(asks(), refused("429 Too Many Requests")),
        "rejected reacted platform certain",
        "transfer_rejected",
        Q,
    ),
    # 14: somebody else
    told(
        "incident 14: a supervisor's leg, live",
        call(
            asks("u-ana"),
            state("p-boss", "connected", 11),
            legs=(ana(), leg("p-boss", "supervisor", "Kim", userId="u-kim")),
            **LIVE,
        ),
        "accepted answered none likely",
        "",
        user(),
        now=after(90),
        says="answered by Kim, not the asked target Ana",
    ),
    # 15: outbound callback without a bot
    told(
        "incident 15: a callback by an agent",
        call(
            participants=[leg("p-c", "customer", "", 1, 40, identity="+15550199888"), ana(0, 40)], direction="outbound"
        ),
        "not_attempted none none certain",
        "no_bot_leg no_transfer_event",
    ),
]

ACCEPTANCE = [
    told("accepted 2 s early", call(accepted(-2), asks()), "accepted queued none certain", "", Q),
    told(
        "accepted 2.5 s early is not for this request",
        call(accepted(-2.5), asks("f-main")),
        "ignored asked flow likely",
        "caller_abandoned transfer_ignored",
        flow(),
    ),
    told(
        "connected by the user's id, target by the leg's",
        call(asks("p-ana"), joined("u-ana", 3, "participantConnected"), legs=(ana(),)),
        "accepted answered none certain",
    ),
    told(
        "Connected in capitals, as newState",
        call(asks("u-ana"), event("StateChanged", 3, participantId="u-ana", newState="CONNECTED"), legs=(ana(),)),
        "accepted answered none certain",
    ),
    told(
        "leg in the same second as the request, no fractions",
        call(asks("u-ana", 0), legs=(ana(0, 40),)),
        "accepted answered none certain",
    ),
    told(
        "a queue's agent in the same second that the caller leaves is still an answer",
        call(asks(), legs=(billing(1, 40), ana(40, 41)), gone=41, over=41),
        "accepted answered none certain",
        "",
        Q,
    ),
    told(
        "consult: an agent came before the bot asked, another after",
        call(asks(t=10), joined("p-sam", 20), legs=(ana(-30, 60), sam(20, 60)), gone=60, over=61),
        "accepted answered none likely",
        "",
        Q,
    ),
    told(
        "queue, agent, and the agent passes it on to a queue that is full",
        call(
            asks(),
            state("p-billing", "queued", 1),
            joined("p-ana", 20),
            asks("q-tech", 100, by="p-ana"),
            refused("QUEUE_FULL", 101),
            legs=(billing(1, 20), ana(20, 130)),
            gone=130,
            over=131,
        ),
        "accepted answered none certain",
        "",
        Q,
    ),
    told(
        "the bot leaves as it should once the agent is there",
        call(asks("u-ana"), joined("p-ana", 3), left("p-bot", 3), legs=(ana(3, 90),), gone=90, over=90),
        "accepted answered none certain",
        "",
        user(),
    ),
]

REFUSALS = [
    told(
        "403 nested",
        call(asks(), refused({"code": 403, "message": "no"})),
        "forbidden reacted connector certain",
        "transfer_forbidden",
        Q,
    ),
    told(
        "403 in a form",
        call(asks(), refused("upstream answered HTTP 403")),
        "forbidden reacted connector certain",
        "transfer_forbidden",
        Q,
    ),
    told(
        "missing scope",
        call(asks(), refused("Insufficient scope: conversations:write")),
        "forbidden reacted connector certain",
        "transfer_forbidden",
        Q,
    ),
    told(
        "400 in prose is a bare number",
        call(asks(), refused("400 callers are ahead of you")),
        "rejected reacted unknown possible",
        "transfer_rejected",
        Q,
    ),
    told(
        "503 seconds is a bare number",
        call(asks(), refused("estimated wait 503 s")),
        "rejected reacted unknown possible",
        "transfer_rejected",
        Q,
    ),
    told(
        "400 as a code alone",
        call(asks("x-1"), refused("", code="400")),
        "invalid_target reacted bot certain",
        "transfer_rejected",
    ),
    told(
        "invalid participant, and it was the sender that was wrong",
        call(asks(by="p-gone"), refused("Invalid participant", code=400)),
        "invalid_target reacted bot possible",
        "from_participant_not_bot transfer_rejected",
        Q,
    ),
    told(
        "refused 2 s early by skew",
        call(refused("403 Forbidden", -2), asks()),
        "forbidden reacted connector certain",
        "transfer_forbidden",
        Q,
    ),
    told(
        "first refused, second live and young",
        call(asks(), refused("QUEUE_FULL"), asks("q-over", 20), **LIVE),
        "pending asked none certain",
        "no_agents_available transfer_rejected",
        now=after(30),
    ),
]

SILENCE = [
    told(
        "403 hides one kind: not checked, never not found",
        call(asks("x-9")),
        "ignored asked flow possible",
        "caller_abandoned transfer_ignored",
        hidden("x-9", "404 on users and queues, 403 on GET /api/v2/flows/x-9"),
    ),
    told(
        "three 404s, live and old",
        call(asks("x-9"), **LIVE),
        "invalid_target asked bot likely",
        "target_not_found",
        nowhere("x-9"),
        now=after(70),
    ),
    told(
        "agent of this call, whose user is gone",
        call(asks("p-ana"), refused("INVALID_PARTICIPANT"), legs=(ana(),)),
        "invalid_target reacted bot certain",
        "transfer_rejected",
        nowhere("u-ana"),
    ),
    told("live at 59.9 s", call(asks("f-main"), **LIVE), "pending asked none certain", "", flow(), now=after(59.9)),
    told(
        "live at 60.1 s",
        call(asks("f-main"), **LIVE),
        "ignored asked flow likely",
        "transfer_ignored",
        flow(),
        now=after(60.1),
    ),
    told(
        "flow without a trigger, live",
        call(asks("f-main"), **LIVE),
        "ignored asked flow likely",
        "flow_without_trigger transfer_ignored",
        flow(listens=False),
        now=after(120),
    ),
    told(
        "flow without a trigger, read the next day",
        call(asks("f-main")),
        "ignored asked flow possible",
        "caller_abandoned flow_without_trigger transfer_ignored",
        flow(listens=False, read=90_000),
        now=after(90_000),
        says="may have been otherwise",
    ),
    told(
        "all legs end in the second of the request",
        call(asks(), gone=0, over=0),
        "unknown asked unknown possible",
        "",
        Q,
    ),
    told(
        "6 s, all in the same second: who ended it is unknown, and nothing happened",
        call(asks("f-main"), gone=6, over=6),
        "ignored asked flow likely",
        "transfer_ignored",
        flow(),
    ),
    told(
        "5.4 s of silence is silence",
        call(asks("f-main"), gone=5.4, over=6),
        "ignored asked flow likely",
        "caller_abandoned transfer_ignored",
        flow(),
    ),
    told(
        "to is null",
        call(asks(None), refused("")),
        "malformed reacted bot certain",
        "missing_to_participant transfer_rejected",
    ),
    told(
        "from is missing, and CXone forbids it",
        call(asks(by=None), refused("403 Forbidden")),
        "malformed reacted bot certain",
        "missing_from_participant transfer_rejected",
        Q,
    ),
    told(
        "queue rang an agent who had left his phone, then another who declined",
        call(
            asks(),
            state("p-billing", "queued", 1),
            state("p-ana", "alerting", 5),
            state("p-ana", "noanswer", 25),
            state("p-sam", "alerting", 26),
            state("p-sam", "declined", 30),
            legs=(billing(1, 61), ana(), sam()),
            gone=60,
            over=61,
        ),
        "unanswered offered target certain",
        "agent_refused agent_refused caller_abandoned nobody_answered",
        Q,
    ),
]

RECORDS = [
    told(
        "events in reverse with times",
        call(refused("QUEUE_FULL", 1), asks(t=0), event("botTurn", -5)),
        "rejected reacted target certain",
        "no_agents_available transfer_rejected",
        Q,
    ),
    told(
        "untimed in order",
        call(asks(t=None), refused("QUEUE_FULL", None), gone=None, over=60),
        "rejected reacted target certain",
        "no_agents_available transfer_rejected",
        Q,
    ),
    told(
        "two untimed requests, each with its refusal",
        call(asks(t=None), refused("QUEUE_FULL", None), asks("q-b", None), refused("403 Forbidden", None), gone=None),
        "forbidden reacted connector certain",
        "no_agents_available transfer_forbidden transfer_rejected",
    ),
    told(
        "types in any case, with junk between",
        call(
            {
                "type": "SESSIONTRANSFER",
                "timestamp": "2026-03-02T14:03:11",
                "fromParticipantId": "p-bot",
                "toParticipantId": 4711,
                "properties": "x",
            },
            {"type": None},
            7,  # type: ignore[arg-type]
            refused(["x"], 1, code="503"),
        ),
        "rejected reacted platform certain",
        "malformed_event missing_cognigy_session transfer_rejected",
    ),
    told(
        "participants are an object, events are fine",
        call(asks(), refused("QUEUE_FULL"), participants={"a": 1}),
        "rejected reacted target certain",
        "malformed_event no_agents_available transfer_rejected",
        Q,
    ),
    told(
        "an external leg with a sip identity is the bot, by its name",
        call(
            asks(by="p-x"),
            accepted(),
            participants=[
                leg("p-c", "customer", "", -60, 40, identity="tel:+1 555 019-9888"),
                leg("p-x", "external", "Voice Gateway", -60, 41, identity="sip:cognigy@vg.example.com"),
            ],
        ),
        "accepted queued none certain",
        "",
        Q,
    ),
    told(
        "a botflow beside an ivr: the ivr did not ask",
        call(
            asks(by="p-bf"),
            participants=[
                leg("p-c", "customer", "", -60, 40),
                leg("p-ivr", "ivr", "Menu", -60, -50),
                leg("p-bf", "botflow", "Flow", -50, 41),
            ],
        ),
        "ignored asked flow likely",
        "caller_abandoned transfer_ignored",
        Q,
    ),
    told(
        "an agent's request alone, and the bot's none",
        call(asks("q-x", 5, by="p-ana"), accepted(6), legs=(ana(-20, 40),)),
        "not_attempted none none certain",
        "no_transfer_event",
    ),
    told(
        "times with an offset of nine hours",
        call({**asks(), "timestamp": "2026-03-02T23:03:11+09:00"}, accepted(1)),
        "accepted queued none certain",
        "",
        Q,
    ),
]

HARD_CALLS = [*INCIDENTS, *ACCEPTANCE, *REFUSALS, *SILENCE, *RECORDS]
