"""What Cognigy itself knows of a call: its logs and the session, read into events with the source "Cognigy".

Pure parse. The log lines are those that NICE's extension for Cognigy prints (its node `handoverToCXone` and its
helpers getToken, getCxoneConfigUrl, sendSignalHandover); voice events and the handover status are as Cognigy's
documentation gives them. Where in an entry a session stands is not documented: `names.py` has these guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.cxone import names, reading
from bot.cxone.cognigy_story import BOT, CUSTOMER, Story
from bot.diagnosis.case import MISSING_CONTACT_ID, UNSUPPORTED
from bot.diagnosis.handover import Event, EventKind

_STATUS = r"(?:\D{0,40}?(?P<status>[1-5]\d\d)\b)?"
_SENT = re.compile(
    r"signal(?:l?ed)? CXone with:?\s*['\"]?(?P<action>\w+)|sent signal(?:\W+(?P<also>Escalate|End)\b)?", re.IGNORECASE
)
_FAILED = re.compile(r"error signal+ing CXone", re.IGNORECASE)
_REFUSALS = (
    re.compile(r"getToken: Error getting bearer token:?" + _STATUS, re.IGNORECASE),
    re.compile(r"getCxoneConfigUrl:[^\n]{0,80}?error" + _STATUS, re.IGNORECASE),
    re.compile(r"sendSignalHandover: Error sending signal:?" + _STATUS, re.IGNORECASE),
)
_MISSING = re.compile(
    r"(?:Spawned )?Contact ?ID is (?:required|missing)|Voice input data not available|Failed to parse X-CXone",
    re.IGNORECASE,
)
_SIGNALLED = re.compile(r"contact(?: ?id)?\W{1,4}(?P<id>\d{3,20})\b", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?<!\d)\d{6,20}(?!\d)")
# Where the verdict of a transfer stands. On a REFER `sip_status` stays 200: it is the caller's leg.
_DIALLED = ("dial_sip_status", "sip_status")
_VERDICTS = {
    "TRANSFER_REFER_ERROR": ("refer_status",),
    "TRANSFER_REFER_SUCCESS": ("final_referred_call_status",),
    **dict.fromkeys(("TRANSFER_DIAL_ERROR", "NO_ANSWER", "USER_BUSY", "CALL_FAILED"), _DIALLED),
}
_TAKEN = ("queue", "active", "completed", "cancelled")  # what `handover.status` may be beside `error`; first the first


@dataclass(frozen=True, slots=True)
class Reading:
    """What Cognigy's side shows. `asks_visible`: the logs of this very call were there to be read, all of them."""

    events: tuple[Event, ...] = ()
    session_id: str = ""
    asks_visible: bool = False
    faults: tuple[str, ...] = ()


def parse(document: object, *, path: str = "cognigy") -> Reading:
    """Read `{sessionId, logs[], conversation: {items[]}}`; never raises. Events are in time order."""
    whole = reading.mapping(document)
    session_id = reading.text(whole.get("sessionId"))
    story = Story(session_id)
    faults: list[str] = []
    # 1. the logs: what the handover node did, and what answered it
    entries = reading.items(whole.get("logs"))
    for place, entry, at in _in_order(entries, f"{path}.logs", faults):
        _entry(story, entry, place, at)
    # 2. the session's messages: voice events, and whether it was in a handover
    items = reading.items(reading.mapping(whole.get("conversation")).get("items"))
    connected = False
    for place, item, at in _in_order(items, f"{path}.conversation.items", faults):
        _structures(story, item, place, at)
        for flag in ("inHandoverRequest", "inHandoverConversation"):
            if item.get(flag) is True and not story.asked:
                story.ask("session", f"{place}.{flag}", at, flag)
        if item.get("inHandoverConversation") is True and not connected:
            connected = True
            story.add(EventKind.STATE, "session", f"{place}.inHandoverConversation", at, state="session in a handover")
    events = sorted(story.events, key=lambda event: event.at.timestamp() if event.at else 0.0)
    return Reading(tuple(events), session_id, asks_visible=bool(entries) and not whole.get("cut"), faults=tuple(faults))


