"""What a handover can go to, asked for as user, queue and flow at once."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.cxone.deadline import Deadline
from bot.diagnosis.handover import Target, TargetKind, TargetRef, TargetStatus

_GRACE = 0.05  # seconds in which a call that the deadline broke off says so itself

Ask = Callable[[TargetKind, str], "concurrent.futures.Future[Target]"]


@dataclass(slots=True)
class _Asked:
    """One target: the answers by kind, and the one that counts."""

    ref: TargetRef
    said: dict[TargetKind, Target] = field(default_factory=dict)
    found: Target | None = None

    def take(self, kind: TargetKind, answer: Target) -> tuple[TargetKind, ...]:
        """Take an answer; returns the kinds that are to be asked now."""
        self.said[kind] = answer
        if not answer.missing and answer.status is not TargetStatus.NOT_CHECKED:
            self.found = answer
        elif answer.missing and kind is self.ref.kind:
            return tuple(other for other in TargetKind if other is not kind)
        return ()


def look_up(refs: Iterable[TargetRef], ask: Ask, deadline: Deadline, clock: Clock) -> dict[str, Target]:
    """What the platform says of each target, by id. `ask` answers with a Target in every case.

    Where the kind is not known, all three are asked and the first that knows the id counts; the other two are asked
    after a 404, too, where the record named the kind. Missing is what all three answered 404 to; any other failure in
    between leaves the target NOT_CHECKED with its reasons.
    """
    asked = {ref.id: _Asked(ref) for ref in refs}
    jobs = {
        ask(kind, each.ref.id): (each, kind)
        for each in asked.values()
        for kind in (TargetKind if each.ref.kind is None else (each.ref.kind,))
    }
    while jobs and not all(each.found for each in asked.values()):
        done, _ = concurrent.futures.wait(jobs, deadline.left() + _GRACE, concurrent.futures.FIRST_COMPLETED)
        if not done:
            break
        for job in done:
            each, kind = jobs.pop(job)
            for further in each.take(kind, job.result()):
                jobs[ask(further, each.ref.id)] = (each, further)
    for job in jobs:
        job.cancel()
    return {each.ref.id: each.found or _unsettled(each, deadline, clock) for each in asked.values()}


def _unsettled(asked: _Asked, deadline: Deadline, clock: Clock) -> Target:
    """What is said where no kind knew the id."""
    ref = asked.ref
    alone = ref.kind is not None and not (ref.kind in asked.said and asked.said[ref.kind].missing)
    kinds = [kind for kind in TargetKind if kind is ref.kind or not alone]  # that were asked
    open_kinds = [kind for kind in kinds if kind not in asked.said or not asked.said[kind].missing]
    if not open_kinds:
        return Target(id=ref.id, name=ref.name, status=TargetStatus.ERROR, missing=True, read_at=clock.now())
    reasons = [asked.said[kind].why_not_checked for kind in open_kinds if kind in asked.said]
    if len(reasons) < len(open_kinds):
        reasons.append(f"no answer within the {deadline.seconds:.3g} s of the look-up")
    return Target(
        id=ref.id,
        kind=ref.kind,
        name=ref.name,
        status=TargetStatus.NOT_CHECKED,
        why_not_checked="; ".join(dict.fromkeys(reasons)),
        read_at=clock.now(),
    )
