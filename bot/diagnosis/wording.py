"""The first line of a diagnosis and its one plain sentence."""

from __future__ import annotations

from collections.abc import Callable

from bot.diagnosis import signal_words
from bot.diagnosis.case import Case, Verdict
from bot.diagnosis.handover import Conversation
from bot.diagnosis.order import seconds
from bot.diagnosis.outcomes import Code, Fault, Outcome
from bot.diagnosis.parties import Parties, clean, is_agent, named
from bot.diagnosis.reasons import Family

_LONGEST_QUOTE = 120


def headline(case: Case, verdict: Verdict) -> str:
    """What came of the request, in a line that is enough on a phone."""
    return _sentence(case, signal_words.headline(case, verdict.cause) or _HEADLINES[verdict.outcome](case, verdict))


def summary(case: Case, verdict: Verdict) -> str:
    """The same as one plain sentence, with how long it took and what was said."""
    return _sentence(case, signal_words.summary(case, verdict.cause) or _SUMMARIES[verdict.outcome](case, verdict))


def _sentence(case: Case, text: str) -> str:
    """With a capital, unless an id comes first: that is to be copied as it is."""
    if case.request.event.to_id and text.startswith(case.request.event.to_id):
        return text
    return f"{text[:1].upper()}{text[1:]}"


def without_request(
    conversation: Conversation, parties: Parties, outcome: Outcome, *, over: bool, asked: bool
) -> tuple[str, str]:
    """Headline and summary of a call in which the bot asked for nothing, as far as the record tells."""
    participants, events = len(conversation.participants), len(conversation.events)
    looked = f"Looked at {_many(participants, 'participant')} and {_many(events, 'event')}"
    if outcome is Outcome.UNKNOWN:
        shows = conversation.asks_visible
        why = "its list of events could not be read" if shows else "this record cannot show whether the bot asked"
        return "The record does not tell whether the bot asked", f"{looked}: {why}."
    if conversation.outbound:
        return "This call went out to the customer", f"{looked}: the call went out, and no bot asked for a handover."
    if not parties.bots:
        return (
            "No bot took part in this call",
            f"{looked}: there is no bot among them, and {'only an agent' if asked else 'nobody'} asked for a handover.",
        )
    name = named(parties.bots[0]) or "The bot"
    nothing = "no signal" if conversation.profile == "contacts" else "no sessionTransfer"
    asked_for = "never asked for a handover" if over else "has not asked for a handover so far"
    return (
        f"The bot {asked_for}",
        f"{name} {asked_for}: {looked[0].lower()}{looked[1:]}, {nothing}.",
    )


def second_try(case: Case, verdicts: list[tuple[Case, Verdict]]) -> str:
    """That it took more than one try, and what that cost the caller."""
    before = [each for each, _ in verdicts if each.request.number < case.request.number]
    if not before or case.request.duplicate_of is not None:
        return ""
    tries = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}.get(len(before) + 1, f"{len(before) + 1}th")
    first, at = before[0].request.at, case.request.at
    lost = f", {seconds(at - first)} lost" if first is not None and at is not None else ""
    return f" On the {tries} try{lost}."


def _took(case: Case) -> str:
    """How long CXone took to answer: " 1.2 s after the bot asked"."""
    answer = case.request.rejection or case.request.taken_back
    if answer is None or answer.at is None or case.request.at is None or answer.at <= case.request.at:
        return ""
    return f" {seconds(answer.at - case.request.at)} after the bot asked"


def apart(more: str) -> str:
    """What follows a name, apart from it: a name that ends in digits is masked with the digits that touch it."""
    return f",{more}" if more else ""


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _said(case: Case) -> str:
    text = clean(case.reason.text, _LONGEST_QUOTE) if case.reason is not None else ""
    return f": “{text}”" if text else ", without a reason"


def silence(case: Case) -> str:
    """How long nothing happened, as people say it."""
    return seconds(case.silence) if case.silence is not None else "an unknown time"


def _ago(case: Case) -> str:
    return f"{silence(case)} ago" if case.silence else "just now"


def left_when(case: Case, what: str) -> str:
    """How long after something the caller hung up."""
    return f"{silence(case)} after {what}" if case.silence else f"in the moment when {what}"


def came_late(case: Case) -> str:
    """Who came though the transfer had been refused: "Ana answered 7 s after the transfer had been refused"."""
    came = case.request.late.at if case.request.late is not None else None
    refused = case.request.rejection.at if case.request.rejection is not None else None
    after = f" {seconds(came - refused)}" if came is not None and refused is not None else ""
    who = _answerer(case)
    to = f" to {case.name}" if who and who != case.name else ""
    return f"{who or case.name} {'answered' if who else 'took it'}{after} after the transfer{to} had been refused"


