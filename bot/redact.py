"""What may be shown of text and documents that others wrote.

Three uses. `foreign` makes one line of somebody else's text fit to show: no caller, no name, no control marks, cut.
`escape` is Slack's escaping, for mrkdwn alone (plain_text and rich_text need none). `document` and `properties` keep
the fields of an allow-list and give the others by name only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from bot import phone

NOT_SHOWN = "not_shown"  # key under which a redacted document names the fields that it left out

_UUID = r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
_RUN = r"\+?\(?\d(?:[\s.\-()/·]{0,3}\d){6,}"
_SHORT_ID = r"\b(?=\d*[a-f])[0-9a-f]{8}…"  # the head of a UUID, as a diagnosis names what has no name
_UUID_OR_RUN = re.compile(f"({_UUID}|{_SHORT_ID})|({_RUN})")
_PLAIN_RUN = re.compile(r"\d{7}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d)?", re.ASCII)
_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_NAME_FIELD = re.compile(
    r"\b((?:customer|caller|contact|client|patient|member|first|last|middle|full|given|family|sur|display)[ _-]?name)"
    r"(?P<sep>[\"']?\s{0,3}[:=]\s{0,3})"
    r"(?P<value>\"[^\"]{0,200}\"?|'[^']{0,200}'?|[^\s,;}\]&]{1,200}(?: (?-i:[A-Z])[\w'\u2019-]{0,40}){0,2})",
    re.IGNORECASE,
)
_ID_LIKE = re.compile(r"[A-Za-z0-9_.:\-]{1,200}")
_PHONE_LIKE = re.compile(r"(?i:tel:|sips?:|\+)|[+\d\s().\-/]{7,}$")

# Fields whose values say nothing about a caller. Everything else is given by name alone.
_STRUCTURE = frozenset({"participants", "events", "properties", "entities", "state"})
_IDS = frozenset(
    {
        *(
            "id",
            "conversationId",
            "participantId",
            "fromParticipantId",
            "toParticipantId",
            "targetId",
            "userId",
            "queueId",
        ),
        *("flowId", "agentId", "skillId", "contactId", "masterContactId", "cognigySessionId", "sessionId", "projectId"),
        *("nodeId", "endpointId", "transferId", "correlationId", "eventId", "scriptId", "teamId", "campaignId"),
    }
)
_PLAIN = frozenset(
    {
        *(
            "type",
            "timestamp",
            "startTime",
            "endTime",
            "connectedTime",
            "purpose",
            "stateName",
            "disconnectType",
            "code",
        ),
        *(
            "status",
            "statusCode",
            "httpStatus",
            "errorCode",
            "conversationType",
            "direction",
            "mediaType",
            "transferType",
        ),
        *("targetType", "queueName", "flowName", "skillName", "version", "locale", "language", "priority", "attempt"),
        *("reason", "message", "error", "name", "contactStateName", "eventType"),
    }
)
_WHOLE_NUMBERS = frozenset({"id", "conversationId", "contactId", "masterContactId"})  # CXone's contact ids are digits
_NUMBERS = frozenset({"identity", "ani", "fromAddress", "fromAddr", "from", "toAddress", "toAddr", "to"})
_NUMBER = re.compile(r"(?:tel:|sips?:)?(\+?[\d\s().\-/]{7,})(?:[@;].*)?", re.IGNORECASE)
_PEOPLE_OUTSIDE = frozenset({"customer", "caller", "external", "contact", ""})
_CUSTOMERS = frozenset({"customer", "caller"})
_FREE_TEXTS = frozenset({"reason", "message", "error", "state"})
_SHORTEST_NAME = 3
THE_CALLER = "the caller"
_DEEPEST = 8
_MOST_NAMES = 40
_MOST_ITEMS = 2000


def foreign(text: object, limit: int = 300) -> str:
    """Somebody else's text as one line of at most `limit` characters, callers and names masked. Escapes nothing."""
    raw = text if isinstance(text, str) else "" if text is None else str(text)
    line = one_line(raw[: limit * 4 + 200])
    line = _EMAIL.sub("•••", line)
    line = _NAME_FIELD.sub(lambda found: f"{found[1]}{found['sep']}•••", line)
    line = _UUID_OR_RUN.sub(_masked_run, line)
    return cut(line, limit)


