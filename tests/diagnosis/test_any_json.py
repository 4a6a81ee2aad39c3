"""Whatever JSON comes, there is a diagnosis and no exception."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cxone.conversations import parse, parse_row, parse_target
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Peers, TargetKind, Timing
from bot.diagnosis.outcomes import Outcome
from bot.diagnosis.parties import bot_identities, customer_identities, has_bot_leg

NOW = datetime(2026, 3, 2, 14, 10, tzinfo=UTC)
PEERS = Peers(attempts=4, failed=2, tenant_attempts=9, tenant_failed=3, last_accepted=NOW, first_failed=NOW)
IDS = st.sampled_from(["p-1", "p-2", "p-3", "q-1", "u-1", "", "\ud800", None, 7])
TIMES = st.sampled_from(
    [
        "2026-03-02T14:03:11Z",
        "2026-03-02T14:03:12+00:00",
        "2026-03-02T14:03:13.5",
        "0001-01-01T00:00:00+14:00",
        "x",
        None,
    ]
)
ODD = st.sampled_from(
    [
        float("nan"),
        float("inf"),
        -(10**400),
        10**4000,
        "\ud800\udfff",
        "\x00\u202e\u2028",
        "events[0]" * 500,
        "{node}{0}%s{name}",
        "9" * 5000,
        "2026-03-02T14:03:11Z" * 3,
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | ODD
JSON = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4)
)
TYPES = ["sessionTransfer", "sessionTransferRejected", "sessionTransferAccepted", "participantJoined", "stateChanged"]
EVENT = st.fixed_dictionaries(
    {"type": st.sampled_from([*TYPES, "participantDisconnected", "conversationEnded", "botTurn"]) | SCALARS},
    optional={
        "timestamp": TIMES | SCALARS,
        "participantId": IDS,
        "fromParticipantId": IDS,
        "toParticipantId": IDS,
        "state": st.sampled_from(["connected", "queued", "alerting", "declined", "hold", "disconnected"]) | JSON,
        "reason": st.sampled_from(["403 Forbidden", "QUEUE_FULL", "HTTP 503", "400"]) | JSON,
        "code": JSON,
        "properties": JSON,
    },
)
LEG = st.fixed_dictionaries(
    {"id": IDS},
    optional={
        "purpose": st.sampled_from(["customer", "bot", "agent", "queue", "flow", "external", "ivr", ""]) | JSON,
        "name": st.text(max_size=12) | JSON,
        "identity": st.sampled_from(["+15550199888", "anonymous", "tel:+1 555"]) | JSON,
        "state": st.sampled_from(["connected", "alerting", "queued"]) | JSON,
        "connectedTime": TIMES | JSON,
        "endTime": TIMES | JSON,
        "userId": IDS,
        "queueId": IDS,
        "flowId": IDS,
        "disconnectType": st.sampled_from(["timeout", "client", "peer"]) | JSON,
    },
)
CALL = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "startTime": TIMES | JSON,
        "endTime": TIMES | JSON,
        "participants": st.lists(LEG | JSON, max_size=6) | JSON,
        "events": st.lists(EVENT | JSON, max_size=10) | JSON,
    },
)
TARGET = JSON | st.fixed_dictionaries(
    {},
    optional={
        "isActive": JSON,
        "state": JSON,
        "agentsAvailable": JSON,
        "triggers": JSON,
        "publishedDate": TIMES,
        "version": JSON,
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CALL | JSON, TARGET, st.sampled_from(TargetKind))
def test_any_document_is_diagnosed(document: Any, target: Any, kind: TargetKind) -> None:
    """A diagnosis with a headline, whatever the document and its target hold."""
    conversation = parse(document)
    parse_row(document)
    has_bot_leg(conversation)
    customer_identities(conversation)
    bot_identities(conversation)
    targets = {ref.id: parse_target(kind, target, NOW) for ref in targets_of(conversation, Timing())}
    found = diagnose(conversation, targets, now=NOW, peers=PEERS)
    assert found.headline
    assert found.summary
    assert found.outcome in Outcome
    for text in (found.headline, found.summary, *(row.message for row in found.findings)):
        assert "\x00" not in text
        assert text.encode()


def nested(depth: int) -> Any:
    """Lists and objects in each other."""
    value: Any = "deep"
    for _ in range(depth):
        value = {"reason": [value], "properties": {"a": value}}
    return value


@pytest.mark.parametrize("field", ["reason", "properties", "state", "type", "timestamp", "toParticipantId", "code"])
def test_what_is_nested_deep_is_not_followed(field: str) -> None:
    """No recursion, however deep a field goes."""
    asked = {"type": "sessionTransfer", "fromParticipantId": "p", "toParticipantId": "q"}
    rejected = {"type": "sessionTransferRejected", field: nested(5_000)}
    found = diagnose(parse({"id": "c", "events": [{**asked, field: nested(5_000)}, rejected, asked]}), {}, now=NOW)
    assert found.headline


@pytest.mark.parametrize(
    "make",
    [
        lambda place: {
            "type": "sessionTransferRejected",
            "reason": "x" * 300,
            "timestamp": f"2026-03-02T14:00:{place % 60:02}Z",
        },
        lambda place: {"type": "sessionTransferAccepted", "toParticipantId": f"q-{place % 7}"},
        lambda place: {"type": "participantJoined", "participantId": f"p-{place}"},
        lambda place: {
            "type": ("sessionTransfer", "sessionTransferRejected")[place % 2],
            "toParticipantId": f"q-{place % 5}",
        },
    ],
    ids=["refusals", "acceptances", "strangers", "requests and refusals"],
)
def test_ten_thousand_of_anything_take_bounded_time(make: Callable[[int], Any]) -> None:
    """Ten times as many take about ten times as long: nothing is looked at again and again."""

    def took(count: int) -> float:
        asked = {"type": "sessionTransfer", "fromParticipantId": "p", "toParticipantId": "q-1"}
        conversation = parse({"id": "c", "events": [asked, *map(make, range(count)), asked]})
        began = time.process_time()
        diagnose(conversation, {}, now=NOW)
        return time.process_time() - began

    few = min(took(1_000) for _ in range(3))
    assert took(10_000) < max(few * 40, 1.0)


def test_a_number_too_long_to_print_is_no_id() -> None:
    """Python refuses to print it."""
    huge = 10**5_000
    asked = {"type": "sessionTransfer", "timestamp": huge, "fromParticipantId": huge, "toParticipantId": huge}
    found = diagnose(parse({"id": huge, "events": [asked], "participants": [{"id": huge, "name": huge}]}), {}, now=NOW)
    assert found.outcome is Outcome.MALFORMED
