"""The simulated Cognigy beside the contacts API: the project's log, 25 entries a page, and sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from bot.demo.contacts_replies import answered, whole
from bot.demo.routes import Reply, Request

if TYPE_CHECKING:
    from bot.demo.contacts_api import ContactsApi

PREFIXES = ("/new/v2.0/", "/v2.0/")
LOG_PAGE = 25


def cognigy(api: ContactsApi, request: Request) -> Reply:
    """The log of the project, and the messages of one session."""
    if request.headers.get("x-api-key") != api.cognigy_key:
        return answered({"title": "Unauthorized", "status": 401, "detail": "API key unknown"}, 401)
    prefix = next(each for each in PREFIXES if request.path.lower().startswith(each))
    parts = [unquote(part) for part in request.path[len(prefix) :].split("/")]
    since, until = request.now - timedelta(days=30), request.now
    calls = [each for each in api.bundles(since, until, request.now) if each.session]
    if parts[0] == "conversations" and len(parts) > 1:
        found = next((each for each in calls if each.session == parts[1]), None)
        items = (
            [{"type": "input", "source": "user", "timestamp": found.row["contactStartDate"]}, *found.items]
            if found
            else []
        )
        return answered({"items": items, "total": len(items)}) if found else answered({"status": 404}, 404)
    if parts[0] == "projects" and len(parts) == 3 and parts[2] == "logs":  # noqa: PLR2004 - projects/{id}/logs
        if parts[1] != api.project:
            return answered({"status": 404, "detail": "project unknown"}, 404)
        entries = [entry for each in calls for entry in each.logs]
        if wanted := request.params.get("sessionId"):
            entries = [entry for entry in entries if entry["meta"]["sessionId"] == wanted]
        entries.sort(key=lambda entry: str(entry["timestamp"]), reverse=True)
        return _hal(api.tenant.url, entries, request)
    return answered({"status": 404}, 404)


def _hal(url: str, entries: list[dict[str, Any]], request: Request) -> Reply:
    skip = whole(request.params.get("skip"), 0)
    limit = min(whole(request.params.get("limit"), LOG_PAGE), LOG_PAGE)
    links: dict[str, Any] = {"self": {"href": request.path}}
    if skip + limit < len(entries):
        query = urlencode({**request.params, "skip": skip + limit, "limit": limit})
        links["next"] = {"href": f"{url}{request.path}?{query}"}
    return answered({"_embedded": {"logEntry": entries[skip : skip + limit]}, "_links": links, "total": len(entries)})
