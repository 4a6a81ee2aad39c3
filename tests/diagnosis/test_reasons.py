"""What the words and numbers of a refusal mean."""

from __future__ import annotations

import pytest

from bot.diagnosis.reasons import Family, read


@pytest.mark.parametrize(
    ("reason", "code", "family", "key"),
    [
        ("403 Forbidden", "", Family.FORBIDDEN, "403"),
        ("HTTP/1.1 401", "", Family.FORBIDDEN, "401"),
        ("no", "HTTP 403", Family.FORBIDDEN, "HTTP 403"),
        ("agent 403 hung up", "", Family.UNKNOWN, ""),
        ("status: 503", "", Family.PLATFORM, "503"),
        ("status 503 ms", "", Family.UNKNOWN, ""),
        ("timeout after 400 ms", "", Family.UNKNOWN, ""),
        ("upstream", "504", Family.PLATFORM, "504"),
        ("502", "", Family.PLATFORM, "502"),
        ("throttled", "", Family.PLATFORM, "PLATFORM"),
        ("404 Not Found", "", Family.INVALID, "404"),
        ("400 Bad Request: queue is full", "", Family.STAFFING, "400"),
        ("no such queue", "", Family.INVALID, "INVALID_PARTICIPANT"),
        ("USER_INACTIVE", "", Family.INVALID, "USER_INACTIVE"),
        ("NO_AGENTS_AVAILABLE", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("all agents are busy", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("out of office hours", "", Family.CLOSED, "CLOSED"),
        ("the agent has declined", "", Family.DECLINED, "DECLINED"),
        ("409 Conflict: already transferred", "", Family.DUPLICATE, "409"),
        ("already transferring", "", Family.DUPLICATE, "DUPLICATE"),
        ("", "599", Family.PLATFORM, "599"),
        ("", "600", Family.UNKNOWN, ""),
        ("", "", Family.UNKNOWN, ""),
        ("E-7731", "", Family.UNKNOWN, "E-7731"),
        ("it did not work", "", Family.UNKNOWN, ""),
    ],
)
def test_family_and_key(reason: str, code: str, family: Family, key: str) -> None:
    """A status by its forms, then known words; a bare number in prose is none."""
    found = read(reason, code)
    assert (found.family, found.code) == (family, key)


def test_a_long_reason_is_cut() -> None:
    """And read in a bounded time."""
    found = read("x" * 100_000 + " 403 Forbidden", "")
    assert found.family is Family.UNKNOWN
    assert len(found.text) <= 160
