"""A contact centre that lives: calls come and end all the time, and every few minutes something breaks.

`tick(now)` carries the world on, in steps of half a second from the first tick on, so that it comes out the same
however often it is called: a seed makes a run repeatable. Nothing is stored but calls, figures and flow versions in the
tenant. `speed` makes more calls and shortens talk and waiting; the gaps that a judgement rests on stay.
"""

from __future__ import annotations

import random
import threading
import uuid
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.demo import cast
from bot.demo.documents import stamp
from bot.demo.parts import BOT, CALLER, asks, begin, over, refused
from bot.demo.staff import Agent, Desk
from bot.demo.story import Leg, Step, Story, What
from bot.demo.tenant import Tenant
from bot.demo.troubles import AFFECTED, NOW_AND_THEN, REFUSED_WITH_NOBODY_THERE, TROUBLES, WAYS

STEP = 0.5
LONGEST = 3600.0  # seconds that one tick makes up for
CALL_EVERY = 5.0  # seconds between two calls at speed 1, on average
AREAS = (212, 303, 415, 503, 617, 702, 808, 913)
LISTENS = {"type": "event", "event": "sessionTransfer"}


class Centre:
    """The world around a tenant. `trouble` is what is broken now, "" when all is well."""

    def __init__(self, tenant: Tenant, *, clock: Clock, seed: int = 1, speed: float = 1.0) -> None:
        self.trouble = ""
        self._tenant = tenant
        self._clock = clock
        self.speed = speed
        self._random = random.Random(seed)  # noqa: S311 - a repeatable world, no secret
        self._opened: datetime | None = None
        self._steps = 0
        self._next_call = 0.0
        self._change_at = 60.0 / speed  # when the next trouble begins, or this one ends
        self._order: list[str] = ["deploy", "meeting"]  # the first two are the same in every run
        self._wanted = ""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._callers = [f"+1{area}55501{number:02d}" for area in AREAS for number in range(0, 100, 7)]
        self._desks = {
            cast.BILLING: self._desk(cast.BILLING, "Billing", 5),
            cast.SUPPORT: self._desk(cast.SUPPORT, "Support", 6),
            cast.CLAIMS: self._desk(cast.CLAIMS, "Claims", 4),
        }

    # ---- life ----

    def start(self) -> None:
        """Carry the world on by itself, four times a second."""
        self._thread = threading.Thread(target=self._run, name="centre", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stand still."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.tick(self._clock.now())
            self._stopped.wait(0.25)

    def cause(self, trouble: str) -> None:
        """Let that trouble begin at the next tick, in place of what is broken now."""
        if trouble not in TROUBLES:
            raise KeyError(f"no trouble {trouble}; there are {', '.join(TROUBLES)}")
        self._wanted = trouble

    def tick(self, now: datetime) -> None:
        """Let everything happen that happens until `now`."""
        with self._lock:
            if self._opened is None:
                self._opened = now
            until = (now - self._opened).total_seconds()
            missed = until - self._steps * STEP - LONGEST
            if missed > 0:  # the machine slept: the world did too
                self._opened += timedelta(seconds=missed)
                until -= missed
            while self._steps * STEP <= until:
                self._step(self._steps * STEP)
                self._steps += 1
            self._show(until)

    # ---- one step ----

    def _step(self, at: float) -> None:
        """Troubles first, then who goes on a break, then the calls that begin."""
        if self._wanted or at >= self._change_at:
            self._change(at)
        if self._random.random() < 0.004 * self.speed:
            self._break(at)
        while self._next_call <= at:
            self._call(at)
            self._next_call += self._random.expovariate(self.speed / CALL_EVERY)

    def _change(self, at: float) -> None:
        """The trouble ends, or the next one begins."""
        if self.trouble == "deploy":
            self._publish(at, listens=True)
        if self.trouble and not self._wanted:
            self.trouble = ""
            self._change_at = at + self._random.uniform(90, 180) / self.speed
            return
        if self._wanted:
            self.trouble, self._wanted = self._wanted, ""
        else:
            self.trouble = self._order.pop(0)
            if not self._order:
                rest = [name for name in TROUBLES if name != self.trouble]
                self._order = self._random.sample(rest, len(rest))
        end = at + TROUBLES[self.trouble][1] * 60 / self.speed
        self._change_at = end
        if self.trouble == "deploy":
            self._publish(at, listens=False)
        if self.trouble == "meeting":
            self._desks[cast.BILLING].send_away(at, end, "Meeting")

    def _publish(self, at: float, *, listens: bool) -> None:
        """A new version of the Studio flow."""
        flow = self._tenant.flows[cast.FLOW]
        self._tenant.flows[cast.FLOW] = flow | {
            "version": flow["version"] + 1,
            "publishedDate": stamp(self._time(at)),
            "triggers": [LISTENS] if listens else [],
        }

    def _break(self, at: float) -> None:
        """Somebody who is free goes on a break."""
        desk = self._random.choice(list(self._desks.values()))
        free = [agent for agent in desk.agents if agent.free_from(at) == at]
        if len(free) > 1:
            self._random.choice(free).take(at, at + self._random.uniform(120, 400) / self.speed, "Break")

    # ---- calls ----

    def _call(self, at: float) -> None:
        """A caller rings; what becomes of it rests on the hour."""
        number = self._random.choice(self._callers)
        scenario = self._odd_scenario() or self._trouble_scenario()
        story = None if scenario else self._usual(at)
        self._tenant.place(
            scenario or "as usual",
            number,
            at=self._time(at),
            speed=1.0 if story else self.speed,  # the world's own stories are told at its speed already
            story=story,
            id_=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
        )

    def _odd_scenario(self) -> str:
        """One of the things that happen now and then, or none."""
        draw = self._random.uniform(0, 100)
        for name, share in NOW_AND_THEN.items():
            draw -= share
            if draw < 0:
                return name
        return ""

    def _trouble_scenario(self) -> str:
        """What the present trouble makes of a call, or "" where it leaves it alone."""
        shares = AFFECTED.get(self.trouble)
        return self._random.choices(list(shares), list(shares.values()))[0] if shares else ""

    def _usual(self, at: float) -> Story:
        """A call that is handed over to a queue, to the flow that leads to Claims, or to an agent by name."""
        talk = max(self._random.uniform(15, 60) / self.speed, 2.0)
        match self._random.choices(list(WAYS), list(WAYS.values()))[0]:
            case "billing":
                return self._queued(at, talk, self._desks[cast.BILLING], cast.BILLING)
            case "support":
                return self._queued(at, talk, self._desks[cast.SUPPORT], cast.SUPPORT)
            case "flow" if self._tenant.flows[cast.FLOW]["triggers"]:
                return self._queued(at, talk, self._desks[cast.CLAIMS], cast.FLOW)
            case "flow":
                silence = max(self._random.uniform(20, 50) / self.speed, 8.0)
                return _story(begin(talk), asks(cast.FLOW), over(silence, least=8.0))
            case _:
                return self._to_agent(at, talk)

    def _queued(self, at: float, talk: float, desk: Desk, to: str) -> Story:
        """The queue takes it if it has room; then an agent, or the caller's patience, ends the wait."""
        asked = at + talk + 0.2
        bye = max(20 / self.speed, 2.0)
        away = all(agent.state(asked) not in ("Available", "OnCall") for agent in desk.agents)
        if desk.waiting(asked) >= desk.room:
            return _story(begin(talk), asks(to), refused("QUEUE_FULL"), over(bye))
        if away and self._random.random() < REFUSED_WITH_NOBODY_THERE:
            return _story(begin(talk), asks(to), refused("NO_AGENTS_AVAILABLE"), over(bye))
        queued = asked + 1.2
        agent, free = desk.next_agent(queued)
        patience = max(self._random.uniform(60, 240) / self.speed, 8.0)
        leg = Leg("queue", desk.name, "queue", desk.id)
        taken = (
            Step(gap=0.5, what=What.ACCEPTS),
            Step(gap=0.7, what=What.QUEUES, who="queue"),
        )
        if free - queued > patience:
            desk.waits.append((queued, queued + patience))
            return _story(begin(talk), asks(to), taken, over(patience, least=8.0), queue=leg)
        wait = free - queued + 0.5
        answer = max(self._random.uniform(2, 7) / self.speed, 0.8)
        chat = max(self._random.expovariate(1 / 75) / self.speed, 3.0)
        joined = queued + wait + answer
        desk.waits.append((queued, joined))
        agent.take(queued + wait, joined + chat + 2.0, "OnCall")
        return _story(begin(talk), asks(to), taken, _answered(wait, answer, chat), queue=leg, agent=_leg(agent))

    def _to_agent(self, at: float, talk: float) -> Story:
        """An agent by name, who answers, or is not free."""
        agent = self._random.choice(self._desks[cast.SUPPORT].agents[:2])
        asked = at + talk + 0.2
        if agent.free_from(asked) > asked:
            return _story(begin(talk), asks(agent.id), refused("AGENT_NOT_AVAILABLE"), over(max(15 / self.speed, 2.0)))
        chat = max(self._random.expovariate(1 / 75) / self.speed, 3.0)
        agent.take(asked + 1.0, asked + 4.0 + chat, "OnCall")
        return _story(begin(talk), asks(agent.id), _answered(1.0, 2.0, chat), agent=_leg(agent))

    # ---- what can be seen of it ----

    def _show(self, at: float) -> None:
        """The figures of the queues and the states of the agents, as the API tells them."""
        for desk in self._desks.values():
            desk.forget(at)
            self._tenant.queues[desk.id] = self._tenant.queues[desk.id] | {
                "agentsLoggedIn": len(desk.agents),
                "agentsAvailable": desk.available(at),
                "waiting": desk.waiting(at),
            }
            for agent in desk.agents:
                self._tenant.users[agent.id] = {
                    "id": agent.id,
                    "name": agent.name,
                    "state": {"stateName": agent.state(at)},
                }

    def _time(self, at: float) -> datetime:
        if self._opened is None:
            raise RuntimeError("the centre opens with its first tick")
        return self._opened + timedelta(seconds=at)

    @staticmethod
    def _desk(id_: str, name: str, agents: int) -> Desk:
        names = ("Ada", "Bo", "Cleo", "Dov", "Eve", "Finn")[:agents]
        return Desk(id_, name, [Agent(cast.ident(f"{name} {one}"), f"{one} of {name}") for one in names])


def _answered(wait: float, answer: float, chat: float) -> tuple[Step, ...]:
    """Rung after `wait`, answered after `answer`, and over after `chat`."""
    return (
        Step(gap=wait, what=What.RINGS, who="agent"),
        Step(gap=answer, what=What.JOINS, who="agent"),
        Step(gap=0.3, what=What.LEAVES, who="bot"),
        *over(chat),
    )


def _leg(agent: Agent) -> Leg:
    return Leg("agent", agent.name, "user", agent.id)


def _story(*steps: Step | tuple[Step, ...], **legs: Leg) -> Story:
    row: list[Step] = []
    for step in steps:
        row.extend([step] if isinstance(step, Step) else step)
    return Story(legs={"caller": CALLER, "bot": BOT, **legs}, steps=tuple(row))
