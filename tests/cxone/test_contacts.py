"""The contacts profile against the simulated tenant: what is found, how it is judged, what each failure says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot import phone
from bot.cli import main
from bot.clock import SystemClock
from bot.cxone.contacts import Contacts
from bot.cxone.contacts_sign_in import services
from bot.cxone.errors import CXoneError
from bot.cxone.http import Deadline, Session
from bot.cxone.investigate import ById, ByNumber, BySession, ConversationNotFound, Investigator
from bot.cxone.platform import Conversations, client_credentials
from bot.demo import cast
from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.contacts_documents import SKILLS
from bot.demo.scenarios import STORIES
from bot.demo.tenant import Tenant
from bot.diagnosis.handover import Report, TargetKind, TargetStatus
from bot.diagnosis.outcomes import Code, Outcome, Reached
from tests.clock import HandClock
from tests.cxone.contacts_desk import desk_of, platform_of

NUMBER = phone.parse("+15550199888", "US")
# A queue of this API refuses nothing and names no reason: the call stands in it, and nobody comes.
ONLY_THERE = {
    *("rejected", "rejected_queue_full", "rejected_closed", "rejected_timeout", "rejected_unknown", "rejected_object"),
    *("rejected_no_reason", "rejected_agent", "rejected_agent_busy", "rejected_twice"),
}
EXPLAINED = {
    "signal_401": (Outcome.FORBIDDEN, Code.TRANSFER_FORBIDDEN),
    "signal_403": (Outcome.FORBIDDEN, Code.TRANSFER_FORBIDDEN),
    "missing_ids": (Outcome.MALFORMED, Code.MISSING_CONTACT_ID),
    "no_context": (Outcome.MALFORMED, Code.MISSING_CONTACT_ID),
    "signal_main": (Outcome.INVALID_TARGET, Code.WRONG_CONTACT),
    "signal_400": (Outcome.INVALID_TARGET, Code.WRONG_CONTACT),
    "signal_503": (Outcome.REJECTED, Code.TRANSFER_REJECTED),
    "no_onsignal": (Outcome.IGNORED, Code.FLOW_WITHOUT_TRIGGER),
    "signal_twice": (Outcome.ACCEPTED, Code.DUPLICATE_TRANSFER),
    "wrong_skill": (Outcome.INVALID_TARGET, Code.TARGET_NOT_FOUND),
    "wrong_medium": (Outcome.INVALID_TARGET, Code.WRONG_MEDIUM),
    "nobody_there": (Outcome.UNANSWERED, Code.NO_AGENTS_AVAILABLE),
    "closed": (Outcome.REJECTED, Code.TARGET_CLOSED),
    "bad_number": (Outcome.UNANSWERED, Code.AGENT_REFUSED),
    "agent_busy": (Outcome.UNANSWERED, Code.AGENT_REFUSED),
    "agent_away": (Outcome.UNANSWERED, Code.TARGET_UNAVAILABLE),
    "short_abandon": (Outcome.ABANDONED, Code.CALLER_ABANDONED),
    "bot_hung_up": (Outcome.NOT_ATTEMPTED, Code.BOT_FAILED),
    "sip_488": (Outcome.REJECTED, Code.SIP_REFUSED),
    "sip_503": (Outcome.REJECTED, Code.SIP_REFUSED),
    "refer_failed": (Outcome.REJECTED, Code.SIP_REFUSED),
    "unsupported_channel": (Outcome.MALFORMED, Code.UNSUPPORTED_CHANNEL),
    "no_transcript": (Outcome.ACCEPTED, Code.CONTEXT_LOST),
    "script_changed": (Outcome.IGNORED, Code.RECENT_CHANGE),
    "blind_spot": (Outcome.IGNORED, Code.NOT_CHECKED),
}
Desk = Callable[..., Investigator]


@pytest.fixture
def desks(clock: HandClock) -> Iterator[Desk]:
    """Builds desks over the contacts API, and ends their threads afterwards."""
    built: list[Investigator] = []

    def build(server: Tenant, **more: Any) -> Investigator:
        built.append(desk_of(server, clock, **more))
        return built[-1]

    yield build
    for each in built:
        each.close()


@pytest.fixture
def told(server: Tenant, desks: Desk) -> Callable[..., Report]:
    """Plays a scenario and looks it up by the caller's number."""

    def look(scenario: str, **more: Any) -> Report:
        server.contacts.play(scenario)
        return desks(server, **more).look_up(ByNumber(NUMBER))

    return look


