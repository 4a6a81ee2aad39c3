"""A plain client of the simulated tenant."""

from __future__ import annotations

from typing import Any

import requests

from bot.demo.tenant import Tenant


class Client:
    """A plain client with a token, for asking the tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self.url = tenant.url
        self.session = requests.Session()
        self.sign_in()

    def sign_in(self) -> None:
        """A new token."""
        form = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
        token = self.session.post(f"{self.url}/oauth2/token", data=form, timeout=5).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, path: str, method: str = "GET", timeout: float = 5, **how: Any) -> requests.Response:
        """One request."""
        return self.session.request(method, f"{self.url}{path}", timeout=timeout, **how)

    def close(self) -> None:
        """Let go of the connection."""
        self.session.close()
