"""The question of `diagnose`, from what was typed to its report.

Each function imports what it needs when it runs, so that `--file` waits for no platform's libraries.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import click

from bot.clock import SystemClock
from bot.endings import NOT_ASKED, NOT_FOUND, USAGE, end, settings_for
from bot.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bot.cxone.queries import Query
    from bot.diagnosis.handover import Report


def from_file(path: str, *, as_json: bool) -> Report:
    """What a saved conversation tells."""
    from bot import platforms, saved  # noqa: PLC0415 - see the top

    settings = settings_for(as_json=as_json)
    try:
        return saved.report(path, timing=platforms.timing(settings), clock=SystemClock())
    except saved.NotReadableError as why:
        end(USAGE, "not_readable", str(why), as_json=as_json)


def save(path: str, report: Report, *, as_json: bool) -> None:
    """Write what was read beside the answer."""
    from bot import report_json, saved  # noqa: PLC0415 - see the top

    profile = "contacts" if report.document.get("profile") == "contacts" else "conversations"
    try:
        saved.save(path, report, report_json.as_json(report), profile=profile, clock=SystemClock())
    except saved.NotWritableError as why:
        end(USAGE, "not_writable", str(why), as_json=as_json)


def from_platform(asked: dict[str, str | None], *, as_json: bool) -> Report:
    """Look it up; whatever does not succeed ends the command."""
    from bot import beside, platforms, report_json, terminal  # noqa: PLC0415 - see the top
    from bot.cxone.errors import CXoneError  # noqa: PLC0415 - see the top
    from bot.cxone.investigate import ConversationNotFound  # noqa: PLC0415 - see the top

    settings = _settings_of(asked["tenant"], as_json=as_json)
    query = _query(settings, asked, as_json=as_json)
    try:
        with terminal.progress() as on_progress:
            investigator = platforms.build_investigator(settings, SystemClock())
            index = beside.known_here(settings, SystemClock())
            if index is not None:
                investigator.known, investigator.peers_of = index.known, index.peers_of
            return investigator.look_up(query, on_progress=on_progress)
    except ConversationNotFound as none:
        plain = asked["number"] and not asked["since"] and not (none.searched and none.searched.hotline)
        further = " To look further back, add --since 3d." if plain else ""
        end(NOT_FOUND, "no_conversation", report_json.clean(none.sentence) + further, as_json=as_json)
    except CXoneError as why:
        more = {"method": why.method, "path": why.path, "status": why.status}
        end(NOT_ASKED, "not_asked", terminal.not_asked(why), as_json=as_json, **more)


def _settings_of(name: str | None, *, as_json: bool) -> Settings:
    """The settings of the tenant of that name, else of the first; an unknown name ends the command."""
    from bot import tenants  # noqa: PLC0415 - see the top
    from bot.slack import tenant_names  # noqa: PLC0415 - see the top

    settings = settings_for("cxone", as_json=as_json)
    try:
        found = {each.name: each.settings for each in tenants.load(settings)}
    except SettingsError as wrong:
        end(USAGE, "settings", "\n".join(wrong.faults), as_json=as_json)
    if name and not settings.tenants_file:
        end(USAGE, "usage", f"There is no tenant @{name}: TENANTS_FILE names none.", as_json=as_json)
    if name and name not in found:
        end(USAGE, "usage", tenant_names.unknown(name, found), as_json=as_json)
    return found[name] if name else next(iter(found.values()))


def _query(settings: Settings, asked: dict[str, str | None], *, as_json: bool) -> Query:
    """What to look for. A number is read as after `/handover`, in any form; what is none ends the command."""
    from bot import phone  # noqa: PLC0415 - see the top
    from bot.cxone.queries import ById, BySession  # noqa: PLC0415 - see the top
    from bot.slack import grammar  # noqa: PLC0415 - see the top
    from bot.slack.typed import Asked, Misunderstood  # noqa: PLC0415 - see the top

    if asked["conversation_id"]:
        return ById(asked["conversation_id"])
    if asked["session_id"]:
        return BySession(asked["session_id"])
    options = [f"{name} {asked[name]}" for name in ("at", "since") if asked[name]]
    now = SystemClock().now()
    typed = " ".join([asked["number"] or "", *options])
    action = grammar.parse(typed, region=settings.default_region, now=now, zone=now.astimezone().tzinfo or UTC)
    if isinstance(action, Asked):
        return grammar.query(action)
    word = "".join(typed.split()[:1]).lower().lstrip("/?") or "help"
    if isinstance(action, Misunderstood) and word not in grammar.NO_DIAGNOSIS:
        hint = action.hint + (" Give --id or --session instead." if action.withheld else "")
        hint += f" An example: handover-bot diagnose {phone.NOBODYS}"
    else:
        hint = _ELSEWHERE.get(word, f"“{word}” is a command of the bot in Slack: /handover {word}.")
        hint += " Here diagnose takes a phone number, --id, --session or --file."
    return end(USAGE, "usage", hint, as_json=as_json)


_ELSEWHERE = {
    "help": "All options are told by: handover-bot diagnose --help.",
    "status": "Whether everything works is told by: handover-bot check; in Slack by /handover status.",
    "recent": "The failed handovers of late are told in Slack, by /handover recent.",
}


def show(report: Report, *, as_json: bool) -> None:
    """Print it."""
    from bot import report_json, terminal  # noqa: PLC0415 - see the top

    if as_json:
        click.echo(report_json.dumps(report_json.as_json(report)))
    else:
        terminal.draw(report, terminal.console())
