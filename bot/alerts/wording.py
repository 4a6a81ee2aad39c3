"""Sentences of alerts that need no Slack. Pure."""

from __future__ import annotations

from bot.diagnosis.handover import Target


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
