"""What a refusal means: its code field first, then an HTTP status in one of the forms that name it, then known words.

A bare number in prose is no status ("timeout after 400 ms"). A reason that nobody knows stays unknown.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from bot.diagnosis.parties import clean

LONGEST_REASON = 160
_LONGEST_READ = 2000
_LONGEST_CODE = 40


class Family(StrEnum):
    """What kind of a refusal it is, which says whose side has to act."""

    __hash__ = str.__hash__  # a key of tables, and an enum's own hash is slow

    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    PLATFORM = "platform"
    CLOSED = "closed"
    STAFFING = "staffing"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


class Reason(NamedTuple):
    """A refusal, read. `code` is what to group by; `text` is fit for a sentence."""

    family: Family
    code: str
    text: str


_PHRASES = (
    "forbidden|bad request|not found|unauthori[sz]ed|too many requests|internal server error|bad gateway"
    "|service (?:temporarily )?unavailable|gateway time-?out|conflict"
)
_STATUS = re.compile(
    rf"\bHTTP(?:/[\d.]+)?[ :]+(?P<a>[1-5]\d\d)\b"
    rf"|\b(?P<b>[1-5]\d\d)[ :-]+(?:{_PHRASES})\b"
    rf"|\b(?:(?:status|error)? ?code|status)[ :=#]+(?P<c>[1-5]\d\d)\b(?!\s*(?:ms|s|sec|seconds|%)\b)"
    rf"|^\s*(?P<d>[1-5]\d\d)\s*$",
    re.IGNORECASE,
)
_SYMBOL = re.compile(r"^\s*([A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)+|[A-Z]{4,})\b")

# Asked in this order: the more special first. Underscores and hyphens read as blanks.
_WORDS: tuple[tuple[Family, str, re.Pattern[str]], ...] = tuple(
    (family, code, re.compile(pattern, re.IGNORECASE))
    for family, code, pattern in (
        (
            Family.DUPLICATE,
            "DUPLICATE",
            r"\bduplicate\b|\balready (?:been |being )?(?:transferr(?:ed|ing)|in progress|accepted|connected)",
        ),
        (
            Family.CLOSED,
            "CLOSED",
            (
                r"\b(?:queue|skill|office|branch|target|we are) (?:is )?closed\b|^closed\b"
                r"|\bout(?:side)?(?: of)?(?: the)?"
                r" (?:business |opening |office |service )?hours\b|\bafter ?hours\b|\bholiday\b|\bnot open\b"
            ),
        ),
        (
            Family.FORBIDDEN,
            "FORBIDDEN",
            (
                r"\bforbidden\b|\bunauthori[sz]ed\b|\bnot (?:authori[sz]ed|permitted|allowed)\b|\bpermission\b"
                r"|\baccess denied\b|\b(?:invalid|expired) (?:access )?token\b"
                r"|\btoken (?:has )?(?:is )?(?:expired|invalid)\b"
                r"|\binsufficient (?:scope|privileges|rights)\b"
            ),
        ),
        (
            Family.INVALID,
            "INVALID_PARTICIPANT",
            (
                r"\b(?:invalid|unknown|no such|nonexistent) (?:to ?)?"
                r"(?:participant|target|queue|user|agent|flow|destination|skill)\b"
                r"|\b(?:participant|target|queue|user|agent|flow|destination|skill)(?: id)? (?:was |is |does )?"
                r"(?:not found|not exist|unknown|invalid|inactive)\b"
            ),
        ),
        (
            Family.STAFFING,
            "NO_AGENTS_AVAILABLE",
            (
                r"\bno (?:free |available )?agents?\b|\bnobody\b.*\bavailable\b|\bagents? (?:is |are )?"
                r"(?:not available|unavailable|busy|offline|logged out|not logged in|on break)\b"
                r"|\bqueue (?:is )?(?:full|at capacity)\b|\bqueue (?:limit|capacity)\b|\ball agents\b.*\bbusy\b|^busy\b"
            ),
        ),
        (
            Family.DECLINED,
            "DECLINED",
            (
                r"\bagent (?:has )?(?:declined|refused|rejected|did not answer)\b|\bdeclined by\b|^declined\b"
                r"|^no answer\b"
                r"|\bring(?:ing)? time-?out\b|\bnot answered\b"
            ),
        ),
        (
            Family.PLATFORM,
            "PLATFORM",
            (
                r"\bservice (?:temporarily )?unavailable\b|\binternal (?:server )?error\b|\bbad gateway\b"
                r"|\bgateway time-?out\b|\btoo many requests\b|\brate limit|\bthrottl|\boverloaded\b"
            ),
        ),
    )
)


@lru_cache(maxsize=256)
def read(reason: str, code: str) -> Reason:
    """What a refusal with this text and this code field means."""
    said = reason[:_LONGEST_READ]
    text = clean(said, LONGEST_REASON)
    status = _status(said, code)
    symbol = _symbol(said, code)
    by_words, canonical = _by_words(f"{code} {said}" if code and not code.isdigit() else said)
    family = _by_status(status, by_words)
    return Reason(family, symbol or status or canonical, text or clean(code, _LONGEST_CODE))


def _status(said: str, code: str) -> str:
    if len(code) == 3 and code.isascii() and code.isdigit() and "1" <= code[0] <= "5":  # noqa: PLR2004 - an HTTP status
        return code
    if found := _STATUS.search(code[:_LONGEST_CODE]):
        return str(next(filter(None, found.groups())))
    found = _STATUS.search(said)
    return str(next(filter(None, found.groups()))) if found else ""


def _symbol(said: str, code: str) -> str:
    if code and not code.isdigit():
        return clean(code, _LONGEST_CODE)
    found = _SYMBOL.match(said)
    return found[1][:_LONGEST_CODE] if found and found[1] != "HTTP" else ""


def _by_words(said: str) -> tuple[Family, str]:
    words = said.replace("_", " ").replace("-", " ")
    for family, code, pattern in _WORDS:
        if pattern.search(words):
            return family, code
    return Family.UNKNOWN, ""


def _by_status(status: str, by_words: Family) -> Family:
    """A status says whose side it is; a 400 is so general that words about staffing or hours say more."""
    if not status:
        return by_words
    if status in ("401", "403"):
        return Family.FORBIDDEN
    if status == "429" or status[0] == "5":
        return Family.PLATFORM
    if status in ("400", "404"):
        return by_words if by_words in (Family.CLOSED, Family.STAFFING, Family.DECLINED) else Family.INVALID
    return by_words
