"""The bot as a process of its own, as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
_LISTENING = re.compile(r"Listening on (http://\S+)")
_KEPT = (
    "PYTHONPATH",
    "PATH",
    "HOME",
    "LANG",
    "NO_PROXY",
    "no_proxy",
    "COVERAGE_PROCESS_CONFIG",
    "COVERAGE_PROCESS_START",
)


def environment(**settings: str) -> dict[str, str]:
    """An environment with these settings and nothing of the machine's."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "TZ": "UTC", "PYTHONUNBUFFERED": "1", **settings}


def settings_for(tenant: Any, workspace: Any = None, *, socket_mode: bool = False) -> dict[str, str]:
    """The settings that point the bot at the two fakes."""
    settings = {
        "CXONE_TENANT_ID": "demo",
        "CXONE_CLIENT_ID": "demo-client",
        "CXONE_CLIENT_SECRET": "demo-secret",
        "CXONE_BASE_URL": tenant.url,
    }
    if workspace is not None:
        settings |= {"SLACK_BOT_TOKEN": "xoxb-demo", "SLACK_API_URL": workspace.api_url, "PORT": "0"}
        settings |= {"SLACK_APP_TOKEN": "xapp-demo"} if socket_mode else {"SLACK_SIGNING_SECRET": "demo-signing-secret"}
    return settings


def bot(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str | None = None,
    command: Sequence[str] = (sys.executable, "-m", "bot"),
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(  # noqa: S603 - our own program
        [*command, *arguments],
        cwd=cwd,
        env=dict(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Running:
    """`handover-bot run`, from its first line to its exit code."""

    def __init__(
        self,
        cwd: Path,
        env: Mapping[str, str],
        command: Sequence[str] = (sys.executable, "-m", "bot", "run"),
    ) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [*command], cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def address(self) -> str:
        """Where it listens, as it says itself."""
        found = wait_for(lambda: _LISTENING.search(self.log), "the bot listens", self)
        return found[1]

    @property
    def log(self) -> str:
        """All that it wrote."""
        return "\n".join(self.lines)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; its exit code, and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(20)
        took = time.monotonic() - began
        self._reader.join(10)
        return code, took

    def _read(self) -> None:
        stream = self.process.stdout
        if stream is not None:
            for line in stream:
                self.lines.append(line.rstrip("\n"))


def wait_for(look: Callable[[], T | None], what: str, running: Running | None = None, seconds: float = 20.0) -> T:
    """Look until there is something; fails with what was waited for and the bot's log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        if running is not None and running.process.poll() is not None and not look():
            break
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}\n{running.log if running else ''}")
