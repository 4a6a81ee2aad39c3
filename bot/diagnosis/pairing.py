"""Which answer belongs to which request: every event and leg is looked at once, in time order.

A refusal answers the nearest earlier request that has no answer yet, an acceptance the one whose target it names;
what comes up to two seconds early may still answer the next request. Nothing here judges.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.diagnosis.attempts import NOT_TAKEN, RINGING, TAKEN, Request, Sign, last_queue, session_of
from bot.diagnosis.handover import Conversation, Event, EventKind, Participant, Timing
from bot.diagnosis.keys import Keys, top, without_answer
from bot.diagnosis.order import Step
from bot.diagnosis.parties import QUEUES, Parties, is_agent

_TWICE = timedelta(seconds=5)  # the same request again while the first has no answer
_TWICE_TAKEN = timedelta(seconds=30)  # the same, when the first was already taken
_TRANSFER, _REJECTED, _ACCEPTED = EventKind.TRANSFER, EventKind.REJECTED, EventKind.ACCEPTED
_CONNECTED = EventKind.CONNECTED
_RINGS = frozenset({EventKind.OFFERED, EventKind.REFUSED})
_CHANGES = _RINGS | {EventKind.QUEUED, EventKind.STATE}


class _Early(NamedTuple):
    """A sign that came before any request it could answer, and the earlier request that holds it meanwhile."""

    sign: Sign
    event: Event | None
    holder: Request | None
    copy: bool = False  # of one that came before it


def requests_of(
    conversation: Conversation, parties: Parties, timing: Timing, steps: list[Step], left: datetime | None
) -> tuple[Request, ...]:
    """The requests of a conversation in time order, each with its answers. `left` is when the caller did."""
    asked = [event for _, event, _ in steps if event.kind is _TRANSFER]
    if not asked:
        return ()
    pairing = _Pairing(conversation, parties, timing, asked)
    pairing.too_late = left + timing.early if left is not None else None
    return pairing.run(steps)


class _Pairing:
    """One walk over a conversation. Every request enters and leaves each list at most once: the walk is linear."""

    def __init__(self, conversation: Conversation, parties: Parties, timing: Timing, asked: list[Event]) -> None:
        self.conversation = conversation
        self.parties = parties
        self.timing = timing
        self.keys = Keys(parties)
        self.without_answer: dict[tuple[str, str], list[Request]] = defaultdict(list)  # by sender and target; "" is any
        self.held: dict[str, list[Request]] = defaultdict(list)  # by target: not refused so far; "" is any
        self.refused: dict[str, Request] = {}
        self.early: dict[tuple[str, str], _Early] = {}
        self.lost: list[tuple[Event | None, Sign, str]] = []  # answers that stand before every request
        self.seen: set[str] = set()
        self.refusals: set[tuple[object, ...]] = set()  # all that each says, without its place in the document
        self.too_late: datetime | None = None  # who comes later than this found no caller
        self.requests = [self._request(number, event) for number, event in enumerate(asked, 1)]

    def run(self, steps: list[Step]) -> tuple[Request, ...]:
        pending = iter(self.requests)
        any_asked = False
        for _, event, leg in steps:
            kind = event.kind
            if kind is _TRANSFER:
                any_asked = True
                self._asked(next(pending))
            elif kind is _REJECTED:
                self._refused(event)
            elif kind is _ACCEPTED:
                self._accepted(event, leg)
            elif kind is _CONNECTED:
                self._joined(event, leg)
            elif any_asked and kind in _CHANGES:
                self._changed(event, leg)
        for each in self.conversation.participants:
            if each.path not in self.seen and each.path not in self.parties.machine_paths:
                self._leg(each)
        if self.lost:
            self._place_the_lost()
        return tuple(self.requests)

    # ---- requests ----

    def _request(self, number: int, event: Event) -> Request:
        parties = self.parties
        ref = parties.target(event.to_id)
        sender = parties.find(event.from_id) if event.from_id else None
        leg = parties.find(event.to_id) if event.to_id else None
        by = "bot" if parties.bots else "unknown"
        if sender is not None and sender.path in parties.bot_paths:
            by = "bot"
        elif sender is not None and is_agent(sender):
            by = "agent"
        if ref is not None:
            self.keys.known[ref.asked] = self.keys.known[ref.id] = ref.id
        return Request(number, event, by, sender, ref, leg, event.at)

    def _asked(self, request: Request) -> None:
        key, sender = self.keys.find(request.event.to_id), request.event.from_id
        first = self._first_of_two(request, key)
        if first is not None:
            request.duplicate_of = first.number
        if self.early:
            self._claim(request, key)
        rows = [self.held[""], self.without_answer["", ""]]
        if key:
            rows += self.held[key], self.without_answer["", key]
        if sender:
            rows.append(self.without_answer[sender, ""])
        if key and sender:
            rows.append(self.without_answer[sender, key])
        for row in rows:
            row.append(request)
            if first is not None and len(row) > 1 and row[-2] is first:
                # The answer that comes first is the first request's: it stays on top of its own repetition.
                row[-2:] = request, first

    def _first_of_two(self, request: Request, key: str) -> Request | None:
        before = top(self.held[key]) if key else None
        if before is None or before.at is None or request.at is None:
            return None
        sessions = {session_of(before.event), session_of(request.event)} - {""}
        if len(sessions) > 1 or request.at - before.at > (_TWICE if before.open else _TWICE_TAKEN):
            return None
        return before

    def _claim(self, request: Request, key: str) -> None:
        """Give the request what came up to two seconds before it and answers nothing earlier."""
        for name in (("refused", key), ("refused", ""), ("taken", key), ("taken", ""), ("agent", "")):
            early = self.early.get(name)
            if early is None or early.sign.at is None or request.at is None:
                continue
            if early.copy and early.sign.at < request.at:
                continue
            own = early.sign.who is not None and early.sign.who is request.sender
            if own or early.sign.at < request.at - self.timing.early or not request.open:
                continue
            del self.early[name]
            if early.holder is not None:
                early.holder.late = early.holder.taken_back = None
                if early.holder.queued is not None and early.holder.queued.who is early.sign.who:
                    early.holder.queued = None
            if name[0] == "refused":
                request.rejection = early.event
                self.refused[key] = self.refused[""] = request
            else:
                request.take(early.sign)

    # ---- answers ----

    def _refused(self, event: Event) -> None:
        key, request = self._nearest(event)
        said = (event.at, event.from_id, event.to_id, event.participant_id, event.reason, event.code, event.status)
        copy = event.at is not None and said in self.refusals
        self.refusals.add(said)
        if request is not None:
            request.rejection = event
            self.refused[key] = self.refused[""] = self.refused[self.keys.find(request.event.to_id)] = request
            return
        sign = Sign(event.path, event.type, event.at, None, names_target=True)
        holder = top(self.held[key]) if not copy else None
        if holder is not None and holder.taken_back is None:
            holder.taken_back = event
        self.early["refused", key] = _Early(sign, event, holder, copy)
        if holder is None and not copy:
            self.lost.append((event, sign, key))

    def _accepted(self, event: Event, leg: Participant | None) -> None:
        key, request = self._nearest(event)
        sign = Sign(event.path, TAKEN, event.at, leg, names_target=True)
        if request is None:
            request = top(self.held[key])
        if request is not None:
            request.take(sign)
            return
        self._too_late_or_early(key, "taken", sign)

    def _changed(self, event: Event, leg: Participant | None) -> None:
        """A leg was queued, rung, refused, or changed otherwise."""
        if event.kind in _RINGS and leg is not None and leg.path in self.parties.machine_paths:
            return
        key = self.keys.of(leg, event.participant_id)
        request = top(self.held[key])
        if request is None:
            return
        sign = Sign(event.path, event.state or event.type, event.at, leg, names_target=bool(key))
        if event.kind is EventKind.QUEUED:
            request.queued = last_queue(request.queued, sign)
            request.accepted = request.accepted or sign
        elif event.kind is EventKind.STATE:
            request.reacted = request.reacted or sign
        else:
            request.offered = request.offered or sign
            if event.kind is not EventKind.REFUSED:
                request.rung = sign
            else:
                request.refusals.append(sign)
                if request.rung is not None and request.rung.who is leg:
                    request.rung = None

    def _joined(self, event: Event, leg: Participant | None) -> None:
        """A leg came, as an event or its own time tells. A caller who is back answers nothing."""
        if leg is not None and leg.path in self.parties.machine_paths:
            return
        id_ = event.participant_id
        mark = leg.path if leg is not None else id_
        again, key = mark in self.seen, self.keys.of(leg, id_)
        self.seen.add(mark)
        sign = Sign(event.path, event.state or event.type, event.at, leg, bool(key))
        if leg is not None and event.at is not None and self.too_late is not None and event.at > self.too_late:
            self._came_too_late(sign, key)
            return
        if key:
            request = top(self.held[key])
            if request is not None and request.at is None and sign.path.endswith("Time"):
                request.undecided = True
            elif request is not None:
                request.take(sign)
            else:
                self._too_late_or_early(key, "taken", sign)
            return
        self._somebody_joined(leg, sign, again=again)

    def _somebody_joined(self, leg: Participant | None, sign: Sign, *, again: bool) -> None:
        """Somebody else came than was asked for."""
        request = top(self.held[""])
        if leg is None or not (is_agent(leg) or leg.purpose in QUEUES):
            if request is not None and not again:
                request.reacted = request.reacted or sign
        elif again or (request is not None and leg is request.sender):
            return
        elif request is not None and request.at is None and sign.path.endswith("Time"):
            request.undecided = True
        elif request is not None:
            request.take(sign)
        else:
            self._too_late_or_early("", "agent", sign)

    def _came_too_late(self, sign: Sign, key: str) -> None:
        """The caller had gone: an agent was about to take the call, and answered nobody."""
        request = top(self.held[key])
        if request is not None and sign.who is not None and is_agent(sign.who) and sign.who is not request.sender:
            request.offered = request.offered or sign

    def _too_late_or_early(self, key: str, name: str, sign: Sign) -> None:
        """Who came did so though the request had been refused, or just before it was made."""
        new_agent = sign.who is not None and is_agent(sign.who)
        holder = self.refused.get(key) if key or new_agent or sign.value == TAKEN else None
        if holder is not None:
            before = holder.late
            if before is None or (new_agent and (before.who is None or not is_agent(before.who))):
                holder.late = sign
            if sign.who is not None and sign.who.purpose in QUEUES:
                holder.queued = last_queue(holder.queued, sign)
        self.early[name, key] = _Early(sign, None, holder)
        if holder is None:
            self.lost.append((None, sign, key))

    def _nearest(self, event: Event) -> tuple[str, Request | None]:
        """The key of the target that an answer names, and the nearest earlier request without an answer."""
        key = self.keys.find(event.to_id) or self.keys.find(event.participant_id)
        if event.from_id:
            found = without_answer(self.without_answer.get((event.from_id, key)))
            if found is not None:
                return key, found
        return key, without_answer(self.without_answer.get(("", key)))

    # ---- what the legs say, and what has no place in time ----

    def _leg(self, leg: Participant) -> None:
        """A leg that never connected was rung; one connected since nobody knows when is an answer too."""
        key = self.keys.of(leg, leg.id)
        request = top(self.held[key])
        if request is None or (leg.ended_at and request.at and leg.ended_at < request.at):
            return
        state = Sign(f"{leg.path}.state", leg.state, None, leg, bool(key))
        if leg.state == "connected" and (key or is_agent(leg)):
            if key and is_agent(leg):
                request.take(state)
            else:
                request.undecided = True
        elif leg.purpose in QUEUES and leg.state in ("queued", "waiting"):
            request.accepted, request.queued = request.accepted or state, request.queued or state
        elif is_agent(leg):
            if leg.state in RINGING:
                request.offered, request.rung = request.offered or state, request.rung or state
            if leg.disconnect_type in NOT_TAKEN:
                sign = Sign(f"{leg.path}.disconnectType", leg.disconnect_type, leg.ended_at, leg, bool(key))
                request.offered = request.offered or sign
                request.refusals.append(sign)

    def _place_the_lost(self) -> None:
        """Where times are missing, the one request without an answer gets the one answer; else nobody can tell."""
        waiting = [request for request in self.requests if request.open]
        if not waiting:
            return
        only = waiting[0] if len(waiting) == 1 else None
        doubtful: set[tuple[str, bool]] = set()
        for event, sign, key in self.lost:
            timed = sign.at is not None
            if only is None or not only.open or not (event is not None or sign.value == TAKEN):
                doubtful.add((key, timed))
            elif not timed or only.at is None:
                if event is not None:
                    only.rejection = event
                else:
                    only.take(sign)
        for request in waiting:
            keys = {"", self.keys.find(request.event.to_id)}
            cases = {(key, timed) for key in keys for timed in ((False, True) if request.at is None else (False,))}
            if request.open and not cases.isdisjoint(doubtful):
                request.undecided = True