# ---- the same ladder ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in STORIES if name not in ONLY_THERE])
def test_both_profiles_tell_the_same(name: str, server: Tenant, desks: Desk, clock: HandClock) -> None:
    """Every scenario that can exist in both has the same outcome and the same side through both."""
    contact = server.contacts.play(name)
    call = server.store.between(clock.now() - timedelta(days=2), clock.now())[0].id
    session = Session(server.url, client_credentials("demo-client", "demo-secret"), clock)
    other = Investigator(Conversations(session, clock, "demo"), clock)
    try:
        there = other.look_up(ById(call)).diagnosis
    finally:
        other.close()
    here = desks(server).look_up(ById(contact)).diagnosis
    assert (here.outcome, here.fault) == (there.outcome, there.fault)


@pytest.mark.parametrize("name", sorted(ONLY_THERE & set(STORIES)))
def test_a_refusal_with_words_is_a_queue_where_nobody_came(name: str, told: Callable[..., Report]) -> None:
    """What only the other profile can say is told as what this one shows."""
    assert told(name).diagnosis.outcome is Outcome.UNANSWERED


def test_the_catalogue_is_covered() -> None:
    """Every entry has its right answer here."""
    assert set(EXPLAINED) == set(CATALOGUE)


@pytest.mark.parametrize("name", sorted(EXPLAINED))
def test_the_catalogue_is_explained(name: str, told: Callable[..., Report]) -> None:
    """Outcome and the finding that names the cause, which says what to do unless it only tells what was not seen."""
    outcome, code = EXPLAINED[name]
    found = told(name).diagnosis
    assert found.outcome is outcome
    finding = next(row for row in found.findings if row.code is code)
    assert bool(finding.fix) is (code is not Code.NOT_CHECKED)


def test_without_cognigy_and_without_a_queue_nobody_can_tell(told: Callable[..., Report]) -> None:
    """Whether the bot asked is not guessed: unknown, and it says what was not looked at."""
    found = told("ignored", cognigy=False).diagnosis
    assert found.outcome is Outcome.UNKNOWN
    assert any("COGNIGY_API_URL" in row.message for row in found.findings if row.code is Code.NOT_CHECKED)


def test_without_cognigy_a_queue_proves_the_request(told: Callable[..., Report]) -> None:
    """The script came to REQAGENT: somebody asked."""
    found = told("unanswered", cognigy=False).diagnosis
    assert (found.outcome, found.reached) == (Outcome.UNANSWERED, Reached.QUEUED)
    assert Code.MISSING_COGNIGY_SESSION not in {row.code for row in found.findings}


def test_without_cognigy_nothing_is_told_wrong(server: Tenant, desks: Desk) -> None:
    """Without the bot's side an outcome is the same as with it, or unknown."""
    desk, blind = desks(server), desks(server, cognigy=False)
    for name in ("accepted_queue", "unanswered", "waiting", "ignored", "forbidden", "abandoned", "not_attempted"):
        contact = server.contacts.play(name)
        right, seen = (each.look_up(ById(contact)).diagnosis.outcome for each in (desk, blind))
        assert seen in {right, Outcome.UNKNOWN}, name


def test_cognigy_down_is_said(server: Tenant, told: Callable[..., Report]) -> None:
    """A wrong key costs the bot's side, not the diagnosis."""
    server.contacts.cognigy_key = "another"
    found = told("unanswered").diagnosis
    assert found.outcome is Outcome.UNANSWERED
    assert any("COGNIGY_API_KEY" in row.message for row in found.findings)


def test_lines_say_where_they_come_from(told: Callable[..., Report]) -> None:
    """One timeline of both systems, each line with its source."""
    sources = {moment.source for moment in told("accepted_queue").diagnosis.timeline}
    assert sources == {"CXone", "Cognigy"}


def test_a_refusal_is_told_in_plain_words(told: Callable[..., Report]) -> None:
    """The code first, then what it means."""
    found = told("bad_number").diagnosis
    text = next(row.message for row in found.findings if row.code is Code.AGENT_REFUSED)
    assert "Bad Number: the agent's phone could not be reached" in text


# ---- what is found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", ["+15550199888", "15550199888", "5550199888"])
def test_a_number_is_found_in_each_form(stored: str, server: Tenant, desks: Desk) -> None:
    """Whether the carrier stores a plus, a country code or neither."""
    server.contacts.play("unanswered", stored)
    assert desks(server).look_up(ByNumber(NUMBER)).diagnosis.outcome is Outcome.UNANSWERED


