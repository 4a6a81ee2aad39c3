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
    SENDER = "sender"  # who asks is not known to be in the call
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
    rf"\bHTTP(?:/[\d.]+)?(?:[ _](?:error|status|response))?(?:[ _]code)?[ :=_-]*(?P<a>[1-5]\d\d)\b"
    rf"|\b(?P<b>[1-5]\d\d)[\s:_-]+(?:{_PHRASES})\b"
    # A code of something else than the answer is none: "area code 503", "agent reason code 403".
    rf"|(?:\b(?:status|error|response|result|with) ?code|(?<!\w )\bcode|(?<!agent )(?<!user )\bstatus)"
    rf"[ :=#]+(?P<c>[1-5]\d\d)\b(?!\s*(?:ms|s|sec|seconds|%)\b)"
    rf"|^\s*(?:error[ :#]*)?(?:[\[(](?P<d>[1-5]\d\d)[\])]|(?P<e>[1-5]\d\d)\s*(?:$|[:.]| - ))",
    re.IGNORECASE,
)
_SYMBOL = re.compile(r"^\s*([A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)+|[A-Z]{4,})\b")

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")

# What a word like "queue" may stand before without being the thing that is missing or closed: "unknown queue error".
_OF_IT = (
    r"(?:error|state|status|type|version|exception|failure|response|credentials?|session|token|password|permissions?"
    r"|event|request|message)\b"
)
_NAMED = rf"(?: (?!{_OF_IT})[^\s,;:]{{0,59}}[^\s,;:.]){{0,6}}?"  # a name may stand between: "queue Billing is full"
_THING = r"(?:participant|target|queue|user|agent|flow|destination|skill)(?: ?id)?"
_SENDER = r"(?:from|source|sender|originating|bot) ?participant(?: ?id)?"
_PLACE = rf"\b(?:queue|skill|office|branch|target|we)(?:{_NAMED} (?:is|are|was))? (?:currently |now )?"
_AWAY = r"(?:not available|unavailable|busy|offline|logged out|not logged in|on break)\b"
_SCOPE = r"(?:\w+ )?(?:scopes?|privileges?|\w+:\w+(?::\w+)?)\b"
_DAY = r"(?:public |bank |national )?holidays?\b"

