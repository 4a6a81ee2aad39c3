"""The commands where a file names several tenants: none is left out, and each line says whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert, select

from bot import phone
from bot.alerts.index import HASHED_WITH, fingerprint
from bot.cli import main
from bot.clock import SystemClock
from bot.store import audit, facts
from bot.store.engine import migrate, open_store, reading, writing
from bot.store.tables import audit as uses
from bot.store.tables import conversations, numbers

NUMBER = "+15550199888"
KEY = "0123456789abcdef"
ROW = """
[[tenant]]
name = "{name}"
tenant_id = "acme-{name}"
client_id_env = "ACME_ID"
client_secret_env = "ACME_SECRET"
"""


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two tenants, emea and apac, in an empty folder. No secret is set: `forget` and `audit` ask nobody."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tenants.toml"
    path.write_text(ROW.format(name="emea") + ROW.format(name="apac"))
    for name, value in {
        "TENANTS_FILE": str(path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/handover.db",
        "HASH_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    """Both tenants, and one that nobody serves any more, had a call of the number and looked it up once."""
    opened = open_store(f"sqlite:///{tmp_path}/handover.db", sync="OFF")
    migrate(opened)
    now = SystemClock().now()
    hashed = phone.hashed(NUMBER, KEY)
    for minutes, tenant in enumerate(("acme-emea", "acme-apac", "acme-left")):
        with writing(opened) as connection:
            facts.renew(connection, tenant, HASHED_WITH, now, fingerprint(KEY))
            row = {"tenant": tenant, "id": "conv-1", "seen_at": now, "phone": "•••• 9888"}
            connection.execute(insert(conversations).values(**row))
            connection.execute(insert(numbers).values(tenant=tenant, hash=hashed, conversation_id="conv-1"))
            audit.write(
                connection,
                tenant,
                at=now - timedelta(minutes=9 - minutes),
                actor="U0SAM",
                channel="C1",
                action="diagnose",
                subject="•••• 9888",
                number_hash=hashed,
                result="rejected",
            )
    yield opened
    opened.dispose()


def run(*arguments: str) -> Result:
    """One command to its end."""
    return CliRunner().invoke(main, arguments)


# ---- forget and audit ---------------------------------------------------------------------------------------------


def test_a_number_is_forgotten_by_every_tenant(store: Engine) -> None:
    """By those that the file no longer names too; each says what went."""
    done = run("forget", NUMBER)
    assert done.exit_code == 0
    for name in ("emea", "apac", "acme-left"):
        assert f"{name}: •••• 9888 is removed from 1 calls, 0 alerts and 1 uses." in done.stdout
    with reading(store) as connection:
        assert connection.execute(select(numbers)).all() == []
        assert set(connection.scalars(select(conversations.c.phone))) == {""}
        assert {tuple(row) for row in connection.execute(select(uses.c.hash, uses.c.subject))} == {("", "forgotten")}


def test_a_tenant_of_another_key_is_told(store: Engine) -> None:
    """The others forget the number, and the end says that it was not everywhere."""
    with writing(store) as connection:
        facts.renew(connection, "acme-apac", HASHED_WITH, SystemClock().now(), fingerprint("another-key-altogether"))
    done = run("forget", NUMBER)
    assert done.exit_code == 1
    assert "emea: •••• 9888 is removed from 1 calls" in done.stdout
    assert "apac: HASH_KEY is not the one" in done.stderr
    with reading(store) as connection:
        assert connection.scalars(select(numbers.c.tenant)).all() == ["acme-apac"]


@pytest.mark.usefixtures("store")
def test_without_a_file_one_tenant_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ever: no name, and nothing of the others."""
    monkeypatch.delenv("TENANTS_FILE")
    monkeypatch.setenv("CXONE_TENANT_ID", "acme-emea")
    shown = [json.loads(line) for line in run("audit", "--json").stdout.splitlines()]
    assert [list(row) for row in shown] == [["at", "actor", "channel", "action", "subject", "result"]]
    assert run("forget", NUMBER).stdout.startswith("•••• 9888 is removed from 1 calls, 0 alerts and 1 uses.\n")
    monkeypatch.setenv("CXONE_TENANT_ID", "acme-apac")
    assert "removed from 1 calls" in run("forget", NUMBER).stdout


@pytest.mark.usefixtures("store")
def test_the_audit_says_whose_each_use_was() -> None:
    """All of them in the order of time: the name of the file, or the id of one that it no longer names."""
    shown = [json.loads(line) for line in run("audit", "--json").stdout.splitlines()]
    assert [row["tenant"] for row in shown] == ["emea", "apac", "acme-left"]
    assert [line.split("  ")[1] for line in run("audit").stdout.splitlines()] == ["emea", "apac", "acme-left"]


@pytest.mark.parametrize("command", [["forget", NUMBER], ["audit"]])
def test_a_file_with_faults_ends_it(file: Path, command: list[str]) -> None:
    """All are listed, and nothing is half done."""
    file.write_text(ROW.format(name="EMEA"))
    done = run(*command)
    assert done.exit_code == 2
    assert "TENANTS_FILE: line 3: name must be small letters" in done.stderr


# ---- check and diagnose -------------------------------------------------------------------------------------------


@pytest.fixture
def emea() -> Iterator[Any]:
    """The contact centre of the first tenant."""
    yield from _centre("acme-emea")