def about(entry: object, session_id: str, contact_ids: frozenset[str]) -> bool:
    """Whether a log entry is about this session or one of these contacts. An entry that names neither is not taken."""
    row = reading.mapping(entry)
    meta = reading.mapping(row.get("meta"))
    for holder in (row, meta):
        if session_id and any(reading.text(holder.get(key)) == session_id for key in names.LOG_SESSION_KEYS):
            return True
        if any(reading.text(holder.get(key)) in contact_ids for key in names.LOG_CONTACT_KEYS if holder.get(key)):
            return True
    message = reading.text(row.get("message"))
    if session_id and session_id in message:
        return True
    return any(re.search(rf"(?<!\d){re.escape(each)}(?!\d)", message) for each in contact_ids if each)


def names_of(entry: object) -> frozenset[str]:
    """The sessions and contacts that an entry names, to find it again by any of them."""
    row = reading.mapping(entry)
    found = {session_of(entry)}
    for holder in (row, reading.mapping(row.get("meta"))):
        found |= {reading.text(holder.get(key)) for key in names.LOG_CONTACT_KEYS}
    found |= set(_LONG_NUMBER.findall(reading.text(row.get("message"))))
    return frozenset(found - {""})


def session_of(entry: object) -> str:
    """The session that a log entry names, or ""."""
    row = reading.mapping(entry)
    for holder in (row, reading.mapping(row.get("meta"))):
        for key in names.LOG_SESSION_KEYS:
            if found := reading.text(holder.get(key)):
                return found
    return ""


# ---- one log entry ------------------------------------------------------------------------------------------------


def _entry(story: Story, entry: Mapping[str, Any], path: str, at: datetime | None) -> None:
    message = reading.text(entry.get("message"))
    known = _structures(story, entry, path, at)
    if _said(story, message, path, at):
        return
    if not known and reading.text(entry.get("type")).lower() == "error":
        story.add(EventKind.OTHER, "error", path, at, reason=message)


def _said(story: Story, text: str, path: str, at: datetime | None, form: str = "") -> bool:
    """What the handover node says of itself: in a line of the log, or as its result."""
    if found := _MISSING.search(text):
        story.refuse(path, at, found[0], MISSING_CONTACT_ID)
        return True
    for refusal in _REFUSALS:
        if found := refusal.search(text):
            story.refuse(path, at, text, found["status"] or "")
            return True
    if _FAILED.search(text):
        story.refuse(path, at, text, "")
        return True
    found = _SENT.search(text)
    if found is None:
        return False
    if (found["action"] or found["also"] or "").lower() == "end":
        story.add(EventKind.OTHER, "signal End", path, at)
    else:
        signalled = _SIGNALLED.search(text)
        story.ask(form or found[0].lower()[:6], path, at, "signal", signalled["id"] if signalled else "")
    return True


