"""Who is who in a conversation: the customer, the bot, the agents, the queues and flows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from bot import redact
from bot.diagnosis.handover import Conversation, EventKind, Participant, TargetKind, TargetRef

CUSTOMERS = frozenset({"customer", "caller"})
AGENTS = frozenset({"agent", "user", "supervisor"})
QUEUES = frozenset({"queue", "acd"})
FLOWS = frozenset({"flow"})
_BOTS = frozenset({"bot", "botflow", "voicebot", "virtualagent", "virtual_agent", "digitalbot"})
_OUTSIDE = frozenset({"external"})
_PEOPLE = _OUTSIDE | AGENTS  # a bot may stand in the record as one of them
_MACHINES = frozenset({"ivr", "workflow"})
_HINT = re.compile(r"\b(?:cognigy|voice ?bot|bot|virtual agent|voice ?gateway)\b|cognigy|voicebot", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
_LONGEST_NAME = 80
# Read once: in Python 3.11 an enum's member costs more to look up than all else in these lines.
_USER, _QUEUE, _FLOW = TargetKind.USER, TargetKind.QUEUE, TargetKind.FLOW


def clean(text: str, limit: int) -> str:
    """Foreign text as one line of at most `limit` characters, without control characters and without back-ticks.

    In our sentences these mark a code.
    """
    text = text.replace("`", "'")
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    line = _CONTROL.sub(" ", text[: limit * 2]).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


@dataclass(slots=True)
class Parties:
    """The legs of one conversation, found by any id that an event may name them with."""

    by_id: dict[str, Participant] = field(default_factory=dict)  # a leg's own id
    by_object: dict[str, tuple[Participant, TargetKind]] = field(default_factory=dict)  # its user, queue or flow
    bots: tuple[Participant, ...] = ()
    customers: tuple[Participant, ...] = ()
    bot_paths: frozenset[str] = frozenset()
    customer_paths: frozenset[str] = frozenset()
    machine_paths: frozenset[str] = frozenset()  # of both: what they do answers no request
    names: dict[str, str] = field(default_factory=dict)  # by path, as people say it

    def find(self, id_: str) -> Participant | None:
        """The leg with this id, or the one of this user, queue or flow."""
        leg = self.by_id.get(id_)
        if leg is None and id_ in self.by_object:
            leg = self.by_object[id_][0]
            return None if leg.path in self.customer_paths else leg  # the caller in a queue is not the queue
        return leg

    def called(self, leg: Participant) -> str:
        """A leg in a sentence; one without a name by its id. The caller is never named."""
        return "the caller" if leg.path in self.customer_paths else named(leg) or clean(leg.id, _LONGEST_NAME)

    def target(self, asked: str) -> TargetRef | None:
        """What a `toParticipantId` means. None where there is nothing to look up: no id, the caller, the bot itself."""
        if not asked:
            return None
        leg = self.by_id.get(asked)
        if leg is None:
            found = self.by_object.get(asked)
            if found is None:
                return TargetRef(asked, asked)
            known = found[0].path not in self.customer_paths and _stands_for(*found)
            return TargetRef(asked, asked, found[1], named(found[0]) if known else "")
        if leg.path in self.customer_paths or leg.path in self.bot_paths:
            return None
        id_, kind = _object_of(leg)
        return TargetRef(asked, id_ or asked, kind, named(leg))


def parties_of(conversation: Conversation) -> Parties:
    """Read who is who. The bot is who is called so, else a machine's leg, else who sends the first transfer."""
    parties = Parties()
    for leg in conversation.participants:
        if leg.id and leg.id not in parties.by_id:
            parties.by_id[leg.id] = leg
        if not (leg.user_id or leg.queue_id or leg.flow_id):
            continue
        for id_, kind in (
            (leg.user_id, _USER),
            (leg.queue_id, _QUEUE),
            (leg.flow_id, _FLOW),
        ):
            if id_ and (id_ not in parties.by_object or not _stands_for(*parties.by_object[id_])):
                parties.by_object[id_] = (leg, kind)
    parties.bots = _bots(conversation, parties)
    parties.bot_paths = frozenset([leg.path for leg in parties.bots])
    parties.customers = _customers(conversation, parties.bot_paths)
    parties.customer_paths = frozenset([leg.path for leg in parties.customers])
    parties.machine_paths = parties.bot_paths | parties.customer_paths
    for leg in conversation.participants:
        if leg.path in parties.customer_paths:
            parties.names[leg.path] = "Caller"  # who is never named
        else:
            unnamed = "Bot" if leg.path in parties.bot_paths else (leg.purpose or "participant").capitalize()
            parties.names[leg.path] = named(leg) or unnamed
    return parties


