"""A number or an id → the facts a diagnosis needs, in as few round trips as there can be.

The path is list → details → target, each waiting for the one before and for nothing else: pages are read in parallel,
the best hit's details while further pages still arrive, the number's other calls beside its own, a target's three kinds
at once. One deadline holds for all of it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot import phone
from bot.clock import Clock
from bot.cxone.contacts import Contacts
from bot.cxone.http import Deadline, NotFoundError
from bot.cxone.lookup import LookUp
from bot.cxone.notfound import ConversationNotFound, no_id
from bot.cxone.platform import Conversations
from bot.cxone.queries import ById, ByNumber, BySession, Known, OnProgress, Progress, Query
from bot.diagnosis.handover import Diagnosis, Peers, Report, Target, TargetKind, Timing

__all__ = ["ById", "ByNumber", "BySession", "ConversationNotFound", "Investigator", "Known", "Progress", "Query"]

_LOOK_AGAIN = (1.0, 2.0)  # seconds until a list without the number is read again


class Investigator:
    """Looks up what people ask for. Threads may share one."""

    def __init__(
        self,
        platform: Conversations | Contacts,
        clock: Clock,
        timing: Timing | None = None,
        deadline_seconds: float = 20.0,
        lookback: timedelta = timedelta(hours=24),
        *,
        peers_of: Callable[[Diagnosis], Peers | None] | None = None,
        known: Callable[[phone.Number], Known | None] | None = None,
        look_again: Sequence[float] = _LOOK_AGAIN,
    ) -> None:
        """`known` gives what an index knows of a number, and from when on the list is to be read beside it."""
        self.platform = platform
        self.clock = clock
        self.timing = timing or Timing()
        self.deadline_seconds = deadline_seconds
        self.lookback = lookback
        self.peers_of = peers_of
        self.known = known
        self.look_again = look_again
        self.errands = concurrent.futures.ThreadPoolExecutor(8, thread_name_prefix="errand")

    def close(self) -> None:
        """End the threads."""
        self.errands.shutdown(wait=False, cancel_futures=True)
        self.platform.close()

    def look_up(
        self, query: Query, *, deadline: Deadline | None = None, on_progress: OnProgress | None = None
    ) -> Report:
        """The diagnosis of the call that is meant. Raises ConversationNotFound, CXoneError (with what was learned)."""
        with self._within(deadline) as limit:
            return LookUp(self, limit, on_progress).report(query)

    def target(self, kind: TargetKind, target_id: str, deadline: Deadline | None = None) -> Target:
        """What the platform says of one user, queue or flow; why not, if it could not be asked."""
        with self._within(deadline) as limit:
            return self.platform.target_of_kind(kind, target_id, limit)

    def document(self, conversation_id: str, deadline: Deadline | None = None) -> Mapping[str, Any]:
        """A conversation as the platform gives it, for "Raw events". Raises ConversationNotFound, CXoneError."""
        with self._within(deadline) as limit:
            try:
                return self.platform.document(conversation_id, limit)
            except NotFoundError:
                raise no_id(conversation_id, self.platform.tenant, self.platform.host) from None

    @contextlib.contextmanager
    def _within(self, deadline: Deadline | None) -> Iterator[Deadline]:
        """The deadline that was handed in, which goes on; else one of our own, which ends with the block."""
        if deadline is not None:
            yield deadline
            return
        with Deadline(self.clock, self.deadline_seconds) as own:
            yield own
