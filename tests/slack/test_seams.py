"""The small parts of the Slack room: the pool, what acts once, what is known of people, spans, and lost answers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.demo.workspace import Workspace
from bot.slack import access, app, replies, serving, spans
from bot.slack.blocks import Message
from bot.slack.office import Asker, Once, Pool, Use
from bot.slack.replies import Posted, Poster
from tests.clock import HandClock
from tests.slack.conftest import Build, House


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (1.2, "1.2 s"),
        (48, "48 s"),
        (60, "1 min"),
        (89, "1 min 29 s"),
        (7500, "2 h 5 min"),
        (86_400 * 3 + 3600 * 4, "3 d 4 h"),
    ],
)
def test_spans_are_said_in_words(seconds: float, words: str) -> None:
    """Two units at most."""
    assert spans.said(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("text", "hours"), [("2h", 2), ("1d 12h", 36), ("90 minutes", 1.5), ("0h", None), ("h", None), ("2h x", None)]
)
def test_spans_are_read_as_people_type_them(text: str, hours: float | None) -> None:
    """Nothing is no span."""
    assert spans.duration(text) == (timedelta(hours=hours) if hours else None)


def test_a_pool_that_is_closed_gives_its_place_back() -> None:
    """And says so."""
    pool = Pool(1, 0)
    assert pool.reserve()
    assert not pool.reserve()
    pool.close()
    with pytest.raises(RuntimeError):
        pool.run(lambda: None)
    assert pool.reserve()


def test_a_key_acts_once_for_a_while(clock: HandClock) -> None:
    """And what is long over is forgotten."""
    once = Once(clock, most=2)
    assert once.first("a", 3)
    assert not once.first("a", 3)
    clock.advance(4)
    assert once.first("a", 3)
    assert once.first("b", 3)
    clock.advance(4)
    assert once.first("c", 3)
    assert len(once._until) == 1


def test_what_slack_says_is_kept_for_some_minutes_and_not_for_ever(workspace: Workspace, clock: HandClock) -> None:
    """Two checks ask once; after five minutes again; and the memory has an end."""
    rules = access.Access(app.web_client("xoxb-demo", workspace.api_url), clock)
    for _ in range(2):
        rules.check("U0SAM", "C0VOICEBOT", "voicebot-ops")
    assert [call.method for call in workspace.calls] == ["conversations.info", "users.info", "auth.test"]
    clock.advance(301)
    rules._kept |= {f"user {n}": (0.0, {}) for n in range(5000)}
    rules.check("U0SAM", "C0VOICEBOT", "voicebot-ops")
    assert len(workspace.calls) == 6
    assert len(rules._kept) < 10


def test_of_many_who_ask_at_once_one_asks_slack(workspace: Workspace, clock: HandClock) -> None:
    """Fifty commands in the same second cost three calls."""
    rules = access.Access(app.web_client("xoxb-demo", workspace.api_url), clock)
    with ThreadPoolExecutor(16) as people:
        list(people.map(lambda _: rules.check("U0SAM", "C0VOICEBOT", "voicebot-ops"), range(50)))
    assert sorted(call.method for call in workspace.calls) == ["auth.test", "conversations.info", "users.info"]


@pytest.mark.parametrize("fault", ["429:2", "refuse", "drop"])
def test_a_question_that_broke_off_or_came_too_fast_is_put_once_more(
    workspace: Workspace, clock: HandClock, fault: str
) -> None:
    """The person waits some seconds instead of being refused."""
    workspace.faults.script("users.info", [fault])
    rules = access.Access(app.web_client("xoxb-demo", workspace.api_url), clock)
    before = clock.monotonic()
    rules.check("U0SAM", "C0VOICEBOT", "voicebot-ops")
    assert clock.monotonic() - before == pytest.approx(2 if fault.startswith("429") else 0.2)


def test_nobody_waits_a_minute_for_a_check(workspace: Workspace, clock: HandClock) -> None:
    """Where Slack asks for more than some seconds, and where it breaks off twice, the asker is told."""
    for faults in (["429:60"], ["refuse", "refuse"]):
        workspace.faults.script("users.info", faults)
        rules = access.Access(app.web_client("xoxb-demo", workspace.api_url), clock)
        with pytest.raises(access.Refused, match="did not say"):
            rules.check("U0SAM", "C0VOICEBOT", "voicebot-ops")
    assert clock.monotonic() < 1002


def test_workspaces_of_one_enterprise_are_one_organisation(workspace: Workspace, clock: HandClock) -> None:
    """A colleague of another workspace is no stranger."""
    rules = access.Access(app.web_client("xoxb-demo", workspace.api_url), clock)
    rules._kept["own team"] = (9e9, {"team_id": "T1", "enterprise_id": "E1"})
    assert not rules._from_elsewhere({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}})
    assert rules._from_elsewhere({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}})
    assert rules._from_elsewhere({"team_id": "T2"})


def test_a_scope_that_is_missing_refuses_and_names_it(clock: HandClock) -> None:
    """What cannot be checked is refused."""
    with Workspace(scopes=["chat:write"]) as slack:
        rules = access.Access(app.web_client("xoxb-demo", slack.api_url), clock)
        with pytest.raises(access.Refused) as refused:
            rules.check("U0SAM", "C0VOICEBOT", "voicebot-ops")
        assert "missing_scope" in refused.value.sentence


@pytest.mark.parametrize(
    ("user", "hours"),
    [({"tz": "Europe/Amsterdam"}, None), ({"tz": "no/where", "tz_offset": 3600}, 1), ({"tz_offset": "x"}, 0), ({}, 0)],
)
def test_a_zone_is_found_or_utc(user: dict[str, Any], hours: int | None) -> None:
    """By name, else by offset."""
    zone = access._zone(user)
    if hours is not None:
        assert zone.utcoffset(HandClock().now()) == timedelta(hours=hours)


def test_a_turn_that_does_not_come_is_given_up(
    workspace: Workspace, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is then given in private."""
    monkeypatch.setattr(replies, "LONGEST_WAIT", 0.05)
    poster = Poster(app.web_client("xoxb-demo", workspace.api_url), clock)
    with poster._turns["C0VOICEBOT"]:
        assert poster.post("C0VOICEBOT", Message("x")) is Posted.NO