# Asked in this order: the more special first. Underscores and hyphens read as blanks, and words may stand in one:
# "NoAgentsAvailable".
_WORDS: tuple[tuple[Family, str, re.Pattern[str]], ...] = tuple(
    (family, code, re.compile(pattern, re.IGNORECASE))
    for family, code, pattern in (
        (
            Family.STAFFING,
            "NO_AGENTS_AVAILABLE",
            r"\b(?:agent|user)(?: is)? already (?:connected\b|(?:on|in) (?:a|another)\b)",
        ),
        (
            Family.DUPLICATE,
            "DUPLICATE",
            r"\bduplicate\b|\balready (?:been |being )?(?:transferr(?:ed|ing)|in progress|accepted|connected)",
        ),
        (
            Family.CLOSED,
            "CLOSED",
            (
                rf"{_PLACE}(?:closed|not open)\b"
                r"|^closed\b|^not open\b|\bout(?:side)?(?: of)?(?: the)?"
                r" (?:business |opening |operating |office |service )?hours\b"
                # A queue may be called "Holiday Bookings".
                rf"|\bafter ?hours\b|\b(?:on|for|during|to|of|is)(?: an?| the)? {_DAY}|(?:^|[^a-z\s] ?){_DAY}(?! [a-z])"
                r"|\bholiday (?:schedule|hours|mode|closure)\b"
            ),
        ),
        (
            Family.SENDER,
            "INVALID_SENDER",
            (
                rf"\b(?:invalid|unknown|no such) {_SENDER}\b(?! {_OF_IT})"
                rf"|\b{_SENDER}{_NAMED}(?: (?:was|is|does))? (?:not (?:found|exist)|unknown|invalid)\b"
            ),
        ),
        (
            Family.STAFFING,
            "NO_AGENTS_AVAILABLE",
            (
                r"\bno (?:(?!such\b)\w+ ){0,2}(?:agents?|staff)\b(?! (?:id|with|by)\b)"
                r"|\b(?:nobody|no ?one)\b.*\bavailable\b"
                r"|\b(?:available|free|idle) agents? (?:was |were )?not found\b"
                rf"|\b(?:agents?|users?)(?:{_NAMED} (?:is|are|was))? (?:currently |now )?{_AWAY}"
                rf"|\b(?:queue|target)(?:{_NAMED} (?:is|was))? (?:currently |now )?(?:not available|unavailable)\b"
                rf"|\bqueue(?:{_NAMED})?(?: (?:is|was))? (?:currently |now )?(?:full|at capacity|overloaded)\b"
                r"|\bqueue (?:limit|capacity)\b|\ball agents\b.*\bbusy\b|^busy\b"
            ),
        ),
        (
            Family.FORBIDDEN,
            "FORBIDDEN",
            (
                # "Not allowed" alone may mean a state or a limit as well.
                r"\bforbidden\b|\bunauthori[sz]ed\b|\bnot authori[sz]ed\b|\bnot (?:permitted|allowed) to\b"
                r"|\bpermissions?\b|\baccess (?:is )?denied\b|\b(?:invalid|expired|revoked) (?:access )?token\b"
                r"|\b(?:invalid|expired|wrong) (?:\w+ )?credentials?\b"
                r"|\b(?:token|jwt) (?:has |is |was )?(?:been )?(?:expired|invalid|revoked)\b"
                r"|\bunauthenticated\b|^authentication (?:failed|error|required)\b"
                rf"|\b(?:insufficient|missing|lacks?|lacking) (?:the |required )*{_SCOPE}|\binsufficient rights\b"
            ),
        ),
        (
            Family.INVALID,
            "INVALID_PARTICIPANT",
            (
                rf"^bad request\b|\b(?:invalid|unknown|no such|nonexistent) (?:to ?)?{_THING}\b(?! {_OF_IT})"
                rf"|\b{_THING}{_NAMED}(?: (?:was|is|does))? not (?:found|exist)\b"
                rf"|\b{_THING}(?:{_NAMED} (?:was|is))? (?:unknown|invalid|inactive)\b(?! {_OF_IT})"
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
                # A queue may be called "Customer Service", or be overloaded itself.
                r"(?:(?<![a-z] )|\b(?:the|error|upstream|remote|backend|api) )service (?:is )?(?:temporarily )?"
                r"unavailable\b|\binternal (?:server )?error\b|\bbad gateway\b"
                r"|\bgateway time-?out\b|\btoo many requests\b|\brate limit|\bthrottl"
                r"|(?:^|\b(?:server|service|system|platform|backend|api) )(?:is )?(?:currently )?overloaded\b"
            ),
        ),
    )
)


@lru_cache(maxsize=256)
def read(reason: str, code: str, status: str = "") -> Reason:
    """What a refusal with this text, this code field and this HTTP status beside it means."""
    said = reason[:_LONGEST_READ]
    text = clean(said, LONGEST_REASON)
    status = status or _status(said, code)
    symbol = _symbol(said, code)
    by_words, canonical = _by_words(f"{code.replace('.', ' ')} {said}" if code and not code.isdigit() else said)
    family = _by_status(status, by_words)
    return Reason(family, symbol or status or canonical, text or clean(code, _LONGEST_CODE))


def is_status(code: str) -> bool:
    """Whether a code is an HTTP status."""
    return len(code) == 3 and code.isascii() and code.isdigit() and "1" <= code[0] <= "5"  # noqa: PLR2004 - its length


def _status(said: str, code: str) -> str:
    if is_status(code):
        return code
    found = _STATUS.search(code[:_LONGEST_CODE]) or _STATUS.search(said)
    return str(next(filter(None, found.groups()))) if found else ""


def _symbol(said: str, code: str) -> str:
    if code and not code.isdigit():
        return clean(code, _LONGEST_CODE)
    found = _SYMBOL.match(said)
    return found[1][:_LONGEST_CODE] if found and not found[1].startswith("HTTP") else ""


def _by_words(said: str) -> tuple[Family, str]:
    words = _CAMEL.sub(" ", said.replace("_", " ").replace("-", " "))
    for family, code, pattern in _WORDS:
        if pattern.search(words):
            return family, code
    return Family.UNKNOWN, ""


_SAYS_MORE = (Family.CLOSED, Family.STAFFING, Family.DECLINED, Family.DUPLICATE)


def _by_status(status: str, by_words: Family) -> Family:
    """A status says whose side it is; a 400 is so general that words about staffing or hours say more."""
    if not status:
        return by_words
    if status in ("401", "403"):
        return Family.FORBIDDEN
    if status == "429" or status[0] == "5":
        return Family.PLATFORM
    if status in ("400", "404"):
        return by_words if by_words in _SAYS_MORE else Family.INVALID
    return by_words
