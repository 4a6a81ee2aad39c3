"""How a command ends: with its settings at hand, or with a sentence and the exit code that says why."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from bot.settings import Need, Settings, SettingsError, load

FAILED = 1  # a check, or the bot cannot run here
USAGE = 2  # or settings that are missing or wrong
NOT_FOUND = 3  # no conversation
NOT_ASKED = 4  # the platform could not be


def settings_for(*needs: Need, as_json: bool = False) -> Settings:
    """The settings that a command needs, or the list of all that is wrong with them and the end."""
    try:
        return load(needs)
    except SettingsError as wrong:
        end(USAGE, "settings", "\n".join(wrong.faults), as_json=as_json)


def end(code: int, error: str, message: str, *, as_json: bool = False, **more: Any) -> NoReturn:
    """Say why and leave: sentences on stderr, and with `--json` one object on stdout instead."""
    if as_json:
        from bot import report_json  # noqa: PLC0415 - what prints no JSON loads none of it

        click.echo(report_json.dumps({"error": error, "message": message, **more}))
    else:
        click.echo(message, err=True)
    sys.exit(code)
