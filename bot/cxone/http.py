"""One pooled HTTP session to a tenant: token, repetitions, Retry-After, deadline, rate, redaction.

The error tree stands in `errors.py`: every failure is a `CXoneError` (method, path, status, a sentence for people),
none holds a token, a secret, a query or a whole number. Read-only: GET, and POST where a platform wants a query or
the token request sent that way; both may be repeated safely. Synchronous, for use from many threads at once.
Proxies and an own CA are what requests makes of the environment; a `.netrc` is not looked at.
"""

from __future__ import annotations

import contextlib
import http.cookiejar
import ipaddress
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from bot.clock import Clock
from bot.cxone.calls import Raw, Sending, broken, decoded, failing, limited, refusal, retry_after, too_late
from bot.cxone.deadline import Call, Deadline, WatchedAdapter
from bot.cxone.errors import AnswerError, CXoneError, NotFoundError, shown
from bot.cxone.rate import Priority, Rate
from bot.cxone.tokens import Token, Tokens

__all__ = [
    "Answer",
    "CXoneError",
    "Call",
    "Deadline",
    "NotFoundError",
    "Priority",
    "Session",
    "SignIn",
    "Token",
]

TRIES = 4  # of a call that a 5xx or a broken connection ended
_ALONE = 20.0  # seconds for a call that comes with no deadline
_CONNECT_SECONDS = 5.0
_FIRST_TRY = 0.6  # of what is left; a hanging first try leaves time for a second
_LARGEST = 64 * 1024 * 1024  # bytes of a decoded body
_POOL = 64  # connections kept; more than the threads that ask at once
_PAUSE = 1.0  # seconds after a 429 that does not say how long


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer. `body` is the decoded JSON, None if there was none; `seconds` what it took, waits included."""

    status: int
    body: Any = field(repr=False)
    seconds: float
    method: str  # of the call that it answers
    path: str = field(repr=False)


SignIn = Callable[["Session", Deadline, Priority], Token]


class _Bearer(requests.auth.AuthBase):
    """The token as a header. Given as `auth`, so that a `.netrc` cannot take its place."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value:
            request.headers["Authorization"] = f"Bearer {self._value}"
        return request


