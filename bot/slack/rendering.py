"""From rows to what a delivery shows: reads the group as it is now, and hands it to the pure messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bot.slack import alert_messages as messages
from bot.slack.alert_group import Case, Group, Held, title
from bot.slack.blocks import Message, of_tenant
from bot.slack.history import metadata
from bot.store import conversations, deliveries, groups, owed, threads
from bot.store.sql import AnyRow


@dataclass(frozen=True, slots=True)
class Place:
    """Where a delivery goes."""

    channel: str
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is about to be shown, and of which version of the group."""

    message: Message
    channel: str
    thread_ts: str = ""
    root_uid: str = ""  # of the message that an edit changes: its metadata stays
    version: int = 0
    failed: int = 0
    needless: bool = False
    waits: bool = False  # for its message, which is to be posted anew


def place(connection: Connection, row: AnyRow) -> Place:
    """The channel as Slack knows it, and the thread."""
    if row.thread_id is None:
        return Place(row.channel)
    thread = threads.get(connection, row.thread_id)
    return Place(thread.posted_channel or row.channel, thread.ts)


def roots(connection: Connection, row: AnyRow) -> list[str]:
    """The ts of each message that a delivery's thread hung on, the present one first."""
    thread = threads.get(connection, row.thread_id)
    keys = (deliveries.key_of(thread.id, f"post:{number}") for number in range(thread.root))
    before = [post.ts for post in (deliveries.by_key(connection, row.tenant, key) for key in keys) if post is not None]
    return [ts for ts in dict.fromkeys([thread.ts, *reversed(before)]) if ts]


def render(connection: Connection, row: AnyRow, tenant: str = "") -> Shown:
    """What a delivery shows now. `tenant` is its name where there are several."""
    if row.thread_id is None:
        return Shown(messages.line(f"{tenant}: {row.text}" if tenant else row.text), row.channel)
    where = place(connection, row)
    thread = threads.get(connection, row.thread_id)
    group = groups.get(connection, thread.group_id)
    match row.kind:
        case deliveries.REPLY:
            lines = [
                Case(
                    conversation_id=alert.conversation_id,
                    at=alert.at,
                    phone=alert.phone,
                    reason=alert.reason,
                    withdrawn=alert.withdrawn_at is not None,
                )
                for alert in owed.carried(connection, row.id)
            ]
            message = messages.reply(lines)
        case deliveries.BROADCAST:
            message = messages.broadcast(group_of(connection, group, thread, tenant), row.text)
        case _:
            message = messages.message(group_of(connection, group, thread, tenant))
    uid = ""
    if row.kind == deliveries.EDIT:
        root = deliveries.by_key(connection, row.tenant, deliveries.key_of(thread.id, f"post:{thread.root}"))
        uid = root.uid if root is not None else ""
    waits = not thread.ts and row.kind in (deliveries.REPLY, deliveries.BROADCAST)
    needless = _is_needless(connection, row, thread, group)
    return Shown(message, where.channel, where.thread_ts, uid, group.version, group.failed, needless, waits)


def call_of(row: AnyRow, shown: Shown, tenant: str) -> tuple[str, dict[str, Any]]:
    """The call of Slack that shows it: method and arguments."""
    message = shown.message.plain() if row.plain else of_tenant(shown.message, tenant)
    arguments: dict[str, Any] = {"channel": shown.channel, "text": message.text}
    if row.kind == deliveries.EDIT:
        # Without blocks the old ones are removed by an empty list, and stay without the argument.
        said = {"ts": shown.thread_ts, "blocks": message.blocks, "metadata": metadata(shown.root_uid)}
        return "chat.update", arguments | said
    arguments |= {"metadata": metadata(row.uid), "unfurl_links": False, "unfurl_media": False}
    if message.blocks:
        arguments["blocks"] = message.blocks
    if row.kind in (deliveries.REPLY, deliveries.BROADCAST):
        arguments["thread_ts"] = shown.thread_ts
        arguments["reply_broadcast"] = row.kind == deliveries.BROADCAST
    return "chat.postMessage", arguments


def _is_needless(connection: Connection, row: AnyRow, thread: AnyRow, group: AnyRow) -> bool:
    """Whether it would say what is no longer so, or has nothing to say it in."""
    match row.kind:
        case deliveries.POST:
            holds = group.kind not in ("arrival", "overflow") or owed.held_in(connection, thread.id)
            return bool(group.state == "withdrawn" or not holds)
        case deliveries.EDIT:
            return not thread.ts
        case deliveries.BROADCAST:
            acknowledged = row.text.startswith("hour:") and group.acked_by
            return bool(group.state != "open" or acknowledged)
        case _:
            return False


def title_of(group: AnyRow) -> str:
    """What goes wrong in a group, in a few words."""
    return title(_plain(group))


def group_of(connection: Connection, group: AnyRow, thread: AnyRow, tenant: str = "") -> Group:
    """A group as its message shows it."""
    held: tuple[Held, ...] = ()
    if group.kind in ("arrival", "overflow"):
        held = tuple(
            Held(title=title(_plain(row)), failed=row.merged, state=row.state)
            for row in owed.held_in(connection, thread.id)
        )
    attempts = 0
    if group.kind == "cause" and group.first_at is not None and group.last_at is not None:
        attempts = conversations.attempts(connection, group.tenant, group.scope, group.first_at, group.last_at)
    return _plain(
        group,
        attempts=attempts,
        reasons=tuple(groups.reasons(connection, group.id)),
        muted_until=thread.muted_until,
        held=held,
        tenant=tenant,
    )


def _plain(group: AnyRow, **more: Any) -> Group:
    return Group(
        id=group.id,
        kind=group.kind,
        state=group.state,
        outcome=group.outcome,
        fault=group.fault,
        scope=group.scope,
        headline=group.headline,
        target_name=group.target_name,
        bot=group.bot,
        failed=group.failed,
        first_at=group.first_at,
        last_at=group.last_at,
        target_state=group.target_state,
        target_read_at=group.target_read_at,
        next_step=group.next_step,
        last_conversation=group.last_conversation,
        quiet_since=group.quiet_since,
        last_accepted_at=group.last_accepted_at,
        ended_at=group.ended_at,
        ending=group.ending,
        reopened=group.reopened,
        acked_by=group.acked_by,
        acked_at=group.acked_at,
        **more,
    )
