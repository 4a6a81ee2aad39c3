"""Conversation, targets, peers and the time of asking → the diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot import phone
from bot.diagnosis import context, findings, signal_words, wording
from bot.diagnosis.attempts import Request, requests_of, session_of
from bot.diagnosis.case import Case, Verdict, reached
from bot.diagnosis.fixes import fix
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
from bot.diagnosis.order import Ending, ending_of, in_order, seconds
from bot.diagnosis.outcomes import FINDINGS, Code, Confidence, Fault, Outcome, Reached, Status
from bot.diagnosis.parties import Parties, clean, named, parties_of
from bot.diagnosis.reasons import read
from bot.diagnosis.rules import judge
from bot.diagnosis.timeline import timeline_of

_TAKEN = (Outcome.ACCEPTED, Outcome.WAITING, Outcome.UNANSWERED)
_FIRST_TOLD, _LAST_TOLD = 5, 20
_MOST_TOLD = 30
_LONGEST_ID = 60
_NO_EVENT = "there is no sessionTransfer of the bot among the events"
_LONGEST_IN_A_SENTENCE = 24


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
    ending = ending_of(conversation, parties)
    steps = in_order(conversation)
    requests = requests_of(conversation, parties, timing, steps)
    judged = [
        _judge(each, parties, ending, targets, conversation=conversation, now=now, timing=timing)
        for each in requests
        if each.by != "agent"
    ]
    verdicts = _repetitions(judged)
    names = {case.request.event.to_id: case.name for case, _ in verdicts}
    found = _about_the_record(conversation, parties, requests)
    if not verdicts:
        return _without_request(conversation, parties, ending, requests, found)
    case, verdict = _deciding(verdicts)
    for each, result in _told(verdicts, case, found):
        rows = findings.of_request(each, result) + findings.of_target(each, result)
        found += findings.at_most_warnings(rows) if each is case and result.outcome in _TAKEN[:2] else rows
    change = context.recent_change(case, verdict, peers)
    if change is not None:
        found.append(change)
    attempts = _attempts(requests, verdicts, parties)
    cause = next((row for row in found if row.code is verdict.cause and row.attempt == case.request.number), None)
    last = verdicts[-1][0]
    return Diagnosis(
        conversation_id=conversation.id,
        started_at=conversation.started_at,
        ended_at=conversation.ended_at or (ending.at if ending.over else None),
        phone=_phone(parties),
        outcome=verdict.outcome,
        reached=reached(case),
        fault=verdict.side,
        confidence=verdict.confidence,
        alternatives=verdict.alternatives,
        headline=wording.headline(case, verdict),
        summary=wording.summary(case, verdict) + _second_try(case, verdict, verdicts),
        next_step=cause.fix if cause is not None else "",
        findings=_once(found),
        attempts=attempts,
        timeline=timeline_of(conversation, parties, ending, requests, names, steps),
        target=last.target,
        decided_by=attempts[case.request.number - 1],
        cause=verdict.cause,
        bot_name=_bot_name(parties),
        dialled=_dialled(conversation),
        context=context.sentence(peers, case.name),
    )


def targets_of(conversation: Conversation, timing: Timing) -> tuple[TargetRef, ...]:
    """What to look up: the target of the request that decides and that of the bot's last one, usually the same."""
    requests = [each for each in requests_of(conversation, parties_of(conversation), timing) if each.by != "agent"]
    taken = [each for each in requests if each.accepted or each.late or each.answered]
    wanted = [replace(each.ref, at=each.at) for each in (*taken[-1:], *requests[-1:]) if each.ref is not None]
    return tuple({ref.id: ref for ref in wanted}.values())


def _judge(
    request: Request,
    parties: Parties,
    ending: Ending,
    targets: Mapping[str, Target],
    *,
    conversation: Conversation,
    now: datetime,
    timing: Timing,
) -> tuple[Case, Verdict]:
    ref, event = request.ref, request.event
    target = targets.get(ref.id) if ref is not None else None
    rejection = request.rejection or request.taken_back
    name = (clean(target.name, 80) if target is not None else "") or (ref.name if ref is not None else "")
    if ref is None and request.leg is not None:
        name = parties.names[request.leg.path]
    from_is_bot: bool | None = None
    if event.from_id and conversation.participants:
        from_is_bot = request.sender is not None and request.sender.path in parties.bot_paths
    case = Case(
        request=request,
        target=target,
        ending=ending,
        now=now,
        timing=timing,
        name=name or _short(event.to_id) or "an unnamed target",
        reason=read(rejection.reason, rejection.code) if rejection is not None else None,
        from_is_bot=from_is_bot,
        unread=any(fault.startswith("events") for fault in conversation.faults),
        answers_visible=conversation.answers_visible,
        profile=conversation.profile,
    )
    return case, judge(case)


