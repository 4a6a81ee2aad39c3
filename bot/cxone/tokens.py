"""The token of a session: fetched once for all threads, kept until shortly before it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.cxone.calls import Sending
from bot.cxone.deadline import Deadline
from bot.cxone.errors import CXoneError, DeadlineError
from bot.cxone.rate import Priority

_RENEW_BEFORE = 60.0  # seconds before a token ends


@dataclass(frozen=True, slots=True)
class Token:
    """What a sign-in brought. `expires_in` in seconds."""

    value: str = field(repr=False)
    expires_in: float = 3600.0


class Tokens:
    """The one that is in use. `sign_in` brings another: when there is none, or it ends soon, or it was refused."""

    def __init__(self, clock: Clock, sign_in: Callable[[Deadline, Priority], Token]) -> None:
        """Sign in only when the first is asked for."""
        self._clock = clock
        self._sign_in = sign_in
        self._kept: tuple[Token, float] | None = None  # with the time by which it is renewed
        self._lock = threading.Lock()
        self._failure: tuple[int, CXoneError] | None = None  # the sign-in of that number failed so
        self._sign_ins = 0

    def of(self, call: Sending) -> Token:
        """One for this call; however many threads ask, one signs in and the others wait for it. Raises CXoneError."""
        token = self._fresh()
        if token is not None:
            return token
        seen = self._sign_ins
        if not self._lock.acquire(timeout=call.deadline.left()):
            raise DeadlineError(call.method, call.path, None, f"{call.name}: the sign-in took longer than was left.")
        try:
            token = self._fresh()
            if token is not None:
                return token
            if self._failure is not None and self._failure[0] > seen:
                raise self._failure[1]
            try:
                token = self._sign_in(call.deadline, call.priority)
            except CXoneError as error:
                self._failure = (self._sign_ins + 1, error)
                raise
            finally:
                self._sign_ins += 1
            lasts = token.expires_in - min(_RENEW_BEFORE, token.expires_in / 10)
            self._kept = (token, self._clock.monotonic() + lasts)
            return token
        finally:
            self._lock.release()

    def forget(self, token: Token) -> None:
        """This token was refused; a newer one that another thread brought meanwhile stays."""
        with self._lock:
            if self._kept is not None and self._kept[0] is token:
                self._kept = None

    def _fresh(self) -> Token | None:
        kept = self._kept
        return kept[0] if kept is not None and self._clock.monotonic() < kept[1] else None
