"""The commands of the terminal as processes: what they print, where, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import bot, environment, settings_for

NUMBER = "+15550199888"


def test_all_that_is_wrong_is_listed_and_nothing_is_shown(tmp_path: Path) -> None:
    """Exit 2, one line a fault, no value of any."""
    env = environment(CXONE_CLIENT_SECRET="leak", PORT="leak", SLACK_BOT_TOKEN="leak", CXONE_BASE_URL="http://leak")
    ended = bot("run", cwd=tmp_path, env=env)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "leak" not in ended.stderr
    for name in ("PORT", "SLACK_BOT_TOKEN", "CXONE_BASE_URL", "CXONE_TENANT_ID", "CXONE_CLIENT_ID", "SLACK_APP_TOKEN"):
        assert sum(line.startswith(name) for line in ended.stderr.splitlines()) == 1


def test_diagnose_by_number_in_any_form(tenant: Any, tmp_path: Path) -> None:
    """As people type it; the target is read afresh; nothing but the object on stdout."""
    conversation = tenant.play("rejected", NUMBER)
    env = environment(**settings_for(tenant))
    for typed in (NUMBER, "(555) 019-9888", "0015550199888", "<tel:+15550199888|+1 555 019 9888>"):
        ended = bot("diagnose", typed, "--json", cwd=tmp_path, env=env)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
        told = json.loads(ended.stdout)
        assert (told["conversation_id"], told["outcome"], told["phone"]) == (conversation, "rejected", "•••• 9888")
        assert told["target"]["name"] == "Billing"
        assert NUMBER not in ended.stdout


def test_diagnose_draws_for_people(tenant: Any, tmp_path: Path) -> None:
    """The headline first; no escape sequences where nobody has a terminal."""
    conversation = tenant.play("rejected", NUMBER)
    ended = bot("diagnose", "--id", conversation, cwd=tmp_path, env=environment(**settings_for(tenant)))
    assert ended.returncode == 0
    assert "Billing" in ended.stdout.splitlines()[0]
    assert "Next step" in ended.stdout
    assert "\x1b" not in ended.stdout


def test_a_terminal_without_our_signs_is_served_too(tenant: Any, tmp_path: Path) -> None:
    """A ? for a sign that its encoding has not, and JSON in JSON's own escapes."""
    conversation = tenant.play("rejected", NUMBER)
    env = environment(**settings_for(tenant), PYTHONIOENCODING="ascii")
    drawn = bot("diagnose", "--id", conversation, cwd=tmp_path, env=env)
    assert (drawn.returncode, drawn.stderr) == (0, "")
    told = bot("diagnose", "--id", conversation, "--json", cwd=tmp_path, env=env)
    assert json.loads(told.stdout)["phone"] == "•••• 9888"


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_no_conversation_is_exit_3(tenant: Any, tmp_path: Path, *, as_json: bool) -> None:
    """A sentence that begins so, on stdout as an object where one was asked for."""
    options = ["--json"] if as_json else []
    ended = bot("diagnose", NUMBER, *options, cwd=tmp_path, env=environment(**settings_for(tenant)))
    assert ended.returncode == 3
    message = json.loads(ended.stdout)["message"] if as_json else ended.stderr
    assert message.startswith("No conversation")
    assert "--since 3d" in message
    assert NUMBER not in ended.stdout + ended.stderr


