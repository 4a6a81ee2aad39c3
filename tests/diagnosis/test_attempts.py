"""Which answer belongs to which request, where the record makes it hard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import redact
from bot.cxone.conversations import parse
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import TargetKind, Timing
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome, Reached
from tests.corpus.story import (
    accepted,
    after,
    ana,
    asks,
    billing,
    call,
    event,
    joined,
    left,
    leg,
    refused,
    sam,
    state,
    user,
)
from tests.diagnosis.told import diagnosed, finding

LIVE = {"gone": None, "over": None}


def test_an_early_agent_is_not_the_one_who_asks_in_the_bots_place() -> None:
    """Who joined just before and then asked himself does not answer his own request."""
    found = diagnosed(call(joined("p-sam", -1), asks("q-x", by="p-sam"), legs=(sam(),)))
    assert found.outcome is Outcome.NOT_ATTEMPTED
    assert [each.by for each in found.attempts] == ["agent"]


def test_caller_and_bot_are_never_rung() -> None:
    """Their own states say nothing about the target."""
    found = diagnosed(call(asks("u-ana"), state("p-caller", "alerting", 1), state("p-bot", "declined", 2)), user())
    assert (found.outcome, found.reached) == (Outcome.IGNORED, Reached.ASKED)


def test_a_state_after_every_refusal_changes_nothing() -> None:
    """There is no request left that it could answer."""
    found = diagnosed(call(asks(), refused("QUEUE_FULL"), state("p-billing", "queued", 3), legs=(billing(),)))
    assert found.outcome is Outcome.REJECTED


def test_an_answer_that_names_the_sender() -> None:
    """The bot's own refusal, though an agent asked later."""
    found = diagnosed(
        call(
            asks("q-a"),
            asks("q-b", 5, by="p-ana"),
            refused("QUEUE_FULL", 6, fromParticipantId="p-bot"),
            legs=(ana(-30, -20),),
        )
    )
    assert found.outcome is Outcome.REJECTED


def test_a_leg_that_only_says_connected() -> None:
    """The target's leg is connected since nobody knows when: taken, and not surely."""
    found = diagnosed(call(asks("u-ana"), legs=(ana(state="connected"),)))
    assert (found.outcome, found.confidence) == (Outcome.ACCEPTED, "likely")


def test_another_leg_that_only_says_connected() -> None:
    """Another agent may have been there before the bot asked."""
    found = diagnosed(call(asks("u-ana"), legs=(sam(state="connected"),)))
    assert found.outcome is Outcome.UNKNOWN


def test_a_queue_that_only_says_waiting() -> None:
    """The leg's state alone holds the call."""
    found = diagnosed(call(asks(), legs=(billing(state="waiting"),), **LIVE), now=after(90))
    assert (found.outcome, found.reached) == (Outcome.WAITING, Reached.QUEUED)


def test_a_queue_that_passed_the_live_call_on_is_not_waiting() -> None:
    """Its leg ended: the call is somewhere else."""
    found = diagnosed(call(asks(), legs=(billing(1, 20),), **LIVE), now=after(90))
    assert found.outcome is Outcome.ACCEPTED


def test_an_untimed_request_and_the_targets_own_time() -> None:
    """Before or after cannot be told."""
    found = diagnosed(call(asks("u-ana", None), legs=(ana(9, 40),)))
    assert found.outcome is Outcome.UNKNOWN


def test_an_untimed_request_and_a_later_time() -> None:
    """The document's order says before, the leg's time may be before all: of the target and of any other agent."""
    for person in (ana(60, 80), sam(60, 80)):
        found = diagnosed(call(asks("u-ana", None), legs=(person,), gone=90, over=91))
        assert found.outcome is Outcome.UNKNOWN


def test_a_flow_that_joins_took_it() -> None:
    """It is neither a human nor a queue."""
    found = diagnosed(call(asks("f-main"), joined("p-flow", 1), legs=(leg("p-flow", "flow", "Main", flowId="f-main"),)))
    assert (found.outcome, found.reached) == (Outcome.ACCEPTED, Reached.REACTED)


