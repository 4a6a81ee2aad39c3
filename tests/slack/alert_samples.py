"""Answers about alerts, as people get them, for the golden files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

from bot.alerts import filters
from bot.alerts.explain import Explained, Heard
from bot.alerts.health import Health
from bot.alerts.policy import Reason
from bot.alerts.probe import Arrival, Tried
from bot.diagnosis.outcomes import Threshold
from bot.slack import alert_answers as answers
from bot.slack import alert_messages, info_answers, messages_modals, status_answers
from bot.slack.alert_answers import Muted, Subscription
from bot.slack.alert_group import Case, Group
from bot.slack.blocks import Message
from bot.slack.info_answers import Recent
from bot.slack.status_answers import Done, Quota, Status, Waiting
from bot.store.ledger import Ledger
from tests.slack.reports import ID, NOW

WISH = filters.parse("outcome=rejected target=Billing exclude=caller min=5/10m rate=10%")
HOSTILE = filters.parse('target="<!channel> *x* `y`"')
SENT = Tried(Arrival.SENT)
HERE = Subscription(id=1, channel="C0ALERTS", wish=WISH, author="U0SAM", created_at=NOW)
PAUSED = Subscription(
    id=2, channel="C0ALERTS", wish=HOSTILE, created_at=NOW, paused_at=NOW, paused_why="not_in_channel"
)
MUTED = Muted(what="the target Billing", until=NOW + timedelta(hours=2), author="U0SAM", why="deploy")
CASE = Recent(
    conversation_id=ID,
    at=NOW,
    outcome="rejected",
    phone="•••• 9888",
    target="Billing",
    reason="NO_AGENTS_AVAILABLE",
)
EXPLAINED = Explained(
    id=12,
    key="outcome=rejected target=q-billing reason=NO_AGENTS_AVAILABLE",
    state="open",
    headline="Billing refused the handover",
    failed=12,
    first_at=NOW - timedelta(minutes=18),
    last_at=NOW,
    ended_at=None,
    rule="One group for each target and reason.",
    heard=(
        Heard(wish=WISH, matches=True, threshold=Threshold(5, 10, 0.1), failures=7, attempts=21),
        Heard(wish=HOSTILE, matches=False, threshold=Threshold(5, 10, 0.1)),
    ),
    muted_until=NOW + timedelta(hours=1),
    reason=Reason.MUTED,
)
WELL = Status(
    health=Health(polled_at=NOW, slack_ok_at=NOW, ledger=Ledger(detected=12, sent=10, waiting=1, muted=1)),
    now=NOW,
    version="1.0",
    live=40,
    firing=1,
    subscriptions=2,
    slack_seconds=0.035,
    quota=Quota(1234, 10.0, 10.0),
)
ILL = Status(
    health=Health(
        polled_at=NOW - timedelta(minutes=9),
        slack_ok_at=NOW - timedelta(minutes=6),
        history_missing=True,
        cxone_out="GET /api/v2/conversations: 503, four times.",
        ledger=Ledger(detected=3, sent=1),
    ),
    reasons=["The ledger does not balance: an alert lost its delivery."],
    now=NOW,
    version="1.0",
    unread=3,
    overdue=NOW - timedelta(minutes=8),
    waiting=[
        Waiting("C0ALERTS", 2, NOW + timedelta(seconds=30)),
        Waiting("C0OTHER", 1, NOW, "Slack answers is_archived"),
    ],
    slack_error="Slack refuses the connection",
    quota=Quota(40, None, 4.5),
)

FIRING = Group(
    id=12,
    kind="cause",
    state="open",
    outcome="rejected",
    fault="target",
    target_name="Billing",
    failed=12,
    attempts=40,
    first_at=NOW - timedelta(minutes=18),
    last_at=NOW,
    reasons=(("NO_AGENTS_AVAILABLE", 11), ("QUEUE_FULL `x` *y*", 1)),
    target_state="3 logged in, 0 available, 4 waiting",
    target_read_at=NOW,
    next_step="Staff Billing around 13:12 UTC, or listen for `sessionTransfer` in the flow.",
    last_conversation=ID,
)

MESSAGES: dict[str, Message] = {
    "firing": alert_messages.message(FIRING),
    "resolved": alert_messages.message(replace(FIRING, state="resolved", ended_at=NOW + timedelta(minutes=20))),
    "cases": alert_messages.reply([Case(conversation_id=ID, at=NOW, phone="•••• 9888", reason="NO_AGENTS_AVAILABLE")]),
    "subscribed": answers.subscribed(WISH, SENT, new=True, others=1),
    "subscribed to everything": answers.subscribed(filters.parse(""), SENT, new=False, others=0),
    "subscribed hostile": answers.subscribed(HOSTILE, Tried(Arrival.WAITING, "Slack answered 500"), new=True, others=2),
    "cannot post": answers.cannot_post(Tried(Arrival.CLOSED, "not_in_channel")),
    "tested stopped": answers.tested(Tried(Arrival.STOPPED, "invalid_auth")),
    "tested dead": answers.tested(Tried(Arrival.DEAD, "Slack answers no_text")),
    "unsubscribed": answers.unsubscribed(1, 0),
    "unsubscribed none": answers.unsubscribed(0, 1),
    "listed": answers.listed([HERE, PAUSED], [MUTED], 3),
    "listed none": answers.listed([], [], 1),
    "recent": info_answers.recent([CASE], wish=WISH, asked=40, failed=12, hours=24, zone=UTC, watching=True),
    "recent none": info_answers.recent([], wish=WISH, asked=40, failed=12, hours=24, zone=UTC, watching=True),
    "recent too early": info_answers.recent([], wish=WISH, asked=0, failed=0, hours=24, zone=UTC, watching=False),
    "why": info_answers.why(EXPLAINED),
    "why unknown": info_answers.unknown_alert("<x> `y`"),
    "muted": answers.muted("the target Billing", NOW + timedelta(hours=2), unknown_target=True),
    "unmuted": answers.unmuted(1),
    "unmuted none": answers.unmuted(0),
    "acknowledged": answers.acknowledged(),
    "acknowledged before": answers.acknowledged_before("U0SAM", NOW),
    "over": answers.over("resolved", NOW, nothing="there is nothing to acknowledge."),
    "gone": answers.gone(),
    "status well": status_answers.status(WELL),
    "status ill": status_answers.status(ILL),
}
HOME = messages_modals.home(
    status_answers.home([], NOW, [HERE, PAUSED], 2, [Done(NOW, "•••• 9888", "rejected"), Done(NOW, "c-1", "not_found")])
)
