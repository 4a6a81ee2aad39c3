"""Refusal causes and SIP codes in words."""

from __future__ import annotations

import pytest

from bot.diagnosis import codes


@pytest.mark.parametrize(
    ("reason", "cause", "says"),
    [
        ("Bad Number", None, "station number"),
        ("Busy, cause 17", None, "busy"),
        ("cause 31", None, "station number"),
        ("254", None, "busy"),
        ("", 253, "station number"),
        ("Timeout", None, "nobody picked it up"),
        ("Agent rejected", None, "declined"),
        ("cause code: 16", None, "normally"),
        ("Zzz", None, ""),
        ("error 9999", None, ""),
    ],
)
def test_refusals(reason: str, cause: int | None, says: str) -> None:
    """By the reason's words, else by the cause; an unknown one gets no words."""
    found = codes.refusal(reason, cause)
    assert (says in found) if says else not found


@pytest.mark.parametrize(
    ("status", "says"), [(488, "codec"), (403, "caller id"), (499, "refused"), (None, ""), (42, "")]
)
def test_sip(status: int | None, says: str) -> None:
    """By the code, else by its class."""
    found = codes.sip(status)
    assert (says in found) if says else not found


def test_whose_side_a_sip_code_is() -> None:
    """Capacity and errors are the telephony's; a wrong number is not."""
    assert codes.is_platform(503)
    assert codes.is_platform(408)
    assert not codes.is_platform(404)
    assert not codes.is_platform(None)
