"""Several CXone tenants for one bot: a TOML file, one table a tenant. Secrets stand in it by name only.

    [[tenant]]
    name = "emea"                          # what people type after @, and what alerts say
    tenant_id = "acme-emea"
    client_id_env = "EMEA_CLIENT_ID"       # the environment variable (or line of .env) that holds it, or …_FILE
    client_secret_env = "EMEA_CLIENT_SECRET"
    profile = "conversations"              # or "contacts", with access_key_id_env and access_key_secret_env
    alert_channel = "#emea-voicebot"
    channels = ["C0EMEA1"]                 # /handover typed there means this tenant
    workspace = "T0EMEA"                   # where several Slack workspaces install the app: the one that it serves

What a tenant does not say it takes from the settings. Every fault is reported at once, with its line.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr

from bot.setting_kinds import web_address
from bot.settings import Settings, SettingsError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_TENANT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_WORKSPACE = re.compile(r"T[A-Z0-9]{2,30}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"^\s*\[\[\s*tenant\s*\]\]")
_MOST_RPS, _MOST_LOOKBACK, _MOST_POLL = 10_000, 744, 86_400

# What a tenant may say in place of a setting: its word, the setting, and what it must be.
_TEXTS = {
    "base_url": "cxone_base_url",
    "issuer": "cxone_issuer",
    "api_version": "cxone_api_version",
    "alert_channel": "alert_channel",
    "alert_filter": "alert_filter",
    "ops_channel": "ops_channel",
}
_NUMBERS = {
    "lookback_hours": ("lookback_hours", 1, _MOST_LOOKBACK),
    "max_rps": ("cxone_max_rps", 0.01, _MOST_RPS),
    "poll_seconds": ("poll_seconds", 1, _MOST_POLL),
}
_SECRETS = {
    "client_id_env": "cxone_client_id",
    "client_secret_env": "cxone_client_secret",
    "access_key_id_env": "cxone_access_key_id",
    "access_key_secret_env": "cxone_access_key_secret",
}
_KNOWN = {"name", "tenant_id", "profile", "channels", "workspace", *_TEXTS, *_NUMBERS, *_SECRETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant: the settings as they hold for it, and who means it."""

    name: str
    settings: Settings
    channels: tuple[str, ...] = ()  # ids of channels in which a command without @ means it
    workspace: str = ""  # the Slack workspace that it serves; empty where the bot is in one alone


def load(settings: Settings, *, secrets: bool = True) -> tuple[Tenant, ...]:
    """The tenants of `TENANTS_FILE`, or the one of the settings. Raises `SettingsError` with every fault.

    Without `secrets` nobody will be asked: they are not read, and may be missing.
    """
    if not settings.tenants_file:
        return (Tenant(name=settings.cxone_tenant_id, settings=settings),)
    try:
        source = Path(settings.tenants_file).read_text(encoding="utf-8")
    except (OSError, ValueError) as why:
        reason = why.strerror if isinstance(why, OSError) and why.strerror else "it is not UTF-8 text"
        raise SettingsError([f"TENANTS_FILE: the file cannot be read: {reason}."]) from None
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as why:
        raise SettingsError([f"TENANTS_FILE: {_with_line(str(why))}"]) from None
    return _Reading(source, settings, secrets=secrets).tenants(document)


def _with_line(said: str) -> str:
    found = re.search(r"\(at line (\d+), column \d+\)", said)
    what = said[: found.start()].strip() if found else said
    return f"line {found[1]}: no TOML: {what}." if found else f"no TOML: {what}."


