"""Several Slack workspaces on one bot: installed by OAuth, apart from each other, with sealed tokens, uninstalled."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.fernet import Fernet, MultiFernet
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy import Engine, text

from bot import beside
from bot.clients import Clients
from bot.clock import SystemClock
from bot.demo.api_server import Answer, ApiServer
from bot.demo.tenant import Tenant
from bot.demo.web_api import CLIENT_ID, CLIENT_SECRET, SCOPES
from bot.demo.workspace import Workspace
from bot.running import Part
from bot.settings import load
from bot.slack.app import web_client
from bot.slack.classify import Answer as Class
from bot.slack.classify import NotSentError, classify
from bot.slack.installing import _Flow, _States
from bot.slack.workspaces import Installations, NotServedError, WorkspaceClient
from bot.store import engine as engine_room
from bot.store.engine import StoreBroken, migrate, open_store, reading, writing
from bot.web import Server
from bot.wiring import build_bot
from tests.clock import HandClock
from tests.slack.conftest import until

NUMBER = "+15550199888"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROW = """
[[tenant]]
name = "{name}"
tenant_id = "acme-{name}"
client_id_env = "ACME_ID"
client_secret_env = "ACME_SECRET"
base_url = "{url}"
workspace = "{workspace}"
alert_channel = "C0ALERTS"
alert_filter = "min=1"
poll_seconds = 1
"""


class OneSlack(ApiServer):
    """The one address that both workspaces answer at: a token, or the code of an install, says which is meant."""

    def __init__(self, *workspaces: Workspace) -> None:
        super().__init__(workspaces[0].api.desk, workspaces[0].faults, workspaces[0].api.respond)
        self.workspaces = workspaces

    def perform(self, method: str, token: str, args: dict[str, Any]) -> Answer:
        """Let the one that is meant do it."""
        code = str(args.get("code", ""))
        meant = [each for each in self.workspaces if each.bot_token == token or code.startswith(f"{each.team.id}.")]
        return (meant or self.workspaces)[0].api.perform(method, token, args)


@dataclass
class World:
    """Two workspaces with a contact centre each, and the bot between them."""

    emea: Workspace
    apac: Workspace
    tenants: dict[str, Tenant]
    address: str
    engine: Engine
    parts: list[Part] = field(default_factory=list)

    def begin(self) -> str:
        """The bot's page leads to Slack's, with a state that is the browser's as well."""
        page = requests.get(f"{self.address}/slack/install", timeout=10, allow_redirects=False)
        state = page.cookies["slack-app-oauth-state"]
        asked = parse_qs(urlsplit(page.headers["Location"]).query)
        assert (page.status_code, asked["state"], asked["client_id"]) == (302, [state], [CLIENT_ID])
        assert set(asked["scope"][0].split(",")) == set(SCOPES)
        return state

    def install(self, workspace: Workspace) -> requests.Response:
        """Install the app as a person does: the bot's page, Slack's page, and the way back."""
        state = self.begin()
        # The cookie is for https alone; on loopback a browser would send it as well.
        cookie = {"Cookie": f"slack-app-oauth-state={state}"}
        code = workspace.allow()
        way_back = f"{self.address}/slack/oauth_redirect"
        return requests.get(way_back, params={"code": code, "state": state}, headers=cookie, timeout=10)

    def installed(self, table: str) -> list[str]:
        """Which workspaces have a token there."""
        with reading(self.engine) as connection:
            return list(connection.execute(text(f"SELECT team_id FROM {table}")).scalars())  # noqa: S608 - our own

    def ready(self) -> requests.Response:
        """What its health page says."""
        return requests.get(f"{self.address}/readyz", timeout=10)

    def messages(self, workspace: Workspace, channel: str = "voicebot-ops") -> list[dict[str, Any]]:
        """What the bot posted there, once there is something."""
        return until(lambda: [each for each in workspace.messages(channel) if each.get("bot_id")])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """The bot runs; no workspace has installed it yet."""
    emea = Workspace(team_id="T0EMEA", bot_token="xoxb-emea", post_burst=50).start()
    apac = Workspace(team_id="T0APAC", bot_token="xoxb-apac", post_burst=50).start()
    slack = OneSlack(emea, apac)
    slack.start()
    tenants = {name: Tenant(tenant_id=f"acme-{name}") for name in ("emea", "apac")}
    for tenant in tenants.values():
        tenant.start()
    rows = [ROW.format(name=name, url=tenants[name].url, workspace=f"T0{name.upper()}") for name in tenants]
    (tmp_path / "tenants.toml").write_text("".join(rows))
    settings = {
        "TENANTS_FILE": str(tmp_path / "tenants.toml"),
        "ACME_ID": "demo-client",
        "ACME_SECRET": "demo-secret",
        "SLACK_CLIENT_ID": CLIENT_ID,
        "SLACK_CLIENT_SECRET": CLIENT_SECRET,
        "SLACK_TOKEN_KEYS": NEW,
        "SLACK_SIGNING_SECRET": "demo-signing-secret",
        "SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/",
        "PORT": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    parts = build_bot(load(["cxone", "slack"]), SystemClock())
    for part in parts:
        part.start()
    (server,) = (part for part in parts if isinstance(part, Server))
    for workspace in (emea, apac):
        workspace.connect(f"{server.address}/slack/events")
    engine = open_store(load().database_url.get_secret_value())
    yield World(emea, apac, tenants, server.address, engine, parts)
    engine.dispose()
    for part in reversed(parts):
        part.stop()
    for tenant in tenants.values():
        tenant.stop()
    slack.stop()
    emea.stop()
    apac.stop()


def test_two_workspaces_install_it_and_see_each_their_own(world: World) -> None:
    """Answers and alerts go out with the token of their workspace; the other's tenant is not to be had, by any name."""
    # 1. Nobody has installed it: it is not ready, and says for whom.
    assert until(lambda: "not_installed" in world.ready().text)
    assert world.ready().status_code == 503
    # 2. Both do.
    for workspace in (world.emea, world.apac):
        done = world.install(workspace)
        assert (done.status_code, "Thank you" in done.text) == (200, True)
    # 3. A command in each is answered there, by its own tenant.
    calls = {name: tenant.play("rejected", NUMBER) for name, tenant in world.tenants.items()}
    for workspace, name in ((world.emea, "emea"), (world.apac, "apac")):
        workspace.command(NUMBER)
        assert calls[name] in str(world.messages(workspace)[-1]["blocks"])
        workspace.command(f"{NUMBER} @{'apac' if name == 'emea' else 'emea'}")
        assert until(lambda: len(world.messages(workspace)) > 1)  # noqa: B023 - called at once
        assert {call for call in calls.values() if call in str(world.messages(workspace))} == {calls[name]}
    # 4. The watcher finds both failures, and tells each in its own workspace.
    for workspace, name in ((world.emea, "emea"), (world.apac, "apac")):
        alert = until(lambda: world.messages(workspace, "handover-alerts"), seconds=20)  # noqa: B023 - called at once
        assert alert[0]["team"] == f"T0{name.upper()}"
    assert until(lambda: world.ready().status_code == 200, seconds=30)


def test_a_token_is_never_in_clear_in_the_database(world: World, tmp_path: Path) -> None:
    """Not in any table, not in the file."""
    world.install(world.emea)
    with reading(world.engine) as connection:
        kept = connection.execute(text("SELECT bot_token FROM slack_bots")).scalar()
    assert kept
    assert kept.startswith("gAAAA")
    for path in tmp_path.glob("handover.db*"):
        assert b"xoxb-emea" not in path.read_bytes()


def test_an_uninstall_takes_the_token_away(world: World) -> None:
    """At once; the other workspace notices nothing, and a new install begins anew."""
    world.install(world.emea)
    world.install(world.apac)
    world.emea.uninstall()
    assert until(lambda: world.installed("slack_bots") == world.installed("slack_installations") == ["T0APAC"])
    world.tenants["apac"].play("rejected", NUMBER)
    world.apac.command(NUMBER)
    assert world.messages(world.apac)
    world.emea.command(NUMBER)
    time.sleep(0.5)
    assert not [each for each in world.emea.messages("voicebot-ops") if each.get("bot_id")]
    assert world.install(world.emea).status_code == 200
    world.tenants["emea"].play("rejected", NUMBER)
    world.emea.command(NUMBER)
    assert world.messages(world.emea)


def test_an_uninstall_that_comes_late_leaves_a_newer_install(world: World) -> None:
    """Slack sends an event again until it is acked, and the app may be installed again meanwhile."""
    world.install(world.emea)
    world.emea.api.desk.team.clock = HandClock(datetime.now(UTC) - timedelta(minutes=5))
    assert not world.emea.uninstall().error
    assert world.installed("slack_bots") == world.installed("slack_installations") == ["T0EMEA"]


def test_an_uninstall_that_could_not_be_kept_is_not_acked(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is busy: Slack is told so, and sends it again."""
    monkeypatch.setattr(engine_room, "BUSY_SECONDS", 0.1)
    world.install(world.emea)
    with writing(world.engine):
        uninstalled = world.emea.uninstall()
        assert uninstalled.error
    assert "its token is still kept: The database was busy" in caplog.text
    assert until(lambda: not world.installed("slack_bots"))


def test_a_workspace_that_no_tenant_names_cannot_install_it(world: World) -> None:
    """It is told whom to ask, and nothing is kept."""
    with Workspace(team_id="T0STRANGERS", bot_token="xoxb-stranger") as stranger:
        world.emea.api.desk.team.codes[code := stranger.allow()] = "U0EVE"
        world.emea.team.id = "T0STRANGERS"
        state = world.begin()
        cookie = {"Cookie": f"slack-app-oauth-state={state}"}
        way_back = f"{world.address}/slack/oauth_redirect"
        done = requests.get(way_back, params={"code": code, "state": state}, headers=cookie, timeout=10)
    assert (done.status_code, "not set up for this workspace" in done.text) == (403, True)
    with reading(world.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM slack_bots")).scalar() == 0


def test_an_install_that_did_not_begin_here_is_refused(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Another browser's, a made-up one, one that the person broke off, and a code that Slack does not know."""
    way_back = f"{world.address}/slack/oauth_redirect"
    state = world.begin()
    cookie = {"Cookie": f"slack-app-oauth-state={state}"}
    for params, headers in (
        ({"code": world.emea.allow(), "state": state}, {}),
        ({"code": world.emea.allow(), "state": "made-up"}, {"Cookie": "slack-app-oauth-state=made-up"}),
        ({"error": "access_denied"}, cookie),
        ({"code": "nobody-knows", "state": state}, cookie),
    ):
        requests.get(way_back, params=params, headers=headers, timeout=10)
    assert "nobody-knows" not in caplog.text
    with reading(world.engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM slack_bots")).scalar() == 0
    assert requests.post(f"{world.address}/slack/install", timeout=10).status_code == 405


@pytest.mark.parametrize("word", ["accept_then_drop", "500", "429:3", "busy"])
def test_an_install_that_slack_or_the_database_leaves_is_to_be_begun_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    """The person is told so, and the log has one line."""
    monkeypatch.setattr(engine_room, "BUSY_SECONDS", 0.1)
    with contextlib.ExitStack() as busy:
        if word == "busy":
            busy.enter_context(writing(world.engine))
        else:
            world.emea.faults.script("oauth.v2.access", [word])
        done = world.install(world.emea)
    assert (done.status_code, "Open /slack/install again." in done.text) == (503, True)
    (line,) = (each.getMessage() for each in caplog.records if each.name == _Flow.__module__)
    assert line.startswith("an install failed: ")
    assert world.install(world.emea).status_code == 200


@pytest.mark.parametrize(("team", "proposed"), [("T0EMEA", ["T0EMEA"]), ("T0\r\nX-Evil:1", []), ("T0&scope=x", [])])
def test_slacks_page_proposes_a_workspace_if_it_is_one(world: World, team: str, proposed: list[str]) -> None:
    """What stands in the address goes on into another one and into a header."""
    page = requests.get(f"{world.address}/slack/install", params={"team": team}, timeout=10, allow_redirects=False)
    asked = parse_qs(urlsplit(page.headers["Location"]).query)
    assert (page.status_code, asked.get("team", []), "X-Evil" in page.headers) == (302, proposed, False)
    assert set(asked["scope"][0].split(",")) == set(SCOPES)


# ---- the store ----------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database."""
    opened = open_store(f"sqlite:///{tmp_path}/handover.db")
    migrate(opened)
    yield opened
    opened.dispose()


def installed(token: str = "xoxb-1", team: str | None = "T1") -> Installation:  # noqa: S107 - made up
    """An install, as Bolt hands it to the store."""
    return Installation(app_id="A1", team_id=team, bot_token=token, bot_id="B1", bot_user_id="U2", user_id="U1")


def test_what_an_older_key_sealed_is_sealed_anew(engine: Engine) -> None:
    """Then the older key may go; without any key that fits, a sentence says so."""
    Installations(CLIENT_ID, engine, [OLD], ["T1"]).save(installed())
    both = Installations(CLIENT_ID, engine, [NEW, OLD], ["T1"])
    assert both.token("T1") == "xoxb-1"
    with pytest.raises(StoreBroken, match="SLACK_TOKEN_KEYS lacks"):
        Installations(CLIENT_ID, engine, [NEW], ["T1"]).seal_anew()
    both.seal_anew()
    assert Installations(CLIENT_ID, engine, [NEW], ["T1"]).token("T1") == "xoxb-1"
    with pytest.raises(StoreBroken, match="SLACK_TOKEN_KEYS lacks"):
        Installations(CLIENT_ID, engine, [OLD], ["T1"]).token("T1")


def test_the_newest_install_counts(engine: Engine) -> None:
    """Installed again, the workspace has another token, and no older one is kept; an uninstall ends what was before."""
    store = Installations(CLIENT_ID, engine, [NEW], ["T1"])
    assert store.token("T1") == ""
    for number, organisation in enumerate((None, "E1", None)):
        again = installed(f"xoxb-{number}")
        again.installed_at, again.enterprise_id = 1000.5 + number * 60, organisation
        store.save(again)
    assert store.token("T1") == "xoxb-2"
    with reading(engine) as connection:
        for table in ("slack_bots", "slack_installations"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 1  # noqa: S608 - our own
    store.forget("T1", 1119)  # an event that comes late, of an earlier uninstall
    assert store.token("T1") == "xoxb-2"
    store.forget("T1", 1120)
    assert store.token("T1") == ""


def test_a_check_seals_nothing_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a bot that does not know the new key yet, every token stays to be opened by it."""
    world.install(world.emea)
    monkeypatch.setenv("SLACK_TOKEN_KEYS", f"{OLD},{NEW}")
    lines = [line for line in beside.checks(SystemClock()) if line.what == "Slack token"]
    assert [line.mark.name for line in lines] == ["OK", "FAIL"]
    assert Installations(CLIENT_ID, world.engine, [NEW], ["T0EMEA"]).token("T0EMEA") == "xoxb-emea"


@pytest.mark.usefixtures("world")
def test_a_check_before_the_first_start_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has installed the app then."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    lines = [line for line in beside.checks(SystemClock()) if line.what == "Slack token"]
    assert ["not_installed" in line.text for line in lines] == [True, True]
    assert not list(tmp_path.glob("new.db*"))


def test_a_token_that_cannot_be_read_is_no_answer_of_slack(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing was sent, so it is sent again without a look; the sentence is the database's."""
    Installations(CLIENT_ID, engine, [OLD], ["T1"]).save(installed())
    client = WorkspaceClient(Installations(CLIENT_ID, engine, [NEW], ["T1"]), "T1", web_client(""))
    with pytest.raises(NotSentError) as raised:
        client.chat_postMessage(channel="C1", text="x")
    meaning = classify(raised.value)
    assert (meaning.answer, "SLACK_TOKEN_KEYS lacks" in meaning.code) == (Class.REPEAT, True)
    assert "SLACK_TOKEN_KEYS lacks" in caplog.text


@pytest.mark.parametrize("team", ["T2", None])
def test_only_served_workspaces_are_kept(engine: Engine, team: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """Nor an install for a whole organisation; the log tells whoever runs it which one asked."""
    caplog.set_level(logging.WARNING)
    with pytest.raises(NotServedError, match="TENANTS_FILE"):
        Installations(CLIENT_ID, engine, [NEW], ["T1"]).save(installed(team=team))
    assert str(team) in caplog.text


def test_the_same_on_postgresql(postgres: Any) -> None:
    """Long tokens and long seals fit."""
    opened = open_store(postgres.migrated())
    store = Installations(CLIENT_ID, opened, [OLD], ["T1"])
    store.save(installed("xoxb-" + "1" * 250))
    renewed = Installations(CLIENT_ID, opened, [NEW, OLD], ["T1"])
    renewed.seal_anew()
    assert Installations(CLIENT_ID, opened, [NEW], ["T1"]).token("T1") == "xoxb-" + "1" * 250
    opened.dispose()


def test_a_state_is_good_once_and_grows_old() -> None:
    """Once, however it is written, within ten minutes; one of another key is none of ours."""
    states = _States([NEW])
    assert states.consume(state := states.issue())
    assert not states.consume(state)
    assert not states.consume(f"{state}!")
    late = MultiFernet([Fernet(NEW)]).encrypt_at_time(b"install", int(time.time()) - 601).decode()
    assert not states.consume(late)
    assert not _States([OLD]).consume(states.issue())


def test_without_an_install_slack_is_not_asked(world: World) -> None:
    """And whatever is owed waits, as with a token that Slack refuses."""
    client = Clients(load(["cxone", "slack"]), world.engine).of("T0EMEA")
    with pytest.raises(SlackApiError) as refused:
        client.auth_test()
    assert classify(refused.value).answer is Class.STOP
