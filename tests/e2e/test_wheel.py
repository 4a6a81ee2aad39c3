"""What is installed works without the repository: a wheel, an empty environment, an empty folder.

No test may reach the package index. The wheel is built here with the build backend that is installed, and unpacked
where an installer would put it, into an environment that has nothing of ours; the libraries come by a `.pth` line from
the environment that runs the tests, whose editable install of the bot is not on that path.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import REPOSITORY, Running, bot, environment, settings_for, wait_for

NUMBER = "+15550199888"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(  # noqa: S603 - our own build
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = folder.glob("*.whl")
    made = folder / "venv"
    venv.create(made, with_pip=False, symlinks=True)
    packages = made / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(packages)
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made / "bin" / "python"


def command(python: Path, *arguments: str) -> tuple[str, ...]:
    """The bot from the wheel."""
    return (str(python), "-m", "bot", *arguments)


def test_it_is_the_wheel_that_runs(python: Path, tmp_path: Path) -> None:
    """Not the repository; with everything that is no Python in it."""
    where = subprocess.run(  # noqa: S603 - our own program
        [python, "-c", "import bot, pathlib; print(pathlib.Path(bot.__file__).parent)"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.strip()
    assert Path(where).is_relative_to(python.parents[1])
    ours = {str(path.relative_to(REPOSITORY / "bot")) for path in (REPOSITORY / "bot").rglob("*") if path.is_file()}
    ours = {path for path in ours if "__pycache__" not in path}
    there = {str(path.relative_to(where)) for path in Path(where).rglob("*") if path.is_file()}
    assert ours <= there


def test_diagnose_runs_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """On a saved conversation, without a setting."""
    document = json.dumps({"id": "c-1", "participants": [], "events": []})
    ended = bot(
        "--file", "-", "--json", cwd=tmp_path, env=environment(), stdin=document, command=command(python, "diagnose")
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["conversation_id"] == "c-1"


def test_run_runs_from_the_wheel(python: Path, tenant: Any, workspace: Any, tmp_path: Path) -> None:
    """Migrations and all, in an empty folder."""
    tenant.play("rejected", NUMBER)
    with Running(tmp_path, environment(**settings_for(tenant, workspace)), command(python, "run")) as running:
        workspace.connect(f"{running.address}/slack/events")
        assert workspace.command(NUMBER).ok
        wait_for(lambda: workspace.messages("voicebot-ops"), "an answer", running)
        assert running.stop()[0] == 0
    assert (tmp_path / "handover.db").exists()
