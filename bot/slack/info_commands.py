"""What people ask the tables: `recent`, `why`, `status`, and the Home tab. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import Connection, Engine

from bot import __version__
from bot.alerts import explain
from bot.alerts.audience import wants
from bot.alerts.filters import Filters
from bot.alerts.health import Health, health
from bot.alerts.policy import Rules
from bot.alerts.record import scene
from bot.clock import Clock
from bot.diagnosis.outcomes import Outcome
from bot.slack import blocks as b
from bot.slack import info_answers as answers
from bot.slack import status_answers, typed
from bot.slack.classify import classify
from bot.slack.info_answers import Recent
from bot.slack.services import Asker, Handler, Told
from bot.slack.status_answers import Done, Quota, Status, Waiting
from bot.slack.subscription_commands import shown
from bot.store import conversations, deliveries, facts, figures, subscriptions
from bot.store.engine import reading

HOURS = 24  # that `recent` looks back
DIAGNOSES = ("diagnose", "run_again", "other_call", "diagnose_latest", "share")


@dataclass(frozen=True, kw_only=True)
class InfoCommands:
    """The tables, and what is known of this process."""

    engine: Engine
    clock: Clock
    tenant: str
    workspace: str = ""  # whose budgets hold, where there are several
    client: WebClient
    rules: Rules = Rules()  # noqa: RUF009 - frozen
    poll_seconds: float = 15.0
    reasons: Callable[[], list[str]] = list  # why the bot is not ready
    quota: Callable[[], Quota] = Quota

    def handlers(self) -> Mapping[type, Handler]:
        """The commands that are served here."""
        return {typed.Recent: self.recent, typed.Why: self.why, typed.ShowStatus: self.status}

    def recent(self, action: typed.Recent, asker: Asker) -> Told:
        """The latest failed handovers that match."""
        since = self.clock.now() - timedelta(hours=HOURS)
        with reading(self.engine) as connection:
            watching = facts.cursor(connection, self.tenant).polled_at is not None
            rows = figures.recent_handovers(connection, self.tenant, since)
            asked, failed = figures.handovers_since(connection, self.tenant, since)
        found = [
            Recent(
                conversation_id=row.conversation_id,
                at=row.at,
                outcome=row.outcome,
                phone=row.phone or ("number removed" if row.forgotten else "number withheld"),
                target=row.target_name or row.target_id,
                reason=row.reason,
            )
            for row in rows
            if _wanted(action.filters, row)
        ]
        message = answers.recent(
            found,
            wish=action.filters,
            asked=asked,
            failed=failed,
            hours=HOURS,
            zone=asker.zone,
            watching=watching,
        )
        return Told(message, f"found: {len(found)}")

    def why(self, action: typed.Why, asker: Asker) -> Told:
        """What an alert rests on, and why it is or is not told in this channel."""
        now = self.clock.now()
        with reading(self.engine) as connection:
            group = explain.find(connection, self.tenant, action.alert)
            if group is None:
                return Told(answers.unknown_alert(action.alert), "not known")
            here = scene(connection, self.tenant, self.rules, now)
            found = explain.explain(connection, here, group, asker.channel_id, now)
        return Told(answers.why(found), found.reason.name.lower())

    def status(self, action: typed.ShowStatus, asker: Asker) -> Told:
        """How everything is doing, with Slack asked just now."""
        del action, asker
        seconds, error = self._ping()
        found = health(self.engine, self.tenant, self.clock.now())
        reasons = self.reasons()
        if found.database:
            known = Status(health=found, reasons=reasons, now=self.clock.now(), version=__version__)
        else:
            with reading(self.engine) as connection:
                known = self._known(connection, found, reasons, seconds, error)
        return Told(status_answers.status(known), "well" if not reasons else "not ready")

    def home(self, user_id: str) -> list[b.Block]:
        """What the Home tab of a person begins with."""
        with reading(self.engine) as connection:
            rows = subscriptions.listed(connection, self.tenant)
            used = figures.uses_of(connection, self.tenant, user_id, DIAGNOSES)
            polled_at = facts.cursor(connection, self.tenant).polled_at
        mine = shown(row for row in rows if row.author == user_id)
        done = [Done(row.at, row.subject, row.result) for row in used]
        return status_answers.home(self.reasons(), polled_at, mine, len(rows) - len(mine), done)

    def _known(
        self, connection: Connection, found: Health, reasons: list[str], seconds: float | None, error: str
    ) -> Status:
        now = self.clock.now()
        unread, live = figures.waiting_looks(connection, self.tenant, now)
        return Status(
            health=found,
            reasons=reasons,
            now=now,
            version=__version__,
            poll_seconds=self.poll_seconds,
            unread=unread,
            overdue=conversations.overdue(connection, self.tenant),
            live=live,
            firing=figures.open_groups(connection, self.tenant),
            subscriptions=len(subscriptions.active(connection, self.tenant)),
            waiting=[
                Waiting(row.channel, row.waiting, max(row.due_at, row.free_at or row.due_at), row.why or "")
                for row in deliveries.backlog(connection, self.tenant, self.workspace)
            ],
            slack_seconds=seconds,
            slack_error=error,
            quota=self.quota(),
        )

    def _ping(self) -> tuple[float | None, str]:
        """How long Slack takes to answer, or why it does not."""
        began = self.clock.monotonic()
        try:
            self.client.auth_test()
        except Exception as error:  # noqa: BLE001 - every failure has a class
            return None, classify(error).code
        return self.clock.monotonic() - began, ""


def _wanted(wish: Filters, row: Any) -> bool:
    """Failed handovers, and those that were asked for by name."""
    outcome = Outcome(row.outcome)
    if row.verdict != "failed" and outcome not in wish.outcomes:
        return False
    return wants(wish, row)
