"""An incident bundle: everything that was read for one diagnosis, redacted, in one JSON file to attach to a ticket.

Reading it back gives the same diagnosis: it holds the document of either profile, the targets as they were read, and
the time of the reading, which is its `now`. Of fields that are on no list only the name is kept; numbers of people keep
their length and their last four digits; free text loses names, addresses and long numbers, but not the call's own ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from bot import redact
from bot.cxone import contacts_fields, contacts_reading, conversations, reading
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Conversation, Moment, Report, Target, TargetKind, TargetStatus, Timing

MARK = "handover-bundle"
VERSION = 1
_LONGEST = 2000
_DEEPEST = 12
_MASKED_FROM = 6  # characters of an id; shorter ones no masking touches

_NUMBERS = frozenset(
    {"identity", "dialled", "ani", "dnis", "fromAddress", "fromAddr", "toAddress", "toAddr", "from", "to"}
)
_CONVERSATIONS = """
    id conversationId participantId fromParticipantId toParticipantId targetId userId queueId flowId type timestamp
    startTime endTime connectedTime purpose state stateName disconnectType code status reason name direction
    originatingDirection conversationType mediaType queueName flowName version locale language cognigySessionId"""
_CONTACTS = """
    profile list contactId masterContactId contactStartDate contactStart lastUpdateTime mediaTypeId mediaTypeName
    isOutbound pointOfContactId pointOfContactName skillId skillName agentId targetAgentId stateId abandoned
    contactStateCategory abandonSeconds isShortAbandon endReason isRefused refuseReason refuseTime preQueueSeconds
    inQueueSeconds routingTime agentSeconds totalDurationSeconds stateIndex contactStateId contactStateName startDate
    duration isWarehoused ContactStateId ContactStateCategory ContactStateDescription agentNames call why"""
_COGNIGY = """
    sessionId spawnedContactId message event call_termination_by sip_status sip_reason refer_status dial_sip_status
    final_referred_call_status call_status dial_call_status success action stage error inHandoverRequest source
    cxoneTmsTranscriptPostedStatus _id"""
_KEPT = frozenset(f"{_CONVERSATIONS} {_CONTACTS} {_COGNIGY}".split())
_VALUES = frozenset(
    {"cognigysessionid", "spawnedcontactid", "voiceskillid", "ocpsessionid", "cxonetmstranscriptpostedstatus"}
)  # names of stored data whose values are kept
_IDS = frozenset({"contactId", "masterContactId", "spawnedContactId", "sessionId", "cognigySessionId", "id"})


def of(report: Report, *, profile: str, now: datetime, diagnosis: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle of a report; `diagnosis` is the report as `--json` prints it, for whoever opens the file."""
    read = {
        "document": redacted(report.document),
        "targets": {id_: _plain(asdict(target)) for id_, target in report.targets.items()},
    }
    return {
        "kind": MARK,
        "version": VERSION,
        "profile": profile,
        "read_at": now.isoformat(),
        **redact.without_callers(read, report.document),
        "diagnosis": diagnosis,
    }


def is_bundle(document: Mapping[str, Any]) -> bool:
    """Whether a file is one."""
    return document.get("kind") == MARK


def read_back(document: Mapping[str, Any], *, timing: Timing, now: datetime) -> Report:
    """The same diagnosis again, as of the time when the bundle was read. What cannot be read counts as absent."""
    inner = reading.mapping(document.get("document"))
    then = reading.time(document.get("read_at")) or now
    targets = {
        str(id_): target
        for id_, row in reading.mapping(document.get("targets")).items()
        if (target := _target(reading.mapping(row))) is not None
    }
    found = diagnose(parse(inner), targets, now=then, timing=timing)
    return Report(diagnosis=found, document=inner, targets=targets)


def parse(document: object) -> Conversation:
    """A saved document of either profile."""
    if contacts_fields.is_contact(document):
        return contacts_reading.parse(document)
    return conversations.parse(document)


