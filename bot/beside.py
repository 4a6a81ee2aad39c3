"""What is done beside a running bot: its checks, its audit, a number forgotten, and what it knows of a number."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bot import phone
from bot.clock import Clock
from bot.cxone.contacts import Contacts
from bot.settings import Settings, SettingsError, load
from bot.tenants import load as load_tenants

if TYPE_CHECKING:
    from bot.alerts.index import Index
    from bot.check import Line
    from bot.store.purge import Forgotten

log = structlog.get_logger(__name__)

AUDITED = ("at", "actor", "channel", "action", "subject", "result")


def known_here(settings: Settings, clock: Clock) -> Index | None:
    """The index of a bot that runs on this machine with the same database, without its lock; None if there is none."""
    url = settings.database_url.get_secret_value()
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path.is_file():
        return None
    from bot.database import Database, index  # noqa: PLC0415 - what runs without a store loads none
    from bot.store import engine, keys  # noqa: PLC0415 - as above

    try:
        key = settings.hash_key.get_secret_value() or keys.kept(url)
        opened = engine.open_store(url)
        version, newest = engine.schema_version(opened)
    except engine.StoreError as why:
        log.debug("no index", reason=str(why))
        return None
    if not key or version != newest:
        opened.dispose()
        return None
    return index(settings, clock, Database(opened, key))


def _tenant_names(settings: Settings) -> dict[str, str]:
    """The name of each tenant by its id. Raises `SettingsError`."""
    return {each.settings.cxone_tenant_id: each.name for each in load_tenants(settings, secrets=False)}


def forget(settings: Settings, number: phone.Number) -> list[tuple[str, Forgotten | None]]:
    """Remove a number from the tables, beside a running bot too. Raises `StoreError`, `SettingsError`.

    Says by tenant's name what went: None is nothing, for this tenant's numbers are hashed with another key. With a file
    of tenants also those are looked through that it no longer names.
    """
    from bot.alerts.index import HASHED_WITH, fingerprint  # noqa: PLC0415 - as above
    from bot.database import open_database  # noqa: PLC0415 - as above
    from bot.store import engine, facts, purge  # noqa: PLC0415 - as above

    names = _tenant_names(settings)
    database = open_database(settings)
    mine, hashed = fingerprint(database.hash_key), phone.hashed(number.e164, database.hash_key)
    gone = []
    try:
        with engine.writing(database.engine) as connection:
            kept = purge.with_numbers(connection) if settings.tenants_file else []
            for tenant in dict.fromkeys([*names, *kept]):
                key = facts.fact(connection, tenant, HASHED_WITH)
                same = key is None or key.value == mine
                name = names.get(tenant, tenant)
                gone.append((name, purge.forget(connection, tenant, hashed, number.masked) if same else None))
        return gone
    finally:
        database.engine.dispose()


def audited(settings: Settings, since: datetime) -> list[Mapping[str, Any]]:
    """The rows of the audit: at, actor, channel, action, subject, result. Raises `StoreError`, `SettingsError`.

    With a file of tenants the rows of all, each with its `tenant` after the time.
    """
    from bot.database import open_database  # noqa: PLC0415 - as above
    from bot.store import audit  # noqa: PLC0415 - as above
    from bot.store.engine import reading  # noqa: PLC0415 - as above

    names = _tenant_names(settings)
    database = open_database(settings)
    try:
        with reading(database.engine) as connection:
            if not settings.tenants_file:
                rows = audit.since(connection, settings.cxone_tenant_id, since)
                return [{name: getattr(row, name) for name in AUDITED} for row in rows]
            return [
                {"at": row.at, "tenant": names.get(row.tenant, row.tenant)}
                | {name: getattr(row, name) for name in AUDITED[1:]}
                for row in audit.since(connection, None, since)
            ]
    finally:
        database.engine.dispose()


def checks(clock: Clock) -> Iterator[Line]:
    """The lines of `check`, of each tenant where a file names them.

    What the settings lack is said, and the rest is checked all the same.
    """
    from bot import check, check_contacts  # noqa: PLC0415 - as above
    from bot.platforms import build_platform  # noqa: PLC0415 - as above

    # 1. The settings and the database.
    faults = _faults()
    if not faults:
        yield check.Line(check.Mark.OK, "Settings", "complete")
    for fault in faults:
        yield check.Line(check.Mark.FAIL, "Settings", fault)
    yield _database_line()

    # 2. CXone, tenant by tenant.
    tenants: dict[str, Settings] = {}
    with contextlib.suppress(SettingsError):
        tenants = _by_label(load(["cxone"]))
    for label, settings in tenants.items():
        with contextlib.closing(build_platform(settings, clock)) as platform:
            if isinstance(platform, Contacts):
                lines = check_contacts.contacts(settings, platform, clock)
            else:
                lines = check.cxone(settings, platform, clock)
            yield from (dataclasses.replace(line, tenant=label) for line in lines)

    # 3. Slack: the workspace that they share, or each that tenants name.
    with contextlib.suppress(SettingsError):
        yield from _slack_lines(load(["slack"]), tenants)


def _slack_lines(settings: Settings, tenants: Mapping[str, Settings]) -> Iterator[Line]:
    """Those of each workspace, under its id where there are several. Raises `SettingsError`."""
    from bot import check  # noqa: PLC0415 - as above
    from bot.clients import Clients  # noqa: PLC0415 - as above
    from bot.store.engine import StoreError, open_store  # noqa: PLC0415 - as above

    workspaces = {"": dict(tenants)}
    if settings.several_workspaces:
        served = {each.settings.cxone_tenant_id: each.workspace for each in load_tenants(settings, secrets=False)}
        workspaces = {workspace: {} for workspace in served.values()}
        for label, own in tenants.items():
            workspaces[served[own.cxone_tenant_id]][label] = own
    url = settings.database_url.get_secret_value()
    try:
        engine = open_store(url) if settings.several_workspaces and not _not_made_yet(url) else None
        clients = Clients(settings, engine)
        for workspace, own_tenants in workspaces.items():
            for line in check.slack(settings, clients.of(workspace), own_tenants):
                yield dataclasses.replace(line, tenant=line.tenant or workspace)
    except StoreError as why:
        yield check.Line(check.Mark.FAIL, "Slack token", str(why))


def _faults() -> list[str]:
    """All that is wrong with the settings and with the file of tenants."""
    faults: list[str] = []
    for look in (lambda: load(("cxone", "slack")), lambda: load_tenants(load())):
        try:
            look()
        except SettingsError as wrong:
            faults += [fault for fault in wrong.faults if fault not in faults]
    return faults


def _by_label(settings: Settings) -> dict[str, Settings]:
    """The settings of each tenant by its name, names of one width; without a file no name. Raises `SettingsError`."""
    if not settings.tenants_file:
        return {"": settings}
    tenants = load_tenants(settings)
    width = max(len(each.name) for each in tenants)
    return {each.name.ljust(width): each.settings for each in tenants}


def _not_made_yet(url: str) -> bool:
    return url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()


def _database_line() -> Line:
    """Whether the database can be opened and is of our schema. A SQLite file that is not there yet is not made."""
    from bot.check import Line, Mark  # noqa: PLC0415 - as above
    from bot.store import engine  # noqa: PLC0415 - as above

    try:
        url = load().database_url.get_secret_value()
    except SettingsError:
        return Line(Mark.FAIL, "Database", "not looked at: the settings are wrong")
    if _not_made_yet(url):
        return Line(Mark.OK, "Database", "a new SQLite file, made when the bot starts")
    try:
        opened = engine.open_store(url)
        found, newest = engine.schema_version(opened)
        opened.dispose()
    except engine.StoreError as why:
        return Line(Mark.FAIL, "Database", str(why))
    if found == newest:
        return Line(Mark.OK, "Database", f"schema {found}")
    return Line(Mark.NOTE, "Database", f"schema {found or 'none'}, to be migrated to {newest} when the bot starts")
