"""What a handover can go to, asked for: a skill with its activity, agents and hours; an agent; a script."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.cxone import contacts_targets
from bot.cxone.contacts_calls import Body, Calls, span
from bot.cxone.errors import CXoneError, NotFoundError
from bot.cxone.http import Deadline, Priority
from bot.diagnosis.handover import Target, TargetKind, TargetStatus

HOURS_KEPT = 300.0  # seconds
_SKILL = (
    ("skill", "/skills/{id}", "skills"),
    ("activity", "/skills/{id}/activity", "skill activity"),
    ("agents", "/skills/{id}/agents", "the agents of a skill"),
)
_AGENT = (("agent", "/agents/{id}", "agents"), ("states", "/agents/{id}/states", "agent states"))
_BACK = timedelta(hours=12)  # a state that began hours before is found only if the question reaches back to it
_ON = timedelta(minutes=5)

Job = concurrent.futures.Future[Body]


class Objects:
    """The skills, agents and points of contact of one tenant."""

    def __init__(self, calls: Calls) -> None:
        """Ask nothing yet."""
        self._calls = calls
        self._ways: dict[TargetKind, Callable[[str, Deadline, Priority, datetime | None], Target]] = {
            TargetKind.QUEUE: self._skill,
            TargetKind.USER: self._agent,
            TargetKind.FLOW: self._point,
        }

    def look(
        self, kind: TargetKind, target_id: str, deadline: Deadline, priority: Priority, at: datetime | None
    ) -> Target:
        """What the platform says of it; never raises CXoneError. Histories are read for the time `at`."""
        now = self._calls.clock.now()
        if not target_id.isdigit():
            # Ids are whole numbers here: what is none cannot exist.
            return Target(id=target_id, kind=kind, status=TargetStatus.ERROR, missing=True, read_at=now)
        try:
            return self._ways[kind](target_id, deadline, priority, at)
        except NotFoundError:
            return Target(id=target_id, kind=kind, status=TargetStatus.ERROR, missing=True, read_at=now)
        except CXoneError as error:
            why = str(error).rstrip(".")
            return Target(id=target_id, kind=kind, status=TargetStatus.NOT_CHECKED, why_not_checked=why, read_at=now)

    def _skill(self, skill_id: str, deadline: Deadline, priority: Priority, at: datetime | None) -> Target:
        submit, get = self._calls.submit, self._calls.get
        jobs: dict[str, Job] = {
            key: submit(priority, get, route, skill_id, deadline, priority, what) for key, route, what in _SKILL
        }
        if at is not None:
            jobs["hours"] = submit(priority, self._hours, deadline, priority)
        parts, partly = _answers(jobs, "skill")
        target = contacts_targets.parse_skill(skill_id, parts, self._calls.clock.now(), at)
        return replace(target, partly=partly)

    def _agent(self, agent_id: str, deadline: Deadline, priority: Priority, at: datetime | None) -> Target:
        submit, get = self._calls.submit, self._calls.get
        jobs: dict[str, Job] = {
            key: submit(priority, get, route, agent_id, deadline, priority, what) for key, route, what in _AGENT
        }
        if at is not None:
            route, what, window = "/agents/{id}/state-history", "agent state history", span(at - _BACK, at + _ON)
            jobs["history"] = submit(priority, get, route, agent_id, deadline, priority, what, window)
        parts, partly = _answers(jobs, "agent")
        target = contacts_targets.parse_agent(agent_id, parts, self._calls.clock.now(), at)
        return replace(target, partly=partly)

    def _point(self, point_id: str, deadline: Deadline, priority: Priority, at: datetime | None) -> Target:
        """Two steps: the point of contact names the script."""
        submit, get = self._calls.submit, self._calls.get
        point = get("/points-of-contact/{id}", point_id, deadline, priority, "points of contact")
        script = contacts_targets.script_of(point, point_id)
        jobs: dict[str, Job] = {}
        if script:
            path = {"scriptPath": script}
            jobs["script"] = submit(priority, get, "/scripts", None, deadline, priority, "scripts", path)
            route, what = "/scripts/historyByName", "script history"
            jobs["versions"] = submit(priority, get, route, None, deadline, priority, what, path)
        parts, partly = _answers(jobs, "")
        target = contacts_targets.parse_point(point_id, {**parts, "point": point}, self._calls.clock.now(), at)
        return replace(target, partly=partly)

    def _hours(self, deadline: Deadline, priority: Priority) -> Body:
        route = "/hours-of-operation"
        return self._calls.kept(
            route, HOURS_KEPT, lambda: self._calls.get(route, None, deadline, priority, "hours of operation")
        )


def _answers(jobs: Mapping[str, Job], decisive: str) -> tuple[dict[str, Body], tuple[str, ...]]:
    """The answers by part, and why some are missing. Raises CXoneError if the decisive one failed."""
    parts: dict[str, Body] = {}
    missing = []
    for key, job in jobs.items():
        try:
            parts[key] = job.result()
        except CXoneError as error:
            if key == decisive:
                for other in jobs.values():
                    other.cancel()
                raise
            missing.append(str(error).rstrip("."))
    return parts, tuple(missing)
