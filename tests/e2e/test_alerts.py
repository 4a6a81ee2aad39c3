"""Alerts from outside: the channel of the settings, what the terminal learns of the running bot, forgetting."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import requests
from click.testing import CliRunner

from bot.cli import main
from tests.e2e.processes import Running, bot, environment, settings_for, wait_for

NUMBER = "+15550199888"
LIST = "/api/v2/conversations"


def test_the_bot_watches_and_the_terminal_knows_what_it_knows(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """The channel by name; an alert; a look-up without a list; the audit; a number forgotten beside the running bot."""
    env = environment(
        **settings_for(tenant, workspace),
        POLL_SECONDS="1",
        THREAD_MINUTES="0",
        ALERT_CHANNEL="#handover-alerts",
        ALERT_FILTER="outcome=rejected min=1",
        HASH_KEY="0123456789abcdef",
        DATABASE_URL=f"sqlite:///{tmp_path}/handover.db",
    )
    with Running(tmp_path, env) as running:
        workspace.connect(f"{running.address}/slack/events")
        wait_for(lambda: any(seen.path == LIST for seen in tenant.requests), "a first poll", running)
        conversation = tenant.play("rejected", NUMBER)
        message = wait_for(
            lambda: next((each for each in workspace.messages("handover-alerts") if "refuses" in each["text"]), None),
            "the alert",
            running,
        )
        assert message["channel"] == "C0ALERTS"

        # A look-up in the terminal, with the same database: details and target, no list.
        tenant.client_id = "terminal"
        terminal = env | {"CXONE_CLIENT_ID": "terminal"}
        ended = bot("diagnose", NUMBER, "--json", cwd=tmp_path, env=terminal)
        told = json.loads(ended.stdout)
        assert (ended.returncode, told["conversation_id"], told["outcome"]) == (0, conversation, "rejected")
        asked = [seen.path for seen in tenant.requests if seen.who == "terminal"]
        assert f"{LIST}/{conversation}" in asked
        assert LIST not in asked
        bot("diagnose", NUMBER, "--json", cwd=tmp_path, env=terminal | {"DATABASE_URL": "sqlite:///none.db"})
        assert LIST in [seen.path for seen in tenant.requests if seen.who == "terminal"]
        assert not (tmp_path / "none.db").exists()
        tenant.client_id = "demo-client"

        # What people did, masked.
        workspace.command(f"{NUMBER} private")
        workspace.command("mute Billing 1h", channel="handover-alerts")

        def audited() -> list[dict[str, Any]]:
            shown = CliRunner().invoke(main, ["audit", "--since", "1h", "--json"], env=env)
            return [json.loads(line) for line in shown.stdout.splitlines()]

        rows = wait_for(lambda: found if len(found := audited()) >= 2 else None, "two rows", running)
        assert {row["action"]: row["subject"] for row in rows} == {"diagnose": "•••• 9888", "mute": "Billing"}
        assert all(row["actor"] == "U0SAM" for row in rows)

        # Another key forgets nothing, the right one does.
        refused = CliRunner().invoke(main, ["forget", NUMBER], env=env | {"HASH_KEY": "another-key-altogether"})
        assert (refused.exit_code, "HASH_KEY" in refused.stderr) == (1, True)
        done = CliRunner().invoke(main, ["forget", NUMBER], env=env)
        assert "removed from 1 calls, 1 alerts and 1 uses" in done.stdout
        assert "9888" not in json.dumps(audited(), ensure_ascii=False)
        assert running.stop()[0] == 0

    # A bot with another key goes on: nothing is lost, nothing told twice.
    with Running(tmp_path, env | {"HASH_KEY": "another-key-altogether"}) as running:
        workspace.connect(f"{running.address}/slack/events")
        wait_for(lambda: "HASH_KEY is another" in running.log, "a word about the key", running)
        workspace.command("unmute", channel="handover-alerts")
        tenant.play("rejected", "+15550100001", at=None)
        wait_for(
            lambda: any("•••• 0001" in each["text"] for each in workspace.messages("handover-alerts")),
            "the second case",
            running,
        )
    now = workspace.messages("handover-alerts")
    roots = [
        each["ts"] for each in now if "refuses" in each["text"] and each.get("thread_ts", each["ts"]) == each["ts"]
    ]
    assert roots == [message["ts"]]

    # A database of a newer version is refused, and stays as it is.
    with sqlite3.connect(tmp_path / "handover.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    ended = bot("run", cwd=tmp_path, env=env)
    assert (ended.returncode, "newer version" in ended.stderr) == (1, True)


def test_all_faults_of_the_settings_are_listed_together(tmp_path: Path) -> None:
    """A filter that is none among them, without its value."""
    ended = bot("run", cwd=tmp_path, env=environment(ALERT_FILTER="outcome=leaked", PORT="x"))
    assert ended.returncode == 2
    assert "leaked" not in ended.stderr
    assert {"ALERT_FILTER", "PORT", "CXONE_TENANT_ID"} <= {line.partition(":")[0] for line in ended.stderr.splitlines()}


def test_a_channel_that_slack_does_not_show_keeps_no_poll_back(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """/readyz names it; the poll goes on."""
    env = environment(**settings_for(tenant, workspace), POLL_SECONDS="1", ALERT_CHANNEL="nowhere")
    with Running(tmp_path, env) as running:
        wait_for(lambda: any(seen.path == LIST for seen in tenant.requests), "a poll", running)
        answer = requests.get(f"{running.address}/readyz", timeout=5)
        assert answer.status_code == 503
        assert "#nowhere" in answer.text
