"""The sign-in of the simulated contacts API: OpenID discovery, an access key, the tenant's configuration."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from bot.demo.contacts_documents import BUSINESS
from bot.demo.contacts_replies import answered, refused
from bot.demo.routes import Reply, Request

if TYPE_CHECKING:
    from bot.demo.contacts_api import ContactsApi


def issuer(api: ContactsApi, request: Request) -> Reply:
    """Discovery, the configuration of a tenant, and the token."""
    url = api.tenant.url
    if request.path == "/.well-known/openid-configuration":
        return answered(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/auth/authorize",
                "token_endpoint": f"{url}/auth/token",
            }
        )
    if request.path == "/.well-known/cxone-configuration":
        if request.params.get("tenantId") != api.tenant.tenant_id:
            return refused(404, "unknown tenant")
        area = {"area": "na1", "cluster": "C1", "domain": "niceincontact.com", "tenantId": api.tenant.tenant_id}
        return answered({"api_endpoint": url, "auth_endpoint": url, "ui_endpoint": url, **area})
    if request.path == "/auth/token":
        return _token(api, request)
    return refused(404, "no such path")


def _token(api: ContactsApi, request: Request) -> Reply:
    form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
    if request.method != "POST" or form.get("grant_type") != "password":
        return answered({"error": "unsupported_grant_type"}, 400)
    if _basic(request.headers) != (api.tenant.client_id, api.tenant.client_secret):
        return answered({"error": "invalid_client", "error_description": "client authentication failed"}, 401)
    key = (form.get("username"), form.get("password"))
    if key != (api.key_id, api.key_secret) or not api.key_active:
        return answered({"error": "invalid_grant", "error_description": "access key unknown or not active"}, 400)
    claims = {"tenantId": api.tenant.tenant_id, "icBUId": BUSINESS, "iss": api.tenant.url}
    token = api.tenant.issue_token(api.tenant.client_id)
    lasts = api.tenant.token_seconds
    return answered({"access_token": token, "token_type": "Bearer", "expires_in": lasts, "id_token": _jwt(claims)})


def _basic(headers: Mapping[str, str]) -> tuple[str, str]:
    try:
        raw = base64.b64decode(headers.get("authorization", "").removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, secret = raw.partition(":")
    return name, secret


def _jwt(claims: dict[str, Any]) -> str:
    """A token whose claims can be read; its signature is nobody's."""
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"
