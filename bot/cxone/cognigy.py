"""What Cognigy itself knows of a call: its logs and the session, read into events with the source "Cognigy".

Pure parse. The log lines are those that NICE's extension for Cognigy prints (its node `handoverToCXone` and its
helpers getToken, getCxoneConfigUrl, sendSignalHandover); voice events and the handover status are as Cognigy's
documentation gives them. Where in an entry a session stands is not documented: `names.py` has these guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.cxone import names, reading
from bot.diagnosis.case import MISSING_CONTACT_ID, UNSUPPORTED
from bot.diagnosis.handover import Event, EventKind

SOURCE = "Cognigy"
BOT, CUSTOMER = "bot", "customer"  # ids of the two participants that these events name

_SAME_RUN = timedelta(seconds=10)  # one run of the node logs several lines within this time
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
_DIAL_ERRORS = ("TRANSFER_DIAL_ERROR", "NO_ANSWER", "USER_BUSY", "CALL_FAILED")


@dataclass(frozen=True, slots=True)
class Reading:
    """What Cognigy's side shows. `asks_visible`: the logs of this very call were there to be read, all of them."""

    events: tuple[Event, ...] = ()
    session_id: str = ""
    asks_visible: bool = False
    faults: tuple[str, ...] = ()


@dataclass(slots=True)
class _Story:
    """The events so far, and which form of line told of the last request, so that one run counts once."""

    session_id: str
    events: list[Event] = field(default_factory=list)
    told: list[tuple[str, datetime | None]] = field(default_factory=list)


def parse(document: object, *, path: str = "cognigy") -> Reading:
    """Read `{sessionId, logs[], conversation: {items[]}}`; never raises. Events are in time order."""
    whole = reading.mapping(document)
    session_id = reading.text(whole.get("sessionId"))
    story = _Story(session_id)
    faults: list[str] = []
    # 1. the logs: what the handover node did, and what answered it
    entries = reading.items(whole.get("logs"))
    for place, entry, at in _in_order(entries, f"{path}.logs", faults):
        _entry(story, entry, place, at)
    # 2. the session's messages: voice events, and whether it was in a handover
    items = reading.items(reading.mapping(whole.get("conversation")).get("items"))
    for place, item, at in _in_order(items, f"{path}.conversation.items", faults):
        _structures(story, item, place, at)
        if item.get("inHandoverRequest") is True and not _asked(story):
            _ask(story, "session", place, at, "inHandoverRequest")
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


def _entry(story: _Story, entry: Mapping[str, Any], path: str, at: datetime | None) -> None:
    message = reading.text(entry.get("message"))
    known = _structures(story, entry, path, at)
    if found := _MISSING.search(message):
        _refuse(story, path, at, found[0], MISSING_CONTACT_ID)
        return
    for form in _REFUSALS:
        if found := form.search(message):
            _refuse(story, path, at, message, found["status"] or "")
            return
    if _FAILED.search(message):
        _refuse(story, path, at, message, "")
    elif found := _SENT.search(message):
        action = (found["action"] or found["also"] or "Escalate").lower()
        if action == "end":
            _add(story, EventKind.OTHER, "signal End", path, at)
        else:
            signalled = _SIGNALLED.search(message)
            _ask(story, found[0].lower()[:6], path, at, "signal", signalled["id"] if signalled else "")
    elif not known and reading.text(entry.get("type")).lower() == "error":
        _add(story, EventKind.OTHER, "error", path, at, reason=message)


