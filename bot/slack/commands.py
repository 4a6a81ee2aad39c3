"""`/handover …`: the ack at once, the work in the pool.

A command that needs the store is a `Handler` in `Services.handlers`, keyed by its type in the grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slack_bolt import Ack

from bot.redact import foreign
from bot.slack import grammar, messages_answers, serving, typed
from bot.slack.blocks import Message
from bot.slack.messages import KINDS
from bot.slack.services import RETRIES_SECONDS, Asker, Services, event_id
from bot.slack.switchboard import Switchboards, UnknownTenantError

_NAMES: dict[type, str] = {
    typed.Diagnose: "diagnose",
    typed.DiagnoseId: "diagnose",
    typed.DiagnoseSession: "diagnose",
    typed.LookAtTarget: "target",
    typed.Recent: "recent",
    typed.Subscribe: "subscribe",
    typed.Unsubscribe: "unsubscribe",
    typed.ListSubscriptions: "list",
    typed.Mute: "mute",
    typed.Unmute: "unmute",
    typed.Why: "why",
    typed.ShowStatus: "status",
    typed.SendTest: "test",
    typed.Help: "help",
    typed.Misunderstood: "misunderstood",
}


def handle(boards: Switchboards, ack: Ack, body: dict[str, Any]) -> None:
    """Answer one slash command. No I/O before the ack. Where there are several tenants it may name its own."""
    try:
        board = boards.of(body)
        services, body = board.command(body)
    except UnknownTenantError as fault:
        _acked(ack, messages_answers.said_plainly(str(fault)))
        return
    asker = _asker(body)
    text = str(body.get("text") or "")
    if not services.seen.first(_event_id(body), RETRIES_SECONDS):
        ack()
        return
    action = grammar.parse(text, region=services.region, now=services.clock.now())
    name = _NAMES[type(action)]
    if isinstance(action, typed.Help):
        _acked(ack, messages_answers.usage(tenants=board.names))
        services.use(asker, name, "", "answered")
    elif isinstance(action, typed.Misunderstood):
        _acked(ack, messages_answers.usage(action.text, action.hint, withheld=action.withheld))
        services.use(asker, name, "", "answered")
    elif not services.pool.reserve():
        _acked(ack, messages_answers.busy(services.pool.size))
        services.use(asker, name, _subject(action), "busy")
    else:
        what = _what(action)
        if what:
            _acked(ack, messages_answers.looking_up(what))
            asker = replace(asker, acked_at=services.clock.monotonic())
        else:
            ack()
        say = serving.privately(services, asker)
        work = _work(services, action, text)
        subject, number = _subject(action), action.number if isinstance(action, typed.Diagnose) else None
        services.pool.run(
            lambda: serving.serve(services, asker, name=name, subject=subject, work=work, say=say, number=number)
        )


def _work(services: Services, action: typed.Action, text: str) -> Callable[[Asker], str]:
    def work(asker: Asker) -> str:
        say = serving.privately(services, asker)
        if isinstance(action, typed.Diagnose | typed.DiagnoseId | typed.DiagnoseSession):
            # Times of day are the asker's, whose zone is known only now.
            local = grammar.parse(text, region=services.region, now=services.clock.now(), zone=asker.zone)
            report = serving.look_up(services, grammar.query(local if isinstance(local, typed.Diagnose) else action))
            return serving.deliver(services, asker, report, private=action.private)
        if isinstance(action, typed.LookAtTarget):
            with services.deadline() as deadline:
                found = services.lookups.target(action.kind, action.id, deadline)
            say(messages_answers.target(found))
            return found.status.value
        told = services.handlers[type(action)](action, asker)
        if told.message is not None:
            say(told.message)
        return told.result

    return work


def _what(action: typed.Action) -> str:
    """For "Looking up …": never more of a number than its last four digits. Empty: not worth a word."""
    match action:
        case typed.Diagnose():
            return f"…{action.number.last4}"
        case typed.DiagnoseId():
            return f"conversation {foreign(action.conversation_id, 80)}"
        case typed.DiagnoseSession():
            return f"session {foreign(action.session_id, 80)}"
        case typed.LookAtTarget():
            return f"{KINDS[action.kind]} {foreign(action.id, 80)}"
        case _:
            return ""  # answered as fast as an ack is


def _subject(action: typed.Action) -> str:
    """What it is about, masked, for the audit."""
    match action:
        case typed.Diagnose():
            said = action.number.masked
        case typed.DiagnoseId():
            said = action.conversation_id
        case typed.DiagnoseSession():
            said = action.session_id
        case typed.LookAtTarget():
            said = f"{action.kind.value} {action.id}"
        case typed.Subscribe() | typed.Recent() | typed.Unsubscribe():
            said = str(action.filters or "")
        case typed.Mute():
            said = f"{_muted(action.what)} {action.why}".strip()
        case typed.Unmute():
            said = _muted(action.what)
        case typed.Why():
            said = action.alert
        case _:
            said = ""
    return foreign(said, 200)


def _muted(what: object) -> str:
    return what.said if isinstance(what, typed.Target) else str(what)


def _acked(ack: Ack, message: Message) -> None:
    ack(text=message.text, blocks=message.blocks or None, response_type="ephemeral")


def _event_id(body: dict[str, Any]) -> str:
    return event_id("command", *map(body.get, ("trigger_id", "user_id", "channel_id", "text")))


def _asker(body: dict[str, Any]) -> Asker:
    return Asker(
        user_id=str(body.get("user_id") or ""),
        channel_id=str(body.get("channel_id") or ""),
        channel_name=str(body.get("channel_name") or ""),
        response_url=str(body.get("response_url") or ""),
        name=str(body.get("user_name") or ""),
        event_id=_event_id(body),
    )
