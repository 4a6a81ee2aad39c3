"""A diagnosis in the terminal, drawn for people.

What others wrote reaches the terminal as plain `Text` without control characters: neither rich's markup nor an
escape sequence in a queue's name does anything. Callers are masked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.diagnosis.handover import Diagnosis, Finding, Report, Target, TargetStatus
from bot.diagnosis.outcomes import TABLE, Code, Outcome, Status
from bot.report_json import clean, identifier, iso

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bot.cxone.errors import CXoneError
    from bot.cxone.investigate import Progress

MOST_MOMENTS = 40
MOST_OTHERS = 10
NO_TIME = timedelta(0)
WORTH_SAYING = timedelta(seconds=0.1)

_BAD = "red"
_GOOD = "green"
_UNSURE = "yellow"
_STYLE = {Status.ERROR: _BAD, Status.WARNING: _UNSURE, Status.INFO: "dim"}


def console() -> Console:
    """The terminal that stdout is; its width and colours are rich's to find out."""
    from rich.console import Console  # noqa: PLC0415 - the bot itself never draws, and rich is not small

    return Console(highlight=False, emoji=False, markup=False)


@contextmanager
def progress() -> Iterator[Callable[[Progress], None] | None]:
    """While a search lasts: how far it is, on stderr, and only where a person looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - as above

    with Console(stderr=True, highlight=False).status("Asking CXone") as status:

        def show(now: Progress) -> None:
            of = f" of {now.of:,}" if now.of else ""
            status.update(_plain(f"Read {now.calls:,} calls on {now.pages:,}{of} pages"))

        yield show


def draw(report: Report, console: Console) -> None:
    """The story from its first line down: what, why, next step, timeline, findings, target, what was not checked."""
    from rich.padding import Padding  # noqa: PLC0415 - as above

    diagnosis = report.diagnosis
    console.print(_headline(diagnosis))
    console.print(_plain(clean(diagnosis.summary)))
    if diagnosis.context:
        console.print(_plain(clean(diagnosis.context)))
    console.print(_plain(_facts(report), "dim"))
    if diagnosis.next_step:
        console.print()
        console.print(_labelled("Next step", clean(diagnosis.next_step), "bold"))
    if diagnosis.alternatives:
        console.print(_labelled("Or else", clean("; ".join(diagnosis.alternatives))))
    if diagnosis.timeline:
        console.print()
        console.print(Padding(_timeline(diagnosis), (0, 0, 0, 1)))
    findings = [each for each in diagnosis.findings if each.code is not Code.NOT_CHECKED]
    if findings:
        console.print()
        console.print(_findings(diagnosis, findings))
    _draw_around(report, console)


def _draw_around(report: Report, console: Console) -> None:
    """What is not the story itself: the target now, what was not looked at, the number's other calls."""
    lines: list[Text] = []
    diagnosis = report.diagnosis
    if diagnosis.target:
        when = "now" if diagnosis.target.read_at else "as saved"
        lines.append(_labelled(f"{_name(diagnosis.target)}, {when}", target_state(diagnosis.target)))
    lines += [
        _labelled("Not checked", clean(finding.message))
        for finding in diagnosis.findings
        if finding.code is Code.NOT_CHECKED
    ]
    if report.others:
        shown = [
            f"{_moment(other.started_at)} {other.conversation_id}" + (f" ({other.outcome})" if other.outcome else "")
            for other in report.others[:MOST_OTHERS]
        ]
        left = len(report.others) - len(shown)
        lines.append(_labelled("Other calls", " · ".join(shown) + (f" · and {left} more" if left else "")))
    if report.searched and not report.searched.complete:
        lines.append(_labelled("Not complete", "the search ended before all pages were read; a newer call may exist."))
    if lines:
        console.print()
        for line in lines:
            console.print(line)
    if report.requests:
        console.print(_plain(f"{report.requests} requests in {report.seconds:.2f} s", "dim"))


def _headline(diagnosis: Diagnosis) -> Text:
    row = TABLE[diagnosis.outcome]
    if diagnosis.outcome is Outcome.ACCEPTED:
        mark, style = "✓", _GOOD
    elif row.alerts or row.on_request:
        mark, style = "✗", _BAD
    else:
        mark, style = "•", _UNSURE
    return _plain(f"{mark} {clean(diagnosis.headline)}", f"bold {style}")


