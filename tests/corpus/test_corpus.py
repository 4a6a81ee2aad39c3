"""Every call of the corpus comes out as it is known to, or as unknown; none is told wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from bot.cxone.conversations import parse
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis
from bot.diagnosis.outcomes import Status
from tests.corpus.calls import CALLS as TOLD
from tests.corpus.corners import CORNERS
from tests.corpus.hard import HARD_CALLS
from tests.corpus.story import Known

CALLS = [*TOLD, *HARD_CALLS, *CORNERS]


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
    assert bool(found.alternatives) == (found.confidence == "possible")
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


ROWS: dict[str, Callable[[Known], bool]] = {
    # the failure table of the contract
    "no attempt": lambda known: known.outcome == "not_attempted" and "no_bot_leg" not in known.codes,
    "malformed, from": lambda known: known.outcome == "malformed" and "missing_from_participant" in known.codes,
    "malformed, to": lambda known: known.outcome == "malformed" and "missing_to_participant" in known.codes,
    "context missing": lambda known: "missing_cognigy_session" in known.codes,
    "forbidden, refused": lambda known: known.outcome == "forbidden" and known.reached == "reacted",
    "forbidden, another's name": lambda known: "from_participant_not_bot" in known.codes,
    "invalid target, refused": lambda known: known.outcome == "invalid_target" and known.reached == "reacted",
    "invalid target, nowhere": lambda known: known.outcome == "invalid_target" and "target_not_found" in known.codes,
    "rejected, the target": lambda known: known.outcome == "rejected" and known.fault == "target",
    "rejected, the platform": lambda known: known.outcome == "rejected" and known.fault == "platform",
    "rejected, nobody knows": lambda known: known.outcome == "rejected" and known.fault == "unknown",
    "ignored": lambda known: known.outcome == "ignored" and "flow_without_trigger" not in known.codes,
    "ignored, no trigger": lambda known: "flow_without_trigger" in known.codes,
    "agent unavailable": lambda known: "target_unavailable" in known.codes,
    "accepted": lambda known: known.outcome == "accepted",
    "pending": lambda known: known.outcome == "pending",
    # the incidents that one call can show
    "1 left in the queue": lambda known: known.outcome == "unanswered" and known.reached == "queued",
    "2 live in the queue": lambda known: known.outcome == "waiting" and known.reached == "queued",
    "3 silence, then gone": lambda known: known.outcome == "ignored" and "caller_abandoned" in known.codes,
    "4 gone at once": lambda known: known.outcome == "abandoned",
    "5 closed": lambda known: known.outcome == "rejected" and "target_closed" in known.codes,
    "6 retired": lambda known: known.outcome == "invalid_target" and "target_inactive" in known.codes,
    "7 sent twice": lambda known: known.outcome == "accepted" and "duplicate_transfer" in known.codes,
    "8 second try": lambda known: " try, " in known.says,
    "9 platform": lambda known: known.fault == "platform" and known.confidence == "certain",
    "14 somebody else": lambda known: "not the asked target" in known.says,
    "15 no bot in it": lambda known: "no_bot_leg" in known.codes and known.outcome == "not_attempted",
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_stands_twice(row: str) -> None:
    """Each failure and each incident is told by two calls at least."""
    assert sum(ROWS[row](known) for known in CALLS) >= 2


def test_names_are_unique() -> None:
    """A failing call can be found by its name."""
    assert len({known.name for known in CALLS}) == len(CALLS)
