"""The crash sweep: one story, a crash at every step and at pairs of steps, times the faults of Slack."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.alerts.policy import Rules
from tests.stories.world import World

Scripts = Mapping[str, Sequence[str]]

POSTS: dict[str, Scripts] = {
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
}


RULES = Rules(thread_every=timedelta(seconds=10))


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    steps: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    crashes: int


def run(
    folder: Path,
    story: Callable[[World], Collection[str]],
    script: Scripts,
    crash_at: Collection[int] = (),
) -> Result:
    """Play a story through; the conversations it returns must each have one line in the end."""
    world = World(folder, crash_at=crash_at, subscribe="min=1", rules=RULES)
    try:
        for method, words in script.items():
            world.client.script(method, words)
        expected = story(world)
        for _ in range(40):
            if not world.ledger().waiting and not world.open_deliveries():
                break
            world.run(10, poll_every=10)
        lines = world.lines()
        roots = [message["text"].splitlines()[0].split(":")[0] for message in world.roots()]
        lost = tuple(each for each in expected if lines[each] < 1)
        doubled = tuple(each for each in expected if lines[each] > 1)
        doubled += tuple(f"root {each}" for each in set(roots) if roots.count(each) > 1)
        marks = [message["text"] for message in world.messages() if message.get("subtype") == "thread_broadcast"]
        doubled += tuple(f"broadcast {each}" for each in set(marks) if marks.count(each) > 1)
        lines_said = [message["text"] for message in world.messages("C0VOICEBOT")]
        doubled += tuple(f"line {each}" for each in set(lines_said) if lines_said.count(each) > 1)
        return Result(world.steps.count, lost, doubled, world.crashes)
    finally:
        world.close()


def crash_sets(steps: int, pairs_of: int, singles: int | None = None) -> Iterator[tuple[int, ...]]:
    """No crash, one at each step, and at each pair of a number of steps spread over all."""
    yield ()
    stride = max(1, steps // singles) if singles else 1
    yield from ((step,) for step in range(0, steps, stride))
    spread = sorted({round(index * steps / pairs_of) for index in range(pairs_of)}) if pairs_of else []
    yield from itertools.combinations(spread, 2)
