"""The ladder: one small function a rule, in the order in which they are asked. The first that answers decides.

It has three parts, at the end of this file: the request was taken, it was refused, or nothing answered it.

Cause and fault rest on what the record says of the time of the failure. What was read later (`Case.target`) decides
only where the record is silent, and never surely on a call older than a quarter of an hour.
"""

from __future__ import annotations

from bot.diagnosis import signals, taken
from bot.diagnosis.case import Case, Rule, Verdict, family, gone, how_sure, inactive, missing, unknown
from bot.diagnosis.handover import TargetKind, TargetStatus
from bot.diagnosis.order import clock
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome
from bot.diagnosis.reasons import Family

# Python 3.11 is slow to look up a member of an enum: what every call is asked for is looked up once.
_FORBIDDEN, _INVALID, _PLATFORM, _SENDER = Family.FORBIDDEN, Family.INVALID, Family.PLATFORM, Family.SENDER
_CERTAIN, _LIKELY = Confidence.CERTAIN, Confidence.LIKELY


def judge(case: Case) -> Verdict:
    """The first rule that answers; the rules about a refusal are asked only where there is one."""
    request = case.request
    if request.accepted or request.queued or request.offered or request.answered or request.late:
        verdict = _first(TAKEN, case)
        if verdict is not None:
            return verdict
    return _first(REFUSED if case.reason is not None else SILENT, case) or ignored(case)


def _first(rules: tuple[Rule, ...], case: Case) -> Verdict | None:
    for rule in rules:
        verdict = rule(case)
        if verdict is not None:
            return verdict
    return None


# ---- valid and authorised? ------------------------------------------------------------------------------------------


def malformed(case: Case) -> Verdict | None:
    """The request does not say who hands over, or to whom."""
    event = case.request.event
    if case.profile == "contacts" or (event.to_id and event.from_id):
        return None  # a signal has no field for either
    code = Code.MISSING_FROM_PARTICIPANT if event.to_id else Code.MISSING_TO_PARTICIPANT
    return Verdict(Outcome.MALFORMED, code, _CERTAIN)


def target_is_no_destination(case: Case) -> Verdict | None:
    """The request names the caller or the bot itself as the target."""
    request = case.request
    if not request.event.to_id or request.ref is not None or family(case) not in (None, _INVALID, Family.UNKNOWN):
        return None
    return Verdict(Outcome.INVALID_TARGET, Code.TARGET_NOT_A_DESTINATION, _CERTAIN)


# ---- refused --------------------------------------------------------------------------------------------------------


def refused_for_permission(case: Case) -> Verdict | None:
    """CXone said 403, or that it is not allowed."""
    if family(case) is not _FORBIDDEN:
        return None
    return Verdict(Outcome.FORBIDDEN, Code.TRANSFER_FORBIDDEN, _CERTAIN)


def refused_for_the_sender(case: Case) -> Verdict | None:
    """CXone does not know who asks, and it is not the bot indeed."""
    if family(case) is not _SENDER or case.from_is_bot is not False:
        return None
    return Verdict(Outcome.FORBIDDEN, Code.FROM_PARTICIPANT_NOT_BOT, _LIKELY)


def refused_as_invalid(case: Case) -> Verdict | None:
    """CXone said 400 or 404, or that there is no such target."""
    if family(case) is not _INVALID:
        return None
    cause = Code.TRANSFER_REJECTED
    if missing(case):
        cause = Code.TARGET_NOT_FOUND
    elif inactive(case):
        cause = Code.TARGET_INACTIVE
    elif case.from_is_bot is False:
        return Verdict(
            Outcome.INVALID_TARGET,
            cause,
            Confidence.POSSIBLE,
            ("the invalid id is `fromParticipantId`, which is not the bot's participant",),
        )
    return Verdict(Outcome.INVALID_TARGET, cause, _CERTAIN)


def refused_by_the_platform(case: Case) -> Verdict | None:
    """A 5xx or a 429: CXone itself."""
    if family(case) is not _PLATFORM:
        return None
    return Verdict(Outcome.REJECTED, Code.TRANSFER_REJECTED, _CERTAIN, fault=Fault.PLATFORM)


def refused_by_the_target(case: Case) -> Verdict | None:
    """Closed, nobody there, or the agent did not want it."""
    cause = _TARGETS_REASONS.get(family(case))
    if cause is None:
        return None
    if inactive(case) and not case.read_late:
        return gone(case)
    return Verdict(Outcome.REJECTED, cause, _CERTAIN, fault=Fault.TARGET)


_TARGETS_REASONS: dict[Family | None, Code] = {
    Family.CLOSED: Code.TARGET_CLOSED,
    Family.STAFFING: Code.NO_AGENTS_AVAILABLE,
    Family.DECLINED: Code.AGENT_REFUSED,
}


def refused_after_the_caller_left(case: Case) -> Verdict | None:
    """The caller hung up within seconds of the request, and the refusal came only then."""
    if case.silence is None or case.silence > case.timing.abandon or not case.refused_without_caller:
        return None
    other = (f"{case.name} would have refused it anyway",)
    return Verdict(Outcome.ABANDONED, Code.CALLER_ABANDONED, Confidence.POSSIBLE, other)


def refused_for_a_reason_nobody_knows(case: Case) -> Verdict:
    """Any other refusal: its reason says nothing about a side, and a target that is gone is the likeliest cause."""
    lost = gone(case)
    if lost is not None:
        return lost
    others = [
        _NOT_READY.get(case.kind, "{} had nobody available").format(case.name),
        "a limit or a policy inside CXone",
    ]
    if case.refused_without_caller:
        others.insert(0, "it was refused because the caller had hung up")
    if case.target is not None and case.target.closed_then:
        return Verdict(Outcome.REJECTED, Code.TARGET_CLOSED, _LIKELY, fault=Fault.TARGET)
    if case.from_is_bot is False:
        others.insert(0, "the request was sent in the name of a participant who is not the bot")
    return Verdict(Outcome.REJECTED, Code.TRANSFER_REJECTED, Confidence.POSSIBLE, tuple(others), Fault.UNKNOWN)


