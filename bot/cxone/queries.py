"""What can be asked for, and what is told meanwhile: records that the rooms above share with the look-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import phone
from bot.diagnosis.handover import OtherCall


@dataclass(frozen=True, slots=True)
class ByNumber:
    """The calls of a number: the newest, the one nearest to `at`, or as far back as `since`."""

    number: phone.Number
    at: datetime | None = None
    since: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ById:
    """One conversation."""

    id: str


@dataclass(frozen=True, slots=True)
class BySession:
    """The conversation of one Cognigy session."""

    session_id: str


Query = ByNumber | ById | BySession


@dataclass(frozen=True, slots=True)
class Known:
    """What an index knows of a number: its calls, newest first. `since`: from then on a list must complete them."""

    calls: Sequence[OtherCall]
    since: datetime | None = None  # None: fresh, it answers alone


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come. `of` is 0 where the number of pages is not known."""

    pages: int
    of: int
    calls: int


OnProgress = Callable[[Progress], None]
