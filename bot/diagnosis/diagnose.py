"""Conversation, targets, peers and the time of asking → the diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot import phone
from bot.diagnosis import context, findings, wording
from bot.diagnosis.attempts import Request, session_of
from bot.diagnosis.case import Case, Verdict, reached
from bot.diagnosis.handover import (
    Attempt,
    Conversation,
    Diagnosis,
    Finding,
    Peers,
    Target,
    TargetRef,
    Timing,
)
from bot.diagnosis.order import Ending, Step, ending_of, in_order
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome, Reached
from bot.diagnosis.pairing import requests_of
from bot.diagnosis.parties import Parties, clean, parties_of, unnamed
from bot.diagnosis.reasons import read
from bot.diagnosis.record import about_the_record, never_asked, plain
from bot.diagnosis.rules import judge
from bot.diagnosis.timeline import timeline_of

_REACHED = (Outcome.ACCEPTED, Outcome.WAITING)
_TAKEN = (*_REACHED, Outcome.UNANSWERED)
_FIRST_TOLD, _LAST_TOLD, _MOST_TOLD = 5, 20, 30
_LONGEST_ID, _LONGEST_IN_A_SENTENCE = 60, 24
_OF_INCOMING = frozenset({Code.NO_TRANSFER_EVENT, Code.NO_BOT_LEG})
# Where a request, and where an answer, would stand: a part of it that cannot be read proves no silence.
_TELL_REQUESTS = ("events[", "cognigy.logs[", "cognigy.conversation.items[")
_TELL_ANSWERS = ("events", "contactStateHistory[", "children[")
_IN_THE_UNREAD = ("a request stands in a part that could not be read",)
_NOT_SHOWN = ("the bot asked, and the Studio script did not act on it", "the bot never asked")
# What a request is for that names nobody: a signal goes to the script, whatever it leads to.
_UNNAMED = {"conversations": "an unnamed target", "contacts": "the Studio script"}


def diagnose(
    conversation: Conversation,
    targets: Mapping[str, Target],
    *,
    now: datetime,
    timing: Timing = Timing(),  # noqa: B008 - frozen
    peers: Peers | None = None,
) -> Diagnosis:
    """Why this handover came out as it did. `targets` by `TargetRef.id`; one that was not looked at is absent."""
    parties = parties_of(conversation)
    conversation = unnamed(conversation, parties)
    steps = in_order(conversation, parties)
    ending = ending_of(conversation, parties, steps)
    requests = requests_of(conversation, parties, timing, steps, ending.customer_left)
    unread = bool(conversation.faults) and any(fault.startswith(_TELL_ANSWERS) for fault in conversation.faults)
    judged: dict[int, tuple[Case, Verdict]] = {}  # by the request's number
    names: dict[str, str] = {}  # of targets, by the id that was asked for
    for request in requests:
        if request.by == "agent":
            continue
        target = targets.get(request.ref.id) if request.ref is not None else None
        case = _case(request, target, parties, ending, conversation=conversation, now=now, timing=timing, unread=unread)
        # A repetition that nothing answered came out as the request it repeats.
        first = judged.get(case.repeats) if case.repeats is not None else None
        judged[request.number] = (case, first[1] if first is not None else judge(case))
        if request.event.to_id or case.profile == "contacts":
            names[request.event.to_id] = case.name
    found = about_the_record(conversation, parties, requests)
    if not judged:
        return _without_request(conversation, parties, ending, requests, steps, found)
    verdicts = list(judged.values())
    case, verdict = _deciding(judged)
    for each, result in _told(verdicts, case, found):
        rows = findings.of_request(each, result) + findings.of_target(each, result)
        found += findings.at_most_warnings(rows) if each is case and result.outcome in _REACHED else rows
    change = context.recent_change(case, verdict, peers)
    if change is not None:
        found.append(change)
    attempts = tuple([_attempt(request, judged.get(request.number), parties) for request in requests])
    decided_by = attempts[case.request.number - 1]
    return Diagnosis(
        conversation_id=conversation.id,
        started_at=conversation.started_at,
        ended_at=conversation.ended_at or (ending.at if ending.over else None),
        phone=_phone(parties),
        outcome=verdict.outcome,
        reached=decided_by.reached,
        fault=decided_by.fault,
        confidence=verdict.confidence,
        alternatives=verdict.alternatives,
        headline=wording.headline(case, verdict),
        summary=wording.summary(case, verdict)
        + (wording.second_try(case, verdicts) if verdict.outcome in _TAKEN else ""),
        next_step=_next_step(found, verdict.cause, case.request.number),
        findings=_once(found),
        attempts=attempts,
        timeline=timeline_of(conversation, parties, ending, requests, names, steps),
        target=verdicts[-1][0].target,
        decided_by=decided_by,
        cause=verdict.cause,
        bot_name=_bot_name(parties),
        dialled=_dialled(conversation),
        context=context.sentence(peers, case.name),
    )


def targets_of(conversation: Conversation, timing: Timing) -> tuple[TargetRef, ...]:
    """What to look up: the target of the request that decides and that of the bot's last one, usually the same."""
    parties = parties_of(conversation)
    steps = in_order(conversation, parties)
    left = ending_of(conversation, parties, steps).customer_left
    requests = [each for each in requests_of(conversation, parties, timing, steps, left) if each.by != "agent"]
    taken = [each for each in requests if each.accepted or each.late or each.answered]
    wanted = [replace(each.ref, at=each.at) for each in (*taken[-1:], *requests[-1:]) if each.ref is not None]
    return tuple({ref.id: ref for ref in wanted}.values())