def test_an_answer_that_names_a_sender_without_a_request() -> None:
    """The nearest request without an answer gets it."""
    found = diagnosed(call(asks(), refused("QUEUE_FULL", 1, fromParticipantId="p-stranger")))
    assert found.outcome is Outcome.REJECTED


def test_untimed_acceptance_before_its_request() -> None:
    """The one answer belongs to the one request."""
    found = diagnosed(call(accepted(None), asks(t=None), gone=None, over=60))
    assert found.outcome is Outcome.ACCEPTED


def test_some_other_leg_after_the_request_is_a_reaction() -> None:
    """A flow's leg is neither the target nor a human."""
    found = diagnosed(call(asks("q-x"), joined("p-flow", 2), legs=(leg("p-flow", "flow", "Main", 2, 40),)))
    assert (found.outcome, found.reached) == (Outcome.UNKNOWN, Reached.REACTED)


def test_two_requests_with_sessions_of_their_own_are_no_repetition() -> None:
    """Another session is another story."""
    found = diagnosed(call(asks(session="a"), asks(t=1, session="b"), accepted(2)))
    assert not [row for row in found.findings if row.code is Code.DUPLICATE_TRANSFER]


def test_a_great_many_requests_tell_the_first_and_the_last() -> None:
    """All are attempts, and the one that decides is told wherever it stands."""
    many = [asks(f"q-{number}", number, session=None) for number in range(40)]
    answer = event("sessionTransferAccepted", 10.5, toParticipantId="q-10")
    found = diagnosed(call(*many[:11], answer, *many[11:], gone=90, over=91))
    assert len(found.attempts) == 40
    assert found.outcome is Outcome.ACCEPTED
    assert "asked 40 times" in found.findings[0].message
    assert {row.attempt for row in found.findings} == {None, *range(1, 6), 11, *range(21, 41)}


def test_what_to_look_up_is_the_deciding_and_the_last() -> None:
    """A participant is looked up by what it stands for; a leg by what it carries where it has no purpose."""
    document = call(
        asks("p-billing"),
        accepted(1, toParticipantId="p-billing"),
        asks("p-odd", 10),
        legs=(billing(), leg("p-odd", "", "Odd", flowId="f-odd", identity="")),
    )
    wanted = targets_of(parse(document), Timing())
    assert [(ref.id, ref.kind) for ref in wanted] == [("q-billing", TargetKind.QUEUE), ("f-odd", TargetKind.FLOW)]


def test_a_leg_that_stands_for_nothing_is_looked_up_by_its_own_id() -> None:
    """No purpose, no object."""
    (ref,) = targets_of(parse(call(asks("p-odd"), legs=(leg("p-odd", "", "Odd"),))), Timing())
    assert (ref.id, ref.kind) == ("p-odd", None)


def test_a_queue_id_on_an_agents_leg_is_the_queue_still() -> None:
    """The agent was in it; who asks for the queue does not ask for him. The same with a flow."""
    document = call(asks("q-9"), asks("f-9", 5), legs=(ana(queueId="q-9", flowId="f-9"),))
    assert [(ref.name, ref.kind) for ref in targets_of(parse(document), Timing())] == [("", TargetKind.FLOW)]


def test_an_offered_call_that_the_caller_left_names_the_agent() -> None:
    """Rung by its state alone, and refused by its disconnect type."""
    found = diagnosed(call(asks("u-ana"), legs=(ana(None, 20, state="ringing", disconnectType="busy"),)))
    assert found.outcome is Outcome.UNANSWERED
    assert "Ana was offered the call" in finding(found, Code.AGENT_REFUSED).message


def test_who_left_before_the_request_was_not_rung_for_it() -> None:
    """The leg ended earlier."""
    found = diagnosed(call(asks("f-main"), left("p-ana", -20), legs=(ana(None, -20, disconnectType="busy"),)))
    assert found.outcome is Outcome.IGNORED


