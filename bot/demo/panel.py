"""The contact centre beside the chat: its past, calls that were placed, a call of one's own, and what can be broken."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import phone
from bot.demo import cast
from bot.demo.centre import Centre
from bot.demo.oddities import ODDITIES
from bot.demo.page_server import Step
from bot.demo.parts import BOT, CALLER, asks, begin, over, refused
from bot.demo.scenarios import FAILED, OPEN, TAKEN
from bot.demo.story import Leg, Story
from bot.demo.tenant import SCENARIOS, Tenant
from bot.demo.troubles import TROUBLES
from bot.demo.workspace import Workspace

HISTORY = timedelta(minutes=6)  # at speed 1: the first deploy is over by then, and the next trouble is near
PACE = 8.0  # calls that people place are told so many times as fast: nobody waits a minute for a failure
CALLERS = 3
APART = timedelta(seconds=4)
SLOW_CXONE, SLOW_SLACK = 3.0, 2.0
RETRY_AFTER = 5

REFUSED = "+15550199888"
SILENT, FORBIDDEN, WAITING, WORKED = (f"+1555019900{last}" for last in range(1, 5))
OPS, ALERTS = "voicebot-ops", "handover-alerts"
STEPS = (
    Step(f"/handover {REFUSED}", "Why did this caller not reach Billing? The channel sees the answer.", OPS),
    Step(f"/handover {SILENT} private", "A flow that does not listen. You alone see it, until you post it.", OPS),
    Step(f"/handover {FORBIDDEN}", "CXone does not permit the handover.", OPS),
    Step(f"/handover {WAITING}", "A caller who waits in a queue right now.", OPS),
    Step(f"/handover {WORKED}", "A handover that worked, to compare.", OPS),
    Step(
        "Let three callers fail",
        "Support is closed to them. Watch the alert arrive and count.",
        ALERTS,
        "closed",
    ),
    Step(
        "/handover mute Support 10m a test",
        "No new alerts about Support; the old one says so.",
        ALERTS,
    ),
    Step("/handover list", "What this channel gets, and what is muted.", ALERTS),
    Step("/handover help", "Everything else that can be typed."),
)

# The switches: what they are called, and what to expect of the bot meanwhile.
FAULTS = {
    "cxone_slow": (f"CXone takes {SLOW_CXONE:.0f} s a call", "Acks come at once, answers later."),
    "cxone_busy": ("CXone answers 429", "The bot waits as long as it is told, then says that it could not ask."),
    "cxone_down": ("CXone is down (503)", "The bot tries again for a moment, then says so."),
    "slack_slow": (f"Slack takes {SLOW_SLACK:.0f} s a call", "Acks come at once, answers later."),
    "slack_down": ("Slack is down", "No answer of the bot can arrive; alerts wait until Slack is back."),
}

# What can be placed, by what becomes of it.
KINDS = {
    "The handover fails": {name: scenario.about for name, scenario in FAILED.items()},
    "It works": {name: scenario.about for name, scenario in TAKEN.items()},
    "It takes its time": {name: scenario.about for name, scenario in OPEN.items()},
    "The record is odd": {name: about for name, (about, _, _) in ODDITIES.items()},
}

# What the card lets callers meet: a queue that no trouble of the centre ever touches, so that it is over soon.
_ASKED = (*begin(), asks(cast.SUPPORT), refused("QUEUE_CLOSED: outside hours of operation"), *over())
SOME = {
    "closed": Story(
        legs={"caller": CALLER, "bot": BOT, "queue": Leg("queue", "Support", "queue", cast.SUPPORT)}, steps=_ASKED
    )
}


def past(tenant: Tenant, centre: Centre, now: datetime) -> None:
    """Let the last minutes have happened, and the calls of the card, one for each state that a handover can be in."""
    centre.tick(now - HISTORY / centre.speed)
    centre.tick(now)
    tenant.play("accepted_queue", REFUSED, at=now - timedelta(hours=3, minutes=12))
    tenant.play("unanswered", REFUSED, at=now - timedelta(minutes=55))
    tenant.play("rejected", REFUSED)
    tenant.play("ignored_deaf_flow", SILENT)
    tenant.play("forbidden", FORBIDDEN)
    tenant.place("waiting", WAITING, at=now - timedelta(seconds=90))
    tenant.play("accepted_agent", WORKED)


class DemoPanel:
    """What the page shows and does beside the chat. It is given its workspace once that has found its port."""

    workspace: Workspace

    def __init__(self, tenant: Tenant, centre: Centre) -> None:
        self._tenant = tenant
        self._centre = centre
        self._latency = tenant.latency
        self._on: set[str] = set()
        self._random = random.Random()  # noqa: S311 - numbers of callers, no secret

    def calls(self) -> Sequence[Mapping[str, Any]]:
        """Recent calls, newest first."""
        return [
            {
                "id": call["id"],
                "number": call["number"],
                "state": call["state"],
                "at": call["started"].isoformat(),
                "failed": call["failed"],
            }
            for call in self._tenant.calls(30)
        ]

    def now(self) -> str:
        """What is broken, as a sentence."""
        if not self._centre.trouble:
            return ""
        about = TROUBLES[self._centre.trouble][0]
        return f"{about[:1].upper()}{about[1:]}."

    def scenarios(self) -> Mapping[str, Mapping[str, str]]:
        """What can be played, in groups."""
        return KINDS

    def place(self, scenario: str, number: str) -> str:
        """Place a call now. Raises ValueError with a sentence for people."""
        if scenario not in SCENARIOS:
            raise ValueError("There is no such scenario.")
        return self._tenant.place(scenario, phone.parse(number, "US").e164, speed=PACE)

    def place_some(self, what: str) -> None:
        """Let a few callers ring, the last of them now. Raises ValueError with a sentence for people."""
        story = SOME.get(what)
        if story is None:
            raise ValueError("There are no such calls.")
        now = self._tenant.clock.now()
        for before in range(CALLERS):
            number = f"+1212555{self._random.randint(100, 199):04d}"
            self._tenant.place(what, number, at=now - before * APART, speed=PACE, story=story)

    def faults(self) -> Sequence[Mapping[str, Any]]:
        """The switches, as they stand."""
        return [
            {"name": name, "label": label, "effect": effect, "on": name in self._on}
            for name, (label, effect) in FAULTS.items()
        ]

    def set_fault(self, name: str, on: bool) -> None:  # noqa: FBT001 - a switch
        """Turn a switch."""
        if name not in FAULTS:
            raise ValueError("There is no such switch.")
        was_down = "slack_down" in self._on
        self._on = self._on | {name} if on else self._on - {name}
        self._tenant.latency = SLOW_CXONE if "cxone_slow" in self._on else self._latency
        self._tenant.faults.clear()
        if "cxone_down" in self._on:
            self._tenant.faults.add("/", "status", status=503)
        if "cxone_busy" in self._on:
            self._tenant.faults.add("/", "status", status=429, retry_after=RETRY_AFTER)
        self.workspace.faults.slow(SLOW_SLACK if "slack_slow" in self._on else 0.0)
        if was_down != ("slack_down" in self._on):
            self.workspace.down(is_down="slack_down" in self._on)
