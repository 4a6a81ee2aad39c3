"""A diagnosis in the terminal: harmless whatever others wrote, and the contract's fields as JSON."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from bot import report_json, terminal
from bot.cxone.errors import ForbiddenError, ServerFaultError
from bot.diagnosis.handover import (
    Attempt,
    Diagnosis,
    Finding,
    Moment,
    OtherCall,
    Report,
    Target,
    TargetKind,
    TargetStatus,
)
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome, Reached, Status

AT = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
EVIL = "[bold red]Billing[/] :boom: \x1b[31m\x1b]0;owned\x07 \u202egnillib {x} <!channel> \x00\x9b31m\nnext"


def report(text: str = "Billing", **more: Any) -> Report:
    """A rejected handover to a queue, with this text wherever others can write."""
    attempt = Attempt(
        number=1,
        timestamp=AT,
        from_id="p-bot",
        to_id="q-billing",
        from_name="Cognigy Voicebot",
        to_name=text,
        by="bot",
        outcome=Outcome.REJECTED,
        fault=Fault.TARGET,
        reached=Reached.REACTED,
        reason=text,
        properties={"cognigySessionId": "cgy-81", "customerName": "Jane Doe", "note": text},
    )
    findings = (
        Finding(
            code=Code.TRANSFER_REJECTED,
            status=Status.ERROR,
            message=f"{text} refused",
            timestamp=AT,
            evidence={"events[1].reason": text, "participants[0].identity": "+15550199888", "events[1].timestamp": AT},
            fix="Staff it at this hour.",
        ),
        Finding(code=Code.NOT_CHECKED, status=Status.INFO, message=f"the flow: 403 {text}"),
    )
    diagnosis = Diagnosis(
        conversation_id="5f0c2a",
        started_at=AT,
        ended_at=AT + timedelta(seconds=89),
        phone="•••• 9888",
        outcome=Outcome.REJECTED,
        reached=Reached.REACTED,
        fault=Fault.TARGET,
        confidence=Confidence.CERTAIN,
        alternatives=(),
        headline=f"{text} refused the handover",
        summary=f"The queue {text} refused the transfer.",
        next_step="Staff it at this hour.",
        findings=findings,
        attempts=(attempt,),
        timeline=(
            Moment(AT, "call starts", "Caller"),
            Moment(AT + timedelta(seconds=60), "asked", text),
            Moment(None, "x", "y"),
        ),
        target=Target(
            id="q-billing",
            kind=TargetKind.QUEUE,
            name=text,
            logged_in=3,
            available=0,
            waiting=4,
            is_available=False,
            read_at=AT,
        ),
    )
    return Report(diagnosis=diagnosis, others=(OtherCall(conversation_id="older", started_at=AT),), requests=3, **more)


def drawn(shown: Report, width: int = 100) -> str:
    """The drawing, without colours."""
    out = io.StringIO()
    terminal.draw(shown, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_the_story_reads_from_the_top() -> None:
    """The first line alone is enough; everything else follows in the order of the design."""
    text = drawn(report())
    order = ["Billing refused the handover", "The queue Billing", "•••• 9888", "Next step", "call starts", "ERROR"]
    order += ["Billing, now", "0 available", "Not checked", "Other calls"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [20, 80, 200])
def test_foreign_text_does_nothing(width: int) -> None:
    """No markup, no escape sequence, no reordering mark, no line of its own."""
    text = drawn(report(EVIL), width)
    assert not {char for char in text if char in "\x1b\x00\x07\u202e\x9b"}
    assert "[bold" in text
    assert ":boom:" in "".join(text.split())


def test_the_object_has_the_fields_of_the_contract() -> None:
    """Exactly these names, and plain values."""
    shown = json.loads(report_json.dumps(report_json.as_json(report(seconds=1.23456))))
    assert list(shown) == [
        *("conversation_id", "started_at", "ended_at", "phone", "outcome", "reached", "fault", "confidence"),
        *("alternatives", "summary", "findings", "attempts", "target", "timeline", "other_conversations"),
        *("requests", "seconds"),
    ]
    assert list(shown["findings"][0]) == ["code", "status", "message", "timestamp", "evidence", "fix"]
    assert list(shown["target"]) == ["id", "kind", "name", "status", "state", "is_available"]
    assert list(shown["timeline"][0]) == ["timestamp", "what", "who"]
    assert set(shown["attempts"][0]) == {"timestamp", "from", "to", "outcome", "properties"}
    assert shown["started_at"] == "2026-11-20T14:02:11Z"
    assert shown["target"]["status"] == TargetStatus.OK
    assert (shown["other_conversations"], shown["requests"], shown["seconds"]) == (["older"], 3, 1.235)


def test_the_object_tells_no_caller() -> None:
    """Masked where evidence holds one; properties off the allow-list by name alone."""
    text = report_json.dumps(report_json.as_json(report("call +1 555 019 9888 now")))
    assert "0199888" not in text
    assert "019 9888" not in text
    assert "Jane" not in text
    assert "customerName" in text


def test_the_object_can_always_be_written() -> None:
    """Control characters are gone, and half a surrogate pair breaks nothing."""
    text = report_json.dumps(report_json.as_json(report(EVIL + "\ud83d")))
    assert text.encode("utf-8")
    assert "\\u001b" not in text
    assert json.loads(text)["outcome"] == "rejected"


def test_a_failure_names_its_call_once() -> None:
    """Method, path and status, whether the sentence has them or not."""
    plain = ServerFaultError("GET", "/api/v2/users/u-1?x=1", 503, "CXone answered with a fault.")
    assert terminal.not_asked(plain) == "GET /api/v2/users/u-1 (503): CXone answered with a fault."
    told = ForbiddenError("GET", "/api/v2/users/u-1", 403, "403 on GET /api/v2/users/u-1: a scope is missing.")
    assert terminal.not_asked(told) == told.sentence
