"""A diagnosis as one JSON object, for programs: the shape of `diagnose --json`.

What others wrote is cleaned of control characters and cut; callers are masked.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot import phone, redact
from bot.diagnosis.handover import Attempt, Finding, Report, Target

LONGEST_TEXT = 2_000


def as_json(report: Report) -> dict[str, Any]:
    """The report as one object of plain JSON values. Times are ISO 8601 in UTC with a `Z`, or null."""
    diagnosis = report.diagnosis
    shown = {
        "conversation_id": identifier(diagnosis.conversation_id),
        "started_at": iso(diagnosis.started_at),
        "ended_at": iso(diagnosis.ended_at),
        "phone": diagnosis.phone,
        "outcome": diagnosis.outcome.value,
        "reached": diagnosis.reached.value,
        "fault": diagnosis.fault.value,
        "confidence": diagnosis.confidence.value,
        "alternatives": [clean(each) for each in diagnosis.alternatives],
        "summary": clean(diagnosis.summary),
        "findings": [_finding(each) for each in diagnosis.findings],
        "attempts": [_attempt(each) for each in diagnosis.attempts],
        "target": _target(diagnosis.target),
        "timeline": [
            {"timestamp": iso(moment.timestamp), "what": clean(moment.what), "who": clean(moment.who)}
            for moment in diagnosis.timeline
        ],
        "other_conversations": [identifier(other.conversation_id) for other in report.others],
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
    }
    masked: dict[str, Any] = redact.without_callers(shown, report.document)
    return masked


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code.value,
        "status": finding.status.value,
        "message": clean(finding.message),
        "timestamp": iso(finding.timestamp),
        "evidence": {clean(path): _evidence(path, value) for path, value in finding.evidence.items()},
        "fix": clean(finding.fix),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "timestamp": iso(attempt.timestamp),
        "from": identifier(attempt.from_id),
        "to": identifier(attempt.to_id),
        "outcome": attempt.outcome.value,
        "properties": redact.properties(attempt.properties),
    }


def _target(target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    return {
        "id": identifier(target.id),
        "kind": target.kind.value if target.kind else None,
        "name": clean(target.name),
        "status": target.status.value,
        "state": clean(target.state),
        "is_available": target.is_available,
    }


def _evidence(path: str, value: object) -> object:
    """A value of the record as evidence: callers masked, foreign text cut, times as elsewhere."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return iso(value)
    if path.rpartition(".")[2] in ("identity", "dialled", "ani", "dnis"):
        return phone.mask(str(value))
    if isinstance(value, Mapping):
        return redact.properties(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_evidence(path, each) for each in value]
    return identifier(str(value)) if path.lower().endswith("id") else clean(str(value))


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with a `Z`, or null."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """Text that was partly written by others: one line, no control or direction marks, callers masked, cut."""
    return redact.foreign(text, limit)


def identifier(text: str) -> str:
    """An id, which may be all digits and is no number."""
    return redact.cut("".join(" " if char.isspace() else char for char in text if _harmless(char)), LONGEST_TEXT)


def _harmless(char: str) -> bool:
    return char.isspace() or unicodedata.category(char)[0] != "C"


def dumps(document: Mapping[str, Any]) -> str:
    """One object as people can read it too. A lone surrogate cannot be written as UTF-8 and becomes `?`."""
    encoding = (sys.stdout.encoding or "utf-8").replace("_", "-").lower()
    text = json.dumps(document, indent=2, ensure_ascii=encoding != "utf-8")
    return text.encode("utf-8", "replace").decode("utf-8")


def audit_json(row: Mapping[str, Any]) -> str:
    """One row of the audit as an object on a line."""
    return json.dumps({key: iso(value) if isinstance(value, datetime) else value for key, value in row.items()})