def _answerer(case: Case) -> str:
    """The human who is in the call, or ""."""
    sign = case.request.answered or case.request.late
    return case.who(sign) if sign is not None and sign.who is not None and is_agent(sign.who) else ""


def _accepted_headline(case: Case, _: Verdict) -> str:
    who = _answerer(case)
    if who and who != case.name:
        return f"Handover accepted: answered by {who}"
    return f"{case.name} answered the handover" if who else f"{case.name} accepted the handover"


def _accepted(case: Case, _: Verdict) -> str:
    who, sign = case.who(case.request.answered), case.request.answered
    if who and sign is not None and not sign.names_target and case.kind == "user":
        return f"The handover was accepted: answered by {who}, not the asked target {case.name}."
    if who and who != case.name:
        return f"The handover to {case.name} was accepted and answered by {who}."
    if case.request.late is not None and sign is None:
        return f"{came_late(case)}."
    return f"{case.name} {'answered' if who else 'accepted'} the handover{_without_caller(case)}."


def _without_caller(case: Case) -> str:
    """That it was accepted for nobody: the caller had gone."""
    taken, left = case.request.accepted, case.ending.customer_left
    if taken is None or taken.at is None or left is None or taken.at - left <= case.timing.early:
        return ""
    return f" {seconds(taken.at - left)} after the caller had left"


def _waiting(case: Case, _: Verdict) -> str:
    if case.request.queued is None:
        return f"{_waiting_headline(case, _)}; the call is live."
    return f"The call has waited {waited(case)} in {case.place} and is live."


def _waiting_headline(case: Case, _: Verdict) -> str:
    if case.request.queued is not None:
        return f"Waiting in {case.place} for {waited(case)}"
    if case.request.rung is None:
        return f"{case.who(case.request.refusals[-1]) or case.name} did not take the call"
    return f"{case.who(case.request.rung) or case.name} has been rung for {silence(case)}"


def waited(case: Case) -> str:
    """How long the caller stood where the call was held."""
    return seconds(case.waited) if case.waited is not None else "an unknown time"


def stood(case: Case) -> str:
    """What the caller waited in, or for, and how long."""
    held = case.request.queued and (case.kind != "user" or case.elsewhere)
    return f"The caller waited {waited(case)} {'in' if held else 'for'} {case.place}"


def too_late(case: Case) -> str:
    """Who was about to take the call when the caller had gone, "" if nobody was."""
    offered, left = case.request.offered, case.ending.customer_left
    if offered is None or offered.at is None or left is None or offered.at <= left:
        return ""
    return f" {case.who(offered)} came {seconds(offered.at - left)} after the caller had left."


def _unanswered(case: Case, _: Verdict) -> str:
    rung = len(case.request.refusals)
    refused = f" {rung} {'agents were' if rung > 1 else 'agent was'} rung and did not take it." if rung else ""
    end = " and left" if case.ending.customer_left else ", and the call ended"
    return f"{stood(case)}{end} before a human was there.{refused}{too_late(case)}"


def _was_away(case: Case, verdict: Verdict) -> bool:
    """An agent who was not available has refused nothing."""
    return verdict.cause is Code.NO_AGENTS_AVAILABLE and case.kind == "user"


def _rejected_headline(case: Case, verdict: Verdict) -> str:
    if verdict.side is Fault.PLATFORM:
        return f"CXone itself failed the handover to {case.name}"
    if verdict.cause is Code.TARGET_CLOSED:
        return f"{case.name} was closed and refused the handover"
    if verdict.side is Fault.UNKNOWN:
        return f"The handover to {case.name} was refused"
    if _was_away(case, verdict):
        return f"{case.name} was not available"
    return f"{case.name} refused the handover"


def _rejected(case: Case, verdict: Verdict) -> str:
    who = case.name if verdict.side is Fault.TARGET and not _was_away(case, verdict) else "CXone"
    more = ""
    if verdict.side is Fault.UNKNOWN:
        given = case.reason is not None and case.reason.text
        more = (
            " The reason is not one that says whose side it is." if given else " So it does not say whose side it is."
        )
    to = f" to {case.name}{apart(_took(case))}" if who == "CXone" else _took(case)
    return f"{who} refused the transfer{to}{_said(case)}.{more}"


