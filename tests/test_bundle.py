"""A bundle holds all that was read, redacted, and gives the same diagnosis again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot import bundle, report_json, saved, terminal
from bot.cli import main
from bot.clock import SystemClock
from bot.cxone.http import Session
from bot.cxone.investigate import ById, Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.tenant import SCENARIOS, Tenant
from bot.diagnosis.handover import Report, Timing
from tests.clock import HandClock
from tests.cxone.contacts_desk import desk_of

HUGE = {"many_events", "wrong_types", "nulls"}


@pytest.fixture
def server(clock: HandClock) -> Iterator[Tenant]:
    """A tenant whose time is the test's."""
    with Tenant(clock=clock) as running:
        yield running


def gist(report: Report) -> tuple[Any, ...]:
    """What must not change on the way through a file."""
    found = report.diagnosis
    rows = [(row.code, row.status, row.message) for row in found.findings]
    return found.outcome, found.fault, found.reached, found.confidence, found.headline, found.summary, found.phone, rows


def through_json(report: Report, profile: str, clock: HandClock) -> tuple[str, Report]:
    """The bundle's text, and what it is read back as, ten minutes later."""
    made = bundle.of(report, profile=profile, now=clock.now(), diagnosis=report_json.as_json(report))
    text = json.dumps(made)
    clock.advance(minutes=10)
    return text, bundle.read_back(json.loads(text), timing=Timing(), now=clock.now())


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_contacts_come_back_the_same(name: str, server: Tenant, clock: HandClock) -> None:
    """For each kind of failure, with no number of a caller in the file."""
    contact = server.contacts.play(name)
    desk = desk_of(server, clock)
    try:
        report = desk.look_up(ById(contact))
    finally:
        desk.close()
    text, again = through_json(report, "contacts", clock)
    assert gist(again) == gist(report)
    assert "5550199888" not in text


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - HUGE))
def test_conversations_come_back_the_same(name: str, server: Tenant, clock: HandClock) -> None:
    """The same for the other profile, hostile documents included."""
    call = server.play(name)
    session = Session(server.url, client_credentials("demo-client", "demo-secret"), clock)
    desk = Investigator(Conversations(session, clock, "demo"), clock)
    try:
        report = desk.look_up(ById(call))
    finally:
        desk.close()
    text, again = through_json(report, "conversations", clock)
    assert gist(again)[:4] == gist(report)[:4]
    if name != "hostile":  # of a text of 50,000 marks the bundle keeps the beginning
        assert gist(again) == gist(report)
    assert "5550199888" not in text
    assert "5550104477" not in text


@pytest.mark.parametrize("broken", [{}, {"document": 7}, {"document": {}, "targets": {"a": 7, "b": {"status": "x"}}}])
def test_a_broken_bundle_is_read_as_far_as_it_goes(broken: dict[str, Any], clock: HandClock) -> None:
    """Unknown, never an error."""
    found = bundle.read_back({"kind": bundle.MARK, **broken}, timing=Timing(), now=clock.now())
    assert found.diagnosis.outcome in {"unknown", "not_attempted"}


def test_the_command_writes_and_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--save`, then `--file`: the same outcome, and a file for its owner alone."""
    monkeypatch.chdir(tmp_path)
    with Tenant() as running:
        contact = running.contacts.play("bad_number")
        usual = {"CXONE_TENANT_ID": "demo", "CXONE_CLIENT_ID": "demo-client", "CXONE_CLIENT_SECRET": "demo-secret"}
        for name, value in {**usual, **running.contacts.settings()}.items():
            monkeypatch.setenv(name, value)
        first = CliRunner().invoke(main, ["diagnose", "--id", contact, "--save", "b.json", "--json"])
    second = CliRunner().invoke(main, ["diagnose", "--file", "b.json", "--json"])
    assert (first.exit_code, second.exit_code) == (0, 0), (first.exception, first.output, second.output)
    one, other = json.loads(first.stdout), json.loads(second.stdout)
    assert {key: one[key] for key in ("outcome", "summary", "findings")} == {
        key: other[key] for key in ("outcome", "summary", "findings")
    }
    assert (tmp_path / "b.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("read", "year"), [({}, None), ({"readAt": "2025-11-20T14:05:00Z"}, 2025)])
def test_a_target_saved_by_hand_was_not_read_just_now(tmp_path: Path, read: dict[str, str], year: int | None) -> None:
    """Its state is as old as the file says, and of an unknown time where it says nothing."""
    path = tmp_path / "by-hand.json"
    asked = {"type": "sessionTransfer", "fromParticipantId": "p", "toParticipantId": "u-ana"}
    ana = {"kind": "user", "id": "u-ana", "name": "Ana", "state": {"stateName": "Break"}, **read}
    path.write_text(json.dumps({"conversation": {"id": "c", "events": [asked]}, "targets": [ana, 7, {"kind": "x"}]}))
    report = saved.report(str(path), timing=Timing(), clock=SystemClock())
    target = report.diagnosis.target
    assert target is not None
    assert (target.read_at and target.read_at.year) == year
    out = io.StringIO()
    terminal.draw(report, Console(file=out, width=150))
    assert ("Ana, now" if year else "Ana, as saved") in out.getvalue()


def test_a_saved_answer_of_the_contacts_api_is_read(tmp_path: Path) -> None:
    """As somebody may have saved it by hand: the contact with its history."""
    state = {"contactStateId": 3, "contactStateName": "In Queue", "startDate": "2026-03-02T14:00:00Z", "skillId": 4711}
    contact = {"contactId": 7, "fromAddress": "+15550199888", "totalDurationSeconds": 90, "abandoned": True}
    contact["contactStartDate"] = "2026-03-02T13:59:00Z"
    path = tmp_path / "contact.json"
    path.write_text(json.dumps({"contact": contact, "contactStateHistory": [state]}))
    found = saved.report(str(path), timing=Timing(), clock=SystemClock()).diagnosis
    assert (found.outcome, found.phone) == ("unanswered", "•••• 9888")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, clock: HandClock) -> None:
    """A sentence, not a traceback."""
    path = tmp_path / "contact.json"
    path.write_text(json.dumps({"contact": {"contactId": 7}}))
    report = saved.report(str(path), timing=Timing(), clock=clock)
    with pytest.raises(saved.NotWritableError, match="cannot be written"):
        saved.save(str(tmp_path / "no" / "b.json"), report, {}, profile="contacts", clock=clock)


def test_a_callers_name_in_a_reason_does_not_leave_the_house() -> None:
    """The leg's own name is not in the file either, so nothing could mask it later."""
    people = [{"id": "p1", "purpose": "customer", "name": "John Caller"}]
    events = [{"type": "sessionTransferRejected", "reason": "no route for John Caller"}]
    shown = bundle.redacted({"id": "c1", "participants": people, "events": events})
    assert "John" not in json.dumps(shown)
    assert shown["events"][0]["reason"] == "no route for the caller"
