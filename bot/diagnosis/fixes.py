"""The next step of each finding: one sentence that names the object to change and where. No two codes share one."""

from __future__ import annotations

from bot.diagnosis import codes
from bot.diagnosis.case import Case, Verdict
from bot.diagnosis.handover import TargetKind
from bot.diagnosis.order import clock
from bot.diagnosis.outcomes import Code, Fault, Outcome
from bot.diagnosis.reasons import Family
from bot.diagnosis.signals import sip_status

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
        "In CXone Studio, check that the flow which takes handovers to {name} listens for `sessionTransfer`, and that "
        "the bot is linked to it."
    ),
    Code.TARGET_UNAVAILABLE: "See in CXone why nobody in {name} is available, and free or log in agents there.",
    Code.CALLER_ABANDONED: (
        "Let the bot say that it is connecting {name} before it asks, so that callers stay on the line."
    ),
    Code.DUPLICATE_TRANSFER: ("Let {node} run once a call: two branches or a retry send the transfer to {name} twice."),
    Code.NO_TRANSFER_EVENT: "Check in the Cognigy flow's log whether this session reached its handover node.",
    Code.NO_BOT_LEG: ("Check in CXone that the dialled number's script still routes the call to the voicebot."),
    Code.MALFORMED_EVENT: ("Show the raw events of this conversation to whoever runs the CXone tenant's event export."),
    Code.AGENT_REFUSED: (
        "Check phone and softphone of the agents of {name} who were rung, and ask why the call was not taken."
    ),
    Code.NO_AGENTS_AVAILABLE: "Staff {name}{at}, or give the bot's flow a branch for a refused transfer.",
    Code.TARGET_CLOSED: "Give the bot's flow an out-of-hours branch for {name}, or extend its hours in CXone.",
    Code.RECENT_CHANGE: ("Compare the newest version of {name} in CXone Studio with the one before, and roll it back."),
    Code.NOBODY_ANSWERED: "Check the staffing of {name}{at} and give its queue an overflow for long waits.",
    Code.TARGET_NOT_A_DESTINATION: (
        "Set `toParticipantId` in {node} to an agent, queue or flow, not to a leg of caller or bot."
    ),
    Code.MISSING_CONTACT_ID: (
        "Pass `X-InContact-ContactId` and `X-InContact-MasterId` from the SIP backchannel script, and run the node "
        "Init Context before {node}."
    ),
    Code.WRONG_CONTACT: "Give {node} the spawned contact's id (`X-InContact-ContactId`), not the main contact's.",
    Code.UNSUPPORTED_CHANNEL: "Hand over by the CXone extension's node Exit Interaction: this channel has no other.",
    Code.SIP_REFUSED: "Check the transfer's number and trunk with whoever runs the voice gateway: {sip}.",
    Code.WRONG_MEDIUM: "Use a skill for incoming calls instead of {name} in {node} (its `voiceSkillId`).",
    Code.BOT_FAILED: "Mend the Cognigy flow's error in its log, and give the failing node an On Error branch.",
    Code.BOT_HUNG_UP: "See in the Cognigy flow why it ended the call, and let its error branch hand over instead.",
    Code.CONTEXT_LOST: "Run the node Get Transcript before {node}, and check that its post to CXone succeeds.",
}
# The same codes where the bot asks by a signal to a Studio script.
_CONTACTS: dict[Code, str] = {
    Code.MISSING_COGNIGY_SESSION: "Store `cognigySessionId` with the contact from the backchannel script, for {node}.",
    Code.TRANSFER_FORBIDDEN: (
        "Renew the access key of Cognigy's CXone extension; its employee must be active and its role may signal."
    ),
    Code.TARGET_UNAVAILABLE: "Let the script ask for a skill, not for {name} alone, or fall back when {name} is away.",
    Code.TARGET_NOT_FOUND: "Replace the skill {id} in {node} (its `voiceSkillId`) by one that exists in CXone.",
    Code.FLOW_WITHOUT_TRIGGER: "Add an ONSIGNAL action that leads to REQAGENT to the script {name} in CXone Studio.",
    Code.TRANSFER_IGNORED: (
        "In CXone Studio, check that {script} has an ONSIGNAL action, compares the signal's first "
        "value as the bot sends it (`Escalate`), and leads to REQAGENT."
    ),
    Code.MALFORMED_EVENT: "Show the raw answers for this contact to whoever administers the CXone tenant.",
}
# The same codes where the target is one agent, or a flow.
_FOR_USER: dict[Code, str] = {
    Code.TARGET_UNAVAILABLE: "Let the bot hand over to a queue instead of {name} alone, or wait until {name} is there.",
    Code.AGENT_REFUSED: "Check the phone and softphone of {name}, and ask why the offered call was not taken.",
    Code.NO_AGENTS_AVAILABLE: "Let the bot's flow fall back to a queue where the agent {name} is not free.",
    Code.NOBODY_ANSWERED: "Ask why {name} did not answer{at}, and give the transfer to {name} a time limit.",
}
_FOR_FLOW: dict[Code, str] = {
    Code.TRANSFER_IGNORED: (
        "In CXone Studio, check that the flow {name} listens for `sessionTransfer` and that the bot is linked to it."
    ),
}
_BY_KIND: dict[TargetKind | None, dict[Code, str]] = {TargetKind.USER: _FOR_USER, TargetKind.FLOW: _FOR_FLOW}
_BY_OUTCOME = {
    Outcome.UNANSWERED: "Tell callers of {name} how long they will wait, or offer them a call back.",
    Outcome.IGNORED: "Let the bot speak again and fall back when a handover to {name} brings no answer in 10 s.",
}
_PLATFORM = "Open a case with NICE for the refusals of {name}{at}, and let the bot's flow retry or fall back."
_INVALID = "Correct the target id {id} in {node}: CXone does not take it."
_INCOMPLETE = "Complete the request in {node} first, and see whether CXone refuses it still."
_REFUSED = "Look up what this reason means with the owner of {name} in CXone, and give the bot's flow a branch for it."
_KNOWN = "Add a branch behind {node} for a refusal by {name}, so that the caller is told and not left in silence."
_REPEATED = "Leave {name} as it is: what was refused is a repetition of a transfer that was under way."

