"""What can go wrong between the bot and a platform, each as a sentence for people.

    CXoneError                  the platform could not be asked, or its answer could not be used
    ├── UnreachableError        no connection: name, network, proxy, certificate; or it broke off every time
    ├── DeadlineError           no whole answer within the time that was left
    ├── RateLimitedError        429, and waiting as asked would take too long
    ├── ServerFaultError        5xx, again after every repetition
    ├── SignInError             no token, or 401 with a fresh one
    ├── ForbiddenError          403; `needs` names what the service account most likely lacks
    ├── NotFoundError           404
    ├── MethodError             405
    └── AnswerError             a redirect, another 4xx, HTML, no JSON, JSON that breaks off, far too long

No text here holds a token, a secret, a query string or a whole phone number: paths go through `shown`, and of an
answer's body nothing is repeated at all.
"""

from __future__ import annotations

import copy
import re
from typing import Self

_NUMBER = re.compile(r"(?:\+|%2B|tel:|tel%3A)[\d().\s-]*\d{3,}(?=\d{4})", re.IGNORECASE)


def shown(path: str) -> str:
    """A path as an error or a log may name it: without its query, a phone number in it cut to its last four digits."""
    return _NUMBER.sub("…", path.partition("?")[0])[:200]


class CXoneError(Exception):
    """A call failed. `str()` is one or two plain sentences: which call, what happened, what to check."""

    def __init__(self, method: str, path: str, status: int | None, sentence: str) -> None:
        """Keep what failed; `path` is shown without its query."""
        super().__init__(method, shown(path), status, sentence)
        self.method = method
        self.path = shown(path)
        self.status = status
        self.sentence = sentence

    def __str__(self) -> str:
        """The sentence."""
        return self.sentence

    @property
    def call(self) -> str:
        """The call as people name it: "GET /api/v2/users/u-1"."""
        return f"{self.method} {self.path}"

    def learned(self, sentence: str) -> Self:
        """The same error that also says what was learned until then."""
        return self.told(f"{self.sentence} {sentence}") if sentence else self

    def told(self, sentence: str) -> Self:
        """The same error in other words."""
        told = copy.copy(self)
        told.sentence = sentence
        told.args = (*self.args[:3], told.sentence, *self.args[4:])
        return told


class UnreachableError(CXoneError):
    """No connection, or one that broke off every time."""


class DeadlineError(CXoneError):
    """No whole answer within the time that was left."""


class RateLimitedError(CXoneError):
    """Too many requests, and waiting as asked would take too long."""


class ServerFaultError(CXoneError):
    """A 5xx after every repetition."""


class SignInError(CXoneError):
    """No token, or a 401 with a fresh one."""


class ForbiddenError(CXoneError):
    """A 403. `needs` names what the service account most likely lacks."""

    def __init__(self, method: str, path: str, status: int | None, sentence: str, needs: str = "") -> None:
        """As its parent, with the scope."""
        super().__init__(method, path, status, sentence)
        self.args = (*self.args, needs)
        self.needs = needs


class NotFoundError(CXoneError):
    """A 404."""


class MethodError(CXoneError):
    """A 405."""


class AnswerError(CXoneError):
    """An answer that cannot be used."""


def late(method: str, path: str, host: str, seconds: float) -> DeadlineError:
    """What is said of the call that was on its way when a deadline of so many seconds passed."""
    return DeadlineError(
        method,
        path,
        None,
        f"{method} {shown(path)} on {host} did not answer within the {seconds:.3g} s that the whole look-up may take. "
        "Check CXone's status page and the network; try again, or raise DEADLINE_SECONDS.",
    )