_NOT_READY: dict[TargetKind | None, str] = {
    TargetKind.USER: "{} was not available",
    TargetKind.FLOW: "a step of the flow {} failed",
}


# ---- no answer ------------------------------------------------------------------------------------------------------


def target_does_not_exist(case: Case) -> Verdict | None:
    """Nothing answered, and the target is no user, no queue and no flow."""
    return gone(case) if missing(case) else None


def too_young(case: Case) -> Verdict | None:
    """Asked for less than the grace period ago, in a call that is live."""
    if case.ending.over or case.request.at is None or case.now - case.request.at >= case.timing.grace:
        return None
    return Verdict(Outcome.PENDING, None, _CERTAIN)


def target_is_retired(case: Case) -> Verdict | None:
    """Nothing answered, and the target is switched off."""
    return gone(case) if inactive(case) else None


def time_unknown(case: Case) -> Verdict | None:
    """Without times or order nobody can say that nothing came after the request."""
    if case.request.undecided:
        return unknown("the transfer was accepted, and the record lacks the times that would show it")
    if case.silence is None:
        return unknown("the call ended too soon after the request to judge", "the Studio flow ignored the request")
    return None


def asked_too_late(case: Case) -> Verdict | None:
    """The caller had left before the bot asked."""
    left, at = case.ending.customer_left, case.request.at
    if left is None or at is None or at - left <= case.timing.early:
        return None
    return unknown(f"the caller had left at {clock(left)}, before the bot asked")


def caller_left_at_once(case: Case) -> Verdict | None:
    """The customer's leg ended first, within seconds of the request: too early to judge CXone."""
    if not case.ending.over or case.silence is None or case.silence > case.timing.abandon:
        return None
    if case.caller_left_first:
        return Verdict(Outcome.ABANDONED, Code.CALLER_ABANDONED, _LIKELY)
    return unknown("the caller hung up", "the bot or CXone ended the call")


def sender_is_not_the_bot(case: Case) -> Verdict | None:
    """Nothing answered, and the request was sent in the name of somebody who is not the bot."""
    if case.from_is_bot is not False:
        return None
    return Verdict(
        Outcome.FORBIDDEN,
        Code.FROM_PARTICIPANT_NOT_BOT,
        Confidence.POSSIBLE,
        ("the Studio flow does not listen for `sessionTransfer`",),
    )


def answers_not_seen(case: Case) -> Verdict | None:
    """What came after the request could not be read: that nothing is known is no sign that nothing happened."""
    if case.answers_visible:
        return None
    return unknown(f"{case.name} took the call, or refused it", "the Studio flow ignored the request")


def reacted_without_an_end(case: Case) -> Verdict | None:
    """Something changed after the request, and the record shows neither acceptance nor refusal."""
    if case.request.reacted is None:
        return None
    return unknown(
        "the transfer was accepted, and the record does not show by whom",
        "CXone began the transfer and did not finish it",
    )


def ignored(case: Case) -> Verdict:
    """Asked, valid, and nothing at all happened."""
    target, others = case.target, []
    if target is None or target.status is TargetStatus.NOT_CHECKED:
        # A contact's script is where the call came in: its id is right.
        if case.request.ref is not None and not (case.profile == "contacts" and case.kind is TargetKind.FLOW):
            others.append(f"the id of {case.name} is stale or mistyped: it could not be checked")
    elif target.missing:
        others.append(f"{case.name} is a participant of this call and does not exist in CXone any more")
    elif target.is_available is False:
        others.append(f"{case.name} took no calls at that time")
    if case.there_before:
        others.append(f"{case.name} was in the call already when the bot asked")
    if case.from_is_bot is None and case.request.event.from_id:
        others.append("the request was sent in another's name: no bot is among the participants to compare with")
    if case.unread:
        others.append("an answer stands in a part of the record that could not be read")
    if target is not None and target.listens is False:
        if case.read_late:
            others.append("the flow had its trigger then and lost it since")
        return Verdict(Outcome.IGNORED, Code.FLOW_WITHOUT_TRIGGER, how_sure(others), tuple(others))
    return Verdict(Outcome.IGNORED, Code.TRANSFER_IGNORED, how_sure(others), tuple(others))


TAKEN: tuple[Rule, ...] = (
    taken.answered,
    taken.left_while_waiting,
    taken.still_waiting,
    taken.came_after_a_refusal,
    taken.taken,
)
REFUSED: tuple[Rule, ...] = (
    signals.nothing_to_signal,
    signals.channel_without_handover,
    malformed,
    signals.refused_by_telephony,
    target_is_no_destination,
    refused_for_permission,
    signals.signal_not_taken,
    refused_for_the_sender,
    refused_as_invalid,
    refused_by_the_platform,
    refused_by_the_target,
    refused_after_the_caller_left,
    refused_for_a_reason_nobody_knows,
)
SILENT: tuple[Rule, ...] = (
    malformed,
    target_is_no_destination,
    target_does_not_exist,
    too_young,
    target_is_retired,
    asked_too_late,
    time_unknown,
    caller_left_at_once,
    sender_is_not_the_bot,
    answers_not_seen,
    signals.signal_to_the_main_contact,
    signals.queue_for_another_medium,
    signals.closed_at_that_time,
    reacted_without_an_end,
)
