"""The contacts profile: round trips of a diagnosis, CXone calls of a poll, and the corpus through both profiles."""

from __future__ import annotations

from datetime import timedelta

from bot import phone
from bot.clock import SystemClock
from bot.cxone.http import Deadline
from bot.cxone.investigate import ByNumber
from bot.demo.tenant import Tenant
from tests.bench.rows import at, milliseconds, row
from tests.corpus.test_both_profiles import shares
from tests.cxone.contacts_desk import desk_of, platform_of

NUMBER = "+15550199888"
LATENCY = 0.1
WAITS = 4  # list; the contact's parts; children beside Cognigy; target
LOOKS = 15
CONTACTS = 1_000


def measure() -> None:
    """The rows."""
    _diagnosis()
    _poll()
    _corpus()


def _diagnosis() -> None:
    clock = SystemClock()
    with Tenant(clock=clock) as server:
        server.contacts.play("unanswered", NUMBER)
        desk = desk_of(server, clock)
        query = ByNumber(phone.parse(NUMBER, "US"))
        desk.look_up(query)  # signed in, and the names of states are known
        server.latency = LATENCY
        reports = [desk.look_up(query) for _ in range(LOOKS)]
        desk.close()
    took = at([report.seconds for report in reports], 0.5)
    path = took / (WAITS * LATENCY)
    row("contacts: diagnosis at 100 ms a call", f"{milliseconds(took)}, {took / LATENCY:.1f} round trips")
    row("the same over its critical path (four waits)", f"{path:.2f}", "≤ 1.15", held=path <= 1.15)
    row("the same: calls to CXone and Cognigy", str(reports[-1].requests))


def _poll() -> None:
    clock = SystemClock()
    with Tenant(clock=clock) as server:
        platform = platform_of(server, clock, cognigy=False)
        since, deadline = clock.now() - timedelta(hours=24), Deadline(clock, 600)
        platform.list(since, None, deadline, priority="watcher")
        for seed in range(CONTACTS):
            server.contacts.play("unanswered_ringing", f"+1555{seed:07d}", seed=seed)
        server.forget_requests()
        listing = platform.list(since, None, deadline, priority="watcher")
        for each in listing.rows:
            platform.details(each["id"], deadline, "watcher")
        calls = len(server.requests)
        platform.close()
    what = f"contacts: CXone calls of a poll that finds {len(listing.rows):,} new contacts, their details included"
    row(what, str(calls), "≤ 10", held=calls <= 10 and len(listing.rows) == CONTACTS)


def _corpus() -> None:
    share = shares()
    could = share.total() - share["cannot exist"]
    figure = f"{share['right']} right, {share['unknown']} unknown, {share['wrong']} wrong of {could}"
    row("the corpus through the contacts profile, where it can exist there", figure, "0 wrong", held=not share["wrong"])
