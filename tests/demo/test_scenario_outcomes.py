"""Each scenario is diagnosed as what it says it is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from bot.cxone.conversations import parse, parse_target
from bot.demo.centre import Centre
from bot.demo.tenant import SCENARIOS, Tenant
from bot.diagnosis.diagnose import diagnose, targets_of
from bot.diagnosis.handover import Diagnosis, Target, TargetKind, TargetRef, TargetStatus, Timing
from bot.diagnosis.outcomes import Outcome
from tests.clock import HandClock

SAME = {name: Outcome(name) for name in SCENARIOS if name in set(Outcome)}
BY_NAME = {
    "ringing": Outcome.WAITING,
    "bot_talking": Outcome.NOT_ATTEMPTED,
    "invalid_target_404": Outcome.INVALID_TARGET,
    "retired_queue": Outcome.INVALID_TARGET,
    "no_bot": Outcome.NOT_ATTEMPTED,
    "outbound": Outcome.NOT_ATTEMPTED,
    "duplicate": Outcome.ACCEPTED,
    "supervisor": Outcome.ACCEPTED,
    "fallback_queue": Outcome.ACCEPTED,
    "agent_declined": Outcome.ACCEPTED,
    "agent_transfer": Outcome.ACCEPTED,
    "all_at_once": None,  # who hung up is unknown
    "nulls": None,
    "wrong_types": None,
    "untimed": None,
    "withheld": Outcome.REJECTED,
    "hostile": Outcome.REJECTED,
    "offsets": Outcome.REJECTED,
    "odd_identity": Outcome.REJECTED,
    "many_events": Outcome.REJECTED,
}
BEGINNINGS = {
    "accepted_": Outcome.ACCEPTED,
    "rejected": Outcome.REJECTED,
    "forbidden": Outcome.FORBIDDEN,
    "malformed_": Outcome.MALFORMED,
    "ignored": Outcome.IGNORED,
    "unanswered": Outcome.UNANSWERED,
}


def expected(name: str) -> Outcome | None:
    """What a scenario is, by its name."""
    if name in BY_NAME:
        return BY_NAME[name]
    return SAME.get(name) or next(outcome for start, outcome in BEGINNINGS.items() if name.startswith(start))


def look_up(tenant: Tenant, ref: TargetRef) -> Target:
    """The target as the API tells of it, without HTTP."""
    shelves = {TargetKind.USER: tenant.users, TargetKind.QUEUE: tenant.queues, TargetKind.FLOW: tenant.flows}
    for kind, shelf in shelves.items():
        if ref.id in shelf:
            return parse_target(kind, shelf[ref.id], tenant.clock.now())
    return Target(id=ref.id, status=TargetStatus.ERROR, missing=True)


def judged(name: str) -> Diagnosis:
    """The diagnosis of a scenario that was just played."""
    tenant = Tenant(clock=HandClock())
    tenant.stop()
    now = tenant.clock.now()
    id_ = tenant.play(name)
    call = tenant.store.get(id_)
    assert call
    conversation = parse(call.document(now))
    targets = {ref.id: look_up(tenant, ref) for ref in targets_of(conversation, Timing())}
    return diagnose(conversation, targets, now=now)


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - {"many_events"}))  # what that costs is measured elsewhere
def test_a_scenario_is_what_it_says(name: str) -> None:
    """Its outcome is the one in its name; where the record does not tell, any outcome but no exception."""
    outcome = judged(name).outcome
    assert expected(name) in (outcome, None)


def test_an_hour_of_the_living_centre_holds_every_outcome() -> None:
    """Each call diagnosed every other minute until it ended; most handovers work."""
    clock = HandClock()
    tenant = Tenant(clock=clock)
    tenant.stop()
    centre = Centre(tenant, clock=clock, seed=3)
    last: dict[str, Outcome] = {}
    ever: set[Outcome] = set()
    done: set[str] = set()
    for _ in range(35):
        centre.tick(clock.now())
        now = clock.now()
        for call in tenant.store.between(now - timedelta(minutes=8), now):
            if call.id in done:
                continue
            conversation = parse(call.document(now))
            if conversation.ended_at:
                done.add(call.id)
            targets = {ref.id: look_up(tenant, ref) for ref in targets_of(conversation, Timing())}
            last[call.id] = diagnose(conversation, targets, now=now).outcome
        ever.update(last.values())
        clock.advance(minutes=2)
    assert ever >= set(Outcome) - {Outcome.UNKNOWN}
    shares = Counter(last.values())
    assert shares[Outcome.ACCEPTED] > 0.5 * len(last)
    assert shares[Outcome.UNKNOWN] == 0


def test_every_outcome_but_unknown_has_a_scenario() -> None:
    """So that people can see each in the demo."""
    assert {expected(name) for name in SCENARIOS} >= set(Outcome) - {Outcome.UNKNOWN}
