"""Which of the listed calls is meant. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from bot import phone
from bot.diagnosis.handover import Conversation
from bot.diagnosis.parties import bot_identities, customer_identities, has_bot_leg

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Side(IntEnum):
    """Whose number it is in a call; the highest that any call shows is meant."""

    BOT = 0  # the number that was called
    OTHER = 1  # an agent's, or of nobody that the row names
    CUSTOMER = 2


@dataclass(frozen=True, slots=True)
class Match:
    """A listed call in which the number takes part."""

    conversation: Conversation
    side: Side


def match(row: Mapping[str, Any], number: phone.Number, parse: Callable[[object], Conversation]) -> Match | None:
    """The row, read, if the number takes part in it. Rows without it, nearly all, are told by a look at their texts."""
    if not _may_hold(row, number):
        return None
    conversation = parse(row)
    if any(phone.same_number(each, number) for each in customer_identities(conversation)):
        return Match(conversation, Side.CUSTOMER)
    called = (*bot_identities(conversation), *(leg.dialled for leg in conversation.participants))
    if any(phone.same_number(each, number) for each in called):
        return Match(conversation, Side.BOT)
    return Match(conversation, Side.OTHER)


def meant(matches: Iterable[Match], *, at: datetime | None = None, since: datetime | None = None) -> list[Conversation]:
    """The calls that a person can mean, best first.

    The customer's side counts before any other. Then the call nearest to `at`; else calls that came in and have a
    bot's leg before all others, calls in the window before older ones, newer before older. A number that is only the
    bot's own is nobody's call.
    """
    found = list(matches)
    side = max((each.side for each in found), default=Side.BOT)
    if side is Side.BOT:
        return []
    calls = [each.conversation for each in found if each.side is side]
    if at is not None:
        return sorted(calls, key=lambda call: (_distance(call, at), *_rank(call, since)))
    return sorted(calls, key=lambda call: _rank(call, since))


def newest_first(calls: Iterable[Conversation]) -> list[Conversation]:
    """By their start; those without one last."""
    return sorted(calls, key=lambda call: call.started_at or _LONG_AGO, reverse=True)


def is_hotline(matches: Sequence[Match]) -> bool:
    """Whether the number is the one that is called."""
    return bool(matches) and all(each.side is Side.BOT for each in matches)


def mentions(row: object, text: str) -> bool:
    """Whether a value anywhere in a row or document is exactly this text."""
    waiting = [row]
    while waiting:
        value = waiting.pop()
        if value == text:
            return True
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def _rank(call: Conversation, since: datetime | None) -> tuple[bool, bool, bool, timedelta]:
    """Small is better."""
    started = call.started_at or _LONG_AGO
    return (
        since is not None and started < since,
        call.outbound or not has_bot_leg(call),
        call.outbound,
        datetime.max.replace(tzinfo=UTC) - started,
    )


def _distance(call: Conversation, at: datetime) -> timedelta:
    """How far a call is from a time; zero while it lasted."""
    if call.started_at is None:
        return timedelta.max
    if at < call.started_at:
        return call.started_at - at
    return max(timedelta(0), at - (call.ended_at or call.started_at))


def _may_hold(row: Mapping[str, Any], number: phone.Number) -> bool:
    """Whether any text of the row is this number, down to two levels below its participants. Thousands of rows pass."""
    ending = number.e164[-2:]
    participants = row.get("participants")
    waiting: list[Any] = [row, *participants] if isinstance(participants, list) else [row]
    while waiting:
        record = waiting.pop()
        if not isinstance(record, dict):
            continue
        for value in record.values():
            if isinstance(value, str):
                if ending in value and phone.same_number(value, number):
                    return True
            elif isinstance(value, dict):
                waiting.append(value)
            elif isinstance(value, int) and phone.same_number(str(value), number):
                return True
    return False
