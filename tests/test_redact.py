import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import redact

UUID = "5f0c2a12-3456-7890-1234-567890123456"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no agent for +1 (555) 019-9888 now", "no agent for •••• 9888 now"),
        ("5550199888", "•••• 9888"),
        ("555.019.9888/2", "•••• 8882"),
        (f"participant {UUID} unknown", f"participant {UUID} unknown"),
        ("at 2026-11-22 14:03:11 code 503", "at 2026-11-22 14:03:11 code 503"),
        ("mail jane.doe@example.com", "mail •••"),
        ("customerName=Jane Doe, queue Billing", "customerName=•••, queue Billing"),
        ('{"firstName": "Jane", "x": 1}', '{"firstName": •••, "x": 1}'),
        ("a\u202eb\x00c\nd\u2028e", "abc d e"),
        ("target 1290295b… and 12345678…", "target 1290295b… and •••• 5678…"),
        (None, ""),
        (503, "503"),
    ],
)
def test_foreign_text_shows_no_caller(text: object, shown: str) -> None:
    """Numbers, mail addresses and names of people are masked, ids and times are not."""
    assert redact.foreign(text) == shown


def test_foreign_text_is_cut() -> None:
    """50 kB become one line of the length that was asked for."""
    assert len(redact.foreign("x" * 50_000, 80)) == 80


def test_slack_is_escaped() -> None:
    """These three, and nothing else."""
    assert redact.escape("<!channel> & *x*") == "&lt;!channel&gt; &amp; *x*"


def test_a_document_keeps_what_is_allowed_and_names_the_rest() -> None:
    """A caller hides nowhere: identity, name, session, an unknown field, a reason."""
    document = {
        "id": "123456789012",
        "startTime": "2026-11-22T14:02:11Z",
        "customerEmail": "jane@example.com",
        "participants": [
            {"id": "p1", "purpose": "customer", "identity": "tel:+15550199888", "name": "Jane Doe"},
            {"id": "p2", "purpose": "bot", "name": "Cognigy Voicebot", "state": {"stateName": "connected"}},
        ],
        "events": [
            {
                "type": "sessionTransferRejected",
                "reason": "caller 5550199888 unknown",
                "toParticipantId": "+15550199888",
                "properties": {"cognigySessionId": "cgy-15550199888-x", "customerName": "Jane", "deep": {"a": 1}},
            }
        ],
    }
    shown = redact.document(document)
    text = json.dumps(shown)
    assert not re.search(r"\d{7}", text.replace("123456789012", "").replace("2026-11-22T14:02:11Z", ""))
    assert "Jane" not in text
    assert "jane" not in text
    assert shown["id"] == "123456789012"
    assert shown["participants"][0]["not_shown"] == ["name"]
    assert shown["participants"][1]["name"] == "Cognigy Voicebot"
    assert shown["participants"][1]["state"] == {"stateName": "connected"}
    assert shown["events"][0]["properties"]["not_shown"] == ["customerName", "deep"]
    assert shown["not_shown"] == ["customerEmail"]


def test_properties_of_an_attempt_show_ids_and_name_the_rest() -> None:
    """A name in properties may be the caller's."""
    shown = redact.properties({"cognigySessionId": "cgy-81", "name": "Jane", "priority": 3, "flag": True, "code": None})
    assert shown == {"cognigySessionId": "cgy-81", "priority": 3, "code": None, "not_shown": ["flag", "name"]}


def test_a_number_of_many_digits_is_masked_wherever_it_stands() -> None:
    """As a JSON number too."""
    assert redact.properties({"code": 15550199888})["code"] == "•••• 9888"


def test_many_unknown_fields_are_counted() -> None:
    """Names are foreign as well: they are cut and masked."""
    shown = redact.document({f"field{n:03}": n for n in range(100)} | {"15550199888": 1})
    assert len(shown["not_shown"]) == 41
    assert shown["not_shown"][-1] == "… 61 more"
    assert "15550199888" not in json.dumps(shown)


def test_depth_and_length_have_an_end() -> None:
    """Strings from hell: nested far, repeated often."""
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"properties": deep}
    assert "…" in json.dumps(redact.document(deep), ensure_ascii=False)
    assert len(redact.document({"events": [{}] * 3000})["events"]) == 2001
    assert redact.document([]) == redact.properties("x") == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "events", "name", "x"]), inner),
    max_leaves=12,
)


@given(JSON)
def test_any_document_is_redacted_without_an_exception(document: object) -> None:
    """And no run of seven digits is left, whole ids apart."""
    json.dumps(redact.document(document))
    assert not re.search(r"\d{7}", redact.foreign(document, 100))


def test_the_callers_name_is_masked_in_the_free_texts_of_a_document() -> None:
    """Whole words alone."""
    people = [{"purpose": "customer", "name": "John Caller"}, {"purpose": "customer", "name": "Al"}]
    events = [{"type": "x", "reason": "no route for john caller"}, {"type": "x", "reason": "John Callers, Al"}]
    shown = redact.document({"id": "c1", "participants": people, "events": events})
    assert [event["reason"] for event in shown["events"]] == ["no route for the caller", "John Callers, Al"]


def test_callers_do_not_hide_in_ids() -> None:
    """A voice gateway may build its session's id from the number; who has another number keeps it."""
    raw = {
        "participants": [
            {"purpose": "customer", "identity": "tel:+1 (555) 019-9888"},
            {"purpose": "agent", "identity": "5550142000"},
            {"purpose": "bot", "identity": "cognigy-0a1b2c3d4e5f6@example.com"},
        ],
        "list": {"from": "+15550100002", "to": "q-1234567"},
        "events": [None, 7],
    }
    shown = {"session": "vg-15550199888-77", "ids": ["5550142000", 5], "+15550100002": {"to": "q-1234567"}}
    assert redact.without_callers(shown, raw) == {
        "session": "vg-•••• 9888-77",
        "ids": ["5550142000", 5],
        "•••• 0002": {"to": "q-1234567"},
    }
    assert redact.without_callers(shown, {}) is shown
    deep: dict[str, object] = {"identity": "+15550199888"}
    for _ in range(20):
        deep = {"participants": deep}
    assert redact.without_callers(shown, deep) is shown