def test_an_untimed_request_after_a_timed_event() -> None:
    """It stands after the event before; whether the target, or another agent, came before or after cannot be told."""
    for person in (ana(9, 40), sam(9, 40)):
        found = diagnosed(call(event("botStarted", -5), asks("u-ana", None), legs=(person,)))
        assert found.outcome is Outcome.UNKNOWN
        assert "the transfer was accepted" in found.alternatives[0]


def test_a_queue_that_comes_after_its_refusal_answers_nobody() -> None:
    """The caller stood in it, and no human came; another queue that comes then is no answer at all."""
    after_all = (asks(), refused("QUEUE_FULL", 2), joined("p-billing", 5))
    found = diagnosed(call(*after_all, legs=(billing(5, 40),)))
    assert (found.outcome, found.reached, found.fault) == (Outcome.UNANSWERED, Reached.QUEUED, Fault.TARGET)
    assert found.confidence is Confidence.LIKELY
    assert found.summary == "The caller waited 40 s in Billing and left before a human was there."
    live = diagnosed(call(*after_all, legs=(billing(5),), gone=None, over=None), now=after(60))
    assert (live.outcome, live.headline) == (Outcome.WAITING, "Waiting in Billing for 60 s")
    ana_came = diagnosed(call(*after_all, joined("p-ana", 20), legs=(billing(5, 20), ana(20, 40))))
    assert (ana_came.outcome, ana_came.reached) == (Outcome.ACCEPTED, Reached.ANSWERED)
    assert ana_came.summary == "Ana answered 18 s after the transfer to Billing had been refused."
    support = leg("p-support", "queue", "Support", 5, 40, queueId="q-support")
    assert diagnosed(call(asks(), refused("QUEUE_FULL", 2), legs=(support,))).outcome is Outcome.REJECTED


@pytest.mark.parametrize("copies", [1, 2])
def test_a_refusal_that_is_listed_twice_answers_one_request(copies: int) -> None:
    """The second request has an answer of its own, and nothing of the first's."""
    twice = [refused("QUEUE_FULL", 1)] * (1 + copies)
    accepted_then = diagnosed(call(asks(), *twice, asks("q-2", 2), accepted(3)))
    assert (accepted_then.outcome, accepted_then.summary[-25:]) == (Outcome.ACCEPTED, "the second try, 2 s lost.")
    silent = diagnosed(call(asks(), *twice, asks("q-2", 2)))
    assert [each.outcome for each in silent.attempts] == [Outcome.REJECTED, Outcome.IGNORED]


def test_an_early_refusal_does_not_outdo_an_acceptance() -> None:
    """Two refusals within a second are two; who is accepted by name after that was accepted."""
    found = diagnosed(
        call(asks(), refused("FULL", 1), refused("FULL", 1.2), asks("q-2", 2), accepted(3, toParticipantId="q-2"))
    )
    assert (found.outcome, found.confidence) == (Outcome.ACCEPTED, Confidence.LIKELY)


def test_an_acceptance_when_the_caller_has_gone_is_told_so() -> None:
    """It is accepted, and nobody was served."""
    found = diagnosed(call(asks(), accepted(60), gone=40, over=61))
    assert found.summary == "q-billing accepted the handover 20 s after the caller had left."


def test_an_acceptance_that_names_nobody_is_that_of_the_refused_request() -> None:
    """There is no other that it could answer."""
    found = diagnosed(call(asks(), refused("TIMEOUT", 5), accepted(9)))
    assert (found.outcome, found.confidence) == (Outcome.ACCEPTED, Confidence.LIKELY)
    assert found.summary == "q-billing took it 4 s after the transfer had been refused."


