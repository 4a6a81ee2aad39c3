"""What people decide about what a channel hears of: subscriptions, and the test alert."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.alerts import filters, muting, pausing, plan, probe
from bot.alerts.probe import Arrival, Tried
from bot.alerts.record import scene_after
from bot.slack import alert_answers as answers
from bot.slack import typed
from bot.slack.alert_answers import Muted, Subscription
from bot.slack.decisions import REPEATED, Decisions, when
from bot.slack.services import Asker, Handler, Told
from bot.store import facts, mutes, subscriptions
from bot.store.engine import reading, writing
from bot.store.sql import AnyRow

PATIENCE = 8.0  # seconds that a person waits for the test alert
LOOK_EVERY = 0.1


@dataclass(frozen=True, kw_only=True)
class SubscriptionCommands(Decisions):
    """With one step of the notifier."""

    deliver: Callable[[], bool]  # sends the most urgent thing; False if there is none

    def handlers(self) -> Mapping[type, Handler]:
        """The commands that are served here."""
        return {
            typed.Subscribe: self.subscribe,
            typed.Unsubscribe: self.unsubscribe,
            typed.ListSubscriptions: self.listed,
            typed.SendTest: self.test,
        }

    def buttons(self) -> Mapping[str, Handler]:
        """The menu that is served here, by its action id."""
        return {answers.END_SUBSCRIPTION: self.end_one}

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
        with self._scene() as (connection, here):
            now = self.clock.now()
            channel = asker.channel_id
            new = subscriptions.subscribe(connection, self.tenant, channel, str(wish), author=asker.user_id, now=now)
            subscriptions.resume(connection, self.tenant, channel)
            others = len(subscriptions.listed(connection, self.tenant, channel)) - 1
            plan.settle_held(connection, scene_after(connection, here, now), channel, now)
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
            text = f"I can post here again: the alerts of this channel go on. They were paused since {when(since)}."
            self._say(connection, channel, key=f"invited:{event_id}", text=text)

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
