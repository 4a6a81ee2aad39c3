"""From a number, an id or a session to a report, against the simulated tenant."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest

from bot import phone
from bot.clock import SystemClock
from bot.cxone import platform
from bot.cxone.errors import CXoneError, DeadlineError, ForbiddenError, RateLimitedError, ServerFaultError
from bot.cxone.http import Deadline
from bot.cxone.investigate import ById, ByNumber, BySession, ConversationNotFound, Investigator, Known, Progress
from bot.demo import cast
from bot.demo.tenant import Tenant
from bot.diagnosis.handover import OtherCall, Report, TargetKind, TargetStatus
from bot.diagnosis.outcomes import Code, Outcome
from tests.clock import HandClock
from tests.cxone.conftest import Build

NUMBER = phone.parse("+15550199888", "US")
LIST = "/api/v2/conversations"
DETAILS = "/api/v2/conversations/"
ANALYTICS = "/api/v2/analytics"


def ago(clock: HandClock, **span: float) -> Any:
    """A time before now."""
    return clock.now() - timedelta(**span)


def asked(server: Tenant, start: str) -> int:
    """How many requests began so."""
    return sum(1 for seen in server.requests if seen.path.startswith(start))


def at_rest(desk: Investigator) -> None:
    """Wait until nothing that was asked for is under way any more."""
    desk.platform._pools.close(wait=True)


def codes(report: Report) -> set[Code]:
    """The findings' codes."""
    return {finding.code for finding in report.diagnosis.findings}


# ---- which call ----


