"""Names that the contacts profile and Cognigy's logs rely on and that no public documentation confirms: all of them.

Everything here is a word that we look for, never a fact that we state. What is not recognised stays a plain change of
state, and a diagnosis says that it could not be told. Confirmed names (fields, paths, log lines that the extension's
own source prints) stand where they are read.
"""

from __future__ import annotations

import re

from bot.diagnosis.handover import EventKind

# The names of contact states are each tenant's own and come from /contact-state-descriptions (category and
# description). How a category is spelt is not documented; these are parts of words, asked in this order.
CATEGORIES: tuple[tuple[EventKind, tuple[str, ...]], ...] = (
    (EventKind.STATE, ("prequeue", "postqueue", "inactive", "ivr", "hold", "consult", "conference", "transition")),
    (EventKind.REFUSED, ("refus",)),
    (EventKind.QUEUED, ("queue",)),
    (EventKind.OFFERED, ("routing", "ringing", "offer", "alerting")),
    (EventKind.CONNECTED, ("withagent", "active", "talking", "connected")),
    (EventKind.DISCONNECTED, ("abandon",)),
    (EventKind.ENDED, ("endcontact", "contactend", "callend", "release", "complete", "disconnect")),
)
ENDS = ("end", "ended")  # as the whole name alone: within a word they mean no end ("pending", "attendant", "suspended")
SCRIPT_STATES = ("prequeue", "ivr")  # the contact stands in its Studio script, where a voicebot can be

# Keys under which a script may store the bot's session with the contact (`/contacts/{id}/custom-data`).
SESSION_KEYS = ("cognigysessionid", "cognigysession", "sessionid", "botsessionid")
BOT_KEYS = (*SESSION_KEYS, "spawnedcontactid", "ocpsessionid", "invocationid", "ivaparams")
TARGET_KEYS = ("voiceskillid", "targetskillid")  # the skill that the bot asked for
TRANSCRIPT_KEY = "cxonetmstranscriptpostedstatus"

# Where a log entry of Cognigy's says which session and which CXone contact it is about, within the entry or its `meta`.
LOG_SESSION_KEYS = ("sessionId", "session_id", "sessionid")
LOG_CONTACT_KEYS = ("spawnedContactId", "cxoneContactId", "acdContactId")

# A log filter that may or may not be honoured; entries are always checked again on our side.
LOG_QUERY = {"session": "sessionId", "type": "type"}

# Where the API of an area answers if the configuration names the area alone (seen in public code, not documented).
AREA_HOST = "https://api-{area}.niceincontact.com"

# How many days one question about completed contacts may span; one public client clamps to this.
COMPLETED_DAYS = 30

# The bulk form of the stored data exists by documentation; this path of it is a guess, and a 404 turns it off.
BULK_CUSTOM_DATA = "/contacts/custom-data"

# Under which keys the server's time comes.
SERVER_TIME_KEYS = ("serverTime", "ServerTime", "currentTime")

# Where the hours of operation say their time zone, and a holiday its day.
ZONE_KEYS = ("timeZone", "timeZoneName", "timezone", "timeZoneId")
HOLIDAY_KEYS = ("date", "holidayDate", "startDate")

# Under which key an agent's history comes, and how its rows call their start.
AGENT_HISTORY_KEYS = ("agentStateHistory", "agentStates", "stateHistory", "agentStateHistories")
STARTED_KEYS = ("startDate", "stateStartDate", "startTime", "lastUpdateTime")

_NOT_LETTERS = re.compile(r"[^a-z]")


def kind_of(*names: str) -> EventKind | None:
    """What a state means, by the first of its names that is recognised: category, then description, then its name."""
    for name in names:
        plain = _NOT_LETTERS.sub("", name.lower())
        if not plain:
            continue
        if plain in ENDS:
            return EventKind.ENDED
        for kind, words in CATEGORIES:
            if any(word in plain for word in words):
                return kind
    return None


def in_script(*names: str) -> bool:
    """Whether one of a state's names says that the contact stands in its script."""
    return any(word in _NOT_LETTERS.sub("", name.lower()) for name in names for word in SCRIPT_STATES)
