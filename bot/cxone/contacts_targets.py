"""What a handover can go to, as the contacts API tells it: a skill, an agent, or the script behind a point of contact.

Pure: each function takes the answers of several calls by the name of the part, absent where a call failed, and the time
of the failure, `at`, where the platform keeps a history. What is read of the present is stamped with `read_at`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.cxone import names, reading
from bot.cxone.contacts_fields import PHONE, duration, when, word
from bot.diagnosis.handover import Moment, Target, TargetKind, TargetStatus

Parts = Mapping[str, Any]

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BEFORE, _AFTER = timedelta(minutes=2), timedelta(minutes=2)
_WAIT_KEYS = ("earliestQueueTime",)


def parse_skill(skill_id: str, parts: Parts, read_at: datetime, at: datetime | None = None) -> Target:
    """A skill. Parts: `skill`, `activity`, `agents`, `hours` (the list of all profiles)."""
    skill = _one(parts.get("skill"), "skill", "skills")
    activity = _one(parts.get("activity"), "skillActivity")
    available = reading.whole(_first(activity, "agentsAvailable", "agentsAvaliable"))
    active = reading.flag(skill.get("isActive"))
    oldest = when(activity, *_WAIT_KEYS)
    medium = reading.whole(_first(skill, "mediaTypeId", "mediaType"))
    takes = None if medium is None else medium == PHONE and reading.flag(skill.get("isOutbound")) is not True
    hours, closed = opening(parts.get("hours"), skill_id, at)
    assigned = None
    if "agents" in parts:
        rows = reading.items(reading.mapping(parts["agents"]).get("agentSkillAssignments"))
        assigned = sum(1 for row in rows if reading.flag(reading.mapping(row).get("isActive")) is not False)
    return Target(
        id=skill_id,
        kind=TargetKind.QUEUE,
        name=word(skill, "skillName", "name") or word(activity, "skillName"),
        status=TargetStatus.ERROR if active is False else TargetStatus.OK,
        is_available=None if available is None else available > 0,
        read_at=read_at,
        is_active=active,
        logged_in=reading.whole(activity.get("agentsLoggedIn")),
        available=available,
        waiting=reading.whole(activity.get("queueCount")),
        longest_wait=max(read_at - oldest, timedelta()) if oldest else None,
        closed_then=closed,
        hours=hours,
        assigned=assigned,
        takes_calls=takes,
    )


def parse_agent(agent_id: str, parts: Parts, read_at: datetime, at: datetime | None = None) -> Target:
    """An agent. Parts: `agent`, `states` (now), `history` (the minutes of the failure)."""
    agent = _one(parts.get("agent"), "agent", "agents")
    now = _one(parts.get("states"), "agentStates", "agentState")
    state = state_words(now)
    active = reading.flag(agent.get("isActive"))
    rows = _rows(parts.get("history"), *names.AGENT_HISTORY_KEYS)
    then, moments = minutes_of(rows, at)
    full = " ".join(filter(None, (word(agent, "firstName"), word(agent, "lastName")))) or word(agent, "userName")
    return Target(
        id=agent_id,
        kind=TargetKind.USER,
        name=full,
        status=TargetStatus.ERROR if active is False else TargetStatus.OK,
        state=state,
        is_available=None if not state else word(now, "agentStateName") == "Available",
        read_at=read_at,
        is_active=active,
        state_then=then,
        moments=moments,
    )


def parse_point(point_id: str, parts: Parts, read_at: datetime, at: datetime | None = None) -> Target:
    """A point of contact and its script. Parts: `point`, `script` (its JSON), `versions` (its history)."""
    rows = reading.items(reading.mapping(parts.get("point")).get("pointsOfContact"))
    own = [row for row in rows if word(reading.mapping(row), "pointOfContactId", "contactCode") == point_id]
    point = reading.mapping(own[0] if own else rows[0] if rows else parts.get("point"))
    script = reading.mapping(parts.get("script"))
    active = reading.flag(point.get("isActive"))
    saved, version = _saved(_rows(parts.get("versions"), "versions"), at)
    return Target(
        id=point_id,
        kind=TargetKind.FLOW,
        name=word(reading.mapping(script.get("header")), "scriptName") or word(point, "scriptName"),
        status=TargetStatus.ERROR if active is False else TargetStatus.OK,
        read_at=read_at,
        is_active=active,
        listens=_listens(script),
        version=version,
        published_at=saved,
    )


def opening(document: object, skill_id: str, at: datetime | None) -> tuple[str, bool | None]:
    """The hours that hold for a skill on the day of `at`, as people say them, and whether it was closed then.

    None where no profile names the skill, no day fits, or the profile does not say in which time zone it counts.
    """
    for each in _rows(document, "hoursOfOperation", "hoursOfOperationProfiles"):
        profile = reading.mapping(each)
        skills = {word(reading.mapping(row), "skillId", "id") for row in reading.items(profile.get("skills"))}
        if skill_id not in skills or at is None:
            continue
        zone = _zone(profile)
        local = at.astimezone(zone or UTC)
        day = _day(profile, local)
        if not day:
            return "", None
        said, closed = _closed(day, local)
        holidays = [when(reading.mapping(row), *names.HOLIDAY_KEYS) for row in reading.items(profile.get("holidays"))]
        if any(holiday and holiday.date() == local.date() for holiday in holidays):
            said, closed = f"{local:%Y-%m-%d} is a holiday", True
        if zone is None:
            return f"{said}, in a time zone that is not given", None
        return f"{said} ({zone.key})", closed
    return "", None


def minutes_of(rows: Sequence[object], at: datetime | None) -> tuple[str, tuple[Moment, ...]]:
    """The state at `at`, and the changes of the minutes around it: no more of somebody's day than that."""
    if at is None:
        return "", ()
    spans = []
    for each in rows:
        row = reading.mapping(each)
        start = when(row, *names.STARTED_KEYS)
        if start is not None:
            spans.append((start, duration(row.get("duration")), state_words(row)))
    spans.sort(key=lambda span: span[0])
    then = ""
    for start, lasted, state in spans:
        if start <= at and (lasted is None or at <= start + lasted + timedelta(seconds=2)):
            then = state
    near = [(start, state) for start, _, state in spans if at - _BEFORE <= start <= at + _AFTER]
    return then, tuple(Moment(start, state, "the asked agent") for start, state in near)


