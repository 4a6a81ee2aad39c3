"""A simulated CXone tenant: the conversations API over real HTTP, on loopback.

It keeps the contract of the `conversations` profile: a token by `client_credentials`, the list (page size capped, order
as wanted), details, analytics, users, queues, flows. Calls are served as they stand at the clock's now. What it cannot
do by itself goes wrong on request: see `faults`.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from bot.clock import Clock, SystemClock
from bot.demo import cast
from bot.demo.calls import Call, Calls, PlacedCall
from bot.demo.contacts_api import ContactsApi
from bot.demo.faults import Faults
from bot.demo.oddities import ODDITIES
from bot.demo.routes import Reply, Request, answer
from bot.demo.scenarios import STORIES
from bot.demo.server import Server
from bot.demo.story import Story, schedule

SCENARIOS: dict[str, str] = {name: scenario.about for name, scenario in STORIES.items()} | {
    name: about for name, (about, _, _) in ODDITIES.items()
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the tenant saw it. `who` is the client the token belongs to, "" without a valid one."""

    method: str
    path: str
    params: Mapping[str, Any]
    at: datetime
    who: str


class Tenant:
    """The tenant. `latency` is in seconds a call, the token's included; `port` 0 takes a free one.

    May be changed at any time: `page_cap`, `shuffled` (the list in no order), `next_uri_only` (pages by `nextUri`
    alone), `analytics_method` ("GET" or "POST"), `token_seconds`, `list_hours` (what the list still holds),
    `list_delay` (seconds after its start until a call is listed), `latency`, and the documents in `users`, `queues`,
    `flows`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        latency: float = 0.0,
        port: int = 0,
        client_id: str = "demo-client",
        client_secret: str = "demo-secret",  # noqa: S107 - opens nothing but this simulation
        tenant_id: str = "demo",
        kept: int = 20_000,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.latency = latency
        self.client_id = client_id
        self.client_secret = client_secret
        self.tenant_id = tenant_id
        self.page_cap = 100
        self.shuffled = False
        self.next_uri_only = False
        self.tells_total = False
        self.analytics_method = "GET"
        self.token_seconds = 3600
        self.list_hours = 24.0
        self.list_delay = 0.0
        self.users = cast.users()
        self.queues = cast.queues()
        self.flows = cast.flows()
        self.faults = Faults()
        self.contacts = ContactsApi(self)
        self.store = Calls(kept)
        self.tokens: dict[str, tuple[str, float]] = {}  # token → client, end by the monotonic clock
        self._seen: deque[Seen] = deque(maxlen=50_000)
        self._lock = threading.Lock()
        self._server = Server(self._handle, port)

    # ---- life ----

    def start(self) -> Self:
        """Listen."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Let go of the port, and of whoever hangs in a fault."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What CXONE_BASE_URL is set to."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def requests(self) -> list[Seen]:
        """The requests so far, oldest first; of very many the latest 50,000."""
        return list(self._seen)

    def forget_requests(self) -> None:
        """Count from here on."""
        self._seen.clear()

    # ---- what happens in it ----

    def add(self, document: Mapping[str, Any]) -> str:
        """Store a conversation as given, in place of one with the same id; its id comes back."""
        id_ = document.get("id")
        key = id_ if isinstance(id_, str) and id_ else str(uuid.uuid4())
        self.store.put(Call.of_document(key, dict(document)))
        return key

    def play(self, scenario: str, number: str = "+15550199888", *, at: datetime | None = None, seed: int = 0) -> str:
        """Let a scenario have happened: a call that began at `at`, or so that it has just come to where it stands.

        The document stays as it is. `seed` tells calls of the same scenario, number and time apart.
        """
        base, change = _base(scenario)
        story = STORIES[base].story
        if story.present:
            story = replace(story, steps=story.steps[: story.present])
        times = schedule(story)
        until = timedelta(seconds=times[-1] + story.age)
        start = at or self.clock.now() - until
        id_ = _id(scenario, number, start, seed)
        if id_ in self.store:
            id_ = str(uuid.uuid4())
        placed = PlacedCall(id_, scenario, story, times, start, number, cast.HOTLINE, change)
        self.store.put(Call.of_document(id_, placed.document(start + until), placed))
        return id_

    def place(
        self,
        scenario: str,
        number: str = "+15550199888",
        *,
        at: datetime | None = None,
        speed: float = 1.0,
        story: Story | None = None,
        id_: str = "",
    ) -> str:
        """Let a call begin now (or `at`); its document grows as the clock goes on, `speed` times as fast.

        With a `story` of its own `scenario` is only what the panel calls it.
        """
        change = None
        if story is None:
            base, change = _base(scenario)
            story = STORIES[base].story
        key = id_ or str(uuid.uuid4())
        start = at or self.clock.now()
        times = schedule(story, speed)
        self.store.put(Call.placed_now(PlacedCall(key, scenario, story, times, start, number, cast.HOTLINE, change)))
        return key

    def calls(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest calls for a panel: `id`, `number`, `state`, `failed`, `scenario`, `started`."""
        return self.store.recent(limit, self.clock.now())

    # ---- requests ----

    def _handle(self, method: str, path: str, params: dict[str, str], headers: Mapping[str, str], body: bytes) -> Reply:
        """Note the request, meet the fault if there is one, answer."""
        now = self.clock.now()
        token = headers.get("authorization", "").removeprefix("Bearer ")
        who = self._who(token)
        shown: dict[str, Any] = dict(params)
        if body and not path.endswith("/token"):
            shown |= _object(body)
        self._seen.append(Seen(method, path, shown, now, who))
        fault = self.faults.take(path)
        wait = self.latency
        if fault and fault.kind == "slow":
            wait += float(fault.args.get("seconds", 1.0))
        if fault and fault.kind == "hang":
            return Reply(hang=True)
        if wait:
            self._server.wait(wait)
        if fault and fault.kind == "expired_token":
            self.tokens.pop(token, None)
            who = ""
        request = Request(method, path, params, body, who, now, headers)
        reply = self.contacts.answer(request) if self.contacts.serves(path) else answer(self, request)
        return reply.spoiled(fault, now) if fault else reply

    def issue_token(self, client: str) -> str:
        """A new token of that client."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            end = self.clock.monotonic()
            self.tokens = {t: kept for t, kept in self.tokens.items() if kept[1] > end}
            self.tokens[token] = (client, end + self.token_seconds)
        return token

    def _who(self, token: str) -> str:
        client, end = self.tokens.get(token, ("", 0.0))
        return client if end > self.clock.monotonic() else ""


def _base(scenario: str) -> tuple[str, Any]:
    """The story behind a scenario, and what changes its document."""
    if scenario in ODDITIES:
        _, base, change = ODDITIES[scenario]
        return base, change
    if scenario not in STORIES:
        raise KeyError(f"no scenario {scenario}; there are {', '.join(SCENARIOS)}")
    return scenario, None


def _id(*parts: object) -> str:
    seeded = random.Random("/".join(map(str, parts)))  # noqa: S311 - a repeatable id, no secret
    return str(uuid.UUID(int=seeded.getrandbits(128), version=4))


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
