"""What Cognigy's lines tell, as events: each request and each refusal once, however many lines tell of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.diagnosis.handover import Event, EventKind

SOURCE = "Cognigy"
BOT, CUSTOMER = "bot", "customer"  # ids of the two participants that these events name

_SAME_RUN = timedelta(seconds=10)  # one run of the node logs several lines within this time


@dataclass(slots=True)
class Story:
    """The events so far, and which form of line told of each request, so that one run counts once."""

    session_id: str
    events: list[Event] = field(default_factory=list)
    told: list[tuple[str, datetime | None]] = field(default_factory=list)

    @property
    def asked(self) -> bool:
        """Whether a request was told of."""
        return any(event.kind is EventKind.TRANSFER for event in self.events)

    def ask(self, form: str, path: str, at: datetime | None, kind: str, contact: str = "") -> None:
        """A request for a handover. Another form of line within the same run tells of the same request."""
        if any(told != form and _near(when, at) for told, when in self.told):
            return
        self.told.append((form, at))
        more = {"signalledContactId": contact} if contact else {}
        self._request(path, at, kind, more)

    def refuse(  # noqa: PLR0917 - flat calls read best
        self, path: str, at: datetime | None, reason: str, code: str, kind: str = "signal", field: str = ""
    ) -> None:
        """A request that was refused: the request itself is an event too. Lines of one run are one refusal.

        `field` is where within the line the refusal stands.
        """
        where = f"{path}.{field}" if field else path
        for place in range(len(self.events) - 1, -1, -1):
            event = self.events[place]
            if event.kind is EventKind.REJECTED and _near(event.at, at):
                if code and not event.code:
                    self.events[place] = event._replace(code=code, reason=reason, path=where)
                return
        self._request(path, at, kind, {})
        self.add(EventKind.REJECTED, kind, where, at, reason=reason, code=code)

    def add(self, kind: EventKind, name: str, path: str, at: datetime | None, **rest: Any) -> None:
        """Any event."""
        self.events.append(Event(kind=kind, type=name, path=path, at=at, source=SOURCE, **rest))

    def _request(self, path: str, at: datetime | None, kind: str, more: dict[str, Any]) -> None:
        session = {"cognigySessionId": self.session_id} if self.session_id else {}
        self.add(EventKind.TRANSFER, kind, path, at, from_id=BOT, properties={**session, **more})


def _near(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _SAME_RUN