def named(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds these callers' names in a text; None where there is none that could be told from other words."""
    words = [name.strip() for name in names if not phone.is_withheld(name)]
    found = [
        re.escape(name) for name in words if len(name) >= _SHORTEST_NAME and name.casefold() not in _PEOPLE_OUTSIDE
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", re.IGNORECASE) if found else None


def whole_id(text: str) -> str:
    """A conversation's id, whole, to copy; what cannot be an id is foreign text like any other."""
    return text if _ID_LIKE.fullmatch(text) else foreign(text, 200)


def cut(text: str, limit: int) -> str:
    """The text, or its first `limit - 1` characters and an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def escape(text: str) -> str:
    """Slack's escaping for mrkdwn: `&`, `<` and `>`, only these three (https://docs.slack.dev, formatting text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def document(raw: object) -> dict[str, Any]:
    """A conversation as a platform gave it, for "Raw events": allow-listed fields, callers masked, the rest by name."""
    if not isinstance(raw, Mapping):
        return {}
    callers = _callers(raw.get("participants"))
    return unnamed(_mapping(raw, callers, 0, keep_name=True), raw.get("participants"))


def unnamed(shown: dict[str, Any], participants: object) -> dict[str, Any]:
    """What is shown of a document, without the names of its customers in free texts; `participants` as they came."""
    names = named(_customer_names(participants))
    return {key: _unnamed(value, names, key) for key, value in shown.items()} if names is not None else shown


def without_callers(shown: Any, raw: object) -> Any:
    """The same JSON, with the numbers of a document's callers masked wherever they stand, in ids too."""
    found = sorted(_numbers(raw, 0), key=len, reverse=True)
    if not found:
        return shown
    between = r"[\s.\-()/·]{0,3}"
    runs = re.compile("|".join(rf"\+?\d{{0,5}}{between.join(digits)}" for digits in found))
    return _without(shown, runs)


def _numbers(raw: object, depth: int) -> set[str]:
    """The last ten digits of each number that a document says somebody calls from, or is called at."""
    if depth > _DEEPEST:
        return set()
    if isinstance(raw, list | tuple):
        return set().union(*(_numbers(each, depth + 1) for each in raw[:_MOST_ITEMS]))
    if not isinstance(raw, Mapping):
        return set()
    found: set[str] = set()
    outside = str(raw.get("purpose") or "").lower() in _PEOPLE_OUTSIDE
    for key, value in raw.items():
        if isinstance(value, Mapping | list | tuple):
            found |= _numbers(value, depth + 1)
        elif outside and key in _NUMBERS and isinstance(value, str) and (number := _NUMBER.fullmatch(value.strip())):
            found.add(_last_ten(number[1]))
    return found - {""}


def _without(shown: Any, runs: re.Pattern[str]) -> Any:
    if isinstance(shown, dict):
        return {_without(key, runs): _without(value, runs) for key, value in shown.items()}
    if isinstance(shown, list):
        return [_without(each, runs) for each in shown]
    if isinstance(shown, str):
        return runs.sub(lambda run: phone.mask(run[0]), shown)
    return shown


def properties(raw: object) -> dict[str, Any]:
    """The properties of an attempt: allow-listed fields, the rest by name."""
    return _mapping(raw, frozenset(), 1, keep_name=False) if isinstance(raw, Mapping) else {}


def _mapping(raw: Mapping[Any, Any], callers: frozenset[str], depth: int, *, keep_name: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    hidden: list[str] = []
    purpose = raw.get("purpose")
    outside = isinstance(purpose, str) and purpose.lower() in _PEOPLE_OUTSIDE
    for key, value in raw.items():
        if key in _STRUCTURE and isinstance(value, Mapping | list | tuple):
            shown[key] = _nested(value, callers, depth + 1, keep_name=key in ("participants", "entities"))
        elif isinstance(value, Mapping | list | tuple):
            hidden.append(key)
        elif key in ("identity", "dialled", "ani", "dnis"):
            shown[key] = phone.mask(value) if isinstance(value, str) else None
        elif key == "name" and (outside or not keep_name):
            hidden.append(key)
        elif key in _IDS:
            shown[key] = _identifier(value, callers, whole=key in _WHOLE_NUMBERS)
        elif key in _PLAIN or key == "state":
            shown[key] = _plain(value, callers)
        else:
            hidden.append(key)
    if hidden:
        shown[NOT_SHOWN] = _names(hidden)
    return shown


def _nested(value: object, callers: frozenset[str], depth: int, *, keep_name: bool) -> object:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return _mapping(value, callers, depth, keep_name=keep_name)
    if isinstance(value, list | tuple):
        rows = [_nested(item, callers, depth + 1, keep_name=keep_name) for item in value[:_MOST_ITEMS]]
        return rows if len(value) <= _MOST_ITEMS else [*rows, f"… {len(value) - _MOST_ITEMS} more"]
    return _plain(value, callers)


def _plain(value: object, callers: frozenset[str]) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if len(re.sub(r"\D", "", str(value))) < 7 else foreign(value)  # noqa: PLR2004 - design: runs of 7
    text = foreign(value)
    return "•••" if _holds(text, callers) else text


def _identifier(value: object, callers: frozenset[str], *, whole: bool) -> object:
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    if _holds(text, callers):
        return phone.mask(text)
    if whole and _ID_LIKE.fullmatch(text):
        return text
    if _PHONE_LIKE.match(text):
        return phone.mask(text)
    return text if _ID_LIKE.fullmatch(text) else foreign(text, 200)


def _callers(participants: object) -> frozenset[str]:
    """The digits of every identity of a document, so that none gets through under another name."""
    rows = participants if isinstance(participants, list | tuple) else ()
    return frozenset(_last_ten(str(row.get("identity") or "")) for row in rows if isinstance(row, Mapping)) - {""}


def _last_ten(number: str) -> str:
    """The digits by which a number is found, whatever stands before them; "" if there are too few."""
    digits = re.sub(r"\D", "", number)
    return digits[-10:] if len(digits) >= 7 else ""  # noqa: PLR2004 - design: runs of 7


def _customer_names(participants: object) -> list[str]:
    rows = participants if isinstance(participants, list | tuple) else ()
    customers = [row for row in rows if isinstance(row, Mapping) and str(row.get("purpose")).lower() in _CUSTOMERS]
    return [name for row in customers if isinstance(name := row.get("name"), str)]


def _unnamed(value: Any, names: re.Pattern[str], key: str) -> Any:
    if isinstance(value, dict):
        return {each: _unnamed(inner, names, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [_unnamed(inner, names, key) for inner in value]
    return names.sub(THE_CALLER, value) if key in _FREE_TEXTS and isinstance(value, str) else value


def _holds(text: str, callers: frozenset[str]) -> bool:
    if not callers:
        return False
    digits = re.sub(r"\D", "", text)
    return any(caller in digits for caller in callers)


def _names(hidden: Iterable[object]) -> list[str]:
    names = sorted({foreign(key, 60) for key in hidden})
    return names if len(names) <= _MOST_NAMES else [*names[:_MOST_NAMES], f"… {len(names) - _MOST_NAMES} more"]


def one_line(text: str) -> str:
    """Without control and direction marks (which can reorder what a reader sees), white space as single spaces."""
    clean = "".join(
        " " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return " ".join(clean.split())


def _masked_run(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    run = found[2]
    if _DATE.fullmatch(run) and not _PLAIN_RUN.search(run):
        return run
    return phone.mask(run)