class Session:
    """All calls to one tenant. `sign_in` brings a token: when there is none, it ends soon, or a 401 came."""

    def __init__(
        self,
        base_url: str,
        sign_in: SignIn,
        clock: Clock,
        *,
        max_rps: float | None = None,
        on_call: Callable[[Call], None] | None = None,
        largest: int = _LARGEST,
    ) -> None:
        """Open nothing yet. Raises ValueError for plain http beyond loopback, and for an address with a password."""
        self.base_url = base_url.rstrip("/")
        self.host = _host(self.base_url)
        self.rate = Rate(clock, max_rps)
        self._tokens = Tokens(clock, lambda deadline, priority: sign_in(self, deadline, priority))
        self._clock = clock
        self._on_call = on_call
        self._largest = largest
        self._http = requests.Session()
        self._http.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._http.headers["Accept"] = "application/json"
        self._http.headers["User-Agent"] = "handover-bot"
        adapter = WatchedAdapter(pool_connections=4, pool_maxsize=_POOL, max_retries=0)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        self._find_way()

    def __repr__(self) -> str:
        """The host alone."""
        return f"Session({self.host})"

    def move(self, base_url: str) -> None:
        """Ask there from now on, where a sign-in has learned the API's address. Raises ValueError as the start does."""
        self.host = _host(base_url)
        self.base_url = base_url.rstrip("/")
        self._find_way()

    def _find_way(self) -> None:
        """Proxy and own CA, as requests reads them from the environment; for each call that is a third of its work."""
        way = requests.Session().merge_environment_settings(self.base_url, {}, None, None, None)
        self._http.proxies, self._http.verify = dict(way["proxies"]), way["verify"]
        self._http.trust_env = False  # no .netrc either, which would put its password in the place of our token

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def requests_last_hour(self) -> int:
        """How many requests were made in the last hour, repetitions and sign-ins included."""
        return self.rate.last_hour()

    # ---- calls ----

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        deadline: Deadline | None = None,
        priority: Priority = "person",
        **more: Any,
    ) -> Answer:
        """GET `path`; see `send` for `more`. Raises CXoneError."""
        return self.send("GET", path, params=params, deadline=deadline, priority=priority, **more)

    def send(
        self,
        method: str,
        path: str,
        *,
        item: str | None = None,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        deadline: Deadline | None = None,
        priority: Priority = "person",
        needs: str = "",
        signed: bool = True,
        basic: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one call and read its answer whole. Raises CXoneError.

        `path` may hold `{id}`, which `item` fills, quoted. `body` is sent as JSON, `form` as a form. `needs` names the
        scope that a 403 most likely means. `signed=False` sends no token (for the sign-in itself); `basic` is a client
        and its secret, sent in its place, `headers` are further ones (a key of another kind).
        """
        with contextlib.nullcontext(deadline) if deadline else Deadline(self._clock, _ALONE) as limit:
            call = Sending(
                host=self.host,
                method=method,
                route=path,
                item=item,
                params=params,
                body=body,
                form=form,
                basic=basic,
                headers=headers,
                deadline=limit,
                priority=priority,
            )
            return self._answer(call, needs, signed=signed)

    def _answer(self, call: Sending, needs: str, *, signed: bool) -> Answer:
        """Send the call, once more with a new token if it must be, and read what came."""
        if call.item is not None and not call.item.strip("."):
            raise NotFoundError(
                call.method, call.path, 404, f"{call.name}: there is nothing with the id “{call.item}”."
            )
        if call.deadline.passed():
            raise too_late(call)
        token = self._tokens.of(call) if signed else None
        answer = self._repeated(call, token)
        if answer.status == 401 and token is not None:  # noqa: PLR2004  # the status is the word for it
            self._tokens.forget(token)
            answer = self._repeated(call, self._tokens.of(call))
        if answer.status >= 300:  # noqa: PLR2004  # the same
            raise refusal(call, answer, needs)
        return Answer(answer.status, decoded(call, answer), call.spent(), call.method, call.path)

    # ---- the token ----

    def token(self, deadline: Deadline, priority: Priority = "person") -> None:
        """See that there is a token, for `check` and for a warm start. Raises CXoneError."""
        self._tokens.of(Sending(host=self.host, method="GET", route="/", deadline=deadline, priority=priority))

    # ---- one call, repeated as long as it makes sense ----

    def _repeated(self, call: Sending, token: Token | None) -> Raw:
        """Send until there is an answer that repeating would not change. Raises CXoneError."""
        tries = 0
        while True:
            tries += 1
            self._turn(call)
            outcome = self._once(call, token, tries)
            if isinstance(outcome, Raw) and outcome.status == 429:  # noqa: PLR2004  # as above
                asked = retry_after(outcome, self._clock)
                least = min(_PAUSE * 2.0 ** (tries - 1), 30.0)  # for a server that says nothing, or "0" every time
                self.rate.refused(least if asked is None else max(asked, least / 10))
                if self.rate.paused() >= call.deadline.left():
                    raise limited(call, self.rate.paused())
                continue
            if isinstance(outcome, Raw) and not outcome.repeatable:
                return outcome
            failure = outcome if isinstance(outcome, CXoneError) else failing(call, outcome, tries)
            asked = retry_after(outcome, self._clock) if isinstance(outcome, Raw) else None
            pause = asked or min(_pause(tries), call.deadline.left() / 4)
            if tries >= TRIES or pause >= call.deadline.left():
                raise failure
            self._clock.sleep(pause)

    def _turn(self, call: Sending) -> None:
        """Wait until the rate allows the call. Raises RateLimitedError, DeadlineError."""
        if call.deadline.passed():
            raise too_late(call)
        if not self.rate.take(call.priority, call.deadline):
            if call.deadline.passed():
                raise too_late(call)
            raise limited(call, self.rate.paused())

    def _once(self, call: Sending, token: Token | None, tries: int) -> Raw | CXoneError:
        """One request: the answer, or the failure that another try may mend. Raises CXoneError where it cannot."""
        left = call.deadline.left()
        patience = left * _FIRST_TRY if tries == 1 else left
        started = self._clock.monotonic()
        status = None
        call.deadline.asked()
        try:
            with call.deadline.watching():
                raw = self._read(call, token, patience)
            status = raw.status
        except requests.exceptions.RequestException as error:
            if call.deadline.passed():
                raise too_late(call) from None
            return broken(call, error, patience)
        finally:
            made = Call(call.method, shown(call.path), call.route, status, self._clock.monotonic() - started)
            call.deadline.answered(made)
            if self._on_call is not None:
                self._on_call(made)
        if call.deadline.passed():
            raise too_late(call)
        return raw

    def _read(self, call: Sending, token: Token | None, patience: float) -> Raw:
        """Send and read the whole body. Raises requests' errors, AnswerError if it is too large."""
        with self._http.request(
            call.method,
            self.base_url + call.path,
            params=call.params,
            json=call.body,
            data=call.form,
            headers=call.headers,
            auth=call.basic or _Bearer(token.value if token else ""),
            timeout=(max(0.001, min(_CONNECT_SECONDS, patience)), max(0.001, patience)),
            allow_redirects=False,
            stream=True,
        ) as response:
            parts, size = [], 0
            for part in response.iter_content(65_536):
                size += len(part)
                if size > self._largest:
                    raise AnswerError(
                        call.method,
                        call.path,
                        response.status_code,
                        f"{call.name} answered with more than {self._largest:,} bytes; it was not read to its end.",
                    )
                parts.append(part)
            return Raw(response.status_code, response.headers, b"".join(parts))


def _pause(tries: int) -> float:
    """Seconds before the next try: about 0.2, 0.4, 0.8, so that many callers do not come back at the same moment."""
    return 0.2 * 2.0 ** (tries - 1) * random.uniform(0.5, 1.5)  # noqa: S311  # no secret, only jitter


def _host(base_url: str) -> str:
    """The host of an address. Raises ValueError for what no token may be sent to."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address of the platform must begin with https:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address of the platform must hold no user, password or query")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ValueError("plain http is refused except to this machine itself: use https://")
    return parts.netloc


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
