"""What only the contacts API and Cognigy's logs can show: the catalogue of failures, each as a change to a story.

An entry is a line about it, the scenario it begins from, what it changes in the call's bundle, and what it prepares
in the tenant (a queue, hours, a script, an agent's day).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.demo import cast
from bot.demo.contacts_documents import AGENTS, ENDED, IN_QUEUE, NOBODY, SKILLS, Bundle
from bot.demo.documents import stamp

if TYPE_CHECKING:
    from bot.demo.contacts_api import ContactsApi

Change = Callable[[Bundle], None]
Prepare = Callable[["ContactsApi", "Bundle | None"], None]
Entry = tuple[str, str, Change | None, Prepare | None]


# ---- changes of what is known of a call ---------------------------------------------------------------------------


def _said(text: str, kind: str = "error") -> Change:
    """The handover node logs this in place of "sent signal"."""

    def change(made: Bundle) -> None:
        for entry in made.logs:
            if "sent signal" in str(entry["message"]):
                entry["message"] = text.format(main=made.id, spawned=made.id + 1)
                entry["type"] = kind

    return change


def _twice(made: Bundle) -> None:
    sent = next((entry for entry in made.logs if "sent signal" in str(entry["message"])), None)
    if sent is not None:
        again = stamp(datetime.fromisoformat(str(sent["timestamp"])) + timedelta(milliseconds=200))
        made.logs.append({**sent, "timestamp": again})


def _voice(name: str, **payload: Any) -> Change:
    """The transfer goes over the voice gateway, whose event stands in the log and among the session's messages."""
    return lambda made: _instead(made, {"event": name, "payload": payload})


def _unsupported(made: Bundle) -> None:
    error = {"reason": "unsupported", "message": "handover is not supported on this channel"}
    _instead(made, {"handover": {"status": "error", "error": error}})


def _instead(made: Bundle, data: dict[str, Any]) -> None:
    """No signal is sent; this comes in its place."""
    at = _asked(made)
    made.logs = [entry for entry in made.logs if "sent signal" not in str(entry["message"])]
    meta = {"sessionId": made.session, **data}
    made.logs.append({"timestamp": at, "type": "info", "message": "voice event", "meta": meta})
    made.items.append({"type": "input", "source": "user", "timestamp": at, "inputData": data})


def _bot_hung_up(made: Bundle) -> None:
    started = datetime.fromisoformat(str(made.row["contactStartDate"]))
    meta = {"sessionId": made.session}
    made.logs += [
        {
            "timestamp": stamp(started + timedelta(seconds=59)),
            "type": "error",
            "message": "Error in Code Node: cannot read properties of undefined",
            "meta": meta,
        },
        {
            "timestamp": stamp(started + timedelta(seconds=60)),
            "type": "info",
            "message": "voice event",
            "meta": {**meta, "event": "CALL_COMPLETED", "payload": {"call_termination_by": "bot", "duration": 60}},
        },
    ]
    made.row["abandoned"] = False


def _no_transcript(made: Bundle) -> None:
    made.custom["cxoneTmsTranscriptPostedStatus"] = "failed"
    for entry in made.logs:
        if "sent signal" in str(entry["message"]):
            entry["meta"] = {**entry["meta"], "cxoneTmsTranscriptPostedStatus": "failed"}


def _asks_for(skill: int) -> Change:
    def change(made: Bundle) -> None:
        made.custom["voiceSkillId"] = str(skill)

    return change


def _refusal(reason: str) -> Change:
    def change(made: Bundle) -> None:
        made.row["refuseReason"] = reason

    return change


def _wants_carla(made: Bundle) -> None:
    made.row["targetAgentId"] = AGENTS[cast.CARLA]


def _short(made: Bundle) -> None:
    """The caller leaves the queue after three seconds."""
    queued = next(state for state in made.states if state["contactStateId"] == IN_QUEUE)
    left = stamp(datetime.fromisoformat(queued["startDate"]) + timedelta(seconds=3))
    for state in made.states:
        if state["contactStateId"] == ENDED:
            state["startDate"] = left
    began = datetime.fromisoformat(str(made.row["contactStartDate"]))
    total = (datetime.fromisoformat(left) - began).total_seconds()
    made.row |= {"abandonSeconds": 3, "isShortAbandon": True, "inQueueSeconds": 3, "totalDurationSeconds": total}


def _asked(made: Bundle) -> str:
    sent = [entry for entry in made.logs if "sent signal" in str(entry["message"])]
    return str((sent or made.logs or [{"timestamp": made.row["contactStartDate"]}])[-1]["timestamp"])


# ---- what the tenant is like then ---------------------------------------------------------------------------------


def _closed(api: ContactsApi, made: Bundle | None) -> None:
    """Open on no day but two others, so that any day of a test is one when it is closed."""
    now = datetime.fromisoformat(str(made.row["contactStartDate"])) if made else api.tenant.clock.now()
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    days = [
        {"day": name, "openTime": "08:00:00", "closeTime": "18:00:00", "isClosedAllDay": number == now.weekday()}
        for number, name in enumerate(names)
    ]
    skills = [{"skillId": str(SKILLS[cast.BILLING])}]
    api.hours = [
        {
            "profileId": 2,
            "profileName": "Billing hours",
            "days": days,
            "holidays": [],
            "skills": skills,
            "timeZone": "UTC",
        }
    ]


