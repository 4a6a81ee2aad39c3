"""The pages tell of everything that the closed lists hold, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.scenarios import STORIES
from bot.diagnosis.outcomes import Code, Outcome
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
    assert named - set(Settings.model_fields) <= {"not_checked", "tenants"}  # of TENANTS_FILE


def test_every_scope_of_the_manifest_has_its_reason() -> None:
    """In the page on security."""
    manifest = yaml.safe_load((DOCS.parent / "manifest.yml").read_text(encoding="utf-8"))
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    assert all(f"`{scope}`" in text for scope in manifest["oauth_config"]["scopes"]["bot"])
