"""What no story tells: withheld numbers, hostile text, broken documents, a hundred thousand events.

Each is a function that changes the document of a rejected call; the result may be anything that JSON can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.demo.documents import parse_stamp, stamp

HOSTILE = (
    "<!channel> <!here> <@U0001> *bold* _it_ `code` ```block``` <https://evil.example|your bank> &amp; "
    "<script>alert('x')</script><img src=x onerror=alert(1)> \u202egnihsif\u202c \x07 +15550104477 ]]> {{7*7}} "
)
HUGE = 50_000


def withheld(document: dict[str, Any]) -> Any:
    """The caller sent no number."""
    for leg in document["participants"]:
        if leg["purpose"] == "customer":
            leg["identity"] = "anonymous"
    return document


def hostile(document: dict[str, Any]) -> Any:
    """Text that tries to mention a channel, forge a link or run a script, in every place that takes text."""
    for leg in document["participants"]:
        leg["name"] = f"{leg['purpose']} {HOSTILE}{leg['name']}"  # the caller's own name would be masked in a reason
    for event in document["events"]:
        if "reason" in event:
            event["reason"] = HOSTILE * (HUGE // len(HOSTILE))
        if "properties" in event:
            event["properties"] |= {
                "note": HOSTILE,
                "customerName": "Eve <!channel>",
                HOSTILE: "name",
                "phone": "5550104477",
            }
    return document


def nulls(document: dict[str, Any]) -> Any:
    """Null wherever a value may stand."""
    return document | {
        "startTime": None,
        "endTime": None,
        "participants": [None, *({**leg, "purpose": None, "name": None} for leg in document["participants"])],
        "events": [None, *({**event, "type": None} for event in document["events"])],
    }


def wrong_types(document: dict[str, Any]) -> Any:
    """Numbers for strings, strings for lists, lists for objects."""
    return document | {
        "startTime": 1700000000,
        "endTime": ["soon"],
        "participants": {"first": document["participants"][0], "rest": "none"},
        "events": [
            "sessionTransfer",
            42,
            {"type": ["sessionTransfer"], "timestamp": {}},
            {"type": 7, "timestamp": "x"},
        ],
    }


def untimed(document: dict[str, Any]) -> Any:
    """Events without their times, and out of order."""
    events = [{name: value for name, value in event.items() if name != "timestamp"} for event in document["events"]]
    return document | {"events": events[::-1]}


def offsets(document: dict[str, Any]) -> Any:
    """Times as +00:00 and without fractions."""
    for event in document["events"]:
        event["timestamp"] = event["timestamp"][:19] + "+00:00"
    return document


def many_events(document: dict[str, Any]) -> Any:
    """A hundred thousand events before the request."""
    start = parse_stamp(document["startTime"])
    noise = [
        {"type": "botTurn", "timestamp": stamp(start + timedelta(microseconds=500 * number)), "turn": number}
        for number in range(100_000)
    ]
    return document | {"events": noise + document["events"]}


def odd_identity(document: dict[str, Any]) -> Any:
    """The number as a tel: URI with blanks."""
    for leg in document["participants"]:
        if leg["purpose"] == "customer":
            number = leg["identity"]
            leg["identity"] = f"tel:{number[:2]} {number[2:5]} {number[5:]}"
    return document


ODDITIES: dict[str, tuple[str, str, Callable[[dict[str, Any]], Any]]] = {
    "withheld": ("the caller withheld the number; Billing refused", "rejected", withheld),
    "hostile": ("names and reasons that try to break out of the message", "rejected", hostile),
    "nulls": ("a document full of null", "rejected", nulls),
    "wrong_types": ("a document of wrong types", "rejected", wrong_types),
    "untimed": ("events without times, in the wrong order", "rejected", untimed),
    "offsets": ("times with +00:00 and without fractions", "rejected", offsets),
    "odd_identity": ("the number stored as a tel: URI with blanks", "rejected", odd_identity),
    "many_events": ("a call with 100,000 events", "rejected", many_events),
}
