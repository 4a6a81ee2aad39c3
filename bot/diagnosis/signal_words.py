"""What is said of the causes that only Cognigy's log, the telephony and the contacts API can show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.diagnosis import codes
from bot.diagnosis.case import Case
from bot.diagnosis.handover import Conversation, Event, EventKind, Target, TargetKind
from bot.diagnosis.order import clock
from bot.diagnosis.outcomes import Code
from bot.diagnosis.parties import clean
from bot.diagnosis.signals import sip_status

_MOST_ERRORS = 3
_POSTED = ("", "posted", "success", "succeeded", "true", "sent", "ok")


def headline(case: Case, cause: Code | None) -> str:
    """The first line for one of these causes, "" for any other."""
    if cause is Code.TARGET_CLOSED and case.reason is None and not case.request.queued:
        return f"{case.name} was closed when the bot asked"
    found = _HEADLINES.get(cause) if cause is not None else None
    return found(case) if found is not None else ""


def summary(case: Case, cause: Code | None) -> str:
    """The one plain sentence, "" for any other cause."""
    if cause is Code.TARGET_CLOSED and case.reason is None and not case.request.queued:
        hours = clean(case.target.hours, 60) if case.target is not None else ""
        shown = f" ({hours})" if hours else ""
        return f"The bot asked for {case.name}, which was closed then{shown}, and nothing followed."
    found = _SUMMARIES.get(cause) if cause is not None else None
    return found(case) if found is not None else ""


def evidence(case: Case) -> dict[str, Any]:
    """The fields that these causes rest on."""
    event, rejection = case.request.event, case.request.rejection
    if rejection is None:
        return {f"{event.path}.message": clean(event.type, 60), "contactId": event.properties.get("signalledContactId")}
    # A SIP code says more than the words beside it, which on a REFER are those of the caller's own leg.
    said = rejection.code if sip_status(case) is not None else rejection.reason or rejection.code
    return {rejection.path: clean(said, 200)}


def refusal(value: str) -> str:
    """Why an agent did not take a call, as the platform says it and in plain words: "Bad Number: the phone …"."""
    plain = codes.refusal(value)
    return f"{clean(value, 40)}: {plain}" if plain else clean(value, 40)


def nobody_there(case: Case, target: Target) -> str:
    """How few there were at a queue, with the clock time of the look; "" where there was somebody or nobody knows."""
    if target.kind is not TargetKind.QUEUE or case.profile != "contacts":
        return ""
    if target.assigned == 0:
        return f"No active agent has the skill {case.name}."
    if target.available != 0:
        return ""
    figures = [f"{target.logged_in} logged in"] if target.logged_in is not None else []
    figures += ["0 available"] + ([f"{target.waiting} waiting"] if target.waiting is not None else [])
    at = f" at {clock(target.read_at)}" if target.read_at is not None else ""
    may = "may have had nobody free: it was" if case.read_late else "had nobody free:"
    later = ", long after the call" if case.read_late else ""
    return f"{case.name} {may} {', '.join(figures)}{at}{later}."


def of_record(conversation: Conversation) -> list[tuple[Code, str, Event]]:
    """What Cognigy's log says beside the request: errors, who hung up, whether the context was passed on."""
    found: list[tuple[Code, str, Event]] = []
    mine = [event for event in conversation.events if event.source == "Cognigy"]
    if not mine:
        return found
    asked = any(event.kind is EventKind.TRANSFER for event in conversation.events)
    errors = [event for event in mine if event.kind is EventKind.OTHER and event.type == "error"]
    for event in errors[:_MOST_ERRORS]:
        text = f"The Cognigy flow logged an error{_at(event)}: “{clean(event.reason, 120)}”."
        found.append((Code.BOT_FAILED, text, event))
    for event in mine:
        if event.kind is EventKind.DISCONNECTED and event.participant_id == "bot" and not asked:
            found.append((Code.BOT_HUNG_UP, f"The bot ended the call{_at(event)}, before it asked for anybody.", event))
        if event.kind is EventKind.OTHER and event.type == "transcript" and event.state not in _POSTED:
            state = clean(event.state, 20)
            text = f"The conversation so far was not passed on (transcript: {state}): the agent has no context."
            found.append((Code.CONTEXT_LOST, text, event))
    return found


def _at(event: Event) -> str:
    return f" at {clock(event.at)}" if event.at is not None else ""


def _sip(case: Case) -> str:
    status = sip_status(case)
    return f"SIP {status}, {codes.sip(status)}" if codes.sip(status) else f"SIP {status}"


_HEADLINES: dict[Code, Callable[[Case], str]] = {
    Code.MISSING_CONTACT_ID: lambda _: "The bot had no contact id to hand over with",
    Code.UNSUPPORTED_CHANNEL: lambda _: "The bot's channel knows no handover",
    Code.WRONG_CONTACT: lambda _: "The bot signalled the wrong contact",
    Code.SIP_REFUSED: lambda case: f"The telephone transfer failed with SIP {sip_status(case)}",
    Code.WRONG_MEDIUM: lambda case: f"{case.name} takes no incoming calls",
}
_SUMMARIES: dict[Code, Callable[[Case], str]] = {
    Code.MISSING_CONTACT_ID: lambda _: (
        "The handover node ran without the id of the contact to signal: the SIP headers from CXone did not reach it."
    ),
    Code.UNSUPPORTED_CHANNEL: lambda _: (
        "Cognigy's node Handover to Agent answered that this channel does not support a handover."
    ),
    Code.WRONG_CONTACT: lambda case: (
        "CXone did not take the signal: the contact had ended, or the id is not that of the spawned contact."
        if case.request.rejection is not None
        else "The signal went to the caller's main contact, not to the spawned one whose script waits for it."
    ),
    Code.SIP_REFUSED: lambda case: f"The voice gateway's transfer was refused: {_sip(case)}.",
    Code.WRONG_MEDIUM: lambda case: (
        f"The bot asked for {case.name}, which is a skill for another medium than incoming calls."
    ),
}
MESSAGES = _SUMMARIES
