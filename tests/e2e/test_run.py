"""The main job with the real process: a signed command comes in, the cause is posted to the channel."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.processes import Running, environment, settings_for, wait_for

NUMBER = "+15550199888"
CHANNEL = "voicebot-ops"


def text_of(message: dict[str, Any]) -> str:
    """All that a message shows."""
    return json.dumps([message.get("text"), message.get("blocks")], ensure_ascii=False)


def answer(running: Running, workspace: Any) -> dict[str, Any]:
    """The newest message in the channel, once there is one."""
    messages: list[dict[str, Any]] = wait_for(lambda: workspace.messages(CHANNEL), "an answer", running)
    return messages[-1]


@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket-mode"])
def test_the_main_job(tenant: Any, workspace: Any, tmp_path: Path, *, socket_mode: bool) -> None:
    """A rejected transfer is told with its target's state; the number stays with whoever typed it; SIGTERM ends it."""
    conversation = tenant.play("rejected", NUMBER)
    with Running(tmp_path, environment(**settings_for(tenant, workspace, socket_mode=socket_mode))) as bot:
        if socket_mode:
            wait_for(lambda: "Connected to Slack" in bot.log, "the connection", bot)
            wait_for(lambda: requests.get(f"{bot.address}/readyz", timeout=5).status_code == 200, "ready", bot)
        else:
            workspace.connect(f"{bot.address}/slack/events")
        ack = workspace.command(NUMBER)
        assert ack.ok, bot.log
        assert ack.body["response_type"] == "ephemeral"
        shown = text_of(answer(bot, workspace))
        assert "Billing" in shown
        assert conversation in shown
        assert "available" in shown, "the target's state"
        assert NUMBER not in shown
        assert requests.get(f"{bot.address}/healthz", timeout=5).status_code == 200
        wait_for(lambda: requests.get(f"{bot.address}/readyz", timeout=5).status_code == 200, "ready", bot)
        measured = requests.get(f"{bot.address}/metrics", timeout=5).text
        assert 'handover_uses_total{action="diagnose",result="rejected"} 1.0' in measured
        assert all(line.startswith(("handover_", "# ")) for line in measured.splitlines())
        code, took = bot.stop()
        assert (code, took < 10) == (0, True), bot.log
        assert "Traceback" not in bot.log
        for secret in (NUMBER, "5550199888", "xoxb-demo", "xapp-demo", "demo-secret", "demo-signing-secret"):
            assert secret not in bot.log


def test_a_forged_request_is_refused(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Unsigned and wrongly signed: 401, and nobody is asked anything."""
    with Running(tmp_path, environment(**settings_for(tenant, workspace))) as bot:
        url = f"{bot.address}/slack/events"
        body = f"command=%2Fhandover&text={NUMBER}"
        forged = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=" + "0" * 64}
        for headers in ({}, forged):
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            assert requests.post(url, data=body, headers=headers | kind, timeout=5).status_code == 401
        assert bot.stop(signal.SIGINT)[0] == 0
    assert {call.method for call in workspace.calls} <= {"auth.test"}, "by which it learns whether Slack is there"


def test_it_starts_while_slack_is_down(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Alive and not ready, with the reason; ready as soon as Slack is back."""
    settings = settings_for(tenant, workspace, socket_mode=True)
    workspace.down()
    with Running(tmp_path, environment(**settings)) as bot:
        assert requests.get(f"{bot.address}/healthz", timeout=5).status_code == 200
        wait_for(lambda: "No connection to Slack yet" in bot.log, "the first try", bot)
        unready = requests.get(f"{bot.address}/readyz", timeout=5)
        assert unready.status_code == 503
        assert "Slack: Socket Mode is not connected" in unready.text
        workspace.down(is_down=False)
        wait_for(lambda: requests.get(f"{bot.address}/readyz", timeout=5).status_code == 200, "ready", bot)
        assert bot.stop()[0] == 0


def test_it_is_not_ready_while_slack_refuses_its_token(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Over HTTP nothing else would tell before the first answer."""
    wrong = settings_for(tenant, workspace) | {"SLACK_BOT_TOKEN": "xoxb-another"}
    with Running(tmp_path, environment(**wrong)) as bot:
        said = "Slack refuses the bot: invalid_auth."
        wait_for(lambda: said in requests.get(f"{bot.address}/readyz", timeout=5).text, "the reason", bot)
        assert requests.get(f"{bot.address}/readyz", timeout=5).status_code == 503
        assert requests.get(f"{bot.address}/healthz", timeout=5).status_code == 200


def test_a_look_up_under_way_is_finished(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Who asked before the end still gets the answer."""
    tenant.play("rejected", NUMBER)
    tenant.latency = 0.5
    with Running(tmp_path, environment(**settings_for(tenant, workspace))) as bot:
        workspace.connect(f"{bot.address}/slack/events")
        assert workspace.command(NUMBER).ok
        wait_for(lambda: workspace.calls, "the look-up", bot)
        code, took = bot.stop()
        assert (code, took < 10) == (0, True)
        assert "Billing" in text_of(answer(bot, workspace))


@pytest.mark.long  # it takes the nine seconds, as the poll hangs too
def test_look_ups_that_hang_are_answered_before_the_end(tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Ten seconds are all that a container platform gives; who waits for a place, and who is looked up for, is told."""
    tenant.faults.add("/api", "hang")
    with Running(tmp_path, environment(**settings_for(tenant, workspace))) as bot:
        workspace.connect(f"{bot.address}/slack/events")
        for _ in range(30):
            assert workspace.command(NUMBER).ok
        wait_for(lambda: workspace.calls, "the look-up", bot)
        time.sleep(1)
        code, took = bot.stop()
        assert (code, took < 10) == (0, True), bot.log
        told = [seen for seen in workspace.ephemerals() if "I am being restarted" in seen["text"]]
        assert len(told) == 30, bot.log