def _short(id_: str) -> str:
    """An id in a sentence: a long one by its beginning; the whole stands in the attempt."""
    shown = clean(id_, _LONGEST_ID)
    return f"target {shown[:8]}…" if len(shown) > _LONGEST_IN_A_SENTENCE else shown


def _repetitions(judged: list[tuple[Case, Verdict]]) -> list[tuple[Case, Verdict]]:
    """A repetition that nothing answered came out as the request it repeats."""
    by_number = {case.request.number: verdict for case, verdict in judged}
    rows: list[tuple[Case, Verdict]] = []
    for case, verdict in judged:
        first = case.request.duplicate_of
        if first is not None and first in by_number and case.request.open:
            verdict = by_number[case.request.number] = by_number[first]  # noqa: PLW2901 - the repetition's own says less
        rows.append((case, verdict))
    return rows


def _deciding(verdicts: list[tuple[Case, Verdict]]) -> tuple[Case, Verdict]:
    """The last that was accepted, else the last. Of a request sent twice, the one that has the answer."""
    taken = [row for row in verdicts if row[1].outcome in _TAKEN]
    with_answer = [row for row in taken if not row[0].request.open or row[0].request.offered]
    return (with_answer or taken or verdicts)[-1]


def _told(verdicts: list[tuple[Case, Verdict]], deciding: Case, found: list[Finding]) -> list[tuple[Case, Verdict]]:
    """Those of which each finding is told: of a great many the first and the last, and the one that decides."""
    if len(verdicts) <= _MOST_TOLD:
        return verdicts
    text = f"The bot asked {len(verdicts)} times. Told are the first {_FIRST_TOLD} and the last {_LAST_TOLD} requests."
    found.append(_plain(Code.TRANSFER_ATTEMPTED, text, {"sessionTransfer": len(verdicts)}))
    between = [row for row in verdicts[_FIRST_TOLD:-_LAST_TOLD] if row[0] is deciding]
    return [*verdicts[:_FIRST_TOLD], *between, *verdicts[-_LAST_TOLD:]]


def _attempts(
    requests: tuple[Request, ...], verdicts: list[tuple[Case, Verdict]], parties: Parties
) -> tuple[Attempt, ...]:
    by_number = {case.request.number: (case, verdict) for case, verdict in verdicts}
    rows = []
    for request in requests:
        event = request.event
        row = by_number.get(request.number)
        case, verdict = row if row is not None else (None, None)
        leg_says = parties.names[request.leg.path] if request.leg is not None else ""
        rows.append(
            Attempt(
                number=request.number,
                timestamp=event.at,
                from_id=event.from_id,
                to_id=event.to_id,
                from_name=parties.names[request.sender.path] if request.sender else clean(event.from_id, _LONGEST_ID),
                to_name=case.name if case else leg_says or clean(event.to_id, _LONGEST_ID),
                by=request.by,
                outcome=verdict.outcome if verdict else Outcome.UNKNOWN,
                fault=verdict.side if verdict else Fault.NONE,
                reached=reached(case) if case else Reached.ASKED,
                reason=case.reason.text if case and case.reason else "",
                reason_code=case.reason.code if case and case.reason else "",
                session_id=session_of(event),
                properties=event.properties,
                path=event.path,
                ref=request.ref,
            )
        )
    return tuple(rows)


def _about_the_record(conversation: Conversation, parties: Parties, requests: tuple[Request, ...]) -> list[Finding]:
    """What is not about one request of the bot: broken parts, what was not read, no bot, transfers by agents."""
    found = [_plain(Code.NOT_CHECKED, f"{clean(why, 320)}.", {}) for why in conversation.not_read]
    if conversation.faults:
        shown = ", ".join(conversation.faults[:5])
        count = len(conversation.faults)
        what = "1 part" if count == 1 else f"{count} parts"
        text = f"{what} of the record could not be read: {shown}."
        found.append(_plain(Code.MALFORMED_EVENT, text, dict.fromkeys(conversation.faults, "not readable")))
    for code, text, event in signal_words.of_record(conversation):
        found.append(_plain(code, text, {event.path: clean(event.reason or event.state or event.type, 120)}))
    if not parties.bots and (conversation.participants or not requests):
        found.append(
            _plain(
                Code.NO_BOT_LEG,
                "No bot is among the participants of this call.",
                {"participants": len(conversation.participants)},
            )
        )
    for request in requests:
        if request.by == "agent" and request.sender is not None:
            who = named(request.sender) or "An agent"
            to = parties.names[request.leg.path] if request.leg is not None else clean(request.event.to_id, _LONGEST_ID)
            text = f"{who} passed the call on to {to or 'nobody'}: an agent's transfer, not judged."
            found.append(_plain(Code.AGENT_TRANSFER, text, {request.event.path: request.event.type}, request))
    return found


