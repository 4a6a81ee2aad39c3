"""What a person can type after `/handover`, as records: one a command. Pure; `grammar` reads them out of the text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot import phone
from bot.alerts.filters import Filters
from bot.diagnosis.handover import TargetKind
from bot.diagnosis.outcomes import Fault, Outcome


@dataclass(frozen=True, slots=True)
class Help:
    """`help`, or nothing typed."""


@dataclass(frozen=True, slots=True)
class Diagnose:
    """A number. `at` asks for the call nearest to that time, `since` for how far back to look."""

    number: phone.Number
    at: datetime | None = None
    since: timedelta | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class DiagnoseId:
    """`id <conversation>`."""

    conversation_id: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class DiagnoseSession:
    """`session <cognigy session>`."""

    session_id: str
    private: bool = False


@dataclass(frozen=True, slots=True)
class LookAtTarget:
    """`agent|queue|flow <id>`."""

    kind: TargetKind
    id: str


@dataclass(frozen=True, slots=True)
class Recent:
    """`recent [filters]`."""

    filters: Filters


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`subscribe [filters]`."""

    filters: Filters


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """`unsubscribe`, or `unsubscribe [filters]` for one of several. None: all of the channel."""

    filters: Filters | None = None


@dataclass(frozen=True, slots=True)
class ListSubscriptions:
    """`list`."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target, by id or name."""

    said: str


@dataclass(frozen=True, slots=True)
class Mute:
    """`mute <outcome|fault|target|all> <2h> [why]`. `what` is an outcome, a fault, a target's id or name, or "all"."""

    what: Outcome | Fault | Target | Literal["all"]
    duration: timedelta
    why: str = ""


@dataclass(frozen=True, slots=True)
class Unmute:
    """`unmute [outcome|fault|target|all]`; without a word everything."""

    what: Outcome | Fault | Target | Literal["all"] = "all"


@dataclass(frozen=True, slots=True)
class Why:
    """`why <alert>`."""

    alert: str


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """`status`."""


@dataclass(frozen=True, slots=True)
class SendTest:
    """`test`."""


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """Nothing known. `text` is what was typed, foreign and raw; `hint` one sentence of ours that says what is wrong."""

    text: str
    hint: str
    withheld: bool = False


Asked = Diagnose | DiagnoseId | DiagnoseSession
Action = (
    Asked
    | Help
    | LookAtTarget
    | Recent
    | Subscribe
    | Unsubscribe
    | ListSubscriptions
    | Mute
    | Unmute
    | Why
    | ShowStatus
    | SendTest
    | Misunderstood
)
