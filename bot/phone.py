"""A phone number: what people type, what platforms store, and how little of it is shown.

A number is taken if it is *possible* (right length for its country), not only if it is assigned: test lines and numbers
newer than the metadata must work. Callers are shown by their last four digits, and stored as a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, field

import phonenumbers

EXAMPLE = "+15550199888"
NOBODYS = "+1-212-555-0123"  # for a sentence about something that went wrong: never the number that somebody tries out
DOTS = "••••"

_LINK = re.compile(r"^<(?:tel|sips?|callto):([^|>]+)(?:\|[^>]*)?>$", re.IGNORECASE)
_SCHEME = re.compile(r"^(?:tel|sips?|callto):", re.IGNORECASE)
_EXTENSION = re.compile(r"\s*(?:ext|extn|x)\.?\s*\d{1,6}$", re.IGNORECASE)
_NOT_DIGIT = re.compile(r"\D+", re.ASCII)
_LOOKS_LIKE_ONE = re.compile(r"^[+(\d]")
_SHORTEST_NATIONAL = 7  # a national form shorter than this says too little to tell two callers apart
_LEAST_TO_SHOW = 5  # four digits are shown, so there must be more than four

AROUND = "`*_\"'“”"  # how people set off what they paste
# What platforms store where the caller withheld the number. The digits spell the words on a telephone's keypad
# (https://help.twilio.com/articles/223179988).
_WITHHELD = frozenset(
    {
        *("", "anonymous", "unknown", "restricted", "withheld", "private", "blocked", "unavailable", "hidden"),
        *("none", "null", "no caller id", "private number", "unknown number", "unknown caller", "not available"),
        *("266696687", "7378742833", "2562533", "8656696", "86282452253"),
    }
)


class NotANumber(ValueError):  # noqa: N818 - it is what the text is, and reads so in a raise
    """The text cannot be a phone number. `sentence` says why, for the person who typed it, and does not repeat it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Withheld(NotANumber):
    """The text is what a platform stores for a caller who withheld the number."""