def test_a_caller_who_drops_out_and_is_back_has_not_hung_up() -> None:
    """Who comes then answers; who does not is what went wrong."""
    back = (asks(), left("p-caller", 2), joined("p-caller", 3))
    answered = diagnosed(call(*back, joined("p-ana", 20), legs=(ana(20, 39),)))
    assert (answered.outcome, answered.reached) == (Outcome.ACCEPTED, Reached.ANSWERED)
    assert [row.what for row in answered.timeline][2:5] == ["leaves", "is back", "answers"]
    silent = diagnosed(call(*back))
    assert silent.outcome is Outcome.IGNORED
    untimed = diagnosed(call(asks(), left("p-caller", None), joined("p-caller", 3)))
    assert untimed.outcome is Outcome.IGNORED
    gone_again = diagnosed(call(*back, left("p-caller", 4), gone=None, over=5))
    assert gone_again.outcome is Outcome.ABANDONED


def test_a_queue_that_comes_just_before_the_next_request_answers_that() -> None:
    """It is not the late answer of the one that was refused before."""
    found = diagnosed(
        call(asks(), refused("QUEUE_FULL", 2), joined("p-billing", 9), asks(t=10), legs=(billing(9, 40),))
    )
    assert [each.outcome for each in found.attempts] == [Outcome.REJECTED, Outcome.UNANSWERED]
    assert [each.reached for each in found.attempts] == [Reached.REACTED, Reached.QUEUED]


def test_a_sender_that_cxone_does_not_know() -> None:
    """Where it is not the bot indeed, that is the cause; where it is, nobody can tell."""
    refusal = refused("From participant not found")
    wrong = diagnosed(call(asks(by="p-old"), refusal))
    assert (wrong.outcome, wrong.fault, wrong.cause) == (
        Outcome.FORBIDDEN,
        Fault.CONNECTOR,
        Code.FROM_PARTICIPANT_NOT_BOT,
    )
    assert "CXone refused it 1 s after the bot asked: “From participant not found”." in wrong.summary
    right = diagnosed(call(asks(), refusal))
    assert (right.outcome, right.fault) == (Outcome.REJECTED, Fault.UNKNOWN)


def test_the_wait_is_counted_from_the_queue_where_it_came_late() -> None:
    """A minute of silence is no minute in Billing."""
    found = diagnosed(call(asks(), legs=(billing(60, 120),), gone=120, over=121))
    assert found.headline == "Nobody at Billing answered: the caller waited 60 s"


def test_a_machine_that_asks_beside_a_bot_is_the_bot() -> None:
    """The bot left, and its script goes on under another purpose."""
    script = leg("p-ivr", "ivr", "Script", -5, 40)
    found = diagnosed(call(asks(by="p-ivr"), legs=(script,)))
    assert (found.outcome, found.fault) == (Outcome.IGNORED, Fault.FLOW)


def test_a_late_agent_without_a_time() -> None:
    """By the order of the document."""
    untimed = (asks("u-ana", None), refused("busy", None), joined("p-ana", None))
    found = diagnosed(call(*untimed, legs=(ana(),), gone=None, over=60))
    assert found.summary == "Ana answered after the transfer had been refused."


def test_silence_proves_nothing_where_answers_cannot_be_seen() -> None:
    """Where the record has no place for an answer."""
    blind = replace(parse(call(asks())), answers_visible=False)
    found = diagnose(blind, {}, now=after(720))
    assert (found.outcome, found.alternatives[0]) == (Outcome.UNKNOWN, "q-billing took the call, or refused it")


def test_an_acceptance_that_names_the_agent_is_no_answer_of_hers() -> None:
    """CXone took it for her; that she was in the call the record does not show."""
    found = diagnosed(call(asks("u-ana"), accepted(1, participantId="p-ana"), legs=(ana(),)), user())
    assert (found.outcome, found.reached) == (Outcome.ACCEPTED, Reached.REACTED)


@pytest.mark.parametrize("reason", ["odd", "forbidden"])
def test_a_name_that_ends_in_digits_does_not_touch_a_duration(reason: str) -> None:
    """What masks numbers in a sentence would take both for one."""
    found = diagnosed(call(asks("123456"), refused(reason)))
    messages = [found.summary, *(row.message for row in found.findings)]
    assert [redact.foreign(text) for text in messages] == messages
    assert "123456, 1 s after" in found.summary
