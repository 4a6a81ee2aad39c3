"""What the other calls say: the peers' sentence, and whether a recent change fits the failure."""

from __future__ import annotations

from datetime import timedelta

from bot.diagnosis.case import Case, Verdict
from bot.diagnosis.fixes import fix
from bot.diagnosis.handover import Finding, Peers, TargetKind
from bot.diagnosis.order import clock
from bot.diagnosis.outcomes import FINDINGS, Code, Outcome
from bot.diagnosis.parties import clean

_RECENT = timedelta(hours=1)


def sentence(peers: Peers | None, name: str) -> str:
    """How other handovers to the same target went: "12 of 40 to Billing failed, other targets fine, …"."""
    if peers is None or not peers.attempts:
        return ""
    length = "hour" if peers.minutes == 60 else f"{peers.minutes} min"  # noqa: PLR2004 - an hour
    span = f"the last {length}" if peers.until is None else f"the {length} until {clock(peers.until)}"
    parts = [f"{peers.failed} of {peers.attempts} to {name} failed in {span}"]
    elsewhere, failed = peers.tenant_attempts - peers.attempts, peers.tenant_failed - peers.failed
    if elsewhere > 0:
        parts.append(f"{failed} of {elsewhere} to other targets failed" if failed > 0 else "other targets fine")
    if peers.last_accepted is not None:
        parts.append(f"last accepted {clock(peers.last_accepted)}")
    return ", ".join(parts)


def recent_change(case: Case, verdict: Verdict, peers: Peers | None) -> Finding | None:
    """A flow that was published between the last success and the first failure, or within the hour before."""
    target = case.target
    at = case.request.at
    if target is None or at is None or verdict.outcome not in (Outcome.IGNORED, Outcome.REJECTED):
        return None
    published, before = target.published_at, peers.last_accepted if peers is not None else None
    which = f"Version {clean(target.version, 20)} of {case.name}" if target.version else case.name
    if published is None:
        if (
            peers is None
            or not peers.version_before
            or peers.version_before in ("", target.version)
            or not target.version
        ):
            return None
        told = f"{case.name} has changed from version {clean(peers.version_before, 20)} to {clean(target.version, 20)}"
    elif published > at:
        told = (
            f"{which} was published {clock(published)}, after this failure: what ran then may have been another version"
        )
    elif (before is not None and before > published) or (before is None and at - published > _RECENT):
        return None
    else:
        told = f"{which} was published {clock(published)}"
    if before is not None:
        told += f", last accepted {clock(before)}"
    if peers is not None and peers.first_failed is not None and before is not None and published is not None:
        told += f", first failed {clock(peers.first_failed)}"
        if before < published <= peers.first_failed:
            told += ": likely the deploy"
    code = Code.RECENT_CHANGE
    kind = target.kind or TargetKind.FLOW
    evidence = {
        f"{kind}.version": target.version,
        f"{kind}.publishedDate": published.isoformat() if published else None,
    }
    return Finding(
        code=code,
        status=FINDINGS[code],
        message=f"{told}.",
        timestamp=published or at,
        evidence=evidence,
        fix=fix(code, case),
        attempt=case.request.number,
    )
