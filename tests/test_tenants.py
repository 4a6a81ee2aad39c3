"""A file of tenants: read whole, or refused with every fault and its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import tenants
from bot.settings import SettingsError, load

GOOD = """
[[tenant]]
name = "emea"
tenant_id = "acme-emea"
client_id_env = "EMEA_ID"
client_secret_env = "EMEA_SECRET"
base_url = "http://127.0.0.1:8000"
lookback_hours = 48
max_rps = 5
alert_channel = "#emea-voicebot"
channels = ["C0EMEA1", "C0EMEA2"]

[[tenant]]
name = "apac"
tenant_id = "acme-apac"
client_id_env = "EMEA_ID"
client_secret_env = "APAC_SECRET"
"""


@pytest.fixture
def _secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMEA_ID", "client")
    monkeypatch.setenv("EMEA_SECRET", "hush-hush")
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    monkeypatch.setenv("APAC_SECRET_FILE", str(file))
    monkeypatch.chdir(tmp_path)


def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[tenants.Tenant, ...]:
    """The tenants of a file."""
    file = tmp_path / "tenants.toml"
    file.write_text(text)
    monkeypatch.setenv("TENANTS_FILE", str(file))
    monkeypatch.setenv("ALERT_CHANNEL", "#all")
    settings = load(["cxone"])
    return tenants.load(settings)


@pytest.mark.usefixtures("_secrets")
def test_each_tenant_has_settings_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not say comes from the settings; secrets come by name, from the environment or a file."""
    emea, apac = read(tmp_path, monkeypatch, GOOD)
    assert (emea.name, emea.channels) == ("emea", ("C0EMEA1", "C0EMEA2"))
    assert emea.settings.cxone_tenant_id == "acme-emea"
    assert emea.settings.cxone_client_secret.get_secret_value() == "hush-hush"
    assert (emea.settings.lookback_hours, emea.settings.cxone_max_rps) == (48, 5)
    assert emea.settings.alert_channel == "#emea-voicebot"
    assert apac.settings.alert_channel == "#all"
    assert apac.settings.cxone_client_secret.get_secret_value() == "from-a-file"
    assert apac.settings.cxone_max_rps is None
    assert "hush-hush" not in repr(emea)


@pytest.mark.usefixtures("_secrets")
def test_every_fault_is_listed_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, misspelt, out of range, twice: all at once, and no value of a secret."""
    text = """
[[tenant]]
name = "EMEA"
tenant_id = "acme emea"
client_id_env = "EMEA_ID"
client_secret_env = "hush hush"
max_rps = 0
lookback = 3

[[tenant]]
name = "apac"
tenant_id = "same"
client_id_env = "NOBODY_SET_THIS"
base_url = "http://example.com"
profile = "other"
channels = "C1"

[[tenant]]
name = "apac"
tenant_id = "same"
client_id_env = "EMEA_ID"
client_secret_env = "EMEA_SECRET"
"""
    with pytest.raises(SettingsError) as wrong:
        read(tmp_path, monkeypatch, text)
    lines = [fault.split(": ")[1] for fault in wrong.value.faults]
    assert lines == [f"line {n}" for n in (3, 4, 6, 7, 8, 10, 13, 14, 15, 16, 19, 20)]
    assert "hush" not in str(wrong.value)


@pytest.mark.usefixtures("_secrets")
def test_what_is_no_toml_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And an empty file has no tenant; a missing file is a sentence."""
    with pytest.raises(SettingsError, match="line 3: no TOML"):
        read(tmp_path, monkeypatch, '[[tenant]]\nname = "a"\ntenant_id = oops\n')
    with pytest.raises(SettingsError, match="there is no tenant"):
        read(tmp_path, monkeypatch, "")
    monkeypatch.setenv("TENANTS_FILE", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match="cannot be read"):
        tenants.load(load(["cxone"]))


def test_without_a_file_there_is_one_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the settings."""
    monkeypatch.setenv("CXONE_TENANT_ID", "acme")
    (one,) = tenants.load(load())
    assert (one.name, one.settings.cxone_tenant_id) == ("acme", "acme")
