"""What the methods of the local Slack work with: who may call, and arguments as Slack reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.rates import Rates
from bot.demo.state import SlackError, Team


@dataclass(frozen=True)
class Desk:
    """What the methods need beside the arguments."""

    team: Team
    rates: Rates
    scopes: frozenset[str]
    bot_token: str
    app_token: str
    page_url: Callable[[], str]
    socket_url: Callable[[], str]


Arguments = Mapping[str, Any]
Method = Callable[[Desk, Arguments], dict[str, Any]]


def demand(desk: Desk, scopes: Iterable[str]) -> None:
    """Raise `missing_scope` unless all are granted."""
    missing = [scope for scope in scopes if scope not in desk.scopes]
    if missing:
        raise SlackError("missing_scope", needed=",".join(missing), provided=",".join(sorted(desk.scopes)))


def read_argument(args: Arguments, name: str) -> Any:
    """An argument that is JSON: as it is in a JSON body, as text in a form."""
    value = args.get(name)
    if isinstance(value, str):
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from None
    return value


def flag(args: Arguments, name: str) -> bool:
    """An argument that says yes or no."""
    return str(args.get(name, "")).lower() in ("1", "true")
