"""Whose command or button it is: the workspace it came from, then `@name` in a command, the channel's, or the first.

Messages carry the tenant in the block_id of what can be pressed, so that a button finds its way back in any process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.slack import tenant_names
from bot.slack.blocks import MARK
from bot.slack.services import Services


class UnknownTenantError(Exception):
    """Nobody of that name is served here; the message is a sentence."""


class UnknownWorkspaceError(UnknownTenantError):
    """The app is installed in a workspace that no tenant names."""

    def __init__(self) -> None:
        super().__init__("No tenant is set up for this workspace, so I have nothing to look up here.")


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The services by tenant's name, the first being the default, and the channels that mean one."""

    by_tenant: Mapping[str, Services]
    channels: Mapping[str, str] = field(default_factory=dict)

    @property
    def first(self) -> Services:
        """Those of the default tenant."""
        return next(iter(self.by_tenant.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """What can be typed after @; nothing where there is one tenant."""
        return tuple(self.by_tenant) if len(self.by_tenant) > 1 else ()

    def command(self, body: Mapping[str, Any]) -> tuple[Services, dict[str, Any]]:
        """Whose command it is, and the command without the name. Raises UnknownTenantError."""
        name, rest = tenant_names.find(str(body.get("text") or "")) if self.names else ("", "")
        if not name:
            return self._of_channel(str(body.get("channel_id") or "")), dict(body)
        if name not in self.by_tenant:
            raise UnknownTenantError(tenant_names.unknown(name, list(self.by_tenant)))
        return self.by_tenant[name], {**body, "text": rest}

    def action(self, body: Mapping[str, Any]) -> Services:
        """Whose button was pressed."""
        pressed = (body.get("actions") or [{}])[0]
        _, marked, rest = str(pressed.get("block_id") or "").partition(MARK)
        name = rest.partition(":")[0] if marked else ""
        if name in self.by_tenant:
            return self.by_tenant[name]
        channel = body.get("channel")
        return self._of_channel(str(channel.get("id") or "") if isinstance(channel, Mapping) else "")

    def _of_channel(self, channel: str) -> Services:
        return self.by_tenant.get(self.channels.get(channel, ""), self.first)


@dataclass(frozen=True, slots=True)
class Switchboards:
    """One for every workspace (under ""), or one for each that installed the app, by its id."""

    by_workspace: Mapping[str, Switchboard]

    def of(self, body: Mapping[str, Any]) -> Switchboard:
        """That of the workspace that a payload came from. Raises UnknownWorkspaceError."""
        board = self.by_workspace.get("") or self.by_workspace.get(workspace_of(body))
        if board is None:
            raise UnknownWorkspaceError
        return board

    def action(self, body: Mapping[str, Any]) -> Services:
        """Whose button was pressed, and where. Raises UnknownWorkspaceError."""
        return self.of(body).action(body)

    def __iter__(self) -> Iterator[Switchboard]:
        return iter(self.by_workspace.values())


def workspace_of(body: Mapping[str, Any]) -> str:
    """The id of the workspace whose install a payload is for: of a command, an interaction or an event."""
    authorized = (body.get("authorizations") or [{}])[0]
    team = body.get("team")
    of_interaction = team.get("id") if isinstance(team, Mapping) else None
    return str(authorized.get("team_id") or body.get("team_id") or of_interaction or "")