def unnamed(conversation: Conversation, parties: Parties) -> Conversation:
    """The same with "the caller" in place of the customers' names in reasons and states."""
    others = {leg.name.casefold() for leg in conversation.participants if leg.path not in parties.customer_paths}
    names = redact.named(leg.name for leg in parties.customers if leg.name.casefold() not in others)
    if names is None:
        return conversation
    # A long call says few things many times.
    said = {text for event in conversation.events for text in (event.reason, event.state)}
    masked = {text: names.sub(redact.THE_CALLER, text) for text in said if names.search(text)}
    if not masked:
        return conversation
    events = [
        event._replace(reason=masked.get(event.reason, event.reason), state=masked.get(event.state, event.state))
        for event in conversation.events
    ]
    return replace(conversation, events=tuple(events))


def named(leg: Participant) -> str:
    """A leg as people say it, or "" where it has no name."""
    return clean(leg.name, _LONGEST_NAME)


def is_agent(leg: Participant) -> bool:
    """Whether a human takes calls on this leg."""
    return leg.purpose in AGENTS


def has_bot_leg(conversation: Conversation) -> bool:
    """Whether a bot took part."""
    return bool(_bots(conversation, None))


def customer_identities(conversation: Conversation) -> tuple[str, ...]:
    """The numbers of the customer's side, as the platform stores them."""
    bots = frozenset([leg.path for leg in _bots(conversation, None)])
    return tuple([leg.identity for leg in _customers(conversation, bots) if leg.identity])


def bot_identities(conversation: Conversation) -> tuple[str, ...]:
    """The numbers and addresses of the bot's side, and the number that was dialled."""
    found = [leg.identity for leg in _bots(conversation, None) if leg.identity]
    found += [leg.dialled for leg in conversation.participants if leg.dialled]
    return tuple(dict.fromkeys(found))


def _bots(conversation: Conversation, parties: Parties | None) -> tuple[Participant, ...]:
    legs = conversation.participants
    found = (
        _called_so(conversation)
        or [leg for leg in legs if leg.purpose in _PEOPLE and _HINT.search(f"{leg.name[:200]} {leg.identity[:200]}")]
        or [leg for leg in legs if leg.purpose in _MACHINES]
    )
    if found:
        return tuple(found)
    sender = next((event.from_id for event in conversation.events if event.kind is EventKind.TRANSFER), "")
    if not sender:
        return ()
    parties = parties or Parties(by_id={leg.id: leg for leg in reversed(legs)})
    leg = parties.find(sender)
    if leg is None or leg.purpose in AGENTS or leg.purpose in CUSTOMERS:
        return ()
    return (leg,)


def _called_so(conversation: Conversation) -> list[Participant]:
    """Legs whose purpose is a bot's; beside them what asks in the name of a machine is the bot too."""
    legs = conversation.participants
    bots = [leg for leg in legs if leg.purpose in _BOTS]
    machines = [leg for leg in legs if leg.purpose in _MACHINES] if bots else []
    if not machines:
        return bots
    senders = {event.from_id for event in conversation.events if event.kind is EventKind.TRANSFER}
    return [*bots, *(leg for leg in machines if leg.id in senders)]


def _customers(conversation: Conversation, bot_paths: frozenset[str]) -> tuple[Participant, ...]:
    found = [leg for leg in conversation.participants if leg.purpose in CUSTOMERS and leg.path not in bot_paths]
    if found:
        return tuple(found)
    legs = [leg for leg in conversation.participants if leg.path not in bot_paths]
    return tuple(
        [leg for leg in legs if leg.purpose in _OUTSIDE]
        or [leg for leg in legs if not (leg.purpose or leg.user_id or leg.queue_id or leg.flow_id) and leg.identity]
    )


def _stands_for(leg: Participant, kind: TargetKind) -> bool:
    """Whether the leg is the user, queue or flow itself: caller and agent may carry their queue's id too."""
    if leg.purpose in CUSTOMERS:
        return False
    if kind is _QUEUE:
        return leg.purpose in QUEUES or not leg.user_id
    if kind is _FLOW:
        return leg.purpose in FLOWS or not (leg.user_id or leg.queue_id)
    return True


def _object_of(leg: Participant) -> tuple[str, TargetKind | None]:
    """The user, queue or flow that a leg is, by its purpose and then by the ids that it carries."""
    kinds = (
        (AGENTS, _USER, leg.user_id),
        (QUEUES, _QUEUE, leg.queue_id),
        (FLOWS, _FLOW, leg.flow_id),
    )
    for purposes, kind, id_ in kinds:
        if leg.purpose in purposes:
            return id_, kind
    for _, kind, id_ in kinds:
        if id_:
            return id_, kind
    return "", None
