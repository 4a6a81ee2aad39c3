"""What people are told who subscribe, mute or acknowledge. Pure; only the asker reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.alerts import filter_words
from bot.alerts.filters import Filters
from bot.alerts.probe import Arrival, Tried
from bot.redact import cut, foreign, one_line
from bot.slack import blocks as b
from bot.slack.messages_answers import said_plainly

END_SUBSCRIPTION = "end_subscription"
INVITE = "Invite me with /invite @Handover, then type the same again."
_CLOSED = {
    "not_in_channel": INVITE,
    "channel_not_found": INVITE,
    "is_archived": "The channel is archived.",
    "restricted_action": "Only some people may post here; who looks after the channel can allow me to.",
    "restricted_action_read_only_channel": "Nobody may post here but those whom the channel's settings name.",
    "missing_scope": "The Slack app lacks a scope; `handover-bot check` names it.",
}
_DAY_TIME = "{date_short_pretty} {time}"


# ---- subscriptions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription, as `list` shows it."""

    id: int
    channel: str
    wish: Filters
    author: str = ""
    created_at: datetime | None = None
    paused_at: datetime | None = None
    paused_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted:
    """One mute, as `list` shows it."""

    what: str  # in words
    until: datetime
    author: str = ""
    why: str = ""


def command_of(wish: Filters) -> str:
    """What one types for it: its canonical form."""
    return f"/handover subscribe {wish}".strip()


def subscribed(wish: Filters, tried: Tried, *, new: bool, others: int) -> b.Message:
    """Exactly what was subscribed, and what became of the test message."""
    first = "This channel is subscribed" if new else "This channel was subscribed to this already"
    made = [b.line(b.bold(first), ": ", _words(wish), ".")]
    made.append(b.bullets([[said[:1].upper() + said[1:]] for said in filter_words.thresholds(wish)]))
    made.append(b.line("As typed: ", b.code(canonical(wish))))
    if others:
        many = "another subscription" if others == 1 else f"{others} other subscriptions"
        made.append(b.line(f"The channel has {many}; a failure that several of them match comes once."))
    made.append(b.line(*_test_words(tried)))
    return b.message(made)


def cannot_post(tried: Tried, *, nothing: str = "Nothing is subscribed.") -> b.Message:
    """The channel does not take the bot's messages."""
    code = foreign(tried.code, 60)
    return b.message(
        [
            b.line(b.bold("I cannot post in this channel"), " (Slack answers ", b.code(code), "). ", nothing),
            b.line(*b.marked(_CLOSED.get(tried.code, INVITE))),
        ]
    )


def tested(tried: Tried) -> b.Message:
    """The answer to `test`."""
    return b.message([b.line(*_test_words(tried))])


def _test_words(tried: Tried) -> list[b.Part]:
    code = b.code(foreign(tried.code, 80)) if tried.code else None
    match tried.arrival:
        case Arrival.SENT:
            return ["A test alert is in the channel: it went the way of real ones."]
        case Arrival.STOPPED:
            return [b.bold("Slack refuses the bot"), ": ", code, ". Alerts wait until that is mended."]
        case Arrival.DEAD:
            return [b.bold("The test alert could not be delivered"), ": ", code]
        case _:
            why = [": ", code] if code else [""]
            return ["The test alert has not arrived yet", *why, ". It is tried again; what Slack takes comes once."]


def unsubscribed(ended: int, left: int) -> b.Message:
    """How many subscriptions ended."""
    if not ended:
        return b.message(
            [b.line("There was nothing to end: no such subscription here. ", b.code("/handover list"), " shows them.")]
        )
    many = "The subscription of this channel has" if ended == 1 else f"{ended} subscriptions of this channel have"
    rest = f" {left} {'stays' if left == 1 else 'stay'}." if left else " No alert comes here any more."
    return said_plainly(f"{many} ended.{rest} What is on its way still arrives.")


