"""The `views.*` methods: modals in a stack of at most three a person, and the App Home."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from bot.demo.limits import LONGEST_VIEW, view_faults
from bot.demo.state import APP_ID, BOT_ID, SlackError, Team, with_ids

DEEPEST = 3


def open_view(team: Team, args: Mapping[str, Any], view: Any) -> dict[str, Any]:
    """`views.open`: a new modal in answer to a trigger."""
    trigger = team.use_trigger(str(args.get("trigger_id", "")))
    checked(view, "modal")
    stored = _store(team, trigger.user, view)
    for old in team.stacks.get(trigger.user, []):
        team.views.pop(old, None)
    team.stacks[trigger.user] = [stored["id"]]
    return _show(team, trigger.user, stored)


def push_view(team: Team, args: Mapping[str, Any], view: Any) -> dict[str, Any]:
    """`views.push`: a modal on top of the one that the trigger came from."""
    trigger = team.use_trigger(str(args.get("trigger_id", "")))
    if not trigger.from_view:
        raise SlackError("invalid_trigger_id")
    checked(view, "modal")
    return push_onto(team, trigger.user, view)


def push_onto(team: Team, user: str, view: Any) -> dict[str, Any]:
    """Put a checked modal on top of a person's stack."""
    stack = team.stacks.setdefault(user, [])
    if len(stack) >= DEEPEST:
        raise SlackError("push_limit_reached")
    stored = _store(team, user, view)
    below = stack[-1] if stack else None
    stored["previous_view_id"] = below
    stored["root_view_id"] = stack[0] if stack else stored["id"]
    stack.append(stored["id"])
    return _show(team, user, stored)


def update_view(team: Team, args: Mapping[str, Any], view: Any) -> dict[str, Any]:
    """`views.update`: new content for a modal that is open, found by view_id or external_id."""
    view_id, external = str(args.get("view_id", "")), str(args.get("external_id", ""))
    if not view_id and not external:
        raise SlackError(
            "invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view_id"]}
        )
    found = [v for v in team.views.values() if v["id"] == view_id or (external and v["external_id"] == external)]
    if not found:
        raise SlackError("not_found")
    old = found[0]
    if args.get("hash") and args["hash"] != old["hash"]:
        raise SlackError("hash_conflict")
    checked(view, "modal")
    user = next(u for u, stack in team.stacks.items() if old["id"] in stack)
    return _show(team, user, _replace(team, old, view))


def publish_view(team: Team, args: Mapping[str, Any], view: Any) -> dict[str, Any]:
    """`views.publish`: what a person sees on the App Home."""
    user = str(args.get("user_id", ""))
    if user not in team.users:
        raise SlackError("user_not_found")
    checked(view, "home")
    old = team.homes.get(user)
    if args.get("hash") and old is not None and args["hash"] != old["hash"]:
        raise SlackError("hash_conflict")
    stored = _replace(team, old, view) if old is not None else _store(team, user, view, modal=False)
    team.homes[user] = stored
    team.changed_now("home", user=user)
    return {"view": stored}


def replace_view(team: Team, user: str, view_id: str, view: Any) -> dict[str, Any]:
    """What `response_action: update` in the ack of a submission does."""
    return _show(team, user, _replace(team, team.views[view_id], view))


def close_view(team: Team, user: str, *, every: bool = False) -> None:
    """Close the topmost modal, or all of them."""
    with team.lock:
        stack = team.stacks.get(user, [])
        while stack:
            team.views.pop(stack.pop(), None)
            if not every:
                break
        team.changed_now("modal", user=user)


def checked(view: Any, kind: str) -> None:
    """Raise `invalid_arguments` with Slack's sentences unless Slack would take the view."""
    faults = view_faults(view)
    if not faults and view.get("type") != kind:
        faults = ["must be a valid enum value [json-pointer:/view/type]"]
    if not faults and len(str(view)) > LONGEST_VIEW:
        raise SlackError("view_too_large")
    if faults:
        messages = [f"[ERROR] {fault}" for fault in faults]
        raise SlackError("invalid_arguments", response_metadata={"messages": messages})


def _store(team: Team, user: str, view: dict[str, Any], *, modal: bool = True) -> dict[str, Any]:
    external = view.get("external_id") or ""
    if external and any(other["external_id"] == external for other in team.views.values()):
        raise SlackError("duplicate_external_id")
    view_id = team.new_id("V")
    stored = {
        **_body(view),
        "id": view_id,
        "team_id": team.id,
        "app_id": APP_ID,
        "app_installed_team_id": team.id,
        "bot_id": BOT_ID,
        "root_view_id": view_id,
        "previous_view_id": None,
        "user": user,
    }
    if modal:
        team.views[view_id] = stored
    return stored


def _replace(team: Team, old: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
    with team.lock:
        old.update(_body(view))
        return old


def _body(view: dict[str, Any]) -> dict[str, Any]:
    defaults = {"title": None, "submit": None, "close": None, "clear_on_close": False, "notify_on_close": False}
    texts = {"private_metadata": "", "callback_id": "", "external_id": ""}
    given = {key: value for key, value in view.items() if value is not None}
    blocks = with_ids(view["blocks"])
    return {**defaults, **texts, **given, "blocks": blocks, "state": {"values": {}}, "hash": secrets.token_hex(8)}


def _show(team: Team, user: str, stored: dict[str, Any]) -> dict[str, Any]:
    team.changed_now("modal", user=user)
    return {"view": stored}
