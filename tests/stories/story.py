"""A small language for stories: calls happen, time moves, and Slack shows exactly what was expected, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.alerts import muting, ops_lines
from bot.alerts.record import scene
from bot.store.engine import writing
from tests.stories.world import ALERTS, OPS, World


class Story(World):
    """A world whose messages are all expected: one that nobody expected fails the story."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self._known: dict[tuple[str, str], str] = {}
        self._news: list[tuple[str, str, dict[str, Any]]] = []

    def passes(self, seconds: int = 0, *, minutes: int = 0, poll_every: int = 0) -> None:
        """Time passes, and the bot works; it polls less often where minutes pass, unless the story says how often."""
        self.run(seconds + 60 * minutes, poll_every=poll_every or (20 if minutes else 5))
        self._look()

    def forget_polls(self) -> None:
        """As if the bot had never polled: what it finds next was there on its arrival."""
        with writing(self.engine) as connection:
            connection.exec_driver_sql("DELETE FROM cursors")

    def mute(self, hours: float, what: str = "all", value: str = "") -> None:
        """Somebody mutes in the channel of the alerts."""
        now = self.clock.now()
        with writing(self.engine) as connection:
            here = scene(connection, "demo", self.rules, now)
            until = now + timedelta(hours=hours)
            muting.mute(
                connection,
                here,
                channel=ALERTS,
                what=what,
                value=value,
                until=until,
                author="U0SAM",
                why="test",
                now=now,
            )

    def unsubscribe(self) -> None:
        """The channel of the alerts ends its subscriptions."""
        now = self.clock.now()
        with writing(self.engine) as connection:
            muting.unsubscribe(connection, scene(connection, "demo", self.rules, now), ALERTS, now)

    def slack_answers(self) -> None:
        """`auth.test` is answered well, which the process asks now and then beside its work."""
        with writing(self.engine) as connection:
            ops_lines.slack_answers(connection, "demo", self.clock.now(), OPS)

    def fails(self, times: int = 1, **how: Any) -> list[str]:
        """Calls fail."""
        return [
            self.centre.call(how.get("outcome", "rejected"), **{k: v for k, v in how.items() if k != "outcome"})
            for _ in range(times)
        ]

    def expect_message(self, *words: str, channel: str = ALERTS) -> dict[str, Any]:
        """A new message in the channel."""
        return self._expect("message", channel, words)

    def expect_update(self, *words: str, channel: str = ALERTS) -> dict[str, Any]:
        """A message was edited; however often, it now says this."""
        return self._expect("update", channel, words)

    def expect_reply(self, cases: Iterable[str] = (), *words: str, channel: str = ALERTS) -> dict[str, Any]:
        """A reply in a thread, with a line for each of these conversations and no other."""
        message = self._expect("reply", channel, words)
        wanted = set(cases)
        if wanted:
            found = {each for each in self.centre.documents if each in message["text"]}
            assert found == wanted, f"lines of {sorted(found)}, expected {sorted(wanted)}"
        return message

    def expect_broadcast(self, *words: str, channel: str = ALERTS) -> dict[str, Any]:
        """A reply that the channel sees too."""
        return self._expect("broadcast", channel, words)

    def expect_nothing_else(self) -> None:
        """All that Slack shows was expected."""
        self._look()
        assert not self._news, "nobody expected: " + "; ".join(
            f"{kind} in {channel}: {message['text'][:200]!r}" for kind, channel, message in self._news
        )

    def _look(self) -> None:
        for channel in list(self.slack.team.channels):
            for message in self.messages(channel):
                key = (channel, message["ts"])
                before = self._known.get(key)
                if before is None:
                    self._news.append((_kind(message), channel, message))
                elif before != message["text"]:
                    self._news = [each for each in self._news if each[0] != "update" or each[2]["ts"] != message["ts"]]
                    self._news.append(("update", channel, message))
                self._known[key] = message["text"]

    def _expect(self, kind: str, channel: str, words: tuple[str, ...]) -> dict[str, Any]:
        self._look()
        for news in self._news:
            if news[:2] == (kind, channel) and all(word in news[2]["text"] for word in words):
                self._news.remove(news)
                return news[2]
        shown = "; ".join(f"{kind} in {channel}: {message['text'][:300]!r}" for kind, channel, message in self._news)
        raise AssertionError(f"no {kind} in {channel} with {words}; new is: {shown or 'nothing'}")


def _kind(message: dict[str, Any]) -> str:
    if message.get("thread_ts", message["ts"]) == message["ts"]:
        return "message"
    return "broadcast" if message.get("subtype") == "thread_broadcast" else "reply"


def first_start(folder: Path) -> Story:
    """A bot that has never polled, and a channel that hears of every failure."""
    story = Story(folder, subscribe=None)
    story.steps.armed = False
    story.forget_polls()
    story.subscribe("min=1")
    return story