def listed(here: Sequence[Subscription], mutes: Sequence[Muted], elsewhere: int) -> b.Message:
    """The subscriptions and mutes of a channel."""
    made: list[b.Block] = []
    if not here:
        example = "/handover subscribe outcome=rejected min=5/10m"
        made.append(b.line("This channel has no subscription. For one, type ", b.code(example), "."))
    else:
        made.append(b.line(b.bold("Subscriptions of this channel")))
        made.append(b.bullets([_subscription(each) for each in here]))
    if mutes:
        made.append(b.line(b.bold("Muted")))
        made.append(b.bullets([_muted(each) for each in mutes]))
    if elsewhere:
        made.append(b.line(f"{elsewhere} more in other channels." if here else f"{elsewhere} in other channels."))
    if here:
        options = [(canonical(each.wish).removeprefix("/handover "), str(each.id)) for each in here]
        made.append(b.actions(b.menu("End one", END_SUBSCRIPTION, options)))
    return b.message(made)


def _subscription(each: Subscription) -> list[b.Part]:
    parts: list[b.Part] = [b.code(canonical(each.wish)), "  ", _words(each.wish)]
    if each.author:
        parts += [b.GAP, "by ", b.person(each.author)]
    if each.created_at is not None:
        parts += ["" if each.author else b.GAP, " since ", b.when(each.created_at, "{date_short}")]
    if each.paused_at is not None:
        parts += [b.GAP, b.bold("paused"), " since ", b.when(each.paused_at, _DAY_TIME)]
        parts += [": Slack answers ", b.code(foreign(each.paused_why, 60))]
        parts += ["; invite me, or subscribe again, and they go on"]
    return parts


def _muted(each: Muted) -> list[b.Part]:
    parts: list[b.Part] = [foreign(each.what, 90), " until ", b.when(each.until, _DAY_TIME)]
    if each.author:
        parts += [", by ", b.person(each.author)]
    return [*parts, f": {foreign(each.why, 200)}" if each.why else None]


def _words(wish: Filters) -> str:
    return foreign(filter_words.in_words(wish), 400)


def canonical(wish: Filters) -> str:
    """Not masked: it is to be typed again, and an id may be all digits."""
    return cut(one_line(command_of(wish)), 400)


# ---- mutes and acknowledgements -----------------------------------------------------------------------------------


def muted(what: str, until: datetime, *, unknown_target: bool = False) -> b.Message:
    """The answer to who muted; the channel is told as well."""
    made = [b.line(b.bold("Muted"), f"   {foreign(what, 120)} until ", b.when(until, _DAY_TIME), ".")]
    made.append(b.line("Failures are still counted; messages that are there still get their ending."))
    if unknown_target:
        made.append(b.line("No handover to a target of that name was seen so far: is it spelled as CXone has it?"))
    return b.message(made)


def unmuted(ended: int) -> b.Message:
    """The answer to who unmuted."""
    if not ended:
        return b.message([b.line("Nothing of that is muted here. ", b.code("/handover list"), " shows what is.")])
    return said_plainly("The mute has ended." if ended == 1 else f"{ended} mutes have ended.")


def acknowledged() -> b.Message:
    """The answer to who acknowledged; the message names them."""
    return said_plainly("Acknowledged. The message will say so in a moment.")


def acknowledged_before(who: str, at: datetime | None) -> b.Message:
    """Somebody was first."""
    parts: list[b.Part] = [b.person(who), " acknowledged this"]
    parts += [" at ", b.when(at, "{time}")] if at is not None else []
    return b.message([b.line(*parts, " already.")])


def over(state: str, ended_at: datetime | None, *, nothing: str) -> b.Message:
    """A button was pressed whose group is over: the state decides, and stays."""
    said = {"resolved": "This was resolved", "withdrawn": "This was withdrawn"}.get(state, "This is over")
    at: list[b.Part] = [" at ", b.when(ended_at, _DAY_TIME)] if ended_at is not None else []
    return b.message([b.line(said, *at, f": {nothing}")])


def gone() -> b.Message:
    """A button of a message whose group was forgotten."""
    return said_plainly("I do not know this alert any more: it is older than what I keep.")
