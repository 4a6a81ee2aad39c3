"""How a request is found again: by any id of its target, and as the latest that is still open."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.diagnosis.attempts import Request
from bot.diagnosis.handover import Participant
from bot.diagnosis.parties import Parties


@dataclass(slots=True)
class Keys:
    """Any id of an asked target → the one id it is known by here."""

    parties: Parties
    known: dict[str, str] = field(default_factory=dict)

    def find(self, id_: str) -> str:
        """The key of a target with this id, or ""."""
        if not id_:
            return ""
        return self.known.get(id_) or self.of(self.parties.by_id.get(id_), "")

    def of(self, leg: Participant | None, id_: str) -> str:
        """The key of a target with this id or on this leg, or ""."""
        if id_ in self.known:
            return self.known[id_]
        if leg is None:
            return ""
        for each in (leg.id, leg.user_id, leg.queue_id, leg.flow_id):
            if each in self.known:
                return self.known[each]
        return ""


def top(row: list[Request]) -> Request | None:
    """The latest request that has not been refused."""
    while row and row[-1].rejection is not None:
        row.pop()
    return row[-1] if row else None


def without_answer(row: list[Request] | None) -> Request | None:
    """The latest request without an answer."""
    while row and not row[-1].open:
        row.pop()
    return row[-1] if row else None
