"""Who works in the living centre, and who waits for them. Times are seconds since the centre opened."""

from __future__ import annotations

from dataclasses import dataclass, field

FORGET = 3600.0  # what ended so long ago is forgotten


@dataclass(slots=True)
class Agent:
    """Somebody at a desk. `busy` are spans with the state shown meanwhile; none overlaps another."""

    id: str
    name: str
    busy: list[tuple[float, float, str]] = field(default_factory=list)

    def state(self, at: float) -> str:
        """`Available`, or what keeps the agent."""
        return next((state for begin, end, state in self.busy if begin <= at < end), "Available")

    def free_from(self, at: float) -> float:
        """From when on there is nothing planned any more."""
        return max([at, *(end for _, end, _ in self.busy)])

    def take(self, begin: float, end: float, state: str) -> None:
        """Be busy for that time."""
        self.busy.append((begin, end, state))

    def forget(self, at: float) -> None:
        """Let go of what is long over."""
        self.busy = [span for span in self.busy if span[1] > at - FORGET]


@dataclass(slots=True)
class Desk:
    """A queue with its agents; `waits` are spans in which a caller stood in it."""

    id: str
    name: str
    agents: list[Agent]
    room: int = 4  # callers that may wait
    waits: list[tuple[float, float]] = field(default_factory=list)

    def waiting(self, at: float) -> int:
        """How many stand in it."""
        return sum(1 for begin, end in self.waits if begin <= at < end)

    def available(self, at: float) -> int:
        """How many agents could take a call."""
        return sum(1 for agent in self.agents if agent.state(at) == "Available")

    def next_agent(self, at: float) -> tuple[Agent, float]:
        """Who is free first, and from when on."""
        agent = min(self.agents, key=lambda one: one.free_from(at))
        return agent, agent.free_from(at)

    def send_away(self, begin: float, end: float, state: str) -> None:
        """All agents leave their desks after what they do now."""
        for agent in self.agents:
            start = agent.free_from(begin)
            if start < end:
                agent.take(start, end, state)

    def forget(self, at: float) -> None:
        """Let go of what is long over."""
        self.waits = [span for span in self.waits if span[1] > at - FORGET]
        for agent in self.agents:
            agent.forget(at)
