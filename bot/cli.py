"""The commands: read what was typed, hand over to the part that does it, and end with the exit code that says how.

    0  done                       2  bad usage, or settings that are missing or wrong
    1  a check failed, or the     3  no conversation was found
       bot cannot run here        4  the platform could not be asked

Each command imports what it needs when it runs, so that none waits for another's libraries.
"""

from __future__ import annotations

import sys
from datetime import UTC
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from bot import __version__
from bot.clock import SystemClock
from bot.settings import Need, Settings, SettingsError, load

if TYPE_CHECKING:
    from bot.cxone.queries import Query
    from bot.diagnosis.handover import Report

FAILED, USAGE, NOT_FOUND, NOT_ASKED = 1, 2, 3, 4


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="handover-bot")
def main() -> None:
    """Says why a Cognigy voicebot's handover to NICE CXone failed: in Slack, and here in the terminal."""
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding shows ? for a sign that it has not
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


# ---- diagnose -----------------------------------------------------------------------------------------------------


@main.command()
@click.argument("number", required=False)
@click.argument("tenant", required=False, metavar="[@TENANT]")
@click.option("--id", "conversation_id", metavar="ID", help="One conversation, by its id.")
@click.option("--session", "session_id", metavar="ID", help="The conversation of one Cognigy session.")
@click.option("--file", "path", metavar="FILE", help="A saved conversation; - reads stdin. Nobody is asked.")
@click.option("--at", metavar="TIME", help="With a number: the call nearest to this time, such as 14:00.")
@click.option("--since", metavar="SPAN", help="With a number: how far to look back, such as 90m, 12h or 3d.")
@click.option("--save", metavar="FILE", help="Also write what was read, redacted, to attach to a ticket; see --file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a drawing.")
def diagnose(*, path: str | None, as_json: bool, **asked: str | None) -> None:
    """Why did this handover fail? Give a phone NUMBER in any form, or one of --id, --session and --file.

    Of several tenants, the one that is named after @ is asked, else the first of TENANTS_FILE.
    """
    from bot.slack import tenant_names  # noqa: PLC0415 - see the top

    name, rest = tenant_names.find(" ".join(filter(None, (asked["number"], asked["tenant"]))))
    if asked["tenant"] and not name:
        raise click.UsageError(f"Got unexpected extra argument ({asked['tenant']})")
    asked |= {"number": rest, "tenant": name}
    given = [each for each in (path, asked["number"], asked["conversation_id"], asked["session_id"]) if each]
    if len(given) != 1:
        _end(USAGE, "usage", "Give one of these: a phone number, --id, --session or --file.", as_json=as_json)
    if (asked["at"] or asked["since"]) and not asked["number"]:
        _end(USAGE, "usage", "--at and --since go with a phone number.", as_json=as_json)
    if path and name:
        _end(USAGE, "usage", f"With --file no tenant is asked: leave @{name} out.", as_json=as_json)
    report = _from_file(path, as_json=as_json) if path else _from_platform(asked, as_json=as_json)
    if asked["save"]:
        _save(asked["save"], report, as_json=as_json)
    _show(report, as_json=as_json)


def _from_file(path: str, *, as_json: bool) -> Report:
    from bot import platforms, saved  # noqa: PLC0415 - see the top

    settings = _settings(as_json=as_json)
    try:
        return saved.report(path, timing=platforms.timing(settings), clock=SystemClock())
    except saved.NotReadableError as why:
        _end(USAGE, "not_readable", str(why), as_json=as_json)


def _save(path: str, report: Report, *, as_json: bool) -> None:
    from bot import report_json, saved  # noqa: PLC0415 - see the top

    profile = "contacts" if report.document.get("profile") == "contacts" else "conversations"
    try:
        saved.save(path, report, report_json.as_json(report), profile=profile, clock=SystemClock())
    except saved.NotWritableError as why:
        _end(USAGE, "not_writable", str(why), as_json=as_json)


