"""What the bot's answers do in the workspace: acks of commands and submissions, posts to response_urls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.demo import chat_api, views_api
from bot.demo.desk import flag
from bot.demo.state import Channel, SlackError, Team

Payload = dict[str, Any]


def ack_of_command(team: Team, body: Any, channel: Channel, user: str, typed: str) -> None:
    """Show what the ack of a command says; `in_channel` shows the typed command to everybody, as Slack does."""
    content = body if isinstance(body, dict) else {"text": str(body)}
    if content.get("response_type") == "in_channel":
        team.post(channel, {"text": typed, "user": user, "team": team.id})
    try:
        _show(team, content, channel, user)
    except SlackError as error:
        slackbot(team, user, channel.id, f"The app's answer was refused: {error.code}")


def ack_of_submission(team: Team, body: Any, user: str, view_id: str) -> None:
    """Do the `response_action` of a submitted modal; without one it closes, with `errors` it stays."""
    action = body.get("response_action") if isinstance(body, dict) else None
    try:
        if action in ("update", "push"):
            views_api.checked(body.get("view"), "modal")
        if action == "update":
            views_api.replace_view(team, user, view_id, body["view"])
        elif action == "push":
            views_api.push_onto(team, user, body["view"])
        elif action != "errors":
            views_api.close_view(team, user, every=action == "clear")
    except SlackError as error:
        slackbot(team, user, team.direct(user).id, f"The app's view was refused: {error.code}")


def post_to_response_url(team: Team, key: str, args: Payload) -> None:
    """A post to a response_url; a refused one costs a use as well. Raises SlackError."""
    with team.lock:
        url = team.use_response_url(key)
        channel = team.channels[url.channel]
        original = team.find(channel.id, url.message_ts) if url.message_ts else None
        if flag(args, "delete_original"):
            if original is not None:
                team.remove(channel.id, url.message_ts)
        elif flag(args, "replace_original") and original is not None:
            given = chat_api.content(args, roomy=True)
            if not given:
                raise SlackError("no_text")
            team.edit(channel.id, url.message_ts, {"blocks": [], **given})
        else:
            in_thread = {"thread_ts": url.thread_ts} if url.thread_ts and original is not None else {}
            _show(team, {**in_thread, **args}, channel, url.user)


def slackbot(team: Team, user: str, channel: str, text: str) -> None:
    """A sentence of Slack's own, for one person."""
    team.whisper(user, channel, {"text": text, "user": "USLACKBOT", "username": "Slackbot"})


def _show(team: Team, args: Mapping[str, Any], channel: Channel, user: str) -> None:
    given = chat_api.content(args, roomy=True)
    if not given:
        raise SlackError("no_text")
    message = chat_api.bot_message(team, args, given)
    if args.get("response_type") == "in_channel":
        team.post(channel, message)
    else:
        team.whisper(user, channel.id, message)
