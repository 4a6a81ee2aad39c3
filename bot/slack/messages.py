"""A diagnosis as a Slack message. Pure: a `Report` and the time in, blocks with their text out.

The first line alone must be enough on a phone. Everything that others wrote goes through `redact.foreign` and into
elements that Slack does not parse; every part has its own limit, so that the whole stays below `blocks.LONGEST_BLOCKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot import phone
from bot.diagnosis.handover import Diagnosis, Finding, OtherCall, Report, Target, TargetKind, TargetStatus
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome, Status
from bot.redact import foreign, whole_id
from bot.slack import blocks as b
from bot.slack import messages_timeline
from bot.slack.spans import said

RUN_AGAIN, RAW_EVENTS, TIMELINE, OTHER_CALL, SHARE = "run_again", "raw_events", "timeline", "other_call", "share"

ICONS: dict[Outcome, str] = {
    Outcome.ACCEPTED: "🟢",
    Outcome.WAITING: "🟡",
    Outcome.PENDING: "🟡",
    Outcome.UNANSWERED: "🔴",
    Outcome.REJECTED: "🔴",
    Outcome.FORBIDDEN: "🔴",
    Outcome.INVALID_TARGET: "🔴",
    Outcome.MALFORMED: "🔴",
    Outcome.IGNORED: "🔴",
    Outcome.ABANDONED: "🟠",
    Outcome.NOT_ATTEMPTED: "⚪",
    Outcome.UNKNOWN: "⚪",
}
WORDS: dict[Outcome, str] = {
    Outcome.ACCEPTED: "Accepted",
    Outcome.WAITING: "Still waiting",
    Outcome.PENDING: "Just asked for",
    Outcome.UNANSWERED: "Not answered",
    Outcome.REJECTED: "Refused",
    Outcome.FORBIDDEN: "Refused for lack of permission",
    Outcome.INVALID_TARGET: "The target cannot take it",
    Outcome.MALFORMED: "The request was incomplete",
    Outcome.IGNORED: "Nothing happened",
    Outcome.ABANDONED: "The caller hung up first",
    Outcome.NOT_ATTEMPTED: "Never asked for",
    Outcome.UNKNOWN: "The record does not tell",
}
SIDES: dict[Fault, str] = {
    Fault.NONE: "",
    Fault.TARGET: "the target's side",
    Fault.PLATFORM: "CXone itself",
    Fault.CONNECTOR: "the Cognigy connector in CXone",
    Fault.BOT: "the bot's flow in Cognigy",
    Fault.FLOW: "the Studio flow",
    Fault.CALLER: "the caller",
    Fault.UNKNOWN: "not known",
}
_SURE = {Confidence.CERTAIN: "certain", Confidence.LIKELY: "likely", Confidence.POSSIBLE: "one of several causes"}
# What the summary says already, if it is about the attempt that decided.
_SAID_ABOVE = {Code.TRANSFER_REJECTED, Code.TRANSFER_FORBIDDEN, Code.TRANSFER_IGNORED, Code.TARGET_NOT_FOUND}
KINDS: Mapping[TargetKind | None, str] = {TargetKind.USER: "agent", TargetKind.QUEUE: "queue", TargetKind.FLOW: "flow"}
_DAY = timedelta(days=1)
_MOST_OTHERS, _MOST_ALSO, _MOST_UNCHECKED, _MOST_EVIDENCE, _MOST_FAILED = 15, 4, 3, 3, 6


def diagnosis(report: Report, *, asked_by: str, now: datetime, shareable: bool = False) -> b.Message:
    """The answer to a look-up. `asked_by` is a Slack user id; `shareable` adds the button that posts it to all."""
    found = report.diagnosis
    timeline = messages_timeline.shown(found)
    made = [
        b.header(f"{ICONS[found.outcome]}  {foreign(found.headline, 140)}"),
        b.line(*b.marked(foreign(found.summary, 600), _near(found))),
        _blame(found),
        _calls_today(report),
        _facts(found, now),
        _bot(found),
        _next_step(found),
        messages_timeline.table(found, timeline),
        *_also(found),
        target_now(found.target) if found.target else None,
        *_not_checked(found),
        _evidence(found),
        _buttons(report, now, whole=not timeline.complete, shareable=shareable),
        _footer(report, asked_by),
    ]
    return b.message([block for block in made if block])


def target_now(target: Target) -> b.Block:
    """The state of a target as it is now, with the time of reading."""
    name = foreign(target.name, 80) or foreign(target.id, 80)
    parts: list[b.Part] = [b.bold(f"{name}, now"), "   ", "; ".join(_state(target))]
    if target.read_at:
        parts += ["  at ", b.when(target.read_at)]
    if target.name and target.id:
        parts += [b.GAP, b.code(foreign(target.id, 80))]
    return b.line(*parts)


# ---- the parts ----------------------------------------------------------------------------------------------------


def _blame(found: Diagnosis) -> b.Block | None:
    """Whose side it is, how sure that is, and what else it could be."""
    side = SIDES[found.fault]
    could_be = ", ".join(foreign(other, 120) for other in found.alternatives[:3])
    if not side and not could_be and found.confidence is Confidence.CERTAIN:
        return None
    sure = "" if found.outcome is Outcome.UNKNOWN else _SURE[found.confidence]
    said = [side, sure, f"it could also be: {could_be}" if could_be else ""]
    words = b.GAP.join(part for part in said if part)
    return b.line(b.bold("At fault" if side else "Certainty"), f"   {words}") if words else None


def _evidence(found: Diagnosis) -> b.Block:
    """The fields that the cause rests on, and the outcome's own word."""
    cause = next((finding for finding in found.findings if finding.code == found.cause and finding.evidence), None)
    if cause is None:
        return b.line(b.bold("Outcome"), "   ", b.code(found.outcome.value))
    made: list[b.Part] = [b.bold("Evidence"), "   "]
    for number, (path, value) in enumerate(list(cause.evidence.items())[:_MOST_EVIDENCE]):
        made += [", " if number else None, b.code(foreign(path, 80)), f" {_value(path, value)}"]
    return b.line(*made, f"{b.GAP}outcome ", b.code(found.outcome.value))


