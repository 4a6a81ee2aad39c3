"""The crash sweep: a story, a crash at every step and at pairs of steps, times the faults of Slack.

A run counts every case's own line, every message, broadcast and ops line; the ledger is checked after every step.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.alerts.policy import Rules
from tests.stories.world import ALERTS, OPS, World

Scripts = Mapping[str, Sequence[str]]
Tale = Callable[[World], Collection[str]]

RULES = Rules(
    thread_every=timedelta(seconds=10),
    resolve_after=timedelta(seconds=10),
    resolve_accepted=2,
    quiet_after=timedelta(hours=9),
)

FAULTS: dict[str, Scripts] = {
    "well": {},
    "accepted, answer lost": {"chat.postMessage": ["accept_then_drop"]},
    "accepted, then 500": {"chat.postMessage": ["ok", "accept_then_500", "accept_then_drop"]},
    "429": {"chat.postMessage": ["429:3", "ok", "429:1"]},
    "500": {"chat.postMessage": ["500", "500"]},
    "hang": {"chat.postMessage": ["hang", "ok", "accept_then_hang"]},
    "down": {"chat.postMessage": ["refuse", "refuse", "refuse"]},
    "invalid_blocks": {"chat.postMessage": ["error:invalid_blocks", "ok", "error:invalid_blocks"]},
    "look-up fails": {"chat.postMessage": ["accept_then_drop"], "conversations.history": ["500", "429:2"]},
    "replies lost": {
        "chat.postMessage": ["ok", "ok", "ok", "accept_then_drop", "accept_then_500", "500"],
        "conversations.replies": ["hang"],
    },
    "edits fail": {"chat.update": ["accept_then_drop", "500", "429:2", "error:invalid_blocks"]},
    "refused for a while": {"chat.postMessage": ["error:invalid_auth", "ok", "error:who_knows"]},
    "no history scope": {
        "chat.postMessage": ["500", "ok", "hang"],
        "conversations.history": ["error:missing_scope"] * 50,
        "conversations.replies": ["error:missing_scope"] * 50,
    },
    "busy channel": {"chat.postMessage": ["accept_then_drop", "500", "accept_then_500"]},
}
AT_LEAST_ONCE = {"no history scope"}  # a crash after Slack accepted cannot be told from one before


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    steps: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    crashes: int


# ---- the stories --------------------------------------------------------------------------------------------------


def first_posts(world: World) -> list[str]:
    """Three groups begin."""
    calls = [world.centre.call("rejected"), world.centre.call("forbidden")]
    world.run(6)
    calls += [world.centre.call("rejected", target="q-sales"), world.centre.call("rejected")]
    world.run(12)
    return calls


def whole_life(world: World) -> list[str]:
    """A group fires, passes ten, resolves, and fires again: edits, replies, broadcasts."""
    calls = [world.centre.call("rejected") for _ in range(4)]
    world.run(8)
    calls += [world.centre.call("rejected") for _ in range(8)]
    world.run(18)
    for _ in range(2):
        world.centre.call("accepted")
    world.run(16)
    calls.append(world.centre.call("rejected"))
    world.run(16)
    return calls


def pauses_and_lines(world: World) -> list[str]:
    """The channel is archived and opened again; CXone is out for six minutes and says so."""
    calls = [world.centre.call("rejected")]
    world.run(6)
    world.slack.archive(ALERTS)
    calls.append(world.centre.call("rejected", target="q-sales"))
    world.run(16)
    world.slack.archive(ALERTS, archived=False)
    world.quietly(lambda: world.subscribe("min=1"))
    world.run(10)
    world.centre.down = True
    world.poll()
    world.clock.advance(minutes=6)
    world.run(6)
    world.centre.down = False
    world.run(12)
    calls.append(world.centre.call("rejected", target="q-sales"))
    world.run(6)
    return calls


# ---- a run --------------------------------------------------------------------------------------------------------


def run(folder: Path, tale: Tale, fault: str, crash_at: Collection[int] = ()) -> Result:
    """Play a story through; the conversations that it returns must each have one line in the end."""
    world = World(folder, crash_at=crash_at, subscribe="min=1", rules=RULES)
    world.noise = 2 if fault == "busy channel" else 0
    try:
        for method, words in FAULTS[fault].items():
            world.client.script(method, words)
        expected = tale(world)
        for _ in range(60):
            if not world.open_deliveries():
                break
            world.run(10, poll_every=10)
        return Result(world.steps.count, _lost(world, expected), _doubled(world, expected), world.crashes)
    finally:
        world.close()


def _lost(world: World, expected: Collection[str]) -> tuple[str, ...]:
    lines = world.lines()
    ledger = world.ledger()
    lost = [each for each in expected if lines[each] < 1]
    if ledger.sent != len(expected):
        lost.append(f"the ledger says {ledger}")
    return tuple(lost)


def _doubled(world: World, expected: Collection[str]) -> tuple[str, ...]:
    lines = world.lines()
    doubled = [each for each in expected if lines[each] > 1]
    said = Counter(message["text"].splitlines()[0].split(":")[0].strip("🔴✅ ") for message in world.roots())
    said += Counter(message["text"] for message in world.messages() if message.get("subtype") == "thread_broadcast")
    said += Counter(message["text"] for message in world.messages(OPS))
    return (*doubled, *(text for text, count in said.items() if count > 1))


def crash_sets(steps: int, singles: int, pairs_of: int) -> Iterator[tuple[int, ...]]:
    """No crash; one at so many steps spread over all; and each pair of so many steps spread over all."""
    yield ()
    yield from ((step,) for step in _spread(steps, singles))
    yield from itertools.combinations(_spread(steps, pairs_of), 2)


def _spread(steps: int, wanted: int) -> list[int]:
    return sorted({index * steps // wanted for index in range(wanted)}) if wanted else []
