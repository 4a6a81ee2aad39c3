"""What a person typed after `/handover`, as an action. Pure.

Text that means nothing known becomes `Misunderstood`, never an exception. Words are read
in any case, with Slack's rewriting undone (`<tel:…|…>`, `&amp;`, no-break spaces, curly quotes).
"""

from __future__ import annotations

import difflib
import re
import shlex
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from bot import phone
from bot.alerts import filters
from bot.alerts.filters import Filters
from bot.cxone.queries import ById, ByNumber, BySession, Query
from bot.diagnosis.handover import TargetKind
from bot.diagnosis.outcomes import Fault, Outcome
from bot.slack.spans import duration
from bot.slack.typed import (
    Action,
    Asked,
    Diagnose,
    DiagnoseId,
    DiagnoseSession,
    Help,
    ListSubscriptions,
    LookAtTarget,
    Misunderstood,
    Mute,
    Recent,
    SendTest,
    ShowStatus,
    Subscribe,
    Target,
    Unmute,
    Unsubscribe,
    Why,
)

LONGEST_SINCE = timedelta(days=31)
LONGEST_MUTE = timedelta(hours=24)

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_FAULTS = frozenset(fault.value for fault in Fault)
_COMMAND = re.compile(r"^/?handover(?=\s|$)\s*", re.IGNORECASE)  # pasted with what was to be typed
_OPTION = re.compile(r"\s+(at|since|private)(?=\s|$)", re.IGNORECASE)
_TEL = re.compile(r"<tel:([^|>]+)(?:\|([^>]*))?>", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ID = re.compile(r"[^\s<>\"'`]{1,200}")
_NUMBERISH = re.compile(r"^(?:[+(\d]|<tel:|tel:|sips?:)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d)(?:[:.](\d\d))?)?\s*(am|pm)?$", re.IGNORECASE)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d|today|yesterday)[\sT]+(.+)$", re.IGNORECASE)
_ZONED = re.compile(r"\s*(?:utc|gmt|z)$", re.IGNORECASE)
_MENTION = re.compile(r"<?[@#!]")


def parse(text: str, *, region: str, now: datetime, zone: tzinfo = UTC) -> Action:
    """What was typed, as an action. `zone` is the asker's, for times of day; `region` for numbers without a country."""
    typed = _COMMAND.sub("", _clean(text))
    head, _, rest = typed.partition(" ")
    word, rest = head.lower().lstrip("/"), rest.strip()
    if word in ("", "help", "?"):
        return Help()
    if word in _COMMANDS:
        return _COMMANDS[word](rest, typed)
    if _UUID.fullmatch(head):
        return _by_id(typed, typed)
    return _by_number(typed, region, now, zone)


def query(action: Asked) -> Query:
    """What is to be looked up."""
    match action:
        case Diagnose():
            return ByNumber(action.number, action.at, action.since)
        case DiagnoseId():
            return ById(action.conversation_id)
        case DiagnoseSession():
            return BySession(action.session_id)


# ---- a diagnosis --------------------------------------------------------------------------------------------------


def _by_number(typed: str, region: str, now: datetime, zone: tzinfo) -> Action:
    cut = _OPTION.search(typed)
    said, tail = (typed[: cut.start()], typed[cut.start() :]) if cut else (typed, "")
    said = unicodedata.normalize("NFKC", said).strip().strip(phone.AROUND).strip()
    if _MENTION.match(said) or (not _NUMBERISH.match(said) and not phone.is_withheld(said)):
        return Misunderstood(typed, _did_you_mean(said))
    try:
        number = phone.parse(said, region)
        at, since, private = _options(tail, now, zone)
    except phone.Withheld as fault:
        return Misunderstood(typed, fault.sentence, withheld=True)
    except phone.NotANumber as fault:
        return Misunderstood(typed, fault.sentence)
    except _NotATimeError as fault:
        return Misunderstood(typed, str(fault))
    return Diagnose(number, at, since, private)


def _options(tail: str, now: datetime, zone: tzinfo) -> tuple[datetime | None, timedelta | None, bool]:
    at, since, private = None, None, False
    words = _OPTION.split(tail)  # ["", "at", " 14:00", "private", ""]
    for name, value in zip(words[1::2], words[2::2], strict=True):
        match name.lower():
            case "at":
                at = _moment(value.strip(), now, zone)
            case "since":
                since = duration(value.strip())
                if since is None or since > LONGEST_SINCE:
                    raise _NotATimeError(
                        "After “since” comes how far back to look, such as 90m, 12h or 3d, at most 31d."
                    )
            case _:
                private = True
                if value.strip():
                    raise _NotATimeError("After “private” nothing more is read.")
    return at, since, private


class _NotATimeError(ValueError):
    """A sentence for the person who typed it."""


