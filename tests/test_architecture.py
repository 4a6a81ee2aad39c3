"""The rules of the house that a reader relies on: which way imports run, and which files do nothing but think."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "bot").rglob("*.py"))

# From the bottom to the top: a room or file imports from its own line's left-hand rooms and from the lines above.
ORDER = (
    ("phone", "clock", "__version__"),
    ("redact", "logs", "memory"),
    ("diagnosis",),
    ("cxone",),
    ("store",),
    ("alerts",),
    ("setting_kinds", "setting_faults"),
    ("settings",),
    ("tenants", "report_json"),
    ("slack", "jobs", "bundle", "terminal", "endings"),
    ("check",),
    ("check_contacts", "saved", "alerting", "platforms", "database", "clients"),
    ("background", "centres", "metrics", "running", "socket_mode", "web"),
    ("wiring",),
    ("beside",),
    ("question",),
    ("cli",),
    ("__main__", "demo"),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
ALLOWED = {
    ("cli", "demo"),  # lazily: `demo` starts the bot as a process of its own
}

# What the judgements rest on: no network, no database, no time of its own.
PURE = (
    "diagnosis/*.py",
    "phone.py",
    "redact.py",
    "alerts/filters.py",
    "alerts/filter_words.py",
    "alerts/policy.py",
    "cxone/conversations.py",
    "cxone/contacts_reading.py",
    "cxone/queries.py",
    "cxone/reading.py",
    "slack/alert_answers.py",
    "slack/alert_group.py",
    "slack/alert_messages.py",
    "slack/blocks.py",
    "slack/grammar.py",
    "slack/info_answers.py",
    "slack/messages*.py",
    "slack/spans.py",
    "slack/status_answers.py",
    "slack/tenant_names.py",
    "slack/typed.py",
)
OUTSIDE = frozenset({"requests", "sqlalchemy", "slack_sdk", "slack_bolt", "urllib", "urllib3", "socket", "subprocess"})
OUTSIDE_TIME = frozenset({"now", "utcnow", "today", "sleep", "monotonic", "perf_counter", "time"})
RECORDS_OF = {
    "bot.slack.alert_answers": {"bot.alerts.probe"},  # the frozen records that they show
    "bot.slack.info_answers": {"bot.alerts.explain"},  # the same
    "bot.slack.status_answers": {"bot.alerts.health"},  # the same
}


def name_of(path: Path) -> str:
    """`bot.slack.app`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


@cache
def tree(module: str) -> ast.Module:
    """A module, read."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """All that is imported anywhere in a module, but for the checker of types: modules, else names in them."""
    found: set[str] = set()
    for node in _run(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES or node.module == "bot" else node.module)
    return frozenset(found)


def _run(node: ast.AST) -> list[ast.AST]:
    """The nodes below, without those under `if TYPE_CHECKING`."""
    below: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        below += [child, *_run(child)]
    return below


def room(module: str) -> str:
    """`slack` of `bot.slack.app`, `cli` of `bot.cli`."""
    return module.split(".")[1]


@pytest.mark.parametrize("module", [module for module in MODULES if module != "bot"])
def test_imports_run_one_way(module: str) -> None:
    """Diagnosis ← cxone ← store ← alerts ← slack, jobs ← wiring ← cli; nobody but cli imports the demo."""
    assert room(module) in RANK, "a new file needs its place in ORDER"
    for other in imports(module):
        if not other.startswith("bot.") or room(other) == room(module) or (room(module), room(other)) in ALLOWED:
            continue
        assert RANK[room(other)] < RANK[room(module)], f"{module} imports {other}"


@pytest.mark.parametrize("path", [path for pattern in PURE for path in sorted((ROOT / "bot").glob(pattern))], ids=str)
def test_what_judges_is_pure(path: Path) -> None:
    """No I/O module, no time of its own; and what it imports of ours is as pure."""
    _pure(name_of(path), set())


def _pure(module: str, seen: set[str]) -> None:
    if module in seen or module not in MODULES:
        return
    seen.add(module)
    for other in imports(module):
        assert other.split(".", maxsplit=1)[0] not in OUTSIDE, f"{module} imports {other}"
        if other not in RECORDS_OF.get(module, set()):
            _pure(other, seen)
    assert not [node for node in ast.walk(tree(module)) if _asks_the_machine(node)], f"{module} has time of its own"


def _asks_the_machine(node: ast.AST) -> bool:
    """`datetime.now(…)`, `time.sleep(…)` and their like."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in OUTSIDE_TIME
        and ast.unparse(node.func.value) in ("datetime", "date", "time")
    )


def test_the_demo_is_imported_lazily() -> None:
    """What is installed for production never loads it."""
    at_the_top = [node for node in tree("bot.cli").body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in at_the_top if "demo" in ast.unparse(node)]


def test_the_environment_is_read_by_the_settings_alone() -> None:
    """And by those of several tenants, which name their secrets; so every fault of it is reported at once."""
    readers = {module for module in MODULES if any(_reads(node) for node in ast.walk(tree(module)))}
    ours = {module for module in readers if room(f"{module}.") != "demo"}
    assert ours <= {"bot.settings", "bot.tenants", "bot.memory"}  # the last: what is glibc's, not ours


def _reads(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")


def test_time_is_handed_in() -> None:
    """Only the clock asks the machine, and what runs the work: nothing that judges, stores or speaks."""
    asked = {module for module in MODULES if any(_asks_the_machine(node) for node in ast.walk(tree(module)))}
    assert {module for module in asked if room(f"{module}.") not in ("demo", "jobs")} <= {
        "bot.alerting",  # how long one of its jobs may last
        "bot.clock",
        "bot.running",  # how long stopping takes
        "bot.socket_mode",  # since when Slack is silent
    }


def test_the_map_of_the_package_names_every_room_and_file() -> None:
    """A newcomer reads it first; it is no list of what once was."""
    told = ast.get_docstring(tree("bot")) or ""
    for path in sorted((ROOT / "bot").iterdir()):
        if path.name.startswith("__") or not (path.suffix == ".py" or (path / "__init__.py").exists()):
            continue
        assert f"{path.stem}/" in told if path.is_dir() else f"{path.stem}.py" in told, path.name
