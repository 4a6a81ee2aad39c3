"""What is said of a record itself: broken parts, what was not read, who is missing, transfers that are not judged."""

from __future__ import annotations

from collections.abc import Mapping

from bot.diagnosis import signal_words
from bot.diagnosis.attempts import Request
from bot.diagnosis.fixes import fix
from bot.diagnosis.handover import Conversation, Finding
from bot.diagnosis.outcomes import FINDINGS, Code, Status
from bot.diagnosis.parties import Parties, clean, named

_LONGEST_ID = 60


def about_the_record(conversation: Conversation, parties: Parties, requests: tuple[Request, ...]) -> list[Finding]:
    """What is not about one request of the bot: broken parts, what was not read, no bot, transfers by agents."""
    found = [plain(Code.NOT_CHECKED, f"{clean(why, 320)}.", {}) for why in conversation.not_read]
    if conversation.faults:
        shown = ", ".join(conversation.faults[:5])
        count = len(conversation.faults)
        what = "1 part" if count == 1 else f"{count} parts"
        text = f"{what} of the record could not be read: {shown}."
        found.append(plain(Code.MALFORMED_EVENT, text, dict.fromkeys(conversation.faults, "not readable")))
    for code, text, event in signal_words.of_record(conversation):
        found.append(plain(code, text, {event.path: clean(event.reason or event.state or event.type, 120)}))
    if not parties.bots and (conversation.participants or not requests):
        found.append(
            plain(
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
            found.append(plain(Code.AGENT_TRANSFER, text, {request.event.path: request.event.type}, request))
    return found


def never_asked(conversation: Conversation, parties: Parties, *, over: bool) -> Finding:
    """There is no request, in a record that would show one."""
    where = "there is no sessionTransfer of the bot among the events"
    if conversation.profile == "contacts":
        where = "Cognigy's log has no signal"
    text = f"The bot {'never asked' if over else 'has not asked so far'}: {where}."
    if conversation.profile == "contacts" and not parties.bots:
        text = "Nobody asked for a handover: no bot took part in this call."
    return plain(Code.NO_TRANSFER_EVENT, text, {"events": len(conversation.events)})


def plain(code: Code, message: str, evidence: Mapping[str, object], request: Request | None = None) -> Finding:
    """A finding that is about no target."""
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
