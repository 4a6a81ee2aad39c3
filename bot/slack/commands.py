"""`/handover …`: the ack at once, the work in the pool.

A command that needs the store is a `Handler` in `Office.handlers`, keyed by its type in the grammar; until it is there,
the answer says that it comes with alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack

from bot.cxone.investigate import ById, ByNumber, BySession, Query
from bot.redact import foreign
from bot.slack import grammar, messages_answers, serving
from bot.slack.blocks import Message
from bot.slack.office import Asker, Office

_RETRIES_SECONDS = 3600.0
_NAMES: dict[type, str] = {
    grammar.Diagnose: "diagnose",
    grammar.DiagnoseId: "diagnose",
    grammar.DiagnoseSession: "diagnose",
    grammar.LookAtTarget: "target",
    grammar.Recent: "recent",
    grammar.Subscribe: "subscribe",
    grammar.Unsubscribe: "unsubscribe",
    grammar.ListSubscriptions: "list",
    grammar.Mute: "mute",
    grammar.Unmute: "unmute",
    grammar.Why: "why",
    grammar.ShowStatus: "status",
    grammar.SendTest: "test",
    grammar.Help: "help",
    grammar.Misunderstood: "misunderstood",
}


def handle(office: Office, ack: Ack, body: dict[str, Any]) -> None:
    """Answer one slash command. No I/O before the ack."""
    asker = _asker(body)
    text = str(body.get("text") or "")
    if not office.once.first(f"command {body.get('trigger_id')}", _RETRIES_SECONDS):
        ack()
        return
    action = grammar.parse(text, region=office.region, now=office.clock.now())
    name = _NAMES[type(action)]
    if isinstance(action, grammar.Help):
        _acked(ack, messages_answers.usage())
        office.use(asker, name, "", "answered")
    elif isinstance(action, grammar.Misunderstood):
        _acked(ack, messages_answers.usage(action.text, action.hint, withheld=action.withheld))
        office.use(asker, name, "", "answered")
    elif not office.pool.reserve():
        _acked(ack, messages_answers.busy(office.pool.size))
        office.use(asker, name, _subject(action), "busy")
    else:
        _acked(ack, messages_answers.looking_up(_what(action)))
        say = serving.privately(office, asker)
        work = _work(office, action, text)
        office.pool.run(lambda: serving.serve(office, asker, name=name, subject=_subject(action), work=work, say=say))


def _work(office: Office, action: grammar.Action, text: str) -> Callable[[Asker], str]:
    def work(asker: Asker) -> str:
        say = serving.privately(office, asker)
        if isinstance(action, grammar.Diagnose | grammar.DiagnoseId | grammar.DiagnoseSession):
            # Times of day are the asker's, whose zone is known only now.
            local = grammar.parse(text, region=office.region, now=office.clock.now(), zone=asker.zone)
            report = serving.look_up(office, _query(local if isinstance(local, grammar.Diagnose) else action))
            return serving.deliver(office, asker, report, private=action.private)
        if isinstance(action, grammar.LookAtTarget):
            with office.deadline() as deadline:
                found = office.desk.target(action.kind, action.id, deadline)
            say(messages_answers.target(found))
            return found.status.value
        handler = office.handlers.get(type(action))
        say(handler(action, asker) if handler else messages_answers.not_yet(_NAMES[type(action)]))
        return "answered" if handler else "not_yet"

    return work


def _query(action: grammar.Asked) -> Query:
    match action:
        case grammar.Diagnose():
            return ByNumber(action.number, action.at, action.since)
        case grammar.DiagnoseId():
            return ById(action.conversation_id)
        case grammar.DiagnoseSession():
            return BySession(action.session_id)


def _what(action: grammar.Action) -> str:
    """For "Looking up …": never more of a number than its last four digits."""
    match action:
        case grammar.Diagnose():
            return f"…{action.number.last4}"
        case grammar.DiagnoseId():
            return f"conversation {foreign(action.conversation_id, 80)}"
        case grammar.DiagnoseSession():
            return f"session {foreign(action.session_id, 80)}"
        case grammar.LookAtTarget():
            return f"{action.kind.value} {foreign(action.id, 80)}"
        case _:
            return "what you asked for"


def _subject(action: grammar.Action) -> str:
    match action:
        case grammar.Diagnose():
            return action.number.masked
        case grammar.DiagnoseId():
            return foreign(action.conversation_id, 80)
        case grammar.DiagnoseSession():
            return foreign(action.session_id, 80)
        case grammar.LookAtTarget():
            return f"{action.kind.value} {foreign(action.id, 80)}"
        case _:
            return ""


def _acked(ack: Ack, message: Message) -> None:
    ack(text=message.text, blocks=message.blocks or None, response_type="ephemeral")


def _asker(body: dict[str, Any]) -> Asker:
    return Asker(
        user_id=str(body.get("user_id") or ""),
        channel_id=str(body.get("channel_id") or ""),
        channel_name=str(body.get("channel_name") or ""),
        response_url=str(body.get("response_url") or ""),
    )
