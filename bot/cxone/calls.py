"""One call on its way, its raw answer, and what each way to fail is called in plain sentences."""

from __future__ import annotations

import email.utils
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from bot import redact
from bot.clock import Clock
from bot.cxone.deadline import Deadline
from bot.cxone.errors import (
    AnswerError,
    CXoneError,
    ForbiddenError,
    MethodError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    SignInError,
    UnreachableError,
    late,
    shown,
)
from bot.cxone.rate import Priority


@dataclass(slots=True, kw_only=True)
class Sending:
    """One call on its way. `route` may hold `{id}`, which `item` fills."""

    host: str
    method: str
    route: str
    deadline: Deadline
    priority: Priority
    item: str | None = None
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    body: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    path: str = ""
    began: float = 0.0

    def __post_init__(self) -> None:
        quoted = quote((self.item or "").encode("utf-8", "replace"), safe="")
        self.path = self.route.replace("{id}", quoted)
        self.route = self.route.partition("?")[0]
        self.began = self.deadline.spent()

    @property
    def name(self) -> str:
        """How an error names it."""
        return f"{self.method} {shown(self.path)}"

    def spent(self) -> float:
        """Seconds since it began, waits included."""
        return self.deadline.spent() - self.began


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer before anything was made of it."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def repeatable(self) -> bool:
        """Whether another try may bring a better one: 5xx, and JSON that breaks off."""
        return self.status >= 500 or (self.status < 300 and _breaks_off(self.content))  # noqa: PLR2004  # HTTP's own


# ---- what an answer means ---------------------------------------------------------------------------------------


def decoded(call: Sending, answer: Raw) -> Any:
    """The decoded body. Raises AnswerError."""
    if not answer.content.strip():
        return None
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        pass
    start = answer.content.lstrip()[:1]
    if start == b"<":
        what = "a web page instead of JSON"
    elif start in {b"{", b"["}:
        what = "JSON that breaks off or is damaged"
    else:
        what = "something that is not JSON"
    raise AnswerError(
        call.method,
        call.path,
        answer.status,
        f"{call.name} on {call.host} answered with {what}. Check the address (CXONE_BASE_URL), the profile "
        "(CXONE_API), and whether a proxy stands between.",
    )


def _breaks_off(content: bytes) -> bool:
    """Whether this is JSON that ends too early."""
    text = content.strip()
    return text[:1] in {b"{", b"["} and text[-1:] not in {b"}", b"]"}


def refusal(call: Sending, answer: Raw, needs: str) -> CXoneError:
    """The error that a status means."""
    about = (call.method, call.path, answer.status)
    name, status, said = call.name, answer.status, _said(answer)
    if status == 401:  # noqa: PLR2004  # as above
        return SignInError(
            *about,
            f"401 on {name}, with a new token too: {call.host} does not take this service account. Check "
            "CXONE_CLIENT_ID and CXONE_CLIENT_SECRET, and that the account is active in this tenant.",
        )
    if status == 403:  # noqa: PLR2004  # as above
        lacks = needs or "a permission"
        return ForbiddenError(
            *about, f"403 on {name}: the bot's own service account most likely lacks {lacks}.{said}", lacks
        )
    if status == 404 and answer.content.lstrip()[:1] != b"<":  # noqa: PLR2004  # as above
        return NotFoundError(
            *about,
            f"404 on {name}: {call.host} knows no such thing. Check the id, the address (CXONE_BASE_URL) and the "
            "profile (CXONE_API).",
        )
    if status == 405:  # noqa: PLR2004  # as above
        return MethodError(*about, f"405 on {name}: {call.host} does not take {call.method} here.")
    if status < 400:  # noqa: PLR2004  # as above
        return AnswerError(
            *about,
            f"{status} on {name}: {call.host} sends the bot elsewhere, and a token follows no redirect. "
            "Check the address (CXONE_BASE_URL).",
        )
    return AnswerError(
        *about,
        f"{status} on {name}: {call.host} does not take this request. Check the address (CXONE_BASE_URL) and the "
        f"profile (CXONE_API).{said}",
    )


def _said(answer: Raw) -> str:
    """What the contacts API says of an error in a header of its own (`icStatusDescription`), as a sentence."""
    text = redact.foreign(answer.headers.get("icStatusDescription", ""), 120)
    return f" It says: “{text}”." if text else ""


def failing(call: Sending, answer: Raw, tries: int) -> CXoneError:
    """What is said of an answer that stayed unusable."""
    if answer.status < 300:  # noqa: PLR2004  # as above
        return AnswerError(
            call.method,
            call.path,
            answer.status,
            f"{call.name} on {call.host} answered with JSON that breaks off after {len(answer.content):,} bytes, "
            f"{_times(tries)}. Check whether a proxy stands between; else try again in a minute.",
        )
    return ServerFaultError(
        call.method,
        call.path,
        answer.status,
        f"{answer.status} on {call.name}, {_times(tries)} within {call.spent():.1f} s: {call.host} itself fails. "
        "Check CXone's status page, and try again in a minute.",
    )


def limited(call: Sending, wait: float) -> CXoneError:
    """What is said where the platform, or the rate set for it, takes no more requests for `wait` seconds."""
    return RateLimitedError(
        call.method,
        call.path,
        429,
        f"429 on {call.name}: {call.host} takes no more requests for the next {max(1, round(wait))} s, longer than was "
        "left for the answer. Try again then; if it happens often, set CXONE_MAX_RPS.",
    )


def too_late(call: Sending) -> CXoneError:
    """What is said of the call that was on its way when the deadline passed."""
    return late(call.method, call.path, call.host, call.deadline.seconds)


def broken(call: Sending, error: requests.exceptions.RequestException, patience: float) -> CXoneError:
    """What is said of a connection that failed. Nothing of requests' own text: it holds the URL."""
    check = "Check CXONE_TENANT_ID or CXONE_BASE_URL, and the network."
    text = str(error)
    if isinstance(error, requests.exceptions.ReadTimeout):
        what = f"did not answer for {patience:.3g} s"
        check = "Check CXone's status page and the network; try again in a minute."
    elif isinstance(error, requests.exceptions.ProxyError):
        what, check = "could not be reached through the proxy", "Check HTTPS_PROXY and NO_PROXY."
    elif isinstance(error, requests.exceptions.SSLError):
        what = "has a certificate that is not trusted, or speaks no TLS"
        check = "Check the address (CXONE_BASE_URL), and REQUESTS_CA_BUNDLE if you have a CA of your own."
    elif isinstance(error, requests.exceptions.ConnectTimeout):
        what = "took no connection in time"
    elif "NameResolution" in text or "getaddrinfo" in text:
        what = "has no address: the name is not known"
    elif "refused" in text:
        what = "refused the connection"
    elif "Read timed out" in text:
        what = f"stopped in the middle of its answer for {patience:.3g} s"
    else:
        what, check = "broke the connection off", "Check the network and CXone's status page; try again in a minute."
    return UnreachableError(call.method, call.path, None, f"{call.name}: {call.host} {what}. {check}")


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"


def retry_after(answer: Raw, clock: Clock) -> float | None:
    """Seconds that the server asks to wait: `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    value = answer.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(value)
            seconds = (at - clock.now()).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(0.0, seconds), 86_400.0) if seconds == seconds else None  # noqa: PLR0124  # not a number: not given
