"""The real watcher, store and notifier between a centre in memory and the local Slack, on time moved by hand.

A crash is a BaseException at a step: before an SQL statement, before a commit, before or after a call of Slack. After
it the process is made anew on the same database, as after a kill. Without a folder the database is in memory, which
makes a world that can be forked (see `branches`).
"""

from __future__ import annotations

import functools
import itertools
import shutil
import sqlite3
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError
from sqlalchemy import Engine, Select, bindparam, event, select

from bot.alerts.policy import Rules
from bot.alerts.watcher import Polled, Watcher
from bot.demo.workspace import Workspace
from bot.slack.notifier import Notifier
from bot.store import deliveries, subscriptions
from bot.store.engine import StoreError, migrate, open_store, reading, writing
from bot.store.ledger import Ledger, ledger
from bot.store.tables import Instant
from bot.store.tables import deliveries as rows
from tests.clock import HandClock
from tests.stories.centre import Centre

ALERTS, OPS = "C0ALERTS", "C0VOICEBOT"
HTTP_TIMEOUT = 3.0
IN_MEMORY = "file:world?mode=memory&cache=shared"
Crashes = Callable[[int, str], bool]  # whether the process ends before a step: its number, and what it would do
NOISY_SECONDS = 12


class Crash(BaseException):
    """The process is gone."""


class Steps:
    """Counts the steps of a process, and ends it at some."""

    def __init__(self, crashes: Crashes, end: Callable[[str], BaseException]) -> None:
        self.crashes = crashes
        self.end = end
        self.count = 0
        self.armed = False

    def tick(self, what: str = "") -> None:
        """One step; raises Crash if it is one of those."""
        if not self.armed:
            return
        step = self.count
        self.count += 1
        if self.crashes(step, what):
            raise self.end(f"step {step}: {what}")


