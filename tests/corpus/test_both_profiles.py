"""The corpus through both profiles: where a call can exist in both it has the same outcome and the same side."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bot.cxone import contacts_reading
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis
from bot.diagnosis.outcomes import Outcome
from tests.corpus.as_contacts import CANNOT, CannotBeError, as_contacts
from tests.corpus.story import Known
from tests.corpus.test_corpus import CALLS


def told(known: Known) -> Diagnosis | str:
    """The diagnosis through the contacts profile, or why the call cannot be in it."""
    try:
        document, targets = as_contacts(known)
    except CannotBeError as why:
        return str(why)
    return diagnose(contacts_reading.parse(json.loads(json.dumps(document))), targets, now=known.now)


def shares() -> Counter[str]:
    """How many calls are told right, as unknown, and wrong; and how many cannot exist."""
    share: Counter[str] = Counter()
    for known in CALLS:
        found = told(known)
        if isinstance(found, str):
            share["cannot exist"] += 1
        elif (found.outcome, found.fault) == (known.outcome, known.fault):
            share["right"] += 1
        else:
            share["unknown" if found.outcome is Outcome.UNKNOWN else "wrong"] += 1
    return share


@pytest.mark.parametrize("known", CALLS, ids=lambda known: known.name)
def test_the_other_profile_tells_the_same(known: Known) -> None:
    """The same outcome and side, or unknown, or a named reason why the call cannot be."""
    found = told(known)
    if isinstance(found, str):
        assert found in CANNOT
        return
    assert bool(found.alternatives) == (found.confidence == "possible")
    assert not any("another's name" in other for other in found.alternatives)  # a signal has no sender's field
    assert found.outcome is Outcome.UNKNOWN or (found.outcome, found.fault) == (known.outcome, known.fault)


def test_shares(capsys: pytest.CaptureFixture[str]) -> None:
    """None is told wrong, and most of those that can exist are told right."""
    share = shares()
    reasons = Counter(found for found in map(told, CALLS) if isinstance(found, str))
    with capsys.disabled():
        print(f"\ncorpus through contacts: {dict(share)}")  # noqa: T201 - the figure is what is asked for
        for why, count in reasons.most_common():
            print(f"  {count:3d} cannot exist: {why}")  # noqa: T201 - the same
    assert share["wrong"] == 0
    assert share["unknown"] <= share["right"] / 5
    assert share["right"] >= 90
