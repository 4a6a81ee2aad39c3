"""`demo` as a process: its first line, its ports, and that nothing is left of it however it ends."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from bot.demo.panel import REFUSED, STEPS
from tests.e2e.processes import Running, environment, wait_for

OPS = "C0VOICEBOT"
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")


def demo(folder: Path, *options: str) -> Running:
    """It, with its temporary files in a folder of the test's."""
    arguments = (sys.executable, "-m", "bot", "demo", *(options or ("--port", "0")))
    return Running(folder, environment(TMPDIR=str(folder)), arguments)


def address(running: Running) -> str:
    """The first line, which is the page's address and nothing else."""
    line = wait_for(lambda: running.lines[:1], "the first line", running)[0]
    assert ADDRESS.fullmatch(line), running.log
    return line


def do(url: str, **wish: Any) -> dict[str, Any]:
    """What the page's script posts."""
    told: dict[str, Any] = requests.post(f"{url}do", json=wish, timeout=30).json()
    return told


def texts(url: str, channel: str = OPS) -> list[str]:
    """What stands in a channel."""
    shown = requests.get(f"{url}messages", params={"channel": channel}, timeout=5).json()["messages"]
    return [message["text"] for message in shown]


def ask(url: str, running: Running) -> str:
    """Type the first command of the card at once, whether the bot is there yet or not; its answer."""
    told = do(url, what="command", command="/handover", text=REFUSED, channel=OPS)
    assert told["error"] == "", running.log
    return wait_for(lambda: next((text for text in texts(url) if "Billing refused" in text), None), "it", running)


def family(running: Running) -> Sequence[psutil.Process]:
    """The demo and its bot."""
    me = psutil.Process(running.process.pid)
    return [me, *me.children(recursive=True)]


def over(process: psutil.Process) -> bool:
    """Whether it has ended, be it that nobody has asked for its exit code yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_from_the_first_line_to_the_end(tmp_path: Path, way: signal.Signals) -> None:
    """The address first, the card in the first HTML, an answer of the real bot; loopback alone; nothing left behind."""
    socket_mode = ["--socket-mode"] if way is signal.SIGTERM else []
    with demo(tmp_path, "--port", "0", *socket_mode) as running:
        url = address(running)
        page = requests.get(url, timeout=5).text
        assert all(step.text in page for step in STEPS)
        assert "handover-alerts" in page
        assert ask(url, running)
        wait_for(lambda: any("Found on arrival" in text for text in texts(url, "C0ALERTS")), "alerts", running)
        everybody = family(running)
        heard = [each for one in everybody for each in one.net_connections("inet") if each.status == "LISTEN"]
        assert len(heard) >= 4
        assert {each.laddr.ip for each in heard} == {"127.0.0.1"}
        code, took = running.stop(way)
        assert (code, took < 10) == (0, True), running.log
        assert "on this machine alone" in running.log
        assert "Traceback" not in running.log
        assert "bot:" not in running.log, "no warning without a reason"
        assert "taken" not in running.log
        assert all(map(over, everybody))
        assert list(tmp_path.glob("handover-demo-*")) == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The next free one, and it says so in the second line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(tmp_path, "--port", str(port)) as running:
            url = address(running)
            found = int(url.rstrip("/").rpartition(":")[2])
            assert port < found < port + 50
            wait_for(lambda: len(running.lines) > 1, "the second line", running)
            assert running.lines[1] == f"Port {port} is taken, so the page is on {found}."
            assert requests.get(url, timeout=5).status_code == 200
            assert running.stop()[0] == 0


@pytest.mark.long
def test_a_demo_that_is_killed_leaves_no_bot(tmp_path: Path) -> None:
    """The bot notices, ends, and takes its folder along."""
    with demo(tmp_path) as running:
        assert ask(address(running), running)
        _, *bots = family(running)
        assert len(bots) == 1
        running.process.kill()
        running.process.wait(5)
        wait_for(lambda: all(map(over, bots)), "the bot's end")
        assert list(tmp_path.glob("handover-demo-*")) == []


@pytest.mark.long
def test_what_is_broken_is_told_truly(tmp_path: Path) -> None:
    """CXone down and Slack slow: the person gets a sentence that says so, or the answer."""
    with demo(tmp_path) as running:
        url = address(running)
        do(url, what="fault", name="cxone_down", on=True)
        do(url, what="command", command="/handover", text=f"{REFUSED} since 23h", channel=OPS)
        said = wait_for(lambda: next((t for t in texts(url) if "could not be asked" in t), None), "it", running)
        assert "503 on " in said
        do(url, what="fault", name="cxone_down", on=False)
        do(url, what="fault", name="slack_slow", on=True)
        assert ask(url, running)
        assert running.stop()[0] == 0