@pytest.fixture
def apac() -> Iterator[Any]:
    """The contact centre of the second."""
    yield from _centre("acme-apac")


def _centre(tenant_id: str) -> Iterator[Any]:
    from bot.demo.tenant import Tenant  # noqa: PLC0415 - most tests need none

    with Tenant(tenant_id=tenant_id) as running:
        yield running


@pytest.fixture
def centres(monkeypatch: pytest.MonkeyPatch, file: Path, emea: Any, apac: Any) -> None:
    """The file leads to both, with the secrets."""
    monkeypatch.setenv("ACME_ID", "demo-client")
    monkeypatch.setenv("ACME_SECRET", "demo-secret")
    rows = [
        ROW.format(name=name) + f'base_url = "{url}"\n{more}\n'
        for name, url, more in (
            ("emea", emea.url, 'alert_channel = "#handover-alerts"'),
            ("apac", apac.url, 'alert_channel = "#nowhere"'),
        )
    ]
    file.write_text("".join(rows))


@pytest.mark.usefixtures("centres")
def test_each_tenant_is_checked(monkeypatch: pytest.MonkeyPatch, apac: Any, workspace: Any) -> None:
    """Its calls and its channels, under its name; what is common once."""
    for name, value in {
        "SLACK_BOT_TOKEN": "xoxb-demo",
        "SLACK_SIGNING_SECRET": "demo-signing-secret",
        "SLACK_API_URL": workspace.api_url,
    }.items():
        monkeypatch.setenv(name, value)
    apac.faults.add("/api/v2/queues/", "status", status=403)
    done = run("check")
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert sum(line.startswith("ok    emea  CXone") for line in lines) == 7
    assert sum(line.startswith("ok    apac  CXone") for line in lines) == 6
    assert [line.split(maxsplit=4)[:4] for line in lines if line.startswith("FAIL")] == [
        ["FAIL", "apac", "CXone", "queues"],
        ["FAIL", "apac", "Slack", "ALERT_CHANNEL"],
    ]
    assert any(line.startswith("ok    emea  Slack ALERT_CHANNEL") for line in lines)
    assert sum("Slack token" in line for line in lines) == 1


def test_check_tells_the_faults_of_the_file(file: Path) -> None:
    """Beside those of the settings, and nobody is asked."""
    file.write_text(ROW.format(name="EMEA"))
    done = run("check")
    assert done.exit_code == 1
    assert "FAIL  Settings               SLACK_BOT_TOKEN: missing" in done.stdout
    assert "FAIL  Settings               TENANTS_FILE: line 3: name must be small letters" in done.stdout
    assert "FAIL  Settings               TENANTS_FILE: line 5: ACME_ID is not set" in done.stdout
    assert "CXone token" not in done.stdout


@pytest.mark.usefixtures("centres")
@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ([NUMBER], "emea"),
        ([NUMBER, "@apac"], "apac"),
        (["@APAC", NUMBER], "apac"),
        ([f"{NUMBER} @apac"], "apac"),
        (["@apac", "--id", "{id}"], "apac"),
    ],
)
def test_diagnose_asks_the_tenant_that_is_named_or_the_first(
    emea: Any, apac: Any, typed: list[str], asked: str
) -> None:
    """Wherever the name stands, as after /handover; no other is asked."""
    calls = {"emea": emea.play("rejected", NUMBER), "apac": apac.play("ignored", NUMBER)}
    done = run("diagnose", *(each.format(id=calls[asked]) for each in typed), "--json")
    assert (done.exit_code, json.loads(done.stdout)["conversation_id"]) == (0, calls[asked])
    assert not (apac if asked == "emea" else emea).requests


@pytest.mark.usefixtures("centres")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([NUMBER, "@amer"], "There is no tenant @amer. There are @emea and @apac."),
        (["@amer", "--id", "x"], "There is no tenant @amer. There are @emea and @apac."),
        (["--file", "call.json", "@emea"], "With --file no tenant is asked: leave @emea out."),
        (["@emea"], "Give one of these: a phone number"),
        ([NUMBER, "emea"], "Got unexpected extra argument (emea)"),
    ],
)
def test_a_name_that_nobody_has_lists_those_there_are(emea: Any, apac: Any, typed: list[str], said: str) -> None:
    """And nobody is asked."""
    done = run("diagnose", *typed)
    assert (done.exit_code, said in done.stderr) == (2, True)
    assert not [*emea.requests, *apac.requests]


def test_without_a_file_there_is_no_name(monkeypatch: pytest.MonkeyPatch, tenant: Any) -> None:
    """The one of the settings is asked, and a name is told that there is none."""
    monkeypatch.delenv("TENANTS_FILE")
    for name, value in {
        "CXONE_TENANT_ID": "demo",
        "CXONE_CLIENT_ID": "demo-client",
        "CXONE_CLIENT_SECRET": "demo-secret",
        "CXONE_BASE_URL": tenant.url,
    }.items():
        monkeypatch.setenv(name, value)
    call = tenant.play("rejected", NUMBER)
    assert json.loads(run("diagnose", NUMBER, "--json").stdout)["conversation_id"] == call
    done = run("diagnose", NUMBER, "@emea", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]) == (2, "usage")
    assert "TENANTS_FILE names none" in done.stdout
