"""Who works in the simulated contact centre: its people, queues and flows, as the conversations API tells of them.

Ids are made from names, so that each start and each test has the same ones. The functions return fresh documents:
a tenant may change its own.
"""

from __future__ import annotations

import uuid
from typing import Any


def ident(name: str) -> str:
    """The id of a named thing: always the same UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.demo.handover"))


BILLING = ident("queue billing")
SUPPORT = ident("queue support")
CLAIMS = ident("queue claims")
OVERFLOW = ident("queue overflow")
RETIRED = ident("queue retail")
ANNA = ident("user anna")
BEN = ident("user ben")
CARLA = ident("user carla")
DMITRI = ident("user dmitri")
SUPERVISOR = ident("user supervisor")
FLOW = ident("flow handover to agent")
DEAF_FLOW = ident("flow survey")
NOWHERE = ident("nobody has this id")

BOT_NAME = "Cognigy Voicebot"
HOTLINE = "+18005550100"


def users() -> dict[str, dict[str, Any]]:
    """The people, by id: `id`, `name`, `state.stateName`."""
    people = {
        ANNA: ("Anna Agent", "Available"),
        BEN: ("Ben Busy", "OnCall"),
        CARLA: ("Carla Break", "Break"),
        DMITRI: ("Dmitri Desk", "Available"),
        SUPERVISOR: ("Sam Supervisor", "Available"),
    }
    return {id_: {"id": id_, "name": name, "state": {"stateName": state}} for id_, (name, state) in people.items()}


def queues() -> dict[str, dict[str, Any]]:
    """The queues, by id, with the figures of the moment."""
    rows = {
        BILLING: ("Billing", 3, 0, 4, True),
        SUPPORT: ("Support", 8, 3, 0, True),
        CLAIMS: ("Claims", 4, 1, 1, True),
        OVERFLOW: ("Overflow", 6, 2, 0, True),
        RETIRED: ("Retail (old)", 0, 0, 0, False),
    }
    return {
        id_: {
            "id": id_,
            "name": name,
            "agentsLoggedIn": logged_in,
            "agentsAvailable": available,
            "waiting": waiting,
            "isActive": active,
        }
        for id_, (name, logged_in, available, waiting, active) in rows.items()
    }


def flows() -> dict[str, dict[str, Any]]:
    """The Studio flows, by id; the second lost its trigger."""
    listens = [{"type": "event", "event": "sessionTransfer"}]
    rows = {
        FLOW: ("Handover to agent", 12, listens),
        DEAF_FLOW: ("Survey", 4, [{"type": "voice", "event": "callStart"}]),
    }
    return {
        id_: {
            "id": id_,
            "name": name,
            "active": True,
            "version": version,
            "publishedDate": "2026-01-12T09:00:00Z",
            "triggers": triggers,
        }
        for id_, (name, version, triggers) in rows.items()
    }
