"""Reports as a look-up gives them, one for each thing a message must be able to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.diagnosis.handover import (
    Attempt,
    Diagnosis,
    Finding,
    Moment,
    OtherCall,
    Report,
    Target,
    TargetKind,
    TargetStatus,
)
from bot.diagnosis.outcomes import FINDINGS, TABLE, Code, Confidence, Fault, Outcome, Reached

ID = "5f0c2a12-3456-7890-1234-567890123456"
START = datetime(2026, 11, 20, 13, 2, 11, tzinfo=UTC)
ASKED = START + timedelta(seconds=60)
NOW = START + timedelta(minutes=10)
HOSTILE = (
    "<!channel> <@U0SAM> <https://evil.example|Billing> `code` *bold* ~x~ :boom: & call +1 (555) 019-9888 "
    "customerName=Jane\u202e\x00\n" + "A" * 60_000
)

QUEUE = Target(
    id="q-billing",
    kind=TargetKind.QUEUE,
    name="Billing",
    logged_in=3,
    available=0,
    waiting=4,
    longest_wait=timedelta(minutes=6),
    read_at=NOW,
)
ATTEMPT = Attempt(
    number=1,
    timestamp=ASKED,
    from_id="p-bot",
    to_id="q-billing",
    from_name="Cognigy Voicebot",
    to_name="Billing",
    by="bot",
    outcome=Outcome.REJECTED,
    fault=Fault.TARGET,
    reached=Reached.REACTED,
    reason="NO_AGENTS_AVAILABLE",
)
TIMELINE = (
    Moment(START, "call starts", "Caller → Cognigy Voicebot"),
    Moment(ASKED, "transfer asked for", "Cognigy Voicebot → Billing"),
    Moment(ASKED + timedelta(seconds=1.2), "refused: NO_AGENTS_AVAILABLE", "Billing"),
    Moment(ASKED + timedelta(seconds=29), "hangs up", "Caller"),
)
DIAGNOSIS = Diagnosis(
    conversation_id=ID,
    started_at=START,
    ended_at=ASKED + timedelta(seconds=29),
    phone="•••• 9888",
    outcome=Outcome.REJECTED,
    reached=Reached.REACTED,
    fault=Fault.TARGET,
    confidence=Confidence.CERTAIN,
    alternatives=(),
    headline="Billing refused the handover",
    summary="The queue Billing refused the transfer 1.2 s after the bot asked: “NO_AGENTS_AVAILABLE”.",
    next_step="Staff Billing at this hour, or give the bot's flow a branch for a refused transfer.",
    findings=(
        Finding(
            code=Code.TRANSFER_REJECTED,
            status=FINDINGS[Code.TRANSFER_REJECTED],
            message="Billing refused.",
            evidence={"events[3].reason": "NO_AGENTS_AVAILABLE"},
            fix="Staff Billing.",
        ),
    ),
    attempts=(ATTEMPT,),
    timeline=TIMELINE,
    target=QUEUE,
    decided_by=ATTEMPT,
    cause=Code.TRANSFER_REJECTED,
    bot_name="Cognigy Voicebot",
    dialled="•••• 0100",
)
REJECTED = Report(diagnosis=DIAGNOSIS, requests=4, seconds=0.62)


def of(outcome: Outcome) -> Report:
    """The same call with another outcome."""
    found = DIAGNOSIS._replace(
        outcome=outcome,
        fault=TABLE[outcome].fault,
        headline=f"A handover that was {outcome.value}",
        summary=f"What became of it: {outcome.value}.",
    )
    return replace(REJECTED, diagnosis=found)


def finding(code: Code, message: str = "Something.", fix: str = "", **evidence: object) -> Finding:
    """A finding of its usual gravity."""
    return Finding(code=code, status=FINDINGS[code], message=message, fix=fix, evidence=evidence)


def full() -> Report:
    """Everything a message can hold, each within reason."""
    found = DIAGNOSIS._replace(
        confidence=Confidence.POSSIBLE,
        alternatives=("the flow was changed", "the key expired"),
        context="Billing, last hour: 12 of 40 failed, other targets fine.",
        findings=(
            *DIAGNOSIS.findings,
            finding(Code.MISSING_COGNIGY_SESSION, "No session came along.", "Send it."),
            finding(Code.OUTBOUND_CALL, "A newer call of this number was ours."),
            finding(Code.TRANSFER_ATTEMPTED),
            *(finding(Code.DUPLICATE_TRANSFER, f"Sent twice, {n}.") for n in range(4)),
            *(finding(Code.NOT_CHECKED, f"The flow {n}: 403 on GET /api/v2/flows/f-{n}.") for n in range(5)),
        ),
    )
    others = (
        OtherCall(conversation_id="c-2", started_at=START - timedelta(hours=2), outcome=Outcome.ACCEPTED),
        OtherCall(conversation_id="c-3", started_at=START - timedelta(days=3), outbound=True),
        OtherCall(conversation_id="c-4", started_at=None, outcome=Outcome.IGNORED),
        OtherCall(conversation_id="x" * 151, started_at=START),
        OtherCall(conversation_id="", started_at=START),
    )
    return replace(
        REJECTED, diagnosis=found, others=others, calls_today=5, failed_today=(ASKED, ASKED - timedelta(minutes=17))
    )


def bare() -> Report:
    """Nothing known."""
    found = Diagnosis(
        conversation_id="",
        started_at=None,
        ended_at=None,
        phone="",
        outcome=Outcome.UNKNOWN,
        reached=Reached.NONE,
        fault=Fault.UNKNOWN,
        confidence=Confidence.POSSIBLE,
        alternatives=(),
        headline="",
        summary="",
        next_step="",
        findings=(),
        attempts=(),
        timeline=(),
    )
    return Report(diagnosis=found, requests=1, calls_today=1)


def long(lines: int = 200) -> Report:
    """More lines than a message shows; two attempts and one without a time."""
    times = [START + timedelta(seconds=n) if n != 150 else None for n in range(lines)]
    moments = tuple(Moment(time, f"step {n}", "Cognigy Voicebot") for n, time in enumerate(times))
    second = ATTEMPT._replace(number=2, timestamp=START + timedelta(seconds=120))
    untimed = ATTEMPT._replace(number=3, timestamp=None)
    found = DIAGNOSIS._replace(timeline=moments, attempts=(ATTEMPT, second, untimed), decided_by=second)
    return replace(REJECTED, diagnosis=found)


def hostile() -> Report:
    """Every foreign field full of what could do harm."""
    target = replace(QUEUE, name=HOSTILE, id=HOSTILE, state=HOSTILE, version=HOSTILE, why_not_checked=HOSTILE)
    found = DIAGNOSIS._replace(
        conversation_id=HOSTILE,
        headline=HOSTILE,
        summary=HOSTILE,
        next_step=HOSTILE,
        context=HOSTILE,
        bot_name=HOSTILE,
        dialled="+15550100100",
        phone="+15550199888",
        alternatives=(HOSTILE,) * 9,
        timeline=tuple(Moment(START, HOSTILE, HOSTILE) for _ in range(500)),
        findings=tuple(
            finding(code, HOSTILE, HOSTILE, **{HOSTILE: HOSTILE, "participants[0].identity": "+15550199888", "b": [1]})
            for code in Code
        ),
        target=target,
    )
    others = tuple(OtherCall(conversation_id=f"c-{n}", started_at=START) for n in range(300))
    return Report(diagnosis=found, others=others, calls_today=99, failed_today=(START,) * 99)


def targets() -> dict[str, Target]:
    """States of targets."""
    user = Target(id="u-1", kind=TargetKind.USER, name="Ana Ruiz", state="Meeting", is_available=False, read_at=NOW)
    flow = Target(id="f-1", kind=TargetKind.FLOW, name="Inbound", listens=False, version="7", published_at=START)
    return {
        "queue": QUEUE,
        "user": user,
        "free": replace(user, state="Available", is_available=True),
        "open": replace(user, state="", is_available=True),
        "flow": flow,
        "listening": replace(flow, listens=True, is_available=True, version="", published_at=None),
        "missing": Target(id="x-1", status=TargetStatus.ERROR, missing=True, read_at=NOW),
        "retired": replace(QUEUE, status=TargetStatus.ERROR, is_active=False, longest_wait=None),
        "error": Target(id="x-2", status=TargetStatus.ERROR),
        "silent": Target(id="x-3", kind=None),
        "hidden": Target(
            id="q-9", status=TargetStatus.NOT_CHECKED, why_not_checked="403 on GET /api/v2/queues/q-9: no scope."
        ),
    }