def _structures(story: Story, entry: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """Voice events, the handover's status and the node's own result, wherever in the entry they stand."""
    known = False
    for inner, place in _mappings(entry, path):
        name = reading.text(inner.get("event"))
        payload = reading.mapping(inner.get("payload"))
        if name and payload:
            known = _voice(story, name, payload, place, at) or known
        if handover := reading.mapping(inner.get("handover")):
            known = _status(story, handover, place, at) or known
        if result := inner.get("CXoneHandover"):
            known = _result(story, result, place, at) or known
        for key, value in inner.items():
            if str(key).lower() == names.TRANSCRIPT_KEY:
                state = reading.text(value).lower()
                story.add(EventKind.OTHER, "transcript", f"{place}.{key}", at, state=state)
                known = True
    return known


def _voice(story: Story, name: str, payload: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """An event of the voice gateway (Cognigy's documentation, Voice Gateway, events)."""
    if name == "CALL_COMPLETED":
        by = reading.text(payload.get("call_termination_by")).lower()
        who = {"caller": CUSTOMER, "bot": BOT}.get(by, "")
        story.add(EventKind.DISCONNECTED if who else EventKind.OTHER, name, path, at, participant_id=who)
        return True
    keys = _VERDICTS.get(name)
    if keys is None:
        return False
    key = next((key for key in keys if reading.whole(payload.get(key))), "")
    status, place = reading.whole(payload.get(key)), f"payload.{key}" if key else ""
    referred = name.startswith("TRANSFER_REFER")
    # On a REFER sip_reason is the caller's leg's, as sip_status is: "OK".
    reason = "" if referred else reading.text(payload.get("sip_reason"))
    if name != "TRANSFER_REFER_SUCCESS":
        code = f"SIP {status}" if status else ""
        story.refuse(path, at, reason or ("" if code else name), code, name, place)
        return True
    story.ask("refer", path, at, name)
    if status is None:
        story.add(EventKind.STATE, name, path, at, state="REFER taken, its end not told")
    elif status < 300:  # noqa: PLR2004 - SIP: 2xx is success
        story.add(EventKind.ACCEPTED, name, f"{path}.{place}", at, code=str(status))
    else:
        story.add(EventKind.REJECTED, name, f"{path}.{place}", at, code=f"SIP {status}")
    return True


def _status(story: Story, handover: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """`handover.status` of the node Handover to Agent: each but `error` says that its provider took the request."""
    status = reading.text(handover.get("status")).lower()
    if status == "error":
        error = reading.mapping(handover.get("error"))
        reason = reading.text(error.get("reason"))
        message = reading.text(error.get("message")) or reason or "error"
        story.refuse(path, at, message, UNSUPPORTED if reason == UNSUPPORTED else "", "handover")
    elif status in _TAKEN:
        if status == _TAKEN[0] or not story.asked:
            story.ask("handover", path, at, "handover")
        story.add(EventKind.STATE, "handover", f"{path}.handover.status", at, state=f"handover {status}")
    return bool(status)


def _result(story: Story, result: object, path: str, at: datetime | None) -> bool:
    """`context.CXoneHandover`: a sentence, of newer versions {success, action, contactId, status | stage, error}."""
    if isinstance(result, str):
        return _said(story, result, f"{path}.CXoneHandover", at, "result")
    told = reading.mapping(result)
    if told.get("success") is True:
        if reading.text(told.get("action")).lower() == "end":
            story.add(EventKind.OTHER, "signal End", path, at)
        else:
            story.ask("result", path, at, "CXoneHandover", reading.text(told.get("contactId")))
        return True
    if told.get("success") is False:
        code = reading.text(told.get("status"))
        if reading.text(told.get("stage")) == "validation":
            code = MISSING_CONTACT_ID
        story.refuse(path, at, reading.text(told.get("error")) or "CXoneHandover.success is false", code)
        return True
    return False


# ---- rows ---------------------------------------------------------------------------------------------------------


def _in_order(
    rows: list[Any], path: str, faults: list[str]
) -> Iterator[tuple[str, Mapping[str, Any], datetime | None]]:
    """The rows that can be read, oldest first; Cognigy gives its logs newest first."""
    read = []
    for number, row in enumerate(rows):
        if isinstance(row, Mapping):
            read.append((f"{path}[{number}]", row, reading.time(row.get("timestamp"))))
        else:
            faults.append(f"{path}[{number}]")
    yield from sorted(read, key=lambda row: row[2].timestamp() if row[2] else 0.0)


def _mappings(entry: Mapping[str, Any], path: str, depth: int = 0) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The entry and the objects within it, a few levels down."""
    yield entry, path
    if depth >= 5:  # noqa: PLR2004 - inputs nest data.payload; deeper is somebody's own content
        return
    for key, value in entry.items():
        if isinstance(value, Mapping):
            yield from _mappings(value, f"{path}.{key}", depth + 1)
