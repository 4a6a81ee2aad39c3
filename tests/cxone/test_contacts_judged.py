"""What is said of a call of the contacts API that lacks a field, or tells of it in an unusual form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cxone import contacts_reading
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis
from bot.diagnosis.outcomes import Code, Confidence, Outcome
from tests.diagnosis.told import finding

START = datetime(2026, 3, 2, 14, 2, 11, tzinfo=UTC)
SENT = "handoverToCXone: sent signal 'Escalate' to contact 9002"
POINT: dict[str, Any] = {"pointOfContactId": 31, "pointOfContactName": "Main"}
NEVER_HERE = {Code.MISSING_FROM_PARTICIPANT, Code.MISSING_TO_PARTICIPANT, Code.TARGET_NOT_A_DESTINATION}


def stamp(seconds: float) -> str:
    """So many seconds after the start."""
    return (START + timedelta(seconds=seconds)).isoformat()


def state(name: str, at: float, skill: str = "", *, lasted: float | None = None) -> dict[str, Any]:
    """A row of a state history."""
    place = {"agentId": 0, "skillId": skill, "skillName": {"4711": "Billing", "4712": "Overflow"}.get(skill, "")}
    return {"contactStateName": name, "startDate": stamp(at), "duration": lasted, **place}


IN_SCRIPT = (state("PreQueue", 0), state("EndContact", 100))


def line(message: str = "x", at: float = 60, **meta: Any) -> dict[str, Any]:
    """An entry of Cognigy's log."""
    return {"timestamp": stamp(at), "type": "info", "message": message, "meta": {"sessionId": "s-1", **meta}}


def voice(event: str, **payload: Any) -> dict[str, Any]:
    """An entry that tells of an event of the voice gateway."""
    return line("voice event", event=event, payload=payload)


def document(*logs: Any, states: tuple[Any, ...] = IN_SCRIPT, items: Any = (), **contact: Any) -> dict[str, Any]:
    """A call of 100 s that its caller abandoned."""
    row = {"contactId": 9001, "fromAddress": "+15550199888", "contactStartDate": stamp(0), "abandoned": True, **contact}
    log = {"sessionId": "s-1", "logs": list(logs), "conversation": {"items": list(items)}}
    kept = {"cognigy": log} if logs else {}
    return {"profile": "contacts", "list": "completed", "contact": row, "contactStateHistory": list(states), **kept}


def judged(whole: dict[str, Any], *, minutes: float = 10) -> Diagnosis:
    """The diagnosis, some minutes after the start; nothing was looked up."""
    return diagnose(contacts_reading.parse(whole), {}, now=START + timedelta(minutes=minutes))


# ---- no field that names a target, or who asks ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "outcome", "cause"),
    [
        (line(SENT), Outcome.IGNORED, Code.TRANSFER_IGNORED),
        (line("CXone -> getToken: Error getting bearer token: 401"), Outcome.FORBIDDEN, Code.TRANSFER_FORBIDDEN),
        (line("handoverToCXone: Spawned Contact ID is required"), Outcome.MALFORMED, Code.MISSING_CONTACT_ID),
        (voice("TRANSFER_DIAL_ERROR", sip_status=488), Outcome.REJECTED, Code.SIP_REFUSED),
        (voice("TRANSFER_REFER_ERROR", sip_status=200, refer_status=500), Outcome.REJECTED, Code.SIP_REFUSED),
        (
            voice("TRANSFER_REFER_SUCCESS", refer_status=202, final_referred_call_status=200),
            Outcome.ACCEPTED,
            Code.TRANSFER_ACCEPTED,
        ),
    ],
)
def test_a_signal_names_nobody(entry: dict[str, Any], outcome: Outcome, cause: Code) -> None:
    """Without point of contact, skill and queue the request is as good as with them: it has no field for a target."""
    found = judged(document(entry))
    assert (found.outcome, found.cause) == (outcome, cause)
    assert not NEVER_HERE & {row.code for row in found.findings}
    assert not any("unnamed target" in text for text in (found.headline, found.summary))
    assert not any("nobody" in moment.who for moment in found.timeline)


@pytest.mark.parametrize(
    "sums",
    [
        {"preQueueSeconds": "61", "inQueueSeconds": "39", "agentSeconds": "0"},
        {"preQueueSeconds": 61, "inQueueSeconds": 9, "agentSeconds": 30, "agentId": 501, "abandoned": False},
    ],
)
def test_sums_do_not_lack_who_asked(sums: dict[str, Any]) -> None:
    """Without a history the sums stand for it, and the contact was in its script all the same."""
    found = judged(document(states=(), totalDurationSeconds=100, skillId=4711, skillName="Billing", **sums))
    assert found.outcome in (Outcome.UNANSWERED, Outcome.ACCEPTED)
    assert not (NEVER_HERE | {Code.NO_BOT_LEG}) & {row.code for row in found.findings}


# ---- what Cognigy says in another form ------------------------------------------------------------------------------