def _structures(story: _Story, entry: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """Voice events, the handover's status and the node's own result, wherever in the entry they stand."""
    known = False
    for inner, place in _mappings(entry, path):
        name = reading.text(inner.get("event"))
        payload = reading.mapping(inner.get("payload"))
        if name and payload:
            known = _voice(story, name, payload, place, at) or known
        if handover := reading.mapping(inner.get("handover")):
            known = _status(story, handover, place, at) or known
        if result := reading.mapping(inner.get("CXoneHandover")):
            known = _result(story, result, place, at) or known
        for key, value in inner.items():
            if str(key).lower() == names.TRANSCRIPT_KEY:
                state = reading.text(value).lower()
                _add(story, EventKind.OTHER, "transcript", f"{place}.{key}", at, state=state)
                known = True
    return known


def _voice(story: _Story, name: str, payload: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """An event of the voice gateway (Cognigy's documentation, Voice Gateway, events)."""
    if name == "CALL_COMPLETED":
        by = reading.text(payload.get("call_termination_by")).lower()
        who = {"caller": CUSTOMER, "bot": BOT}.get(by, "")
        _add(story, EventKind.DISCONNECTED if who else EventKind.OTHER, name, path, at, participant_id=who)
        return True
    if name == "TRANSFER_REFER_ERROR":
        # sip_status stays 200 here: it is the caller's leg. The verdict is refer_status.
        status = reading.whole(payload.get("refer_status"))
    elif name in _DIAL_ERRORS:
        status = reading.whole(payload.get("dial_sip_status")) or reading.whole(payload.get("sip_status"))
    elif name == "TRANSFER_REFER_SUCCESS":
        final = reading.whole(payload.get("final_referred_call_status"))
        _ask(story, "refer", path, at, name)
        if final is not None and final < 300:  # noqa: PLR2004 - SIP: 2xx is success
            _add(story, EventKind.ACCEPTED, name, path, at, code=str(final))
        elif final is not None:
            reason = reading.text(payload.get("sip_reason"))
            _add(story, EventKind.REJECTED, name, path, at, reason=reason, code=f"SIP {final}")
        return True
    else:
        return False
    code = f"SIP {status}" if status is not None else ""
    _refuse(story, path, at, reading.text(payload.get("sip_reason")) or name, code, name)
    return True


def _status(story: _Story, handover: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """`handover.status` of the node Handover to Agent."""
    status = reading.text(handover.get("status")).lower()
    if status == "error":
        error = reading.mapping(handover.get("error"))
        reason = reading.text(error.get("reason"))
        message = reading.text(error.get("message")) or reason or "error"
        _refuse(story, path, at, message, UNSUPPORTED if reason == UNSUPPORTED else "", "handover")
    elif status in ("queue", "active"):
        _ask(story, "handover", path, at, "handover")
    return bool(status)


def _result(story: _Story, result: Mapping[str, Any], path: str, at: datetime | None) -> bool:
    """`context.CXoneHandover` of newer versions of the node: {success, action, contactId, status | stage, error}."""
    contact = reading.text(result.get("contactId"))
    if result.get("success") is True:
        if reading.text(result.get("action")).lower() == "end":
            _add(story, EventKind.OTHER, "signal End", path, at)
        else:
            _ask(story, "result", path, at, "CXoneHandover", contact)
        return True
    if result.get("success") is False:
        code = reading.text(result.get("status"))
        if reading.text(result.get("stage")) == "validation":
            code = MISSING_CONTACT_ID
        _refuse(story, path, at, reading.text(result.get("error")) or "CXoneHandover.success is false", code)
        return True
    return False


# ---- the story ----------------------------------------------------------------------------------------------------


def _ask(  # noqa: PLR0917 - flat calls read best here
    story: _Story, form: str, path: str, at: datetime | None, kind: str, contact: str = ""
) -> None:
    """A request for a handover. Another form of line within the same run tells of the same request."""
    for told, when in story.told:
        if told != form and _near(when, at):
            return
    story.told.append((form, at))
    properties: dict[str, Any] = {"cognigySessionId": story.session_id} if story.session_id else {}
    if contact:
        properties["signalledContactId"] = contact
    _add(story, EventKind.TRANSFER, kind, path, at, from_id=BOT, properties=properties)


def _refuse(  # noqa: PLR0917 - the same
    story: _Story, path: str, at: datetime | None, reason: str, code: str, kind: str = "signal"
) -> None:
    """A request that was refused: the request itself is an event too. Lines of one run are one refusal."""
    for place in range(len(story.events) - 1, -1, -1):
        event = story.events[place]
        if event.kind is EventKind.REJECTED and _near(event.at, at):
            if code and not event.code:
                story.events[place] = event._replace(code=code, reason=reason, path=path)
            return
    _add(
        story,
        EventKind.TRANSFER,
        kind,
        path,
        at,
        from_id=BOT,
        properties={"cognigySessionId": story.session_id} if story.session_id else {},
    )
    _add(story, EventKind.REJECTED, kind, path, at, reason=reason, code=code)


def _asked(story: _Story) -> bool:
    return any(event.kind is EventKind.TRANSFER for event in story.events)


def _add(story: _Story, kind: EventKind, name: str, path: str, at: datetime | None, **rest: Any) -> None:
    story.events.append(Event(kind=kind, type=name, path=path, at=at, source=SOURCE, **rest))


def _near(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _SAME_RUN


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
