"""`check`: one line each, against the tenant and the workspace, right and wrong."""

from __future__ import annotations

from typing import Any

import pytest

from bot import check, platforms
from bot.check import Mark
from bot.clock import SystemClock
from bot.cxone.platform import Conversations
from bot.settings import load
from bot.slack.app import web_client


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    """Settings that are complete, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def cxone(env: pytest.MonkeyPatch, tenant: Any, **settings: str) -> dict[str, check.Line]:
    """The lines about CXone by what they are about."""
    given = {"CXONE_TENANT_ID": "demo", "CXONE_CLIENT_ID": "demo-client", "CXONE_CLIENT_SECRET": "demo-secret"}
    for name, value in {**given, "CXONE_BASE_URL": tenant.url, "DEADLINE_SECONDS": "2", **settings}.items():
        env.setenv(name, value)
    loaded = load(["cxone"])
    platform = platforms.build_platform(loaded, SystemClock())
    assert isinstance(platform, Conversations)
    try:
        return {line.what: line for line in check.cxone(loaded, platform, SystemClock())}
    finally:
        platform.close()


def slack(env: pytest.MonkeyPatch, workspace: Any, **settings: str) -> dict[str, check.Line]:
    """The lines about Slack by what they are about."""
    given = {"SLACK_BOT_TOKEN": "xoxb-demo", "SLACK_SIGNING_SECRET": "demo-signing-secret"}
    for name, value in {**given, "SLACK_API_URL": workspace.api_url, **settings}.items():
        env.setenv(name, value)
    loaded = load(["slack"])
    client = web_client(loaded.slack_bot_token.get_secret_value(), loaded.slack_api_url)
    return {line.what: line for line in check.slack(loaded, client)}


def marks(lines: dict[str, check.Line]) -> set[Mark]:
    """How the questions were answered."""
    return {line.mark for line in lines.values()}


def test_a_tenant_that_answers_is_ok(env: pytest.MonkeyPatch, tenant: Any) -> None:
    """Token, list, details, three kinds of target, analytics."""
    lines = cxone(env, tenant)
    assert len(lines) == 7
    assert marks(lines) == {Mark.OK}


def test_a_wrong_secret_ends_it_at_the_token(env: pytest.MonkeyPatch, tenant: Any) -> None:
    """And is not shown."""
    line, *rest = cxone(env, tenant, CXONE_CLIENT_SECRET="wrong-secret").values()
    assert {(each.mark, each.text) for each in rest} == {(Mark.NOTE, "not looked at")}
    assert len(rest) == 6
    assert (line.what, line.failed) == ("CXone token", True)
    assert "wrong-secret" not in line.text
    assert "/oauth2/token" in line.text


@pytest.mark.parametrize(
    ("path", "what", "scope"),
    [
        ("/api/v2/users/", "CXone users", "users:read"),
        ("/api/v2/queues/", "CXone queues", "queues"),
        ("/api/v2/flows/", "CXone flows", "flows"),
        ("/api/v2/analytics/", "CXone analytics", "analytics:conversations:read"),
    ],
)
def test_a_scope_that_is_missing_is_named(
    env: pytest.MonkeyPatch, tenant: Any, path: str, what: str, scope: str
) -> None:
    """With the call; the others are asked all the same."""
    tenant.faults.add(path, "status", status=403)
    lines = cxone(env, tenant)
    assert [line.what for line in lines.values() if line.failed] == [what]
    assert "403" in lines[what].text
    assert scope in lines[what].text


@pytest.mark.parametrize("fault", ["html", "not_json", "status"])
def test_another_api_is_recognised(env: pytest.MonkeyPatch, tenant: Any, fault: str) -> None:
    """A host that gives a token and knows no such list speaks another profile."""
    tenant.faults.add("/api/v2/", fault, **({"status": 404} if fault == "status" else {}))
    line = cxone(env, tenant)["CXone conversations"]
    assert line.failed
    assert "does not speak the profile “conversations”" in line.text


def test_a_workspace_that_answers_is_ok(env: pytest.MonkeyPatch, workspace: Any) -> None:
    """Token, scopes, history, the way in, the channel by name and by id."""
    for channel in ("#handover-alerts", "C0ALERTS"):
        lines = slack(env, workspace, ALERT_CHANNEL=channel)
        assert marks(lines) == {Mark.OK}, [str(line) for line in lines.values()]
        assert "handover-alerts" in lines["Slack ALERT_CHANNEL"].text


def test_the_app_token_is_tried(env: pytest.MonkeyPatch, workspace: Any) -> None:
    """In Socket Mode alone."""
    assert slack(env, workspace, SLACK_APP_TOKEN="xapp-demo")["Slack Socket Mode"].mark is Mark.OK
    wrong = slack(env, workspace, SLACK_APP_TOKEN="xapp-wrong")["Slack Socket Mode"]
    assert wrong.failed
    assert "xapp-wrong" not in wrong.text


def test_a_wrong_token_ends_it(env: pytest.MonkeyPatch, workspace: Any) -> None:
    """And is not shown."""
    line, *rest = slack(env, workspace, SLACK_BOT_TOKEN="xoxb-wrong", ALERT_CHANNEL="C0ALERTS").values()
    assert line.failed
    assert [each.what for each in rest] == ["Slack scopes", "Slack history", "Slack over HTTP", "Slack ALERT_CHANNEL"]
    assert {each.text for each in rest} == {"not looked at"}
    assert "xoxb-wrong" not in str(line)


def test_channels_that_cannot_be_posted_to_fail(env: pytest.MonkeyPatch, workspace: Any) -> None:
    """Unknown, archived, or without the bot: each says what to do."""
    workspace.add_channel("elsewhere", member=False)
    workspace.add_channel("old", archived=True)
    said = {
        name: slack(env, workspace, ALERT_CHANNEL=name)["Slack ALERT_CHANNEL"] for name in ("elsewhere", "old", "none")
    }
    assert all(line.failed for line in said.values())
    assert "/invite" in said["elsewhere"].text
    assert "archived" in said["old"].text
    assert "no such channel" in said["none"].text


def test_slack_that_is_down_is_a_line(env: pytest.MonkeyPatch, workspace: Any) -> None:
    """Not a traceback."""
    workspace.down()
    line, *_ = slack(env, workspace).values()
    assert line.failed
    assert "auth.test" in line.text
