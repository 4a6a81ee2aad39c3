"""What the search itself adds to a diagnosis: calls passed over, pages not read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.cxone.errors import CXoneError
from bot.diagnosis.handover import Conversation, Diagnosis, Finding, OtherCall
from bot.diagnosis.outcomes import FINDINGS, TABLE, Code, Outcome


def with_findings(diagnosis: Diagnosis, more: Sequence[Finding]) -> Diagnosis:
    """The same judgement with further findings behind its own."""
    return replace(diagnosis, findings=(*diagnosis.findings, *more)) if more else diagnosis


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


def missing_pages(failed: Sequence[CXoneError], pages: int) -> list[Finding]:
    """Pages of the list that could not be read: a newer call of the number may stand there."""
    if not failed:
        return []
    what = "1 part" if len(failed) == 1 else f"{len(failed)} parts"
    return [
        Finding(
            code=Code.NOT_CHECKED,
            status=FINDINGS[Code.NOT_CHECKED],
            message=f"{what} of the list of calls could not be read, {pages} pages could: a newer call of this number "
            f"may be missing. {failed[0]}",
            evidence={"call": failed[0].call, "status": failed[0].status},
        )
    ]


def failed_at(diagnosis: Diagnosis, others: Iterable[OtherCall], since: datetime) -> tuple[datetime, ...]:
    """When the number's failed calls began, oldest first."""
    calls = [(diagnosis.started_at, diagnosis.outcome), *((call.started_at, call.outcome) for call in others)]
    return tuple(sorted(at for at, outcome in calls if at is not None and at >= since and _failed(outcome)))


def _failed(outcome: Outcome | None) -> bool:
    return outcome is not None and TABLE[outcome].alerts is not None
