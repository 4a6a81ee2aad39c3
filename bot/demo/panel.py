"""The contact centre beside the chat: calls that were placed, a call of one's own, and what can be broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot import phone
from bot.demo.centre import Centre
from bot.demo.tenant import SCENARIOS, Tenant
from bot.demo.workspace import Workspace

# Calls that are there from the start, one for each step of the card.
CALLS = {
    "+15550199888": ("rejected", "why Billing refused a handover"),
    "+15550199001": ("ignored_deaf_flow", "a Studio flow that does not listen"),
    "+15550199002": ("forbidden", "a connector without permission"),
    "+15550199003": ("accepted_agent", "a handover that worked"),
}
STEPS: tuple[tuple[str, str], ...] = (
    *((f"/handover {number}", why) for number, (_, why) in CALLS.items()),
    ("/handover list", "what this channel is subscribed to; alerts arrive in #handover-alerts by themselves"),
    ("/handover help", "everything else that can be typed"),
)

FAULTS = {
    "cxone_slow": "CXone takes 3 s a call",
    "cxone_busy": "CXone answers 429",
    "cxone_down": "CXone is down",
    "slack_slow": "Slack takes 2 s a call",
    "slack_down": "Slack is down",
}

# How the names of scenarios begin that end in a failed handover.
FAILING = ("rejected", "forbidden", "invalid", "malformed", "ignored", "unanswered", "retired")


def played(tenant: Tenant) -> None:
    """Let the calls of the card have happened."""
    for number, (scenario, _) in CALLS.items():
        tenant.play(scenario, number)


class DemoPanel:
    """What the page shows and does beside the chat."""

    def __init__(self, tenant: Tenant, workspace: Workspace, centre: Centre) -> None:
        self._tenant = tenant
        self._workspace = workspace
        self._centre = centre
        self._latency = tenant.latency
        self._on: set[str] = set()

    def calls(self) -> Sequence[Mapping[str, Any]]:
        """Recent calls, newest first."""
        return [
            {
                "id": call["id"],
                "number": call["number"],
                "state": call["state"],
                "at": call["started"].isoformat(),
                "failed": call["scenario"].startswith(FAILING),
            }
            for call in self._tenant.calls(30)
        ]

    def scenarios(self) -> Mapping[str, str]:
        """What can be played."""
        return SCENARIOS

    def place(self, scenario: str, number: str) -> str:
        """Place a call now. Raises ValueError with a sentence for people."""
        if scenario not in SCENARIOS:
            raise ValueError("There is no such scenario.")
        return self._tenant.place(scenario, phone.parse(number, "US").e164)

    def faults(self) -> Sequence[Mapping[str, Any]]:
        """The switches, as they stand."""
        return [{"name": name, "label": label, "on": name in self._on} for name, label in FAULTS.items()]

    def set_fault(self, name: str, on: bool) -> None:  # noqa: FBT001 - a switch
        """Turn a switch."""
        if name not in FAULTS:
            raise ValueError("There is no such switch.")
        was_down = "slack_down" in self._on
        self._on = self._on | {name} if on else self._on - {name}
        self._tenant.latency = 3.0 if "cxone_slow" in self._on else self._latency
        self._tenant.faults.clear()
        if "cxone_busy" in self._on:
            self._tenant.faults.add("/", "status", status=429, retry_after=5)
        if "cxone_down" in self._on:
            self._tenant.faults.add("/", "status", status=503)
        self._workspace.faults.slow(2.0 if "slack_slow" in self._on else 0.0)
        if was_down != ("slack_down" in self._on):
            self._workspace.down(is_down="slack_down" in self._on)
