"""The bot of the demo, on a leash: `python -m bot.demo.leash` is `python -m bot run` that ends when the demo does.

The demo stops its bot by SIGTERM. A demo that was killed cannot: then the pipe on stdin closes, and the bot ends by
itself and removes the folder that was made for it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

PREFIX = "handover-demo-"
SECONDS_TO_STOP = 12


def main() -> None:
    """Run the bot until it is told to end, or nobody holds the leash any more."""
    gone = threading.Event()
    threading.Thread(target=_hold, args=(gone,), name="leash", daemon=True).start()
    try:
        from bot.cli import main as command  # noqa: PLC0415 - the leash holds while libraries are imported

        command(["run"])
    finally:
        if gone.is_set():
            _tidy()


def _hold(gone: threading.Event) -> None:
    """Wait for the end of stdin, which nobody ever writes to."""
    sys.stdin.buffer.read()
    gone.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_STOP)
    _tidy()
    os._exit(1)


def _tidy() -> None:
    folder = Path.cwd()
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
