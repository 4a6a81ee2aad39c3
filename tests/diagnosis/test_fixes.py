"""Each finding has a next step of its own."""

from __future__ import annotations

from bot.diagnosis.fixes import fix
from bot.diagnosis.outcomes import FINDINGS, Code, Status


def test_no_two_codes_share_one_fix() -> None:
    """Who reads a fix knows which finding it belongs to."""
    fixes = [fix(code, None) for code in Code if FINDINGS[code] is not Status.INFO]
    assert all(fixes)
    assert len(set(fixes)) == len(fixes)


def test_nothing_is_to_be_done_about_an_info() -> None:
    """What only informs asks for nothing."""
    assert not any(fix(code, None) for code in Code if FINDINGS[code] is Status.INFO)