def test_a_wait_that_is_too_long_is_not_waited(workspace: Workspace, clock: HandClock) -> None:
    """A person does not wait a minute; a second is waited."""
    poster = Poster(app.web_client("xoxb-demo", workspace.api_url), clock)
    workspace.faults.script("chat.postMessage", ["429:60"])
    assert poster.post("C0VOICEBOT", Message("x")) is Posted.NO
    workspace.faults.script("chat.postMessage", ["429:2"])
    assert poster.post("C0VOICEBOT", Message("x")) is Posted.YES
    assert clock.slept == [2.0]


def test_a_connection_refused_posted_nothing(clock: HandClock) -> None:
    """It may be said at once in another way."""
    with Workspace() as gone:
        url = gone.api_url
    assert Poster(app.web_client("xoxb-demo", url), clock).post("C0VOICEBOT", Message("x")) is Posted.NO
    assert not replies.whisper(f"{url}x", Message("x"))


def test_an_answer_that_reaches_nobody_is_logged(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """There is nothing else to do."""
    workspace.faults.script("chat.postEphemeral", ["500"])
    workspace.faults.script("chat.postMessage", ["500"])
    client = app.web_client("xoxb-demo", workspace.api_url)
    assert not replies.tell(client, "", "C0VOICEBOT", "U0SAM", Message("x"))
    assert "reached nobody" in caplog.text


def test_a_response_url_that_refuses_blocks_gets_text(house: House) -> None:
    """As a channel does."""
    house.slack.faults.script("response_url", ["500", "ok"])
    house.slack.command("queue q-1")
    (seen,) = house.whispered("Billing, now")
    assert "blocks" not in seen


@pytest.mark.parametrize(
    ("answer", "posted"),
    [
        ("not json", Posted.UNSURE),
        ({"status": 503, "body": ""}, Posted.UNSURE),
        ({"error": "no_permission"}, Posted.NO),
    ],
)
def test_answers_of_any_kind_are_understood(answer: Any, posted: Posted) -> None:
    """The client gives a dict, a string or its own record."""
    fault = SlackApiError("x", answer)  # type: ignore[no-untyped-call]
    assert replies._failure(fault).posted is posted


def test_a_retry_after_that_is_no_number_is_a_second() -> None:
    """Dates are not Slack's, but proxies'."""
    assert replies._seconds("soon") == 1.0
    assert replies._seconds("-1") == 0.0


def test_an_audit_that_fails_takes_nothing_from_the_answer(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next use tries again."""
    house = build()

    def fails(use: Use) -> None:
        raise RuntimeError(use.action)

    object.__setattr__(house.office, "audit", fails)
    house.slack.command("+15550199888")
    assert house.posted()
    assert "Why did" in house.slack.command("help").body["text"]
    house.office.pool.close()
    assert "the audit of diagnose was not written" in caplog.text
    assert "the audit of help was not written" in caplog.text


def test_when_even_the_last_words_fail_the_log_has_both(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing raises out of the pool."""

    def broken(_: object) -> str:
        raise RuntimeError("broken")

    asker = Asker("U0SAM", "C0VOICEBOT", "voicebot-ops", "")
    serving.serve(house.office, asker, name="x", subject="", work=broken, say=broken)
    assert "an answer reached nobody" in caplog.text
    assert house.uses[0].result.startswith("failed")


def test_what_nothing_listens_for_is_acked(house: House) -> None:
    """Slack would repeat it for an hour."""
    assert house.slack.command("x", command="/other").status == 200
    assert house.slack.event({"type": "reaction_added", "user": "U0SAM"}).status == 200


def test_the_pool_does_not_hold_up_acks(build: Build) -> None:
    """Places are given back when the work is done."""
    house = build(workers=1, waiting=0)
    gate = threading.Event()
    house.desk.gate = gate
    house.slack.command("+15550199888")
    assert "busy" in house.slack.command("+15550199888").body["text"]
    assert "Why did" in house.slack.command("help").body["text"]
    gate.set()
    house.posted()
    house.used(3)
    assert "Looking up" in house.slack.command("+15550199888").body["text"]


def test_utc_is_the_zone_of_nobody() -> None:
    """An asker has one only after the check."""
    assert Asker("U", "C", "c", "").zone is UTC
