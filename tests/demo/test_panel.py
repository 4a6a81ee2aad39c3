"""The contact centre beside the chat, without a page: its past, calls that people place, and what they break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from bot.demo.centre import Centre
from bot.demo.panel import FAULTS, KINDS, REFUSED, SOME, STEPS, WAITING, WORKED, DemoPanel, past
from bot.demo.tenant import SCENARIOS, Tenant
from bot.demo.workspace import Workspace
from tests.clock import HandClock


@pytest.fixture
def panel(tenant: Tenant, clock: HandClock) -> Iterator[DemoPanel]:
    """The panel of a centre with a past."""
    centre = Centre(tenant, clock=clock)
    past(tenant, centre, clock.now())
    made = DemoPanel(tenant, centre)
    with Workspace(clock=clock) as made.workspace:
        yield made


def test_the_numbers_of_the_card_have_called(panel: DemoPanel, tenant: Tenant) -> None:
    """Each is in the state that its line promises, and the first has other calls to choose from."""
    states: dict[str, list[str]] = {}
    for call in tenant.calls(999):
        states.setdefault(call["number"], []).append(call["state"])
    assert states[REFUSED] == ["refused", "nobody answered", "handed over"]
    assert states[WAITING] == ["ringing agent"]
    assert states[WORKED] == ["handed over"]
    for step in STEPS:
        assert all(number in states for number in step.text.split() if number.startswith("+"))
        assert step.place in ("", *SOME)
    shown = panel.calls()
    assert len(shown) == 30
    assert any(call["failed"] for call in tenant.calls(999))


def test_a_placed_call_fails_within_seconds(panel: DemoPanel, tenant: Tenant, clock: HandClock) -> None:
    """Any scenario in the list can be placed, for any number that a person types."""
    for names in KINDS.values():
        for name in names:
            panel.place(name, "(212) 555-0144")
    assert {name for names in KINDS.values() for name in names} == set(SCENARIOS)
    clock.advance(20)
    placed = next(call for call in tenant.calls(999) if call["scenario"] == "rejected" and "0144" in call["number"])
    assert (placed["state"], placed["failed"]) == ("refused", True)
    panel.place_some("closed")
    clock.advance(20)
    assert [call["state"] for call in tenant.calls(3)] == ["refused"] * 3


@pytest.mark.parametrize(("scenario", "number"), [("rejected", "soon"), ("rain", "+12125550144")])
def test_what_cannot_be_placed_is_refused_in_a_sentence(panel: DemoPanel, scenario: str, number: str) -> None:
    """A person reads it."""
    with pytest.raises(ValueError, match=r"\.$"):
        panel.place(scenario, number)


def test_every_switch_breaks_something_and_mends_it(panel: DemoPanel, tenant: Tenant) -> None:
    """CXone slow, busy and down; Slack slow and down; all well again after the last."""
    for name in FAULTS:
        panel.set_fault(name, on=True)
        assert next(fault["on"] for fault in panel.faults() if fault["name"] == name)
    assert (tenant.latency, panel.workspace.faults.delay) == (3.0, 2.0)
    panel.set_fault("cxone_slow", on=False)
    assert requests.post(f"{tenant.url}/oauth2/token", timeout=9).status_code == 503
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{panel.workspace.api_url}auth.test", timeout=5)
    panel.set_fault("cxone_down", on=False)
    assert requests.post(f"{tenant.url}/oauth2/token", timeout=9).headers["Retry-After"]
    for name in FAULTS:
        panel.set_fault(name, on=False)
    assert (tenant.latency, panel.workspace.faults.delay) == (0.0, 0.0)
    assert requests.post(f"{panel.workspace.api_url}auth.test", timeout=5).status_code == 200
    with pytest.raises(ValueError, match="no such switch"):
        panel.set_fault("rain", on=True)


def test_what_is_broken_is_a_sentence(panel: DemoPanel) -> None:
    """Or nothing."""
    assert panel.now() == ""
    panel._centre.trouble = "deploy"
    assert panel.now().startswith("A deploy took the trigger")
