"""What the conversations API tells of a target, and what it leaves untold."""

from __future__ import annotations

from typing import Any

import pytest

from bot import terminal
from bot.cxone.conversations import parse_target
from bot.cxone.investigate import ById, Investigator
from bot.demo import cast
from bot.demo.tenant import Tenant
from bot.diagnosis.handover import TargetKind, TargetStatus
from bot.diagnosis.outcomes import Code, Status
from tests.clock import START, HandClock

LISTENS = [{"type": "event", "event": "sessionTransfer"}]


@pytest.mark.parametrize(
    ("kind", "told", "untold"),
    [
        (TargetKind.USER, {}, "does not tell this agent's state"),
        (TargetKind.USER, {"state": {"stateName": "Busy"}}, ""),
        (TargetKind.QUEUE, {}, "does not tell who works in this queue"),
        (TargetKind.QUEUE, {"isActive": True}, "does not tell who works in this queue"),
        (TargetKind.QUEUE, {"waiting": 0}, ""),
        (TargetKind.QUEUE, {"isActive": False}, ""),  # that is the matter with it
        (TargetKind.FLOW, {"version": 3}, "does not tell this flow's triggers"),
        (TargetKind.FLOW, {"triggers": None}, "does not tell this flow's triggers"),
        (TargetKind.FLOW, {"triggers": []}, ""),
        (TargetKind.FLOW, {"triggers": LISTENS}, ""),
    ],
)
def test_what_a_judgement_needs_and_nobody_told_is_said(kind: TargetKind, told: dict[str, Any], untold: str) -> None:
    """In one sentence; the target itself was found."""
    target = parse_target(kind, {"id": "t-1", "name": "Tee", **told}, START)
    assert target.status is (TargetStatus.ERROR if told.get("isActive") is False else TargetStatus.OK)
    assert len(target.partly) == bool(untold)
    assert untold in "".join(target.partly)


def test_a_queue_of_a_name_alone_is_not_called_healthy(desk: Investigator, server: Tenant) -> None:
    """It exists; one INFO says what is not known of it."""
    server.queues[cast.BILLING] = {"id": cast.BILLING, "name": "Billing"}
    found = desk.look_up(ById(server.play("rejected"))).diagnosis
    assert found.target is not None
    assert (found.target.status, found.target.is_available) == (TargetStatus.OK, None)
    assert terminal.target_state(found.target) == "exists, no more is told"
    untold = [finding for finding in found.findings if finding.code is Code.NOT_CHECKED]
    assert [finding.status for finding in untold] == [Status.INFO]
    assert untold[0].message == "Billing: CXone does not tell who works in this queue, nor who waits."


def test_a_target_without_an_id_keeps_the_one_that_was_asked_for(
    desk: Investigator, server: Tenant, clock: HandClock
) -> None:
    """An answer that leaves it out is still about it."""
    server.users["u-9"] = {"name": "Nine"}
    target = desk.target(TargetKind.USER, "u-9")
    assert (target.id, target.name, target.read_at) == ("u-9", "Nine", clock.now())