def test_older_field_names_are_read(server: Tenant, told: Callable[..., Report]) -> None:
    """`fromAddr`, `contactStart`, `mediaType`."""
    server.contacts.drift = True
    found = told("unanswered").diagnosis
    assert (found.outcome, found.phone) == (Outcome.UNANSWERED, "•••• 9888")


def test_the_tenants_own_names_of_states_are_loaded(server: Tenant, told: Callable[..., Report]) -> None:
    """Names and numbers are each tenant's own: the category says what a state is."""
    server.contacts.states = {
        number: (category, f"Zustand {number}") for number, (category, _) in server.contacts.states.items()
    }
    assert told("unanswered_declined").diagnosis.outcome is Outcome.UNANSWERED


def test_a_childs_id_leads_to_its_call(server: Tenant, desks: Desk) -> None:
    """Cognigy's log shows the spawned contact: its id finds the call."""
    contact = server.contacts.play("unanswered")
    found = desks(server).look_up(ById(str(int(contact) + 1)))
    assert found.diagnosis.conversation_id == contact


def test_an_id_of_another_system_is_told(server: Tenant, desks: Desk) -> None:
    """A UUID is no contact's id."""
    with pytest.raises(ConversationNotFound, match="a whole number"):
        desks(server).look_up(ById("5f0c2a00-0000-4000-8000-000000000000"))


def test_none_found_is_no_error(server: Tenant, desks: Desk) -> None:
    """204 means no data."""
    server.contacts.play("unanswered", "+15550100000")
    with pytest.raises(ConversationNotFound, match=r"^No conversation"):
        desks(server).look_up(ByNumber(NUMBER))


def test_pages_are_read_to_their_end(server: Tenant, desks: Desk) -> None:
    """`_links.next`, whatever the server caps `top` to."""
    server.contacts.page_cap = 3
    for seed in range(8):
        server.contacts.play("accepted_agent", seed=seed)
    assert desks(server).look_up(ByNumber(NUMBER)).calls_today == 8


@pytest.mark.parametrize(("names", "shown"), [("off", "an agent"), ("id", "agent 501"), ("name", "Anna Agent")])
def test_agents_are_named_as_far_as_allowed(names: str, shown: str, told: Callable[..., Report]) -> None:
    """AGENT_NAMES: it is somebody's working day."""
    assert f"answered by {shown}" in told("accepted_queue", names=names).diagnosis.headline


def test_only_the_minutes_of_the_failure_are_kept(server: Tenant, desks: Desk) -> None:
    """Of an agent's history the state then, and the changes around it; nothing else of the day."""
    server.contacts.play("agent_away")
    target = desks(server).look_up(ByNumber(NUMBER)).diagnosis.target
    assert target is not None
    assert (target.kind, target.state_then, target.moments) == (TargetKind.USER, "Unavailable (Break)", ())


def test_numbers_mean_one_kind(server: Tenant, desks: Desk) -> None:
    """A skill that is gone is missing, though an agent has the same number."""
    server.users[cast.ident("twin")] = {"id": "twin", "name": "Twin"}
    target = desks(server).target(TargetKind.QUEUE, "4999")
    assert target.missing


def test_a_skill_as_a_person_asks_for_it(server: Tenant, desks: Desk) -> None:
    """Figures of now, with the skill's name."""
    target = desks(server).target(TargetKind.QUEUE, str(SKILLS[cast.BILLING]))
    assert (target.name, target.logged_in, target.available, target.waiting) == ("Billing", 3, 0, 4)


# ---- what goes wrong ----------------------------------------------------------------------------------------------


def _fails(server: Tenant, clock: HandClock, **wrong: Any) -> str:
    platform = platform_of(server, clock, **wrong)
    try:
        with pytest.raises(CXoneError) as failure:
            platform.document("100000000001", Deadline(clock, 20))
        return str(failure.value)
    finally:
        platform.close()


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"client_secret": "no"}, ("401 on POST /auth/token", "CXONE_CLIENT_SECRET")),
        ({"key_secret": "no"}, ("400 on POST /auth/token", "CXONE_ACCESS_KEY_SECRET", "employee")),
        ({"version": "v99.0"}, ("v99.0", "CXONE_API_VERSION")),
    ],
)
def test_each_wrong_setting_names_itself(
    wrong: dict[str, str], names: tuple[str, ...], server: Tenant, clock: HandClock
) -> None:
    """The call, the likely cause, and the place to mend it; no secret."""
    text = _fails(server, clock, **wrong)
    assert all(name in text for name in names), text
    assert "demo-key-secret" not in text