def _case(
    request: Request,
    target: Target | None,
    parties: Parties,
    ending: Ending,
    *,
    conversation: Conversation,
    now: datetime,
    timing: Timing,
    unread: bool,
) -> Case:
    ref, event = request.ref, request.event
    rejection = request.rejection or request.taken_back
    name = (clean(target.name, 80) if target is not None else "") or (ref.name if ref is not None else "")
    if ref is None and request.leg is not None:
        name = parties.names[request.leg.path]
    sender = request.sender.path if request.sender is not None else ""
    from_is_bot: bool | None = None
    if event.from_id and (parties.bots or sender in parties.customer_paths):
        from_is_bot = sender in parties.bot_paths
    return Case(
        request=request,
        target=target,
        ending=ending,
        now=now,
        timing=timing,
        parties=parties,
        name=name or _short(event.to_id) or _UNNAMED[conversation.profile],
        reason=read(rejection.reason, rejection.code, rejection.status) if rejection is not None else None,
        from_is_bot=from_is_bot,
        unread=unread,
        answers_visible=conversation.answers_visible,
        profile=conversation.profile,
    )


def _short(id_: str) -> str:
    """An id in a sentence: a long one by its beginning; the whole stands in the attempt."""
    shown = clean(id_, _LONGEST_ID)
    return f"target {shown[:8]}…" if len(shown) > _LONGEST_IN_A_SENTENCE else shown


def _deciding(judged: dict[int, tuple[Case, Verdict]]) -> tuple[Case, Verdict]:
    """The last that was accepted, else the last. Of a request sent twice, the one that has the answer."""
    verdicts = list(judged.values())
    taken = [row for row in verdicts if row[1].outcome in _TAKEN]
    with_answer = [row for row in taken if not row[0].request.open or row[0].request.offered]
    row = (with_answer or taken or verdicts)[-1]
    while row[0].repeats is not None and row[0].repeats in judged:
        row = judged[row[0].repeats]
    return row


def _told(verdicts: list[tuple[Case, Verdict]], deciding: Case, found: list[Finding]) -> list[tuple[Case, Verdict]]:
    """Those of which each finding is told: of a great many the first and the last, and the one that decides."""
    if len(verdicts) <= _MOST_TOLD:
        return verdicts
    text = f"The bot asked {len(verdicts)} times. Told are the first {_FIRST_TOLD} and the last {_LAST_TOLD} requests."
    found.append(plain(Code.TRANSFER_ATTEMPTED, text, {"sessionTransfer": len(verdicts)}))
    between = [row for row in verdicts[_FIRST_TOLD:-_LAST_TOLD] if row[0] is deciding]
    return [*verdicts[:_FIRST_TOLD], *between, *verdicts[-_LAST_TOLD:]]


