"""The crash sweep: a story, a crash at every step and at pairs of steps, times the faults of Slack.

A run counts every case's own line, every message, reply, broadcast and ops line; that every message shows what it
should in the end; and after every step that the ledger balances.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from bot.alerts.policy import Rules
from bot.slack import rendering
from bot.store import deliveries
from bot.store.engine import reading
from bot.store.tables import deliveries as rows
from bot.store.tables import threads
from tests.stories.branches import Branches
from tests.stories.world import ALERTS, OPS, Crash, Crashes, World

Scripts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Expected:
    """What Slack must show in the end: one line for each of these calls, and these words somewhere."""

    calls: Collection[str]
    said: Collection[str] = ()


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    fault: str
    crashed: tuple[tuple[int, str], ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    steps: int

    @property
    def bad(self) -> bool:
        """Whether it breaks the promise."""
        return bool(self.lost or (self.doubled and self.fault not in AT_LEAST_ONCE))


Tale = Callable[[World], Expected]

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
    "invalid_blocks": {"chat.postMessage": ["error:invalid_blocks", "accept_then_drop", "error:invalid_blocks"]},
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
MOST_CRASHES = 2  # in one run
AT_LEAST_ONCE = {"no history scope"}  # a crash after Slack accepted cannot be told from one before


# ---- the stories --------------------------------------------------------------------------------------------------


def first_posts(world: World) -> Expected:
    """Three groups begin."""
    calls = [world.centre.call("rejected"), world.centre.call("forbidden")]
    world.run(6)
    calls += [world.centre.call("rejected", target="q-sales"), world.centre.call("rejected")]
    world.run(11)
    return Expected(calls)


def whole_life(world: World) -> Expected:
    """A group fires, passes ten, resolves, and fires again: edits, replies, broadcasts."""
    calls = [world.centre.call("rejected") for _ in range(4)]
    world.run(6)
    calls += [world.centre.call("rejected") for _ in range(8)]
    world.run(16, poll_every=8)
    for _ in range(2):
        world.centre.call("accepted")
    world.run(9, poll_every=8)
    calls.append(world.centre.call("rejected"))
    world.run(9, poll_every=8)
    return Expected(calls, [" again"])  # in a broadcast, or in the message that came later


def pauses_and_lines(world: World) -> Expected:
    """The channel is archived and opened again; CXone is out for six minutes and says so."""
    calls = [world.centre.call("rejected")]
    for _ in range(12):
        world.run(4, poll_every=4)
        if world.lines() and not world.open_deliveries():
            break
    world.slack.archive(ALERTS)
    calls.append(world.centre.call("rejected", target="q-sales"))
    world.run(9, poll_every=8)
    world.slack.archive(ALERTS, archived=False)
    world.quietly(lambda: world.subscribe("min=1"))
    world.run(4)
    world.centre.down = True
    world.run(4, poll_every=1)  # so often, here and below, that two crashes leave a poll which sees the outage
    world.clock.advance(minutes=6)
    world.run(4, poll_every=1)
    world.centre.down = False
    world.run(6)
    calls.append(world.centre.call("rejected", target="q-sales"))
    world.run(4)
    return Expected(calls, ["CXone has been out of reach", "CXone is back"])


TALES = (first_posts, whole_life, pauses_and_lines)


# ---- which steps crash --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """Each so manyth step of a run, and every call of Slack before or after it was accepted, if so wished."""

    every: int
    offset: int = 0
    slack: bool = False

    def __call__(self, step: int, what: str) -> bool:
        """Whether the process ends at this step."""
        return step % self.every == self.offset % self.every or (self.slack and what.startswith(("before ", "accept")))


@dataclass(frozen=True)
class Play:
    """A tale with a fault: its run without a crash, its crashes and its pairs of crashes."""

    tale: Tale
    fault: str
    choose: Sequence[Steps] = ()
    end: Callable[[str], BaseException] = Crash  # what happens at the steps

    def __call__(self) -> list[Result | str]:
        """All runs; the text of the error for one that failed."""
        branches = Branches(self.choose)
        return branches.play(lambda: run(self.tale, self.fault, branches, self.end))


def sweep(plays: Sequence[Play]) -> Iterator[tuple[Play, list[Result | str]]]:
    """Play them on all cores."""
    with multiprocessing.get_context("fork").Pool(min(4, os.cpu_count() or 1), gc.freeze) as pool:
        yield from zip(plays, pool.imap(_call, plays, chunksize=1), strict=True)


def _call(play: Play) -> list[Result | str]:
    return play()


# ---- a run --------------------------------------------------------------------------------------------------------


def run(tale: Tale, fault: str, crashes: Crashes | None = None, end: Callable[[str], BaseException] = Crash) -> Result:
    """Play a story through, and compare what Slack shows in the end with what it should."""
    world = World(None, crashes=crashes or Branches(()), subscribe="min=1", rules=RULES, end=end)
    world.noise = 2 if fault == "busy channel" else 0
    for method, words in FAULTS[fault].items():
        world.client.script(method, words)
    expected = tale(world)
    for turn in range(60):
        world.run(5, poll_every=5)
        if turn >= MOST_CRASHES and not world.open_deliveries():  # one poll at least that nothing ended
            break
    world.steps.armed = False
    crashed = tuple(crashes.crashed) if isinstance(crashes, Branches) else ()
    lost = (*_lost(world, expected), *_stale(world))
    return Result(fault, crashed, lost, (*_doubled(world, expected), *_unknown(world)), world.steps.count)


def _lost(world: World, expected: Expected) -> Iterator[str]:
    lines, ledger = world.lines(), world.ledger()
    yield from (each for each in expected.calls if lines[each] < 1)
    if ledger.sent != len(expected.calls):
        yield f"the ledger says {ledger}"
    texts = [message["text"] for channel in (ALERTS, OPS) for message in world.messages(channel)]
    yield from (words for words in expected.said if not any(words in text for text in texts))


def _stale(world: World) -> Iterator[str]:
    """Messages that do not show their group as it is: an edit that was lost."""
    shown = {message["ts"]: message["text"] for message in world.messages()}
    with reading(world.engine) as connection:
        for row in connection.execute(select(rows).join(threads, threads.c.id == rows.c.thread_id)).all():
            if row.kind == deliveries.POST and row.state == "sent" and row.ts in shown:
                wanted = rendering.render(connection, row).message.text
                if shown[row.ts] != wanted:
                    yield f"a message says {shown[row.ts]!r} instead of {wanted!r}"


def _doubled(world: World, expected: Expected) -> Iterator[str]:
    lines = world.lines()
    yield from (each for each in expected.calls if lines[each] > 1)
    said = Counter(message["text"].splitlines()[0].split(":")[0].strip("🔴✅ ") for message in world.roots())
    said += Counter(message["text"] for message in world.messages() if message.get("subtype") == "thread_broadcast")
    said += Counter(message["text"] for message in world.messages(OPS))
    yield from (text for text, count in said.items() if count > 1)


def _unknown(world: World) -> Iterator[str]:
    """Messages that stand for no delivery which was sent, or for one that another message stands for."""
    with reading(world.engine) as connection:
        sent = Counter(row.uid for row in connection.execute(select(rows).where(rows.c.state == "sent")))
    for channel in (ALERTS, OPS):
        for message in world.messages(channel):
            uid = message["metadata"]["event_payload"]["delivery_id"]
            sent[uid] -= 1
            if sent[uid] < 0:
                yield f"nobody sent, or sent once: {message['text']!r}"
