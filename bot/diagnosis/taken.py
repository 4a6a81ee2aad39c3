"""Rules for a request that was taken, each as in `rules`: answered, waiting, left while waiting, or just taken."""

from __future__ import annotations

from datetime import timedelta

from bot.diagnosis.case import Case, Verdict, away_then, served_late
from bot.diagnosis.outcomes import Code, Confidence, Outcome
from bot.diagnosis.parties import QUEUES

_WITH_THE_CALLER = timedelta(seconds=2)  # a queue's leg that ends this close to the caller's lasted to the end
_CERTAIN, _LIKELY = Confidence.CERTAIN, Confidence.LIKELY


def answered(case: Case) -> Verdict | None:
    """A human is in the call."""
    sign = case.request.answered
    if sign is None:
        return None
    named = sign.names_target and sign.at is not None
    sure = named or case.request.queued is not None or case.request.accepted is not sign
    return Verdict(Outcome.ACCEPTED, Code.TRANSFER_ACCEPTED, _CERTAIN if sure else _LIKELY)


def came_after_a_refusal(case: Case) -> Verdict | None:
    """Refused first, and then the target itself came, or a new agent."""
    late = served_late(case)
    if late is None:
        return None
    if late.names_target:
        return Verdict(Outcome.ACCEPTED, Code.TRANSFER_ACCEPTED, _LIKELY)
    other = f"{case.who(late)} came by another way, and the handover failed"
    return Verdict(Outcome.ACCEPTED, Code.TRANSFER_ACCEPTED, Confidence.POSSIBLE, (other,))


def _refused(case: Case) -> bool:
    """Whether a refusal was the end of it: the queue may have taken the call all the same."""
    if not (case.request.rejection or case.request.taken_back):
        return False
    late = served_late(case)
    return late is None or late.who is None or late.who.purpose not in QUEUES


def left_while_waiting(case: Case) -> Verdict | None:
    """The call stood in a queue, or an agent was rung, and it ended before a human was there."""
    request, ending = case.request, case.ending
    if not (request.queued or request.offered) or not ending.over or _refused(case):
        return None
    lasted = _lasted(case)
    if not lasted and case.profile != "contacts":  # a contact's states show a human wherever one came
        return None
    if case.silence is not None and case.silence <= case.timing.abandon and case.caller_left_first:
        return Verdict(Outcome.ABANDONED, Code.CALLER_ABANDONED, _LIKELY)
    cause = Code.AGENT_REFUSED if request.refusals else _reason_then(case) or Code.NOBODY_ANSWERED
    if ending.customer_left is not None and lasted:
        return Verdict(Outcome.UNANSWERED, cause, _CERTAIN if request.rejection is None else _LIKELY)
    other = f"somebody at {case.name} answered and the record does not show it"
    return Verdict(Outcome.UNANSWERED, cause, Confidence.POSSIBLE, (other,))


def _reason_then(case: Case) -> Code | None:
    """What is known of that time and explains why nobody came: the queue was closed, the asked agent was away."""
    if case.target is not None and case.target.closed_then:
        return Code.TARGET_CLOSED
    return Code.TARGET_UNAVAILABLE if away_then(case) else None


def _lasted(case: Case) -> bool:
    """Whether the queue's leg was there until the caller left: one that ended before may have passed the call on."""
    queue = case.request.queued.who if case.request.queued else None
    left = case.ending.customer_left or case.ending.at
    if queue is None or queue.ended_at is None or left is None or case.request.offered is not None:
        return True
    return queue.ended_at >= left - _WITH_THE_CALLER


def still_waiting(case: Case) -> Verdict | None:
    """Queued or being rung, and the call is live."""
    request = case.request
    if not (request.queued or request.offered) or case.ending.over or _refused(case):
        return None
    queue = request.queued.who if request.queued else None
    passed_on = queue is not None and queue.ended_at is not None and request.offered is None
    if passed_on and case.profile != "contacts":
        return None
    if request.queued is None and request.rung is None:
        other = f"nobody is being rung any more, and {case.name} will not come"
        return Verdict(Outcome.WAITING, Code.AGENT_REFUSED, Confidence.POSSIBLE, (other,))
    return Verdict(Outcome.WAITING, None, _CERTAIN)


def taken(case: Case) -> Verdict | None:
    """CXone took it; whether a human answered, the record does not show."""
    sign = case.request.accepted
    if sign is None or case.request.taken_back:
        return None
    sure = sign.names_target and sign.at is not None
    return Verdict(Outcome.ACCEPTED, Code.TRANSFER_ACCEPTED, _CERTAIN if sure else _LIKELY)
