"""A subscription's wishes in words, so that whoever subscribed can see what that means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.alerts.filters import Filters
from bot.diagnosis.outcomes import TABLE, Outcome, Threshold


def in_words(wish: Filters) -> str:
    """What is heard of: "rejected to Billing, without caller faults". Foreign names are in it as typed."""
    parts = [_or([outcome.value for outcome in wish.outcomes]) or "all failed handovers"]
    if wish.faults:
        parts.append(f"at fault: {_or([fault.value for fault in wish.faults])}")
    if wish.targets:
        parts.append(f"to {_or(_names(wish.targets))}")
    if wish.exclude:
        parts.append(f"without {_or(_names(wish.exclude))}")
    return ", ".join(parts)


def thresholds(wish: Filters) -> list[str]:
    """From when on each outcome is heard of, those with the same threshold together."""
    found: dict[Threshold, list[str]] = {}
    for outcome in Outcome:
        row = TABLE[outcome]
        if (outcome in wish.outcomes) if wish.outcomes else row.alerts is not None:
            found.setdefault(wish.threshold(outcome), []).append(outcome.value)
    if len(found) == 1:
        return [from_when_on(threshold) for threshold in found]
    return [f"{', '.join(names)}: {from_when_on(threshold)}" for threshold, names in sorted(found.items())]


def from_when_on(threshold: Threshold) -> str:
    """A threshold: "from 5 failures in 10 min on, if they are 10 % of all attempts"."""
    if threshold.failures == 1:
        said = "from the first failure on"
    else:
        said = f"from {threshold.failures} failures in {_minutes(threshold.minutes)} on"
    return f"{said}, if they are {threshold.rate * 100:g} % of all attempts" if threshold.rate else said


def _minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h" if hours and not rest else f"{minutes} min"


def _names(names: Iterable[str]) -> list[str]:
    """A comma in a name is not to be taken for one between names."""
    return [f"“{name}”" if "," in name else name for name in names]


def _or(words: Iterable[str]) -> str:
    listed: Sequence[str] = list(words)
    return f"{', '.join(listed[:-1])} or {listed[-1]}" if len(listed) > 1 else "".join(listed)
