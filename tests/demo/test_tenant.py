"""The simulated tenant keeps the contract of the conversations profile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.demo import cast
from bot.demo.tenant import SCENARIOS, Tenant
from tests.clock import HandClock

LIST = "/api/v2/conversations"
ANALYTICS = "/api/v2/analytics/conversations/details/query"


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


@pytest.fixture
def tenant(clock: HandClock) -> Iterator[Tenant]:
    """A tenant whose time stands still."""
    with Tenant(clock=clock) as running:
        yield running


@pytest.fixture
def client(tenant: Tenant) -> Iterator[Client]:
    """A client of it."""
    one = Client(tenant)
    yield one
    one.close()


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


# ---- scenarios ----


def test_every_scenario_is_served(tenant: Tenant, client: Client) -> None:
    """Its row stands in the list and its details are JSON with the number's call."""
    played = {name: tenant.play(name) for name in SCENARIOS}
    assert len(set(played.values())) == len(SCENARIOS)
    rows = client.ask(LIST, params={"pageSize": "100"}).json()
    assert rows["total"] == len(SCENARIOS)
    for name, id_ in played.items():
        document = client.ask(f"{LIST}/{id_}").json()
        assert document["id"] == id_, name


def test_scenarios_differ_in_what_they_say() -> None:
    """No two descriptions are the same."""
    assert len(set(SCENARIOS.values())) == len(SCENARIOS)


def test_the_same_play_has_the_same_id(clock: HandClock) -> None:
    """Scenario, number, time and seed make the id."""
    first, second = Tenant(clock=clock), Tenant(clock=clock)
    try:
        assert first.play("ignored") == second.play("ignored")
        assert first.play("ignored", seed=1) != second.play("ignored", seed=2)
    finally:
        first.stop()
        second.stop()


def test_a_played_call_begins_when_asked(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """`at` is the start of the call."""
    id_ = tenant.play("accepted_queue", "+12125550107", at=clock.now())
    clock.advance(minutes=10)
    document = client.ask(f"{LIST}/{id_}").json()
    assert document["startTime"] == "2026-11-20T14:00:00.000Z"
    assert document["participants"][0]["identity"] == "+12125550107"


def test_open_scenarios_are_open(tenant: Tenant, client: Client) -> None:
    """Waiting, ringing and pending calls have no end and no agent yet."""
    for name in ("waiting", "ringing", "pending", "bot_talking", "ignored_live"):
        document = client.ask(f"{LIST}/{tenant.play(name)}").json()
        assert document["endTime"] is None, name
        agents = [leg for leg in document["participants"] if leg["purpose"] == "agent"]
        assert all(leg["connectedTime"] is None for leg in agents), name


def test_an_unknown_scenario_is_refused(tenant: Tenant) -> None:
    """With the names that there are."""
    with pytest.raises(KeyError, match="no scenario"):
        tenant.play("nonsense")
    with pytest.raises(KeyError, match="no scenario"):
        tenant.place("nonsense")


def test_oddities_are_as_odd_as_they_say(tenant: Tenant, client: Client) -> None:
    """The hostile reason has 50 kB, the long call 100,000 events, the withheld caller no number."""

    def read(name: str) -> dict[str, Any]:
        document: dict[str, Any] = client.ask(f"{LIST}/{tenant.play(name)}").json()
        return document

    reasons = [event.get("reason", "") for event in read("hostile")["events"]]
    assert any(len(reason) > 49_000 and "<!channel>" in reason for reason in reasons)
    assert len(read("many_events")["events"]) > 100_000
    assert read("withheld")["participants"][0]["identity"] == "anonymous"
    assert read("nulls")["events"][0] is None


# ---- a call that runs ----


def test_a_placed_call_grows_as_time_passes(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """First the bot alone, then the request, then the agent, then the end; the panel tells the same."""
    id_ = tenant.place("accepted_queue", "+12125550107")

    def types() -> set[str]:
        return {event["type"] for event in client.ask(f"{LIST}/{id_}").json()["events"]}

    clock.advance(10)
    assert "sessionTransfer" not in types()
    assert tenant.calls()[0]["state"] == "with the bot"
    clock.advance(50.5)
    assert "sessionTransfer" in types()
    assert "stateChanged" not in types()
    clock.advance(9)
    assert tenant.calls()[0]["state"] == "with an agent"
    assert client.ask(LIST).json()["entities"][0]["endTime"] is None
    clock.advance(300)
    assert "conversationEnded" in types()
    assert client.ask(LIST).json()["entities"][0]["endTime"]
    assert tenant.calls() == [
        {
            "id": id_,
            "number": "+12125550107",
            "state": "ended",
            "scenario": "accepted_queue",
            "started": clock.now().replace(hour=14, minute=0, second=0, microsecond=0),
        }
    ]


def test_speed_shortens_the_talk_and_keeps_the_silence(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """At 20 times the pace the ignored call is over in less than 15 s, with more than 5 s of silence in it."""
    id_ = tenant.place("ignored", speed=20)
    clock.advance(15)
    events = client.ask(f"{LIST}/{id_}").json()["events"]
    at = {event["type"]: event["timestamp"] for event in events}
    assert at["conversationEnded"] < "2026-11-20T14:00:15"
    assert int(at["participantDisconnected"][17:19]) - int(at["sessionTransfer"][17:19]) >= 7


# ---- faults ----


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
    """Slow ones come in the end, hanging ones never; stopping waits for neither."""
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
    assert time.monotonic() - began < 1


def test_an_unknown_fault_is_refused(tenant: Tenant) -> None:
    """A typing error does not pass as a healthy tenant."""
    with pytest.raises(ValueError, match="no such fault"):
        tenant.faults.add("/", "explode")


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


def test_json_of_every_scenario_can_be_written() -> None:
    """Descriptions are for a page."""
    assert json.loads(json.dumps(SCENARIOS)) == SCENARIOS
