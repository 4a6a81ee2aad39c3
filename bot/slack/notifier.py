"""Writes to Slack what is owed, once: lease, post or edit, classify the answer, look before repeating, mark.

The order that neither loses nor doubles: the intent is committed (`sending`), then the call is made with the
delivery's id as metadata, then the answer is committed. Whatever is found in `sending` after its lease may have
reached Slack: it is looked for in the channel, page by page, and only then marked or repeated. The client's own
retries are off. An edit may be repeated safely, so it is not looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import structlog
from sqlalchemy import Connection, Engine

from bot.alerts import audience, ops_lines, outbox, pausing, plan, policy, probe
from bot.alerts.policy import Rules
from bot.alerts.record import Scene, scene
from bot.clock import Clock
from bot.slack import history, rendering
from bot.slack.alert_messages import LINES_IN_A_REPLY
from bot.slack.classify import Answer, Meaning, classify
from bot.store import deliveries, facts, groups, leases, owed, pacing, subscriptions, threads
from bot.store.engine import reading, writing
from bot.store.leases import Lease
from bot.store.sql import AnyRow

log = structlog.get_logger()

LEASE_MARGIN = 5.0  # seconds that a lease outlives the call
MOST_TRIES = 4  # answers that nobody listed
MOST_WAIT = timedelta(seconds=60)
MOST_WAIT_OUT = timedelta(seconds=15)  # while nothing reaches Slack: who waits wants to know soon that it does again
STOPPED_FOR = timedelta(seconds=30)  # between two tries while Slack refuses the token


class Client(Protocol):
    """slack_sdk's WebClient, as far as the notifier uses it. Its own retries must be off."""

    def api_call(
        self, api_method: str, *, json: dict[str, Any] | None = ..., params: dict[str, Any] | None = ...
    ) -> Any:
        """One call of the Web API; raises SlackApiError and what urllib raises."""
        ...


