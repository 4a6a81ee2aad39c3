"""Sentences of alerts that need no Slack. Pure."""

from __future__ import annotations

from bot.diagnosis.handover import Target
from bot.diagnosis.outcomes import Fault, Outcome


def target_state(target: Target) -> str:
    """A target's state in a few words: "3 logged in, 0 available, 4 waiting"."""
    if target.missing:
        return "does not exist"
    if target.is_active is False:
        return "is retired"
    counts = [
        f"{value} {word}"
        for value, word in (
            (target.logged_in, "logged in"),
            (target.available, "available"),
            (target.waiting, "waiting"),
        )
        if value is not None
    ]
    if counts:
        return ", ".join(counts)
    if target.listens is False:
        return "has no trigger for sessionTransfer"
    return target.state


def rule_of(outcome: Outcome, fault: Fault) -> str:
    """By what failures are put together, and why so; the rule behind `policy.group_key`."""
    if fault is Fault.PLATFORM:
        return "CXone's own failures are one group for the whole tenant: no single target can mend them."
    if outcome in (Outcome.FORBIDDEN, Outcome.MALFORMED):
        return "One group for each bot: whoever looks after it mends all of them at once."
    if outcome in (Outcome.IGNORED, Outcome.INVALID_TARGET):
        return "One group for each target: one id or one flow is to be mended."
    return "One group for each target and reason."
