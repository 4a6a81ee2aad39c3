"""Every call of the corpus comes out as it is known to, or as unknown; none is told wrong."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bot.cxone.conversations import parse
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis
from bot.diagnosis.outcomes import Status
from tests.corpus.calls import CALLS
from tests.corpus.story import Known


def told(known: Known) -> Diagnosis:
    """The diagnosis of the call after a way through JSON."""
    document = json.loads(json.dumps(known.document))
    return diagnose(parse(document), known.targets, now=known.now)


@pytest.mark.parametrize("known", CALLS, ids=lambda known: known.name)
def test_call(known: Known) -> None:
    """Outcome, rung, side, findings and sureness are those that are known."""
    found = told(known)
    codes = " ".join(sorted(row.code for row in found.findings if row.status is not Status.INFO))
    assert (found.outcome, found.reached, found.fault, codes) == (
        known.outcome,
        known.reached,
        known.fault,
        known.codes,
    )
    assert known.confidence in ("", found.confidence)
    texts = [found.headline, found.summary, *(row.message for row in found.findings)]
    assert any(known.says in text for text in texts)


def test_none_is_told_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """The share told right, as unknown, and wrong: the last must be none."""
    share: Counter[str] = Counter()
    for known in CALLS:
        outcome = told(known).outcome
        share["right" if outcome == known.outcome else "unknown" if outcome == "unknown" else "wrong"] += 1
    with capsys.disabled():
        print(f"\ncorpus: {len(CALLS)} calls, {dict(share)}")  # noqa: T201 - the figure is what is asked for
    assert len(CALLS) >= 80
    assert share["wrong"] == 0


def test_names_are_unique() -> None:
    """A failing call can be found by its name."""
    assert len({known.name for known in CALLS}) == len(CALLS)
