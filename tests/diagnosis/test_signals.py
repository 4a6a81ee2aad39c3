"""What only the contacts API, Cognigy's log and the telephony show: SIP answers, and a queue that nobody has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cxone import contacts_reading
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis, Target, TargetKind
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome
from tests.diagnosis.told import finding

START = datetime(2026, 3, 2, 14, 2, 11, tzinfo=UTC)
BILLING = "4711"


def stamp(seconds: float) -> str:
    """So many seconds after the start."""
    return (START + timedelta(seconds=seconds)).isoformat()


def state(name: str, at: float, skill: str = "") -> dict[str, Any]:
    """A row of a contact's history."""
    return {"contactStateName": name, "startDate": stamp(at), "agentId": 0, "skillId": skill, "skillName": "Billing"}


def told(
    said: dict[str, Any], *states: dict[str, Any], targets: dict[str, Target] | None = None, message: str = ""
) -> Diagnosis:
    """A call of 260 s in which the bot's log said `said` after 60 s."""
    entry = {"timestamp": stamp(60), "type": "info", "message": message, "meta": {"sessionId": "s-1", **said}}
    whole = {
        "profile": "contacts",
        "contact": {"contactId": "9001", "contactStartDate": stamp(0), "totalDurationSeconds": 260}
        | {"skillId": BILLING, "pointOfContactId": 31, "pointOfContactName": "Main"},
        "contactStateHistory": [state("PreQueue", 0), *states, state("EndContact", 260)],
        "cognigy": {"sessionId": "s-1", "logs": [entry]},
    }
    return diagnose(contacts_reading.parse(whole), targets or {}, now=START + timedelta(minutes=6))


@pytest.mark.parametrize(
    ("status", "outcome", "fault", "sure"),
    [
        (404, Outcome.INVALID_TARGET, Fault.BOT, Confidence.CERTAIN),
        (486, Outcome.REJECTED, Fault.TARGET, Confidence.CERTAIN),
        (503, Outcome.REJECTED, Fault.PLATFORM, Confidence.CERTAIN),
        (499, Outcome.REJECTED, Fault.UNKNOWN, Confidence.LIKELY),
    ],
)
def test_whose_side_a_refused_telephone_transfer_is(
    status: int, outcome: Outcome, fault: Fault, sure: Confidence
) -> None:
    """No such number is the bot's; busy is the target's; no capacity the telephony's; any other nobody's for sure."""
    found = told({"event": "TRANSFER_DIAL_ERROR", "payload": {"sip_status": status}})
    assert (found.outcome, found.fault, found.confidence) == (outcome, fault, sure)
    assert f"SIP {status}" in finding(found, Code.SIP_REFUSED).message


def waited(**queue: Any) -> Diagnosis:
    """The call stood in Billing for 199 s until the caller left; how Billing was looked up."""
    looked_up = Target(id=BILLING, kind=TargetKind.QUEUE, name="Billing", read_at=START + timedelta(minutes=5), **queue)
    return told(
        {},
        state("InQueue", 61, BILLING),
        targets={BILLING: looked_up},
        message="handoverToCXone: sent signal 'Escalate' to contact 9002",
    )


def test_a_queue_that_no_active_agent_has() -> None:
    """The call waited in it, and nobody could have come."""
    found = waited(assigned=0, available=0)
    assert found.outcome is Outcome.UNANSWERED
    assert finding(found, Code.NO_AGENTS_AVAILABLE).message == "No active agent has the skill Billing."


def test_a_queue_that_held_the_call_and_was_closed() -> None:
    """Why nobody came is known: outside its hours."""
    found = waited(closed_then=True, hours="Mon 08:00-12:00")
    assert (found.outcome, found.fault, found.cause) == (Outcome.UNANSWERED, Fault.TARGET, Code.TARGET_CLOSED)
    assert "Mon 08:00-12:00" in finding(found, Code.TARGET_CLOSED).message
