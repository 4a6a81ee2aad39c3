"""Every scenario is served, and those that run grow as time passes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.demo.tenant import SCENARIOS, Tenant
from tests.clock import HandClock
from tests.demo.asking import Client

LIST = "/api/v2/conversations"


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
            "state": "handed over",
            "failed": False,
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


def test_an_acceptance_can_be_told_late(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """The call ended without it; later it stands there with the time at which it happened."""
    id_ = tenant.place("accepted_late")

    def accepted() -> list[str]:
        events = client.ask(f"{LIST}/{id_}").json()["events"]
        return [event["timestamp"] for event in events if event["type"] == "sessionTransferAccepted"]

    clock.advance(150)
    assert client.ask(f"{LIST}/{id_}").json()["endTime"]
    assert accepted() == []
    clock.advance(120)
    assert accepted() == ["2026-11-20T14:01:00.900Z"]


def test_a_call_can_be_listed_late(tenant: Tenant, client: Client, clock: HandClock) -> None:
    """With `list_delay` it has details before it has a row."""
    tenant.list_delay = 120
    id_ = tenant.place("rejected")
    clock.advance(110)
    assert client.ask(LIST).json()["total"] == 0
    assert client.ask(f"{LIST}/{id_}").status_code == 200
    clock.advance(10)
    assert client.ask(LIST).json()["total"] == 1


def test_json_of_every_scenario_can_be_written() -> None:
    """Descriptions are for a page."""
    assert json.loads(json.dumps(SCENARIOS)) == SCENARIOS
