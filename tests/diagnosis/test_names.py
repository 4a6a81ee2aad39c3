"""The caller's name stands in no sentence, wherever the record puts it."""

from __future__ import annotations

import pytest

from bot.diagnosis.outcomes import Code
from tests.corpus.story import Document, asks, billing, call, leg, refused, state
from tests.diagnosis.told import diagnosed, finding

CALLER = leg("p-caller", "customer", "John Smith", -60, 40, identity="+15550199888", queueId="q-billing")
OUTSIDE = leg("p-caller", "external", "John Smith", -60, 40, identity="+15550199888", queueId="q-billing")
BOT = leg("p-bot", "bot", "Cognigy Voicebot", -60, 41)


@pytest.mark.parametrize("caller", [CALLER, OUTSIDE], ids=["customer", "external"])
@pytest.mark.parametrize(
    "told",
    [
        [asks(by="p-caller")],
        [asks(by="p-caller"), refused("QUEUE_FULL")],
        [asks("p-caller")],
        [asks()],
        [asks(), state("p-caller", "queued", 1)],
        [asks("f-main"), state("q-billing", "queued", 1)],
        [asks(), state("p-caller", "alerting", 1), state("p-caller", "declined", 2)],
        [asks(), {"type": "sessionTransferAccepted", "participantId": "p-caller"}],
        [asks("q-x", by="q-billing")],
    ],
)
def test_the_caller_is_never_named(told: list[Document], caller: Document) -> None:
    """Not as who asked, not as a target whose queue his leg carries, not as where the call stands."""
    for gone in (40, None):
        found = diagnosed(call(*told, participants=[caller, BOT], gone=gone, over=gone))
        assert "Smith" not in repr(found._replace(target=None))


@pytest.mark.parametrize("caller", [CALLER, OUTSIDE], ids=["customer", "external"])
def test_the_callers_name_is_masked_in_a_reason_and_a_state(caller: Document) -> None:
    """Whoever wrote it there, and in whatever case."""
    told = [asks(), state("q-billing", "held for john smith", 1), refused("no route for JOHN SMITH, QUEUE_FULL")]
    found = diagnosed(call(*told, participants=[caller, BOT, billing()]))
    assert "smith" not in repr(found).lower()
    assert "no route for the caller, QUEUE_FULL" in repr(found)


@pytest.mark.parametrize("name", ["Customer", "Jo", "unknown", "Billing", ""])
def test_a_name_that_is_an_ordinary_word_takes_nothing_from_a_reason(name: str) -> None:
    """A role, two letters, a word for nobody, the queue's own name."""
    caller = {**CALLER, "name": name}
    reason = "unknown customer of Billing, jo"
    found = diagnosed(call(asks(), refused(reason), participants=[caller, BOT, billing()]))
    assert reason in repr(found)


def test_a_queue_is_named_though_the_callers_leg_carries_its_id() -> None:
    """Whichever stands first."""
    found = diagnosed(call(asks(), participants=[CALLER, BOT, billing()]))
    assert found.headline == "The handover to Billing was ignored"


@pytest.mark.parametrize("name", ["John Smith", ""])
def test_a_request_in_the_callers_name(name: str) -> None:
    """Named or not, he is the caller."""
    caller = leg("p-caller", "customer", name, -60, 40)
    row = finding(diagnosed(call(asks(by="p-caller"), participants=[caller, BOT])), Code.FROM_PARTICIPANT_NOT_BOT)
    assert row.message == "The transfer was sent in the name of the caller, who is not the bot's participant."
