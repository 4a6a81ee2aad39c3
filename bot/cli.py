"""The commands: read what was typed, hand over to the part that does it, and end with the exit code that says how.

Each command imports what it needs when it runs, so that none waits for another's libraries.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Any, cast

import click

from bot import __version__, memory
from bot.clock import SystemClock
from bot.endings import FAILED, USAGE, end, settings_for
from bot.settings import Settings, SettingsError


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
    from bot import question  # noqa: PLC0415 - see the top
    from bot.slack import tenant_names  # noqa: PLC0415 - see the top

    name, rest = tenant_names.find(" ".join(filter(None, (asked["number"], asked["tenant"]))))
    if asked["tenant"] and not name:
        raise click.UsageError(f"Got unexpected extra argument ({asked['tenant']})")
    asked |= {"number": rest, "tenant": name}
    given = [each for each in (path, asked["number"], asked["conversation_id"], asked["session_id"]) if each]
    if len(given) != 1:
        end(USAGE, "usage", "Give one of these: a phone number, --id, --session or --file.", as_json=as_json)
    if (asked["at"] or asked["since"]) and not asked["number"]:
        end(USAGE, "usage", "--at and --since go with a phone number.", as_json=as_json)
    if path and name:
        end(USAGE, "usage", f"With --file no tenant is asked: leave @{name} out.", as_json=as_json)
    report = question.from_file(path, as_json=as_json) if path else question.from_platform(asked, as_json=as_json)
    if asked["save"]:
        question.save(asked["save"], report, as_json=as_json)
    question.show(report, as_json=as_json)


# ---- the bot ------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--no-worker", is_flag=True, help="Leave polls and deliveries to `worker` processes (PostgreSQL only).")
def run(*, no_worker: bool) -> None:
    """The bot: over Socket Mode if SLACK_APP_TOKEN is set, else over HTTP on PORT."""
    memory.share()
    _run(
        settings_for("cxone", "slack"),
        "build_bot",
        needs_postgres="--no-worker" if no_worker else "",
        work=not no_worker,
    )


@main.command()
def worker() -> None:
    """A further process of watcher and deliveries; any number of them share one PostgreSQL."""
    memory.share()
    _run(settings_for("cxone", "posts"), "build_worker", needs_postgres="`worker`")


def _run(settings: Settings, build: str, *, needs_postgres: str, **options: bool) -> None:
    """Build the parts and run them until a signal comes."""
    sys.modules.setdefault("rich", cast("Any", None))  # structlog would load it for its tracebacks: 4 MB, never used
    from bot import logs, running, web, wiring  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError  # noqa: PLC0415 - see the top

    if needs_postgres and not settings.many_processes:
        said = "needs PostgreSQL, which several processes can share: set DATABASE_URL=postgresql+psycopg://…"
        end(USAGE, "settings", f"{needs_postgres} {said}")
    logs.set_up(settings.log_level, settings.log_format, settings.secrets())
    try:
        parts = getattr(wiring, build)(settings, SystemClock(), **options)
    except SettingsError as wrong:
        end(USAGE, "settings", "\n".join(wrong.faults))
    except (web.CannotListenError, StoreError) as why:
        end(FAILED, "cannot_run", str(why))
    running.until_told(parts)


@main.command()
def migrate() -> None:
    """The database to the newest schema; safe when several do it at once."""
    from bot.database import open_database  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError, schema_version  # noqa: PLC0415 - see the top

    try:
        database = open_database(settings_for())
        click.echo(f"The database has schema {schema_version(database.engine)[0]}.")
        database.engine.dispose()
    except StoreError as why:
        end(FAILED, "database", str(why))


@main.command()
@click.option("--since", default="7d", show_default=True, metavar="SPAN", help="How far back, such as 12h or 30d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def audit(*, since: str, as_json: bool) -> None:
    """Who used the bot for what: look-ups (masked), refusals, mutes, subscriptions."""
    from bot import beside, report_json, terminal  # noqa: PLC0415 - see the top
    from bot.slack.spans import duration  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError  # noqa: PLC0415 - see the top

    settings = settings_for()
    span = duration(since)
    if span is None:
        end(USAGE, "usage", "--since takes a span such as 12h or 30d.")
    try:
        for row in beside.audited(settings, SystemClock().now() - span):
            click.echo(report_json.audit_json(row) if as_json else terminal.audit_line(row))
    except SettingsError as wrong:
        end(USAGE, "settings", "\n".join(wrong.faults))
    except StoreError as why:
        end(FAILED, "database", str(why))


@main.command()
@click.argument("number")
def forget(*, number: str) -> None:
    """Remove the traces of a phone NUMBER from the database, of every tenant; says what it removed."""
    from bot import beside, phone  # noqa: PLC0415 - see the top
    from bot.store.engine import StoreError  # noqa: PLC0415 - see the top

    settings = settings_for()
    if not settings.cxone_tenant_id and not settings.tenants_file:
        end(USAGE, "settings", "CXONE_TENANT_ID: missing. It is the tenant whose calls the database holds.")
    try:
        meant = phone.parse(number, settings.default_region)
        by_tenant = beside.forget(settings, meant)
    except phone.NotANumber as fault:
        end(USAGE, "usage", fault.sentence)
    except SettingsError as wrong:
        end(USAGE, "settings", "\n".join(wrong.faults))
    except StoreError as why:
        end(FAILED, "database", str(why))
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
        end(FAILED, "database", "\n".join(kept))


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