def _on_break(api: ContactsApi, made: Bundle | None) -> None:
    now = datetime.fromisoformat(str(made.row["contactStartDate"])) if made else api.tenant.clock.now()
    before = stamp(now - timedelta(minutes=20))
    api.agent_history[AGENTS[cast.CARLA]] = [
        {"agentStateName": "Available", "startDate": stamp(now - timedelta(hours=3)), "duration": "PT9600S"},
        {"agentStateName": "Unavailable", "outStateDescription": "Break", "startDate": before, "duration": 7200},
    ]


def _chat_skill(api: ContactsApi, made: Bundle | None) -> None:
    del made
    api.tenant.queues[cast.SUPPORT]["mediaTypeId"] = 3


def _just_saved(api: ContactsApi, made: Bundle | None) -> None:
    if made is not None:
        began = datetime.fromisoformat(str(made.row["contactStartDate"]))
        api.changed["Voicebot\\main"] = began - timedelta(minutes=12)


def _no_hierarchy(api: ContactsApi, made: Bundle | None) -> None:
    if made is not None:
        api.denied.add(f"/contacts/{made.id}/hierarchy")


CATALOGUE: dict[str, Entry] = {
    "signal_401": (
        "the access key of the bot's extension is not taken: 401 before the signal",
        "ignored",
        _said("CXone -> getToken: Error getting bearer token: 401"),
        None,
    ),
    "signal_403": (
        "the signal is refused for lack of permission",
        "ignored",
        _said("CXone -> sendSignalHandover: Error sending signal: 403: Forbidden"),
        None,
    ),
    "missing_ids": (
        "the node had no contact to signal",
        "ignored",
        _said("handoverToCXone: Spawned Contact ID is required"),
        None,
    ),
    "no_context": ("the headers were not passed on", "ignored", _said("Voice input data not available"), None),
    "signal_main": (
        "the signal went to the main contact, not to the spawned one",
        "ignored",
        _said("handoverToCXone: sent signal 'Escalate' to contact {main}", "info"),
        None,
    ),
    "signal_400": (
        "the signal was refused: no such contact any more",
        "ignored",
        _said("CXone -> sendSignalHandover: Error sending signal: 400: Bad Request"),
        None,
    ),
    "signal_503": (
        "CXone itself failed on the signal",
        "ignored",
        _said("CXone -> sendSignalHandover: Error sending signal: 503: Service Unavailable"),
        None,
    ),
    "no_onsignal": ("the script has no ONSIGNAL", "ignored_deaf_flow", None, None),
    "signal_twice": ("the signal was sent twice within 200 ms; one took effect", "accepted_queue", _twice, None),
    "wrong_skill": ("the script was given a skill that does not exist", "ignored", _asks_for(NOBODY), None),
    "wrong_medium": ("the skill is one for chats", "ignored", _asks_for(SKILLS[cast.SUPPORT]), _chat_skill),
    "nobody_there": ("Billing queued the call and had nobody available", "unanswered", None, None),
    "closed": ("the signal was sent, and Billing was closed on that day", "ignored_queue", None, _closed),
    "bad_number": ("the agent's phone could not be reached", "unanswered_declined", _refusal("Bad Number"), None),
    "agent_busy": ("the agent's phone was busy", "unanswered_declined", _refusal("Busy, cause 17"), None),
    "agent_away": ("Carla was asked for by name and was on a break", "unanswered", _wants_carla, _on_break),
    "short_abandon": ("the caller left the queue after three seconds", "unanswered", _short, None),
    "bot_hung_up": ("a Code Node failed and the bot hung up", "not_attempted", _bot_hung_up, None),
    "sip_488": (
        "the voice gateway's transfer was refused: no common codec",
        "ignored",
        _voice("TRANSFER_DIAL_ERROR", sip_status=488, sip_reason="Not Acceptable Here", call_status="failed"),
        None,
    ),
    "sip_503": (
        "the voice gateway's transfer met a full trunk",
        "ignored",
        _voice("TRANSFER_DIAL_ERROR", sip_status=503, sip_reason="Service Unavailable", call_status="failed"),
        None,
    ),
    "refer_failed": (
        "the REFER failed while the caller's own leg stayed at 200",
        "ignored",
        _voice("TRANSFER_REFER_ERROR", sip_status=200, sip_reason="OK", call_status="in-progress", refer_status=500),
        None,
    ),
    "unsupported_channel": ("the channel knows no handover", "ignored", _unsupported, None),
    "no_transcript": ("accepted, but the transcript was not passed on", "accepted_queue", _no_transcript, None),
    "script_changed": ("the script was saved 12 minutes before", "ignored", None, _just_saved),
    "blind_spot": ("the role may not read the hierarchy", "ignored", None, _no_hierarchy),
}
