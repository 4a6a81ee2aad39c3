"""Calls as the conversations API tells them, as many as are wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def queue(number: int) -> dict[str, Any]:
    """A queue with a name of its own."""
    return {"id": f"q-{number}", "name": f"Queue {number:06d}.", "agentsLoggedIn": 3, "agentsAvailable": 1}


def refused(number: int, queue_id: str) -> dict[str, Any]:
    """A call that ended just now, refused by that queue."""
    ended = datetime.now(UTC)
    return {
        **_call(number, ended - timedelta(seconds=60)),
        "endTime": _said(ended),
        "events": [
            {
                "type": "sessionTransfer",
                "timestamp": _said(ended - timedelta(seconds=20)),
                "fromParticipantId": "p-2",
                "toParticipantId": queue_id,
                "properties": {"cognigySessionId": f"cgy-{number}"},
            },
            {
                "type": "sessionTransferRejected",
                "timestamp": _said(ended - timedelta(seconds=19)),
                "reason": "QUEUE_FULL",
            },
        ],
    }


def live(number: int) -> dict[str, Any]:
    """A caller who talks to the bot."""
    return {**_call(number, datetime.now(UTC) - timedelta(seconds=60)), "id": f"live-{number}", "events": []}


def _call(number: int, started: datetime) -> dict[str, Any]:
    return {
        "id": f"call-{number}",
        "startTime": _said(started),
        "participants": [
            {"id": "p-1", "purpose": "customer", "identity": f"+1917{number:07d}"},
            {"id": "p-2", "purpose": "bot", "name": "Cognigy Voicebot"},
        ],
    }


def _said(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
