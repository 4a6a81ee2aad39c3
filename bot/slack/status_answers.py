"""How the bot is doing: the answer to `status`, and the Home tab. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.alerts.health import Health
from bot.redact import cut, foreign, one_line
from bot.slack import blocks as b
from bot.slack.alert_answers import Subscription, command_of
from bot.slack.spans import said

_MOST = 10


@dataclass(frozen=True, slots=True)
class Quota:
    """What was asked of CXone, and how fast it may be asked. Requests a second; None: no limit."""

    last_hour: int = 0
    max_rps: float | None = None  # CXONE_MAX_RPS
    in_force: float | None = None  # that, or less after a 429


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one channel still gets. `why` is not empty where Slack does not let the bot post."""

    channel: str
    count: int
    next_at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything that `status` tells."""

    health: Health
    reasons: Sequence[str] = ()  # why the bot is not ready
    now: datetime
    version: str
    poll_seconds: float = 15.0
    unread: int = 0  # conversations that are due for a look
    overdue: datetime | None = None  # since when the longest waiting of them that ended
    live: int = 0
    firing: int = 0
    subscriptions: int = 0
    waiting: Sequence[Waiting] = field(default_factory=tuple)
    slack_seconds: float | None = None  # what Slack took to answer just now
    slack_error: str = ""
    quota: Quota = field(default_factory=Quota)


def status(found: Status) -> b.Message:
    """The answer to `status`."""
    made = [
        health_line(found.reasons, behind=bool(found.health.cxone_out)),
        b.bullets([_watching(found), _alerts(found), *_backlog(found), _slack(found), _cxone(found), _promise(found)]),
        b.context(f"Handover {found.version}"),
    ]
    return b.message(made)


def health_line(reasons: Sequence[str], *, behind: bool = False) -> b.Block:
    """All well, or why not; a poll that failed is told before it makes the bot not ready."""
    if not reasons and behind:
        return b.line(b.bold("🟡  The last poll of CXone failed"))
    if not reasons:
        return b.line(b.bold("🟢  All is well"))
    return b.line(b.bold("🔴  Something is wrong"), "   ", foreign(" ".join(reasons), 600))


def _watching(found: Status) -> list[b.Part]:
    polled = found.health.polled_at
    if polled is None:
        return [b.bold("Watching"), "   no poll of CXone has succeeded yet"]
    parts: list[b.Part] = [b.bold("Watching"), "   last poll ", b.when(polled)]
    parts.append(f", every {said(timedelta(seconds=found.poll_seconds))}{b.GAP}")
    late = found.now - found.overdue if found.overdue is not None else timedelta()
    if found.unread and late > timedelta():
        calls = "1 call waits" if found.unread == 1 else f"{found.unread:,} calls wait"
        parts.append(f"{said(late)} behind: {calls} to be read")
    else:
        parts.append("nothing behind")
    return [*parts, f"{b.GAP}{found.live:,} live calls" if found.live else None]


def _alerts(found: Status) -> list[b.Part]:
    ledger = found.health.ledger.gauges()
    detected = ledger.pop("detected")
    told = " + ".join(f"{count:,} {state}" for state, count in ledger.items() if count) or "0"
    balance = f"{detected:,} owed to channels = {told}"
    if not found.health.ledger.balanced:
        balance += ", which does not balance"
    return [
        b.bold("Alerts"),
        f"   {found.firing} firing{b.GAP}{_many(found.subscriptions, 'subscription')}{b.GAP}{balance}",
    ]


def _backlog(found: Status) -> list[list[b.Part]]:
    if not found.waiting:
        return [[b.bold("To be sent"), "   nothing"]]
    rows = []
    for each in found.waiting[:_MOST]:
        row: list[b.Part] = [b.bold("To be sent"), "   ", b.channel(each.channel), f" {each.count}"]
        if each.why:
            row.append(f"{b.GAP}paused: {foreign(each.why, 120)}")
        else:
            row += [f"{b.GAP}next post ", "now" if each.next_at <= found.now else b.when(each.next_at)]
        rows.append(row)
    left = len(found.waiting) - len(rows)
    if left:
        rows.append([f"and {left} channels more"])
    return rows


def _slack(found: Status) -> list[b.Part]:
    if found.slack_seconds is not None:
        return [b.bold("Slack"), f"   answered just now in {found.slack_seconds * 1000:.0f} ms"]
    parts: list[b.Part] = [b.bold("Slack"), "   did not answer just now: "]
    parts.append(b.code(foreign(found.slack_error, 80)))
    if found.health.slack_ok_at is not None:
        parts += [", last answered ", b.when(found.health.slack_ok_at)]
    return parts


def _cxone(found: Status) -> list[b.Part]:
    quota = found.quota
    used = f"   {_many(quota.last_hour, 'request')} in the last hour"
    if quota.max_rps is not None:
        used += f", {quota.last_hour / 3600:.2g} a second of at most {quota.max_rps:g}"
        used += ", a part of which is kept for people"
    else:
        used += ", no limit set"
    if quota.in_force is not None and quota.in_force != quota.max_rps:
        used += f"; now {quota.in_force:.3g} a second, learned from a 429"
    out = f"{b.GAP}{foreign(found.health.cxone_out, 200)}" if found.health.cxone_out else None
    return [b.bold("CXone"), used, out]


def _promise(found: Status) -> list[b.Part]:
    if not found.health.history_missing:
        return [
            b.bold("Delivery"),
            "   each alert once; what Slack did not confirm is looked for before it is repeated",
        ]
    return [
        b.bold("Delivery"),
        "   each alert at least once: without ",
        b.code("channels:history"),
        " and ",
        b.code("groups:history"),
        " a post that Slack did not confirm cannot be looked for",
    ]


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


# ---- the Home tab -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """A diagnosis that somebody asked for; `subject` is masked."""

    at: datetime
    subject: str
    result: str


def home(
    reasons: Sequence[str], polled_at: datetime | None, mine: Sequence[Subscription], others: int, done: Sequence[Done]
) -> list[b.Block]:
    """Health, the person's own subscriptions, and their last diagnoses."""
    made = [health_line(reasons)]
    if polled_at is not None:
        made.append(b.line("Last poll of CXone ", b.when(polled_at, "{date_short_pretty} {time_secs}")))
    made.append(b.line(b.bold("Your subscriptions")))
    if mine:
        made.append(b.bullets([_mine(each) for each in mine[:_MOST]]))
    else:
        made.append(b.line("None. Type ", b.code("/handover subscribe"), " in a channel."))
    if others or len(mine) > _MOST:
        made.append(b.line(f"{_many(others + max(0, len(mine) - _MOST), 'subscription')} more."))
    if done:
        made.append(b.line(b.bold("Your last diagnoses")))
        made.append(b.bullets([_done(each) for each in done]))
    return made


def _done(each: Done) -> list[b.Part]:
    at = b.when(each.at, "{date_short_pretty} {time}")
    return [at, f"  {foreign(each.subject, 80)}  ", b.code(foreign(each.result, 60))]


def _mine(each: Subscription) -> list[b.Part]:
    said: list[b.Part] = [
        b.channel(each.channel),
        "  ",
        b.code(cut(one_line(command_of(each.wish)), 300)),
    ]
    return [*said, "  ", b.bold("paused")] if each.paused_at is not None else said
