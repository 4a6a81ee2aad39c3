"""Refusal causes and SIP status codes in plain words. A pure table; each block names its source.

Every text answers "what does that mean, and who can mend it?" in one clause that fits after a colon.
"""

from __future__ import annotations

import re

# Agent-leg refusals: the reason's name and the Q.850-like cause codes that CXone counts under it.
# Source: help.nicecxone.com, Contact History Report, "Refusal Reasons" and "Cause Codes".
_BAD_NUMBER = "the agent's phone could not be reached: its station number is wrong, or the softphone is not connected"
_BUSY = "the agent's phone was busy"
_TIMEOUT = "the agent's phone rang and nobody picked it up in time"
_NORMAL = "the call was released normally"

REFUSALS: dict[int, str] = {
    **dict.fromkeys((1, 31, 253), _BAD_NUMBER),
    **dict.fromkeys((17, 34, 46, 254), _BUSY),
    **dict.fromkeys((0, 255), _NORMAL),
    # Cause 16 stands in both lists: a bad number where the refusal's name says so, a normal release otherwise.
    16: _NORMAL,
}

_REASONS: tuple[tuple[str, str], ...] = (
    ("bad number", _BAD_NUMBER),
    ("busy", _BUSY),
    ("timeout", _TIMEOUT),
    ("timed out", _TIMEOUT),
    ("no answer", _TIMEOUT),
    ("reject", "the agent declined the call"),
    ("declin", "the agent declined the call"),
)

# SIP answers to a transfer. Source: Cognigy's Voice Gateway documentation, "SIP response codes", and RFC 3261 (21).
SIP: dict[int, str] = {
    400: "the request could not be read by the other side",
    401: "the other side asked for a password that was not given",
    403: "the carrier does not allow it: most often the caller id (P-Asserted-Identity) is not one of yours",
    404: "the number or address called does not exist there",
    405: "the other side does not allow this kind of transfer",
    407: "the carrier asked for a password that was not given",
    408: "no answer came from the other side: network or firewall",
    480: "nobody there takes calls now: no application, or no capacity",
    481: "the call was already over when the transfer was asked for",
    484: "the number called is incomplete",
    486: "the number called is busy",
    487: "it rang until the time was over, and nobody answered",
    488: "the two sides found no common codec",
    491: "two requests crossed each other",
    500: "an error inside the other side",
    501: "the other side does not know this kind of transfer",
    502: "an error on the way, at a gateway",
    503: "the other side has no capacity: call limit reached, or the account is not active",
    504: "no answer in time, at a gateway on the way",
    600: "busy everywhere",
    603: "declined by the number called",
    604: "the number called exists nowhere",
    606: "the other side does not accept what was offered, most often the codec",
}

_CAUSE = re.compile(r"(?:cause(?: code)?|code)\s{0,3}[:=#]?\s{0,3}\(?(\d{1,3})\b", re.IGNORECASE)


def refusal(reason: str, cause: int | None = None) -> str:
    """Why an agent's leg did not take a call, in plain words; "" if neither the reason nor the cause is known.

    `reason` is the platform's text ("Bad Number", "Busy", "cause 17"), `cause` its number where it has a field.
    """
    plain = reason.lower()
    for part, words in _REASONS:
        if part in plain:
            return words
    number = cause
    if number is None:
        found = _CAUSE.search(reason)
        number = int(found[1]) if found else int(plain) if plain.isdigit() and len(plain) <= 3 else None  # noqa: PLR2004 - a cause has three digits at most
    return REFUSALS.get(number, "") if number is not None else ""


def sip(status: int | None) -> str:
    """What a SIP answer to a transfer means; by its class where the code is not in the table, "" for none at all."""
    if status is None:
        return ""
    if status in SIP:
        return SIP[status]
    families = {3: "the call was sent elsewhere", 4: "the other side refused the request"}
    families |= {5: "an error on the other side", 6: "refused everywhere"}
    return families.get(status // 100, "")


def is_platform(status: int | None) -> bool:
    """Whether a SIP answer is a failure of the telephony between the two systems, not a refusal of this request."""
    return status is not None and (status in (408, 480, 502, 503, 504) or status // 100 == 5)  # noqa: PLR2004 - SIP's own numbers
