"""What the page asks of the workspace: what to draw, what changed, and what a person does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bot.demo.state import Channel, SlackError

if TYPE_CHECKING:
    from bot.demo.page_server import Panel
    from bot.demo.sending import Invocation
    from bot.demo.workspace import Workspace

Json = dict[str, Any]
PAGE = 200
POLL_SECONDS = 20.0
READY_SECONDS = 15.0
COMMANDS = [
    {
        "command": "/handover",
        "hint": "+15550199888 [at 14:00] [since 3d] [private] | id … | session … | queue … | subscribe | help",
        "about": "Why did a handover fail?",
    }
]


def overview(workspace: Workspace) -> Json:
    """People, channels, the home and the open modal; `version` is where the first poll begins."""
    team = workspace.team
    with team.lock:
        return {
            "version": team.version,
            "me": workspace.user,
            "users": {u.id: {"name": u.name, "real": u.real_name, "bot": u.is_bot} for u in team.users.values()},
            "groups": {key: handle for key, (handle, _) in team.usergroups.items()},
            "channels": [_channel(c) for c in team.channels.values() if not c.im_of or c.im_of == workspace.user],
            "commands": COMMANDS,
            "home": team.homes.get(workspace.user),
            "modal": _modal(workspace),
        }


def messages(workspace: Workspace, channel: str, before: str) -> Json:
    """The newest messages of a channel older than `before`, those that only this person sees among them."""
    team = workspace.team
    with team.lock:
        found = team.channel(channel)
        whispers = [e.message for e in team.ephemerals if e.user == workspace.user]
        shown = [m for m in found.messages.values() if _in_channel(m)]
        shown += [m for m in whispers if m["channel"] == found.id and not m.get("thread_ts")]
        shown = sorted((m for m in shown if not before or m["ts"] < before), key=lambda m: str(m["ts"]))
        return {"messages": shown[-PAGE:], "more": len(shown) > PAGE}


def thread(workspace: Workspace, channel: str, ts: str) -> Json:
    """A message and its replies."""
    team = workspace.team
    with team.lock:
        found = team.channel(channel)
        if ts not in found.messages:
            raise SlackError("thread_not_found")
        whispers = [e.message for e in team.ephemerals if e.user == workspace.user and e.message["channel"] == found.id]
        replies = [m for m in [*found.messages.values(), *whispers] if m.get("thread_ts") == ts and m["ts"] != ts]
        return {"messages": [found.messages[ts], *sorted(replies, key=lambda m: str(m["ts"]))]}


def changes(workspace: Workspace, since: int, stopping: Callable[[], bool]) -> Json:
    """What happened after that version, waiting up to 20 s for something; `reset` when too much happened to say."""
    team = workspace.team
    with team.lock:
        team.changed.wait_for(lambda: team.version != since or stopping(), POLL_SECONDS)
        if since > team.version or (team.changes and since + 1 < team.changes[0][0]):
            return {"version": team.version, "reset": True}
        latest: dict[tuple[Any, ...], Json] = {}
        for version, change in team.changes:
            if version > since and change.get("user", workspace.user) == workspace.user:
                key = (change["kind"].replace("ephemeral", "message"), change.get("channel"), change.get("ts"))
                before = latest.pop(key, {})
                latest[key] = {**change, "new": change.get("new") or before.get("new", False)}
        return {"version": team.version, "changes": [_with_content(workspace, c) for c in latest.values()]}


def do(workspace: Workspace, panel: Panel | None, wish: Json) -> Json:
    """One thing that a person did. Raises LookupError or ValueError when it cannot be done any more."""
    deed = DEEDS.get(str(wish.get("what")))
    if deed is not None:
        return deed(workspace, wish)
    if panel is None:
        raise ValueError("there is no contact centre here")
    return PANEL_DEEDS[str(wish.get("what"))](panel, wish)


def _command(workspace: Workspace, wish: Json) -> Json:
    workspace.page.ready.wait(READY_SECONDS)
    return _told(workspace.command(wish["text"], command=wish["command"], channel=wish["channel"]))


def _say(workspace: Workspace, wish: Json) -> Json:
    return workspace.say(wish["text"], channel=wish["channel"], thread_ts=wish.get("thread_ts") or "")


def _use(workspace: Workspace, wish: Json) -> Json:
    block_id = wish.get("block_id") or ""
    return _told(workspace.press(wish["where"], wish["action_id"], value=wish.get("value"), block_id=block_id))


def _options(workspace: Workspace, wish: Json) -> Json:
    return {"options": workspace.options(wish["where"], wish["action_id"], wish.get("query") or "")}


def _submit(workspace: Workspace, wish: Json) -> Json:
    return _told(workspace.submit_view(wish["where"], wish.get("values") or {}))


def _close(workspace: Workspace, wish: Json) -> Json:
    workspace.close_view(wish["where"])
    return {}


def _home(workspace: Workspace, _wish: Json) -> Json:
    workspace.page.ready.wait(READY_SECONDS)
    return _told(workspace.open_home())


def _dismiss(workspace: Workspace, wish: Json) -> Json:
    workspace.dismiss(wish["channel"], wish["ts"])
    return {}


def _place(panel: Panel, wish: Json) -> Json:
    return {"id": panel.place(wish["scenario"], wish["number"])}


def _place_some(panel: Panel, wish: Json) -> Json:
    panel.place_some(wish["calls"])
    return {}


def _fault(panel: Panel, wish: Json) -> Json:
    panel.set_fault(wish["name"], bool(wish["on"]))
    return {}


DEEDS: dict[str, Callable[[Workspace, Json], Json]] = {
    "command": _command,
    "say": _say,
    "use": _use,
    "options": _options,
    "submit": _submit,
    "close": _close,
    "home": _home,
    "dismiss": _dismiss,
}
PANEL_DEEDS: dict[str, Callable[[Panel, Json], Json]] = {"place": _place, "place_some": _place_some, "fault": _fault}


def panel(panel: Panel | None) -> Json:
    """What the contact centre's panel shows."""
    if panel is None:
        return {}
    return {
        "now": panel.now(),
        "calls": [dict(call) for call in panel.calls()],
        "scenarios": dict(panel.scenarios()),
        "faults": [dict(fault) for fault in panel.faults()],
    }


def _told(outcome: Invocation) -> Json:
    body = outcome.body if isinstance(outcome.body, dict) else {}
    return {"error": outcome.error, "seconds": round(outcome.seconds, 3), "errors": body.get("errors") or {}}


def _with_content(workspace: Workspace, change: Json) -> Json:
    team = workspace.team
    if change["kind"] in ("message", "ephemeral"):
        return {**change, "kind": "message", "message": team.find(change["channel"], change["ts"])}
    if change["kind"] == "home":
        return {**change, "view": team.homes.get(workspace.user)}
    if change["kind"] == "modal":
        return {**change, "view": _modal(workspace)}
    if change["kind"] == "channels":
        shown = [c for c in team.channels.values() if not c.im_of or c.im_of == workspace.user]
        return {**change, "channels": [_channel(c) for c in shown]}
    return change


def _modal(workspace: Workspace) -> Json | None:
    stack = workspace.team.stacks.get(workspace.user, [])
    return {**workspace.team.views[stack[-1]], "depth": len(stack)} if stack else None


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel.name, "private": channel.private, "im": bool(channel.im_of)}


def _in_channel(message: Json) -> bool:
    return message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
