"""The routes of the conversations API, each a function of the tenant and a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode

from bot.demo.calls import Call, shuffled
from bot.demo.faults import Fault

if TYPE_CHECKING:
    from bot.demo.tenant import Tenant

LIST = "/api/v2/conversations"
ANALYTICS = "/api/v2/analytics/conversations/details/query"
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with whom its token belongs to."""

    method: str
    path: str
    params: dict[str, str]
    body: bytes
    who: str
    now: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `cut` sends so many bytes of it, `reset` breaks the connection, `hang` never answers."""

    status: int = 200
    body: bytes = b""
    type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    reset: bool = False
    hang: bool = False

    def spoiled(self, fault: Fault, now: datetime) -> Reply:  # noqa: PLR0911 - one return a kind of fault
        """This answer after a fault."""
        args = fault.args
        match fault.kind:
            case "status":
                return _failed(int(args.get("status", 503)), args, now)
            case "cut_json":
                return replace(self, cut=max(len(self.body) // 2, 1))
            case "html":
                page = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
                return Reply(int(args.get("status", 200)), page, "text/html")
            case "not_json":
                return Reply(200, b"OK: all fine, {", "text/plain")
            case "body":
                given = args.get("body", b"")
                raw = given if isinstance(given, bytes) else json.dumps(given).encode()
                return Reply(int(args.get("status", 200)), raw, str(args.get("type", JSON_TYPE)))
            case "reset":
                return Reply(reset=True)
            case _:
                return self


def answer(tenant: Tenant, request: Request) -> Reply:  # noqa: PLR0911 - one return a route
    """The route's answer: the token first, then 401 without one, then the resources."""
    if request.path == "/oauth2/token":
        return _token(tenant, request)
    if not request.who:
        return _error(401, "unauthorized", "the token is missing, unknown or expired")
    if request.path == ANALYTICS:
        return _analytics(tenant, request)
    if request.method != "GET":
        return _error(405, "method.not.allowed", f"{request.method} is not allowed here")
    if request.path == LIST:
        return _list(tenant, request)
    kind, _, id_ = request.path.removeprefix("/api/v2/").partition("/")
    id_ = unquote(id_)
    if kind == "conversations":
        call = tenant.store.get(id_)
        return Reply(200, call.body(request.now)) if call else _error(404, "not.found", "no such conversation")
    shelf = {"users": tenant.users, "queues": tenant.queues, "flows": tenant.flows}.get(kind)
    if shelf is None:
        return _error(404, "not.found", "no such path")
    document = shelf.get(id_)
    return _json(document) if document is not None else _error(404, "not.found", f"no such {kind.removesuffix('s')}")


def _token(tenant: Tenant, request: Request) -> Reply:
    if request.method != "POST":
        return _error(405, "method.not.allowed", "POST, please")
    form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return _json({"error": "unsupported_grant_type"}, 400)
    if (form.get("client_id"), form.get("client_secret")) != (tenant.client_id, tenant.client_secret):
        return _json({"error": "invalid_client", "error_description": "unknown client or wrong secret"}, 401)
    token = tenant.issue_token(tenant.client_id)
    return _json({"access_token": token, "token_type": "Bearer", "expires_in": tenant.token_seconds})


def _list(tenant: Tenant, request: Request) -> Reply:
    """A page of rows. With `next_uri_only` the further pages are found through `nextUri` alone, whatever the total."""
    number = _whole(request.params.get("cursor" if tenant.next_uri_only else "pageNumber"), 1)
    size = min(_whole(request.params.get("pageSize"), 25), tenant.page_cap)
    since, until = request.now - timedelta(hours=tenant.list_hours), request.now - timedelta(seconds=tenant.list_delay)
    first = (number - 1) * size
    if tenant.shuffled:
        calls = shuffled(tenant.store.between(since, until))
        page, total = calls[first : first + size], len(calls)
    else:
        page, total = tenant.store.page(since, until, first, size)
    pages = max(-(-total // size), 1)
    rest: dict[str, Any] = {}
    if number < pages:
        key = "cursor" if tenant.next_uri_only else "pageNumber"
        rest["nextUri"] = f"{LIST}?{urlencode(request.params | {key: str(number + 1)})}"
    if tenant.tells_total:
        rest["total"] = total
    if not tenant.next_uri_only:
        rest |= {"pageNumber": number, "pageSize": size, "pageCount": pages, "total": total}
    return _rows(b"entities", page, request.now, rest)


def _analytics(tenant: Tenant, request: Request) -> Reply:
    """Conversations that began from `dateFrom` to `dateTo`, by pages as `paging` says."""
    if request.method != tenant.analytics_method:
        return _error(405, "method.not.allowed", f"{tenant.analytics_method} only")
    try:
        asked = json.loads(request.body or b"{}")
        since, until = (_date(asked[name]) for name in ("dateFrom", "dateTo"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, "bad.request", "the body is JSON with dateFrom and dateTo in UTC, ending in Z")
    paging = asked.get("paging") or {}
    number, size = _whole(paging.get("pageNumber"), 1), min(_whole(paging.get("pageSize"), 25), tenant.page_cap)
    calls = [call for call in tenant.store.between(since, min(until, request.now)) if call.started.year > 1970]  # noqa: PLR2004 - the epoch stands for "cannot be read"
    rows = []
    for call in calls[(number - 1) * size : number * size]:
        row = json.loads(call.row(request.now))
        rows.append(
            {
                "conversationId": row.get("id"),
                "conversationStart": row.get("startTime"),
                "conversationEnd": row.get("endTime"),
                "participants": row.get("participants"),
            }
        )
    return _json({"conversations": rows, "totalHits": len(calls)})


def _rows(name: bytes, calls: list[Call], now: datetime, rest: dict[str, Any]) -> Reply:
    """Rows that were serialised before, put together."""
    end = json.dumps(rest)[1:].encode()
    return Reply(
        200, b'{"' + name + b'": [' + b", ".join(call.row(now) for call in calls) + (b"], " if rest else b"]") + end
    )


def _failed(status: int, args: dict[str, Any], now: datetime) -> Reply:
    """An error answer; `retry_after` in seconds, or `retry_date` the same as an HTTP date."""
    headers: tuple[tuple[str, str], ...] = ()
    if "retry_after" in args:
        headers = (("Retry-After", str(args["retry_after"])),)
    elif "retry_date" in args:
        at = (now + timedelta(seconds=float(args["retry_date"]))).astimezone(UTC)
        headers = (("Retry-After", format_datetime(at, usegmt=True)),)
    return replace(_error(status, f"error.{status}", f"simulated {status}"), headers=headers)


def _error(status: int, code: str, message: str) -> Reply:
    return _json({"status": status, "code": code, "message": message}, status)


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


def _whole(value: object, default: int) -> int:
    try:
        return max(int(value), 1)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return default


def _date(value: str) -> datetime:
    if not value.endswith("Z"):
        raise ValueError(value)
    return datetime.fromisoformat(value)