def test_a_refer_without_its_end_is_not_ignored() -> None:
    """202 says that the transfer began; what came of it the gateway did not see."""
    found = judged(document(voice("TRANSFER_REFER_SUCCESS", refer_status=202), **POINT))
    assert found.outcome is Outcome.UNKNOWN
    assert "accepted, and the record does not show by whom" in found.alternatives[0]


def test_a_refused_refer_shows_its_own_code() -> None:
    """`sip_status` 200 and `sip_reason` OK are the caller's leg's."""
    found = judged(document(voice("TRANSFER_REFER_ERROR", sip_status=200, sip_reason="OK", refer_status=500), **POINT))
    assert finding(found, Code.SIP_REFUSED).evidence == {"cognigy.logs[0].meta.payload.refer_status": "SIP 500"}
    assert any(moment.what.startswith("refused: SIP 500") for moment in found.timeline)
    assert finding(found, Code.TRANSFER_ATTEMPTED).evidence == {"cognigy.logs[0].meta": "TRANSFER_REFER_ERROR"}
    assert "OK" not in f"{found.summary} {[moment.what for moment in found.timeline]}"


def test_the_nodes_result_as_a_sentence_is_a_request() -> None:
    """The older form of `CXoneHandover`."""
    found = judged(document(line(CXoneHandover="Signaled CXone with: 'Escalate' for 9002"), **POINT))
    assert found.outcome is Outcome.IGNORED
    both = judged(document(line(SENT, CXoneHandover="Signaled CXone with: 'Escalate' for 9002"), **POINT))
    assert len(both.attempts) == 1
    refused = judged(document(line(CXoneHandover="Error signaling CXone with 'Escalate'"), **POINT))
    assert refused.outcome is Outcome.REJECTED


@pytest.mark.parametrize("status", ["queue", "active", "completed", "cancelled"])
def test_a_handover_of_the_other_node_was_asked_for(status: str) -> None:
    """Its provider took it, whatever became of it then: neither never asked nor ignored."""
    found = judged(document(line(handover={"status": status}), **POINT))
    assert (found.outcome, len(found.attempts)) == (Outcome.UNKNOWN, 1)


def test_the_stations_of_one_handover_are_one_request() -> None:
    """Queue, agent, end."""
    logs = [line(at=60 + 12 * number, handover={"status": word}) for number, word in enumerate(("queue", "active"))]
    assert len(judged(document(*logs, **POINT)).attempts) == 1


def test_a_session_in_a_handover_was_handed_over() -> None:
    """`inHandoverConversation` without a request that was seen."""
    items = [{"timestamp": stamp(at), "inHandoverConversation": True} for at in (60, 70)]
    found = judged(document(line("hello", 50), items=items, **POINT))
    assert (found.outcome, len(found.attempts)) == (Outcome.UNKNOWN, 1)
    assert sum("session in a handover" in moment.what for moment in found.timeline) == 1


@pytest.mark.parametrize("logs", [[None, 5, line("hello")], [None, line("hello")]])
def test_a_log_that_is_partly_unreadable_proves_no_silence(logs: list[Any]) -> None:
    """The request may stand in the entry that could not be read."""
    found = judged(document(*logs, **POINT))
    assert found.confidence is not Confidence.CERTAIN
    assert "could not be read" in found.alternatives[0]


# ---- what is said of it ---------------------------------------------------------------------------------------------

SKILL = {"contactCustomData": [{"name": "voiceSkillId", "value": "4711"}]}


@pytest.mark.parametrize(
    ("more", "contact", "script"),
    [
        ({}, POINT, "the script Main"),
        (SKILL, POINT, "the script behind the dialled number"),
        ({}, {}, "the script behind the dialled number"),
        ({}, {**POINT, "targetAgentId": 503}, "the script behind the dialled number"),
    ],
)
def test_the_script_to_mend_is_no_skill_and_no_agent(more: Any, contact: dict[str, Any], script: str) -> None:
    """Billing has no ONSIGNAL action: it is a skill."""
    found = judged({**document(line(SENT), **contact), **more})
    assert f"check that {script} has an ONSIGNAL action" in finding(found, Code.TRANSFER_IGNORED).fix


@pytest.mark.parametrize(
    ("names", "shown"),
    [("off", "the asked agent"), ("id", "agent 503"), ("name", "Anna Agent")],
)
def test_an_asked_agent_is_named_as_far_as_allowed(names: str, shown: str) -> None:
    """As every other agent: it is somebody's working day."""
    whole = document(line(SENT), **POINT, targetAgentId=503)
    found = judged({**whole, "agentNames": names, "agents": [{"agentId": 503, "name": "Anna Agent"}]})
    assert found.headline == f"The handover to {shown} was ignored"


def queued(*after: dict[str, Any], lasted: float | None = 9) -> tuple[dict[str, Any], ...]:
    """The call came to Billing after 61 s."""
    return (state("PreQueue", 0), state("InQueue", 61, "4711", lasted=lasted), *after, state("EndContact", 100))