@dataclass(frozen=True, slots=True, repr=False)
class Number:
    """A possible phone number. Its repr is masked, so that no log shows it by accident."""

    e164: str  # "+15550199888"
    national: str  # "5550199888", without the trunk prefix
    _digits: frozenset[str] = field(compare=False)

    @property
    def masked(self) -> str:
        """The last four digits: "•••• 9888"."""
        return mask(self.e164)

    @property
    def last4(self) -> str:
        """The last four digits alone, for "Looking up …9888"."""
        return self.e164[-4:]

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms that a stored identity may have, the international one first."""
        return self.e164, *sorted(self._digits, key=lambda form: (len(form), form))

    @property
    def masked_forms(self) -> tuple[str, ...]:
        """The forms as people may read them: what stands before the number, and its last four digits ("+1…9888")."""
        return tuple(f"{form.removesuffix(self.national)}…{self.last4}" for form in self.forms)

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Number({self.masked})"


def parse(text: str, region: str) -> Number:
    """Read a number as people type it or as Slack rewrites it: `<tel:…|…>`, `00…`, brackets, no-break spaces, no plus.

    `region` is the country (ISO 3166, "US") of a number without a country code. Raises `NotANumber`, or `Withheld`.
    """
    typed = _bare(text)
    if is_withheld(typed):
        raise Withheld("The caller withheld the number, so it cannot be looked up by it.")
    if not _LOOKS_LIKE_ONE.match(typed) or any(char.isalpha() for char in _EXTENSION.sub("", typed)):
        raise NotANumber("That is not a phone number.")
    sentence = "That is not a phone number."
    for candidate, country in _readings(typed, region):
        try:
            found = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException as fault:
            sentence = _sentence(fault)
            continue
        reason = phonenumbers.is_possible_number_with_reason(found)
        if reason in (phonenumbers.ValidationResult.IS_POSSIBLE, phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
            if reason == phonenumbers.ValidationResult.IS_POSSIBLE:
                return _number(found)
            sentence = "That number lacks its area code."
        else:
            sentence = _impossible(reason)
    raise NotANumber(sentence)


def is_withheld(identity: str) -> bool:
    """Whether this is what a platform stores where the caller withheld the number ("anonymous", "", …)."""
    return _says_nothing(_user(identity))


def _says_nothing(user: str) -> bool:
    return user.strip().lower().lstrip("+").replace("_", " ").replace("-", " ") in _WITHHELD


def same_number(identity: str, number: Number) -> bool:
    """Whether a stored identity (`+1…`, `tel:`, `sip:…@…`, digits, no plus, national) is this number.

    Lists hold thousands of rows, so this compares digits and parses nothing. An identity with a plus is taken at its
    word; one without may be the international or the national form.
    """
    if identity == number.e164:
        return True
    if number.e164[-1] not in identity:
        return False
    user = _user(identity)
    digits = _NOT_DIGIT.sub("", user)
    if user.lstrip()[:1] == "+":
        return digits == number.e164[1:]
    return digits in number._digits  # noqa: SLF001 - its own module


def mask(text: str) -> str:
    """The last four digits of an identity: "•••• 9888"; "" if it was withheld, "••••" if it has too few digits."""
    user = _user(text)
    if _says_nothing(user):
        return ""
    digits = _NOT_DIGIT.sub("", user)
    return f"{DOTS} {digits[-4:]}" if len(digits) >= _LEAST_TO_SHOW else DOTS


def normal(identity: str, region: str = "US") -> str:
    """An identity in the one form that is hashed: E.164 where it is a number, else its digits or text in lower case."""
    try:
        return parse(identity, region).e164
    except NotANumber:
        user = _user(identity)
        return _NOT_DIGIT.sub("", user) or user.strip().lower()


def hashed(number: str, key: str | bytes, region: str = "US") -> str:
    """A keyed hash (HMAC-SHA-256, 64 hex digits) of an identity, the same for all forms of one number."""
    secret = key.encode() if isinstance(key, str) else key
    return hmac.new(secret, normal(number, region).encode(), hashlib.sha256).hexdigest()


def _bare(text: str) -> str:
    """What was typed, without Slack's link, URI scheme, invisible marks and odd spaces."""
    clean = "".join(" " if char.isspace() else char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    clean = clean.strip().strip(AROUND).strip()
    link = _LINK.match(clean)
    return _user(link[1] if link else clean).strip()


def _user(identity: str) -> str:
    """The part of a `tel:` or `sip:` identity that can be a number: no scheme, host or parameters."""
    if identity.isdigit() or (identity[1:].isdigit() and identity[0] == "+"):  # by far the commonest
        return identity
    user = _SCHEME.sub("", identity.strip().strip("<>\"' "))
    for mark in ("@", ";", "?"):
        user = user.partition(mark)[0]
    return user.replace("%2B", "+").replace("%2b", "+")


def _readings(typed: str, region: str) -> list[tuple[str, str | None]]:
    """What the text may mean, the likeliest first."""
    if typed.startswith("+"):
        return [(typed, None)]
    if typed.startswith("00"):
        # Where the country's own prefix for calls abroad begins with 00 (0011 in Australia), its reading is right.
        own: list[tuple[str, str | None]] = [(typed, region)] if _dials_abroad(typed, region) else []
        return [*own, ("+" + typed[2:].lstrip(" -"), None)]
    plus = "+" + typed
    return [(typed, region), (plus, None)]


def _dials_abroad(typed: str, region: str) -> bool:
    try:
        found = phonenumbers.parse(typed, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return False
    return bool(found.country_code_source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD)


def _number(found: phonenumbers.PhoneNumber) -> Number:
    e164 = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.national_significant_number(found)
    digits = {e164[1:], "00" + e164[1:], "011" + e164[1:]}
    if len(national) >= _SHORTEST_NATIONAL:
        digits |= {national, "0" + national}
    return Number(e164, national, frozenset(digits))


def _sentence(fault: phonenumbers.NumberParseException) -> str:
    if fault.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return "That number begins with a country code that does not exist."
    if fault.error_type == phonenumbers.NumberParseException.TOO_LONG:
        return _impossible(phonenumbers.ValidationResult.TOO_LONG)
    if fault.error_type == phonenumbers.NumberParseException.TOO_SHORT_NSN:
        return _impossible(phonenumbers.ValidationResult.TOO_SHORT)
    return "That is not a phone number."


def _impossible(reason: int) -> str:
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        return "That number is too short for its country."
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        return "That number is too long for its country."
    return "No number of that length exists in its country."