def _moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    """A time of day as the last such moment before now, or on the day that was given."""
    fault = _NotATimeError(
        "After “at” comes a time in the last 31 days, such as 14:00, yesterday 14:00 or 2026-11-22 14:00."
    )
    if _ZONED.search(text):
        text, zone = _ZONED.sub("", text), UTC
    day = _DAY.match(text)
    clock = _CLOCK.match((day[2] if day else text).strip())
    if not clock or (clock[2] is None and clock[4] is None):
        raise fault
    hour, half = int(clock[1]), (clock[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    here = now.astimezone(zone)
    try:
        base = _date(day[1].lower(), here) if day else here
        found = base.replace(hour=hour, minute=int(clock[2] or 0), second=int(clock[3] or 0), microsecond=0)
        if not day and found > here:
            found -= timedelta(days=1)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise fault from None
    if not now - LONGEST_SINCE <= found <= now:
        raise fault
    return found


def _date(word: str, here: datetime) -> datetime:
    if word == "today":
        return here
    if word == "yesterday":
        return here - timedelta(days=1)
    return datetime.fromisoformat(word).replace(tzinfo=here.tzinfo)


def _by_id(rest: str, typed: str) -> Action:
    found, private = _one_id(rest)
    if not found:
        return Misunderstood(typed, "After “id” comes the id of one conversation.")
    return DiagnoseId(found, private)


def _by_session(rest: str, typed: str) -> Action:
    found, private = _one_id(rest)
    if not found:
        return Misunderstood(typed, "After “session” comes the id of one Cognigy session.")
    return DiagnoseSession(found, private)


def _one_id(rest: str) -> tuple[str, bool]:
    """The only word, and whether `private` follows it. Slack makes telephone links of ids that are all digits."""
    words = _TEL.sub(lambda link: link[2] or link[1], rest).replace("`", " ").split()
    private = len(words) > 1 and words[-1].lower() == "private"
    words = words[:-1] if private else words
    return (words[0], private) if len(words) == 1 and _ID.fullmatch(words[0]) else ("", private)


def _look_at(kind: TargetKind) -> Callable[[str, str], Action]:
    said = {TargetKind.USER: "agent", TargetKind.QUEUE: "queue", TargetKind.FLOW: "flow"}[kind]

    def read(rest: str, typed: str) -> Action:
        found, _ = _one_id(rest)
        if not found:
            return Misunderstood(typed, f"After “{said}” comes one id, as CXone has it.")
        return LookAtTarget(kind, found)

    return read


# ---- what the store serves ----------------------------------------------------------------------------------------


def _filtered(make: Callable[[Filters], Action]) -> Callable[[str, str], Action]:
    def read(rest: str, typed: str) -> Action:
        try:
            return make(filters.parse(rest))
        except filters.FilterError as fault:
            return Misunderstood(typed, str(fault))

    return read


def _unsubscribe(rest: str, typed: str) -> Action:
    return _filtered(Unsubscribe)(rest, typed) if rest else Unsubscribe()


def _alone(action: Action, word: str) -> Callable[[str, str], Action]:
    def read(rest: str, typed: str) -> Action:
        return Misunderstood(typed, f"“{word}” takes nothing more.") if rest else action

    return read


def _mute(rest: str, typed: str) -> Action:
    words = _words(rest)
    until = duration(words[1]) if len(words) > 1 else None
    if until is None or until > LONGEST_MUTE:
        return Misunderstood(
            typed,
            "Say what to mute (an outcome, a fault, a target or all) and for how long, 24 hours at the most,"
            " such as: mute Billing 2h deploy",
        )
    return Mute(_muted(words[0]), until, " ".join(words[2:]))


def _unmute(rest: str, typed: str) -> Action:
    words = _words(rest) or ["all"]
    if len(words) > 1:
        return Misunderstood(typed, "Say one outcome, fault or target to unmute, or all.")
    return Unmute(_muted(words[0]))


def _muted(word: str) -> Outcome | Fault | Target | Literal["all"]:
    """A bare word is an outcome before a fault before a target; `target=…` says that it is one."""
    key, equals, value = word.partition("=")
    key = key.lower() if equals else ""
    value = value if equals else word
    low = value.lower()
    if not key and low == "all":
        return "all"
    if key in ("", "outcome") and low in _OUTCOMES:
        return Outcome(low)
    if key in ("", "fault") and low in _FAULTS:
        return Fault(low)
    return Target(value)


def _why(rest: str, typed: str) -> Action:
    found, _ = _one_id(rest)
    return Why(found) if found else Misunderstood(typed, "After “why” comes the number of one alert.")


_COMMANDS: dict[str, Callable[[str, str], Action]] = {
    "id": _by_id,
    "session": _by_session,
    "agent": _look_at(TargetKind.USER),
    "queue": _look_at(TargetKind.QUEUE),
    "flow": _look_at(TargetKind.FLOW),
    "recent": _filtered(Recent),
    "subscribe": _filtered(Subscribe),
    "unsubscribe": _unsubscribe,
    "list": _alone(ListSubscriptions(), "list"),
    "mute": _mute,
    "unmute": _unmute,
    "why": _why,
    "status": _alone(ShowStatus(), "status"),
    "test": _alone(SendTest(), "test"),
}
NO_DIAGNOSIS = frozenset(_COMMANDS) - {"id", "session"}  # words of commands that ask for something else


# ---- words --------------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """One line, single spaces, plain quotes, without invisible marks and Slack's escaping."""
    for curly, plain in (("“", '"'), ("”", '"'), ("\u2018", "'"), ("\u2019", "'")):
        text = text.replace(curly, plain)
    shown = (" " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    text = " ".join("".join(shown).split())
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip("`").strip()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed
        return text.replace('"', " ").replace("'", " ").split()


def _did_you_mean(said: str) -> str:
    close = difflib.get_close_matches(said.split(" ", maxsplit=1)[0].lower(), [*_COMMANDS, "help"], n=1, cutoff=0.7)
    return f"Did you mean “{close[0]}”?" if close else "That is neither a number nor a command."
