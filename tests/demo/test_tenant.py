"""The simulated tenant keeps the contract of the conversations profile."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from bot.demo import cast
from bot.demo.tenant import Tenant
from tests.clock import HandClock
from tests.demo.asking import Client

LIST = "/api/v2/conversations"
ANALYTICS = "/api/v2/analytics/conversations/details/query"


# ---- the token ----


def test_a_token_is_given_for_the_clients_secret(tenant: Tenant) -> None:
    """`access_token`, `token_type` and `expires_in` come back."""
    form = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
    answer = requests.post(f"{tenant.url}/oauth2/token", data=form, timeout=5).json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert len(answer["access_token"]) > 20


@pytest.mark.parametrize(("field", "value"), [("client_id", "other"), ("client_secret", "wrong")])
def test_a_wrong_client_gets_no_token(tenant: Tenant, field: str, value: str) -> None:
    """401 with `invalid_client`."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "demo-client",
        "client_secret": "demo-secret",
        field: value,
    }
    answer = requests.post(f"{tenant.url}/oauth2/token", data=form, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_without_a_token_nothing_is_told(tenant: Tenant) -> None:
    """Every path answers 401, one that does not exist too."""
    for path in (LIST, f"{LIST}/x", ANALYTICS, "/api/v2/users/x", "/api/v2/nothing"):
        assert requests.get(f"{tenant.url}{path}", timeout=5).status_code == 401


def test_a_token_ends_with_its_time(client: Client, clock: HandClock) -> None:
    """After `expires_in` seconds the answer is 401, with a new token 200."""
    clock.advance(3599)
    assert client.ask(LIST).status_code == 200
    clock.advance(2)
    assert client.ask(LIST).status_code == 401
    client.sign_in()
    assert client.ask(LIST).status_code == 200


# ---- the list ----


def test_the_list_comes_in_pages_and_never_more_than_the_cap(tenant: Tenant, client: Client) -> None:
    """250 calls asked for 500 a page come as 100, 100, 50, each call once, without events, newest first."""
    made = {tenant.play("rejected", seed=seed) for seed in range(250)}
    pages = [
        client.ask(LIST, params={"pageSize": "500", "conversationType": "voice", "pageNumber": str(number)}).json()
        for number in (1, 2, 3, 4)
    ]
    assert [len(page["entities"]) for page in pages] == [100, 100, 50, 0]
    assert (pages[0]["pageCount"], pages[0]["total"], pages[0]["pageNumber"]) == (3, 250, 1)
    assert {row["id"] for page in pages for row in page["entities"]} == made
    assert all("events" not in row and row["participants"] for row in pages[0]["entities"])
    assert "nextUri" in pages[1]
    assert "nextUri" not in pages[2]


def test_the_newest_come_first_unless_shuffled(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """`shuffled` keeps one order over all pages, and it is not that of time."""
    for _ in range(60):
        tenant.play("rejected")
        clock.advance(1)

    def starts() -> list[str]:
        answers = [client.ask(LIST, params={"pageSize": "20", "pageNumber": str(n)}).json() for n in (1, 2, 3)]
        return [row["startTime"] for answer in answers for row in answer["entities"]]

    ordered = starts()
    assert ordered == sorted(ordered, reverse=True)
    tenant.shuffled = True
    mixed = starts()
    assert mixed != ordered
    assert sorted(mixed, reverse=True) == ordered


def test_with_next_uri_only_the_pages_hang_on_each_other(tenant: Tenant, client: Client) -> None:
    """No `pageCount`, `pageNumber` is not understood, and `nextUri` leads to the end."""
    tenant.next_uri_only = True
    made = {tenant.play("rejected", seed=seed) for seed in range(5)}
    first = client.ask(LIST, params={"pageSize": "2"}).json()
    assert first.keys() == {"entities", "nextUri"}
    assert client.ask(LIST, params={"pageSize": "2", "pageNumber": "2"}).json()["entities"] == first["entities"]
    seen, page = [row["id"] for row in first["entities"]], first
    while "nextUri" in page:
        page = client.ask(page["nextUri"]).json()
        seen += [row["id"] for row in page["entities"]]
    assert (len(seen), set(seen)) == (5, made)


def test_the_list_forgets_after_a_day_and_analytics_does_not(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """A call of yesterday is in the details query only."""
    old = tenant.play("rejected")
    clock.advance(hours=25)
    client.sign_in()
    assert client.ask(LIST).json()["entities"] == []
    window = {"dateFrom": "2026-11-20T00:00:00Z", "dateTo": "2026-11-22T00:00:00Z"}
    answer = client.ask(ANALYTICS, json=window).json()
    assert [row["conversationId"] for row in answer["conversations"]] == [old]
    assert answer["totalHits"] == 1
    assert answer["conversations"][0]["conversationStart"].startswith("2026-11-20T13:")


def test_calls_without_a_readable_start_are_always_listed(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """They stand at the end, each on one page only."""
    for number in range(3):
        tenant.add({"id": f"odd {number}", "startTime": ["junk", None, 5][number]})
        tenant.play("rejected", seed=number)
    clock.advance(minutes=30)
    pages = [client.ask(LIST, params={"pageSize": "2", "pageNumber": str(n)}).json() for n in (1, 2, 3, 4)]
    ids = [[row["id"] for row in page["entities"]] for page in pages]
    assert [len(page) for page in ids] == [2, 2, 2, 0]
    assert ids[1][1:] + ids[2] == ["odd 0", "odd 1", "odd 2"]
    assert len({id_ for page in ids for id_ in page}) == 6


# ---- analytics ----


def test_analytics_pages_by_its_body(tenant: Tenant, client: Client) -> None:
    """`paging` in the body chooses the page; outside the window there is nothing."""
    for seed in range(5):
        tenant.play("rejected", seed=seed)
    window = {"dateFrom": "2026-11-20T00:00:00Z", "dateTo": "2026-11-20T23:00:00Z"}
    sizes = [
        len(client.ask(ANALYTICS, json=window | {"paging": {"pageSize": 2, "pageNumber": n}}).json()["conversations"])
        for n in (1, 2, 3, 4)
    ]
    assert sizes == [2, 2, 1, 0]
    before = {"dateFrom": "2026-11-19T00:00:00Z", "dateTo": "2026-11-20T00:00:00Z"}
    assert client.ask(ANALYTICS, json=before).json() == {"conversations": [], "totalHits": 0}


def test_analytics_wants_the_method_it_wants(tenant: Tenant, client: Client) -> None:
    """GET by default, POST where the tenant is such; the other gets 405."""
    window = {"dateFrom": "2026-11-20T00:00:00Z", "dateTo": "2026-11-20T23:00:00Z"}
    statuses = [client.ask(ANALYTICS, method, json=window).status_code for method in ("GET", "POST")]
    tenant.analytics_method = "POST"
    statuses += [client.ask(ANALYTICS, method, json=window).status_code for method in ("GET", "POST")]
    assert statuses == [200, 405, 405, 200]


@pytest.mark.parametrize("body", [{}, {"dateFrom": "2026-11-20", "dateTo": "2026-11-21"}, {"dateFrom": 1, "dateTo": 2}])
def test_analytics_refuses_times_that_are_not_utc(client: Client, body: dict[str, Any]) -> None:
    """400, not a guess."""
    assert client.ask(ANALYTICS, json=body).status_code == 400


# ---- details and targets ----


def test_details_hold_the_events(tenant: Tenant, client: Client) -> None:
    """The rejected call shows its request and the refusal with its reason."""
    events = client.ask(f"{LIST}/{tenant.play('rejected')}").json()["events"]
    by_type = {event["type"]: event for event in events}
    assert by_type["sessionTransfer"]["toParticipantId"] == cast.BILLING
    assert by_type["sessionTransfer"]["properties"]["cognigySessionId"]
    assert by_type["sessionTransferRejected"]["reason"] == "NO_AGENTS_AVAILABLE"


def test_a_document_is_stored_as_given(tenant: Tenant, client: Client) -> None:
    """And a second one with its id takes its place."""
    assert tenant.add({"id": "a b/1", "startTime": "junk", "events": None, "more": [1]}) == "a b/1"
    assert client.ask(f"{LIST}/a%20b%2F1").json() == {"id": "a b/1", "startTime": "junk", "events": None, "more": [1]}
    tenant.add({"id": "a b/1", "startTime": "2026-11-20T13:00:00Z"})
    assert client.ask(LIST).json()["entities"] == [{"id": "a b/1", "startTime": "2026-11-20T13:00:00Z"}]


def test_targets_are_users_queues_and_flows(tenant: Tenant, client: Client) -> None:
    """Each by its kind; elsewhere, and for nobody's id, 404."""
    assert client.ask(f"/api/v2/users/{cast.ANNA}").json()["state"]["stateName"] == "Available"
    assert client.ask(f"/api/v2/queues/{cast.RETIRED}").json()["isActive"] is False
    assert client.ask(f"/api/v2/flows/{cast.FLOW}").json()["triggers"] == [
        {"type": "event", "event": "sessionTransfer"}
    ]
    tenant.users["u1"] = {"id": "u1", "name": "New"}
    assert client.ask("/api/v2/users/u1").json()["name"] == "New"
    for path in (f"/api/v2/queues/{cast.ANNA}", "/api/v2/flows/none", f"{LIST}/none", "/api/v2/x/1", "/other"):
        assert client.ask(path).status_code == 404


def test_nothing_can_be_written(client: Client) -> None:
    """405 for every verb but GET."""
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.ask(LIST, method).status_code == 405


# ---- as a server ----


def test_requests_are_remembered(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """Method, path, parameters (of a body too), time and client; never the secret."""
    tenant.forget_requests()
    client.ask(LIST, params={"pageSize": "5"})
    client.ask(ANALYTICS, json={"dateFrom": "2026-11-20T00:00:00Z", "dateTo": "2026-11-20T23:00:00Z"})
    requests.get(f"{tenant.url}/api/v2/users/1", timeout=5)
    client.sign_in()
    first, second, third, fourth = tenant.requests
    assert (first.method, first.path, first.params, first.at, first.who) == (
        "GET",
        LIST,
        {"pageSize": "5"},
        clock.now(),
        "demo-client",
    )
    assert second.params["dateFrom"] == "2026-11-20T00:00:00Z"
    assert third.who == ""
    assert fourth.path == "/oauth2/token"
    assert "demo-secret" not in repr(tenant.requests)


def test_connections_stay_open_and_calls_run_beside_each_other(tenant: Tenant, client: Client) -> None:
    """Forty calls of 0.2 s at once take well under forty times that."""
    tenant.play("rejected")
    tenant.latency = 0.2
    statuses: list[int] = []

    def one() -> None:
        statuses.append(requests.get(f"{tenant.url}{LIST}", headers=client.session.headers, timeout=5).status_code)

    threads = [threading.Thread(target=one) for _ in range(40)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
    assert time.monotonic() - began < 3


def test_it_listens_on_loopback_only(tenant: Tenant) -> None:
    """The address says so."""
    assert tenant.url.startswith("http://127.0.0.1:")


def test_of_very_many_calls_the_oldest_go(clock: HandClock) -> None:
    """A demo that runs for a week does not fill the memory."""
    tenant = Tenant(clock=clock, kept=10)
    try:
        for _ in range(25):
            clock.advance(1)
            tenant.place("rejected")
        assert len(tenant.store) == 10
        assert tenant.calls()[0]["started"] == clock.now()
    finally:
        tenant.stop()
