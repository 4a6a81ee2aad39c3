"""The sign-in of the contacts profile: from an issuer to a token and to where the API answers.

1. `{issuer}/.well-known/openid-configuration` names the token endpoint;
2. the token by an access key: `grant_type=password` with the client as Basic authentication;
3. `{issuer}/.well-known/cxone-configuration?tenantId=` names `api_endpoint`, under which the API of one version stands.

Source: NICE's developer portal, "Authentication" and "UserHub getting started".
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.cxone import names, reading
from bot.cxone.errors import CXoneError, DeadlineError, SignInError, UnreachableError
from bot.cxone.http import Deadline, Priority, Session, SignIn, Token

ISSUER = "https://cxone.niceincontact.com"
VERSION = "v33.0"
_OPENID = "/.well-known/openid-configuration"
_CONFIGURATION = "/.well-known/cxone-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """What the bot signs in with. `tenant_id` may be empty: the token says it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    key_id: str
    key_secret: str = field(repr=False)
    tenant_id: str = ""
    version: str = VERSION
    base_url: str = ""  # instead of the address that the issuer names


def services(endpoint: str, version: str) -> str:
    """The base address of one version: "30", "v30" and "v30.0" are the same."""
    number = version.strip().lower().removeprefix("v")
    return f"{endpoint.rstrip('/')}/incontactapi/services/v{number if '.' in number else number + '.0'}"


def access_key(key: AccessKey, clock: Clock) -> SignIn:
    """The sign-in. It moves the session to the API's address the first time; discovery is asked once."""
    issuer = Session(key.issuer, _nobody, clock)
    lock = threading.Lock()
    learned: dict[str, str] = {}

    def ask(path: str, params: Mapping[str, Any] | None, deadline: Deadline, priority: Priority) -> Mapping[str, Any]:
        try:
            answer = issuer.send("GET", path, params=params, deadline=deadline, priority=priority, signed=False)
        except UnreachableError as error:
            error.sentence = error.sentence.replace("CXONE_TENANT_ID or CXONE_BASE_URL", "CXONE_ISSUER")
            error.args = (error.sentence,)
            raise
        except DeadlineError:
            raise
        except CXoneError as error:
            raise _wrong_issuer(path, error.status, issuer.host) from None
        if not isinstance(answer.body, Mapping):
            raise _wrong_issuer(path, answer.status, issuer.host)
        return answer.body

    def sign_in(session: Session, deadline: Deadline, priority: Priority) -> Token:
        with lock:
            # 1. where tokens come from
            if "token" not in learned:
                endpoint = reading.text(ask(_OPENID, None, deadline, priority).get("token_endpoint"))
                learned["token"] = _own_path(endpoint, issuer)
            # 2. the token
            token, tenant = _token(key, issuer, learned["token"], deadline, priority)
            # 3. where the API answers
            if "api" not in learned:
                tenant = tenant or key.tenant_id
                body = {} if key.base_url else ask(_CONFIGURATION, {"tenantId": tenant}, deadline, priority)
                learned["api"] = key.base_url or _endpoint(body, issuer.host)
                try:
                    session.move(services(learned["api"], key.version))
                except ValueError as why:
                    del learned["api"]
                    raise SignInError(
                        "GET", _CONFIGURATION, None, f"The issuer names an address that does not do: {why}."
                    ) from None
            return token

    return sign_in


def _token(key: AccessKey, issuer: Session, path: str, deadline: Deadline, priority: Priority) -> tuple[Token, str]:
    """A token, and the tenant that it is for."""
    form = {"grant_type": "password", "username": key.key_id, "password": key.key_secret}
    basic = (key.client_id, key.client_secret)
    try:
        answer = issuer.send("POST", path, form=form, basic=basic, deadline=deadline, priority=priority, signed=False)
    except CXoneError as error:
        if error.status is None or error.status == 429 or error.status >= 500:  # noqa: PLR2004 - the status is the word for it
            raise
        raise SignInError("POST", path, error.status, _refused(error.status, path, issuer.host)) from None
    body = reading.mapping(answer.body)
    value = body.get("access_token")
    if not isinstance(value, str) or not value:
        raise SignInError(
            "POST", path, answer.status, f"POST {path} on {issuer.host} answered without a token. Check CXONE_ISSUER."
        )
    lasts = reading.whole(body.get("expires_in"))
    tenant = claims(body.get("id_token")).get("tenantId") or claims(value).get("tenantId")
    return Token(value, float(lasts) if lasts and lasts > 0 else 3600.0), reading.text(tenant)


def claims(token: object) -> Mapping[str, Any]:
    """What a JWT says. Nothing is verified: it came from the issuer itself, and only names the tenant."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return {}
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return reading.mapping(json.loads(raw))
    except (binascii.Error, ValueError, RecursionError):
        return {}


def _refused(status: int, path: str, host: str) -> str:
    if status == 401:  # noqa: PLR2004 - the status is the word for it
        return (
            f"401 on POST {path}: {host} most likely does not know this client. Check CXONE_CLIENT_ID and "
            "CXONE_CLIENT_SECRET (the application that NICE registered for you), and that CXONE_ISSUER is the one of "
            "your region; then the access key, CXONE_ACCESS_KEY_ID, and that it and its employee are active."
        )
    return (
        f"{status} on POST {path}: {host} gives no token for this access key. Check CXONE_ACCESS_KEY_ID and "
        "CXONE_ACCESS_KEY_SECRET, that the key is active, and that the employee it belongs to is not deactivated "
        "(CXone, Manage Access Keys)."
    )


def _wrong_issuer(path: str, status: int | None, host: str) -> SignInError:
    if path == _CONFIGURATION:
        return SignInError(
            "GET",
            path,
            status,
            f"{status or 'no answer'} on GET {path}: {host} knows no such tenant. Check CXONE_TENANT_ID (the tenant's "
            "UUID) and CXONE_ISSUER.",
        )
    return SignInError(
        "GET",
        path,
        status,
        f"{status or 'no answer'} on GET {path}: {host} is no issuer of CXone's tokens. Check CXONE_ISSUER (the usual "
        f"one is {ISSUER}; government and sovereign regions have their own).",
    )


def _own_path(endpoint: str, issuer: Session) -> str:
    """The path of the token endpoint. Secrets go to the issuer's own host alone, whatever its answer names."""
    parts = urlsplit(endpoint)
    own = urlsplit(issuer.base_url)
    if not endpoint or (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise SignInError(
            "GET",
            _OPENID,
            None,
            f"GET {_OPENID}: {issuer.host} names a token endpoint on another host, and the bot sends its secrets "
            "to none. Check CXONE_ISSUER.",
        )
    return parts.path.removeprefix(own.path.rstrip("/")) if own.path.rstrip("/") else parts.path


def _endpoint(body: Mapping[str, Any], host: str) -> str:
    """Where the API answers: as the configuration says, or by its area."""
    endpoint = reading.text(body.get("api_endpoint"))
    area = reading.text(body.get("area"))
    if not endpoint and area.isalnum():
        endpoint = names.AREA_HOST.format(area=area)
    if not endpoint:
        raise SignInError(
            "GET",
            _CONFIGURATION,
            200,
            f"GET {_CONFIGURATION} on {host} names no api_endpoint. Check CXONE_TENANT_ID, or set CXONE_BASE_URL "
            "to the address of your region's API.",
        )
    return endpoint


def _nobody(session: Session, deadline: Deadline, priority: Priority) -> Token:
    """Nothing at the issuer needs a token."""
    del session, deadline, priority
    return Token("")
