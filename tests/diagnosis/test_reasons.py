"""What the words and numbers of a refusal mean."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cxone.conversations import parse
from bot.diagnosis.outcomes import Code
from bot.diagnosis.reasons import Family, read
from tests.corpus.story import asks, call, refused
from tests.diagnosis.told import diagnosed, finding


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
        # a name may stand between
        ("HTTP 400: Queue Billing is closed", "", Family.CLOSED, "400"),
        ("400 Bad Request: queue Billing is full", "", Family.STAFFING, "400"),
        ("Queue Billing is closed", "", Family.CLOSED, "CLOSED"),
        ("The queue is currently closed", "", Family.CLOSED, "CLOSED"),
        ("Agent Ana is not available", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("Participant 'p-x' not found", "", Family.INVALID, "INVALID_PARTICIPANT"),
        ("Queue 5f0c2a12-3456-7890-1234-567890123456 does not exist", "", Family.INVALID, "INVALID_PARTICIPANT"),
        ("invalid toParticipantId", "", Family.INVALID, "INVALID_PARTICIPANT"),
        ("Invalid Participant ID", "", Family.INVALID, "INVALID_PARTICIPANT"),
        # hours go before what they do not allow
        ("Transfers are not allowed outside operating hours", "", Family.CLOSED, "CLOSED"),
        ("Not permitted during holidays", "", Family.CLOSED, "CLOSED"),
        # another thing than the target is invalid
        ("Invalid user credentials", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("Unknown queue error", "", Family.UNKNOWN, ""),
        ("invalid queue state", "", Family.UNKNOWN, ""),
        ("unknown agent state", "", Family.UNKNOWN, ""),
        ("the agent state is unknown", "", Family.UNKNOWN, ""),
        # a bare number in prose
        ("Area code 503 is blocked", "", Family.UNKNOWN, ""),
        ("agent reason code 403", "", Family.UNKNOWN, ""),
        ("agent status 403", "", Family.UNKNOWN, ""),
        ("code 403", "", Family.FORBIDDEN, "403"),
        ("HTTP response code 403", "", Family.FORBIDDEN, "403"),
        ("failed with code: 503", "", Family.PLATFORM, "503"),
        ("HTTP_403", "", Family.FORBIDDEN, "403"),
        ("HTTP error 403", "", Family.FORBIDDEN, "403"),
        ("403: denied", "", Family.FORBIDDEN, "403"),
        ("[403] denied", "", Family.FORBIDDEN, "403"),
        ("403: insufficient permissions", "", Family.FORBIDDEN, "403"),
        ("403 callers: too many", "", Family.UNKNOWN, ""),
        ("Insufficient permissions", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("User does not have permissions", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("Missing permissions: conversations:write", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("Access is denied", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("Cannot transfer", "not.authorized", Family.FORBIDDEN, "not.authorized"),
        ("HTTP 400: already transferring", "", Family.DUPLICATE, "400"),
        # "not allowed" alone says nothing about a right; "to" does
        ("Transfer not allowed: queue is full", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("Transfer not allowed in current conversation state", "", Family.UNKNOWN, ""),
        ("User is not allowed to transfer", "", Family.FORBIDDEN, "FORBIDDEN"),
        # what is not open may be no queue
        ("WebSocket is not open: readyState 3 (CLOSED)", "", Family.UNKNOWN, ""),
        ("Queue Billing is not open", "", Family.CLOSED, "CLOSED"),
        # words within a name
        ("Queue Billing overloaded", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("System overloaded", "", Family.PLATFORM, "PLATFORM"),
        ("Customer Service unavailable", "", Family.UNKNOWN, ""),
        ("The service is unavailable", "", Family.PLATFORM, "PLATFORM"),
        ("Queue Holiday Bookings is full", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("No agents available in Holidays UK", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("Public holiday", "", Family.CLOSED, "CLOSED"),
        ("Closed for a public holiday", "", Family.CLOSED, "CLOSED"),
        # who asks, and not the target
        ("From participant not found", "", Family.SENDER, "INVALID_SENDER"),
        ("fromParticipant not found", "", Family.SENDER, "INVALID_SENDER"),
        ("Bot participant not found in conversation", "", Family.SENDER, "INVALID_SENDER"),
        ("Invalid from participant", "", Family.SENDER, "INVALID_SENDER"),
        # who is missing is an agent who is free
        ("Available agent not found in queue Billing", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("No qualified agents available", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("no one available", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("TARGET_UNAVAILABLE", "", Family.STAFFING, "TARGET_UNAVAILABLE"),
        ("Agent is already connected to another call", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("No agent with that id", "", Family.UNKNOWN, ""),
        ("No such agent", "", Family.INVALID, "INVALID_PARTICIPANT"),
        # rights and tokens
        ("missing scope conversations:write", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("service account lacks conversations:write", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("UNAUTHENTICATED", "", Family.FORBIDDEN, "UNAUTHENTICATED"),
        ("Authentication failed", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("Customer authentication failed", "", Family.UNKNOWN, ""),
        ("jwt expired", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("token revoked", "", Family.FORBIDDEN, "FORBIDDEN"),
        ("Error 403", "", Family.FORBIDDEN, "403"),
        ("Error: 403", "", Family.FORBIDDEN, "403"),
        ("error (403)", "", Family.FORBIDDEN, "403"),
        ("403 - no", "", Family.FORBIDDEN, "403"),
        ("Bad Request", "", Family.INVALID, "INVALID_PARTICIPANT"),
        ("403 callers - too many", "", Family.UNKNOWN, ""),
        # words in one
        ("", "NoAgentsAvailable", Family.STAFFING, "NoAgentsAvailable"),
        ("QueueFull", "", Family.STAFFING, "NO_AGENTS_AVAILABLE"),
        ("queueClosed", "", Family.CLOSED, "CLOSED"),
        ("InvalidParticipant", "", Family.INVALID, "INVALID_PARTICIPANT"),
    ],
)
def test_family_and_key(reason: str, code: str, family: Family, key: str) -> None:
    """A status by its forms, then known words; a bare number in prose is none."""
    found = read(reason, code)
    assert (found.family, found.code) == (family, key)


@pytest.mark.parametrize(
    ("fields", "family", "key"),
    [
        ({"reason": {"code": "not.authorized", "status": 403, "message": "no"}}, Family.FORBIDDEN, "not.authorized"),
        ({"reason": {"code": "internal.error", "status": 500}}, Family.PLATFORM, "internal.error"),
        ({"reason": "x", "code": "ERR_T", "status": 403}, Family.FORBIDDEN, "ERR_T"),
        ({"reason": "x", "status": "rejected", "statusCode": 403}, Family.FORBIDDEN, "403"),
        ({"reason": {"code": "QUEUE_FULL", "status": 400}}, Family.STAFFING, "QUEUE_FULL"),
        ({"status": "rejected"}, Family.UNKNOWN, "rejected"),
    ],
)
def test_a_status_beside_a_code(fields: dict[str, Any], family: Family, key: str) -> None:
    """The status says whose side it is, the code is what to group by."""
    refusal = parse({"events": [{"type": "sessionTransferRejected", **fields}]}).events[0]
    found = read(refusal.reason, refusal.code, refusal.status)
    assert (found.family, found.code) == (family, key)


def test_a_status_is_evidence() -> None:
    """Beside the code."""
    found = diagnosed(call(asks(), refused("x", code="ERR_T", status=403)))
    assert finding(found, Code.TRANSFER_FORBIDDEN).evidence["events[1].status"] == "403"


def test_a_long_reason_is_cut() -> None:
    """And read in a bounded time."""
    found = read("x" * 100_000 + " 403 Forbidden", "")
    assert found.family is Family.UNKNOWN
    assert len(found.text) <= 160