def test_a_disabled_key_is_told(server: Tenant, clock: HandClock) -> None:
    """As when the employee it belongs to is deactivated."""
    server.contacts.key_active = False
    assert "CXONE_ACCESS_KEY_ID" in _fails(server, clock)


def test_a_wrong_issuer_is_told(server: Tenant, clock: HandClock) -> None:
    """A host that is no issuer."""
    assert "CXONE_ISSUER" in _fails(server, clock, issuer=f"{server.url}/elsewhere")


def test_a_wrong_tenant_is_told(server: Tenant, clock: HandClock) -> None:
    """The token names another tenant than the issuer has a configuration for."""
    server.faults.add("/.well-known/cxone-configuration", "status", status=404)
    assert "CXONE_TENANT_ID" in _fails(server, clock)


def test_a_missing_permission_names_call_and_role(server: Tenant, desks: Desk) -> None:
    """403 on one part: used as far as it goes, the rest is not checked, and it says whose role."""
    contact = server.contacts.play("unanswered")
    server.contacts.denied.add(f"/contacts/{contact}/custom-data")
    found = desks(server).look_up(ById(contact)).diagnosis
    assert found.outcome is Outcome.UNANSWERED
    text = " ".join(row.message for row in found.findings if row.code is Code.NOT_CHECKED)
    assert f"403 on GET /contacts/{contact}/custom-data" in text
    assert "role" in text


def test_a_target_that_may_not_be_read_is_not_healthy(server: Tenant, desks: Desk) -> None:
    """NOT_CHECKED with its reason."""
    server.contacts.denied.add("/skills")
    server.contacts.play("unanswered")
    target = desks(server).look_up(ByNumber(NUMBER)).diagnosis.target
    assert target is not None
    assert target.status is TargetStatus.NOT_CHECKED


def test_the_words_of_an_error_are_shown(server: Tenant, clock: HandClock) -> None:
    """`icStatusDescription` says more than a status."""
    server.contacts.denied.add("/contacts")
    assert "Insufficient permissions" in _fails(server, clock)


def test_an_expired_token_is_renewed_once(server: Tenant, desks: Desk) -> None:
    """401: a new token, and the same call again."""
    contact = server.contacts.play("unanswered")
    desk = desks(server)
    desk.look_up(ById(contact))
    server.tokens.clear()
    assert desk.look_up(ById(contact)).diagnosis.outcome is Outcome.UNANSWERED


def test_versions_may_be_written_in_three_ways() -> None:
    """30, v30 and v30.0."""
    wanted = "https://api.example/incontactapi/services/v30.0"
    assert {services("https://api.example/", each) for each in ("30", "v30", "V30.0")} == {wanted}


# ---- how many calls -----------------------------------------------------------------------------------------------


def test_every_call_is_a_read(server: Tenant, told: Callable[..., Report]) -> None:
    """The one POST is the sign-in."""
    told("unanswered")
    assert {(seen.method, seen.path) for seen in server.requests if seen.method != "GET"} == {("POST", "/auth/token")}


def test_a_poll_costs_a_few_calls_at_a_thousand_contacts(server: Tenant, clock: HandClock) -> None:
    """Four questions to CXone for a thousand calls of one interval, and nothing a contact."""
    began = clock.now()
    platform = platform_of(server, clock)
    try:
        deadline = Deadline(clock, 3600)
        platform.list(began - timedelta(hours=24), None, deadline, priority="watcher")
        for seed in range(1000):
            name = "unanswered_ringing" if seed % 10 else "ignored"
            server.contacts.play(name, f"+1555{seed:07d}", at=began, seed=seed)
        clock.advance(110)
        server.forget_requests()
        listing = platform.list(began - timedelta(hours=24), None, deadline, priority="watcher")
        calls = [platform.details(row["id"], deadline, "watcher") for row in listing.rows]
        asked = [seen for seen in server.requests if seen.path.startswith("/incontactapi")]
        assert (len(calls), len(asked)) == (1000, 4)
        assert all(call.asks_visible for call in calls)
    finally:
        platform.close()


