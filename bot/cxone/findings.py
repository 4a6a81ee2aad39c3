"""What the search itself adds to a diagnosis: calls passed over or gone, pages not read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.cxone.errors import CXoneError
from bot.diagnosis.handover import Conversation, Diagnosis, Finding, OtherCall
from bot.diagnosis.outcomes import FINDINGS, TABLE, Code, Outcome


def with_findings(diagnosis: Diagnosis, more: Sequence[Finding]) -> Diagnosis:
    """The same judgement with further findings behind its own."""
    return diagnosis._replace(findings=(*diagnosis.findings, *more)) if more else diagnosis


def outbound_newer(chosen: Conversation, others: Iterable[Conversation]) -> list[Finding]:
    """The newest call of the number, where it went out and is newer than the one that was chosen."""
    newer = [
        call
        for call in others
        if call.outbound
        and not chosen.outbound
        and call.started_at
        and chosen.started_at
        and call.started_at > chosen.started_at
    ]
    if not newer:
        return []
    call = max(newer, key=lambda call: call.started_at or datetime.min)  # noqa: DTZ901 - all of them have a start
    return [
        Finding(
            code=Code.OUTBOUND_CALL,
            status=FINDINGS[Code.OUTBOUND_CALL],
            message=f"The newest call of this number, {call.id} at {call.started_at:%H:%M} UTC, went out. "
            "This is the newest that came in.",
            timestamp=call.started_at,
            evidence={"id": call.id, "startTime": call.started_at},
        )
    ]


def gone_before(gone: Sequence[tuple[Conversation, CXoneError]]) -> list[Finding]:
    """Calls that were meant before the one that is told: listed, but their details are not there."""
    return [
        _not_checked(
            f"The call {call.id}{_began(call)} was meant first: it is listed, but {error.status} on {error.call}. "
            "This is the next one.",
            {"id": call.id, "call": error.call, "status": error.status},
        )
        for call, error in gone
    ]


def missing_pages(
    failed: Sequence[CXoneError], pages: int, *, older: CXoneError | None = None, cut: bool = False
) -> list[Finding]:
    """What of the lists was not read: failed parts, all that is `older`, and what is more than is read of one list."""
    found = []
    if failed:
        what = "1 part" if len(failed) == 1 else f"{len(failed)} parts"
        text = (
            f"{what} of the list of calls could not be read, {pages} pages could: a newer call of this number may be "
            f"missing. {failed[0]}"
        )
        found.append(_not_checked(text, {"call": failed[0].call, "status": failed[0].status}))
    if older is not None:
        found.append(_not_checked(str(older), {"call": older.call, "status": older.status}))
    if cut:
        text = f"The list of calls is longer than the {pages} pages that were read: a newer call may be missing."
        found.append(_not_checked(text, {"pages": pages}))
    return found


def _not_checked(message: str, evidence: Mapping[str, Any]) -> Finding:
    return Finding(code=Code.NOT_CHECKED, status=FINDINGS[Code.NOT_CHECKED], message=message, evidence=evidence)


def _began(call: Conversation) -> str:
    return f", which began {call.started_at:%Y-%m-%d %H:%M} UTC," if call.started_at else ""


def failed_at(diagnosis: Diagnosis, others: Iterable[OtherCall], since: datetime) -> tuple[datetime, ...]:
    """When the number's failed calls began, oldest first."""
    calls = [(diagnosis.started_at, diagnosis.outcome), *((call.started_at, call.outcome) for call in others)]
    return tuple(sorted(at for at, outcome in calls if at is not None and at >= since and _failed(outcome)))


def _failed(outcome: Outcome | None) -> bool:
    return outcome is not None and TABLE[outcome].alerts is not None
