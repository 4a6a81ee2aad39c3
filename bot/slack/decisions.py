"""What every decision about alerts has in common.

Each is one transaction, in which the event of Slack that asked for it is noted, so that a repeated delivery acts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from bot.alerts import ops_lines
from bot.alerts.policy import Rules
from bot.alerts.record import Scene, scene
from bot.clock import Clock
from bot.slack.services import Asker, Told
from bot.store import facts
from bot.store.engine import writing

REPEATED = Told(None, "repeated")


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The tables of a tenant."""

    engine: Engine
    clock: Clock
    tenant: str
    rules: Rules = Rules()  # noqa: RUF009 - frozen
    ops_channel: Callable[[], str] = str

    @contextmanager
    def _scene(self) -> Iterator[tuple[Connection, Scene]]:
        """One transaction, with what holds in it."""
        with writing(self.engine) as connection:
            yield connection, scene(connection, self.tenant, self.rules, self.clock.now(), self.ops_channel())

    def _repeated(self, connection: Connection, asker: Asker) -> bool:
        """Whether Slack delivered this event before, in the life of this process or of an earlier one."""
        now = self.clock.now()
        return bool(asker.event_id) and not facts.first_time(connection, self.tenant, asker.event_id, now)

    def _say(self, connection: Connection, channel: str, *, key: str, text: str) -> None:
        """Owe the channel a line about it."""
        ops_lines.say(connection, self.tenant, channel, key=key, text=text, now=self.clock.now())


def when(at: datetime) -> str:
    """A time in a line, in the zone of whoever reads it."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
