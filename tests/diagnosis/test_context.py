"""What other calls and a recent publication say beside the cause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.cxone.conversations import parse
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis, Peers
from bot.diagnosis.outcomes import Code
from tests.corpus.story import after, asks, call, flow

DEPLOYED = {"version": "7", "published_at": after(-300)}
PEERS = Peers(
    attempts=40, failed=12, tenant_attempts=90, tenant_failed=12, last_accepted=after(-660), first_failed=after(-240)
)


def ignored(peers: Peers | None = None, **fields: Any) -> Diagnosis:
    """A flow that did not answer, with what is known beside."""
    return diagnose(parse(call(asks("f-main"))), flow(**fields), now=after(600), peers=peers)


def changes(found: Diagnosis) -> list[str]:
    """What is said about a change."""
    return [row.message for row in found.findings if row.code is Code.RECENT_CHANGE]


def test_peers_are_one_sentence() -> None:
    """How many failed, how the other targets do, and when it last went well."""
    assert (
        ignored(PEERS).context
        == "12 of 40 to Main flow failed in the last hour, other targets fine, last accepted 13:52 UTC"
    )


def test_other_targets_that_fail_are_counted() -> None:
    """When it fails everywhere, the target is not alone."""
    found = ignored(Peers(minutes=10, attempts=4, failed=2, tenant_attempts=9, tenant_failed=5))
    assert found.context == "2 of 4 to Main flow failed in the last 10 min, 3 of 5 to other targets failed"


def test_of_an_older_call_the_hour_before_it_is_told() -> None:
    """With the time at which that hour ended."""
    found = ignored(replace(PEERS, until=PEERS.last_accepted))
    assert found.context.startswith("12 of 40 to Main flow failed in the hour until 13:52 UTC")


def test_no_peers_no_sentence() -> None:
    """Nothing is known, nothing is said."""
    assert not ignored().context
    assert not ignored(Peers()).context


def test_published_between_success_and_failure_is_likely_the_deploy() -> None:
    """Last accepted, published, first failed: the order tells."""
    (said,) = changes(ignored(PEERS, **DEPLOYED))
    assert "13:58 UTC, last accepted 13:52 UTC, first failed 13:59 UTC: likely the deploy" in said


def test_published_before_the_last_success_and_the_failures_earlier_still() -> None:
    """Failing already before it was published: said, and no deploy is blamed."""
    peers = Peers(attempts=3, failed=2, last_accepted=after(-660), first_failed=after(-900))
    (said,) = changes(ignored(peers, **DEPLOYED))
    assert "likely the deploy" not in said


def test_accepted_after_the_publication_is_no_change() -> None:
    """A version that took handovers since is not the cause."""
    peers = Peers(attempts=3, failed=1, last_accepted=after(-100))
    assert not changes(ignored(peers, **DEPLOYED))


def test_published_after_the_failure_says_so() -> None:
    """What is read now may not be what ran then."""
    (said,) = changes(ignored(published_at=after(120)))
    assert "after this failure" in said


def test_old_publications_are_not_mentioned() -> None:
    """A day-old version explains nothing by its age."""
    assert not changes(ignored(published_at=after(-90_000)))


def test_another_version_than_at_the_last_success() -> None:
    """The version alone can tell that it changed."""
    (said,) = changes(ignored(Peers(attempts=1, version_before="6"), version="7"))
    assert "from version 6 to 7" in said
