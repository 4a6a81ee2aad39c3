"""The watcher over the contacts API: the catalogue's failures become alerts, in a few calls a poll."""

from __future__ import annotations

from pathlib import Path

from bot.alerts.watcher import Watcher
from bot.demo.contacts_catalogue import CATALOGUE
from bot.demo.tenant import Tenant
from bot.diagnosis.outcomes import TABLE
from bot.store.engine import migrate, open_store, reading
from bot.store.tables import alerts, handovers
from tests.clock import HandClock
from tests.cxone.contacts_desk import platform_of
from tests.cxone.test_contacts import EXPLAINED


def test_the_catalogue_alerts(clock: HandClock, tmp_path: Path) -> None:
    """Each failure whose outcome alerts has its alert, and no other call has one."""
    engine = open_store(f"sqlite:///{tmp_path}/handover.db")
    migrate(engine)
    with Tenant(clock=clock) as server:
        platform = platform_of(server, clock)
        watcher = Watcher(platform=platform, engine=engine, clock=clock, hash_key="k" * 32)
        watcher.poll()
        alone = ("closed", "agent_away", "wrong_medium", "script_changed")  # these change the tenant for all others
        names = [name for name in CATALOGUE if name not in alone]
        played = {
            server.contacts.play(name, f"+1555019{seed:04d}", at=clock.now()): name for seed, name in enumerate(names)
        }
        clock.advance(minutes=15)
        server.forget_requests()
        done = watcher.poll()
        platform.close()
    assert (done.error, done.unreadable) == ("", 0)
    with reading(engine) as connection:
        found = {row.conversation_id for row in connection.execute(alerts.select())}
        told = {row.conversation_id: row.outcome for row in connection.execute(handovers.select())}
    expected = {call for call, name in played.items() if TABLE[EXPLAINED[name][0]].alerts is not None}
    assert found == expected
    assert len(expected) >= 15
    assert all(told[call] == EXPLAINED[played[call]][0] for call in expected)
    engine.dispose()
    assert done.looked == len(names)