def _without_request(
    conversation: Conversation, parties: Parties, ending: Ending, requests: tuple[Request, ...], found: list[Finding]
) -> Diagnosis:
    lists_events = "events" not in conversation.faults and "document" not in conversation.faults
    tells = lists_events and conversation.asks_visible
    unread = sum(fault.startswith("events[") and fault.endswith("]") for fault in conversation.faults)
    tells = tells and (not unread or unread < len(conversation.events))
    outcome = Outcome.NOT_ATTEMPTED if tells else Outcome.UNKNOWN
    cause = None
    if tells:
        cause = Code.NO_TRANSFER_EVENT if parties.bots else Code.NO_BOT_LEG
        where = "Cognigy's log has no signal" if conversation.profile == "contacts" else _NO_EVENT
        text = f"The bot never asked: {where}."
        cause = next((row.code for row in found if row.code in (Code.BOT_FAILED, Code.BOT_HUNG_UP)), cause)
        found.append(_plain(Code.NO_TRANSFER_EVENT, text, {"events": len(conversation.events)}))
    headline, summary = wording.without_request(conversation, parties, outcome, over=ending.over)
    confidence = Confidence.CERTAIN if tells and not unread else Confidence.POSSIBLE
    return Diagnosis(
        conversation_id=conversation.id,
        started_at=conversation.started_at,
        ended_at=conversation.ended_at or (ending.at if ending.over else None),
        phone=_phone(parties),
        outcome=outcome,
        reached=Reached.NONE,
        fault=Fault.NONE if tells else Fault.UNKNOWN,
        confidence=confidence,
        alternatives=() if confidence is Confidence.CERTAIN else ("a request stands in a part that could not be read",),
        headline=headline,
        summary=summary,
        next_step=next((row.fix for row in found if row.code is cause), ""),
        findings=tuple(found),
        attempts=_attempts(requests, [], parties),
        timeline=timeline_of(conversation, parties, ending, requests, {}, in_order(conversation)),
        cause=cause,
        bot_name=_bot_name(parties),
        dialled=_dialled(conversation),
    )


def _second_try(case: Case, verdict: Verdict, verdicts: list[tuple[Case, Verdict]]) -> str:
    """That it took more than one try, and what that cost the caller."""
    if verdict.outcome not in _TAKEN or case.request.duplicate_of is not None:
        return ""
    before = [each for each, _ in verdicts if each.request.number < case.request.number]
    if not before:
        return ""
    tries = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}.get(len(before) + 1, f"{len(before) + 1}th")
    first, at = before[0].request.at, case.request.at
    lost = f", {seconds(at - first)} lost" if first is not None and at is not None else ""
    return f" On the {tries} try{lost}."


def _plain(code: Code, message: str, evidence: Mapping[str, object], request: Request | None = None) -> Finding:
    status = FINDINGS[code]
    return Finding(
        code=code,
        status=status,
        message=message,
        timestamp=request.at if request is not None else None,
        evidence=evidence,
        fix="" if status is Status.INFO else fix(code, None),
        attempt=request.number if request is not None else None,
    )


def _once(found: list[Finding]) -> tuple[Finding, ...]:
    """What two requests to the same target both show of it is said once; the later one's stays."""
    kept: dict[tuple[object, ...], Finding] = {}
    for row in found:
        about_target = row.code in _OF_TARGETS
        kept[(row.code, row.message) if about_target else (row.code, row.message, row.attempt)] = row
    return tuple(kept.values())


_OF_TARGETS = frozenset(
    {Code.NOT_CHECKED, Code.TARGET_NOT_FOUND, Code.TARGET_INACTIVE, Code.FLOW_WITHOUT_TRIGGER, Code.TARGET_UNAVAILABLE}
)


def _phone(parties: Parties) -> str:
    return next((phone.mask(leg.identity) for leg in parties.customers if leg.identity), "")


def _bot_name(parties: Parties) -> str:
    return parties.names[parties.bots[0].path] if parties.bots else ""


def _dialled(conversation: Conversation) -> str:
    return next((phone.mask(leg.dialled) for leg in conversation.participants if leg.dialled), "")
