"""Socket Mode: a WebSocket to Slack that is opened again whenever it breaks, and that knows how long Slack is silent.

Bolt's own client reconnects once it has been connected; the first connection is tried here until it stands, so that
the bot starts while Slack is down. Whether the socket *looks* open says nothing (a dead network path leaves it so):
what counts is the age of the last pong.
"""

from __future__ import annotations

import threading
import time

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk.errors import SlackApiError

PING_SECONDS = 5.0
SILENT_SECONDS = 30.0
_WORKERS = 32
_WAITS = (1.0, 2.0, 5.0, 10.0, 15.0)  # between tries of the first connection

log = structlog.get_logger(__name__)


class SocketMode:
    """The connection of one process."""

    def __init__(self, app: App, app_token: str) -> None:
        """Open nothing yet."""
        self._handler = SocketModeHandler(app, app_token, ping_interval=PING_SECONDS, concurrency=_WORKERS)
        self._stopping = threading.Event()
        self._problem = "not connected yet"
        self._thread = threading.Thread(target=self._connect, name="socket-mode", daemon=True)

    def start(self) -> None:
        """Connect, and keep trying."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more envelopes; those at work are acked first."""
        self._stopping.set()
        self._handler.client.close()

    def reasons(self) -> list[str]:
        """Why Slack does not reach the bot, if so."""
        session = self._handler.client.current_session
        if session is None:
            return [f"Slack: Socket Mode is {self._problem}."]
        pong = session.last_ping_pong_time
        silent = time.time() - pong if pong is not None else 0.0
        if silent > SILENT_SECONDS:
            return [f"Slack: no pong over Socket Mode for {silent:.0f} s."]
        if pong is None and not session.is_active():
            return ["Slack: Socket Mode is not connected."]
        return []

    def _connect(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            try:
                self._handler.client.connect_to_new_endpoint()
            except Exception as why:  # noqa: BLE001 - whatever it was, the next try comes
                self._problem = f"not connected: {_said(why)}"
                wait = _WAITS[min(tries, len(_WAITS) - 1)]
                log.warning("No connection to Slack yet", problem=self._problem, next_try_in=wait)
                self._stopping.wait(wait)
                tries += 1
            else:
                log.info("Connected to Slack over Socket Mode")
                return


def _said(why: Exception) -> str:
    """An exception in a few words, without what was sent."""
    if isinstance(why, SlackApiError):
        return f"Slack says {why.response.get('error', 'no')}"
    return type(why).__name__
