"""What each finding says, which fields it names, and what is to be done."""

from __future__ import annotations

import pytest

from bot.diagnosis.handover import Finding, Target, TargetKind
from bot.diagnosis.outcomes import Code, Outcome, Status
from tests.corpus.story import (
    Document,
    accepted,
    after,
    ana,
    asks,
    billing,
    call,
    flow,
    joined,
    leg,
    queue,
    refused,
    state,
    user,
)
from tests.diagnosis.told import diagnosed, finding

REFUSED = call(asks(), refused("NO_AGENTS_AVAILABLE"))
NOBODY = queue(logged_in=3, available=0, waiting=4, is_available=False)


def test_a_queue_with_nobody_free() -> None:
    """Figures, fields and a next step for a queue."""
    row = finding(diagnosed(REFUSED, NOBODY), Code.TARGET_UNAVAILABLE)
    assert row.message == "Billing had 3 logged in and 0 available at 14:04 UTC."
    assert row.evidence == {"queue.agentsAvailable": 0, "queue.agentsLoggedIn": 3}
    assert row.fix == "See in CXone why nobody in Billing is available, and free or log in agents there."


def test_a_queue_read_long_after() -> None:
    """Context with its time, and no more than a may."""
    row = finding(
        diagnosed(REFUSED, queue(logged_in=3, available=0, is_available=False, read=9000)), Code.TARGET_UNAVAILABLE
    )
    assert row.message.startswith("Billing may have been unavailable: it had 3 logged in")


def test_a_queue_that_gives_no_figures() -> None:
    """Nobody free is all that is known."""
    row = finding(diagnosed(REFUSED, queue(is_available=False)), Code.TARGET_UNAVAILABLE)
    assert "without a free agent" in row.message


def test_an_agent_who_is_away() -> None:
    """The state as it was read, and a queue as the way out."""
    document = call(asks("u-ana"), refused("AGENT_NOT_AVAILABLE"))
    found = diagnosed(document, user(is_available=False, state="On Break"))
    row = finding(found, Code.TARGET_UNAVAILABLE)
    assert row.evidence == {"user.state.stateName": "On Break"}
    assert "a queue instead of Ana" in row.fix
    assert "Ana was not free" in finding(found, Code.NO_AGENTS_AVAILABLE).message


def test_the_agents_state_at_that_time_goes_before_the_one_now() -> None:
    """What is known of the time of the failure is said of it."""
    found = diagnosed(call(asks("u-ana")), user(is_available=False, state="Available", state_then="Lunch"))
    assert finding(found, Code.TARGET_UNAVAILABLE).message == "Ana was “Lunch” at the time of the call."


def test_closed_at_that_time_beside_another_reason() -> None:
    """The hours are said though the reason says otherwise."""
    found = diagnosed(call(asks(), refused("QUEUE_FULL")), queue(closed_then=True, hours="Mon 08:00-12:00"))
    assert "(hours Mon 08:00-12:00)" in finding(found, Code.TARGET_CLOSED).message


def test_a_part_that_was_not_looked_at() -> None:
    """Never called healthy."""
    found = diagnosed(REFUSED, queue(partly=("403 on GET /x",)))
    assert finding(found, Code.NOT_CHECKED).message == "Billing: 403 on GET /x."


@pytest.mark.parametrize(
    ("reason", "begins"),
    [
        ("NO_AGENTS_AVAILABLE", "Add a branch behind the handover node"),
        ("duplicate request", "Leave Billing as it is"),
        ("503 Service Unavailable", "Open a case with NICE"),
        ("400 Bad Request", "Correct the target id `q-billing`"),
        ("E-7731", "Look up what this reason means"),
    ],
)
def test_the_next_step_of_a_refusal_is_by_its_reason(reason: str, begins: str) -> None:
    """A reason that is known needs no looking up."""
    row = finding(diagnosed(call(asks(), refused(reason)), queue()), Code.TRANSFER_REJECTED)
    assert row.fix.startswith(begins)


def test_no_two_findings_of_a_call_share_a_next_step() -> None:
    """Whatever the target is."""
    rung = (state("p-ana", "alerting", 2), state("p-ana", "declined", 9))
    for document, target in (
        (REFUSED, NOBODY),
        (call(asks(), state("p-billing", "queued", 1), *rung, legs=(billing(), ana())), NOBODY),
        (call(asks("u-ana", session=None), *rung, legs=(ana(),)), user(is_available=False, state="Break")),
        (call(asks("f-main"), session=None), flow(listens=False)),
    ):
        fixes = [row.fix for row in diagnosed(document, target).findings if row.fix]
        assert len(fixes) > 1
        assert len(set(fixes)) == len(fixes)


@pytest.mark.parametrize("legs", [[ana(1, 40)], [leg("p-bot", "bot", "Bot", 1, 40)]], ids=["agent", "bot"])
def test_a_call_that_went_out_gets_no_advice_about_the_bot(legs: list[Document]) -> None:
    """It says that it went out; there is nothing to do."""
    found = diagnosed(call(direction="outbound", participants=[leg("p-caller", "customer", "", 1, 40), *legs]))
    assert found.headline == "This call went out to the customer"
    assert found.next_step == ""
    assert not [row.fix for row in found.findings if row.fix]


def test_a_live_call_without_a_request() -> None:
    """It may still come."""
    found = diagnosed(call(gone=None, over=None))
    assert found.headline == "The bot has not asked for a handover so far"
    assert finding(found, Code.NO_TRANSFER_EVENT).message.startswith("The bot has not asked so far:")


def test_an_agents_request_where_no_bot_took_part() -> None:
    """Somebody did ask."""
    found = diagnosed(call(asks(by="p-ana"), participants=[leg("p-caller", "customer"), ana(-60, 40)]))
    assert found.summary.endswith("there is no bot among them, and only an agent asked for a handover.")


