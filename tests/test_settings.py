"""Settings: every fault at once, no value ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Need, Settings, SettingsError, load

CXONE = {"CXONE_TENANT_ID": "acme", "CXONE_CLIENT_ID": "reader", "CXONE_CLIENT_SECRET": "s3cret-value"}
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1-secret", "SLACK_SIGNING_SECRET": "s1gning-value"}
SEAL = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SEVERAL = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "cl1ent-value", "SLACK_TOKEN_KEYS": SEAL}
EVERYTHING: tuple[Need, ...] = ("cxone", "slack")


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An empty folder to work in, and the environment to set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL")
    return monkeypatch


def give(env: pytest.MonkeyPatch, **values: str) -> None:
    """Set these variables."""
    for name, value in values.items():
        env.setenv(name, value)


def faults(*needs: Need) -> list[str]:
    """What is wrong with the settings now."""
    with pytest.raises(SettingsError) as wrong:
        load(needs)
    return wrong.value.faults


@pytest.mark.usefixtures("env")
def test_nothing_is_needed_where_nobody_asks() -> None:
    """`demo` and `diagnose --file` start with no settings at all, on the defaults of the design."""
    settings = load()
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.database_url.get_secret_value() == "sqlite:///handover.db"
    assert (settings.host, settings.port, settings.poll_seconds) == ("127.0.0.1", 3000, 15)
    assert (settings.grace_seconds, settings.abandon_seconds, settings.deadline_seconds) == (60, 5, 20)
    assert settings.cxone_max_rps is None


@pytest.mark.usefixtures("env")
def test_all_that_is_missing_is_listed() -> None:
    """One sentence each, so that nobody has to start five times."""
    names = [fault.partition(":")[0] for fault in faults("cxone", "slack")]
    assert names == [
        "CXONE_TENANT_ID",
        "CXONE_CLIENT_ID",
        "CXONE_CLIENT_SECRET",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET",
    ]


def test_what_is_wrong_and_what_is_missing_stand_in_one_list(env: pytest.MonkeyPatch) -> None:
    """A wrong value does not hide a missing one."""
    give(env, PORT="70000", POLL_SECONDS="0", CXONE_TENANT_ID="acme", CXONE_API="soap", LOG_LEVEL="loud")
    listed = "\n".join(faults("cxone"))
    for name in ("PORT", "POLL_SECONDS", "CXONE_API", "LOG_LEVEL", "CXONE_CLIENT_ID", "CXONE_CLIENT_SECRET"):
        assert f"{name}:" in listed


WRONG = {
    "CXONE_TENANT_ID": "https://leak-a.example",
    "CXONE_BASE_URL": "http://leak-b.example",
    "CXONE_CLIENT_SECRET": "leak c",
    "CXONE_MAX_RPS": "leak-d",
    "SLACK_BOT_TOKEN": "leak-e",
    "SLACK_APP_TOKEN": "leak-f",
    "SLACK_API_URL": "ftp://leak-g",
    "DATABASE_URL": "mysql://leak-h:leak@db",
    "HASH_KEY": "leak-i",
    "HEARTBEAT_URL": "http://leak-j.example/secret",
    "PORT": "leak-k",
    "DEFAULT_REGION": "leak-l",
    "LOG_FORMAT": "leak-m",
    "GRACE_SECONDS": "nan-leak",
    "LOOKBACK_HOURS": "inf",
    "SLACK_SIGNING_SECRET": "leak\nn",
}


def test_no_fault_repeats_a_value(env: pytest.MonkeyPatch) -> None:
    """What stands in the wrong place may be a secret."""
    give(env, **WRONG)
    listed = faults(*EVERYTHING)
    assert {fault.partition(":")[0] for fault in listed} >= set(WRONG)
    assert "leak" not in "\n".join(listed)


def test_faults_read_as_sentences(env: pytest.MonkeyPatch) -> None:
    """Not in pydantic's words, and with one full stop."""
    give(env, PORT="eighty", POLL_SECONDS="often", CXONE_CLIENT_SECRET="two words")
    told = faults()
    assert {"PORT: must be a whole number.", "POLL_SECONDS: must be a number."} <= set(told)
    assert not any("?." in fault for fault in told)


