"""The pages tell of everything that the closed lists hold, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.alerts.filter_words import from_when_on
from bot.alerts.filters import FORM, Filters
from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.scenarios import STORIES
from bot.diagnosis.outcomes import TABLE, Code, Confidence, Fault, Outcome, Reached
from bot.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `([a-z_]+)` \|(.*)\|$", re.MULTILINE)


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading: first column → the others."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {found[1]: [cell.strip() for cell in found[2].split("|")] for found in ROW.finditer(text)}


@pytest.mark.parametrize(("heading", "listed"), [("Outcomes", list(Outcome)), ("Findings", list(Code))])
def test_each_of_a_closed_list_has_its_row(heading: str, listed: list[str]) -> None:
    """Meaning, evidence and fix, none of them empty."""
    found = rows("diagnosis.md", heading)
    assert set(found) == {str(each) for each in listed}
    assert all(len(cells) == 3 and all(cells) for cells in found.values())


def test_each_side_rung_and_degree_has_its_row() -> None:
    """Each with the word that `--json` prints."""
    found = rows("diagnosis.md", "Whose side, how far, how sure")
    listed = {each.value for values in (Fault, Reached, Confidence) for each in values}
    assert set(found) == listed | {"fault", "reached", "confidence"}


def test_the_thresholds_are_those_of_the_table() -> None:
    """From when on an outcome alerts, in the words that a subscription is answered with."""
    found = {name: cells[0] for name, cells in rows("operations.md", "When an alert is posted").items()}
    usual = {outcome.value: from_when_on(row.alerts) for outcome, row in TABLE.items() if row.alerts is not None}
    asked = {outcome.value for outcome, row in TABLE.items() if row.on_request}
    assert {name: said for name, said in found.items() if name not in asked} == usual
    assert all(found[name].endswith(from_when_on(Filters().threshold(Outcome(name)))) for name in asked)


def test_every_filter_is_told() -> None:
    """Those of the form that a wrong word is answered with."""
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert all(f"| `{word.partition('=')[0]}=" in text for word in FORM.split())


def test_every_setting_is_told() -> None:
    """In the tables by theme."""
    table = (DOCS / "operations.md").read_text(encoding="utf-8").partition("## Settings\n")[2].partition("\n## ")[0]
    named = {word.lower() for word in re.findall(r"`([A-Z_]+)`", table)}
    assert set(Settings.model_fields) - {"needs", "file_faults"} <= named


def test_the_scenarios_it_names_exist() -> None:
    """Each kind of failure can be tried by the name that stands beside it."""
    text = (DOCS / "diagnosis.md").read_text(encoding="utf-8").partition("## The catalogue")[2]
    table = [line.split("|")[2] for line in text.splitlines() if re.match(r"^\| \d", line)]
    named = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    assert named <= set(CATALOGUE) | set(STORIES)
    assert len(table) >= 15
    assert set(CATALOGUE) <= named | {"signal_503"}


@pytest.mark.parametrize("page", ["setup.md", "security.md", "diagnosis.md", "operations.md"])
def test_the_settings_it_names_exist(page: str) -> None:
    """No page names a setting that is none."""
    text = (DOCS / page).read_text(encoding="utf-8")
    words = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text)
    named = {word.removesuffix("_FILE").lower() for word in words}
    assert named - set(Settings.model_fields) <= {
        "not_checked",
        "tenants",
        "glibc_tunables",
    }  # of TENANTS_FILE, glibc's


def test_every_scope_of_the_manifest_has_its_reason() -> None:
    """In the page on security."""
    manifest = yaml.safe_load((DOCS.parent / "manifest.yml").read_text(encoding="utf-8"))
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    assert all(f"`{scope}`" in text for scope in manifest["oauth_config"]["scopes"]["bot"])
