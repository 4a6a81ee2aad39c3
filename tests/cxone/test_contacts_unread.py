"""What a contact's diagnosis rests on when a part of it may not be read: nothing is guessed from what is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cxone import contacts_reading
from bot.cxone.investigate import ById
from bot.demo import cast
from bot.demo.contacts_documents import SKILLS
from bot.demo.tenant import Tenant
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis, TargetStatus
from bot.diagnosis.outcomes import Code, Outcome, Reached
from tests.clock import HandClock
from tests.cxone.contacts_desk import desk_of

START = datetime(2026, 3, 2, 14, 2, 11, tzinfo=UTC)
SENT = "handoverToCXone: sent signal 'Escalate' to contact 9002"
WAITED = {"inQueueSeconds": "200", "agentSeconds": 0, "totalDurationSeconds": "260.5"}
NOT_QUEUED = {"inQueueSeconds": "0", "agentSeconds": 0, "totalDurationSeconds": 260.5}


def stamp(seconds: float) -> str:
    """So many seconds after the start."""
    return (START + timedelta(seconds=seconds)).isoformat()


def state(name: str, at: float, skill: int = 0) -> dict[str, Any]:
    """A row of a state history, under a tenant's own name of the state."""
    place: dict[str, Any] = {"agentId": 0, "skillId": skill, "skillName": "Billing"}
    return {"contactStateId": "9", "contactStateName": name, "startDate": stamp(at), **place}


def told(*states: dict[str, Any], sums: dict[str, Any] | None = None, **more: Any) -> Diagnosis:
    """A call of 260 s in which the bot asked after 60 s."""
    contact: dict[str, Any] = {
        "contactId": "9001",
        "contactStartDate": stamp(0),
        "fromAddress": "+15550199888",
        "skillId": "4711",
    }
    contact |= {"pointOfContactId": 31, "pointOfContactName": "Main", "abandoned": "true", **(sums or {})}
    entry = {"timestamp": stamp(60), "type": "info", "message": SENT, "meta": {"sessionId": "s-1"}}
    whole = {
        "profile": "contacts",
        "list": "completed",
        "contact": contact,
        "contactStateHistory": list(states),
        "cognigy": {"sessionId": "s-1", "logs": [entry]},
        **more,
    }
    return diagnose(contacts_reading.parse(whole), {}, now=START + timedelta(hours=1))


def test_without_a_history_the_sums_tell_of_the_queue() -> None:
    """The role may not read the state history: what stands in the contact itself shows where it was."""
    found = told(sums=WAITED)
    assert (found.outcome, found.reached) == (Outcome.UNANSWERED, Reached.QUEUED)


def test_without_a_history_the_sums_tell_of_an_answer() -> None:
    """An agent who talked."""
    found = told(sums={"inQueueSeconds": 20, "agentSeconds": "180", "agentId": "501", "totalDurationSeconds": 260})
    assert (found.outcome, found.reached) == (Outcome.ACCEPTED, Reached.ANSWERED)


def test_sums_of_nothing_show_that_nothing_happened() -> None:
    """In no queue and with no agent."""
    assert told(sums=NOT_QUEUED).outcome is Outcome.IGNORED


def test_without_history_and_sums_nobody_can_tell() -> None:
    """That nothing is known is no sign that nothing happened."""
    found = told()
    assert found.outcome is Outcome.UNKNOWN
    assert found.alternatives


def test_a_known_length_alone_shows_no_silence() -> None:
    """The call went on for 200 s after the request, and neither states nor sums tell what happened in them."""
    found = told(sums={"totalDurationSeconds": "260.5"})
    assert found.outcome is Outcome.UNKNOWN
    assert "took the call, or refused it" in found.alternatives[0]


@pytest.mark.parametrize("skill", [0, 4711])
def test_states_that_nobody_can_name_are_not_judged(skill: int) -> None:
    """Names in another language, without descriptions: something changed, and that is all; no target is made of it."""
    rows = (
        state("Voorwachtrij", 0, skill=skill),
        state("In de rij", 61, skill=skill),
        state("Einde", 260, skill=skill),
    )
    found = told(*rows)
    assert found.outcome is Outcome.UNKNOWN
    assert any("“In de rij”" in row.message for row in found.findings if row.code is Code.NOT_CHECKED)


def test_a_skill_that_the_script_bears_is_no_target() -> None:
    """The states of the script name the skill of the point of contact, and the bot asked for none."""
    rows = (state("PreQueue", 0, skill=4711), state("PreQueue", 70, skill=4711), state("EndContact", 260, skill=4711))
    call = contacts_reading.parse(
        {"contact": {"contactId": "9001", "pointOfContactId": "31"}, "contactStateHistory": list(rows)}
    )
    assert not [row for row in call.participants if row.queue_id]
    assert {row.to_id for row in call.events} <= {""}


def test_cognigy_that_could_not_be_read_says_nothing_of_the_bot() -> None:
    """Its failure is said; that its log is empty is not, and the call is not one without a bot."""
    why = "401 on GET /v2.0/projects/p/logs: no"
    rows = (state("PreQueue", 0), state("InQueue", 60, skill=4711), state("EndContact", 260))
    found = told(*rows, cognigy={}, notRead=[{"why": why}])
    texts = [row.message for row in found.findings if row.code is Code.NOT_CHECKED]
    assert found.outcome is Outcome.UNANSWERED
    assert [text for text in texts if "log" in text] == [f"{why}."]


def test_outbound_may_be_told_as_text() -> None:
    """`isOutbound` "true": who was called is the customer."""
    row = {"contactId": "1", "isOutbound": "True", "fromAddress": "800", "toAddress": "+15550199888"}
    assert contacts_reading.parse(row).outbound


def test_the_point_that_a_call_came_in_at_is_not_called_missing(server: Tenant, clock: HandClock) -> None:
    """A 404 on it means that it is not shown, for the call came in there."""
    server.contacts.gone.add("/points-of-contact")
    desk = desk_of(server, clock)
    try:
        found = desk.look_up(ById(server.contacts.play("ignored"))).diagnosis
    finally:
        desk.close()
    target = found.target
    assert target is not None
    assert (found.outcome, target.status, target.missing) == (Outcome.IGNORED, TargetStatus.NOT_CHECKED, False)
    assert "404 on GET /points-of-contact" in target.why_not_checked


@pytest.mark.parametrize("refused", ["denied", "gone"])
@pytest.mark.parametrize("part", ["state-history", "hierarchy", "custom-data", "descriptions", "activity", "hours"])
def test_each_permission_may_lack(part: str, refused: str, server: Tenant, clock: HandClock) -> None:
    """403, or 404 where a version does not offer it: the outcome stays, and a line names the call."""
    contact = server.contacts.play("unanswered")
    routes = {
        "descriptions": "/contact-state-descriptions",
        "activity": f"/skills/{SKILLS[cast.BILLING]}/activity",
        "hours": "/hours-of-operation",
    }
    route = routes.get(part, f"/contacts/{contact}/{part}")
    getattr(server.contacts, refused).add(route)
    desk = desk_of(server, clock)
    try:
        found = desk.look_up(ById(contact)).diagnosis
    finally:
        desk.close()
    assert found.outcome is Outcome.UNANSWERED
    status = {"denied": "403", "gone": "404"}[refused]
    assert any(f"{status} on GET {route}" in row.message for row in found.findings if row.code is Code.NOT_CHECKED)