def test_several_workspaces_need_no_token_and_more_of_the_rest(env: pytest.MonkeyPatch) -> None:
    """The client's id says that they are meant; with a bot's token it counts for nothing."""
    give(env, **CXONE, SLACK_CLIENT_ID="1.2", SLACK_SIGNING_SECRET="s1gning-value")
    names = [fault.partition(":")[0] for fault in faults("cxone", "slack")]
    assert names == ["SLACK_CLIENT_SECRET", "SLACK_TOKEN_KEYS", "TENANTS_FILE"]
    give(env, **SEVERAL, TENANTS_FILE="tenants.toml")
    assert load(EVERYTHING).several_workspaces
    give(env, **SLACK)
    assert not load(EVERYTHING).several_workspaces


@pytest.mark.parametrize("keys", ["too-short", f"{SEAL},nonsense", "no base64: ü", ",,,"])
def test_a_key_that_seals_nothing_is_a_fault(env: pytest.MonkeyPatch, keys: str) -> None:
    """Told without the key."""
    give(env, **CXONE, **SLACK, SLACK_TOKEN_KEYS=keys)
    (fault,) = faults("cxone", "slack")
    assert fault.startswith("SLACK_TOKEN_KEYS: ")
    assert keys not in fault


def test_what_is_wrong_of_slack_matters_to_those_who_need_slack(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`diagnose` asks CXone alone; what is wrong of it is told, and with Slack's need all of it."""
    give(env, **CXONE, SLACK_APP_TOKEN="xoxp-1", ALERT_FILTER="nonsense", SLACK_BOT_TOKEN_FILE=str(tmp_path / "none"))
    assert load(["cxone"]).cxone_tenant_id == "acme"
    assert len(faults("cxone", "slack")) == 3
    give(env, POLL_SECONDS="often")
    assert faults("cxone") == ["POLL_SECONDS: must be a number."]


def test_a_repr_shows_no_secret(env: pytest.MonkeyPatch) -> None:
    """Nor does printing the settings."""
    give(env, **CXONE, **SLACK, DATABASE_URL="postgresql+psycopg://u:pa55@db/handover", HASH_KEY="k" * 16, **SEVERAL)
    shown = repr(load(EVERYTHING))
    for secret in ("s3cret", "xoxb", "s1gning", "pa55", "kkkk", "cl1ent", SEAL):
        assert secret not in shown


@pytest.mark.parametrize("name", Settings.SECRETS)
def test_each_secret_may_stand_in_a_file(env: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """As container platforms mount them, with a line break at the end."""
    values = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "heartbeat_url": "https://beat.example/1"}
    values |= {"slack_token_keys": SEAL}
    value = values.get(name, "sqlite:///from-a-file.db")
    (tmp_path / "secret").write_text(f"{value}\n")
    give(env, **{f"{name.upper()}_FILE": str(tmp_path / "secret")})
    assert getattr(load(), name).get_secret_value() == value


def test_a_secret_given_twice_is_a_fault(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody can know which of the two was meant."""
    (tmp_path / "secret").write_text("xoxb-1")
    give(env, SLACK_BOT_TOKEN="xoxb-2", SLACK_BOT_TOKEN_FILE=str(tmp_path / "secret"))
    assert faults("posts") == ["SLACK_BOT_TOKEN: also given as SLACK_BOT_TOKEN_FILE; keep one of the two."]


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"", "empty"), (b"\xff\xfe", "not text")],
)
def test_a_file_that_cannot_be_read_is_a_fault(
    env: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, why: str
) -> None:
    """Said once: a secret whose file is at fault is not also missing."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    give(env, **CXONE | {"CXONE_CLIENT_SECRET": ""}, CXONE_CLIENT_SECRET_FILE=str(tmp_path / "secret"))
    (fault,) = faults("cxone")
    assert fault.startswith("CXONE_CLIENT_SECRET_FILE: ")
    assert why in fault


def test_an_empty_value_counts_as_none(env: pytest.MonkeyPatch) -> None:
    """As compose files and CI set what nobody filled in."""
    give(env, PORT="", SLACK_APP_TOKEN="", CXONE_TENANT_ID="  ", CXONE_MAX_RPS="", ALLOWED_CHANNELS="")
    assert load().port == 3000
    assert not load().socket_mode
    assert "CXONE_TENANT_ID: missing" in faults("cxone")[0]


def test_the_environment_comes_before_dotenv(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And `.env` before the defaults; unknown names in it are ignored, and nothing of it enters the environment."""
    (tmp_path / ".env").write_text("PORT=4000\nHOST=127.0.0.2\nSLACK_CLIENT_ID=1\nSOMETHING_ELSE=2\nSLACK_BOT_TOKEN=\n")
    give(env, PORT="5000")
    settings = load()
    assert (settings.port, settings.host) == (5000, "127.0.0.2")
    import os  # noqa: PLC0415 - to look, not to read settings

    assert "SLACK_CLIENT_ID" not in os.environ


def test_a_file_in_the_environment_comes_before_a_value_in_dotenv(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The nearer layer decides, in whichever form it says it."""
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-old\n")
    (tmp_path / "secret").write_text("xoxb-new")
    give(env, SLACK_BOT_TOKEN_FILE=str(tmp_path / "secret"))
    assert load().slack_bot_token.get_secret_value() == "xoxb-new"


@pytest.mark.usefixtures("env")
def test_a_dotenv_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe\x00")
    assert faults() == [".env: the file is not UTF-8 text."]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://cx.example"])
def test_plain_http_is_taken_for_loopback(env: pytest.MonkeyPatch, url: str) -> None:
    """For the demo and the tests."""
    give(env, **CXONE, CXONE_BASE_URL=url)
    assert load(["cxone"]).platform_url == url


@pytest.mark.parametrize(
    "url", ["http://cx.example", "http://localhost.example", "http://127.0.0.1.example", "https://u:p@cx.example", "x"]
)
def test_no_other_address_goes_without_tls(env: pytest.MonkeyPatch, url: str) -> None:
    """Nor with a password in it, nor without a host."""
    give(env, **CXONE, CXONE_BASE_URL=url)
    assert faults("cxone")[0].startswith("CXONE_BASE_URL: ")


def test_the_tenant_gives_the_host(env: pytest.MonkeyPatch) -> None:
    """As the seed says, unless a base URL is set."""
    give(env, **CXONE)
    assert load(["cxone"]).platform_url == "https://acme.api.nice.incontact.com"


def test_lists_are_separated_by_commas(env: pytest.MonkeyPatch) -> None:
    """With or without spaces."""
    give(env, ALLOWED_CHANNELS="C1, C2,,", SLACK_API_URL="https://slack.example/api")
    assert load().allowed_channels == ("C1", "C2")
    assert load().slack_api_url == "https://slack.example/api/"


def test_the_example_names_every_setting_and_is_valid(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each with a line of comment before it; the defaults there are the defaults here."""
    example = Path(__file__).parents[1] / ".env.example"
    lines = example.read_text().splitlines()
    named = {
        line.partition("=")[0]: lines[number - 1]
        for number, line in enumerate(lines)
        if "=" in line[:40] and line[0] != "#"
    }
    assert set(named) == {name.upper() for name in Settings.model_fields} - {"NEEDS", "FILE_FAULTS"}
    assert all(before.startswith("# ") for before in named.values())
    defaults = load()
    (tmp_path / ".env").write_text(example.read_text())
    assert load() == defaults
    del env
