import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import phone

TYPED = [
    "+15550199888",
    "(555) 019-9888",
    "555.019.9888",
    "1 555 019 9888",
    "15550199888",
    "0015550199888",
    "00 1 (555) 019-9888",
    "<tel:+15550199888|+1 555 019 9888>",
    "<tel:5550199888|(555) 019-9888>",
    "+1\u00a0555\u00a0019\u00a09888",
    "\u202d+1 (555) 019\u20119888\u202c",
    "`+15550199888`",
    "+1 555 019 9888 ext 5",
    "tel:+15550199888",
    "sip:+15550199888@198.51.100.7;user=phone",
]
STORED = [
    *("+15550199888", "tel:+15550199888", "sip:+15550199888@198.51.100.7;user=phone", "15550199888", "5550199888"),
    *("+1 (555) 019-9888", "0015550199888", "01115550199888", "sip:%2B15550199888@sbc.example", "<sip:+15550199888@x>"),
    *("05550199888", "555-019-9888", "sips:15550199888@x", "tel:+1-555-019-9888;phone-context=x"),
]
OTHERS = [
    "",
    "anonymous",
    "+15550199889",
    "+445550199888",
    "9888",
    "sip:alice@example.com",
    "5550199888123",
    "+5550199888",
]


@pytest.mark.parametrize("text", TYPED)
def test_every_way_to_type_a_number_is_the_same_number(text: str) -> None:
    """People type, paste and let Slack rewrite; it stays one number."""
    assert phone.parse(text, "US").e164 == "+15550199888"


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("020 7946 0958", "GB", "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("442079460958", "US", "+442079460958"),
        ("0011 1 555 019 9888", "AU", "+15550199888"),
        ("06 698 12345", "IT", "+390669812345"),
        ("00390669812345", "DE", "+390669812345"),
    ],
)
def test_other_countries_are_read_by_their_own_rules(text: str, region: str, e164: str) -> None:
    """Trunk zeros go where they go and stay where they stay; prefixes for calls abroad are each country's."""
    assert phone.parse(text, region).e164 == e164


@pytest.mark.parametrize(
    "text",
    [
        "12345",
        "abc",
        "+999123456",
        "555-0199",
        "+1555019988812345678",
        "+15550199888" + "1" * 20,
        "+1 2",
        "+49 1",
        "001",
        "00",
        "+391234567890123",
        "5550199888 please",
        "+",
    ],
)
def test_what_cannot_be_a_number_is_refused_with_a_sentence(text: str) -> None:
    """The sentence does not repeat what was typed."""
    with pytest.raises(phone.NotANumber) as refused:
        phone.parse(text, "US")
    assert refused.value.sentence.endswith(".")
    assert text not in refused.value.sentence


@pytest.mark.parametrize(
    "text",
    ["anonymous", "Anonymous", "", "  ", "unknown", "Restricted", "sip:anonymous@anonymous.invalid", "+266696687"],
)
def test_a_withheld_number_is_told_apart(text: str) -> None:
    """What platforms store for it is no mistake of the person who types it."""
    assert phone.is_withheld(text)
    assert phone.mask(text) == ""
    with pytest.raises(phone.Withheld):
        phone.parse(text, "US")


@pytest.mark.parametrize("identity", STORED)
def test_stored_forms_are_found(identity: str) -> None:
    """Platforms store a number in any of these."""
    assert phone.same_number(identity, phone.parse("+15550199888", "US"))


def test_forms_are_shown_by_what_stands_before_them() -> None:
    """People see how they were compared, and never the whole number."""
    shown = phone.parse("+15550199888", "US").masked_forms
    assert {"+1…9888", "1…9888", "001…9888", "…9888"} <= set(shown)
    assert not any("0199" in form for form in shown)


@pytest.mark.parametrize("identity", OTHERS)
def test_other_numbers_are_not_found(identity: str) -> None:
    """A plus is taken at its word, and a tail is not enough."""
    assert not phone.same_number(identity, phone.parse("+15550199888", "US"))


@pytest.mark.parametrize(
    ("identity", "masked"),
    [("+15550199888", "•••• 9888"), ("sip:+15550199888@x", "•••• 9888"), ("1234", "••••"), ("sip:alice@x", "••••")],
)
def test_a_mask_shows_four_digits_at_most(identity: str, masked: str) -> None:
    """And none where there are no more than four."""
    assert phone.mask(identity) == masked


def test_a_number_shows_itself_masked() -> None:
    """Neither str nor repr tells more, so that no log does."""
    number = phone.parse("+15550199888", "US")
    assert (str(number), repr(number), number.last4) == ("•••• 9888", "Number(•••• 9888)", "9888")


def test_the_forms_of_a_number_begin_with_the_international_one() -> None:
    """A short national form would match too much, so there is none."""
    assert phone.parse("+15550199888", "US").forms[:2] == ("+15550199888", "5550199888")
    assert phone.parse("+29022345", "US").forms == ("+29022345", "29022345", "0029022345", "01129022345")


def test_all_forms_of_a_number_have_one_hash() -> None:
    """And another key makes another hash."""
    hashes = {
        phone.hashed(form, "key") for form in ("+15550199888", "tel:+15550199888", "(555) 019-9888", "15550199888")
    }
    assert len(hashes) == 1
    assert phone.hashed("+15550199888", b"other") not in hashes
    assert phone.hashed("sip:Alice@x", "key") == phone.hashed("sip:alice@y", "key")


@given(st.text(max_size=60), st.sampled_from(["US", "DE", "AU", "GB"]))
def test_any_text_is_a_number_or_refused(text: str, region: str) -> None:
    """Nothing else ever happens."""
    try:
        number = phone.parse(text, region)
    except phone.NotANumber:
        return
    assert phone.same_number(number.e164, number)


@given(st.text(max_size=60))
def test_a_mask_never_shows_more_than_four_digits(text: str) -> None:
    """Whatever stands in the identity."""
    assert len(re.findall(r"\d", phone.mask(text))) <= 4