class _Reading:
    """One reading of the file: what was found, and all that is wrong with it."""

    def __init__(self, source: str, settings: Settings, *, secrets: bool) -> None:
        self._lines = source.splitlines()
        self._settings = settings
        self._with_secrets = secrets
        self._environment = {**dotenv_values(".env"), **os.environ} if Path(".env").is_file() else dict(os.environ)
        self._starts = [number for number, line in enumerate(self._lines, 1) if _HEADER.match(line)]
        self._faults: list[tuple[int, str]] = []

    def tenants(self, document: Mapping[str, Any]) -> tuple[Tenant, ...]:
        rows = document.get("tenant")
        for word in document:
            if word != "tenant":
                self._faults.append((self._line_of(word, 1, len(self._lines)), f"“{word}” is not known here."))
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            self._faults.append((1, "there is no tenant: each begins with [[tenant]]."))
            rows = []
        found = [self._tenant(index, row) for index, row in enumerate(rows)]
        self._twice(rows, "name")
        self._twice(rows, "tenant_id")
        self._channels_twice(rows)
        if self._faults:
            raise SettingsError([f"TENANTS_FILE: line {line}: {fault}" for line, fault in sorted(self._faults)])
        return tuple(found)

    def _tenant(self, index: int, row: Mapping[str, Any]) -> Tenant:
        def wrong(word: str, fault: str) -> None:
            self._faults.append((self._line(index, word), fault))

        for word in row:
            if word not in _KNOWN:
                wrong(word, f"“{word}” is not known.")
        name = self._text(row, "name", wrong, NAME, "must be small letters, digits and hyphens")
        tenant_id = self._text(row, "tenant_id", wrong, _TENANT_ID, "may hold letters, digits and hyphens only")
        profile = row.get("profile", self._settings.cxone_api)
        if profile not in ("conversations", "contacts"):
            wrong("profile", "profile must be “conversations” or “contacts”.")
        values: dict[str, Any] = {"cxone_tenant_id": tenant_id, "cxone_api": profile, "tenants_file": ""}
        for word, setting in _TEXTS.items():
            if word in row and self._text(row, word, wrong):
                values[setting] = row[word].strip()
        values |= self._numbers(row, wrong)
        if self._with_secrets:
            values |= self._secrets(row, str(profile), wrong)
        workspace = ""
        if self._settings.several_workspaces:
            rule = "must be a workspace's id, such as T0EMEA"
            workspace = self._text(row, "workspace", wrong, _WORKSPACE, rule)
        channels = row.get("channels", [])
        if not isinstance(channels, list) or not all(isinstance(each, str) for each in channels):
            wrong("channels", 'channels must be a list of channel ids, such as ["C0EMEA1"].')
            channels = []
        self._address(values.get("cxone_base_url", ""), wrong)
        return Tenant(
            name=name,
            settings=self._settings.model_copy(update=values),
            channels=tuple(channels),
            workspace=workspace,
        )

    def _numbers(self, row: Mapping[str, Any], wrong: Callable[[str, str], None]) -> dict[str, float]:
        values = {}
        for word, (setting, least, most) in _NUMBERS.items():
            number = row.get(word, least)
            if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
                wrong(word, f"{word} must be a number from {least:g} to {most:g}.")
            elif word in row:
                values[setting] = float(number)
        return values

    def _secrets(self, row: Mapping[str, Any], profile: str, wrong: Callable[[str, str], None]) -> dict[str, Any]:
        needed = {"client_id_env", "client_secret_env"}
        needed |= {"access_key_id_env", "access_key_secret_env"} if profile == "contacts" else set()
        values: dict[str, Any] = {}
        for word, setting in _SECRETS.items():
            if word not in row:
                if word in needed:
                    wrong(word, f"{word} is missing: the name of the environment variable that holds it.")
                continue
            variable = row[word]
            if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
                wrong(word, f"{word} must be the name of an environment variable, not the value itself.")
                continue
            value = self._value(variable)
            if not value:
                wrong(word, f"{variable} is not set (nor {variable}_FILE).")
                continue
            values[setting] = value if setting in ("cxone_client_id", "cxone_access_key_id") else SecretStr(value)
        return values

    def _value(self, variable: str) -> str:
        value = (self._environment.get(variable) or "").strip()
        path = (self._environment.get(f"{variable}_FILE") or "").strip()
        if value or not path:
            return value
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return ""

    def _text(
        self,
        row: Mapping[str, Any],
        word: str,
        wrong: Callable[[str, str], None],
        form: re.Pattern[str] | None = None,
        rule: str = "",
    ) -> str:
        value = row.get(word)
        if value is None:
            wrong(word, f"{word} is missing.")
        elif not isinstance(value, str) or not value.strip():
            wrong(word, f"{word} must be a text.")
        elif form is not None and not form.fullmatch(value):
            wrong(word, f"{word} {rule}.")
        else:
            return value.strip()
        return ""

    def _address(self, url: str, wrong: Callable[[str, str], None]) -> None:
        if not url:
            return
        try:
            web_address(url)
        except ValueError as why:
            wrong("base_url", f"base_url {why}.")

    def _twice(self, rows: list[Mapping[str, Any]], word: str) -> None:
        seen: dict[str, int] = {}
        for index, row in enumerate(rows):
            value = row.get(word)
            if isinstance(value, str) and value in seen:
                line = self._line(seen[value], word)
                self._faults.append((self._line(index, word), f"{word} “{value}” is that of line {line} already."))
            elif isinstance(value, str):
                seen[value] = index

    def _channels_twice(self, rows: list[Mapping[str, Any]]) -> None:
        seen: set[str] = set()
        for index, row in enumerate(rows):
            channels = row.get("channels")
            for channel in channels if isinstance(channels, list) else ():
                if isinstance(channel, str) and channel in seen:
                    fault = f"the channel {channel} is that of another tenant already."
                    self._faults.append((self._line(index, "channels"), fault))
                elif isinstance(channel, str):
                    seen.add(channel)

    def _line(self, index: int, word: str) -> int:
        """The line of a word in a tenant's table, or of the table's beginning."""
        if index >= len(self._starts):  # written inline, in one line or another
            return self._line_of("tenant", 1, len(self._lines))
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self._lines) + 1
        return self._line_of(word, self._starts[index], end)

    def _line_of(self, word: str, start: int, end: int) -> int:
        form = re.compile(rf"""^\s*["']?{re.escape(word)}["']?\s*[=.\]]|^\s*\[+\s*{re.escape(word)}""")
        for number in range(start, min(end, len(self._lines) + 1)):
            if form.match(self._lines[number - 1]):
                return number
        return start
