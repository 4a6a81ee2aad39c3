"""`check` for the contacts profile: a line a question, and each wrong setting at its place."""

from __future__ import annotations

from typing import Any

import pytest

from bot import check_contacts, platforms
from bot.check import Line, Mark
from bot.clock import SystemClock
from bot.cxone.contacts import Contacts
from bot.settings import SettingsError, load


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, tenant: Any) -> Any:
    """Asks, with settings that are complete but for what the test changes; the lines by what they are about."""
    monkeypatch.chdir(tmp_path)

    def ask(**settings: str) -> dict[str, Line]:
        usual = {"CXONE_TENANT_ID": "demo", "CXONE_CLIENT_ID": "demo-client", "CXONE_CLIENT_SECRET": "demo-secret"}
        for name, value in {**usual, **tenant.contacts.settings(), **settings}.items():
            monkeypatch.setenv(name, value)
        loaded = load(["cxone"])
        platform = platforms.build_platform(loaded, SystemClock())
        assert isinstance(platform, Contacts)
        try:
            return {line.what: line for line in check_contacts.contacts(loaded, platform, SystemClock())}
        finally:
            platform.close()

    return ask


def test_all_is_well(lines: Any) -> None:
    """Token, version, every call with its permission, the clock, Cognigy."""
    found = lines()
    assert {line.mark for line in found.values()} == {Mark.OK}
    assert len(found) == 21


@pytest.mark.parametrize(
    ("wrong", "where", "says"),
    [
        ({"CXONE_CLIENT_SECRET": "no"}, "CXone token", "CXONE_CLIENT_SECRET"),
        ({"CXONE_ACCESS_KEY_SECRET": "no"}, "CXone token", "CXONE_ACCESS_KEY_SECRET"),
        ({"CXONE_API_VERSION": "v99.0"}, "CXone contacts", "CXONE_API_VERSION"),
        ({"COGNIGY_API_KEY": "no"}, "Cognigy logs", "COGNIGY_API_KEY"),
        ({"COGNIGY_PROJECT_ID": "no"}, "Cognigy logs", "COGNIGY_PROJECT_ID"),
    ],
)
def test_each_wrong_setting_fails_at_its_place(wrong: dict[str, str], where: str, says: str, lines: Any) -> None:
    """With the call, the likely cause and the place to mend it."""
    line = lines(**wrong)[where]
    assert line.failed
    assert says in line.text


def test_a_missing_permission_is_its_own_line(tenant: Any, lines: Any) -> None:
    """The others are asked all the same."""
    tenant.contacts.denied.add("/agents")
    found = lines()
    assert {what for what, line in found.items() if line.failed} == {
        "CXone agents",
        "CXone agent states",
        "CXone agent history",
    }
    assert "role" in found["CXone agents"].text


def test_a_wrong_clock_is_told(tenant: Any, lines: Any) -> None:
    """Requests and answers would be put in the wrong order."""
    tenant.contacts.skew = 90
    assert "90 s behind CXone" in lines()["Clock"].text


def test_without_cognigy_a_note_says_what_is_lost(lines: Any) -> None:
    """No failure: it is optional."""
    none = {"COGNIGY_API_URL": "", "COGNIGY_API_KEY": "", "COGNIGY_PROJECT_ID": ""}
    assert lines(**none)["Cognigy"].mark is Mark.NOTE


def test_half_of_cognigys_settings_is_a_fault(lines: Any) -> None:
    """All three, or none."""
    with pytest.raises(SettingsError, match="COGNIGY_API_KEY"):
        lines(COGNIGY_API_KEY="")


def test_the_access_key_is_demanded(lines: Any) -> None:
    """Only with this profile."""
    with pytest.raises(SettingsError, match="CXONE_ACCESS_KEY_ID"):
        lines(CXONE_ACCESS_KEY_ID="")


def test_a_refused_token_stops_the_asking(tenant: Any, lines: Any) -> None:
    """Each further line says that it was not looked at: the answer would be the same."""
    tenant.faults.add("/incontactapi", "status", status=401)
    found = lines()
    told = [what for what, line in found.items() if line.text != "not looked at"]
    assert (told, len(found)) == (["CXone token", "CXone contacts"], 20)
    assert "CXONE_ISSUER" in found["CXone contacts"].text


def test_a_call_that_a_version_does_not_offer_is_told(tenant: Any, lines: Any) -> None:
    """One call that is not there is no wrong version; the bulk form is a convenience."""
    tenant.contacts.gone |= {"/hours-of-operation", "/contacts/state-history", "/scripts"}
    found = lines()
    assert "no such call in that version" in found["CXone hours"].text
    assert found["CXone states of all"].mark is Mark.NOTE
    assert found["CXone scripts"].mark is Mark.OK


@pytest.mark.parametrize("setting", ["CXONE_ISSUER", "COGNIGY_API_URL"])
def test_an_address_where_nobody_answers_is_named(setting: str, lines: Any) -> None:
    """By the setting that holds it, and not by another's."""
    found = lines(**{setting: "http://127.0.0.1:9"})
    line = next(line for line in found.values() if line.failed)
    assert f"Check {setting}," in line.text
