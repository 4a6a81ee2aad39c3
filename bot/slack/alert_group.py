"""A group of failed handovers as a message sees it: what is known of it, and what it is called. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.diagnosis.outcomes import Fault, Outcome
from bot.redact import foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One failed handover, as its line shows it."""

    conversation_id: str
    at: datetime
    phone: str
    reason: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A group that a message holds together with others."""

    title: str
    failed: int
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a message shows of a group."""

    id: int
    kind: str  # cause, arrival, overflow, stopped or test
    state: str  # open, quiet, resolved, withdrawn or lapsed
    outcome: str = ""
    fault: str = ""
    scope: str = ""  # what an acceptance must be of, to count: target:…, bot:… or tenant:
    headline: str = ""
    target_name: str = ""
    bot: str = ""
    failed: int = 0
    attempts: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    target_state: str = ""
    target_read_at: datetime | None = None
    next_step: str = ""
    last_conversation: str = ""
    quiet_since: datetime | None = None
    last_accepted_at: datetime | None = None
    ended_at: datetime | None = None
    ending: str = ""  # accepted, or moved: to the group of another cause
    reopened: int = 0
    acked_by: str = ""
    acked_at: datetime | None = None
    muted_until: datetime | None = None
    held: tuple[Held, ...] = ()
    tenant: str = ""  # its name, where there are several


TITLES: dict[str, str] = {
    Outcome.REJECTED: "{target} refuses handovers",
    Outcome.UNANSWERED: "Handovers to {target} go unanswered",
    Outcome.FORBIDDEN: "CXone forbids the handovers of {bot}",
    Outcome.INVALID_TARGET: "Handovers go to {target}, which cannot take them",
    Outcome.MALFORMED: "{bot} sends incomplete handovers",
    Outcome.IGNORED: "{target} ignores handovers",
    Outcome.ABANDONED: "Callers hang up when handed over to {target}",
}


def title(group: Group) -> str:
    """What goes wrong, in a few words: "Billing refuses handovers", with the tenant's name where there are several."""
    return with_tenant(group, _title(group))


def with_tenant(group: Group, said: str) -> str:
    """What is said of a group, after its tenant's name where there are several."""
    return f"{foreign(group.tenant, 40)} · {said}" if group.tenant else said


def _title(group: Group) -> str:
    if group.fault == Fault.PLATFORM:
        return "CXone fails handovers"
    form = TITLES.get(group.outcome)
    if group.outcome == Outcome.REJECTED and group.fault == Fault.UNKNOWN:
        form = "Handovers to {target} are refused"  # by whom the reason does not say
    if form is None:
        return foreign(group.headline, 120) or "Handovers fail"
    target, bot = foreign(group.target_name, 60) or "the target", foreign(group.bot, 60) or "The bot"
    return form.replace("{target}", target).replace("{bot}", bot)
