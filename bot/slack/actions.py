"""Buttons, menus and windows. Their values are conversation ids; access is checked at every one of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.cxone.investigate import ById
from bot.redact import foreign
from bot.slack import alert_messages, messages, messages_answers, messages_modals, serving
from bot.slack.blocks import Message
from bot.slack.services import RETRIES_SECONDS, Asker, Services, event_id
from bot.store.engine import StoreError

log = logging.getLogger(__name__)

_DOUBLE_CLICK_SECONDS = 3.0


def register(app: App, buttons: Iterable[str], owner: Callable[[dict[str, Any]], Services]) -> None:
    """Connect the buttons and menus; `buttons` are the action ids of those that need the store.

    `owner` finds the services of the tenant that a pressed one belongs to.
    """

    @app.action(messages.RUN_AGAIN)
    def run_again(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _again(owner(body), body, "run_again")

    @app.action(messages.OTHER_CALL)
    def other_call(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _again(owner(body), body, "other_call")

    @app.action(messages.SHARE)
    def share(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _share(owner(body), body)

    @app.action(alert_messages.DIAGNOSE_LATEST)
    def diagnose_latest(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _again(owner(body), body, "diagnose_latest")

    for action_id in buttons:

        @app.action(action_id)
        def pressed(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
            ack()
            _served(owner(body), body, str(action.get("action_id") or ""))

    @app.action(messages.RAW_EVENTS)
    def raw_events(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _window(owner(body), body, "Raw events", _raw_events)

    @app.action(messages.TIMELINE)
    def timeline(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _window(owner(body), body, "Timeline", _timeline)


def _again(services: Services, body: dict[str, Any], name: str) -> None:
    """Diagnose a conversation: below the message whose button it was, or privately if that was private."""
    value = value_of(body)

    def work(someone: Asker) -> str:
        report = serving.look_up(services, ById(value))
        return serving.deliver(services, someone, report, private=_is_private(body))

    _in_pool(services, body, name, work)


def _served(services: Services, body: dict[str, Any], name: str) -> None:
    """A button that needs the store; the asker alone is answered."""
    handler, value, say = services.buttons[name], value_of(body), serving.privately(services, asker_of(body))

    def work(someone: Asker) -> str:
        told = handler(value, someone)
        if told.message is not None:
            say(told.message)
        return told.result

    _in_pool(services, body, name, work)


def _share(services: Services, body: dict[str, Any]) -> None:
    """Post to the channel what so far only the asker saw, diagnosed afresh."""
    value = value_of(body)

    def work(someone: Asker) -> str:
        return serving.deliver(services, someone, serving.look_up(services, ById(value)))

    _in_pool(services, body, "share", work)


def _in_pool(services: Services, body: dict[str, Any], name: str, work: Callable[[Asker], str]) -> None:
    if not _first(services, body):
        return
    asker, subject = asker_of(body), foreign(value_of(body), 80)
    if not services.pool.reserve():
        serving.privately(services, asker, patience=0)(messages_answers.busy(services.pool.size))
        return
    say = serving.privately(services, asker)
    services.pool.run(lambda: serving.serve(services, asker, name=name, subject=subject, work=work, say=say))


# ---- windows ------------------------------------------------------------------------------------------------------

Fill = Callable[[Services, str], dict[str, Any]]


def _window(services: Services, body: dict[str, Any], title: str, fill: Fill) -> None:
    """Open at once, as a trigger lives for 3 seconds; then fill it. Slack may be slow, so not where acks are given."""
    if not _first(services, body):
        return
    if services.windows.reserve():
        services.windows.run(lambda: _open(services, body, title, fill))
    else:
        serving.privately(services, asker_of(body), patience=0)(messages_answers.busy(services.windows.size))


def _open(services: Services, body: dict[str, Any], title: str, fill: Fill) -> None:
    asker, value = asker_of(body), value_of(body)
    view_id = _opened(services, body, asker, title)
    if not view_id:
        return

    def say(message: Message) -> None:
        _update(services, view_id, messages_modals.words(title, message))

    def work(someone: Asker) -> str:
        del someone  # access was checked; what is shown is the same for everybody
        _update(services, view_id, fill(services, value))
        return "shown"

    if not services.pool.reserve():
        say(messages_answers.busy(services.pool.size))
        return
    name, subject = title.lower().replace(" ", "_"), foreign(value, 80)
    services.pool.run(lambda: serving.serve(services, asker, name=name, subject=subject, work=work, say=say))


def _opened(services: Services, body: dict[str, Any], asker: Asker, title: str) -> str:
    """The id of a new window; "" if Slack did not open it, which the asker is told."""
    try:
        answer = services.client.views_open(
            trigger_id=str(body.get("trigger_id") or ""), view=messages_modals.loading(title)
        )
        return str((answer.get("view") or {}).get("id") or "")
    except (SlackClientError, OSError, ValueError, StoreError) as fault:
        word = fault.response.get("error") if isinstance(fault, SlackApiError) else type(fault).__name__
        log.warning("views.open: %s", word)
        serving.privately(services, asker, patience=0)(
            messages_answers.said_plainly("Slack did not open the window in time. Please press the button again.")
        )
        return ""


def _update(services: Services, view_id: str, view: dict[str, Any]) -> None:
    try:
        services.client.views_update(view_id=view_id, view=view)
    except SlackApiError as fault:
        code = str(fault.response.get("error"))
        log.warning("views.update: %s", code)
        if code == "not_found":  # closed meanwhile
            return
        services.client.views_update(
            view_id=view_id,
            view=messages_modals.words(
                str(view["title"]["text"]),
                messages_answers.said_plainly("Slack refused to show this. `handover-bot diagnose` shows it."),
            ),
        )


def _raw_events(services: Services, conversation_id: str) -> dict[str, Any]:
    with services.deadline() as deadline:
        document = services.lookups.document(conversation_id, deadline)
    return messages_modals.raw_events(conversation_id, document)


def _timeline(services: Services, conversation_id: str) -> dict[str, Any]:
    return messages_modals.whole_timeline(serving.look_up(services, ById(conversation_id)).diagnosis)


# ---- what a payload says ------------------------------------------------------------------------------------------


def asker_of(body: dict[str, Any]) -> Asker:
    """Who pressed, and where."""
    user, channel, container = (_part(body, name) for name in ("user", "channel", "container"))
    message = _part(body, "message")
    return Asker(
        user_id=str(user.get("id") or ""),
        channel_id=str(channel.get("id") or container.get("channel_id") or ""),
        channel_name=str(channel.get("name") or ""),
        response_url=str(body.get("response_url") or ""),
        thread_ts=""
        if _is_private(body)
        else str(message.get("thread_ts") or message.get("ts") or container.get("message_ts") or ""),
        name=str(user.get("username") or user.get("name") or ""),
        event_id=_event_id(body),
    )


def _event_id(body: dict[str, Any]) -> str:
    action = (body.get("actions") or [{}])[0]
    return event_id("action", body.get("trigger_id") or action.get("action_ts"), _what(body))


def _what(body: dict[str, Any]) -> str:
    """What was pressed, by whom and where."""
    action = (body.get("actions") or [{}])[0]
    user, container = _part(body, "user").get("id"), _part(body, "container")
    return f"click {user} {container.get('message_ts')} {action.get('action_id')} {value_of(body)}"


def value_of(body: dict[str, Any]) -> str:
    """The value of the button, or of the option that was chosen."""
    actions = body.get("actions") or [{}]
    option = actions[0].get("selected_option") or {}
    return str(actions[0].get("value") or option.get("value") or "")


def _is_private(body: dict[str, Any]) -> bool:
    return bool(_part(body, "container").get("is_ephemeral"))


def _first(services: Services, body: dict[str, Any]) -> bool:
    """Whether this is neither a repetition by Slack nor the second half of a double click."""
    if not services.seen.first(_event_id(body), RETRIES_SECONDS):
        return False
    return services.seen.first(_what(body), _DOUBLE_CLICK_SECONDS)


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}