def test_the_newest_call_of_the_number_is_diagnosed(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """List, details, target; the others are offered with their outcome, newest first."""
    old = server.play("rejected", at=ago(clock, hours=5), seed=1)
    new = server.play("rejected", at=ago(clock, hours=1), seed=2)
    middle = server.play("accepted_queue", at=ago(clock, hours=3), seed=3)
    server.play("rejected", "+15550100001", at=ago(clock, minutes=30))
    with Deadline(clock, 20) as limit:
        report = desk.look_up(ByNumber(NUMBER), deadline=limit)
        at_rest(desk)
    assert limit.requests == len(server.requests)
    assert report.requests <= limit.requests
    assert report.diagnosis.conversation_id == new
    assert [other.conversation_id for other in report.others] == [middle, old]
    assert [other.outcome for other in report.others] == [Outcome.ACCEPTED, Outcome.REJECTED]
    assert (report.calls_today, report.unread_today) == (3, 0)
    assert report.failed_today == (ago(clock, hours=5), ago(clock, hours=1))
    assert report.document["id"] == new
    assert report.searched is not None
    assert (report.searched.calls, report.searched.pages, report.searched.complete) == (4, 1, True)
    assert all("5550199" not in form for form in report.searched.forms)


def test_a_report_counts_its_requests(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """All that were made; a target whose kind the call itself names is asked for once, so none is left under way."""
    for seed in range(3):
        server.play("accepted_queue", at=ago(clock, hours=1 + seed), seed=seed)
    report = desk.look_up(ByNumber(NUMBER))
    assert [other.outcome for other in report.others] == [Outcome.ACCEPTED] * 2
    assert report.requests == len(server.requests) == 6  # token, list, three details, target


def test_no_order_and_no_page_size_is_trusted(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Rows come shuffled, ten at a time."""
    for number in range(95):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, minutes=number), seed=number)
    wanted = server.play("rejected", at=ago(clock, hours=20))
    server.page_cap, server.shuffled = 10, False
    report = desk.look_up(ByNumber(NUMBER))
    assert report.diagnosis.conversation_id == wanted
    assert report.searched is not None
    assert (report.searched.calls, report.searched.pages) == (96, 10)
    server.page_cap, server.shuffled = 100, True
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


@pytest.mark.parametrize("tells_total", [False, True])
def test_next_uri_is_followed_where_only_that_is_given(
    desk: Investigator, server: Tenant, clock: HandClock, *, tells_total: bool
) -> None:
    """Page by page, to the end; a total beside it does not make page numbers understood."""
    for number in range(25):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, minutes=number), seed=number)
    wanted = server.play("rejected", at=ago(clock, hours=20))
    server.page_cap, server.next_uri_only, server.tells_total = 10, True, tells_total
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted
    assert sum(1 for seen in server.requests if seen.path == LIST) == 3


def test_an_empty_page_does_not_end_the_list(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """As long as it says where the list goes on; the first page may be empty too."""
    wanted = server.play("rejected", at=ago(clock, hours=1))
    people = [{"id": "p1", "purpose": "customer", "identity": NUMBER.e164}, {"id": "p2", "purpose": "bot"}]
    row = {"id": wanted, "startTime": ago(clock, hours=1).isoformat(), "participants": people}
    for page in ({"entities": [], "nextUri": f"{LIST}?cursor=2"}, {"entities": [], "nextUri": f"{LIST}?cursor=3"}):
        server.faults.add(LIST, "body", body=page, times=1)
    server.faults.add(LIST, "body", body={"entities": [row]}, times=1)
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


@pytest.mark.parametrize("address", [f"{LIST}?cursor=2", "{n}"])
def test_addresses_that_lead_nowhere_are_said(desk: Investigator, server: Tenant, address: str) -> None:
    """One that repeats, and ever new ones that bring nothing."""
    for number in range(9):
        following = f"{LIST}?cursor={number}" if address == "{n}" else address
        server.faults.add(LIST, "body", body={"entities": [{"id": "c-1"}], "nextUri": following}, times=1)
    with pytest.raises(CXoneError, match="brings nothing new and does not end"):
        desk.look_up(ByNumber(NUMBER))


def test_a_list_that_repeats_its_first_page_is_not_said_to_be_read(desk: Investigator, server: Tenant) -> None:
    """A platform that understands no page numbers, and says that there are three pages."""
    server.faults.add(LIST, "body", body={"entities": [{"id": "c-1"}], "total": 3})
    with pytest.raises(CXoneError, match="gives the same calls for each pageNumber"):
        desk.look_up(ByNumber(NUMBER))


def test_next_uri_of_another_host_is_not_followed(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """The token stays at home."""
    with Tenant(clock=clock) as other:
        server.faults.add(LIST, "body", body={"entities": [{"id": "c-1"}], "nextUri": f"{other.url}{LIST}"})
        with pytest.raises(CXoneError, match="at another host; not followed"):
            desk.look_up(ByNumber(NUMBER))
        assert not other.requests


@pytest.mark.parametrize(
    "identity", ["tel:+15550199888", "sip:+15550199888@sbc.example", "1 (555) 019-9888", "5550199888"]
)
def test_forms_of_the_number_are_the_number(
    desk: Investigator, server: Tenant, clock: HandClock, identity: str
) -> None:
    """As platforms store them."""
    wanted = server.play("rejected", identity, at=ago(clock, hours=1))
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


def test_an_outbound_callback_is_mentioned_and_passed_over(
    desk: Investigator, server: Tenant, clock: HandClock
) -> None:
    """Incident 15."""
    wanted = server.play("rejected", at=ago(clock, hours=2))
    callback = server.play("outbound", at=ago(clock, hours=1))
    report = desk.look_up(ByNumber(NUMBER))
    assert report.diagnosis.conversation_id == wanted
    told = next(finding for finding in report.diagnosis.findings if finding.code is Code.OUTBOUND_CALL)
    assert callback in told.message
    assert report.others == (
        OtherCall(
            conversation_id=callback, started_at=ago(clock, hours=1), outcome=report.others[0].outcome, outbound=True
        ),
    )


def test_a_call_without_a_bot_comes_after_one_with_it(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Handovers are asked about, not calls."""
    wanted = server.play("rejected", at=ago(clock, hours=2))
    server.play("no_bot", at=ago(clock, hours=1))
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


def test_at_picks_the_call_of_that_time(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Not the newest."""
    wanted = server.play("rejected", at=ago(clock, hours=5), seed=1)
    server.play("rejected", at=ago(clock, hours=1), seed=2)
    report = desk.look_up(ByNumber(NUMBER, at=ago(clock, hours=4.9)))
    assert report.diagnosis.conversation_id == wanted


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_since_finds_in_analytics_what_the_list_no_longer_holds(
    desk: Investigator, server: Tenant, clock: HandClock, method: str
) -> None:
    """By GET, or by POST where the server wants that; which, is asked only once."""
    server.analytics_method = method
    server.page_cap = 2
    wanted = server.play("rejected", at=ago(clock, days=2))
    for number in range(4):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, days=1.5, minutes=number))
    for _ in range(2):
        assert desk.look_up(ByNumber(NUMBER, since=timedelta(days=3))).diagnosis.conversation_id == wanted
    assert asked(server, ANALYTICS) == (6 if method == "GET" else 7)


def test_since_leaves_out_what_is_older(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Who names a window means it."""
    server.play("rejected", at=ago(clock, hours=5))
    with pytest.raises(ConversationNotFound):
        desk.look_up(ByNumber(NUMBER, since=timedelta(hours=2)))


def test_the_customers_side_comes_first(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """A colleague's number may stand in many calls and call once itself."""
    wanted = server.play("rejected", at=ago(clock, hours=3))
    row = {"id": "c-other", "startTime": ago(clock, hours=1).isoformat(), "participants": [
        {"id": "p1", "purpose": "customer", "identity": "+15550100001"},
        {"id": "p2", "purpose": "agent", "identity": "+15550199888"},
    ]}  # fmt: skip
    server.add(row)
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


def test_the_hotlines_own_number_is_told(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Incident 19."""
    for number in range(3):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, minutes=30 + number))
    with pytest.raises(ConversationNotFound, match=r"^No conversation .* the number of your bot") as caught:
        desk.look_up(ByNumber(phone.parse(cast.HOTLINE, "US")))
    assert caught.value.searched is not None
    assert caught.value.searched.hotline
    assert asked(server, DETAILS) == 0


def test_no_conversation_says_what_was_searched(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Incident 12; no digits of the number but the last four."""
    server.play("rejected", "+15550100001", at=ago(clock, minutes=2))
    with pytest.raises(ConversationNotFound) as caught:
        desk.look_up(ByNumber(NUMBER))
    sentence = caught.value.sentence
    assert sentence.startswith("No conversation of •••• 9888.")
    for part in ("1 call on 1 page", "tenant demo", desk.platform.host, "the newest began 2", "Other tenants"):
        assert part in sentence
    assert "5550199" not in sentence
    assert sum(clock.slept) < 5


def test_a_call_that_is_listed_late_is_found(server: Tenant, clock: HandClock, investigator_of: Build) -> None:
    """Incident 18: looked for again within the deadline."""
    desk = investigator_of(server, clock)

    def progress(_: Progress) -> None:
        if len(server.requests) == 2:
            server.play("rejected", at=ago(clock, minutes=5))

    assert desk.look_up(ByNumber(NUMBER), on_progress=progress).diagnosis.outcome is Outcome.REJECTED


def test_details_that_are_gone_leave_the_next_call(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """A row may outlive its document."""
    wanted = server.play("rejected", at=ago(clock, hours=3), seed=1)
    gone = server.play("rejected", at=ago(clock, hours=1), seed=2)
    server.faults.add(DETAILS + gone, "status", status=404)
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


def test_the_next_call_says_which_one_is_gone(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """So that nobody takes an older call for the newest; the one that is gone is no choice."""
    wanted = server.play("rejected", at=ago(clock, hours=3), seed=1)
    gone = server.play("rejected", at=ago(clock, hours=1), seed=2)
    server.faults.add(DETAILS + gone, "status", status=404)
    report = desk.look_up(ByNumber(NUMBER))
    assert report.diagnosis.conversation_id == wanted
    assert report.others == ()
    told = [finding.message for finding in report.diagnosis.findings if finding.code is Code.NOT_CHECKED]
    call = f"The call {gone}, which began 2026-11-20 13:00 UTC, was meant first"
    assert told == [f"{call}: it is listed, but 404 on GET /api/v2/conversations/{gone}. This is the next one."]


@pytest.mark.parametrize("count", [1, 2])
def test_a_call_that_is_listed_and_gone_is_no_conversation(
    desk: Investigator, server: Tenant, clock: HandClock, count: int
) -> None:
    """A 404 on details means that there is none; CXone itself was asked, and answered."""
    for seed in range(count):
        server.play("rejected", at=ago(clock, hours=1 + seed), seed=seed)
    server.faults.add(DETAILS, "status", status=404)
    with pytest.raises(
        ConversationNotFound, match=r"^No conversation could be opened\..* 404 on GET /api/v2/conv"
    ) as none:
        desk.look_up(ByNumber(NUMBER))
    assert none.value.searched is not None
    assert ("All 2 calls" in none.value.sentence) == (count == 2)


# ---- id, session, index ----


def test_an_id_needs_no_list(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Details and target alone."""
    wanted = server.play("rejected", at=ago(clock, hours=3))
    report = desk.look_up(ById(wanted))
    assert report.diagnosis.conversation_id == wanted
    assert (report.searched, report.others) == (None, ())
    assert not any(seen.path == LIST for seen in server.requests)


def test_an_unknown_id_is_no_conversation(desk: Investigator) -> None:
    """With the tenant that was asked."""
    with pytest.raises(ConversationNotFound, match=r"^No conversation with the id c-404 in tenant demo"):
        desk.look_up(ById("c-404"))
    with pytest.raises(ConversationNotFound):
        desk.document("c-404")


def test_a_cognigy_session_is_found_in_the_details(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Rows do not name it."""
    for number in range(12):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, minutes=30 + number))
    wanted = server.play("rejected", at=ago(clock, hours=3))
    assert desk.look_up(BySession(f"cgy-{wanted[:13]}")).diagnosis.conversation_id == wanted


def test_an_unknown_session_says_how_many_were_opened(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """So that "none" says what it means."""
    for number in range(3):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, minutes=30 + number))
    with pytest.raises(ConversationNotFound, match=r"^No conversation of the Cognigy session cgy-x\. .*3 calls"):
        desk.look_up(BySession("cgy-x"))
    assert asked(server, DETAILS) == 3


def test_what_the_index_knows_needs_no_list(server: Tenant, clock: HandClock, investigator_of: Build) -> None:
    """The watcher has seen it."""
    wanted = server.play("rejected", at=ago(clock, hours=3))
    known = (OtherCall(conversation_id=wanted, started_at=ago(clock, hours=3)),)
    desk = investigator_of(server, clock, known=lambda _: Known(known))
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted
    assert not any(seen.path == LIST for seen in server.requests)


def test_what_the_index_does_not_know_yet_is_listed(server: Tenant, clock: HandClock, investigator_of: Build) -> None:
    """The same caller again just now: the list since the cursor has the newer call, the index the older."""
    older = server.play("rejected", at=ago(clock, hours=3))
    newer = server.play("ignored", at=ago(clock, minutes=4))
    known = (OtherCall(conversation_id=older, started_at=ago(clock, hours=3)),)
    desk = investigator_of(server, clock, known=lambda _: Known(known, ago(clock, minutes=30)))
    report = desk.look_up(ByNumber(NUMBER))
    assert report.diagnosis.conversation_id == newer
    assert [call.conversation_id for call in report.others] == [older]


def test_a_stale_index_answers_where_nothing_newer_is_listed(
    server: Tenant, clock: HandClock, investigator_of: Build
) -> None:
    """An inbound call before an outbound one, however new that is."""
    wanted = server.play("rejected", at=ago(clock, hours=3))
    known = (
        OtherCall(conversation_id="callback", started_at=ago(clock, hours=1), outbound=True),
        OtherCall(conversation_id=wanted, started_at=ago(clock, hours=3)),
    )
    desk = investigator_of(server, clock, known=lambda _: Known(known, ago(clock, minutes=30)))
    assert desk.look_up(ByNumber(NUMBER)).diagnosis.conversation_id == wanted


# ---- targets ----


def test_a_target_of_each_kind_is_read(desk: Investigator, server: Tenant) -> None:
    """By its id and kind, as `/handover queue …` asks."""
    assert desk.target(TargetKind.QUEUE, cast.BILLING).name == "Billing"
    assert desk.target(TargetKind.FLOW, cast.DEAF_FLOW).listens is False
    assert desk.target(TargetKind.USER, "u-404").missing
    assert len(server.requests) == 4


def test_what_a_403_hides_is_not_checked_and_names_the_scope(
    desk: Investigator, server: Tenant, clock: HandClock
) -> None:
    """The diagnosis still comes; a 404 of the other kinds proves nothing then."""
    call = server.play("invalid_target", at=ago(clock, hours=1))
    server.faults.add("/api/v2/flows", "status", status=403)
    report = desk.look_up(ById(call))
    assert report.diagnosis.target is not None
    assert report.diagnosis.target.status is TargetStatus.NOT_CHECKED
    assert report.diagnosis.target.kind is None
    assert "403 on GET /api/v2/flows/" in report.diagnosis.target.why_not_checked
    assert "most likely lacks a scope for flows" in report.diagnosis.target.why_not_checked
    assert Code.NOT_CHECKED in codes(report)


def test_three_404s_are_a_missing_target(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """User, queue and flow were asked."""
    report = desk.look_up(ById(server.play("invalid_target", at=ago(clock, hours=1))))
    assert report.diagnosis.target is not None
    assert report.diagnosis.target.missing
    for kind in ("users", "queues", "flows"):
        assert asked(server, f"/api/v2/{kind}/") == 1


# ---- failures ----


@pytest.mark.parametrize(
    ("path", "kind", "args", "error", "says"),
    [
        (LIST, "status", {"status": 403}, ForbiddenError, "conversations:read"),
        (LIST, "status", {"status": 503}, ServerFaultError, "503 on GET /api/v2/conversations"),
        (LIST, "status", {"status": 429, "retry_after": 60}, RateLimitedError, "429 on GET /api/v2/conversations"),
        (LIST, "status", {"status": 404}, CXoneError, "CXONE_API"),
        (LIST, "html", {}, CXoneError, "web page"),
        (LIST, "body", {"body": []}, CXoneError, "another shape"),
        (LIST, "body", {"body": {"items": []}}, CXoneError, "without a list `entities`"),
        (DETAILS, "status", {"status": 403}, ForbiddenError, "conversations:read"),
        (DETAILS, "status", {"status": 503}, ServerFaultError, "503 on GET /api/v2/conversations/"),
        ("/oauth2", "status", {"status": 503}, ServerFaultError, "POST /oauth2/token"),
    ],
)
def test_a_platform_that_fails_is_named_with_the_call(  # noqa: PLR0917 - one row of the table
    desk: Investigator, server: Tenant, clock: HandClock, path: str, kind: str, args: Any, error: type, says: str
) -> None:
    """Never a "no conversation" that nobody has looked for."""
    server.play("rejected", at=ago(clock, hours=1))
    server.faults.add(path, kind, **args)
    with pytest.raises(error, match=says):
        desk.look_up(ByNumber(NUMBER))


def test_analytics_without_its_scope_is_named(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """Where the list alone has nothing."""
    server.faults.add(ANALYTICS, "status", status=403)
    with pytest.raises(ForbiddenError, match="analytics:conversations:read"):
        desk.look_up(ByNumber(NUMBER, since=timedelta(days=3)))
    server.play("rejected", at=ago(clock, hours=1))
    report = desk.look_up(ByNumber(NUMBER, since=timedelta(days=3)))
    assert any("analytics:conversations:read" in finding.message for finding in report.diagnosis.findings)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, f"404 on GET {ANALYTICS}/conversations/details/query: .* does not offer this call .*analytics:conversat"),
        (403, f"403 on GET {ANALYTICS}/conversations/details/query: .*analytics:conversations:read"),
    ],
)
def test_older_calls_that_could_not_be_searched_are_told(
    desk: Investigator, server: Tenant, clock: HandClock, status: int, says: str
) -> None:
    """Which call, which scope, from when on; no "check the id" where none was given."""
    server.faults.add(ANALYTICS, "status", status=status)
    begins = r"Calls that began before 2026-11-19 14:00 UTC could not be searched: "
    with pytest.raises(CXoneError, match=f"^{begins}{says}") as caught:
        desk.look_up(ByNumber(NUMBER, since=timedelta(days=3)))
    assert "the id" not in str(caught.value)
    server.play("rejected", at=ago(clock, hours=1))
    report = desk.look_up(ByNumber(NUMBER, since=timedelta(days=3)))
    assert report.searched is not None
    assert not report.searched.complete
    told = [finding.message for finding in report.diagnosis.findings if finding.code is Code.NOT_CHECKED]
    assert len(told) == 1
    assert re.match(f"{begins}{says}", told[0])


@pytest.mark.parametrize("next_uri_only", [False, True])
def test_a_list_that_is_too_long_is_said_to_be(
    desk: Investigator, server: Tenant, clock: HandClock, monkeypatch: pytest.MonkeyPatch, *, next_uri_only: bool
) -> None:
    """Nobody takes the pages that are read of one list for all of it."""
    monkeypatch.setattr(platform, "MOST_PAGES", {"person": 3, "watcher": 3})
    for number in range(40):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, hours=2, minutes=number))
    server.page_cap, server.next_uri_only = 10, next_uri_only
    with pytest.raises(ConversationNotFound, match=r"30 calls on 3 pages .* The list is longer than that") as caught:
        desk.look_up(ByNumber(NUMBER))
    assert caught.value.searched is not None
    assert not caught.value.searched.complete
    server.play("rejected", at=ago(clock, hours=1))
    report = desk.look_up(ByNumber(NUMBER))
    assert report.searched is not None
    assert not report.searched.complete
    assert any("longer than the 3 pages" in finding.message for finding in report.diagnosis.findings)


def test_an_answer_of_another_shape_names_its_own_call(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """The details' whole path, not the route they share."""
    call = server.play("rejected", at=ago(clock, hours=1))
    server.faults.add(DETAILS, "body", body=None)
    with pytest.raises(CXoneError, match=f"^GET /api/v2/conversations/{call} answered with JSON of another"):
        desk.look_up(ByNumber(NUMBER))


def test_pages_that_fail_are_told_beside_the_diagnosis(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """A newer call may stand on them."""
    for number in range(30):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, hours=2, minutes=number))
    wanted = server.play("rejected", at=ago(clock, hours=1))
    server.page_cap = 10
    server.faults.add(DETAILS, "slow", seconds=0.0)  # comes first, so that only the list fails

    def later_pages_fail(progress: Progress) -> None:
        if progress.pages == 1:
            server.faults.add(LIST, "status", status=503)

    report = desk.look_up(ByNumber(NUMBER), on_progress=later_pages_fail)
    assert report.diagnosis.conversation_id == wanted
    assert report.searched is not None
    assert not report.searched.complete
    told = [finding.message for finding in report.diagnosis.findings if finding.code is Code.NOT_CHECKED]
    assert any("3 parts of the list of calls could not be read" in message for message in told)


def test_pages_that_hang_leave_time_for_the_target(tenant: Tenant, investigator_of: Build) -> None:
    """One lost page does not cost the answer."""
    clock = SystemClock()
    for number in range(30):
        tenant.play("rejected", f"+1555020{number:04}", at=clock.now() - timedelta(hours=2, minutes=number))
    tenant.play("rejected", at=clock.now() - timedelta(hours=1))
    tenant.page_cap = 10
    tenant.faults.add(DETAILS, "slow", seconds=0.0)  # comes first, so that only the list hangs

    def later_pages_hang(progress: Progress) -> None:
        if progress.pages == 1:
            tenant.faults.add(LIST, "hang")

    began = time.monotonic()
    desk = investigator_of(tenant, clock, deadline_seconds=1.0)
    report = desk.look_up(ByNumber(NUMBER), on_progress=later_pages_hang)
    assert time.monotonic() - began < 1.1
    assert report.diagnosis.target is not None
    assert report.diagnosis.target.status is TargetStatus.OK
    assert Code.NOT_CHECKED in codes(report)


def test_a_slow_rate_is_for_the_path_alone(server: Tenant, clock: HandClock, investigator_of: Build) -> None:
    """Other calls are offered without their outcome, rather than waited for."""
    for seed in range(5):
        server.play("rejected", at=ago(clock, hours=1 + seed), seed=seed)
    desk = investigator_of(server, clock)
    desk.platform.session.rate._max_rps = 1
    report = desk.look_up(ByNumber(NUMBER))
    assert report.diagnosis.outcome is Outcome.REJECTED
    assert [other.outcome for other in report.others] == [None] * 4
    assert report.requests <= 6


def test_others_that_fail_have_no_outcome(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """And cost the diagnosis nothing."""
    other = server.play("rejected", at=ago(clock, hours=3), seed=1)
    server.play("rejected", at=ago(clock, hours=1), seed=2)
    server.faults.add(DETAILS + other, "status", status=403)
    report = desk.look_up(ByNumber(NUMBER))
    assert [other.outcome for other in report.others] == [None]


def test_a_number_that_matches_nothing_on_an_incomplete_list_is_a_failure(
    desk: Investigator, server: Tenant, clock: HandClock
) -> None:
    """With what was learned until then."""
    for number in range(30):
        server.play("rejected", f"+1555020{number:04}", at=ago(clock, hours=2, minutes=number))
    server.page_cap = 10

    def later_pages_fail(progress: Progress) -> None:
        if progress.pages == 1:
            server.faults.add(LIST, "status", status=503)

    with pytest.raises(ServerFaultError, match=r"503 on GET .*Until then 10 calls on 1 page "):
        desk.look_up(ByNumber(NUMBER), on_progress=later_pages_fail)


@pytest.mark.parametrize(("path", "says"), [(LIST, "GET /api/v2/conversations on"), ("/oauth2", "POST /oauth2/token")])
def test_a_hang_ends_with_the_deadline(tenant: Tenant, investigator_of: Build, path: str, says: str) -> None:
    """And names the call that hung."""
    tenant.faults.add(path, "hang")
    desk = investigator_of(tenant, SystemClock(), deadline_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(DeadlineError, match=says):
        desk.look_up(ByNumber(NUMBER))
    assert time.monotonic() - began < 0.8


def test_a_target_that_hangs_is_not_checked(tenant: Tenant, investigator_of: Build) -> None:
    """The details were read, so the diagnosis comes, within the deadline."""
    tenant.play("rejected")
    for kind in ("users", "queues", "flows"):
        tenant.faults.add(f"/api/v2/{kind}", "hang")
    desk = investigator_of(tenant, SystemClock(), deadline_seconds=0.8)
    began = time.monotonic()
    report = desk.look_up(ByNumber(NUMBER))
    assert time.monotonic() - began < 1.1
    assert report.diagnosis.outcome is Outcome.REJECTED
    assert report.diagnosis.target is not None
    assert report.diagnosis.target.status is TargetStatus.NOT_CHECKED
    assert Code.NOT_CHECKED in codes(report)


# ---- round trips ----

LATENCY = 0.4  # seconds; large against what a busy machine adds


def round_trips(tenant: Tenant, desk: Investigator, enough: float) -> tuple[float, Report]:
    """The best of three look-ups in round trips, the token fetched before; the first that is good enough will do."""
    tenant.latency = LATENCY
    desk.platform.session.token(Deadline(SystemClock(), 20))
    best = desk.look_up(ByNumber(NUMBER))
    for _ in range(2):
        if best.seconds > enough * LATENCY:
            best = min(best, desk.look_up(ByNumber(NUMBER)), key=lambda report: report.seconds)
    return best.seconds / LATENCY, best


def test_a_look_up_takes_the_time_of_three_calls(tenant: Tenant, investigator_of: Build) -> None:
    """List, details, target; four other calls beside them."""
    for seed in range(5):
        tenant.play("rejected", seed=seed)
    took, report = round_trips(tenant, investigator_of(tenant, SystemClock()), 3 * 1.15)
    assert all(other.outcome is Outcome.REJECTED for other in report.others)
    assert took <= 3 * 1.15


def test_twenty_pages_take_less_than_six_round_trips(tenant: Tenant, investigator_of: Build) -> None:
    """Two thousand calls, the number in the last row."""
    clock = SystemClock()
    for number in range(1999):
        start = clock.now() - timedelta(seconds=60 + 30 * number)
        tenant.add({"id": f"c-{number}", "startTime": start.isoformat(), "participants": [
            {"id": "p1", "purpose": "customer", "identity": f"+1555{number:07}"},
            {"id": "p2", "purpose": "bot", "identity": "sip:voicebot@cognigy.example"},
        ]})  # fmt: skip
    wanted = tenant.play("rejected", at=clock.now() - timedelta(hours=20))
    took, report = round_trips(tenant, investigator_of(tenant, clock), 6)
    assert report.diagnosis.conversation_id == wanted
    assert took <= 6


def test_calls_that_nobody_read_are_counted_as_such(desk: Investigator, server: Tenant, clock: HandClock) -> None:
    """A number that rings all day: a few of its calls are read, and of the others nothing is claimed."""
    for number in range(30):
        server.play("rejected", at=ago(clock, minutes=number + 1), seed=number)
    report = desk.look_up(ByNumber(NUMBER))
    assert report.calls_today == 30
    assert len(report.failed_today) == 30 - report.unread_today
    assert 0 < report.unread_today < 30
