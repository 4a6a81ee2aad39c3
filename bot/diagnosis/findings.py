"""What each request shows, and what of the target bears on it: one small function a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.diagnosis import looked_up, signal_words, wording
from bot.diagnosis.attempts import Sign, session_of
from bot.diagnosis.case import Case, Verdict, away_then, inactive, missing
from bot.diagnosis.fixes import fix
from bot.diagnosis.handover import Finding, Target, TargetKind, TargetStatus
from bot.diagnosis.order import clock, seconds
from bot.diagnosis.outcomes import FINDINGS, Code, Outcome, Status
from bot.diagnosis.parties import clean

_LONGEST = 100
_FAILED = frozenset(Outcome) - {Outcome.ACCEPTED, Outcome.WAITING, Outcome.PENDING}
_TAKEN = frozenset({Outcome.ACCEPTED, Outcome.WAITING})
_WITHOUT_ANSWER = frozenset({Outcome.ABANDONED, Outcome.IGNORED, Outcome.UNANSWERED, Outcome.UNKNOWN})
_NOTHING_CAME = frozenset({Code.TRANSFER_IGNORED, Code.FLOW_WITHOUT_TRIGGER})
_INFO = Status.INFO
# Python 3.11 is slow to look up a member of an enum: what nearly every call is asked for is looked up once.
_NOBODY_FREE, _REJECTED, _ATTEMPTED = Code.NO_AGENTS_AVAILABLE, Code.TRANSFER_REJECTED, Code.TRANSFER_ATTEMPTED


def of_request(case: Case, verdict: Verdict) -> list[Finding]:
    """What the record shows of one request, without its target's state."""
    found = [attempted(case)]
    if verdict.outcome in _TAKEN or case.request.accepted or case.request.late:
        found.append(accepted(case))
    found += requested_badly(case)
    found += refused(case, verdict)
    if case.repeats is None:
        found += ended(case, verdict)
    if verdict.cause in signal_words.MESSAGES:
        text = signal_words.summary(case, verdict.cause)
        found.append(_new(case, verdict.cause, text, signal_words.evidence(case)))
    return found


def of_target(case: Case, verdict: Verdict) -> list[Finding]:
    """What the look-up of the target says. It was read later, and the sentence says when."""
    target = case.target
    failed = verdict.outcome in _FAILED
    if target is None:
        asked = case.request.ref
        if asked is None or not failed:
            return []
        return [_new(case, Code.NOT_CHECKED, f"{case.name} was not looked up.", {"toParticipantId": asked.asked})]
    found: list[Finding] = []
    if target.status is TargetStatus.NOT_CHECKED:
        why = clean(target.why_not_checked, 320) or "it could not be read"
        found.append(_new(case, Code.NOT_CHECKED, f"{case.name}: {why}.", {"target": target.id}))
    found += [
        _new(case, Code.NOT_CHECKED, f"{case.name}: {clean(why, 320)}.", {"target": target.id}) for why in target.partly
    ]
    found += not_there(case, target, failed=failed)
    if target.listens is False and target.kind is TargetKind.FLOW:
        lacks = "ONSIGNAL action" if case.profile == "contacts" else "Event trigger for sessionTransfer"
        text = f"The Studio flow {case.name} has no {lacks}{looked_up.when(case)}."
        found.append(_new(case, Code.FLOW_WITHOUT_TRIGGER, text, {"flow.triggers": "no event sessionTransfer"}))
    if failed and (few := signal_words.nobody_there(case, target)):
        figures = {"target.available": target.available, "target.assigned": target.assigned}
        found.append(_new(case, _NOBODY_FREE, few, figures))
    elif failed and (target.is_available is False or away_then(case)):
        found.append(unavailable(case, target))
    if target.closed_then and failed and not (case.reason and verdict.cause is Code.TARGET_CLOSED):
        text = f"{case.name} was closed at that time{f' (hours {clean(target.hours, 60)})' if target.hours else ''}."
        found.append(_new(case, Code.TARGET_CLOSED, text, {"target.hours": target.hours}))
    return found


def not_there(case: Case, target: Target, *, failed: bool) -> list[Finding]:
    """The target does not exist, or is switched off."""
    found: list[Finding] = []
    if missing(case):
        event = case.request.event
        evidence = {"target" if case.profile == "contacts" else f"{event.path}.toParticipantId": event.to_id}
        text = f"{case.name} is no participant of this call, and no user, queue or flow of this tenant."
        found.append(_new(case, Code.TARGET_NOT_FOUND, text, evidence))
    elif target.missing and failed:
        nothing = f"no user, queue or flow of this tenant{looked_up.when(case)}"
        text = f"{case.name} is a participant of this call, and {nothing}."
        found.append(_new(case, Code.NOT_CHECKED, text, {"target": target.id}))
    if inactive(case):
        text = f"{case.name} exists but is switched off{looked_up.when(case)}."
        found.append(_new(case, Code.TARGET_INACTIVE, text, {f"{_kind(target)}.isActive": False}))
    return found


