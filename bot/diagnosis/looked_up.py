"""What a look-up said of a target, with the time of reading: it was read later than the request."""

from __future__ import annotations

from bot.diagnosis.case import Case
from bot.diagnosis.handover import Target, TargetKind
from bot.diagnosis.order import clock
from bot.diagnosis.parties import clean


def state(case: Case, target: Target) -> str:
    """The state that a target had which takes no calls, as a sentence."""
    had, was = f"“{clean(target.state, 60)}”" if target.state else "without a free agent", "was"
    if target.kind is TargetKind.QUEUE and target.logged_in is not None:
        had, was = f"{target.logged_in} logged in and {target.available or 0} available", "had"
    at = f" at {clock(target.read_at)}" if target.read_at is not None else ""
    if target.state_then:
        return f"{case.name} was “{clean(target.state_then, 60)}” at the time of the call."
    if case.read_late:
        later = f"{at}, long after the call" if at else ", and nobody knows when"
        return f"{case.name} may have been unavailable: it {was} {had}{later}."
    return f"{case.name} {was} {had}{at}."


def when(case: Case) -> str:
    """When the target was read, in brackets, and that it may have been otherwise at the call."""
    at = case.target.read_at if case.target is not None else None
    read = f"read at {clock(at)}" if at is not None else ""
    otherwise = "it may have been otherwise at the call" if case.read_late else ""
    return f" ({read}{'; ' if read and otherwise else ''}{otherwise})" if read or otherwise else ""
