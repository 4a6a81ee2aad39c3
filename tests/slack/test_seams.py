"""The small parts of the Slack room: the pool, what acts once, what is known of people, spans, and lost answers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from typing import Any

import pytest

from bot.cxone.deadline import Deadline
from bot.cxone.errors import late
from bot.cxone.investigate import Query
from bot.demo.workspace import Workspace
from bot.diagnosis.handover import Report
from bot.slack import access, app, messages_answers, replies, services, serving, spans
from bot.slack.blocks import Message
from bot.slack.replies import Posted, Poster
from bot.slack.services import Asker, Pool, Seen, Use
from tests.clock import HandClock
from tests.slack.conftest import Build, FixedLookups, House, until


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


def test_a_pool_that_is_closed_still_does_what_it_is_given() -> None:
    """At once, for nobody else would; and the place is free again."""
    pool, done = Pool(1, 0), threading.Event()
    assert pool.reserve()
    assert not pool.reserve()
    pool.close()
    pool.run(done.set)
    assert done.is_set()
    assert pool.reserve()


class Hanging(FixedLookups):
    """A platform that does not answer until the deadline of the look-up has passed."""

    def look_up(self, query: Query, *, deadline: Deadline | None = None) -> Report:
        """Never a report."""
        self.asked.append(query)
        assert deadline is not None
        until(deadline.passed, 20)
        raise late("GET", "/api/v2/conversations", "cxone", deadline.seconds)


def test_everybody_is_answered_when_the_bot_stops(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits at once, what hangs when its time is cut, also what comes too late to be cut; each is audited."""
    monkeypatch.setattr(services, "_SECONDS_TO_CUT", 1.0)
    house = build(pool=Pool(2, 8), lookups=Hanging())
    for _ in range(6):
        house.slack.command("+15550199888")
    until(lambda: len(house.lookups.asked) == 2)
    closing = threading.Thread(target=house.services.pool.close)
    closing.start()
    assert len(house.used(4)) == 4, "those that waited"
    closing.join(6)
    assert not closing.is_alive()
    assert house.services.deadline().passed()
    house.slack.command("+15550199888")
    assert [use.result for use in house.used(7)] == ["restarted"] * 7
    assert len(house.whispered("I am being restarted")) == 7


def test_an_answer_that_is_found_while_the_bot_stops_does_not_wait_for_its_turn(build: Build) -> None:
    """The asker gets it in private."""
    house = build(lookups=FixedLookups(gate=threading.Event()))
    house.slack.command("+15550199888")
    until(lambda: house.lookups.asked)
    house.services.pool.closing.set()
    with house.services.poster._turns["C0VOICEBOT"]:
        assert house.lookups.gate is not None
        house.lookups.gate.set()
        assert house.whispered("Billing refused")


def test_a_private_answer_comes_after_the_ack(build: Build, clock: HandClock) -> None:
    """What is known at once waits the moment that the ack takes to be out."""
    house = build(clock=clock)
    asker = Asker("U0SAM", "C0VOICEBOT", "voicebot-ops", "", acked_at=clock.monotonic())
    for waits in (1, 1):
        serving.privately(house.services, asker)(messages_answers.said_plainly("no"))
        assert sum(each == pytest.approx(0.05) for each in clock.slept) == waits


def test_a_key_acts_once_for_a_while(clock: HandClock) -> None:
    """And what is long over is forgotten."""
    once = Seen(clock)
    assert once.first("a", 3)
    assert not once.first("a", 3)
    clock.advance(4)
    assert once.first("a", 3)
    assert once.first("b", 90)
    clock.advance(60)
    assert once.first("c", 3)
    assert not once.first("b", 90)
    assert len(once._until) == 2


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


class Outage(HandClock):
    """A clock by which Slack is down for so many seconds; what sleeps meets a Slack that is back."""

    def __init__(self, slack: Workspace, seconds: float) -> None:
        super().__init__()
        self.slack, self.back, self.over = slack, self.monotonic() + seconds, False
        slack.down()

    def sleep(self, seconds: float) -> None:
        """Pass that time, and with it the outage."""
        super().sleep(seconds)
        if not self.over and self.monotonic() >= self.back:
            self.over = True
            self.slack.down(is_down=False)


@pytest.mark.parametrize("seconds", [1, 10, 50])
def test_an_outage_of_some_seconds_only_delays_a_post(workspace: Workspace, seconds: float) -> None:
    """Nothing was sent, so it is sent again; once it is there, no more."""
    clock = Outage(workspace, seconds)
    assert Poster(app.web_client("xoxb-demo", workspace.api_url), clock).post("C0VOICEBOT", Message("x")) is Posted.YES
    assert len(workspace.messages("voicebot-ops")) == 1
    assert sum(clock.slept) < seconds + 8


