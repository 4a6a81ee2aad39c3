"""What people decide about alerts: subscriptions, mutes, acknowledgements, and the test alert.

Each decision is one transaction, in which the event of Slack that asked for it is noted, so that a repeated delivery
acts once. The state decides: a button asks, and changes nothing of what is over meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from bot.alerts import filters, muting, pausing, probe
from bot.alerts.policy import LONGEST_MUTE, Rules
from bot.alerts.probe import Arrival, Tried
from bot.alerts.record import Scene, scene
from bot.clock import Clock
from bot.diagnosis.outcomes import Fault, Outcome
from bot.redact import foreign
from bot.slack import alert_answers as answers
from bot.slack import alert_messages, rendering, typed
from bot.slack import blocks as b
from bot.slack.alert_answers import Muted, Subscription
from bot.slack.services import Asker, Handler, Told
from bot.store import deliveries, facts, figures, groups, mutes, subscriptions
from bot.store.engine import reading, writing
from bot.store.sql import AnyRow

PATIENCE = 8.0  # seconds that a person waits for the test alert
LOOK_EVERY = 0.1
MORNING = 8  # o'clock, in the asker's zone: until then "until tomorrow" lasts
REPEATED = Told(None, "repeated")


@dataclass(frozen=True, kw_only=True)
class AlertCommands:
    """The tables, and one step of the notifier."""

    engine: Engine
    clock: Clock
    tenant: str
    deliver: Callable[[], bool]  # sends the most urgent thing; False if there is none
    rules: Rules = Rules()  # noqa: RUF009 - frozen
    ops_channel: Callable[[], str] = str

    def handlers(self) -> Mapping[type, Handler]:
        """The commands that are served here."""
        return {
            typed.Subscribe: self.subscribe,
            typed.Unsubscribe: self.unsubscribe,
            typed.ListSubscriptions: self.listed,
            typed.Mute: self.mute,
            typed.Unmute: self.unmute,
            typed.SendTest: self.test,
        }

    def buttons(self) -> Mapping[str, Handler]:
        """The buttons and menus that are served here, by their action id."""
        return {
            alert_messages.ACKNOWLEDGE: self.acknowledge,
            alert_messages.MUTE: self.mute_group,
            answers.END_SUBSCRIPTION: self.end_one,
        }

    # ---- subscriptions --------------------------------------------------------------------------------------------

    def subscribe(self, action: typed.Subscribe, asker: Asker) -> Told:
        """Try the channel first; where the bot cannot post nothing is subscribed."""
        wish = action.filters
        # 1. The test alert, on the real path.
        delivery_id = self._send_test(asker)
        if delivery_id is None:
            return REPEATED
        tried = self._arrived(delivery_id)
        if tried.arrival is Arrival.CLOSED:
            return Told(answers.cannot_post(tried), f"not subscribed: {tried.code}")
        # 2. The subscription; what an earlier refusal had paused lives again.
        with self._scene() as (connection, _):
            now = self.clock.now()
            channel = asker.channel_id
            new = subscriptions.subscribe(connection, self.tenant, channel, str(wish), author=asker.user_id, now=now)
            subscriptions.resume(connection, self.tenant, channel)
            others = len(subscriptions.listed(connection, self.tenant, channel)) - 1
        return Told(answers.subscribed(wish, tried, new=new, others=others), "subscribed" if new else "as before")

    def unsubscribe(self, action: typed.Unsubscribe, asker: Asker) -> Told:
        """End one subscription of the channel, or all."""
        wish = str(action.filters) if action.filters is not None else None
        return self._end(asker, wish)

    def end_one(self, value: str, asker: Asker) -> Told:
        """The menu of `list`: a subscription by its id, of this channel only."""
        with reading(self.engine) as connection:
            rows = subscriptions.listed(connection, self.tenant, asker.channel_id)
        wish = next((row.filters for row in rows if str(row.id) == value), None)
        if wish is None:
            return Told(answers.unsubscribed(0, len(rows)), "nothing to end")
        return self._end(asker, wish)

    def _end(self, asker: Asker, wish: str | None) -> Told:
        with self._scene() as (connection, here):
            if self._repeated(connection, asker):
                return REPEATED
            channel = asker.channel_id
            ended = muting.unsubscribe(connection, here, channel, self.clock.now(), wish)
            left = len(subscriptions.listed(connection, self.tenant, channel))
        return Told(answers.unsubscribed(ended, left), f"ended: {ended}")

    def invited(self, channel: str, event_id: str) -> None:
        """The bot is in the channel again: what was paused goes on, and the channel is told, once an event."""
        with self._scene() as (connection, _):
            now = self.clock.now()
            if not facts.first_time(connection, self.tenant, f"event {event_id}", now):
                return
            rows = subscriptions.listed(connection, self.tenant, channel)
            since = min((row.paused_at for row in rows if row.paused_at is not None), default=None)
            pausing.resume(connection, self.tenant, channel)
            if since is None:
                return
            text = f"I can post here again: the alerts of this channel go on. They were paused since {_clock(since)}."
            self._say(connection, channel, key=f"line:invited:{event_id}", text=text)

    def listed(self, action: typed.ListSubscriptions, asker: Asker) -> Told:
        """The subscriptions and mutes of the channel."""
        del action
        with reading(self.engine) as connection:
            rows = subscriptions.listed(connection, self.tenant)
            held = mutes.active(connection, self.tenant, self.clock.now(), asker.channel_id)
        here = shown(row for row in rows if row.channel == asker.channel_id)
        muted = [Muted(what=muting.said(row), until=row.until, author=row.author, why=row.why) for row in held]
        elsewhere = sum(row.channel != asker.channel_id for row in rows)
        return Told(answers.listed(here, muted, elsewhere), f"listed: {len(here)}")

    def test(self, action: typed.SendTest, asker: Asker) -> Told:
        """A test alert on the real path."""
        del action
        delivery_id = self._send_test(asker)
        if delivery_id is None:
            return REPEATED
        tried = self._arrived(delivery_id)
        if tried.arrival is Arrival.CLOSED:
            return Told(answers.cannot_post(tried, nothing="The test alert is not sent."), f"not sent: {tried.code}")
        if tried.arrival is Arrival.SENT:
            with self._scene() as (connection, _):
                subscriptions.resume(connection, self.tenant, asker.channel_id)  # what Slack had paused
        return Told(answers.tested(tried), tried.arrival.value)

    def _send_test(self, asker: Asker) -> int | None:
        with self._scene() as (connection, here):
            if self._repeated(connection, asker):
                return None
            return probe.send(connection, here, asker.channel_id, self.clock.now())

    def _arrived(self, delivery_id: int) -> Tried:
        """Wait for it, sending what is due ourselves: a person is not to wait for the watcher's posts."""
        until = self.clock.monotonic() + PATIENCE
        while True:
            with reading(self.engine) as connection:
                tried = probe.result(connection, self.tenant, delivery_id)
            if tried.arrival is not Arrival.WAITING or self.clock.monotonic() >= until:
                break
            if not self.deliver():
                self.clock.sleep(LOOK_EVERY)
        if tried.arrival is Arrival.CLOSED:
            with writing(self.engine) as connection:
                probe.give_up(connection, delivery_id)
        return tried

    # ---- mutes ----------------------------------------------------------------------------------------------------

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
            key=f"line:muted:{mute_id}",
            text=f"{_name(asker)} has muted {b.harmless(said)} until {_clock(until)}{reason}",
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

    # ---- parts ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _scene(self) -> Iterator[tuple[Connection, Scene]]:
        """One transaction, with what holds in it."""
        with writing(self.engine) as connection:
            yield connection, scene(connection, self.tenant, self.rules, self.clock.now(), self.ops_channel())

    def _repeated(self, connection: Connection, asker: Asker) -> bool:
        """Whether Slack delivered this event before, in the life of this process or of an earlier one."""
        now = self.clock.now()
        return bool(asker.event_id) and not facts.first_time(connection, self.tenant, asker.event_id, now)

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

    def _say(self, connection: Connection, channel: str, *, key: str, text: str) -> None:
        deliveries.add(
            connection,
            self.tenant,
            key=key,
            kind=deliveries.LINE,
            channel=channel,
            now=self.clock.now(),
            text=text,
        )


def shown(rows: Iterable[AnyRow]) -> list[Subscription]:
    """Subscriptions as they are shown; one that cannot be read is a line in the ops channel."""
    return [
        Subscription(
            id=row.id,
            channel=row.channel,
            wish=wish,
            author=row.author,
            created_at=row.created_at,
            paused_at=row.paused_at,
            paused_why=row.paused_why,
        )
        for row in rows
        if (wish := filters.stored(row.filters)) is not None
    ]


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


def _clock(at: datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
