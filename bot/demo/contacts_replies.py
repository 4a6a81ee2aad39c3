"""How the simulated contacts API answers and reads its parameters."""

from __future__ import annotations

import json
from datetime import datetime

from bot.demo.routes import Reply


def refused(status: int, text: str) -> Reply:
    """An error, its text in the header too."""
    body = json.dumps({"error": "error", "error_description": text}).encode()
    return Reply(status, body, headers=(("icStatusDescription", text),))


def answered(value: object, status: int = 200) -> Reply:
    """JSON."""
    return Reply(status, json.dumps(value).encode())


def whole(value: object, default: int) -> int:
    """A whole number of a query."""
    return int(value) if isinstance(value, str) and value.isdigit() else default


def date(value: str | None) -> datetime | None:
    """A date that ends in Z. Raises ValueError for any other."""
    if value is None:
        return None
    if not value.endswith("Z"):
        raise ValueError(value)
    return datetime.fromisoformat(value)
