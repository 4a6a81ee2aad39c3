"""The calls of the simulated tenant: kept in order, listed fast, served as they stand now.

A call that is over is kept as JSON, whole and as its row of the list; one that runs is told anew at each request.
"""

from __future__ import annotations

import bisect
import json
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.demo import documents
from bot.demo.story import Story, What

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = "\U0010ffff"  # sorts behind every id


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A story that happens: from `start` on, to `number`, with each step at its second."""

    id: str
    scenario: str
    story: Story
    times: tuple[float, ...]
    start: datetime
    number: str
    dialled: str
    change: Callable[[dict[str, Any]], Any] | None = None

    def document(self, now: datetime) -> dict[str, Any]:
        """The conversations API's document, as far as the call has come."""
        document = documents.conversation(
            self.story, self.times, self.start, now, id_=self.id, number=self.number, dialled=self.dialled
        )
        return self.change(document) if self.change else document

    def over(self, now: datetime) -> bool:
        """Has everything happened?"""
        return (now - self.start).total_seconds() >= self.times[-1]

    def state(self, now: datetime) -> tuple[str, bool]:
        """Where the call stands, for people, and whether its handover failed for good."""
        seconds = (now - self.start).total_seconds()
        state, handover = "ringing", ""
        for step, at in zip(self.story.steps, self.times, strict=True):
            if at > seconds:
                break
            if step.what is What.JOINS and self.story.legs[step.who].purpose == "agent":
                state = handover = "with an agent"
            elif step.what in PANEL:
                state = PANEL[step.what]
                handover = state if state in ENDED and handover not in DONE else handover
        if seconds < self.times[-1]:
            return state, False
        return ENDED.get(handover, "no handover"), handover in ENDED and handover not in DONE


# What a step says of the call to people.
PANEL = {
    What.JOINS: "with the bot",
    What.ASKS: "handing over",
    What.REFUSES: "was refused",
    What.ACCEPTS: "was accepted",
    What.QUEUES: "in the queue",
    What.RINGS: "ringing agent",
    What.DECLINES: "was declined",
}
# What became of the handover, by the last that was said of it.
DONE = ("with an agent",)
ENDED = {
    "handing over": "no reaction",
    "was refused": "refused",
    "was accepted": "nobody answered",
    "in the queue": "nobody answered",
    "ringing agent": "nobody answered",
    "was declined": "nobody answered",
    "with an agent": "handed over",
}


class Call:
    """One call as the tenant keeps it: as JSON once it is over, else as a story that goes on."""

    __slots__ = ("_body", "_row", "id", "placed", "started")

    def __init__(self, id_: str, started: datetime, placed: PlacedCall | None) -> None:
        self.id = id_
        self.started = started
        self.placed = placed
        self._body: bytes | None = None
        self._row: bytes | None = None

    @classmethod
    def of_document(cls, id_: str, document: dict[str, Any], placed: PlacedCall | None = None) -> Call:
        """A call that stays as it is."""
        call = cls(id_, placed.start if placed else _time(document.get("startTime")), placed)
        call._body, call._row = _written(document)
        return call

    @classmethod
    def placed_now(cls, placed: PlacedCall) -> Call:
        """A call that goes on."""
        return cls(placed.id, placed.start, placed)

    def body(self, now: datetime) -> bytes:
        """The whole document."""
        return self._body or self._as_of(now)[0]

    def row(self, now: datetime) -> bytes:
        """Its row in the list: the document without its events."""
        return self._row or self._as_of(now)[1]

    def document(self, now: datetime) -> dict[str, Any]:
        """The whole document, read again."""
        document: dict[str, Any] = json.loads(self.body(now))
        return document

    def _as_of(self, now: datetime) -> tuple[bytes, bytes]:
        """Body and row of a story as far as it has come; kept when it is over."""
        if self.placed is None:
            raise RuntimeError("a call without a story has its document")
        body, row = _written(self.placed.document(now))
        if self.placed.over(now):
            self._body, self._row = body, row
        return body, row

    def panel(self, now: datetime) -> dict[str, Any]:
        """What a list for people shows."""
        placed = self.placed
        if placed is None:
            row = {"id": self.id, "number": "", "state": "stored", "failed": False}
            return {**row, "scenario": "", "started": self.started}
        state, failed = placed.state(now)
        return {
            "id": self.id,
            "number": placed.number,
            "state": state,
            "failed": failed,
            "scenario": placed.scenario,
            "started": placed.start,
        }


class Calls:
    """All calls, newest first; of more than `kept` the oldest go."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._by_id: dict[str, Call] = {}
        self._order: list[tuple[datetime, str]] = []  # by start, oldest first

    def __contains__(self, id_: str) -> bool:
        return id_ in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def put(self, call: Call) -> None:
        """Keep a call, in place of one with the same id."""
        with self._lock:
            before = self._by_id.get(call.id)
            if before is not None:
                self._order.remove((before.started, before.id))
            self._by_id[call.id] = call
            bisect.insort(self._order, (call.started, call.id))
            while len(self._order) > self._kept:
                _, oldest = self._order.pop(0)
                del self._by_id[oldest]

    def get(self, id_: str) -> Call | None:
        """The call with that id."""
        return self._by_id.get(id_)

    def between(self, since: datetime, until: datetime) -> list[Call]:
        """Those that began in that time, newest first; last, always, those whose start cannot be read."""
        return self.page(since, until, 0, len(self._order))[0]

    def page(self, since: datetime, until: datetime, first: int, size: int) -> tuple[list[Call], int]:
        """A part of the same, from the place `first` on, and how many there are: without a walk through all."""
        with self._lock:
            unread = bisect.bisect_right(self._order, (EPOCH, LAST))
            low = max(bisect.bisect_left(self._order, (since, "")), unread)
            high = max(bisect.bisect_right(self._order, (until, LAST)), low)
            timed = high - low
            found = self._order[max(high - first - size, low) : max(high - first, low)][::-1]
            rest = max(first - timed, 0)
            found += self._order[rest : min(max(first + size - timed, 0), unread)]
            return [self._by_id[id_] for _, id_ in found], timed + unread

    def recent(self, limit: int, now: datetime) -> list[dict[str, Any]]:
        """The newest `limit` for people."""
        with self._lock:
            ids = [id_ for _, id_ in self._order[: -limit - 1 : -1]]
            return [self._by_id[id_].panel(now) for id_ in ids]


def _written(document: dict[str, Any]) -> tuple[bytes, bytes]:
    """A document as JSON, and its row in the list."""
    row = {name: value for name, value in document.items() if name != "events"}
    return json.dumps(document).encode(), json.dumps(row).encode()


def shuffled(calls: list[Call]) -> list[Call]:
    """In no order that means anything, but in the same one for every page."""
    return sorted(calls, key=lambda call: zlib.crc32(call.id.encode()))


def _time(value: object) -> datetime:
    """A start to sort by; EPOCH where it cannot be read."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else EPOCH
    except ValueError:
        return EPOCH
    return at if at.tzinfo else at.replace(tzinfo=UTC)