def _forbidden(case: Case, verdict: Verdict) -> str:
    if verdict.cause is Code.FROM_PARTICIPANT_NOT_BOT:
        what = f"CXone refused it{_took(case)}{_said(case)}" if case.reason is not None else "nothing happened"
        return f"The transfer to {case.name} was sent in the name of a participant who is not the bot; {what}."
    return f"CXone did not let the Cognigy connector transfer to {case.name}{apart(_took(case))}{_said(case)}."


def _invalid(case: Case, verdict: Verdict) -> str:
    if verdict.cause is Code.TARGET_NOT_A_DESTINATION:
        return f"The bot asked for a handover to a leg of the call itself: {case.name}."
    if verdict.cause is Code.TARGET_INACTIVE:
        return f"The bot asked for {case.name}, which is retired{_said(case) if case.reason else ''}."
    if verdict.cause is Code.TARGET_NOT_FOUND:
        return f"The bot asked for {case.name}, which is no user, queue or flow of this tenant."
    hint = (
        " (not found)"
        if case.reason is not None and case.reason.family is Family.INVALID and not case.reason.text
        else ""
    )
    return f"CXone refused {case.name} as no valid target{hint}{_took(case)}{_said(case)}."


def _malformed(case: Case, _: Verdict) -> str:
    event = case.request.event
    lacks = [
        name for name, value in (("fromParticipantId", event.from_id), ("toParticipantId", event.to_id)) if not value
    ]
    return f"The bot's transfer request lacks {' and '.join(f'`{name}`' for name in lacks)}."


def _ignored(case: Case, verdict: Verdict) -> str:
    end = "and the caller hung up" if case.caller_left_first else "until the call ended"
    if not case.ending.over:
        end = "and the call is live"
    lacks = "flow has no Event trigger for sessionTransfer"
    if case.profile == "contacts":
        lacks = "script has no ONSIGNAL action"
    why = f" The {lacks}." if verdict.cause is Code.FLOW_WITHOUT_TRIGGER else ""
    return f"The bot asked for {case.name} and nothing happened for {silence(case)}, {end}.{why}"


def _abandoned(case: Case, _: Verdict) -> str:
    return f"The caller hung up {left_when(case, f'the bot asked for {case.name}')}: too early to judge CXone."


def _unknown(case: Case, verdict: Verdict) -> str:
    may = "; or ".join(verdict.alternatives)
    return f"The record does not tell what came of the handover to {case.name}. It may be that {may}."


_HEADLINES: dict[Outcome, Callable[[Case, Verdict], str]] = {
    Outcome.ACCEPTED: _accepted_headline,
    Outcome.WAITING: _waiting_headline,
    Outcome.PENDING: lambda case, _: f"Handover to {case.name} asked for {_ago(case)}",
    Outcome.UNANSWERED: lambda case, _: (
        f"{case.name} never answered: the caller waited {waited(case)}"
        if case.kind == "user" and case.elsewhere is None
        else f"Nobody at {case.place} answered: the caller waited {waited(case)}"
    ),
    Outcome.REJECTED: _rejected_headline,
    Outcome.FORBIDDEN: lambda case, verdict: (
        f"The handover to {case.name} was asked for in another's name"
        if verdict.cause is Code.FROM_PARTICIPANT_NOT_BOT
        else f"The bot was not allowed to hand over to {case.name}"
    ),
    Outcome.INVALID_TARGET: lambda case, verdict: (
        f"{case.name} is retired" if verdict.cause is Code.TARGET_INACTIVE else f"{case.name} is no valid target"
    ),
    Outcome.MALFORMED: lambda _case, _: "The bot sent an incomplete handover request",
    Outcome.IGNORED: lambda case, _: (
        f"{case.name} ignored the handover" if case.kind == "flow" else f"The handover to {case.name} was ignored"
    ),
    Outcome.ABANDONED: lambda case, _: f"The caller hung up {left_when(case, 'the handover was asked for')}",
    Outcome.UNKNOWN: lambda case, _: f"Unknown what came of the handover to {case.name}",
}
_SUMMARIES: dict[Outcome, Callable[[Case, Verdict], str]] = {
    Outcome.ACCEPTED: _accepted,
    Outcome.WAITING: _waiting,
    Outcome.PENDING: lambda case, _: (
        f"The bot asked {_ago(case)} for {case.name}; the call is live, and an answer may still come."
    ),
    Outcome.UNANSWERED: _unanswered,
    Outcome.REJECTED: _rejected,
    Outcome.FORBIDDEN: _forbidden,
    Outcome.INVALID_TARGET: _invalid,
    Outcome.MALFORMED: _malformed,
    Outcome.IGNORED: _ignored,
    Outcome.ABANDONED: _abandoned,
    Outcome.UNKNOWN: _unknown,
}
