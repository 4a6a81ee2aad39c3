"""What the Slack handlers work with, handed in once: look-ups, time, access, pool, audit."""

from __future__ import annotations

import hashlib
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple, Protocol

from slack_sdk import WebClient

from bot import phone
from bot.clock import Clock
from bot.cxone.deadline import Deadline
from bot.cxone.investigate import Query
from bot.diagnosis.handover import Report, Target, TargetKind
from bot.slack.access import Access
from bot.slack.blocks import Block, Message
from bot.slack.replies import Poster

log = logging.getLogger(__name__)

_SECONDS_TO_CUT = 4.0  # of the nine that stopping may take: the answer has to reach Slack too
RETRIES_SECONDS = 300.0  # in which Slack may send it once more: an older signature is stale
_SWEEP_SECONDS = 60.0
_LAST_WORDS = 16  # threads that answer what waits when the pool is closed


class Lookups(Protocol):
    """Who looks things up; `cxone.investigate.Investigator` is one."""

    def look_up(self, query: Query, *, deadline: Deadline | None = None) -> Report:
        """Find and diagnose a conversation. Raises ConversationNotFound, CXoneError."""
        ...

    def target(self, kind: TargetKind, target_id: str, deadline: Deadline | None = None) -> Target:
        """The state of a target. Raises CXoneError."""
        ...

    def document(self, conversation_id: str, deadline: Deadline | None = None) -> Mapping[str, Any]:
        """A conversation as the platform gave it. Raises CXoneError."""
        ...


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the bot, for the audit. `subject` is masked."""

    at: datetime
    user_id: str
    channel_id: str
    action: str  # "diagnose", "raw_events", "subscribe", …
    subject: str
    result: str  # an outcome, "not_found", "refused: …", "failed: …"
    number: phone.Number | None = None  # the one that was looked up, for its keyed hash


@dataclass(frozen=True, slots=True)
class Asker:
    """Who uses the bot, and where."""

    user_id: str
    channel_id: str
    channel_name: str
    response_url: str = field(repr=False)
    thread_ts: str = ""  # answers to a button go below its message
    zone: tzinfo = UTC
    name: str = ""  # as the payload says it
    event_id: str = ""  # the same in every delivery of one command or press
    acked_at: float | None = None  # by the monotonic clock, where the ack says something


class Told(NamedTuple):
    """What a handler says to the asker alone (None: nothing), and the result for the audit.

    What changes from use to use stands behind a colon: the metric counts by what is before it.
    """

    message: Message | None
    result: str = "answered"


Handler = Callable[[Any, Asker], Told]
"""What answers the asker alone: (action of the grammar or value of the button, asker). Runs in the pool, may raise."""


class Pool:
    """A bounded pool: so many at once, so many waiting, and no more. Jobs ask `closing` before they begin."""

    def __init__(self, workers: int, waiting: int) -> None:
        self.size = workers + waiting
        self.closing = threading.Event()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="for-people")
        self._free = threading.BoundedSemaphore(self.size)
        self._jobs: deque[Callable[[], None]] = deque()
        self._deadlines: weakref.WeakSet[Deadline] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._cut = False

    def reserve(self) -> bool:
        """Take a place, if there is one. Whoever took it calls `run` or `release`."""
        return self._free.acquire(blocking=False)

    def release(self) -> None:
        """Give a place back that is not used."""
        self._free.release()

    def run(self, job: Callable[[], None]) -> None:
        """Do the job on the place that was reserved; once closed, before this returns. The job must not raise."""
        self._jobs.append(job)
        try:
            self._executor.submit(self._next)
        except RuntimeError:  # shut down meanwhile
            self._next()

    def cuts(self, deadline: Deadline) -> Deadline:
        """The deadline of a job, which passes early where the pool is closed."""
        with self._lock:
            self._deadlines.add(deadline)
            if self._cut:
                deadline.close()
        return deadline

    def close(self) -> None:
        """See every job ended: what waits is done at once, what runs has some seconds until its deadline is cut."""
        self.closing.set()
        cut = threading.Timer(_SECONDS_TO_CUT, self._cut_deadlines)
        cut.daemon = True
        cut.start()
        with ThreadPoolExecutor(_LAST_WORDS, thread_name_prefix="last-words") as more:  # the workers are busy
            for _ in range(len(self._jobs)):
                more.submit(self._next)
        self._executor.shutdown()
        cut.cancel()

    def _next(self) -> None:
        try:
            job = self._jobs.popleft()
        except IndexError:  # `close` was faster
            return
        try:
            job()
        finally:
            self._free.release()

    def _cut_deadlines(self) -> None:
        with self._lock:
            self._cut = True
            for each in list(self._deadlines):
                each.close()


def event_id(kind: str, trigger: object, *said: object) -> str:
    """The same in every delivery of one command or press, and in no other; "" where Slack names no trigger.

    What was typed may hold a number, so only its hash is kept.
    """
    if not trigger:
        return ""
    whole = "\n".join(map(str, (trigger, *said)))
    return f"{kind} {hashlib.blake2b(whole.encode(errors='replace'), digest_size=16).hexdigest()}"


class Seen:
    """Remembers keys for a while, so that what Slack sends twice acts once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, float] = {}  # by the key's hash: thousands a minute are remembered
        self._swept = clock.monotonic()
        self._lock = threading.Lock()

    def first(self, key: str, seconds: float) -> bool:
        """Whether this key was not seen within `seconds`; "" is always new."""
        if not key:
            return True
        now = self._clock.monotonic()
        with self._lock:
            if self._until.get(hash(key), 0.0) > now:
                return False
            if now - self._swept >= _SWEEP_SECONDS:
                self._until = {known: until for known, until in self._until.items() if until > now}
                self._swept = now
            self._until[hash(key)] = now + seconds
            return True


@dataclass(frozen=True, kw_only=True)
class Services:
    """The seams of the Slack room."""

    lookups: Lookups
    client: WebClient
    clock: Clock
    access: Access
    poster: Poster
    pool: Pool
    windows: Pool  # where they are opened
    seen: Seen
    audit: Callable[[Use], None]
    region: str = "US"
    deadline_seconds: float = 20.0
    tenant: str = ""  # its name, where the bot serves several
    handlers: Mapping[type, Handler] = field(default_factory=dict)  # by type of the grammar
    buttons: Mapping[str, Handler] = field(default_factory=dict)  # by action id
    home: Callable[[str], list[Block]] = lambda user_id: []  # noqa: ARG005 - nobody has anything
    invited: Callable[[str, str], None] = lambda channel, event_id: None  # noqa: ARG005 - nothing is paused

    def deadline(self) -> Deadline:
        """The deadline of one use, from now."""
        return self.pool.cuts(Deadline(self.clock, self.deadline_seconds))

    def use(self, asker: Asker, action: str, subject: str, result: str, number: phone.Number | None = None) -> None:
        """Write one line of the audit. A failure is logged: after an ack, an exception would take the ack back."""
        try:
            self.audit(Use(self.clock.now(), asker.user_id, asker.channel_id, action, subject, result, number))
        except Exception:
            log.exception("the audit of %s was not written", action)
