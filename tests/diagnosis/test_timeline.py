"""What the story line by line tells, and what it leaves out."""

from __future__ import annotations

from typing import Any

from tests.corpus.story import accepted, ana, asks, billing, call, event, joined, left, leg, refused, sam, state
from tests.diagnosis.told import diagnosed


def lines(document: dict[str, Any]) -> list[str]:
    """Each line as it is read."""
    return [f"{row.who}: {row.what}" if row.who else row.what for row in diagnosed(document).timeline]


def test_a_refusal_is_four_lines() -> None:
    """Start, request, refusal, and who hung up; caller and bot being there is no line of its own."""
    there = (joined("p-caller", -60), joined("p-bot", -59), state("p-bot", "connected", -58))
    assert lines(call(*there, asks(), refused("QUEUE_FULL"), legs=(billing(),))) == [
        "Caller → Cognigy Voicebot: call starts",
        "Cognigy Voicebot → Billing: transfer asked for (session cgy-1)",
        "Billing: refused: QUEUE_FULL",
        "Caller: hangs up",
    ]


def test_a_long_session_is_cut() -> None:
    """Its beginning is enough to find it."""
    (asked,) = [line for line in lines(call(asks(session="cgy-0123456789abcdef"))) if "asked" in line]
    assert asked.endswith("transfer asked for (session cgy-0123456…)")


def test_nobody_is_named_who_is_not_named() -> None:
    """A request without a from and a to, and a refusal without a reason."""
    told = lines(call(asks(None, by=None, session=None), refused(None)))
    assert "nobody → nobody: transfer asked for" in told
    assert "refused" in told


def test_who_leaves_first_does_not_hang_up_later() -> None:
    """The bot left within the same seconds: then the caller leaves, and nobody can say that he hung up."""
    told = lines(call(asks(), left("p-bot", 39), gone=40, over=50))
    assert told[-3:] == ["Cognigy Voicebot: leaves", "Caller: leaves", "call ends"]


def test_a_queue_is_entered_once_and_left() -> None:
    """Three lines of the record that say the same are one."""
    told = lines(
        call(
            asks(),
            joined("p-billing", 1),
            state("p-billing", "queued", 1),
            joined("p-ana", 20),
            legs=(billing(1, 20), ana(20, 40)),
            gone=90,
            over=91,
        )
    )
    assert told[2:] == [
        "Billing: call enters the queue",
        "Ana: answers",
        "Billing: call leaves the queue",
        "Ana: leaves",
        "Caller: hangs up",
    ]


def test_strangers_and_states() -> None:
    """What the record names without listing it, and what changed after the request."""
    told = lines(
        call(
            asks("q-x"),
            state("p-caller", "hold", 1),
            state("q-x", "queued", 2),
            joined("p-nobody", 3),
            state("p-sam", "alerting", 4),
            state("p-sam", "declined", 5),
            left("p-nobody", 6),
            left("p-nobody", 7),
            event("sessionTransferAccepted", 8, participantId="q-x"),
            legs=(sam(), leg("p-flow", "flow", "Main", 9)),
        )
    )
    assert told[2:-1] == [
        "Caller: state: hold",
        "q-x: call waits in the queue",
        "p-nobody: joins",
        "Sam: is rung",
        "Sam: does not take the call (declined)",
        "p-nobody: leaves",
        "q-x: transfer accepted",
        "Main: joins",
    ]


def test_without_a_customer_the_call_just_ends() -> None:
    """Nobody to hang up."""
    bot = leg("p-bot", "bot", "Bot", -60, 40)
    assert lines(call(asks(), gone=None, over=40, participants=[bot]))[0] == "Call → Bot: call starts"
    assert lines(call(asks(), gone=None, over=40, participants=[bot]))[-1] == "call ends"


def test_ends_that_no_event_tells_stand_where_they_happened() -> None:
    """The leg's own time puts it between the others; what has no time keeps its place."""
    document = call(
        asks(), event("stateChanged", None, participantId="p-ana", state="x"), accepted(30), legs=(sam(2, 9), ana())
    )
    told = lines(document)
    assert told.index("Sam: leaves") < told.index("q-billing: transfer accepted")
    assert told.index("Ana: state: x") == 2
