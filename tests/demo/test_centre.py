"""The living contact centre over hours that pass by hand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bot.demo import cast
from bot.demo.centre import Centre
from bot.demo.tenant import Tenant
from bot.demo.troubles import TROUBLES
from tests.clock import START, HandClock

HOUR = 3600


def run(seed: int, seconds: float = HOUR, speed: float = 1.0, step: float = 60.0) -> tuple[Tenant, list[str]]:
    """A centre after so many seconds, and the troubles that were seen at the ticks."""
    clock = HandClock()
    tenant = Tenant(clock=clock)
    tenant.stop()  # nobody asks it over HTTP here
    centre = Centre(tenant, clock=clock, seed=seed, speed=speed)
    troubles = []
    for _ in range(int(seconds / step) + 1):
        centre.tick(clock.now())
        troubles.append(centre.trouble)
        clock.advance(step)
    return tenant, troubles


def documents(tenant: Tenant) -> list[dict[str, Any]]:
    """All calls as they stand now."""
    now = tenant.clock.now()
    return [call.document(now) for call in tenant.store.between(START - timedelta(days=1), now)]


def types(document: dict[str, Any]) -> set[str]:
    """The types of its events."""
    return {event["type"] for event in document["events"]}


def test_in_an_hour_everything_happens() -> None:
    """Every trouble comes, every way to fail occurs, and most handovers work."""
    tenant, troubles = run(seed=3)
    assert set(troubles) == {*TROUBLES, ""}
    seen = Counter(call["scenario"] for call in tenant.calls(5000))
    assert 500 < sum(seen.values()) < 1000
    for scenario in ("forbidden", "malformed_from", "invalid_target_404", "rejected_503", "abandoned", "not_attempted"):
        assert seen[scenario], scenario
    told = documents(tenant)
    asked = [document for document in told if "sessionTransfer" in types(document)]
    answered = [
        d for d in asked if any(leg["purpose"] == "agent" and leg["connectedTime"] for leg in d["participants"])
    ]
    assert len(answered) > 0.5 * len(asked)
    reasons = Counter(event.get("reason") for document in told for event in document["events"] if "reason" in event)
    assert {"NO_AGENTS_AVAILABLE", "QUEUE_FULL"} <= set(reasons)
    silent = [d for d in asked if not types(d) & {"sessionTransferAccepted", "sessionTransferRejected", "stateChanged"}]
    assert any(event.get("toParticipantId") == cast.FLOW for d in silent for event in d["events"])
    unanswered = [
        d for d in asked if "queued" in {leg["state"] for leg in d["participants"]} | states(d) and d not in answered
    ]
    assert any(d["endTime"] for d in unanswered)


def states(document: dict[str, Any]) -> set[str]:
    """The states that its legs went through."""
    return {event["state"] for event in document["events"] if "state" in event}


def test_a_seed_repeats_and_another_does_not() -> None:
    """The same calls with the same ids, however often the clock ticks."""
    often, seldom = run(seed=7, seconds=1200, step=0.25)[0], run(seed=7, seconds=1200, step=100)[0]
    until = START + timedelta(seconds=1190)

    def calls(tenant: Tenant) -> list[tuple[str, Any]]:
        return [(call.id, call.document(until)) for call in tenant.store.between(START, until)]

    assert calls(often) == calls(seldom)
    other = run(seed=8, seconds=1200)[0]
    assert {id_ for id_, _ in calls(often)}.isdisjoint(id_ for id_, _ in calls(other))


def test_a_deploy_takes_the_trigger_and_the_repair_brings_it_back() -> None:
    """Version and date change with both."""
    clock = HandClock()
    tenant = Tenant(clock=clock)
    tenant.stop()
    centre = Centre(tenant, clock=clock)
    flows: list[dict[str, Any]] = []
    for _ in range(400):
        centre.tick(clock.now())
        flow = tenant.flows[cast.FLOW]
        if not flows or flow != flows[-1]:
            flows.append(flow)
        clock.advance(1)
    assert [flow["version"] for flow in flows] == [12, 13, 14]
    assert [bool(flow["triggers"]) for flow in flows] == [True, False, True]
    assert flows[1]["publishedDate"] == "2026-11-20T14:01:00.000Z"
    assert flows[1]["publishedDate"] < flows[2]["publishedDate"]


def test_queues_fill_and_agents_change_their_state() -> None:
    """The figures that the API gives move with the calls."""
    clock = HandClock()
    tenant = Tenant(clock=clock)
    tenant.stop()
    centre = Centre(tenant, clock=clock, seed=3)
    waiting: set[int] = set()
    available: set[int] = set()
    shown: set[str] = set()
    for _ in range(240):
        centre.tick(clock.now())
        waiting.add(tenant.queues[cast.BILLING]["waiting"])
        available.add(tenant.queues[cast.BILLING]["agentsAvailable"])
        shown |= {user["state"]["stateName"] for user in tenant.users.values()}
        clock.advance(5)
    assert max(waiting) >= 3
    assert {0, 3} <= available
    assert {"Available", "OnCall", "Break", "Meeting"} <= shown


@pytest.mark.parametrize("trouble", list(TROUBLES))
def test_a_trouble_can_be_asked_for(trouble: str) -> None:
    """It begins at the next tick and ends by itself."""
    clock = HandClock()
    tenant = Tenant(clock=clock)
    tenant.stop()
    centre = Centre(tenant, clock=clock, speed=6)
    centre.tick(clock.now())
    centre.cause(trouble)
    clock.advance(1)
    centre.tick(clock.now())
    assert centre.trouble == trouble
    clock.advance(55)
    centre.tick(clock.now())
    assert centre.trouble != trouble
    with pytest.raises(KeyError, match="no trouble"):
        centre.cause("rain")


def test_at_speed_a_silence_stays_long_enough_to_judge() -> None:
    """A call that the flow ignored has at least 8 s between the request and the hang-up."""
    tenant, _ = run(seed=1, seconds=300, speed=10)
    found = 0
    for call in tenant.store.between(START, tenant.clock.now()):
        placed = call.placed
        if (
            placed
            and placed.scenario == "as usual"
            and [s.what for s in placed.story.steps][-3:-1] == ["asks", "leaves"]
        ):
            assert placed.times[-2] - placed.times[-3] >= 7.99
            found += 1
    assert found


def test_a_machine_that_slept_wakes_to_an_hour_of_calls() -> None:
    """What would have happened in the days between is not made up for, and the calls are of now."""
    clock = HandClock()
    tenant = Tenant(clock=clock)
    tenant.stop()
    centre = Centre(tenant, clock=clock)
    centre.tick(clock.now())
    clock.advance(hours=50)
    centre.tick(clock.now())
    calls = tenant.calls(99_999)
    assert 500 < len(calls) < 1000
    assert timedelta(0) <= clock.now() - calls[0]["started"] < timedelta(minutes=1)


def test_it_carries_on_by_itself() -> None:
    """`start` ticks until `stop`."""
    with Tenant() as tenant:
        centre = Centre(tenant, clock=tenant.clock, speed=1000)
        centre.start()
        centre.stop()
        assert tenant.calls()