# What has to be mended where the call waited, which may be another queue than the one asked for.
_OF_THE_PLACE = frozenset({Code.NOBODY_ANSWERED, Code.AGENT_REFUSED, Code.CALLER_ABANDONED})
_REJECTED, _ABANDONED = Code.TRANSFER_REJECTED, Code.CALLER_ABANDONED


def fix(code: Code, case: Case | None, verdict: Verdict | None = None) -> str:
    """The fix of a finding; a refusal's depends on whose side it is. "" where there is nothing to do."""
    text = _FIXES.get(code, "")
    if code is _REJECTED:
        text = _of_a_refusal(case, verdict)
    elif code is _ABANDONED and verdict is not None:
        text = _BY_OUTCOME.get(verdict.outcome, text)
    elif case is not None and case.profile == "contacts":
        text = _CONTACTS.get(code, text)
    elif case is not None and case.kind in _BY_KIND and not (code in _OF_THE_PLACE and case.elsewhere):
        text = _BY_KIND[case.kind].get(code, text)
    if case is None:
        return text.format(node=NODE, name="the target", id="", at="", sip="the SIP code")
    at = f" around {clock(case.request.at)}" if "{at}" in text and case.request.at is not None else ""
    id_ = f"`{_id(case)}`" if "{id}" in text else ""
    name = case.place if code in _OF_THE_PLACE else case.name
    script = f"the script {case.name}" if case.kind is TargetKind.FLOW else "the script behind the dialled number"
    sip = _sip(case) if "{sip}" in text else ""
    return text.format(node=NODE, name=name, id=id_, at=at, sip=sip, script=script)


def _of_a_refusal(case: Case | None, verdict: Verdict | None) -> str:
    """By whose side it is, and whether the reason says what it means."""
    if verdict is not None and verdict.side is Fault.PLATFORM:
        return _PLATFORM
    if verdict is not None and verdict.outcome is Outcome.INVALID_TARGET:
        return _INVALID
    if verdict is not None and verdict.outcome is Outcome.MALFORMED:
        return _INCOMPLETE
    if case is None or case.reason is None or case.reason.family in (Family.UNKNOWN, Family.SENDER):
        return _REFUSED
    return _REPEATED if case.reason.family is Family.DUPLICATE else _KNOWN


def _id(case: Case) -> str:
    """The id that was asked for, without the kind that this profile's legs carry before it."""
    asked = case.request.event.to_id.replace("`", "'")
    return asked.rpartition("/")[2][:60] if case.profile == "contacts" else asked[:60]


def _sip(case: Case) -> str:
    status = sip_status(case)
    return codes.sip(status) or f"SIP {status}"
