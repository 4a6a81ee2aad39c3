"""Cognigy's log and sessions: what each line means, what counts once, and what the client says of a wrong setting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.cxone import cognigy, cognigy_client, contacts_calls
from bot.cxone.cognigy_client import Cognigy
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline
from bot.demo.tenant import Tenant
from bot.diagnosis.case import MISSING_CONTACT_ID, UNSUPPORTED
from bot.diagnosis.handover import EventKind
from tests.clock import HandClock
from tests.cxone.contacts_desk import platform_of

T, R, A = EventKind.TRANSFER, EventKind.REJECTED, EventKind.ACCEPTED


def line(message: str, at: float = 0.0, kind: str = "info", **meta: Any) -> dict[str, Any]:
    """A log entry so many seconds after 14:00."""
    minute, second = divmod(at, 60)
    return {
        "timestamp": f"2026-03-02T14:{int(minute):02d}:{second:06.3f}Z",
        "type": kind,
        "message": message,
        "meta": meta,
    }


def kinds(*logs: dict[str, Any], items: tuple[dict[str, Any], ...] = ()) -> list[tuple[EventKind, str]]:
    """What the lines are read as, with the codes."""
    document = {"sessionId": "cgy-1", "logs": list(logs), "conversation": {"items": list(items)}}
    return [(event.kind, event.code) for event in cognigy.parse(document).events]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("CXone -> getToken: Error getting bearer token: 401", "401"),
        ("CXone -> sendSignalHandover: Error sending signal: 400: Bad Request", "400"),
        ("CXone -> getCxoneConfigUrl: error 404", "404"),
        ("handoverToCXone: Spawned Contact ID is required", MISSING_CONTACT_ID),
        ("Voice input data not available", MISSING_CONTACT_ID),
        ("Failed to parse X-CXone-Extended header", MISSING_CONTACT_ID),
        ("Error signaling CXone with 'Escalate'", ""),
    ],
)
def test_a_failing_node_asked_and_was_refused(message: str, code: str) -> None:
    """The request and its refusal are two events of the same moment."""
    assert kinds(line(message, kind="error")) == [(T, ""), (R, code)]


@pytest.mark.parametrize(
    "message",
    [
        "handoverToCXone: sent signal 'Escalate' to contact 331000000001",
        "Signaled CXone with: 'Escalate'",
        "sent signal",
    ],
)
def test_a_signal_that_was_sent_is_a_request(message: str) -> None:
    """By each version of the node."""
    assert kinds(line(message)) == [(T, "")]


def test_the_end_signal_is_no_request() -> None:
    """The bot ended the call on purpose."""
    assert kinds(line("Signaled CXone with: 'End'")) == [(EventKind.OTHER, "")]


def test_lines_of_one_run_count_once() -> None:
    """The token failed, then the node says so again, then its result does."""
    first = line("CXone -> getToken: Error getting bearer token: 401", 1)
    second = line("Error signaling CXone with 'Escalate'", 1.1)
    third = line("done", 1.2, CXoneHandover={"success": False, "action": "Escalate", "error": "401"})
    assert kinds(first, second, third) == [(T, ""), (R, "401")]


def test_the_same_line_twice_is_two_requests() -> None:
    """A retry, or two branches of the flow."""
    assert kinds(line("sent signal", 1), line("sent signal", 1.2)) == [(T, ""), (T, "")]


def test_the_nodes_result_is_read_where_no_line_tells() -> None:
    """Newer versions set `CXoneHandover` alone; a validation that failed sent nothing."""
    good = line("x", CXoneHandover={"success": True, "action": "Escalate", "contactId": 331000000001})
    assert kinds(good) == [(T, "")]
    bad = line("x", CXoneHandover={"success": False, "stage": "validation", "error": "no id"})
    assert kinds(bad) == [(T, ""), (R, MISSING_CONTACT_ID)]


@pytest.mark.parametrize(
    ("name", "payload", "read"),
    [
        ("TRANSFER_DIAL_ERROR", {"sip_status": 488, "sip_reason": "Not Acceptable Here"}, [(T, ""), (R, "SIP 488")]),
        ("TRANSFER_REFER_ERROR", {"sip_status": 200, "refer_status": 500}, [(T, ""), (R, "SIP 500")]),
        ("NO_ANSWER", {"dial_sip_status": 487}, [(T, ""), (R, "SIP 487")]),
        ("TRANSFER_REFER_SUCCESS", {"refer_status": 202, "final_referred_call_status": 200}, [(T, ""), (A, "200")]),
        ("TRANSFER_REFER_SUCCESS", {"refer_status": 202}, [(T, ""), (EventKind.STATE, "")]),
        ("TRANSFER_REFER_SUCCESS", {"refer_status": 202, "final_referred_call_status": 486}, [(T, ""), (R, "SIP 486")]),
        ("CALL_COMPLETED", {"call_termination_by": "caller"}, [(EventKind.DISCONNECTED, "")]),
    ],
)
def test_voice_events(name: str, payload: dict[str, Any], read: list[tuple[EventKind, str]]) -> None:
    """On a REFER the verdict is `refer_status`; 202 alone tells nothing of the end."""
    item = {"timestamp": "2026-03-02T14:00:00Z", "inputData": {"event": name, "payload": payload}}
    assert kinds(items=(item,)) == read


def test_a_channel_without_handover() -> None:
    """`handover.error.reason` is `unsupported`."""
    handover = {"status": "error", "error": {"reason": "unsupported", "message": "no"}}
    assert kinds(line("x", handover=handover)) == [(T, ""), (R, UNSUPPORTED)]


def test_a_session_in_handover_asked() -> None:
    """Where the log is silent the session's own flag tells."""
    assert kinds(items=({"timestamp": "2026-03-02T14:00:00Z", "inHandoverRequest": True},)) == [(T, "")]


