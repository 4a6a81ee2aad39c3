"""A contact centre in memory, as the watcher's platform: documents of its API, read by the real `parse`."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.cxone import conversations
from bot.cxone.errors import CXoneError
from bot.cxone.listing import Listing
from bot.diagnosis.handover import Conversation, Target, TargetKind, TargetRef, TargetStatus

BOT, CALLER = "p-bot", "p-caller"


class Centre:
    """Calls that happen when a story says so."""

    tenant = "demo"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.documents: dict[str, dict[str, Any]] = {}
        self.down = False
        self.unreadable: set[str] = set()
        self.asked: list[str] = []
        self.targets: dict[str, dict[str, Any]] = {
            "q-billing": {
                "id": "q-billing",
                "name": "Billing",
                "agentsLoggedIn": 3,
                "agentsAvailable": 0,
                "waiting": 4,
            },
            "q-sales": {"id": "q-sales", "name": "Sales", "agentsLoggedIn": 5, "agentsAvailable": 2, "waiting": 0},
        }
        self._numbers = itertools.count(1)

    # ---- what happens ---------------------------------------------------------------------------------------------

    def call(
        self,
        outcome: str = "rejected",
        *,
        target: str = "q-billing",
        reason: str = "NO_AGENTS_AVAILABLE",
        at: datetime | None = None,
        live: bool = False,
        conversation_id: str = "",
    ) -> str:
        """A call that just ended as said: rejected, forbidden, accepted, malformed or stopped (never asked)."""
        asked = at or self.clock.now() - timedelta(seconds=20)
        number = next(self._numbers)
        key = conversation_id or f"conv-{number:05d}"
        events: list[dict[str, Any]] = []
        transfer: dict[str, Any] = {"type": "sessionTransfer", "timestamp": _text(asked), "fromParticipantId": BOT}
        transfer |= {"toParticipantId": target, "properties": {"cognigySessionId": f"cgy-{number}"}}
        after = _text(asked + timedelta(seconds=1))
        if outcome == "malformed":
            del transfer["toParticipantId"]
        if outcome != "stopped":
            events.append(transfer)
        if outcome in ("rejected", "forbidden"):
            said = "403 Forbidden" if outcome == "forbidden" else reason
            events.append({"type": "sessionTransferRejected", "timestamp": after, "reason": said})
        if outcome == "accepted":
            events.append({"type": "sessionTransferAccepted", "timestamp": after, "participantId": target})
        over = asked + timedelta(seconds=18)
        document: dict[str, Any] = {
            "id": key,
            "startTime": _text(asked - timedelta(seconds=40)),
            "participants": [
                {"id": CALLER, "purpose": "customer", "identity": f"+1555020{number:04d}"},
                {"id": BOT, "purpose": "bot", "name": "Cognigy Voicebot"},
            ],
            "events": events,
        }
        if not live:
            document["endTime"] = _text(over)
            events.append({"type": "conversationEnded", "timestamp": document["endTime"]})
        self.documents[key] = document
        return key

    def accept_late(self, conversation_id: str, *, target: str = "q-billing") -> None:
        """The acceptance of a call arrives after the others."""
        events = self.documents[conversation_id]["events"]
        events[:] = [event for event in events if event["type"] != "sessionTransferRejected"]
        at = next(event["timestamp"] for event in events if event["type"] == "sessionTransfer")
        events.append({"type": "sessionTransferAccepted", "timestamp": at, "participantId": target})

    # ---- as a platform --------------------------------------------------------------------------------------------

    def list(self, *_: Any, **__: Any) -> Listing:
        """All rows, the newest first, without events."""
        self._ask("list")
        listing = Listing()
        rows = [{key: value for key, value in each.items() if key != "events"} for each in self.documents.values()]
        listing.add(list(reversed(rows)))
        return listing

    def history(self, *_: Any, **__: Any) -> Listing:
        """The same: nothing is ever too old here."""
        return self.list()

    def details(self, conversation_id: str, *_: Any, **__: Any) -> Conversation:
        """A document, read."""
        self._ask(conversation_id)
        if conversation_id in self.unreadable:
            raise CXoneError("GET", "/api/v2/conversations/{id}", 500, "500 on GET /api/v2/conversations/{id}")
        return conversations.parse(self.documents[conversation_id])

    def target(self, ref: TargetRef, *_: Any, **__: Any) -> Target:
        """A queue, or nothing."""
        self._ask(ref.id)
        document = self.targets.get(ref.id)
        if document is None:
            return Target(id=ref.id, status=TargetStatus.ERROR, missing=True, read_at=self.clock.now())
        return conversations.parse_target(TargetKind.QUEUE, document, self.clock.now())

    @staticmethod
    def parse_row(row: object) -> Conversation:
        """A row, read."""
        return conversations.parse_row(row)

    def _ask(self, what: str) -> None:
        if self.down:
            raise CXoneError("GET", "/api/v2/conversations", 503, "503 on GET /api/v2/conversations: CXone is down.")
        self.asked.append(what)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