def test_a_long_outage_is_given_up_after_a_minute(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """The channel first, the asker after, and in the end the log."""
    clock = Outage(workspace, 3600)
    client = app.web_client("xoxb-demo", workspace.api_url)
    assert Poster(client, clock).post("C0VOICEBOT", Message("x")) is Posted.NO
    assert 50 < sum(clock.slept) <= replies.PATIENCE
    url = workspace.api_url.replace("/api/", "/response/x")
    assert not replies.tell(client, clock, Message("x"), response_url=url, channel="C0VOICEBOT", user="U0SAM")
    assert 100 < sum(clock.slept) <= 2 * replies.PATIENCE
    assert "reached nobody" in caplog.text


def test_an_answer_outlives_a_slack_that_goes_away_meanwhile(build: Build) -> None:
    """The channel gets it, once, and the asker nothing else."""
    slack = Workspace(post_burst=200)
    clock = HandClock()
    house = build(slack=slack, clock=clock, lookups=FixedLookups(gate=threading.Event()))
    house.slack.command("+15550199888")
    until(lambda: house.lookups.asked)
    house.services.poster._clock = Outage(slack, 15)
    assert house.lookups.gate is not None
    house.lookups.gate.set()
    assert [message["text"].splitlines()[0] for message in house.posted()] == ["🔴  Billing refused the handover"]
    assert house.used()[0].result == "rejected"
    assert [seen["text"] for seen in house.slack.ephemerals()] == ["Looking up …9888"]


def test_a_check_waits_for_a_slack_that_comes_back(workspace: Workspace) -> None:
    """For some seconds; a person is waiting."""
    client = app.web_client("xoxb-demo", workspace.api_url)
    access.Access(client, Outage(workspace, 10)).check("U0SAM", "C0VOICEBOT", "voicebot-ops")
    with pytest.raises(access.Refused, match="did not say"):
        access.Access(client, Outage(workspace, 60)).check("U0SAM", "C0VOICEBOT", "voicebot-ops")


def test_an_asker_is_told_as_soon_as_slack_is_back(workspace: Workspace) -> None:
    """By the response_url, which is tried first."""
    workspace.command("help")  # nobody listens; it makes a response_url
    key = next(iter(workspace.team.response_urls))
    url = workspace.api_url.replace("/api/", f"/response/{key}")
    clock = Outage(workspace, 5)
    client = app.web_client("xoxb-demo", workspace.api_url)
    assert replies.tell(client, clock, Message("told"), response_url=url, channel="C0VOICEBOT", user="U0SAM")
    assert [seen["text"] for seen in workspace.ephemerals()][-1:] == ["told"]


def test_as_slack_asks_the_asker_is_told_later(workspace: Workspace, clock: HandClock) -> None:
    """A 429 of every way: the longest Retry-After is waited, once."""
    for method in ("chat.postEphemeral", "chat.postMessage"):
        workspace.faults.script(method, ["429:7"])
    client = app.web_client("xoxb-demo", workspace.api_url)
    assert replies.tell(client, clock, Message("x"), response_url="", channel="C0VOICEBOT", user="U0SAM")
    assert clock.slept == [7.0]


def test_an_answer_that_reaches_nobody_is_logged(
    workspace: Workspace, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """There is nothing else to do: what Slack may have taken is not said again."""
    workspace.faults.script("chat.postEphemeral", ["500"])
    workspace.faults.script("chat.postMessage", ["500"])
    client = app.web_client("xoxb-demo", workspace.api_url)
    assert not replies.tell(client, clock, Message("x"), response_url="", channel="C0VOICEBOT", user="U0SAM")
    assert "reached nobody" in caplog.text
    assert clock.slept == []


def test_a_response_url_that_refuses_blocks_gets_text(house: House) -> None:
    """As a channel does."""
    house.slack.faults.script("response_url", ["500", "ok"])
    house.slack.command("queue q-1")
    (seen,) = house.whispered("Billing, now")
    assert "blocks" not in seen


def test_an_audit_that_fails_takes_nothing_from_the_answer(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next use tries again."""
    house = build()

    def fails(use: Use) -> None:
        raise RuntimeError(use.action)

    object.__setattr__(house.services, "audit", fails)
    house.slack.command("+15550199888")
    assert house.posted()
    assert "Why did" in house.slack.command("help").body["text"]
    house.services.pool.close()
    assert "the audit of diagnose was not written" in caplog.text
    assert "the audit of help was not written" in caplog.text


def test_when_even_the_last_words_fail_the_log_has_both(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing raises out of the pool."""

    def broken(_: object) -> str:
        raise RuntimeError("broken")

    asker = Asker("U0SAM", "C0VOICEBOT", "voicebot-ops", "")
    serving.serve(house.services, asker, name="x", subject="", work=broken, say=broken)
    assert "an answer reached nobody" in caplog.text
    assert house.uses[0].result.startswith("failed")


def test_what_nothing_listens_for_is_acked(house: House) -> None:
    """Slack would repeat it for an hour."""
    assert house.slack.command("x", command="/other").status == 200
    assert house.slack.event({"type": "reaction_added", "user": "U0SAM"}).status == 200


def test_the_pool_does_not_hold_up_acks(build: Build) -> None:
    """Places are given back when the work is done."""
    house = build(pool=Pool(1, 0))
    gate = threading.Event()
    house.lookups.gate = gate
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