def test_an_empty_log_shows_nothing() -> None:
    """Then nobody can tell whether the bot asked."""
    assert not cognigy.parse({"logs": []}).asks_visible
    assert cognigy.parse({"logs": [line("Voice call started")]}).asks_visible


@pytest.mark.parametrize(
    "broken", [None, 7, "x", [], {"logs": "x"}, {"logs": [None, 7, {"message": 3}]}, {"conversation": []}]
)
def test_nothing_is_too_broken(broken: object) -> None:
    """Any field missing or of another type is used as far as it goes."""
    cognigy.parse(broken)


def test_entries_of_other_calls_are_left_out() -> None:
    """Filters of the log are not reliable: an entry must name the session or a contact of the call."""
    ids = frozenset({"331000000001"})
    assert cognigy.about(line("x", sessionId="cgy-1"), "cgy-1", ids)
    assert cognigy.about(line("sent to contact 331000000001"), "", ids)
    assert not cognigy.about(line("sent to contact 3310000000012"), "", ids)
    assert not cognigy.about(line("x", sessionId="cgy-2"), "cgy-1", ids)
    assert not cognigy.about(line("x"), "", frozenset({""}))


@pytest.mark.parametrize(
    ("key", "project", "says"),
    [("wrong", "demo-project", "COGNIGY_API_KEY"), ("demo-cognigy", "nowhere", "COGNIGY_PROJECT_ID")],
)
def test_a_wrong_setting_names_itself(key: str, project: str, says: str, server: Tenant, clock: HandClock) -> None:
    """With the call, and never with the key."""
    client = Cognigy(server.url, key, project, clock)
    try:
        with pytest.raises(CXoneError, match=says) as failure:
            client.check(Deadline(clock, 20))
        assert "wrong" not in str(failure.value)
    finally:
        client.close()


def test_the_log_is_read_to_its_end(server: Tenant, clock: HandClock) -> None:
    """25 entries a page, newest first; a session without a name is found by the contact."""
    contact = int(server.contacts.play("ignored"))
    for seed in range(40):
        server.contacts.play("unanswered", "+15550100001", seed=seed)
    client = Cognigy(server.url, "demo-cognigy", "demo-project", clock)
    try:
        found = client.of_call("", frozenset({str(contact), str(contact + 1)}), None, Deadline(clock, 60))
        assert found["sessionId"].startswith("cgy-")
        assert any("sent signal" in entry["message"] for entry in found["logs"])
    finally:
        client.close()


def test_a_log_that_is_too_long_is_said_to_be(
    server: Tenant, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rest of it may tell is not known: neither a person nor the watcher takes it for the bot's silence."""
    monkeypatch.setattr(cognigy_client, "_PAGES", 1)
    monkeypatch.setattr(cognigy_client, "_MOST_PAGES", 1)
    contact = server.contacts.play("ignored", at=clock.now() - timedelta(minutes=5))
    for seed in range(40):
        server.contacts.play("unanswered", "+15550100001", seed=seed, at=clock.now() - timedelta(minutes=2))
    platform = platform_of(server, clock)
    platform.list(None, None, Deadline(clock, 60), priority="watcher")
    call = platform.details(contact, Deadline(clock, 60), priority="watcher")
    assert platform.cognigy is not None
    told = platform.cognigy.of_call("", frozenset({contact}), None, Deadline(clock, 60))
    assert told["cut"]
    assert not cognigy.parse({**told, "logs": [line("noise")]}).asks_visible
    assert any("longer than what is read" in each for each in call.not_read)
    platform.close()


def test_a_list_of_contacts_that_is_too_long_is_said_to_be(
    server: Tenant, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of the contacts: such a list is not whole, and a watcher asks for the rest again."""
    monkeypatch.setattr(contacts_calls, "_MOST_PAGES", 1)
    monkeypatch.setattr(contacts_calls, "TOP", 2)
    for seed in range(6):
        server.contacts.play("unanswered", "+15550100001", seed=seed, at=clock.now() - timedelta(minutes=2))
    platform = platform_of(server, clock)
    for priority in ("person", "watcher"):
        assert "more pages" in platform.list(None, None, Deadline(clock, 60), priority=priority).missing, priority
    monkeypatch.setattr(contacts_calls, "_MOST_PAGES", 200)
    again = platform.list(None, None, Deadline(clock, 60), priority="watcher")
    assert (len(again.rows), again.missing) == (6, "")
    platform.close()