def state_words(row: Mapping[str, Any]) -> str:
    """A state with its reason: "Unavailable (Break)", "after-call work"."""
    state = word(row, "agentStateName", "stateName")
    if reading.flag(row.get("isACW")) is True:
        return "after-call work"
    why = word(row, "outStateDescription", "outStateName")
    return f"{state} ({why})" if state and why else state


def script_of(point: object, point_id: str) -> str:
    """The path of the script behind a point of contact."""
    rows = reading.items(reading.mapping(point).get("pointsOfContact"))
    own = [row for row in rows if word(reading.mapping(row), "pointOfContactId", "contactCode") == point_id]
    row = reading.mapping(own[0] if own else rows[0] if rows else point)
    return word(row, "scriptName")


def _closed(day: Mapping[str, Any], local: datetime) -> tuple[str, bool | None]:
    name = f"{local:%a}"
    if reading.flag(day.get("isClosedAllDay")) is True:
        return f"{name} closed all day", True
    opens, closes = _clock(day.get("openTime")), _clock(day.get("closeTime"))
    if opens is None or closes is None:
        return "", None
    minute = local.hour * 60 + local.minute
    inside = opens <= minute < closes if opens <= closes else minute >= opens or minute < closes
    return f"{name} {_shown(opens)}-{_shown(closes)}", not inside


def _clock(value: object) -> int | None:
    """A time of day as minutes: "08:00", "18:00:00", "24:00:00"; from a whole date its time."""
    text = reading.text(value).rpartition("T")[2]
    if text.startswith("24:00"):
        return 24 * 60
    try:
        read = time.fromisoformat(text.rstrip("Z"))
    except ValueError:
        return None
    return read.hour * 60 + read.minute


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _day(profile: Mapping[str, Any], local: datetime) -> Mapping[str, Any]:
    wanted = _DAYS[local.weekday()]
    for row in reading.items(profile.get("days")):
        day = reading.mapping(row)
        if reading.text(day.get("day")).lower()[:3] == wanted[:3]:
            return day
    return {}


def _zone(profile: Mapping[str, Any]) -> ZoneInfo | None:
    name = word(profile, *names.ZONE_KEYS)
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _listens(script: Mapping[str, Any]) -> bool | None:
    """Whether the script has an ONSIGNAL action; None where its actions could not be read."""
    actions = script.get("actions")
    rows = list(actions.values()) if isinstance(actions, Mapping) else reading.items(actions)
    words = {
        reading.text(reading.mapping(row).get(key)).upper() for row in rows for key in ("name", "type", "actionType")
    }
    words.discard("")
    return "ONSIGNAL" in words if words else None


def _saved(rows: Sequence[object], at: datetime | None) -> tuple[datetime | None, str]:
    """When the script that ran at `at` was saved, and which version that is; without a time the newest."""
    found = []
    for each in rows:
        row = reading.mapping(each)
        saved = when(row, "modifyDate")
        if saved is not None and (at is None or saved <= at):
            found.append((saved, word(row, "scriptId")))
    return max(found) if found else (None, "")


def _one(document: object, *keys: str) -> Mapping[str, Any]:
    """The object within an answer, however it is wrapped: alone, under its name, or as the first of a list."""
    whole = reading.mapping(document)
    for key in keys:
        value = whole.get(key)
        if isinstance(value, Mapping):
            return value
        if isinstance(value, list):
            return reading.mapping(value[0]) if value else {}
    return whole


def _rows(document: object, *keys: str) -> list[Any]:
    """The list within an answer; an answer that is one object alone is a list of it."""
    whole = reading.mapping(document)
    for key in keys:
        if isinstance(whole.get(key), list):
            return list(whole[key])
    return [whole] if "days" in whole else []


def _first(row: Mapping[str, Any], *keys: str) -> object:
    return next((row[key] for key in keys if row.get(key) is not None), None)
