"""The pure reading of contacts and of what they went to: any shape, hours, minutes, durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cxone import contacts_fields, contacts_reading, contacts_targets, names
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import EventKind

NOW = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)  # a Monday
KEYS = """
    contact contactStateHistory hierarchy childContacts contactCustomData children cognigy logs contactStateDescriptions
    contactId startDate duration agentId skillId stateIndex meta contactStateId fromAddress abandoned name value message
    totalDurationSeconds timestamp days skills openTime actions versions pointsOfContact agentStates"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(KEYS.split())), inner, max_size=6)
    ),
    max_leaves=30,
)


def profile(**more: Any) -> dict[str, Any]:
    """Hours that hold for skill 4711."""
    day = {"day": "Monday", "openTime": "08:00", "closeTime": "18:00:00", "isClosedAllDay": False}
    return {"days": [day], "skills": [{"skillId": "4711"}], "timeZone": "UTC", **more}


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_any_document_is_read_and_judged(document: Any) -> None:
    """Whatever JSON holds."""
    whole = {"profile": "contacts", **document} if isinstance(document, dict) else document
    found = contacts_reading.parse(whole)
    diagnose(found, {}, now=NOW)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_any_target_is_read(document: Any) -> None:
    """The same for a skill, an agent and a script."""
    parts = dict.fromkeys(("skill", "activity", "agents", "hours", "agent", "states", "history", "point"), document)
    contacts_targets.parse_skill("1", parts, NOW, NOW)
    contacts_targets.parse_agent("1", parts, NOW, NOW)
    contacts_targets.parse_point("1", {**parts, "script": document, "versions": document}, NOW, NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("PT41.2S", 41.2), ("PT1M41.2S", 101.2), ("PT2H", 7200), ("41.2", 41.2), (41, 41), ("P1DT1S", 86401)],
)
def test_both_forms_of_a_duration(value: object, seconds: float) -> None:
    """ISO 8601, and seconds as a number or text."""
    assert contacts_fields.duration(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [None, True, "", "soon", -3, "1e400", "9e11", "P3E7D", "P9000000D", {}])
def test_what_is_no_duration(value: object) -> None:
    """None, never an error."""
    assert contacts_fields.duration(value) in (None, timedelta())


@pytest.mark.parametrize(
    ("more", "closed"),
    [
        ({}, False),
        ({"days": [{"day": "Mon", "openTime": "15:00", "closeTime": "18:00"}]}, True),
        ({"days": [{"day": "Monday", "isClosedAllDay": "true"}]}, True),
        ({"days": [{"day": "Monday", "openTime": "22:00", "closeTime": "16:00"}]}, False),
        ({"holidays": [{"date": "2026-03-02"}]}, True),
        ({"timeZone": "America/New_York"}, False),
        ({"timeZone": "Asia/Tokyo"}, True),
        ({"timeZone": None}, None),
        ({"timeZone": "Nowhere/Land"}, None),
        ({"days": []}, None),
        ({"skills": [{"skillId": 9}]}, None),
    ],
)
def test_hours_of_that_day(more: dict[str, Any], *, closed: bool | None) -> None:
    """In the profile's own zone; without one nobody can tell."""
    assert contacts_targets.opening({"hoursOfOperation": [profile(**more)]}, "4711", NOW)[1] is closed


def test_an_agents_minutes() -> None:
    """The state at that time, and the changes two minutes around it; nothing else of the day."""

    def row(minutes: float, state: str, why: str = "") -> dict[str, Any]:
        at = (NOW + timedelta(minutes=minutes)).isoformat()
        return {"agentStateName": state, "outStateDescription": why, "startDate": at}

    rows = [row(-90, "Available"), row(-1, "Unavailable", "Lunch"), row(1, "Available"), row(60, "LoggedOut")]
    then, moments = contacts_targets.minutes_of(rows, NOW)
    assert then == "Unavailable (Lunch)"
    assert [moment.what for moment in moments] == ["Unavailable (Lunch)", "Available"]


def test_the_script_that_ran_then() -> None:
    """A version that was saved after the failure is not the one that failed."""
    saved = {9: "2026-03-02T15:00:00Z", 8: "2026-03-02T13:51:00Z"}
    versions = {"versions": [{"scriptId": number, "modifyDate": at} for number, at in saved.items()]}
    target = contacts_targets.parse_point("1", {"versions": versions}, NOW, NOW)
    assert (target.version, target.published_at) == ("8", datetime(2026, 3, 2, 13, 51, tzinfo=UTC))


def test_a_row_of_a_list_alone_is_a_document() -> None:
    """Who called, and when; what happened is not in it."""
    row = {"contactId": "7", "fromAddr": "+15550199888", "contactStart": "2026-03-02T14:00:00Z"}
    call = contacts_reading.parse(row)
    assert (call.id, call.started_at, call.participants[0].identity) == (
        "7",
        datetime(2026, 3, 2, 14, tzinfo=UTC),
        "+15550199888",
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (name, EventKind.ENDED)
            for name in ("EndContact", "Contact Ended", "End", "Ended", "Call Ended", "Released")
        ),
        *((name, None) for name in ("Callback Pending", "Auto Attendant", "Suspended", "Extended")),
    ],
)
def test_an_end_is_no_part_of_a_word(name: str, kind: EventKind | None) -> None:
    """A name that only holds the letters is not recognised."""
    assert names.kind_of(name) is kind


def test_an_unknown_state_is_a_plain_change() -> None:
    """It is never taken for more."""
    row = {"contactStateId": 99, "contactStateName": "Zzz", "startDate": "2026-03-02T14:00:00Z"}
    call = contacts_reading.parse({"contact": {"contactId": 7}, "contactStateHistory": [row]})
    assert [event.kind for event in call.events] == [EventKind.STATE]