def _value(path: str, value: object) -> str:
    if str(path).rpartition(".")[2] in ("identity", "ani", "dnis", "dialled"):
        return phone.mask(str(value or "")) or "withheld"
    if value is None or value == "":
        return "is missing"
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return f"({len(value)} entries)"
    return foreign(value, 80)


def _calls_today(report: Report) -> b.Block | None:
    parts: list[b.Part] = []
    if report.calls_today > 1:
        failed = report.failed_today
        of = f" of the {report.calls_today - report.unread_today} looked at" if report.unread_today else ""
        parts.append(f"{report.calls_today} calls today, {len(failed) or 'none'}{of} failed")
        for number, moment in enumerate(sorted(failed)[-_MOST_FAILED:]):
            parts += [", " if number else ": ", b.when(moment, "{time}")]
    if report.diagnosis.context:
        parts += [b.GAP if parts else None, *b.marked(foreign(report.diagnosis.context, 300), _near(report.diagnosis))]
    return b.line(*parts) if parts else None


def _facts(found: Diagnosis, now: datetime) -> b.Block:
    parts: list[b.Part] = [foreign(found.phone, 40) or "number withheld"]
    start, end = found.started_at, found.ended_at
    if start:
        recent = abs(now - start) < _DAY
        parts += [b.GAP, b.when(start, "{time_secs}" if recent else "{date_short} {time_secs}")]
        parts += [" to ", b.when(end)] if end else [", not ended"]
        parts += [b.GAP, said(end - start)] if end and end >= start else []
    return b.line(*parts, f"{b.GAP}conversation ", b.code(whole_id(found.conversation_id) or "without an id"))


def _bot(found: Diagnosis) -> b.Block | None:
    name, dialled = foreign(found.bot_name, 80), foreign(found.dialled, 40)
    if not name and not dialled:
        return None
    return b.line(
        f"Bot {name}" if name else None, b.GAP if name and dialled else None, f"dialled {dialled}" if dialled else None
    )


def _next_step(found: Diagnosis) -> b.Block | None:
    if not found.next_step:
        return None
    return b.line(b.bold("Next step"), "   ", *b.marked(foreign(found.next_step, 600), _near(found)))


def _also(found: Diagnosis) -> list[b.Block]:
    """Warnings and errors besides the cause; what is not said here is counted."""
    others = [finding for finding in found.findings if _worth_saying(finding, found)]
    if not others:
        return []
    rows: list[list[b.Part]] = [
        b.marked(" ".join((foreign(finding.message, 180), foreign(finding.fix, 180))), _near(found))
        for finding in others[:_MOST_ALSO]
    ]
    if len(others) > _MOST_ALSO:
        rows.append([f"{len(others) - _MOST_ALSO} more, which ", b.code("handover-bot diagnose"), " lists"])
    return [b.line(b.bold("Also")), b.bullets(rows)]