class Direct:
    """slack_sdk's `api_call` on the local Slack in process: the same answers, refusals and faults, without sockets."""

    def __init__(self, slack: Workspace, clock: HandClock, steps: Steps) -> None:
        self.slack = slack
        self.clock = clock
        self.steps = steps
        self.scripts: dict[str, deque[str]] = {}
        self.down = False
        self.too_fast = 0  # how often Slack itself had to say so

    def script(self, method: str, words: Iterable[str]) -> None:
        """How the next calls of a method go."""
        self.scripts.setdefault(method, deque()).extend(words)

    def api_call(
        self, api_method: str, *, json: dict[str, Any] | None = None, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """One call."""
        self.steps.tick(f"before {api_method}")
        answer = self._go(api_method, dict(json or params or {}))
        self.steps.tick(f"after {api_method}")
        return answer

    def _go(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        script = self.scripts.get(method)
        word = script.popleft() if script else "ok"
        if self.down or word == "refuse":
            raise URLError(ConnectionRefusedError(111, "refused"))
        accepted = word.startswith("accept_then_") or word == "ok"
        what, _, detail = word.removeprefix("accept_then_").partition(":")
        answer: Any = self.slack.api.perform(method, self.slack.bot_token, args) if accepted else None
        self.too_fast += answer is not None and answer.status == 429
        if answer is not None and answer.body.get("ok"):
            self.steps.tick(f"accepted {method}")
        match what:
            case "drop":
                raise RemoteDisconnected("no answer")
            case "hang":
                self.clock.advance(HTTP_TIMEOUT)
                raise TimeoutError("timed out")
            case "429":
                raise _refusal(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": detail or "1"})
            case "500":
                raise _refusal(500, {"ok": False, "error": "internal_error"}, {})
            case "error":
                raise _refusal(200, {"ok": False, "error": detail}, {})
            case _:
                if not answer.body.get("ok"):
                    raise _refusal(answer.status, answer.body, answer.headers)
                return dict(answer.body)


class _Response(dict[str, Any]):
    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        super().__init__(body)
        self.status_code = status
        self.headers = headers


def _refusal(status: int, body: dict[str, Any], headers: dict[str, str]) -> SlackApiError:
    return SlackApiError("refused", _Response(status, body, headers))  # type: ignore[no-untyped-call]


@functools.cache
def _template() -> Path:
    """A migrated database, made once and copied for every world."""
    folder = Path(tempfile.mkdtemp(prefix="handover-template-"))
    engine = open_store(f"sqlite:///{folder}/empty.db", sync="OFF")
    migrate(engine)
    engine.dispose()  # closing the last connection brings the WAL into the file
    return folder / "empty.db"


@functools.cache
def _anchor() -> sqlite3.Connection:
    """Keeps the database in memory alive when a crash ends the process's own connection to it."""
    return sqlite3.connect(IN_MEMORY, uri=True)


class World:
    """One database, one Slack, one centre, and a process that may die."""

    _names = itertools.count()

    def __init__(
        self,
        folder: Path | None,
        *,
        crashes: Crashes = lambda _step, _what: False,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        subscribe: str | None = "",
        scopes: Iterable[str] | None = None,
        end: Callable[[str], BaseException] = Crash,
    ) -> None:
        self.clock = HandClock()
        self.path = folder / f"world-{next(self._names)}.db" if folder else None
        if self.path:
            shutil.copy(_template(), self.path)
        else:
            sqlite3.connect(_template()).backup(_anchor())
        self.slack = Workspace(clock=self.clock) if scopes is None else Workspace(clock=self.clock, scopes=scopes)
        self.steps = Steps(crashes, end)
        self.client = Direct(self.slack, self.clock, self.steps)
        self.centre = Centre(self.clock)
        self.rules = rules
        self.crashes = 0
        self.noise = 0  # messages that people write in the channel each second, for a while
        self.checked = 0
        self.begin()
        if subscribe is not None:
            self.subscribe(subscribe)
        self.watcher.poll()  # the first start: nothing is there yet
        self.steps.armed = True

    # ---- the process ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The process starts."""
        _now_playing[:] = [self]
        self.engine = _engine()
        self.engine.dispose()
        self.watcher = Watcher(
            self.centre, self.engine, self.clock, "key", rules=self.rules, ops_channel=OPS, workers=1
        )
        self.notifier = Notifier(
            self.client,
            self.engine,
            self.clock,
            "demo",
            rules=self.rules,
            ops_channel=OPS,
            http_timeout=HTTP_TIMEOUT,
        )

    def survive(self, job: Callable[[], Any]) -> Any:
        """Run a step of the process; a crash ends the process, and a new one begins."""
        try:
            done = job()
        except (Crash, StoreError, sqlite3.OperationalError):
            self.crashes += 1
            self.begin()
            done = None
        if done is not False:  # False: there was nothing to do
            self.check()
        return done

    def poll(self) -> Polled | None:
        """One poll."""
        done: Polled | None = self.survive(self.watcher.poll)
        return done

    def deliver(self) -> None:
        """Send all that may go now."""
        while self.survive(self.notifier.deliver_one) is not False:
            pass

    def run(self, seconds: int, *, poll_every: int = 5) -> None:
        """Let time pass second by second, with polls and sendings as they come."""
        for second in range(seconds):
            self.clock.advance(1)
            for _ in range(self.noise if second < NOISY_SECONDS else 0):
                self.slack.say("is anybody there?", channel=ALERTS)
            if second % poll_every == 0:
                self.poll()
            if self._is_due():
                self.deliver()

    def _is_due(self) -> bool:
        """Whether there may be something to send: most seconds are idle."""

        def read() -> bool:
            with reading(self.engine) as connection:
                return connection.execute(_due(), {"until": self.clock.now()}).first() is not None

        return bool(self.quietly(read))

    # ---- what is there --------------------------------------------------------------------------------------------

    def subscribe(self, filters: str, channel: str = ALERTS, author: str = "U0SAM") -> None:
        """Subscribe a channel."""
        with writing(self.engine) as connection:
            subscriptions.subscribe(connection, "demo", channel, filters, author=author, now=self.clock.now())

    def quietly(self, job: Callable[[], Any]) -> Any:
        """Do something that is not the process's work: it neither counts as a step nor crashes."""
        armed, self.steps.armed = self.steps.armed, False
        try:
            return job()
        finally:
            self.steps.armed = armed

    def ledger(self, channel: str | None = None) -> Ledger:
        """The ledger as it stands."""

        def read() -> Ledger:
            with reading(self.engine) as connection:
                return ledger(connection, "demo", channel=channel)

        found: Ledger = self.quietly(read)
        return found

    def open_deliveries(self) -> int:
        """How many writes are due or on their way."""

        def read() -> int:
            with reading(self.engine) as connection:
                return sum(row.waiting for row in deliveries.backlog(connection, "demo", ""))

        return int(self.quietly(read))

    def check(self) -> None:
        """The ledger balances; Slack never said that we are too fast."""
        self.checked += 1
        found = self.ledger()
        assert found.balanced, found

    def messages(self, channel: str = ALERTS) -> list[dict[str, Any]]:
        """The bot's messages in a channel."""
        return [message for message in self.slack.messages(channel) if message.get("bot_id")]

    def roots(self, channel: str = ALERTS) -> list[dict[str, Any]]:
        """Messages that stand in the channel itself, broadcasts aside."""
        return [each for each in self.messages(channel) if each.get("thread_ts", each["ts"]) == each["ts"]]

    def lines(self, channel: str = ALERTS) -> Counter[str]:
        """How often each conversation's line is visible."""
        found: Counter[str] = Counter()
        for message in self.messages(channel):
            for conversation_id in self.centre.documents:
                found[conversation_id] += message["text"].count(conversation_id)
        return +found

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()
        if self.path:
            for name in self.path.parent.glob(f"{self.path.name}*"):
                name.unlink()


@functools.cache
def _due() -> Select[tuple[int]]:
    waiting = rows.c.state.in_(("due", "sending")) & (rows.c.due_at <= bindparam("until", type_=Instant()))
    return select(rows.c.id).where(waiting).limit(1)


_now_playing: list[World] = []


@functools.cache
def _engine() -> Engine:
    """One engine for all worlds, one after the other, so that statements are compiled once; the files differ."""
    engine = open_store(f"sqlite:///{_template()}", sync="OFF")

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        path = _now_playing[0].path
        arguments[0] = str(path or IN_MEMORY)
        options["uri"] = path is None

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        _now_playing[0].steps.tick(statement[:40])

    @event.listens_for(engine, "commit")
    def _commit(_connection: Any) -> None:
        _now_playing[0].steps.tick("commit")

    return engine