def _from_platform(asked: dict[str, str | None], *, as_json: bool) -> Report:
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
        _end(NOT_FOUND, "no_conversation", report_json.clean(none.sentence) + further, as_json=as_json)
    except CXoneError as why:
        more = {"method": why.method, "path": why.path, "status": why.status}
        _end(NOT_ASKED, "not_asked", terminal.not_asked(why), as_json=as_json, **more)


def _settings_of(name: str | None, *, as_json: bool) -> Settings:
    """The settings of the tenant of that name, else of the first; an unknown name ends the command."""
    from bot import tenants  # noqa: PLC0415 - see the top
    from bot.slack import tenant_names  # noqa: PLC0415 - see the top

    settings = _settings("cxone", as_json=as_json)
    try:
        found = {each.name: each.settings for each in tenants.load(settings)}
    except SettingsError as wrong:
        _end(USAGE, "settings", "\n".join(wrong.faults), as_json=as_json)
    if name and not settings.tenants_file:
        _end(USAGE, "usage", f"There is no tenant @{name}: TENANTS_FILE names none.", as_json=as_json)
    if name and name not in found:
        _end(USAGE, "usage", tenant_names.unknown(name, found), as_json=as_json)
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
    return _end(USAGE, "usage", hint, as_json=as_json)


_ELSEWHERE = {
    "help": "All options are told by: handover-bot diagnose --help.",
    "status": "Whether everything works is told by: handover-bot check; in Slack by /handover status.",
    "recent": "The failed handovers of late are told in Slack, by /handover recent.",
}


def _show(report: Report, *, as_json: bool) -> None:
    from bot import report_json, terminal  # noqa: PLC0415 - see the top

    if as_json:
        click.echo(report_json.dumps(report_json.as_json(report)))
    else:
        terminal.draw(report, terminal.console())


# ---- the bot ------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--no-worker", is_flag=True, help="Leave polls and deliveries to `worker` processes (PostgreSQL only).")
def run(*, no_worker: bool) -> None:
    """The bot: over Socket Mode if SLACK_APP_TOKEN is set, else over HTTP on PORT."""
    _run(
        _settings("cxone", "slack"), "build_bot", needs_postgres="--no-worker" if no_worker else "", work=not no_worker
    )


@main.command()
def worker() -> None:
    """A further process of watcher and deliveries; any number of them share one PostgreSQL."""
    _run(_settings("cxone", "posts"), "build_worker", needs_postgres="`worker`")


def _run(settings: Settings, build: str, *, needs_postgres: str, **options: bool) -> None:
    """Build the parts and run them until a signal comes."""
    sys.modules.setdefault("rich", cast("Any", None))  # structlog would load it for its tracebacks: 4 MB, never used
    from bot import logs, running, web, wiring  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError  # noqa: PLC0415 - see the top

    if needs_postgres and not settings.many_processes:
        said = "needs PostgreSQL, which several processes can share: set DATABASE_URL=postgresql+psycopg://…"
        _end(USAGE, "settings", f"{needs_postgres} {said}")
    logs.set_up(settings.log_level, settings.log_format, settings.secrets())
    try:
        parts = getattr(wiring, build)(settings, SystemClock(), **options)
    except SettingsError as wrong:
        _end(USAGE, "settings", "\n".join(wrong.faults))
    except (web.CannotListenError, StoreError) as why:
        _end(FAILED, "cannot_run", str(why))
    running.until_told(parts)


@main.command()
def migrate() -> None:
    """The database to the newest schema; safe when several do it at once."""
    from bot.database import open_database  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError, schema_version  # noqa: PLC0415 - see the top

    try:
        database = open_database(_settings())
        click.echo(f"The database has schema {schema_version(database.engine)[0]}.")
        database.engine.dispose()
    except StoreError as why:
        _end(FAILED, "database", str(why))