def _worth_saying(finding: Finding, found: Diagnosis) -> bool:
    if finding.code in (found.cause, Code.NOT_CHECKED):
        return False
    if found.decided_by and finding.code in _SAID_ABOVE and finding.attempt == found.decided_by.number:
        return False
    return finding.status is not Status.INFO or finding.code is Code.OUTBOUND_CALL


def _not_checked(found: Diagnosis) -> list[b.Block]:
    reasons = [foreign(finding.message, 200) for finding in found.findings if finding.code is Code.NOT_CHECKED]
    target = found.target
    if target and target.status is TargetStatus.NOT_CHECKED and target.why_not_checked and not reasons:
        reasons = [foreign(target.why_not_checked, 200)]
    if not reasons:
        return []
    more = f" And {len(reasons) - _MOST_UNCHECKED} more." if len(reasons) > _MOST_UNCHECKED else ""
    return [b.line(b.bold("Not checked"), "   ", " ".join(reasons[:_MOST_UNCHECKED]) + more)]


def _near(found: Diagnosis) -> datetime | None:
    """The time that the sentences speak of."""
    return found.decided_by.timestamp if found.decided_by else found.started_at


def _state(target: Target) -> list[str]:
    """What the platform says of a target, in words; never empty."""
    if target.status is TargetStatus.NOT_CHECKED:
        return ["not checked"]
    if target.missing:
        return [f"does not exist: CXone knows no {KINDS.get(target.kind, 'agent, queue or flow')} with this id"]
    parts = ["retired or switched off" if target.is_active is False else ""]
    parts += [foreign(target.state, 60), _availability(target), _crowd(target), _flow(target)]
    if target.status is TargetStatus.ERROR and target.is_active is not False:
        parts.append("cannot take calls")
    kind = [KINDS[target.kind]] if target.kind else []
    silent = f"{'switched on' if target.is_active else 'exists'}, no more is told"
    return [*kind, *([part for part in parts if part] or [silent])]


def _availability(target: Target) -> str:
    if target.is_available is None or target.available is not None or target.kind is TargetKind.FLOW:
        return ""
    if target.is_available:
        return "" if target.state else "available"
    return "not available"


def _crowd(target: Target) -> str:
    counts = [(target.logged_in, "logged in"), (target.available, "available"), (target.waiting, "waiting")]
    crowd = " · ".join(f"{count} {what}" for count, what in counts if count is not None)
    return f"{crowd}, longest {said(target.longest_wait)}" if crowd and target.longest_wait else crowd


def _flow(target: Target) -> str:
    parts = []
    if target.listens is not None:
        parts.append("listens for sessionTransfer" if target.listens else "does not listen for sessionTransfer")
    if target.version:
        parts.append(f"version {foreign(target.version, 30)}")
    if target.published_at:
        parts.append(f"published {target.published_at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)


def _buttons(report: Report, now: datetime, *, whole: bool, shareable: bool) -> b.Block | None:
    """Run again, Raw events, the timeline if it was cut, the other calls. Values are ids of conversations only."""
    value = report.diagnosis.conversation_id
    if not value or len(value) > 2_000:  # noqa: PLR2004 - Slack's limit of a button's value
        return None
    others = [(other_call(other, now), other.conversation_id) for other in report.others if other.conversation_id]
    others = [(label, other) for label, other in others if len(other) <= 150]  # noqa: PLR2004 - of an option's value
    return b.actions(
        b.button("Post to the channel", SHARE, value, "primary") if shareable else None,
        b.button("Run again", RUN_AGAIN, value),
        b.button("Raw events", RAW_EVENTS, value),
        b.button("Whole timeline", TIMELINE, value) if whole else None,
        b.menu("Other calls of this number", OTHER_CALL, others[:_MOST_OTHERS]) if others else None,
    )


def other_call(other: OtherCall, now: datetime) -> str:
    """One line of the menu: "14:20 UTC · refused", with the day where it was another."""
    start = other.started_at
    if start is None:
        time = "time unknown"
    else:
        time = f"{start:%H:%M} UTC" if start.date() == now.date() else f"{start:%d %b %H:%M} UTC"
    outcome = WORDS[other.outcome].lower() if other.outcome else "not looked at"
    return " · ".join([time, *(["outbound"] if other.outbound else []), outcome])


def _footer(report: Report, asked_by: str) -> b.Block:
    asked = "request" if report.requests == 1 else "requests"
    return b.context(
        "Asked for by " if asked_by else None,
        b.person(asked_by) if asked_by else None,
        f"{b.GAP if asked_by else ''}{report.requests} {asked} to CXone in {report.seconds:.1f} s",
    )
