"""An investigator in front of the simulated tenant's contacts API, with its Cognigy beside it."""

from __future__ import annotations

from typing import Any

from bot.clock import Clock
from bot.cxone.cognigy_client import Cognigy
from bot.cxone.contacts import Contacts
from bot.cxone.contacts_sign_in import AccessKey, access_key
from bot.cxone.http import Session
from bot.cxone.investigate import Investigator
from bot.demo.tenant import Tenant


def key_of(server: Tenant, **wrong: str) -> AccessKey:
    """The access key that the tenant knows, or one with something wrong."""
    right = {
        "issuer": server.url,
        "client_id": "demo-client",
        "client_secret": "demo-secret",
        "key_id": "demo-key",
        "key_secret": "demo-key-secret",
        "tenant_id": "demo",
    }
    return AccessKey(**{**right, **wrong})


def platform_of(server: Tenant, clock: Clock, *, cognigy: bool = True, names: str = "off", **wrong: str) -> Contacts:
    """The client, not signed in yet."""
    key = key_of(server, **wrong)
    session = Session(key.issuer, access_key(key, clock), clock)
    beside = Cognigy(server.url, "demo-cognigy", "demo-project", clock) if cognigy else None
    return Contacts(session, clock, "demo", cognigy=beside, agent_names=names)


def desk_of(server: Tenant, clock: Clock, **more: Any) -> Investigator:
    """The desk over it, which looks once."""
    return Investigator(platform_of(server, clock, **more), clock, look_again=())