@main.command()
@click.option("--since", default="7d", show_default=True, metavar="SPAN", help="How far back, such as 12h or 30d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def audit(*, since: str, as_json: bool) -> None:
    """Who used the bot for what: look-ups (masked), refusals, mutes, subscriptions."""
    from bot import beside, report_json, terminal  # noqa: PLC0415 - see the top
    from bot.slack.spans import duration  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError  # noqa: PLC0415 - see the top

    settings = _settings()
    span = duration(since)
    if span is None:
        _end(USAGE, "usage", "--since takes a span such as 12h or 30d.")
    try:
        for row in beside.audited(settings, SystemClock().now() - span):
            click.echo(report_json.audit_json(row) if as_json else terminal.audit_line(row))
    except SettingsError as wrong:
        _end(USAGE, "settings", "\n".join(wrong.faults))
    except StoreError as why:
        _end(FAILED, "database", str(why))


@main.command()
@click.argument("number")
def forget(*, number: str) -> None:
    """Remove the traces of a phone NUMBER from the database, of every tenant; says what it removed."""
    from bot import beside, phone  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError  # noqa: PLC0415 - see the top

    settings = _settings()
    if not settings.cxone_tenant_id and not settings.tenants_file:
        _end(USAGE, "settings", "CXONE_TENANT_ID: missing. It is the tenant whose calls the database holds.")
    try:
        meant = phone.parse(number, settings.default_region)
        by_tenant = beside.forget(settings, meant)
    except phone.NotANumber as fault:
        _end(USAGE, "usage", fault.sentence)
    except SettingsError as wrong:
        _end(USAGE, "settings", "\n".join(wrong.faults))
    except StoreError as why:
        _end(FAILED, "database", str(why))
    kept = []
    for name, gone in by_tenant:
        tenant = f"{name}: " if settings.tenants_file else ""
        if gone is None:
            kept.append(f"{tenant}HASH_KEY is not the one that the bot hashes numbers with: nothing was removed.")
            continue
        said = f"{gone.calls} calls, {gone.alerts} alerts and {gone.uses} uses."
        click.echo(f"{tenant}{meant.masked} is removed from {said}")
    if len(kept) < len(by_tenant):
        click.echo("Messages in Slack keep the last four digits; delete them there.")
    if kept:
        _end(FAILED, "database", "\n".join(kept))


@main.command()
def check() -> None:
    """Settings, CXone, Slack: one line each, whether it answers with enough permission."""
    from bot import beside  # noqa: PLC0415 - see the top

    failed = False
    for line in beside.checks(SystemClock()):
        click.echo(str(line))
        failed = failed or line.failed
    sys.exit(FAILED if failed else 0)


@main.command()
@click.option(
    "--port",
    default=8080,
    type=click.IntRange(0, 65485),
    show_default=True,
    help="The page's port; the next free one if it is taken.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same calls.")
@click.option(
    "--speed",
    default=2.0,
    type=click.FloatRange(0.1, 100),
    show_default=True,
    help="How fast the contact centre lives.",
)
@click.option("--socket-mode", is_flag=True, help="Reach the bot over Socket Mode instead of HTTP.")
@click.option(
    "--api",
    type=click.Choice(["conversations", "contacts"]),
    default="conversations",
    show_default=True,
    help="Which of the two APIs the bot asks the tenant by.",
)
def demo(*, port: int, seed: int, speed: float, socket_mode: bool, api: str) -> None:
    """A made-up contact centre and Slack workspace in your browser, with the real bot between them."""
    from bot.demo import run as demo_run  # noqa: PLC0415 - see the top

    sys.exit(demo_run.demo(seed=seed, speed=speed, port=port, socket_mode=socket_mode, api=api))


# ---- endings ------------------------------------------------------------------------------------------------------


def _settings(*needs: Need, as_json: bool = False) -> Settings:
    """The settings that a command needs, or the list of all that is wrong with them and the end."""
    try:
        return load(needs)
    except SettingsError as wrong:
        _end(USAGE, "settings", "\n".join(wrong.faults), as_json=as_json)


def _end(code: int, error: str, message: str, *, as_json: bool = False, **more: Any) -> NoReturn:
    """Say why and leave: sentences on stderr, and with `--json` one object on stdout instead."""
    if as_json:
        from bot import report_json  # noqa: PLC0415 - see the top

        click.echo(report_json.dumps({"error": error, "message": message, **more}))
    else:
        click.echo(message, err=True)
    sys.exit(code)