def test_the_feed_tells_what_single_calls_tell(server: Tenant, clock: HandClock) -> None:
    """A call put together from bulk answers is read as the one that was asked for by itself."""
    platform = platform_of(server, clock)
    try:
        deadline = Deadline(clock, 36_000)
        for name in ("unanswered", "ignored", "accepted_queue", "malformed_to", "waiting", "unanswered_declined"):
            contact = server.contacts.play(name, at=clock.now())
            clock.advance(minutes=15)
            platform.list(clock.now() - timedelta(hours=24), None, deadline, priority="watcher")
            bulk, single = (platform.details(contact, deadline, each) for each in ("watcher", "person"))
            assert [(event.kind, event.at, event.to_id) for event in bulk.events] == [
                (event.kind, event.at, event.to_id) for event in single.events
            ], name
    finally:
        platform.close()


def test_without_the_bulk_forms_each_contact_is_read(server: Tenant, clock: HandClock) -> None:
    """A tenant that does not offer them costs calls, not outcomes."""
    server.contacts.bulk = False
    contact = server.contacts.play("unanswered")
    platform: Contacts = platform_of(server, clock)
    try:
        deadline = Deadline(clock, 60)
        assert len(platform.list(clock.now() - timedelta(hours=24), None, deadline, priority="watcher").rows) == 1
        assert platform.details(contact, deadline, "watcher").events
    finally:
        platform.close()


def test_without_the_stored_data_of_all_each_contact_costs_one_call(server: Tenant, clock: HandClock) -> None:
    """The bulk form of the states is used all the same, and the outcome's facts are the same."""
    contact = server.contacts.play("unanswered")
    server.contacts.gone.add("/contacts/custom-data")
    platform = platform_of(server, clock)
    try:
        deadline = Deadline(clock, 60)
        platform.list(clock.now() - timedelta(hours=24), None, deadline, priority="watcher")
        server.forget_requests()
        bulk = platform.details(contact, deadline, "watcher")
        asked = [seen.path.rpartition("v33.0")[2] for seen in server.requests]
        assert asked == [f"/contacts/{contact}/custom-data"]
        assert bulk.events == platform.details(contact, deadline, "person").events
    finally:
        platform.close()


def test_round_trips_and_time_over_the_critical_path() -> None:
    """List, parts, children beside Cognigy, target: four waits for the network, and hardly more than these."""
    latency, clock = 0.2, SystemClock()
    with Tenant(clock=clock) as server:
        server.contacts.play("unanswered")
        desk = desk_of(server, clock)
        try:
            desk.look_up(ByNumber(NUMBER))  # signed in, the pools are up, the names of states are known
            server.latency = latency
            best, requests = 99.0, 0
            for _ in range(6):  # the best counts: the machine has others to serve
                report = desk.look_up(ByNumber(NUMBER))
                best, requests = min(best, report.seconds), report.requests
                if best / (4 * latency) <= 1.15:
                    break
        finally:
            desk.close()
    assert requests <= 22
    assert best / (4 * latency) <= 1.15


def test_a_session_is_found_by_cognigys_log(server: Tenant, desks: Desk) -> None:
    """The log names the contact: no list is read."""
    contact = server.contacts.play("unanswered")
    made = server.contacts._bundle_of(int(contact))
    assert made is not None
    found = desks(server).look_up(BySession(made.session))
    assert found.diagnosis.conversation_id == contact
    assert not [seen for seen in server.requests if seen.path.endswith("/contacts/completed")]


def test_none_found_tells_of_the_newest_call_there(server: Tenant, desks: Desk) -> None:
    """A wrong tenant or region shows at once: what is the newest call of anybody."""
    server.contacts.play("unanswered", "+15550100000")
    with pytest.raises(ConversationNotFound, match=r"newest.* began 10 min ago"):
        desks(server).look_up(ByNumber(NUMBER))


def test_the_command_explains_the_catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`handover-bot diagnose +1555…` with nothing but its settings, as somebody types it."""
    monkeypatch.chdir(tmp_path)
    usual = {"CXONE_TENANT_ID": "demo", "CXONE_CLIENT_ID": "demo-client", "CXONE_CLIENT_SECRET": "demo-secret"}
    told = {}
    for name in EXPLAINED:
        with Tenant() as server:
            for setting, value in {**usual, **server.contacts.settings()}.items():
                monkeypatch.setenv(setting, value)
            server.contacts.play(name)
            done = CliRunner().invoke(main, ["diagnose", NUMBER.e164, "--json"])
        found = json.loads(done.stdout)
        codes = {row["code"] for row in found["findings"]}
        told[name] = (found["outcome"], EXPLAINED[name][1] in codes, done.exit_code)
    assert told == {name: (outcome, True, 0) for name, (outcome, _) in EXPLAINED.items()}