def _attempt(request: Request, row: tuple[Case, Verdict] | None, parties: Parties) -> Attempt:
    """A request as it was judged; an agent's is not."""
    event, leg = request.event, request.leg
    case, verdict = row if row is not None else (None, None)
    reason = case.reason if case is not None else None
    if case is not None:
        to_name = case.name
    else:
        to_name = parties.names[leg.path] if leg is not None else clean(event.to_id, _LONGEST_ID)
    return Attempt(
        number=request.number,
        timestamp=event.at,
        from_id=event.from_id,
        to_id=event.to_id,
        from_name=parties.names[request.sender.path] if request.sender else clean(event.from_id, _LONGEST_ID),
        to_name=to_name,
        by=request.by,
        outcome=verdict.outcome if verdict is not None else Outcome.UNKNOWN,
        fault=verdict.side if verdict is not None else Fault.NONE,
        reached=reached(case) if case is not None else Reached.ASKED,
        reason=reason.text if reason is not None else "",
        reason_code=reason.code if reason is not None else "",
        session_id=session_of(event),
        properties=event.properties,
        path=event.path,
        ref=request.ref,
    )


def _without_request(  # noqa: PLR0917 - what was read of the call so far
    conversation: Conversation,
    parties: Parties,
    ending: Ending,
    requests: tuple[Request, ...],
    steps: list[Step],
    found: list[Finding],
) -> Diagnosis:
    lists_events = "events" not in conversation.faults and "document" not in conversation.faults
    tells = lists_events and conversation.asks_visible
    unread = sum(fault.startswith(_TELL_REQUESTS) and fault.endswith("]") for fault in conversation.faults)
    tells = tells and (not unread or unread < len(conversation.events))
    outcome = Outcome.NOT_ATTEMPTED if tells else Outcome.UNKNOWN
    cause = None
    if tells:
        cause = Code.NO_TRANSFER_EVENT if parties.bots else Code.NO_BOT_LEG
        cause = next((row.code for row in found if row.code in (Code.BOT_FAILED, Code.BOT_HUNG_UP)), cause)
        found.append(never_asked(conversation, parties, over=ending.over))
    if conversation.outbound:  # what a bot should do with an incoming call is no advice for this one
        found = [row._replace(fix="") if row.code in _OF_INCOMING else row for row in found]
    headline, summary = wording.without_request(conversation, parties, outcome, over=ending.over, asked=bool(requests))
    confidence = Confidence.CERTAIN if tells and not unread else Confidence.POSSIBLE
    others = _IN_THE_UNREAD if unread or not lists_events else () if tells else _NOT_SHOWN
    return Diagnosis(
        conversation_id=conversation.id,
        started_at=conversation.started_at,
        ended_at=conversation.ended_at or (ending.at if ending.over else None),
        phone=_phone(parties),
        outcome=outcome,
        reached=Reached.NONE,
        fault=Fault.NONE if tells else Fault.UNKNOWN,
        confidence=confidence,
        alternatives=others,
        headline=headline,
        summary=summary,
        next_step=next((row.fix for row in found if row.code is cause), ""),
        findings=tuple(found),
        attempts=tuple([_attempt(request, None, parties) for request in requests]),
        timeline=timeline_of(conversation, parties, ending, requests, {}, steps),
        cause=cause,
        bot_name=_bot_name(parties),
        dialled=_dialled(conversation),
    )


def _next_step(found: list[Finding], cause: Code | None, number: int) -> str:
    """The fix of the finding that decided."""
    for row in found:
        if row.code is cause and row.attempt == number:
            return row.fix
    return ""


def _once(found: list[Finding]) -> tuple[Finding, ...]:
    """What two requests to the same target both show of it is said once; the later one's stays."""
    kept = {(row.code, row.message, None if row.code in _OF_TARGETS else row.attempt): row for row in found}
    return tuple(kept.values())


_OF_TARGETS = frozenset(
    {Code.NOT_CHECKED, Code.TARGET_NOT_FOUND, Code.TARGET_INACTIVE, Code.FLOW_WITHOUT_TRIGGER, Code.TARGET_UNAVAILABLE}
)


def _phone(parties: Parties) -> str:
    for leg in parties.customers:
        if leg.identity:
            return phone.mask(leg.identity)
    return ""


def _bot_name(parties: Parties) -> str:
    return parties.names[parties.bots[0].path] if parties.bots else ""


def _dialled(conversation: Conversation) -> str:
    for leg in conversation.participants:
        if leg.dialled:
            return phone.mask(leg.dialled)
    return ""