@pytest.mark.parametrize(
    ("to", "reason", "target", "headline", "other"),
    [
        ("q-billing", "LIMIT_X", queue(), "The handover to Billing was refused", "Billing had nobody available"),
        ("f-main", "LIMIT_X", flow(), "The handover to Main flow was refused", "a step of the flow Main flow failed"),
        ("u-ana", "LIMIT_X", user(), "The handover to Ana was refused", "Ana was not available"),
        ("u-ana", "agent not available", user(), "Ana was not available", ""),
        ("u-ana", "agent declined", user(), "Ana refused the handover", ""),
        ("q-billing", "QUEUE_FULL", queue(), "Billing refused the handover", ""),
    ],
)
def test_the_headline_names_the_side_that_is_known(
    to: str, reason: str, target: dict[str, Target], headline: str, other: str
) -> None:
    """Nobody refused where nobody knows who; and an agent who was away refused nothing."""
    found = diagnosed(call(asks(to), refused(reason)), target)
    assert found.headline == headline
    assert not other or other in found.alternatives


@pytest.mark.parametrize("session", ["cgy-1", 12345])
def test_a_session_is_a_text_or_a_number(session: object) -> None:
    """Both are ids."""
    found = diagnosed(call(asks() | {"properties": {"cognigySessionId": session}}, accepted()))
    assert found.attempts[0].session_id == str(session)
    assert not [row for row in found.findings if row.code is Code.MISSING_COGNIGY_SESSION]


@pytest.mark.parametrize("session", [True, 10**5_000, ["x"], " "], ids=["true", "huge", "list", "blank"])
def test_anything_else_is_no_session(session: object) -> None:
    """Nor what is too long to print."""
    found = diagnosed(call(asks() | {"properties": {"cognigySessionId": session}}, accepted()))
    finding(found, Code.MISSING_COGNIGY_SESSION)


@pytest.mark.parametrize("document", [call(asks(by=None), refused("403 Forbidden")), call(asks(None), refused("503"))])
def test_an_incomplete_request_that_was_refused_is_completed_first(document: Document) -> None:
    """A branch for refusals by nobody is no next step."""
    fix = finding(diagnosed(document), Code.TRANSFER_REJECTED).fix
    assert fix.startswith("Complete the request in the handover node")


def test_an_id_is_never_given_a_capital() -> None:
    """It is there to be copied; words begin with one."""
    assert diagnosed(call(asks("x-9"), refused("QUEUE_FULL"))).headline == "x-9 refused the handover"
    assert diagnosed(call(asks("0123456789abcdef-0123456789"), refused("QUEUE_FULL"))).headline.startswith(
        "Target 01234567…"
    )


def test_a_user_who_was_rung_and_then_there() -> None:
    """Rung, then in the call: answered, and the ringing is no finding."""
    found = diagnosed(call(asks("u-ana"), state("p-ana", "alerting", 1), joined("p-ana", 4), legs=(ana(),)))
    assert found.outcome is Outcome.ACCEPTED
    assert finding(found, Code.TRANSFER_ACCEPTED).message == "Ana answered."


def test_being_rung_is_said_while_it_lasts() -> None:
    """Nobody accepted so far."""
    live = call(asks("u-ana"), state("p-ana", "alerting", 1), legs=(ana(),), gone=None, over=None)
    assert finding(diagnosed(live), Code.TRANSFER_ACCEPTED).message == "Ana was rung."


def test_an_unread_answer_makes_silence_less_sure() -> None:
    """It may stand in the part that is broken."""
    found = diagnosed(call(asks("f-main"), {"type": None}), flow())
    assert found.confidence == "possible"
    assert "could not be read" in found.alternatives[0]


def test_accepted_evidence_names_the_event() -> None:
    """Path and word of the acceptance."""
    assert finding(diagnosed(call(asks(), accepted())), Code.TRANSFER_ACCEPTED).evidence == {
        "events[1]": "sessionTransferAccepted"
    }


def test_a_state_without_a_time_of_reading() -> None:
    """No clock time is made up."""
    retired = {"q-billing": Target(id="q-billing", name="Billing", is_active=False)}
    row = finding(diagnosed(call(asks()), retired), Code.TARGET_INACTIVE)
    assert row.message == "Billing exists but is switched off."
    later = diagnosed(call(asks()), retired, now=after(9000))
    assert finding(later, Code.TARGET_INACTIVE).message.endswith(
        "is switched off (it may have been otherwise at the call)."
    )
    away = {"u-ana": Target(id="u-ana", kind=TargetKind.USER, name="Ana", state="Break", is_available=False)}
    late = finding(diagnosed(call(asks("u-ana")), away, now=after(9000)), Code.TARGET_UNAVAILABLE)
    assert late.message == "Ana may have been unavailable: it was “Break”, and nobody knows when."
    assert row.evidence == {"target.isActive": False}


def test_a_finding_rests_on_nothing_unless_told() -> None:
    """The default cannot be written to."""
    row = Finding(code=Code.NOT_CHECKED, status=Status.INFO, message="x")
    with pytest.raises(TypeError):
        row.evidence["a"] = 1  # type: ignore[index]


def test_an_error_about_the_accepted_request_is_a_warning() -> None:
    """It did not matter in the end; one about another request keeps its status."""
    found = diagnosed(call(asks("q-a"), refused("QUEUE_FULL"), asks("q-b", 5, by=None), accepted(6)))
    assert found.outcome is Outcome.ACCEPTED
    assert finding(found, Code.MISSING_FROM_PARTICIPANT).status is Status.WARNING
    assert finding(found, Code.TRANSFER_REJECTED).status is Status.ERROR