def attempted(case: Case) -> Finding:
    """A handover was asked for."""
    event = case.request.event
    text = f"The bot asked for a handover to {case.name}."
    if case.profile == "contacts":  # a line of the log, or a state: it has no fields for who asks, nor for whom
        return _new(case, _ATTEMPTED, text, {event.path: event.type})
    evidence = {f"{event.path}.type": event.type}
    if event.from_id:
        evidence[f"{event.path}.fromParticipantId"] = event.from_id
    if event.to_id:
        evidence[f"{event.path}.toParticipantId"] = event.to_id
    return _new(case, _ATTEMPTED, text, evidence)


def accepted(case: Case) -> Finding:
    """CXone took it, in which form, and who answered."""
    request = case.request
    sign = request.answered or request.queued or request.accepted or request.late or request.offered
    if sign is None:  # pragma: no cover - a request counts as taken by one of these
        return attempted(case)
    who = case.who(sign)
    if request.answered and who and who != case.name:
        asked_user = case.kind is TargetKind.USER and not sign.names_target
        text = f"Answered by {who}, not the asked target {case.name}." if asked_user else f"Answered by {who}."
    elif request.answered:
        text = f"{case.name} answered."
    elif request.late:
        text = f"{wording.came_late(case)}."
    elif sign is request.offered and not request.accepted:
        text = f"{who or case.name} was rung."
    elif request.queued:
        text = f"The call entered the queue {case.place}."
    else:
        text = f"CXone accepted the transfer to {case.name}."
    evidence: dict[str, Any] = {sign.path: _shown(sign)}
    if request.accepted is not None and request.accepted is not sign:
        evidence[request.accepted.path] = _shown(request.accepted)
    return _new(case, Code.TRANSFER_ACCEPTED, text, evidence, at=sign.at or request.at)


def requested_badly(case: Case) -> list[Finding]:
    """What the request itself lacks or says wrongly."""
    request, event = case.request, case.request.event
    evidence: dict[str, Any]
    found: list[Finding] = []
    signalled = case.profile == "contacts"  # a signal has no field for who asks, nor for whom
    if not (event.from_id or signalled):
        text = "The transfer request has no `fromParticipantId`: CXone cannot tell who hands over."
        found.append(_new(case, Code.MISSING_FROM_PARTICIPANT, text, {f"{event.path}.fromParticipantId": None}))
    if not (event.to_id or signalled):
        text = "The transfer request has no `toParticipantId`: CXone cannot tell to whom."
        found.append(_new(case, Code.MISSING_TO_PARTICIPANT, text, {f"{event.path}.toParticipantId": None}))
    if not session_of(event) and not (signalled and event.source == "CXone"):
        text = "No `cognigySessionId` came with the transfer: the agent gets no context."
        evidence = {f"{event.path}.properties.cognigySessionId": None}
        found.append(_new(case, Code.MISSING_COGNIGY_SESSION, text, evidence))
    if case.from_is_bot is False:
        who = case.parties.called(request.sender) if request.sender is not None else clean(event.from_id, 60)
        text = f"The transfer was sent in the name of {who}, who is not the bot's participant."
        status = Status.ERROR if request.rejection is not None else Status.WARNING
        evidence = {f"{event.path}.fromParticipantId": event.from_id}
        found.append(_new(case, Code.FROM_PARTICIPANT_NOT_BOT, text, evidence, status=status))
    if request.ref is None and event.to_id:
        text = f"The request names a leg of the call itself as target: {case.name}."
        evidence = {f"{event.path}.toParticipantId": event.to_id}
        found.append(_new(case, Code.TARGET_NOT_A_DESTINATION, text, evidence))
    if request.duplicate_of is not None:
        refused_too = f"; the second was refused: {_quoted(case)}" if request.rejection else ""
        text = f"The same transfer to {case.name} was sent twice{refused_too}."
        found.append(
            _new(case, Code.DUPLICATE_TRANSFER, text, {event.path: event.type, "duplicateOf": request.duplicate_of})
        )
    return found


def refused(case: Case, verdict: Verdict) -> list[Finding]:
    """What CXone said when it refused, and what that means."""
    rejection = case.request.rejection or case.request.taken_back
    reason = case.reason
    if rejection is None or reason is None:
        return []
    if verdict.cause in signal_words.MESSAGES:
        return []
    evidence: dict[str, Any] = {f"{rejection.path}.reason": clean(rejection.reason, 300) or None}
    if rejection.code:
        evidence[f"{rejection.path}.code"] = clean(rejection.code, 60)
    if rejection.status:
        evidence[f"{rejection.path}.status"] = rejection.status
    after = ""
    if rejection.at is not None and case.request.at is not None and rejection.at > case.request.at:
        after = f" {seconds(rejection.at - case.request.at)} after it was asked for"
    if verdict.outcome is Outcome.FORBIDDEN:
        text = f"CXone refused the transfer to {case.name} for lack of permission{after}: {_quoted(case)}."
        return [_new(case, Code.TRANSFER_FORBIDDEN, text, evidence, at=rejection.at)]
    text = f"CXone refused the transfer to {case.name}{wording.apart(after)}: {_quoted(case)}."
    found = [_new(case, _REJECTED, text, evidence, at=rejection.at, fault=verdict)]
    meaning = _meaning(case, verdict.cause)
    if meaning and verdict.cause is not None:
        found.append(_new(case, verdict.cause, meaning, evidence, at=rejection.at))
    return found