@dataclass(slots=True)
class Notifier:
    """Sends for one tenant. Any number of threads and processes may call `deliver_one` at a time."""

    client: Client
    engine: Engine
    clock: Clock
    tenant: str
    rules: Rules = field(default_factory=Rules)
    ops_channel: str = ""
    http_timeout: float = 10.0  # seconds; the client's own
    label: str = ""  # the tenant's name in messages, where there are several
    workspace: str = ""  # whose budgets its posts count against; empty where there is one

    def deliver_one(self, channel: str = "") -> bool:
        """Send the most urgent thing that may go now, into one channel if it is named. False if there is none.

        Raises StoreError.
        """
        now = self.clock.now()
        # 1. The intent, committed before the call.
        with writing(self.engine) as connection:
            taken = leases.lease(connection, self.tenant, now, self._lease, channel=channel, workspace=self.workspace)
            if taken is None:
                return False
            if taken.row.kind == deliveries.REPLY and not taken.look and not self._fill(connection, taken, now):
                leases.finish(connection, taken, "dropped", "")
                return True
        # 2. What may have arrived already is looked for.
        if taken.look:
            found = self._look(taken)
            if found is None:
                return True
            if found:
                self._mark(taken, found, self.clock.now())
                return True
            with writing(self.engine) as connection:
                now = self.clock.now()
                again = leases.extend(connection, taken, now, self._lease)
            if again is None:
                return True
            taken = again
        # 3. The call, and what its answer means.
        self._send(taken)
        return True

    @property
    def _lease(self) -> float:
        """Seconds: the timeout holds for connecting and for answering apart, and the lease outlives both."""
        return 2 * self.http_timeout + LEASE_MARGIN

    def _scene(self, connection: Connection, now: datetime) -> Scene:
        """What holds in a transaction."""
        return scene(connection, self.tenant, self.rules, now, self.ops_channel)

    # ---- sending --------------------------------------------------------------------------------------------------

    def _fill(self, connection: Connection, taken: Lease, now: datetime) -> bool:
        """Give a reply its cases, once, and plan the next if they are too many. False if there are none."""
        row = taken.row
        if owed.carried(connection, row.id):
            return True
        if not owed.carry(connection, row.thread_id, row.id, LINES_IN_A_REPLY):
            return False
        threads.change(connection, row.thread_id, replied_at=now)
        here = self._scene(connection, now)
        outbox.arm_reply(connection, here, threads.get(connection, row.thread_id), now, at_once=True)
        return True

    def _send(self, taken: Lease) -> None:
        with reading(self.engine) as connection:
            shown = rendering.render(connection, taken.row, self.label)
        if shown.needless or shown.waits:
            with writing(self.engine) as connection:
                if shown.needless:
                    leases.finish(connection, taken, "dropped", "")
                else:
                    leases.again(connection, taken, self.clock.now(), "its message is posted anew")
            return
        method, arguments = rendering.call_of(taken.row, shown, self.label)
        if taken.until - self.clock.now() < timedelta(seconds=2 * self.http_timeout):
            return  # too late to be sure that the call ends within the lease: the next one looks
        try:
            answer = self.client.api_call(method, json=arguments)
        except Exception as error:  # noqa: BLE001 - every failure has a class; nothing is swallowed
            self._failed(taken, classify(error), shown)
            return
        now = self.clock.now()
        ts = str(answer.get("ts") or taken.row.ts)
        self._mark(taken, (str(answer.get("channel") or ""), ts), now, shown)

    def _mark(self, taken: Lease, at: tuple[str, str], now: datetime, shown: rendering.Shown | None = None) -> None:
        """Slack has it."""
        row = taken.row
        with writing(self.engine) as connection:
            if not leases.sent(connection, taken, at[1], now):
                return
            pacing.counted(connection, self.workspace, row, now)
            if row.thread_id is not None:
                self._follow(connection, row, at, now, shown)
            facts.drop(connection, self.tenant, facts.SLACK_STOPPED)
            facts.renew(connection, self.tenant, facts.SLACK_OK, now)
            ops_lines.slack_back(connection, self.tenant, now, self.ops_channel)

    def _follow(
        self, connection: Connection, row: AnyRow, at: tuple[str, str], now: datetime, shown: rendering.Shown | None
    ) -> None:
        """Note what a thread shows now, and owe what comes after it. After a look what was shown is not known."""
        channel, ts = at
        here = self._scene(connection, now)
        thread = threads.get(connection, row.thread_id)
        version, failed = (shown.version, shown.failed) if shown is not None else (0, 0)
        match row.kind:
            case deliveries.POST:
                noted = {"ts": ts, "posted_channel": channel or thread.channel, "shown": version}
                said = policy.broadcast_for(failed, thread.broadcast_count) or thread.broadcast_count
                threads.change(connection, thread.id, broadcast_count=said, **noted)
            case deliveries.EDIT if shown is not None:
                threads.change(connection, thread.id, shown=version)
            case deliveries.BROADCAST if row.text.startswith("count:"):
                said = max(int(row.text.removeprefix("count:")), thread.broadcast_count)
                threads.change(connection, thread.id, broadcast_count=said)
        thread = threads.get(connection, thread.id)
        group = groups.get(connection, thread.group_id)
        if row.kind in (deliveries.POST, deliveries.EDIT) and group.version > thread.shown:
            outbox.arm_edit(connection, here, thread, now)
        if row.kind == deliveries.POST:
            outbox.arm_reply(connection, here, thread, now)
            plan.arm_broadcasts(connection, here, group, thread, now)

    # ---- answers that are no success ------------------------------------------------------------------------------

    def _failed(self, taken: Lease, meaning: Meaning, shown: rendering.Shown) -> None:
        now = self.clock.now()
        row = taken.row
        backoff = min(timedelta(seconds=2 ** min(row.tries, 6)), MOST_WAIT)
        log.info("slack refused", delivery=row.id, kind=row.kind, answer=meaning.answer.value, code=meaning.code)
        with writing(self.engine) as connection:
            match meaning.answer:
                case Answer.WAIT:
                    until = now + timedelta(seconds=max(meaning.wait, 1.0))
                    if leases.again(connection, taken, until, meaning.code):
                        pacing.hold(connection, self.workspace, deliveries.budget_of(row), until)
                case Answer.REPEAT:
                    leases.again(connection, taken, now + min(backoff, MOST_WAIT_OUT), meaning.code)
                    ops_lines.slack_out(connection, self.tenant, now, meaning.code)
                case Answer.LOOK:
                    # Our call is over; what Slack has of it may still be on its way to where a look would find it.
                    begun = taken.until - timedelta(seconds=self._lease)
                    over = max(begun + timedelta(seconds=self.http_timeout), now)
                    leases.unsure(connection, taken, over + timedelta(seconds=LEASE_MARGIN), meaning.code)
                    ops_lines.slack_out(connection, self.tenant, now, meaning.code)
                case Answer.REDUCE if not row.plain:
                    leases.again(connection, taken, now, meaning.code, plain=True)
                case Answer.REPOST if row.thread_id is not None and row.kind != deliveries.POST:
                    self._repost(connection, taken, now, meaning, shown)
                case Answer.PAUSE:
                    self._pause(connection, taken, now, meaning)
                case Answer.STOP:
                    leases.again(connection, taken, now, meaning.code)
                    self._stop(connection, now, meaning)
                case _:
                    if row.refusals + 1 >= MOST_TRIES:
                        self._die(connection, taken, f"Slack answers {meaning.code}", now)
                    else:
                        leases.again(connection, taken, now + backoff, meaning.code, refusals=row.refusals + 1)

    def _stop(self, connection: Connection, now: datetime, meaning: Meaning) -> None:
        """Slack refuses the token or a scope: nothing can be sent, and the bot is not ready."""
        pacing.hold(connection, self.workspace, deliveries.WORKSPACE, now + STOPPED_FOR)
        if facts.note(connection, self.tenant, facts.SLACK_STOPPED, now, meaning.code):
            log.error("slack refuses the bot", code=meaning.code)

    def _repost(
        self, connection: Connection, taken: Lease, now: datetime, meaning: Meaning, shown: rendering.Shown
    ) -> None:
        """The message is gone: post it anew; what belonged to its thread follows under the new one."""
        thread = threads.get(connection, taken.row.thread_id)
        if taken.row.kind == deliveries.EDIT:
            leases.finish(connection, taken, "dropped", meaning.code)
        else:
            leases.again(connection, taken, now, meaning.code)
        here = self._scene(connection, now)
        if thread.ts != shown.thread_ts:
            return  # somebody posted it anew meanwhile
        if (
            audience.is_muted(connection, here, groups.get(connection, thread.group_id), thread.channel)
            and taken.row.kind == deliveries.EDIT
        ):
            return  # a new message, which a mute holds: the edit at its end comes here again
        threads.change(connection, thread.id, ts="", root=thread.root + 1)
        outbox.post_root(connection, here, threads.get(connection, thread.id), now)

    def _pause(self, connection: Connection, taken: Lease, now: datetime, meaning: Meaning) -> None:
        """The channel takes nothing. What waits for it stays for a day, if anybody there subscribed."""
        row = taken.row
        paused = [each.paused_at for each in subscriptions.listed(connection, self.tenant, row.channel)]
        if None not in paused and probe.is_test(connection, row.thread_id):
            leases.finish(connection, taken, "dropped", meaning.code)  # whoever sent it waits for the answer
            if not paused:
                return
        elif row.kind == deliveries.LINE and not paused:
            self._die(connection, taken, f"Slack answers {meaning.code}", now)
            return
        else:
            leases.again(connection, taken, now, meaning.code)
        pausing.pause(connection, self.tenant, row.channel, meaning.code, now, ops_channel=self.ops_channel)

    def _die(self, connection: Connection, taken: Lease, why: str, now: datetime) -> None:
        """No further try. What waited for it dies with it, and it is said."""
        if not leases.finish(connection, taken, "dead", why):
            return
        row = taken.row
        log.error("delivery dead", delivery=row.id, kind=row.kind, channel=row.channel, why=why)
        if row.kind == deliveries.POST and row.thread_id is not None:
            deliveries.bury_cases(connection, row.thread_id, row.id)
        here = self._scene(connection, now)
        ops_lines.deaths(connection, here, now)

    # ---- looking before repeating ---------------------------------------------------------------------------------

    def _look(self, taken: Lease) -> tuple[str, str] | Literal[False] | None:
        """(channel, ts) if Slack has it, False if surely not, None if that could not be learned yet."""
        channel = taken.row.channel
        if channel.startswith(("U", "W")):
            return False  # a line to a person: their direct messages are not ours to read, and twice does no harm
        try:
            found = self._search(taken)
        except history.LookFailedError as failure:
            now = self.clock.now()
            meaning = failure.meaning
            with writing(self.engine) as connection:
                if meaning.code == "missing_scope":
                    facts.note(connection, self.tenant, facts.NO_HISTORY, now)
                    return False  # at least once, then: said by `check` and `status`
                if meaning.answer is Answer.PAUSE:
                    # Nothing can be known: it stays to be looked for until somebody resumes the channel.
                    leases.unsure(connection, taken, now, meaning.code)
                    pausing.pause(connection, self.tenant, channel, meaning.code, now, ops_channel=self.ops_channel)
                    return None
                if meaning.answer is Answer.STOP:
                    self._stop(connection, now, meaning)
                wait = timedelta(seconds=max(meaning.wait, 2 ** min(taken.row.tries, 6), 1))
                leases.unsure(connection, taken, now + wait, meaning.code)
            return None
        with writing(self.engine) as connection:
            facts.drop(connection, self.tenant, facts.NO_HISTORY)
        return found or False

    def _search(self, taken: Lease) -> tuple[str, str] | None:
        """Look for the delivery's id, where its last sending would have put it: in the channel, or in its thread."""
        row = taken.row
        with reading(self.engine) as connection:
            where = rendering.place(connection, row)
            roots = rendering.roots(connection, row) if row.kind in (deliveries.REPLY, deliveries.BROADCAST) else [""]
        for thread_ts in roots:  # a message posted anew leaves the replies where the old one was
            found = history.find(self.client.api_call, row, where.channel, thread_ts, timedelta(seconds=self._lease))
            if found:
                return where.channel, found
        return None
