"""The fields of a contact's document, by whichever of their names they have. Pure. The document: `contacts_reading`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.cxone import names, reading

PHONE = 4  # mediaTypeId

_LONGEST = timedelta(days=366)  # a length beyond is no call's: added to a time it may lie beyond what there is

_DURATION = re.compile(r"^P(?:(?P<d>[\d.]+)D)?(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?$")


def is_contact(document: object) -> bool:
    """Whether a saved document is one of this profile."""
    whole = reading.mapping(document)
    own = ("contactId", "contactStateHistory", "activeContacts", "completedContacts")
    return whole.get("profile") == "contacts" or any(key in whole for key in own)


def contact_of(whole: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The contact's own row and its field path, from whichever wrapping it has."""
    for key in ("contact", "activeContacts", "completedContacts"):
        value = whole.get(key)
        if isinstance(value, list) and value:
            return reading.mapping(value[0]), f"{key}[0]"
        inner = reading.mapping(value)
        if inner:
            deeper, path = contact_of(inner) if "contactId" not in inner else (inner, "")
            return (deeper, f"{key}.{path}".rstrip(".")) if deeper else (inner, key)
    return whole, ""


def custom_data(whole: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What the script stored with the contact: name in lower case → (value, field path)."""
    found = {}
    for number, row in enumerate(reading.items(whole.get("contactCustomData"))):
        pair = reading.mapping(row)
        name = reading.text(pair.get("name")).lower()
        if name:
            found[name] = (reading.text(pair.get("value")), f"contactCustomData[{number}].value")
    return found


def session_of(whole: Mapping[str, Any]) -> str:
    """Cognigy's session, where the script stored it or Cognigy's own part names it."""
    if own := reading.text(reading.mapping(whole.get("cognigy")).get("sessionId")):
        return own
    stored = custom_data(whole)
    return next((stored[key][0] for key in names.SESSION_KEYS if stored.get(key, ("", ""))[0]), "")


def contact_ids(whole: Mapping[str, Any]) -> frozenset[str]:
    """The contact's own id, its children's and its master's: any of them may stand in Cognigy's logs."""
    contact, _ = contact_of(whole)
    tree = reading.mapping(whole.get("hierarchy"))
    children = (reading.text(reading.mapping(row).get("contactId")) for row in reading.items(tree.get("childContacts")))
    own = (word(contact, "contactId"), word(contact, "masterContactId"), word(tree, "masterContactId"))
    return frozenset(filter(None, (*own, *children)))


def word(row: Mapping[str, Any], *keys: str) -> str:
    """The first of several names that a field goes by, as text; "" and 0 as an id mean none."""
    for key in keys:
        found = reading.text(row.get(key)).strip()
        if found and found != "0":
            return found
    return ""


def when(row: Mapping[str, Any], *keys: str) -> datetime | None:
    """The first time that can be read among several names."""
    return next((found for key in keys if (found := reading.time(row.get(key))) is not None), None)


def duration(value: object) -> timedelta | None:
    """Seconds as a number or text, or ISO 8601 ("PT1M41.2S"); None if it is neither, negative, or beyond a year."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        if found := _DURATION.match(text.upper()):
            parts = {key: float(part or 0) for key, part in found.groupdict().items()}
            length = timedelta(days=parts["d"], hours=parts["h"], minutes=parts["m"], seconds=parts["s"])
        else:
            length = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        return None
    return length if timedelta() <= length <= _LONGEST else None


def flag(row: Mapping[str, Any], key: str) -> bool:
    """A yes, however it is written: true, 1, "true", "True"."""
    return str(row.get(key)).strip().lower() in ("true", "1", "yes")


def at_path(path: str, key: str) -> str:
    """The path of a field: "contact.abandoned"."""
    return f"{path}.{key}" if path else key
