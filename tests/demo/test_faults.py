"""What can go wrong with the simulated tenant, on request."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from bot.demo import cast
from bot.demo.tenant import Tenant
from tests.demo.asking import Client

LIST = "/api/v2/conversations"


def test_statuses_come_on_request(tenant: Tenant, client: Client) -> None:
    """As often as asked for, and only where the path begins so."""
    for status in (401, 403, 404, 405, 500, 502, 503):
        tenant.faults.add("/api/v2/users/", "status", times=1, status=status)
        assert client.ask(LIST).status_code == 200
        assert client.ask(f"/api/v2/users/{cast.ANNA}").status_code == status
        assert client.ask(f"/api/v2/users/{cast.ANNA}").status_code == 200


def test_retry_after_comes_in_seconds_or_as_a_date(tenant: Tenant, client: Client) -> None:
    """The date is counted from the tenant's own clock; `clear` ends it."""
    tenant.faults.add("/", "status", times=1, status=429, retry_after=7)
    assert client.ask(LIST).headers["Retry-After"] == "7"
    tenant.faults.add("/", "status", status=429, retry_date=30)
    answer = client.ask(LIST)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "Fri, 20 Nov 2026 14:00:30 GMT")
    tenant.faults.clear()
    assert client.ask(LIST).status_code == 200


def test_bodies_can_be_broken(tenant: Tenant, client: Client) -> None:
    """Cut JSON ends the connection early; a page and plain text are no JSON; `body` is anything."""
    tenant.play("rejected")
    tenant.faults.add(LIST, "cut_json", times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.ask(LIST)
    tenant.faults.add(LIST, "html", times=1, status=502)
    answer = client.ask(LIST)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    tenant.faults.add(LIST, "not_json", times=1)
    assert client.ask(LIST).text.startswith("OK")
    tenant.faults.add(LIST, "body", times=1, body={"entities": None})
    assert client.ask(LIST).json() == {"entities": None}
    tenant.faults.add(LIST, "body", times=1, body=b"\xff\xfe", status=201)
    assert client.ask(LIST).content == b"\xff\xfe"
    assert client.ask(LIST).status_code == 200


def test_a_connection_can_be_reset(tenant: Tenant, client: Client) -> None:
    """The client sees a broken connection; the next one works."""
    tenant.faults.add(LIST, "reset", times=1)
    with pytest.raises(requests.ConnectionError):
        client.ask(LIST)
    assert client.ask(LIST).status_code == 200


def test_a_token_can_expire_early(tenant: Tenant, client: Client) -> None:
    """401 once, and the old token stays dead."""
    tenant.faults.add(LIST, "expired_token", times=1)
    assert client.ask(LIST).status_code == 401
    assert client.ask(LIST).status_code == 401
    client.sign_in()
    assert client.ask(LIST).status_code == 200


def test_slow_and_hanging_answers_run_into_a_timeout(tenant: Tenant, client: Client) -> None:
    """Slow ones come in the end, hanging ones never; stopping waits for neither, and leaves no thread behind."""
    before = set(threading.enumerate())
    tenant.faults.add(LIST, "slow", times=1, seconds=0.1)
    began = time.monotonic()
    assert client.ask(LIST).status_code == 200
    assert time.monotonic() - began >= 0.1
    for kind in ("slow", "hang"):
        tenant.faults.add(LIST, kind, times=1, seconds=60)
        with pytest.raises(requests.Timeout):
            client.ask(LIST, timeout=0.1)
    began = time.monotonic()
    tenant.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(2)
        assert not thread.is_alive()
    assert time.monotonic() - began < 2


def test_an_unknown_fault_is_refused(tenant: Tenant) -> None:
    """A typing error does not pass as a healthy tenant."""
    with pytest.raises(ValueError, match="no such fault"):
        tenant.faults.add("/", "explode")