@pytest.mark.parametrize("lasted", [9, None])
def test_the_wait_in_a_queue_ends_with_it(lasted: float | None) -> None:
    """What came after 9 s, a voicemail, is no waiting in Billing."""
    states = queued(state("Voicemail", 70), lasted=lasted)
    found = judged(document(line(SENT), states=states, **{**POINT, "abandoned": False}))
    assert (found.outcome, found.confidence) == (Outcome.UNANSWERED, Confidence.POSSIBLE)
    assert found.headline == "Nobody at Billing answered: the caller waited 9 s"
    assert "waited 9 s in Billing" in finding(found, Code.NOBODY_ANSWERED).message


def test_the_wait_in_the_second_queue_is_its_own() -> None:
    """9 s in Billing, 30 s in Overflow."""
    found = judged(document(line(SENT), states=queued(state("InQueue", 70, "4712", lasted=30)), **POINT))
    assert found.headline == "Nobody at Overflow answered: the caller waited 30 s"
    assert (found.outcome, found.confidence) == (Outcome.UNANSWERED, Confidence.CERTAIN)
    assert finding(found, Code.CALLER_ABANDONED).message == "The caller hung up after waiting 30 s."


@pytest.mark.parametrize("after", [(), (state("Routing", 90, "4711"),)])
def test_a_queue_that_held_the_call_to_its_end(after: tuple[dict[str, Any], ...]) -> None:
    """An end that comes with the call's own is no leaving, nor is a ringing phone."""
    found = judged(document(line(SENT), states=queued(*after, lasted=39 - 10 * len(after)), **POINT))
    assert "waited 39 s in Billing and left" in found.summary
    assert not any("leaves the queue" in moment.what for moment in found.timeline)


def test_a_live_call_that_left_its_queue_still_waits() -> None:
    """Nobody took it so far."""
    states = (*queued()[:2], state("Voicemail", 70))
    found = judged(
        {**document(line(SENT), states=states, **{**POINT, "abandoned": False}), "list": "active"}, minutes=3
    )
    assert found.outcome is Outcome.WAITING


@pytest.mark.parametrize("name", ["Callback Pending", "Auto Attendant", "Suspended", "Disconnecting"])
def test_a_live_call_is_not_over_for_a_name(name: str) -> None:
    """What stands among the active contacts goes on."""
    states = (state("PreQueue", 0), state(name, 61))
    live = {**document(line(SENT), states=states, **{**POINT, "abandoned": False}), "list": "active"}
    assert judged(live, minutes=1.5).outcome is Outcome.PENDING
    assert contacts_reading.parse(live).ended_at is None


@pytest.mark.parametrize("late", [1, 5, 10])
def test_clocks_that_are_apart_make_no_second_request(late: float) -> None:
    """Cognigy's clock is ahead: its request stands after the queue it led to."""
    found = judged(document(line("hello", 30), line(SENT, 61 + late), states=queued(lasted=39), **POINT))
    assert (found.outcome, len(found.attempts)) == (Outcome.UNANSWERED, 1)
    assert found.headline == "Nobody at Billing answered: the caller waited 39 s"
    assert Code.TRANSFER_IGNORED not in {row.code for row in found.findings}


def test_a_signal_long_after_the_queue_is_another_request() -> None:
    """No clock is half a minute wrong unnoticed."""
    found = judged(document(line(SENT, 90), states=queued(lasted=39), **POINT))
    assert len(found.attempts) == 2


def test_without_a_log_the_record_cannot_show_whether_the_bot_asked() -> None:
    """Nothing was unreadable: what else it may be is said."""
    found = judged(document(**POINT))
    assert found.outcome is Outcome.UNKNOWN
    assert found.summary.endswith("this record cannot show whether the bot asked.")
    assert found.alternatives == ("the bot asked, and the Studio script did not act on it", "the bot never asked")


def test_a_call_that_went_out_says_nothing_of_a_log() -> None:
    """Cognigy was never asked, and no bot took part."""
    found = judged(document(isOutbound=True, **POINT))
    assert found.outcome is Outcome.NOT_ATTEMPTED
    assert finding(found, Code.NO_TRANSFER_EVENT).message.startswith("Nobody asked for a handover: no bot took part")


def test_a_bot_that_called_out_may_have_asked() -> None:
    """It left its sign with the contact, and nobody read its log."""
    stored = [{"name": "cognigySessionId", "value": "s-1"}]
    found = judged({**document(isOutbound=True, **POINT), "contactCustomData": stored})
    assert found.outcome is Outcome.UNKNOWN


def test_that_the_caller_left_rests_on_a_field() -> None:
    """`abandoned`: a contact's row has no end of its caller."""
    found = judged(document(line(SENT), totalDurationSeconds=100, **POINT))
    assert list(finding(found, Code.CALLER_ABANDONED).evidence) == ["contact.abandoned"]
