"""Filters as typed after `subscribe`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.filter_words import in_words
from bot.alerts.filters import FilterError, Filters, parse, stored
from bot.diagnosis.outcomes import TABLE, Fault, Outcome, Threshold
from bot.slack import grammar
from bot.slack.typed import Subscribe

ALERTING = [outcome for outcome, row in TABLE.items() if row.alerts is not None or row.on_request]


@pytest.mark.parametrize(
    "typed",
    ["", "min=1", "outcome=rejected,ignored fault=flow", 'target="Billing EU"', "exclude=abandoned min=5/10m rate=10%"],
)
def test_what_is_echoed_parses_back(typed: str) -> None:
    """The canonical form is the same filter."""
    assert parse(str(parse(typed))) == parse(typed)


@pytest.mark.parametrize(
    "typed", ["min=0", "min=5/0m", "outcome=accepted", "fault=x", "rate=0%", "colour=red", "word", "min="]
)
def test_what_is_no_filter_is_repeated_with_the_right_form(typed: str) -> None:
    """The error names the word and shows a form."""
    with pytest.raises(FilterError) as error:
        parse(f"target=Billing {typed}")
    assert error.value.word == typed
    assert typed in str(error.value)


@pytest.mark.parametrize(
    ("typed", "targets"),
    [
        ('target=Sales,"Team A"', ("Sales", "Team A")),
        ('target="Team A","Team B"', ("Team A", "Team B")),
        ('target="Sales, EMEA"', ("Sales, EMEA",)),
        ('target="Sales,EMEA",Billing', ("Sales,EMEA", "Billing")),
        ("target=“Team A”,Sales", ("Team A", "Sales")),
        ('target="Billing", min=1', ("Billing",)),
        ("target='Billing'", ("Billing",)),
        ('target="Bill\'s Team"', ("Bill's Team",)),
    ],
)
def test_quotation_marks_only_keep_blanks_and_commas(typed: str, targets: tuple[str, ...]) -> None:
    """They are no part of a name, wherever in a list they stand."""
    assert parse(typed).targets == targets
    assert parse(str(parse(typed))).targets == targets


@pytest.mark.parametrize(
    "typed", ['target=12"', "target=“Team A", 'target=Team"A"', 'target=","', 'target="Team A" ,"B"']
)
def test_a_stray_quotation_mark_is_refused(typed: str) -> None:
    """A name with one in it would match nothing for ever."""
    with pytest.raises(FilterError):
        parse(typed)


WORDS = [
    "target=",
    "exclude=",
    "outcome=rejected",
    "fault=flow",
    "min=5/10m",
    "rate=33.3%",
    "Billing",
    '"Sales, EMEA"',
    '"A,B"',
    "EU",
    "ẞ",
    "q-1",
]
MARKS = ['"', "“", "”", "'", "\u2019", ",", "=", "\\", " ", "\u00a0", "\t", "\u2009"]


@given(st.lists(st.sampled_from(WORDS + MARKS), max_size=10).map("".join))
def test_whatever_is_typed_survives_the_database(typed: str) -> None:
    """What the grammar takes as a subscription reads back from its canonical form as the same filter."""
    read = [wish for wish in (stored(typed), _subscribed(typed)) if wish is not None]
    assert [stored(str(wish)) for wish in read] == read


def _subscribed(typed: str) -> Filters | None:
    action = grammar.parse(f"subscribe {typed}", region="US", now=datetime(2026, 11, 20, tzinfo=UTC))
    return action.filters if isinstance(action, Subscribe) else None


def test_a_comma_in_a_name_is_none_between_names() -> None:
    """Also in words."""
    assert in_words(parse('target="Sales, EMEA",Billing')) == "all failed handovers, to “Sales, EMEA” or Billing"


NAMES = st.text(st.sampled_from("aB ,'\u2009="), min_size=1, max_size=6).filter(
    lambda name: name == name.strip() and name.strip(", ") and not (name[0] == name[-1] == "'")
)


@given(st.lists(NAMES, unique=True, max_size=4).map(tuple))
def test_every_name_survives_the_database(names: tuple[str, ...]) -> None:
    """Whatever stands in it, quotation marks aside."""
    assert stored(str(Filters(targets=names))) == Filters(targets=names)


def test_min_alone_asks_for_no_rate() -> None:
    """`min=1` means every failure; `rate=` beside it counts."""
    assert parse("min=1").threshold(Outcome.REJECTED) == Threshold(1, 10, 0.0)
    assert parse("min=3/1h rate=20%").threshold(Outcome.REJECTED) == Threshold(3, 60, 0.2)
    assert parse("").threshold(Outcome.REJECTED) == TABLE[Outcome.REJECTED].alerts


def test_matches_by_outcome_fault_target_and_exclusion() -> None:
    """Names are compared without case; an exclusion wins; what alerts only if asked for must be asked for by name."""
    case = {"outcome": Outcome.REJECTED, "fault": Fault.TARGET, "target_id": "q1", "target_name": "Billing EU"}
    assert parse("").matches(**case)  # type: ignore[arg-type]
    assert parse('target="billing eu"').matches(**case)  # type: ignore[arg-type]
    assert not parse("target=Sales").matches(**case)  # type: ignore[arg-type]
    assert not parse('target="billing eu" exclude=rejected').matches(**case)  # type: ignore[arg-type]
    abandoned = case | {"outcome": Outcome.ABANDONED, "fault": Fault.CALLER}
    assert not parse("").matches(**abandoned)  # type: ignore[arg-type]
    assert parse("outcome=abandoned").matches(**abandoned)  # type: ignore[arg-type]


@given(
    st.builds(
        Filters,
        outcomes=st.lists(st.sampled_from(ALERTING), unique=True).map(tuple),
        faults=st.lists(st.sampled_from(list(Fault)), unique=True).map(tuple),
        failures=st.none() | st.integers(1, 999),
        rate=st.none() | st.sampled_from([0.05, 0.1, 0.5, 1.0]),
    )
)
def test_every_filter_survives_the_database(filters: Filters) -> None:
    """Stored as text and read back, it is the same."""
    assert parse(str(filters)) == filters
