"""Lists that are longer than what is read of one."""

from __future__ import annotations

from typing import Any

from bot.clock import SystemClock
from bot.cxone import platform
from bot.cxone.http import Answer, Deadline


def test_a_watcher_reads_more_pages_than_a_person_waits_for() -> None:
    """600 pages: a watcher has all rows; a person's list says that it was cut, and so is not whole."""

    class Pages:
        host, base_url = "cxone.test", "https://cxone.test"

        def get(self, path: str, params: dict[str, Any], *_: Any, **__: Any) -> Answer:
            number = params.get("pageNumber", 1)
            page = {"entities": [{"id": f"c-{number}"}], "pageCount": 600, "pageNumber": number}
            return Answer(200, page, 0.0, "GET", path)

        def close(self) -> None:
            """Nothing is open."""

    asked = platform.Conversations(Pages(), SystemClock(), "demo")  # type: ignore[arg-type]
    watched = asked.list(None, None, Deadline(SystemClock(), 60), priority="watcher")
    looked_up = asked.list(None, None, Deadline(SystemClock(), 60))
    asked.close()
    assert (len(watched.rows), watched.missing) == (600, "")
    assert len(looked_up.rows) == 500
    assert "more pages" in looked_up.missing
