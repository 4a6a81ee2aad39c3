"""`make bench`: the figures that are promised, as a Markdown table with the machine and the date.

The bot is the real process; tenant and workspace run in processes of their own. Nothing else should run meanwhile.
Name parts to measure these alone: `python -m tests.bench commands`.
"""

from __future__ import annotations

import os
import sys

from tests.bench import alerts, commands, contacts, demo, judging, rows, workers

PARTS = {
    "judging": judging.measure,
    "commands": commands.measure,
    "demo": demo.measure,
    "contacts": contacts.measure,
    "alerts": alerts.measure,
    "workers": workers.measure,
}


def main() -> int:
    """Measure, and print each row at once. 1: a promised figure was missed."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    rows.head()
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
    rows.foot()
    return 1 if rows.missed else 0


if __name__ == "__main__":
    sys.exit(main())