def _meaning(case: Case, cause: Code | None) -> str:
    """What a refusal for this cause says of the target's side, "" for any other."""
    if cause is _NOBODY_FREE:
        return f"{case.name} {'was not' if case.kind == 'user' else 'had nobody'} free to take the call{_at(case)}."
    if cause is Code.TARGET_CLOSED:
        return f"{case.name} was closed{_at(case)}."
    return f"{case.name} was offered the call and did not take it." if cause is Code.AGENT_REFUSED else ""


def ended(case: Case, verdict: Verdict) -> list[Finding]:
    """How it ended where nobody refused."""
    request = case.request
    found: list[Finding] = []
    if verdict.cause in _NOTHING_CAME:
        silence = f" for {seconds(case.silence)}" if case.silence is not None else ""
        text = f"Nothing happened{silence} after the bot asked for {case.name}."
        found.append(_new(case, Code.TRANSFER_IGNORED, text, {request.event.path: request.event.type}))
    for sign in request.refusals:
        who, why = case.who(sign) or case.name, signal_words.refusal(sign.value)
        text = f"{who} was offered the call and did not take it ({why})."
        found.append(_new(case, Code.AGENT_REFUSED, text, {sign.path: sign.value}, at=sign.at))
    if verdict.outcome not in _WITHOUT_ANSWER and not case.refused_without_caller:
        return found
    if verdict.outcome is Outcome.UNANSWERED:
        text = f"{wording.stood(case)}, and no human answered.{wording.too_late(case)}"
        shown = request.queued or request.offered
        evidence = {shown.path: _shown(shown)} if shown is not None else {}
        found.append(_new(case, Code.NOBODY_ANSWERED, text, evidence))
    left = case.ending.customer_left
    if left is not None:
        late = request.at is not None and left < request.at - case.timing.early
        if late or case.caller_left_first:
            found.append(caller_left(case, verdict, late=late))
    return found


def caller_left(case: Case, verdict: Verdict, *, late: bool) -> Finding:
    """The customer left first."""
    if late:
        text = "The caller had left before the bot asked for the handover."
    elif verdict.outcome is Outcome.ABANDONED:
        text = f"The caller hung up {wording.left_when(case, 'the bot asked')}: too early to judge CXone."
    elif verdict.outcome is Outcome.UNANSWERED:
        text = f"The caller hung up after waiting {wording.waited(case)}."
    elif verdict.outcome is Outcome.UNKNOWN:
        text = f"The caller hung up {wording.left_when(case, 'the bot asked')}."
    else:
        text = f"The caller hung up after {wording.silence(case)} of silence."
    left = case.ending.customer_left
    evidence = {case.ending.customer_path: left.isoformat() if left is not None else ""}
    return _new(case, Code.CALLER_ABANDONED, text, evidence, at=left, fault=verdict)


def unavailable(case: Case, target: Target) -> Finding:
    """The state that the target had when it was looked up."""
    evidence: dict[str, Any] = {f"{_kind(target)}.state.stateName": target.state}
    if target.kind is TargetKind.QUEUE:
        evidence = {"queue.agentsAvailable": target.available, "queue.agentsLoggedIn": target.logged_in}
    return _new(case, Code.TARGET_UNAVAILABLE, looked_up.state(case, target), evidence)


def at_most_warnings(found: list[Finding]) -> list[Finding]:
    """An ERROR about the request that was accepted did not matter in the end."""
    return [row if row.status is not Status.ERROR else row._replace(status=Status.WARNING) for row in found]


def _new(
    case: Case,
    code: Code,
    message: str,
    evidence: Mapping[str, Any],
    *,
    status: Status | None = None,
    at: Any = None,
    fault: Verdict | None = None,
) -> Finding:
    grave = status or FINDINGS[code]
    if case.profile == "contacts":
        message = f"{message[:1].upper()}{message[1:]}"
    step = "" if grave is _INFO else fix(code, case, fault)
    return Finding(code, grave, message, at or case.request.at, evidence, step, case.request.number)


def _kind(target: Target) -> str:
    return target.kind.value if target.kind is not None else "target"


def _shown(sign: Sign) -> str:
    """What the record says there: a word, or a time."""
    return sign.value or (sign.at.isoformat() if sign.at is not None else "")


def _quoted(case: Case) -> str:
    text = case.reason.text if case.reason is not None else ""
    return f"“{clean(text, _LONGEST)}”" if text else "no reason given"


def _at(case: Case) -> str:
    return f" at {clock(case.request.at)}" if case.request.at is not None else ""