@pytest.mark.parametrize("gone", [True, False])
def test_details_that_answer_404_are_exit_3(tenant: Any, tmp_path: Path, *, gone: bool) -> None:
    """By an id that nobody knows, and by a number whose only call is listed and gone."""
    tenant.play("rejected", NUMBER)
    if gone:
        tenant.faults.add("/api/v2/conversations/", "status", status=404)
    asked = [NUMBER] if gone else ["--id", "c-404"]
    ended = bot("diagnose", *asked, "--json", cwd=tmp_path, env=environment(**settings_for(tenant)))
    assert ended.returncode == 3, ended.stdout
    assert json.loads(ended.stdout)["message"].startswith("No conversation")


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_a_platform_that_cannot_be_asked_is_exit_4(tenant: Any, tmp_path: Path, *, as_json: bool) -> None:
    """Method, path and status, and no secret."""
    tenant.faults.add("/api/v2/conversations", "status", status=403)
    options = ["--json"] if as_json else []
    ended = bot("diagnose", NUMBER, *options, cwd=tmp_path, env=environment(**settings_for(tenant)))
    assert ended.returncode == 4
    message = json.loads(ended.stdout)["message"] if as_json else ended.stderr
    for part in ("GET", "/api/v2/conversations", "403"):
        assert part in message
    assert "Traceback" not in ended.stderr
    assert "demo-secret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose"],
        ["diagnose", "hello"],
        ["diagnose", "123"],
        ["diagnose", "anonymous"],
        ["diagnose", NUMBER, "--id", "x"],
        ["diagnose", "--id", "x", "--at", "14:00"],
        ["diagnose", NUMBER, "--since", "yesterday-ish"],
        ["diagnose", "--nonsense"],
        ["nonsense"],
    ],
)
def test_bad_usage_is_exit_2(tenant: Any, tmp_path: Path, arguments: list[str]) -> None:
    """A sentence, no traceback, and CXone is not asked."""
    ended = bot(*arguments, cwd=tmp_path, env=environment(**settings_for(tenant)))
    assert ended.returncode == 2
    assert ended.stderr
    assert "Traceback" not in ended.stderr
    assert not tenant.requests


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("hello", "handover-bot diagnose +1-212-555-0123"),
        ("help", "handover-bot diagnose --help"),
        ("status", "handover-bot check"),
        ("recent", "/handover recent"),
        ("mute", "“mute” is a command of the bot in Slack: /handover mute"),
    ],
)
def test_words_of_slack_lead_to_where_they_are_served(tenant: Any, tmp_path: Path, typed: str, says: str) -> None:
    """And no example is the number that somebody may be trying out."""
    ended = bot("diagnose", typed, cwd=tmp_path, env=environment(**settings_for(tenant)))
    assert ended.returncode == 2
    assert says in ended.stderr
    assert NUMBER not in ended.stderr


def test_a_saved_conversation_needs_no_settings(tenant: Any, tmp_path: Path) -> None:
    """From a file and from stdin, with the same diagnosis; the target is not checked."""
    document = {
        "id": "c-1",
        "startTime": "2026-11-20T14:02:11Z",
        "endTime": "2026-11-20T14:03:40Z",
        "participants": [
            {"id": "p-1", "purpose": "customer", "identity": NUMBER},
            {"id": "p-2", "purpose": "bot", "name": "Cognigy Voicebot"},
        ],
        "events": [
            {
                "type": "sessionTransfer",
                "timestamp": "2026-11-20T14:03:11Z",
                "fromParticipantId": "p-2",
                "toParticipantId": "q-billing",
                "properties": {"cognigySessionId": "cgy-81"},
            },
            {"type": "sessionTransferRejected", "timestamp": "2026-11-20T14:03:12Z", "reason": "NO_AGENTS_AVAILABLE"},
        ],
    }
    del tenant
    (tmp_path / "call.json").write_text(json.dumps(document))
    from_file = bot("diagnose", "--file", "call.json", "--json", cwd=tmp_path, env=environment())
    piped = bot("diagnose", "--file", "-", "--json", cwd=tmp_path, env=environment(), stdin=json.dumps(document))
    assert (from_file.returncode, piped.returncode) == (0, 0), from_file.stderr
    told, again = json.loads(from_file.stdout), json.loads(piped.stdout)
    assert (told["outcome"], told["fault"], told["reached"]) == ("rejected", "target", "reacted")
    assert told["target"] is None or told["target"]["status"] == "NOT_CHECKED"
    assert told | {"seconds": 0} == again | {"seconds": 0}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b"null", None])
def test_a_file_that_is_no_conversation_is_exit_2(tmp_path: Path, content: bytes | None) -> None:
    """Said in a sentence."""
    if content is not None:
        (tmp_path / "call.json").write_bytes(content)
    ended = bot("diagnose", "--file", "call.json", "--json", cwd=tmp_path, env=environment())
    assert ended.returncode == 2
    assert set(json.loads(ended.stdout)) == {"error", "message"}
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_a_sentence(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Exit 1, with the settings to change."""
    port = workspace.api_url.split(":")[2].split("/")[0]
    ended = bot("run", cwd=tmp_path, env=environment(**settings_for(tenant, workspace) | {"PORT": port}))
    assert ended.returncode == 1
    assert "Cannot listen on 127.0.0.1" in ended.stderr
    assert "Traceback" not in ended.stderr
