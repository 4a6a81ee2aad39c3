"""Which tenant is meant, where the bot serves several: `@name` in a command, else the channel's, else the first.

Messages carry the tenant in the block_id of what can be pressed, so that a button finds its way back in any process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack import tenant_names
from bot.slack.blocks import MARK
from bot.slack.services import Services


class UnknownTenantError(Exception):
    """Nobody of that name is served here; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The services by tenant's name, the first being the default, and the channels that mean one."""

    by_tenant: Mapping[str, Services]
    channels: Mapping[str, str]

    def command(self, body: Mapping[str, Any]) -> tuple[Services, dict[str, Any]]:
        """Whose command it is, and the command without the name. Raises UnknownTenantError."""
        name, rest = tenant_names.find(str(body.get("text") or ""))
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
        first = next(iter(self.by_tenant))
        return self.by_tenant[self.channels.get(channel, first)]
