"""compose.yaml and the Kubernetes example: what can be known without a container engine, and the same shape by hand."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
import yaml

from bot.cli import main
from bot.settings import Settings
from tests.e2e.fleet import failed_call, fleet
from tests.e2e.processes import REPOSITORY, bot, wait_for

SERVICE = {
    *("build", "image", "env_file", "environment", "restart", "stop_grace_period", "read_only", "tmpfs", "cap_drop"),
    *("security_opt", "depends_on", "command", "deploy", "volumes", "healthcheck"),
}
CONDITIONS = {"service_healthy", "service_completed_successfully", "service_started"}


def compose() -> dict[str, Any]:
    """The file, read with its anchors."""
    document: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
    return document


def test_compose_is_of_the_shape_that_compose_takes() -> None:
    """Known keys, services that exist, settings and commands that exist, volumes that are declared."""
    document = compose()
    assert {key for key in document if not key.startswith("x-")} == {"services", "volumes"}
    for name, service in document["services"].items():
        assert set(service) <= SERVICE, name
        assert "image" in service, name
        for other, how in service.get("depends_on", {}).items():
            assert other in document["services"], name
            assert how["condition"] in CONDITIONS, name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in document["services"][other]
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in document["volumes"]
        assert all(isinstance(value, str) for value in service.get("environment", {}).values()), name
        if name != "postgres":
            assert service["command"][0] in main.commands
            assert {each.lower() for each in service["environment"]} <= set(Settings.model_fields)


def test_the_kubernetes_example_runs_commands_that_exist() -> None:
    """Each selector matches its labels, and each probe is a page of ours."""
    text = (REPOSITORY / "docs" / "kubernetes.yaml").read_text(encoding="utf-8")
    documents = list(yaml.safe_load_all(text))
    assert [each["kind"] for each in documents] == ["Job", "Deployment", "Deployment", "Service"]
    for document in documents[:3]:
        template = document["spec"]["template"]
        (container,) = template["spec"]["containers"]
        assert container["args"][0] in main.commands
        if document["kind"] == "Deployment":
            assert document["spec"]["replicas"] == 2
            assert document["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
            assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
            assert template["spec"]["terminationGracePeriodSeconds"] > 10
    assert documents[3]["spec"]["selector"] == documents[1]["spec"]["selector"]["matchLabels"]


def test_the_same_processes_started_by_hand(tmp_path: Path, postgres: Any) -> None:
    """As many of each as compose.yaml says: migrated, ready, an alert, an answer of each web process, ended in time."""
    services = compose()["services"]
    with fleet(tmp_path, postgres.empty(), 1) as it, ExitStack():
        migrated = bot(*services["migrate"]["command"], cwd=tmp_path, env=it.environment)
        assert migrated.returncode == 0, migrated.stderr
        parts = {
            name: [it.start(*services[name]["command"]) for _ in range(services[name]["deploy"]["replicas"])]
            for name in ("web", "worker")
        }
        for process in [*parts["web"], *parts["worker"]]:
            url = f"{process.address}/readyz"
            wait_for(lambda: requests.get(url, timeout=5).status_code == 200, "ready", process, seconds=40)  # noqa: B023 - used at once
        conversation = it.tenants[0].add(failed_call("q-billing"))
        wait_for(lambda: it.lines({conversation})[conversation], "the alert", parts["worker"][0], seconds=20)
        it.tenants[0].play("rejected", "+15550199888")
        for number, process in enumerate(parts["web"], 1):
            it.slack.connect(f"{process.address}/slack/events")
            it.slack.command("+15550199888")
            wait_for(lambda: len(it.slack.messages("voicebot-ops")) >= number or None, "an answer", process)  # noqa: B023 - as above
        ended = [process.stop() for process in [*parts["web"], *parts["worker"]]]
        assert all(code == 0 and took < 10 for code, took in ended), ended


def test_worker_needs_postgresql_and_says_so(tmp_path: Path) -> None:
    """On SQLite: a sentence that names the setting; and a database out of reach is tried again, then exit 1."""
    settings = {"CXONE_TENANT_ID": "demo", "CXONE_CLIENT_ID": "c", "CXONE_CLIENT_SECRET": "s"}
    settings |= {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "x", "PATH": os.environ["PATH"], "PORT": "0"}
    for command in (("worker",), ("run", "--no-worker")):
        told = bot(*command, cwd=tmp_path, env=settings | {"PYTHONPATH": str(REPOSITORY)})
        assert told.returncode == 2
        assert "DATABASE_URL=postgresql+psycopg://" in told.stderr
