"""What people are told who ask for the latest failures, or why an alert is or is not told. Pure; only they read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.alerts import filter_words
from bot.alerts.explain import Explained, Heard
from bot.alerts.filters import Filters
from bot.redact import foreign, whole_id
from bot.slack import blocks as b
from bot.slack import messages
from bot.slack.alert_answers import canonical
from bot.slack.messages_answers import said_plainly

_DAY_TIME = "{date_short_pretty} {time}"
_MOST = 15


# ---- recent -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """One handover, as `recent` shows it."""

    conversation_id: str
    at: datetime
    outcome: str
    phone: str  # masked, or why there is none
    target: str = ""
    reason: str = ""


def recent(
    rows: Sequence[Recent], *, wish: Filters, asked: int, failed: int, hours: int, zone: tzinfo, watching: bool
) -> b.Message:
    """The latest failed handovers, each a choice to diagnose. `asked` and `failed` count all of the window."""
    span = f"the last {hours} h"
    if not watching:
        return said_plainly("I have not read any call yet. Please try again in a minute.")
    share = f"{failed:,} of {asked:,} handovers failed in {span}."
    asked_for = str(wish)
    if not rows:
        said = "No failed handover" + (" that matches " if asked_for else "")
        return b.message(
            [b.line(b.bold(said), b.code(foreign(asked_for, 200)) if asked_for else None, f" in {span}. {share}")]
        )
    shown = rows[:_MOST]
    made = [b.line(b.bold("Failed handovers"), f"{b.GAP}{share}", " The latest:")]
    if wish.failures is not None or wish.rate is not None:
        made.append(
            b.line(b.code("min="), " and ", b.code("rate="), " are for subscriptions; here they change nothing.")
        )
    made.append(b.bullets([_recent(row) for row in shown]))
    options = [(_label(row, zone), whole_id(row.conversation_id)) for row in shown]
    made.append(b.actions(b.menu("Diagnose one", messages.OTHER_CALL, options)))
    return b.message(made)


def _recent(row: Recent) -> list[b.Part]:
    return [
        b.when(row.at, "{date_short_pretty} {time_secs}"),
        f"  {row.phone}{b.GAP}",
        f"{foreign(row.target, 60)}{b.GAP}" if row.target else None,
        b.code(row.outcome),
        f" {foreign(row.reason, 40)}" if row.reason else None,
        b.GAP,
        b.code(whole_id(row.conversation_id)),
    ]


def _label(row: Recent, zone: tzinfo) -> str:
    """A menu cannot hold Slack's date element, so the time is told in the asker's zone."""
    at = row.at.astimezone(zone)
    return f"{at:%H:%M:%S}  {row.phone}  {foreign(row.target, 30)}  {row.outcome}"


# ---- why ----------------------------------------------------------------------------------------------------------


def unknown_alert(said: str) -> b.Message:
    """No such alert."""
    return b.message(
        [
            b.line("I know no alert ", b.code(foreign(said, 80)), "."),
            b.line("Its number stands below its message; the id of one of its conversations does as well."),
        ]
    )


def why(found: Explained) -> b.Message:
    """What an alert rests on."""
    made = [
        b.line(b.bold(f"Alert {found.id}"), f"{b.GAP}{foreign(found.headline, 150)}"),
        b.line(b.bold("State"), "   ", found.state, f"{b.GAP}{found.failed} failed", *_span(found)),
        b.line(b.bold("Group"), "   ", b.code(foreign(found.key, 200)), "   ", found.rule),
    ]
    if not found.heard:
        made.append(b.line(b.bold("Subscriptions"), "   this channel has none."))
    else:
        made.append(b.line(b.bold("Subscriptions of this channel")))
        made.append(b.bullets([_heard(each) for each in found.heard]))
    if found.muted_until is not None:
        made.append(b.line(b.bold("Muted"), " until ", b.when(found.muted_until, _DAY_TIME)))
    made.append(b.line(b.bold("So"), "   ", found.reason.value))
    return b.message(made)


def _span(found: Explained) -> list[b.Part]:
    if found.first_at is None or found.last_at is None:
        return []
    parts: list[b.Part] = [" from ", b.when(found.first_at, _DAY_TIME)]
    parts += [" to ", b.when(found.last_at, "{time}")]
    return [*parts, ", over at ", b.when(found.ended_at, "{time}")] if found.ended_at is not None else parts


def _heard(each: Heard) -> list[b.Part]:
    said: list[b.Part] = [b.code(canonical(each.wish)), "  "]
    if not each.matches:
        return [*said, "does not match"]
    when_on = filter_words.from_when_on(each.threshold)
    share = f" of {each.attempts} attempts" if each.attempts > each.failures else ""
    counted = f"{each.failures}{share} in {'' if each.over else 'the '}{each.threshold.minutes} min"
    state = ", " if each.over else " before the latest, "
    return [*said, f"{when_on}: {counted}{state}", b.bold("reached" if each.over else "not reached")]
