"""What runs by itself: the heartbeat is silent as long as anything is not well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.alerts.health import Health
from bot.background import Background
from bot.jobs.local import Local
from bot.store.engine import migrate, open_store
from tests.clock import HandClock


@pytest.fixture
def watchdog() -> Iterator[tuple[str, list[str]]]:
    """An address, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Count it."""
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/beat", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("reasons", "unsaid", "beats"),
    [([], 0, 1), (["The last poll of CXone that succeeded was at 13:00:00 UTC."], 0, 0), ([], 1, 0)],
    ids=["well", "not ready", "a death unsaid"],
)
def test_the_heart_beats_only_while_all_is_well(
    watchdog: tuple[str, list[str]], tmp_path: Path, reasons: list[str], unsaid: int, beats: int
) -> None:
    """Of each tenant: ready, and nothing died that nobody was told of."""
    url, asked = watchdog
    engine = open_store(f"sqlite:///{tmp_path}/handover.db")
    migrate(engine)
    tenant: Any = SimpleNamespace(
        tenant="acme",
        label="",
        notifier=SimpleNamespace(workspace=""),
        reasons=lambda: reasons,
        health=lambda: Health(unsaid_dead=unsaid),
    )
    Background([tenant], Local(), engine, HandClock(), sweep_seconds=1, heartbeat_url=url).heartbeat()
    assert asked == ["/beat"] * beats
    engine.dispose()