def _facts(report: Report) -> str:
    """One line of what stands around the story: whose call, when, how long, which id, and how sure."""
    diagnosis = report.diagnosis
    sure = f"{diagnosis.outcome.value}, {diagnosis.confidence.value}"
    if diagnosis.fault.value != "none":
        sure += f", fault: {diagnosis.fault.value}"
    facts = [
        diagnosis.phone,
        _moment(diagnosis.started_at),
        _span(diagnosis.ended_at - diagnosis.started_at) if diagnosis.started_at and diagnosis.ended_at else "",
        f"conversation {diagnosis.conversation_id}" if diagnosis.conversation_id else "",
        sure,
    ]
    return "  ·  ".join(fact for fact in facts if fact)


def _timeline(diagnosis: Diagnosis) -> Any:
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, justify="right", style="dim")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    before: datetime | None = None
    for moment in diagnosis.timeline[:MOST_MOMENTS]:
        gap = moment.timestamp - before if moment.timestamp and before else NO_TIME
        when = moment.timestamp.astimezone().strftime("%H:%M:%S") if moment.timestamp else "no time"
        table.add_row(
            _plain(when),
            _plain(f"+ {_span(gap)}" if gap >= WORTH_SAYING else ""),
            _plain(clean(moment.who)),
            _plain(clean(moment.what)),
        )
        before = moment.timestamp or before
    left = len(diagnosis.timeline) - MOST_MOMENTS
    if left > 0:
        table.add_row("", "", _plain(f"and {left} more"), "")
    return table


def _findings(diagnosis: Diagnosis, findings: list[Finding]) -> Any:
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        said = _plain(clean(finding.message))
        said.append_text(_plain(f"  {finding.code.value}", "dim"))
        table.add_row(_plain(finding.status.value, _STYLE[finding.status]), said)
        if finding.fix and finding.fix != diagnosis.next_step:
            table.add_row("", _plain(clean(finding.fix), "dim"))
    return table


def target_state(target: Target) -> str:
    """What is known of a target, as people say it."""
    if target.status is TargetStatus.NOT_CHECKED:
        return clean(target.why_not_checked) or "not checked"
    facts = [
        "does not exist" if target.missing else "",
        clean(target.state),
        "switched off" if target.is_active is False else "",
        f"{target.logged_in} logged in" if target.logged_in is not None else "",
        f"{target.available} available" if target.available is not None else "",
        f"{target.waiting} waiting" if target.waiting is not None else "",
        f"longest {_span(target.longest_wait)}" if target.longest_wait else "",
        "" if target.listens is None else ("listens" if target.listens else "does not listen") + " for sessionTransfer",
        f"version {clean(target.version)}" if target.version else "",
    ]
    if target.status is TargetStatus.ERROR and not any(facts):
        return "not usable"
    return (
        " · ".join(fact for fact in facts if fact)
        or ("switched on" if target.is_active else "exists") + ", no more is told"
    )


def not_asked(error: CXoneError) -> str:
    """Which call failed, how, and what to check. No secret is in it: the error was made without any."""
    sentence = clean(error.sentence)
    status = f" ({error.status})" if error.status and str(error.status) not in sentence else ""
    return sentence + status if error.call in sentence else f"{error.call}{status}: {sentence}"


def _name(target: Target) -> str:
    return clean(target.name) or target.id or "Target"


def _labelled(label: str, text: str, style: str = "") -> Text:
    line = _plain(f"{label}  ", "bold")
    line.append_text(_plain(text, style))
    return line


def _plain(text: str, style: str = "") -> Text:
    """Text that rich prints as it is: no markup, no emoji codes, no highlighting."""
    from rich.text import Text  # noqa: PLC0415 - as above

    return Text(identifier(text), style=style)


def _moment(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if at else "no time"


def _span(length: timedelta) -> str:
    seconds = length.total_seconds()
    if abs(seconds) < 10:  # noqa: PLR2004 - tenths matter there
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 - an hour
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def audit_line(row: Mapping[str, Any]) -> str:
    """One row of the audit for people."""
    return "  ".join(iso(value) or "" if isinstance(value, datetime) else clean(str(value)) for value in row.values())
