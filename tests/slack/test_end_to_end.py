"""From the typed command to the message: a CXone tenant on one side, Slack on the other, both over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.cxone.http import Session
from bot.cxone.investigate import Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.demo.limits import blocks_faults, view_faults
from bot.demo.tenant import Tenant
from bot.slack import app as slack_app
from bot.slack import blocks
from bot.socket_mode import SocketMode
from tests.slack.conftest import Build, House, alone, until

NUMBER = "+15550199888"


def investigator(url: str) -> Investigator:
    """The real one, with a short deadline."""
    clock = SystemClock()
    session = Session(url, client_credentials("demo-client", "demo-secret"), clock)
    return Investigator(Conversations(session, clock, "demo"), clock, deadline_seconds=2.0, look_again=())


@pytest.fixture
def lookups(tenant: Tenant) -> Iterator[Investigator]:
    """The real investigator before the simulated tenant."""
    made = investigator(tenant.url)
    yield made
    made.close()


@pytest.fixture
def real(build: Build, lookups: Investigator) -> House:
    """A house with the real lookups."""
    return build(lookups=lookups, deadline_seconds=2.0)


def test_a_rejected_transfer_is_posted_with_the_targets_state(real: House, tenant: Tenant) -> None:
    """The main job."""
    tenant.play("rejected", NUMBER, at=SystemClock().now() - timedelta(minutes=20))
    real.slack.command(f"({NUMBER[2:5]}) {NUMBER[5:8]}-{NUMBER[8:]}")
    (posted,) = real.posted()
    assert "rejected" in posted["text"]
    assert "NO_AGENTS_AVAILABLE" in posted["text"]
    assert "Billing, now" in posted["text"]
    assert "•••• 9888" in posted["text"]
    assert "0199888" not in json.dumps(posted)
    assert "sessionTransferRejected" not in posted["text"].splitlines()[0]


def test_raw_events_of_a_real_call_show_no_caller(real: House, tenant: Tenant) -> None:
    """The document comes from the tenant as it is; the window redacts it."""
    tenant.play("rejected", NUMBER, at=SystemClock().now() - timedelta(minutes=20))
    real.slack.command(NUMBER)
    real.slack.press(real.posted()[0], "raw_events")
    assert until(lambda: "sessionTransferRejected" in json.dumps(real.slack.views))
    assert "0199888" not in json.dumps(real.slack.views)
    assert view_faults({key: real.slack.views[0][key] for key in ("type", "title", "close", "blocks")}) == []


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        ("/api/v2/conversations", {"kind": "status", "status": 503}, "503"),
        ("/api/v2/conversations", {"kind": "status", "status": 403}, "conversations:read"),
        ("/oauth2/token", {"kind": "status", "status": 401}, "401"),
        ("/api/v2/conversations", {"kind": "status", "status": 429, "retry_after": 60}, "429"),
        ("/api/v2/conversations", {"kind": "hang"}, "GET /api/v2/conversations"),
        ("/api/v2/conversations", {"kind": "html"}, "GET /api/v2/conversations"),
        ("/api/v2/conversations", {"kind": "cut_json"}, "GET /api/v2/conversations"),
        ("/api/v2/conversations", {"kind": "reset"}, "GET /api/v2/conversations"),
    ],
)
def test_whatever_cxone_does_the_asker_reads_a_sentence(
    real: House, tenant: Tenant, path: str, fault: dict[str, Any], words: str
) -> None:
    """With the call, within the deadline, and nothing in the channel."""
    tenant.faults.add(path, **fault)
    real.slack.command(NUMBER)
    (seen,) = real.whispered("CXone could not be asked")
    assert words in seen["text"]
    assert "Traceback" not in seen["text"]
    assert "demo-secret" not in seen["text"]
    assert real.slack.messages("voicebot-ops") == []


def test_cxone_that_is_not_there_is_said(build: Build) -> None:
    """No connection at all."""
    with Tenant() as gone:
        url = gone.url
    lookups = investigator(url)
    house = build(lookups=lookups, deadline_seconds=2.0)
    house.slack.command(NUMBER)
    assert house.whispered("CXone could not be asked")
    lookups.close()


def test_none_found_says_what_was_searched(real: House, tenant: Tenant) -> None:
    """Tenant, window, calls; to the asker alone."""
    tenant.play("rejected", "+15550100001", at=SystemClock().now() - timedelta(minutes=20))
    real.slack.command(NUMBER)
    (seen,) = real.whispered("No conversation")
    assert "tenant demo" in seen["text"]
    assert "1 call" in seen["text"]


def test_hostile_documents_make_harmless_messages(real: House, tenant: Tenant) -> None:
    """Each oddity of the tenant, seen through Slack's eyes."""
    names = ("hostile", "huge", "broken")
    from bot.demo.tenant import SCENARIOS  # noqa: PLC0415 - only names are needed

    chosen = [name for name in SCENARIOS if any(part in name for part in names)] or list(SCENARIOS)[:3]
    ids = [tenant.play(name, NUMBER, at=SystemClock().now() - timedelta(minutes=30)) for name in chosen]
    for count, conversation in enumerate(ids, 1):
        real.slack.command(f"id {conversation}")
        posted = real.posted(count=count)[-1]
        assert posted["blocks"]
        assert "<!" not in posted["text"]
        assert blocks_faults([{k: v for k, v in block.items() if k != "block_id"} for block in posted["blocks"]]) == []
        assert blocks.weight(posted["blocks"]) < blocks.LONGEST_BLOCKS


def test_over_socket_mode_it_is_the_same(build: Build, lookups: Investigator, tenant: Tenant) -> None:
    """No address, no signing secret: the bot calls Slack."""
    tenant.play("rejected", NUMBER, at=SystemClock().now() - timedelta(minutes=20))
    house = build(lookups=lookups)
    house.slack.connect("")
    socket = SocketMode(slack_app.build_app(alone(house.services)), "xapp-demo")
    socket.start()
    try:
        assert until(house.slack.socket_mode.connected)
        ack = house.slack.command(NUMBER)
        assert ack.body["text"] == "Looking up …9888"
        (posted,) = house.posted()
        house.slack.press(posted, "run_again")
        assert len(house.posted(count=2)) == 2
    finally:
        socket.stop()


def test_without_a_signing_secret_http_is_refused(build: Build) -> None:
    """In Socket Mode nobody can guess the secret, for there is none to guess."""
    house = build()
    app = slack_app.build_app(alone(house.services))
    other = slack_app.build_app(alone(house.services))
    assert app._signing_secret != other._signing_secret
    assert len(app._signing_secret) == 64