# ---- redaction ----------------------------------------------------------------------------------------------------


def redacted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of either profile with what may leave the house."""
    ids = sorted({each for each in _ids(document) if len(each) >= _MASKED_FROM}, key=len, reverse=True)
    own = re.compile("|".join(map(re.escape, ids))) if ids else None
    return redact.unnamed(_mapping(document, own, 0), document.get("participants"))


def _ids(value: object, depth: int = 0) -> Iterator[str]:
    """The ids of the call and its parts, which free text may name."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _IDS and isinstance(inner, str | int):
                yield str(inner)
            yield from _ids(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner, depth + 1)


def _mapping(row: Mapping[str, Any], own: re.Pattern[str] | None, depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    hidden = []
    outside = str(row.get("purpose") or "").lower() in ("customer", "caller", "external")
    for key, value in row.items():
        if isinstance(value, Mapping | list) and depth < _DEEPEST:
            shown[key] = _nested(value, own, depth + 1)
        elif key in _NUMBERS:
            shown[key] = _number(value)
        elif key == "name" and outside:
            hidden.append(key)
        elif key in _KEPT or (key == "value" and str(row.get("name")).lower() in _VALUES):
            shown[key] = _scalar(value, own)
        else:
            hidden.append(str(key)[:60])
    if hidden:
        shown[redact.NOT_SHOWN] = sorted(hidden)[:40]
    return shown


def _nested(value: object, own: re.Pattern[str] | None, depth: int) -> object:
    if isinstance(value, Mapping):
        return _mapping(value, own, depth)
    if isinstance(value, list):
        return [_nested(each, own, depth + 1) for each in value] if depth < _DEEPEST else []
    return _scalar(value, own)


def _scalar(value: object, own: re.Pattern[str] | None) -> object:
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | float) else None
    if reading.time(value) is not None or (own is not None and own.fullmatch(value)):
        return value
    if own is None:
        return redact.foreign(value, _LONGEST)
    parts = [_masked(part) for part in own.split(value)]
    kept = [*own.findall(value), ""]
    return "".join(part + id_ for part, id_ in zip(parts, kept, strict=True))


def _masked(part: str) -> str:
    """Text between two ids, with the blanks around it."""
    if not part.strip():
        return part
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{before}{redact.foreign(part, _LONGEST)}{after}"


def _number(value: object) -> str | None:
    """A number of a person: as many digits as it had, all but the last four of them zeros. Words stay ("anonymous")."""
    if not isinstance(value, str):
        return None
    digits = re.sub(r"\D", "", value)
    if not digits:
        return value if len(value) < 20 and value.isalpha() else ""  # noqa: PLR2004 - a word such as "anonymous"
    return ("+" if value.strip().startswith("+") else "") + "0" * max(len(digits) - 4, 0) + digits[-4:]


# ---- targets ------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A record's fields as JSON can hold them."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _target(row: Mapping[str, Any]) -> Target | None:
    """A target as `_plain` wrote it; None where it is none."""
    known = {field.name for field in fields(Target)}
    given = {key: value for key, value in row.items() if key in known}
    try:
        given["kind"] = TargetKind(given["kind"]) if given.get("kind") else None
        given["status"] = TargetStatus(given["status"])
        for key in ("read_at", "published_at"):
            given[key] = reading.time(given.get(key))
        wait = given.get("longest_wait")
        given["longest_wait"] = timedelta(seconds=wait) if isinstance(wait, int | float) else None
        given["partly"] = tuple(str(each) for each in reading.items(given.get("partly")))
        given["moments"] = tuple(
            Moment(reading.time(each[0]), str(each[1]), str(each[2]))
            for each in reading.items(given.get("moments"))
            if isinstance(each, list) and len(each) > 2  # noqa: PLR2004 - time, what, who
        )
        return Target(**given)
    except (ValueError, TypeError, KeyError):
        return None
