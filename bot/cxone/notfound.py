"""No conversation: what was searched, so that "none found" says what it means. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import phone
from bot.cxone.errors import NotFoundError
from bot.diagnosis.handover import Conversation, Searched


class ConversationNotFound(Exception):  # noqa: N818 - it is what the answer says, and nothing went wrong
    """There is none, as far as was looked. `sentence` begins "No conversation"; `searched` is None for an id."""

    def __init__(self, searched: Searched | None, sentence: str) -> None:
        """Keep both."""
        super().__init__(sentence)
        self.searched = searched
        self.sentence = sentence


def no_id(conversation_id: str, tenant: str, host: str, why: str = "") -> ConversationNotFound:
    """None with this id; `why` is the platform's own reason, where the id cannot be one of its."""
    return ConversationNotFound(
        None,
        f"No conversation with the id {_short(conversation_id)} in tenant {tenant} at {host}. "
        + (why or "Check the id, and whether the call belongs to another tenant; calls can appear late."),
    )


def no_details(
    gone: Sequence[tuple[Conversation, NotFoundError]], searched: Searched | None, tenant: str, host: str
) -> ConversationNotFound:
    """Listed, and gone when it was to be opened: a row may outlive its document, or come before it."""
    call, error = gone[0]
    what = f"The call {_short(call.id)} is" if len(gone) == 1 else f"All {len(gone)} calls that are meant are"
    return ConversationNotFound(
        searched,
        f"No conversation could be opened. {what} listed in tenant {tenant} at {host}, but the details are not there: "
        f"404 on {error.call}. They may be gone already, or come late: try again in a minute.",
    )


def no_number(number: phone.Number, searched: Searched, *, cut: bool = False) -> ConversationNotFound:
    """None of this number, or it is the bot's own."""
    if searched.hotline:
        return ConversationNotFound(
            searched,
            f"No conversation was opened: {number.masked} is the number of your bot, not of a caller. "
            "Give the caller's number, or the id of the conversation.",
        )
    return ConversationNotFound(
        searched,
        f"No conversation of {number.masked}. {_looked(searched, cut=cut)} Compared with "
        f"{', '.join(searched.forms)}. Calls can appear late: try again in a minute. Other tenants were not searched.",
    )


def no_session(
    session_id: str, searched: Searched, read: int, listed: int, *, cut: bool = False
) -> ConversationNotFound:
    """None of this Cognigy session among those whose details were read."""
    rest = "" if read >= listed else f" Only the newest were opened: {read:,} of {listed:,}."
    return ConversationNotFound(
        searched,
        f"No conversation of the Cognigy session {_short(session_id)}. {_looked(searched, cut=cut)}{rest} "
        "Give the caller's number or the id of the conversation; calls can appear late: try again in a minute.",
    )


def many(count: int, what: str) -> str:
    """A count as people say it: "1 call", "2,000 calls"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _looked(searched: Searched, *, cut: bool) -> str:
    calls, pages = many(searched.calls, "call"), many(searched.pages, "page")
    newest = "it lists none" if searched.newest is None else f"the newest began {_ago(searched.newest, searched.until)}"
    rest = " The list is longer than that; the rest was not read, and the call may stand there." if cut else ""
    return (
        f"Looked through {calls} on {pages} in tenant {searched.tenant} at {searched.host}, from "
        f"{searched.since:%Y-%m-%d %H:%M} to {searched.until:%Y-%m-%d %H:%M} UTC; {newest}.{rest}"
    )


def _ago(at: datetime, now: datetime) -> str:
    seconds = max(0, round((now - at).total_seconds()))
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds} s ago"
    if seconds < 7200:  # noqa: PLR2004 - two hours
        return f"{seconds // 60} min ago"
    return f"{seconds // 3600} h ago"


def _short(text: str) -> str:
    """An id as it was typed, harmless in length; a phone number in its place is masked."""
    clean = "".join(char for char in text if char.isprintable())[:80]
    return phone.mask(clean) if clean.lstrip().startswith(("+", "tel:")) else clean
