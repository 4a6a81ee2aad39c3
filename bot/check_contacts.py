"""The lines of `check` for the contacts profile: sign-in, version, each call and its permission, clock, Cognigy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from bot.check import Line, Mark, not_looked_at
from bot.clock import Clock
from bot.cxone.contacts import Contacts
from bot.cxone.contacts_calls import ACTIVE, COMPLETED, STATES, span
from bot.cxone.errors import CXoneError, NotFoundError
from bot.cxone.http import Deadline
from bot.settings import Settings

NOBODY = (
    "1"  # an id that no contact, skill or agent of a tenant is likely to have; a 404 shows that the call is permitted
)
SKEW = timedelta(seconds=5)
_NOT_FOUND = 404
_CALLS: tuple[tuple[str, str, str], ...] = (
    ("CXone contact", "/contacts/{id}", "contacts"),
    ("CXone state history", "/contacts/{id}/state-history", "state history"),
    ("CXone hierarchy", "/contacts/{id}/hierarchy", "contact hierarchy"),
    ("CXone custom data", "/contacts/{id}/custom-data", "custom data"),
    ("CXone skills", "/skills/{id}", "skills"),
    ("CXone skill activity", "/skills/{id}/activity", "skill activity"),
    ("CXone skill agents", "/skills/{id}/agents", "the agents of a skill"),
    ("CXone agents", "/agents/{id}", "agents"),
    ("CXone agent states", "/agents/{id}/states", "agent states"),
    ("CXone agent history", "/agents/{id}/state-history", "agent state history"),
    ("CXone points", "/points-of-contact/{id}", "points of contact"),
)
_LISTS: tuple[tuple[str, str, Mapping[str, str], str], ...] = (
    ("CXone hours", "/hours-of-operation", {}, "hours of operation"),
    ("CXone scripts", "/scripts", {"scriptPath": "handover-check"}, "scripts"),
    ("CXone script history", "/scripts/historyByName", {"scriptPath": "handover-check"}, "script history"),
)
_REST: tuple[str, ...] = (
    "CXone ended contacts",
    "CXone contact states",
    *(each[0] for each in _CALLS),
    *(each[0] for each in _LISTS),
    "CXone states of all",
    "Clock",
)


def contacts(settings: Settings, platform: Contacts, clock: Clock) -> Iterator[Line]:
    """Token, then the version, then each call. Without a token, or with a wrong version, nothing else is asked."""

    def ask(what: str, call: Callable[[Deadline], Any], good: str = "permitted") -> Line:
        with Deadline(clock, settings.deadline_seconds) as limit:
            try:
                call(limit)
            except NotFoundError:
                return Line(Mark.OK, what, good)
            except CXoneError as error:
                # There may well be no script of that name.
                asked_for_none = error.status == _NOT_FOUND and error.path.startswith("/scripts")
                return Line(Mark.OK, what, good) if asked_for_none else Line(Mark.FAIL, what, error.sentence)
        return Line(Mark.OK, what, good)

    # 1. The sign-in, which also learns where the API answers.
    line = ask("CXone token", platform.session.token)
    if line.failed:
        yield line
        yield from not_looked_at(["CXone contacts", *_REST])
        return
    yield Line(Mark.OK, "CXone token", f"given by {settings.cxone_issuer}; the API answers at {platform.host}")

    # 2. The version, and with it the list.
    now = clock.now()
    window = span(now - timedelta(minutes=5), now)
    line = ask("CXone contacts", lambda limit: _get(platform, ACTIVE, limit, {"top": 1}), "listed")
    yield line
    if line.failed and ("CXONE_API_VERSION" in line.text or line.text.startswith("401")):
        yield from not_looked_at(_REST)  # each would say the same
        return
    yield ask("CXone ended contacts", lambda limit: _get(platform, COMPLETED, limit, {**window, "top": 1}), "listed")

    # 3. Everything else that a diagnosis reads.
    yield ask("CXone contact states", platform.calls.descriptions)
    for what, route, needs in _CALLS:
        yield ask(what, partial(_one, platform, route, needs))
    for what, route, params, needs in _LISTS:
        yield ask(what, partial(_list, platform, route, params, needs))

    # 4. What spares a watcher a question a contact.
    line = ask(
        "CXone states of all", lambda limit: platform.calls.get(STATES, None, limit, "person", "state history", window)
    )
    if line.failed:
        lost = " Without it the watcher reads each contact by itself."
        line = Line(Mark.NOTE, line.what, line.text + lost)
    yield line

    # 5. Two clocks that differ put a request after its answer.
    yield _clock(platform, clock, settings)

    # 6. The bot's side.
    if platform.cognigy is None:
        text = "not set: whether the bot asked is known only where the call reached a queue (COGNIGY_API_URL)"
        yield Line(Mark.NOTE, "Cognigy", text)
    else:
        yield ask("Cognigy logs", platform.cognigy.check, f"read from {platform.cognigy.host}")


def _get(platform: Contacts, route: str, limit: Deadline, params: Mapping[str, Any]) -> object:
    return platform.calls.get(route, None, limit, "person", "contacts", params)


def _one(platform: Contacts, route: str, needs: str, limit: Deadline) -> object:
    return platform.calls.get(route, NOBODY, limit, "person", needs)


def _list(platform: Contacts, route: str, params: Mapping[str, str], needs: str, limit: Deadline) -> object:
    return platform.calls.get(route, None, limit, "person", needs, params)


def _clock(platform: Contacts, clock: Clock, settings: Settings) -> Line:
    with Deadline(clock, settings.deadline_seconds) as limit:
        try:
            there = platform.calls.server_time(limit)
        except CXoneError as error:
            return Line(Mark.NOTE, "Clock", f"not compared: {error.sentence}")
    if there is None:
        return Line(Mark.NOTE, "Clock", "not compared: the server did not say its time")
    off = clock.now() - there
    if abs(off) <= SKEW:
        return Line(Mark.OK, "Clock", "as the server's, to a few seconds")
    way = "ahead of" if off > timedelta() else "behind"
    return Line(
        Mark.FAIL,
        "Clock",
        f"this machine is {abs(off).total_seconds():.0f} s {way} CXone: requests and their answers are put in the "
        "wrong order. Set the machine's clock (NTP).",
    )
