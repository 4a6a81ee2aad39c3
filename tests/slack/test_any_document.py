"""Arbitrary JSON, parsed, diagnosed and shown: no exception, and within Slack's limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cxone.conversations import parse, parse_target
from bot.demo.limits import blocks_faults, view_faults
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Report, TargetKind, Timing
from bot.slack import blocks, messages, messages_modals

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
TIMES = st.sampled_from(
    ["2026-11-20T13:59:00Z", "2026-11-20T13:59:01.5+00:00", "2026-11-20", "0001-01-01T00:00:00Z", "x"]
)
SCRAP = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.just("<!channel> +15550199888 " * 200)
)
JSON = st.recursive(
    SCRAP,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(["p1", "p2", "q-1", "", "x" * 400]) | JSON
PARTICIPANT = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "purpose": st.sampled_from(["customer", "bot", "agent", "queue"]) | JSON,
        "identity": st.just("+15550199888") | JSON,
        "name": JSON,
        "connectedTime": TIMES | JSON,
        "endTime": TIMES | JSON,
        "queueId": IDS,
        "userId": IDS,
    },
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["sessionTransfer", "sessionTransferRejected", "sessionTransferAccepted", "stateChanged"]
        )
        | JSON,
        "timestamp": TIMES | JSON,
        "fromParticipantId": IDS,
        "toParticipantId": IDS,
        "participantId": IDS,
        "reason": JSON,
        "code": JSON,
        "properties": st.dictionaries(st.sampled_from(["cognigySessionId", "name"]), JSON) | JSON,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("c-1") | JSON,
        "startTime": TIMES | JSON,
        "endTime": TIMES | JSON,
        "participants": st.lists(PARTICIPANT | JSON, max_size=4) | JSON,
        "events": st.lists(EVENT | JSON, max_size=6) | JSON,
    },
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENT | JSON, JSON, st.sampled_from(TargetKind))
def test_any_document_becomes_a_message_that_slack_takes(document: Any, target: Any, kind: TargetKind) -> None:
    """And windows that it takes."""
    conversation = parse(document)
    refs = targets_of(conversation, Timing())
    targets = {ref.id: parse_target(kind, target, NOW) for ref in refs}
    report = Report(
        diagnosis=diagnose(conversation, targets, now=NOW), document=document if isinstance(document, dict) else {}
    )
    message = messages.diagnosis(report, asked_by="U0SAM", now=NOW)
    assert blocks_faults(message.blocks) == []
    assert blocks.weight(message.blocks) < blocks.LONGEST_BLOCKS
    assert 0 < len(message.text) <= blocks.LONGEST_TEXT
    assert "<!" not in message.text
    assert "0199888" not in message.text.replace(blocks.harmless(report.diagnosis.conversation_id), "")
    assert view_faults(messages_modals.raw_events("c-1", report.document)) == []
    assert view_faults(messages_modals.whole_timeline(report.diagnosis)) == []
    json.dumps(message.blocks)
