"""The next step of each finding: one sentence that names the object to change and where. No two codes share one."""

from __future__ import annotations

from bot.diagnosis.order import clock
from bot.diagnosis.outcomes import Code, Fault, Outcome
from bot.diagnosis.rules import Case, Verdict

NODE = "the handover node of the Cognigy flow"

_FIXES: dict[Code, str] = {
    Code.MISSING_FROM_PARTICIPANT: "Map `fromParticipantId` to the bot's participant id in {node}.",
    Code.MISSING_TO_PARTICIPANT: "Map `toParticipantId` to an agent, queue or flow id in {node}.",
    Code.MISSING_COGNIGY_SESSION: "Send `cognigySessionId` in the transfer's properties in {node}.",
    Code.FROM_PARTICIPANT_NOT_BOT: "Set `fromParticipantId` in {node} to the bot's own participant of this call.",
    Code.TRANSFER_FORBIDDEN: (
        "Renew the token of the Cognigy connector “NICE CXone” and grant its service account conversations:write."
    ),
    Code.TARGET_NOT_FOUND: "Replace the id {id} in {node} by that of an existing agent, queue or flow.",
    Code.TARGET_INACTIVE: ("Point {node} to an active target instead of {name}, or switch {name} on again in CXone."),
    Code.FLOW_WITHOUT_TRIGGER: (
        "Add an Event trigger for `sessionTransfer` to the flow {name} in CXone Studio and publish it."
    ),
    Code.TRANSFER_IGNORED: (
        "In CXone Studio, check that the flow of {name} listens for `sessionTransfer` and that the bot is linked to it."
    ),
    Code.TARGET_UNAVAILABLE: (
        "Let the bot hand over to a queue instead of {name} alone, or wait until {name} is available."
    ),
    Code.CALLER_ABANDONED: (
        "Let the bot say that it is connecting {name} before it asks, so that callers stay on the line."
    ),
    Code.DUPLICATE_TRANSFER: ("Let {node} run once a call: two branches or a retry send the transfer to {name} twice."),
    Code.NO_TRANSFER_EVENT: "Check in the Cognigy flow's log whether this session reached its handover node.",
    Code.NO_BOT_LEG: ("Check in CXone that the dialled number's script still routes the call to the voicebot."),
    Code.MALFORMED_EVENT: ("Show the raw events of this conversation to whoever runs the CXone tenant's event export."),
    Code.AGENT_REFUSED: (
        "Check the agent's phone and softphone at {name}, and ask why the offered call was not taken."
    ),
    Code.NO_AGENTS_AVAILABLE: "Staff {name}{at}, or give the bot's flow a branch for a refused transfer.",
    Code.TARGET_CLOSED: "Give the bot's flow an out-of-hours branch for {name}, or extend its hours in CXone.",
    Code.RECENT_CHANGE: ("Compare the newest version of {name} in CXone Studio with the one before, and roll it back."),
    Code.NOBODY_ANSWERED: "Check the staffing of {name}{at} and give its queue an overflow for long waits.",
    Code.TARGET_NOT_A_DESTINATION: (
        "Set `toParticipantId` in {node} to an agent, queue or flow, not to a leg of caller or bot."
    ),
}
_PLATFORM = "Open a case with NICE for the refusals of {name}{at}, and let the bot's flow retry or fall back."
_INVALID = "Correct the target id {id} in {node}: CXone does not take it."
_REFUSED = "Look up what this reason means with the owner of {name} in CXone, and give the bot's flow a branch for it."


def fix(code: Code, case: Case | None, verdict: Verdict | None = None) -> str:
    """The fix of a finding; a refusal's depends on whose side it is. "" where there is nothing to do."""
    text = _FIXES.get(code, "")
    if code is Code.TRANSFER_REJECTED:
        text = _REFUSED
        if verdict is not None and verdict.side is Fault.PLATFORM:
            text = _PLATFORM
        elif verdict is not None and verdict.outcome is Outcome.INVALID_TARGET:
            text = _INVALID
    if case is None:
        return text.format(node=NODE, name="the target", id="", at="")
    at = f" around {clock(case.request.at)}" if case.request.at is not None else ""
    return text.format(node=NODE, name=case.name, id=f"`{case.request.event.to_id[:60]}`", at=at)
