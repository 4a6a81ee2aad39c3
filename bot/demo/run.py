"""`demo`: the tenant that lives, the workspace with its page, and between them the real bot as a process of its own.

The bot knows nothing of this: it is started as a user would start it, with settings that point at the two. It works in
a folder of its own, so that no `.env` and no database of yours is touched, and everything ends with this process, even
if it is killed (see `leash`). Its windows are short, so that an alert's whole life fits into a few minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from types import FrameType

import click

from bot.clock import SystemClock
from bot.demo.centre import Centre
from bot.demo.leash import PREFIX
from bot.demo.panel import STEPS, DemoPanel, past
from bot.demo.tenant import Tenant
from bot.demo.workspace import Workspace

PORTS_TO_TRY = 50
SECONDS_TO_STOP = 12
_LISTENING = "Listening on "
_CONNECTED = "Connected to Slack"
_KEPT = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV")


def demo(*, seed: int, speed: float, port: int, socket_mode: bool, api: str = "conversations") -> int:
    """Run it until SIGINT or SIGTERM; returns the exit code. The first line printed is the page's address."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        del number, frame
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    with contextlib.ExitStack() as ending:
        # 1. The tenant with its past, and the workspace with its page.
        clock = SystemClock()
        tenant = ending.enter_context(Tenant(clock=clock))
        centre = Centre(tenant, clock=clock, seed=seed, speed=speed)
        workspace = _workspace(port, DemoPanel(tenant, centre))
        ending.callback(workspace.stop)
        click.echo(workspace.url)
        if port and workspace.page.port != port:
            click.echo(f"Port {port} is taken, so the page is on {workspace.page.port}.")
        past(tenant, centre, clock.now())

        # 2. The bot, as a process that knows only its settings.
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True))
        bot = ending.enter_context(
            _bot(_settings(tenant, workspace, folder, socket_mode=socket_mode) | tenant.contacts.settings(api), folder)
        )
        output = _Output(bot, workspace, told, http=not socket_mode)
        output.start()

        # 3. Calls come and go until somebody ends it.
        centre.start()
        ending.callback(centre.stop)
        click.echo(
            "A made-up contact centre and Slack workspace. It listens on this machine alone; Ctrl-C ends it all."
        )
        told.wait()
        if bot.poll() is None:
            click.echo("Ending.")
            return 0
        click.echo(f"The bot ended by itself with {bot.returncode}. Its last lines:\n{output.tail()}", err=True)
        return 1


def _workspace(port: int, panel: DemoPanel) -> Workspace:
    """The workspace on the port, or on the next that is free. What is asked of the bot waits until it is there."""
    for candidate in range(port, port + PORTS_TO_TRY if port else 1):
        workspace = panel.workspace = Workspace(port=candidate)
        workspace.page.panel = panel
        workspace.page.steps = STEPS
        workspace.page.ready.clear()
        try:
            return workspace.start()
        except OSError:
            workspace.stop()
    raise click.ClickException(f"No port from {port} to {port + PORTS_TO_TRY - 1} is free; choose one with --port.")


def _settings(tenant: Tenant, workspace: Workspace, folder: str, *, socket_mode: bool) -> dict[str, str]:
    """The bot's environment: nothing of this machine's but what a process needs; alerts as soon as one can see them."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    way = (
        {"SLACK_APP_TOKEN": workspace.app_token} if socket_mode else {"SLACK_SIGNING_SECRET": workspace.signing_secret}
    )
    return {
        **kept,
        **way,
        "NO_PROXY": "127.0.0.1,localhost",
        "CXONE_TENANT_ID": tenant.tenant_id,
        "CXONE_CLIENT_ID": tenant.client_id,
        "CXONE_CLIENT_SECRET": tenant.client_secret,
        "CXONE_BASE_URL": tenant.url,
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_API_URL": workspace.api_url,
        "DATABASE_URL": f"sqlite:///{folder}/handover.db",
        "ALERT_CHANNEL": "handover-alerts",
        "ALERT_FILTER": "min=1",
        "POLL_SECONDS": "2",
        "GRACE_SECONDS": "20",
        "RESOLVE_ACCEPTED": "2",
        "RESOLVE_MINUTES": "1",
        "THREAD_MINUTES": "1",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "LOG_FORMAT": "json",
    }


@contextlib.contextmanager
def _bot(environment: dict[str, str], folder: str) -> Iterator[subprocess.Popen[str]]:
    """The bot in a session of its own: Ctrl-C reaches it through us, once. Our end of its stdin is the leash."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.demo.leash"],
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


class _Output:
    """What the bot logs: its address is taken from it, warnings are passed on, the end of it ends the demo."""

    def __init__(self, bot: subprocess.Popen[str], workspace: Workspace, told: threading.Event, *, http: bool) -> None:
        self._bot = bot
        self._workspace = workspace
        self._told = told
        self._http = http
        self._lines: list[str] = []
        self._passed_on: set[str] = set()

    def start(self) -> None:
        """Read on, until there is no more."""
        threading.Thread(target=self._read, name="bot-output", daemon=True).start()

    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._lines[-15:])

    def _read(self) -> None:
        for line in self._bot.stderr or ():
            self._lines = [*self._lines[-99:], line.rstrip("\n")]
            self._take(line)
        self._bot.wait()
        self._told.set()

    def _take(self, line: str) -> None:
        try:
            said = json.loads(line)
            event, level = str(said.get("event", "")), str(said.get("level", ""))
        except (ValueError, AttributeError):
            return
        if event.startswith(_LISTENING) and self._http:
            self._workspace.connect(f"{event.removeprefix(_LISTENING)}/slack/events")
            self._workspace.page.ready.set()
        if event.startswith(_CONNECTED):
            self._workspace.page.ready.set()
        if level in ("warning", "error", "critical") and event not in self._passed_on and not self._told.is_set():
            self._passed_on.add(event)  # while something is broken on purpose, the bot says the same every second
            click.echo(f"bot: {event}", err=True)
