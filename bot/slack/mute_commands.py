"""What people decide about alerts that are there: mutes and acknowledgements.

The state decides: a button asks, and changes nothing of what is over meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.alerts import muting
from bot.alerts.policy import LONGEST_MUTE
from bot.alerts.record import Scene
from bot.diagnosis.outcomes import Fault, Outcome
from bot.redact import foreign
from bot.slack import alert_answers as answers
from bot.slack import alert_messages, rendering, typed
from bot.slack import blocks as b
from bot.slack.decisions import REPEATED, Decisions, when
from bot.slack.services import Asker, Handler, Told
from bot.store import figures, groups, mutes
from bot.store.sql import AnyRow

MORNING = 8  # o'clock, in the asker's zone: until then "until tomorrow" lasts


@dataclass(frozen=True, kw_only=True)
class MuteCommands(Decisions):
    """Typed, or pressed on a message."""

    def handlers(self) -> Mapping[type, Handler]:
        """The commands that are served here."""
        return {typed.Mute: self.mute, typed.Unmute: self.unmute}

    def buttons(self) -> Mapping[str, Handler]:
        """The buttons and menus that are served here, by their action id."""
        return {alert_messages.ACKNOWLEDGE: self.acknowledge, alert_messages.MUTE: self.mute_group}

    def mute(self, action: typed.Mute, asker: Asker) -> Told:
        """Mute in the channel, and say so there."""
        what, value = _muted(action.what)
        now = self.clock.now()
        until = now + action.duration
        with self._scene() as (connection, here):
            if self._repeated(connection, asker):
                return REPEATED
            unknown = what == "target" and not figures.knows_target(connection, self.tenant, value)
            said = muting.words(what, value)
            self._mute(connection, here, asker, what=what, value=value, said=said, until=until, why=action.why)
        return Told(answers.muted(said, until, unknown_target=unknown), f"muted: until {until:%Y-%m-%dT%H:%MZ}")

    def mute_group(self, value: str, asker: Asker) -> Told:
        """The menu of an alert: its group, for an hour or until tomorrow morning in the asker's zone."""
        group_id, _, span = value.partition(":")
        now = self.clock.now()
        until = now + timedelta(hours=1) if span == "1h" else tomorrow(now, asker)
        with self._scene() as (connection, here):
            group = self._still_open(connection, asker, group_id, to="mute", done="muted")
            if isinstance(group, Told):
                return group
            said = f"alert {group_id} ({rendering.title_of(group)})"
            self._mute(connection, here, asker, what="group", value=group_id, said=said, until=until, why="")
        return Told(answers.muted(said, until), f"muted: until {until:%Y-%m-%dT%H:%MZ}")

    def _mute(
        self,
        connection: Connection,
        here: Scene,
        asker: Asker,
        *,
        what: str,
        value: str,
        said: str,
        until: datetime,
        why: str,
    ) -> None:
        """Mute, and owe the channel a line about it; `said` is what is muted, in words."""
        now = self.clock.now()
        mute_id = muting.mute(
            connection,
            here,
            channel=asker.channel_id,
            what=what,
            value=value,
            until=until,
            author=asker.user_id,
            why=foreign(why, 200),
            now=now,
        )
        reason = f": {b.harmless(foreign(why, 200))}" if why else ""
        self._say(
            connection,
            asker.channel_id,
            key=f"muted:{mute_id}",
            text=f"{_name(asker)} has muted {b.harmless(said)} until {when(until)}{reason}",
        )

    def unmute(self, action: typed.Unmute, asker: Asker) -> Told:
        """End the mutes of the channel that were meant, and say so there."""
        what, value = _muted(action.what)
        now = self.clock.now()
        ended = 0
        with self._scene() as (connection, here):
            if self._repeated(connection, asker):
                return REPEATED
            for row in mutes.active(connection, self.tenant, now, asker.channel_id):
                if what != "all" and (row.what, row.value.casefold()) != (what, value.casefold()):
                    continue
                if muting.unmute(connection, here, row, now, by=_name(asker)):
                    ended += 1
        return Told(answers.unmuted(ended), f"ended: {ended}")

    # ---- the buttons of an alert ----------------------------------------------------------------------------------

    def acknowledge(self, value: str, asker: Asker) -> Told:
        """Note who has seen it, while it is still going on and nobody else has."""
        with self._scene() as (connection, here):
            group = self._still_open(connection, asker, value, to="acknowledge", done="acknowledged")
            if isinstance(group, Told):
                return group
            if group.acked_by:
                return Told(answers.acknowledged_before(group.acked_by, group.acked_at), "acknowledged before")
            muting.acknowledge(connection, here, group.id, asker.user_id, self.clock.now())
        return Told(answers.acknowledged(), "acknowledged")

    # ---- parts -------------------------------------------------------------------------------------------------------

    def _still_open(self, connection: Connection, asker: Asker, said: str, *, to: str, done: str) -> AnyRow | Told:
        """The group that a button is about, or why nothing is done to it: pressed before, not known, or over."""
        if self._repeated(connection, asker):
            return REPEATED
        group = self._group(connection, said)
        if group is None:
            return Told(answers.gone(), "not known")
        if group.state not in groups.OPEN:
            over = answers.over(group.state, group.ended_at, nothing=f"there is nothing to {to}.")
            return Told(over, f"not {done}: {group.state}")
        return group

    def _group(self, connection: Connection, said: str) -> AnyRow | None:
        if not (said.isascii() and said.isdigit()):
            return None
        return groups.of_tenant(connection, self.tenant, int(said))


def tomorrow(now: datetime, asker: Asker) -> datetime:
    """The next morning in the asker's zone, 24 hours ahead at the most."""
    here = now.astimezone(asker.zone)
    morning = (here + timedelta(days=1)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return min(morning.astimezone(now.tzinfo), now + LONGEST_MUTE)


def _muted(what: object) -> tuple[str, str]:
    """A mute of the grammar as the tables have it."""
    match what:
        case Outcome():
            return "outcome", what.value
        case Fault():
            return "fault", what.value
        case typed.Target():
            return "target", what.said
        case _:
            return "all", ""


def _name(asker: Asker) -> str:
    """Who did it, by name: a mention would ping them for what they did themselves."""
    return b.harmless(foreign(asker.name, 60)) or f"<@{b.harmless(asker.user_id)}>"
