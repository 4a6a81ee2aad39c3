"""Slack's history, in which a delivery that may have arrived is looked for by the id that it carries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.slack.classify import Answer, Meaning, classify
from bot.store.sql import AnyRow

EVENT_TYPE = "handover_delivery"
MARGIN = timedelta(seconds=60)  # by which the search is wider than the sending, at both ends: clocks differ
PAGE = 100
MOST_PAGES = 200


class LookFailedError(Exception):
    """The look-up itself did not succeed; `meaning` says how."""

    def __init__(self, meaning: Meaning) -> None:
        super().__init__(meaning.code)
        self.meaning = meaning


def metadata(uid: str) -> dict[str, Any]:
    """What a message carries so that it can be found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": uid}}


def find(call: Callable[..., Any], row: AnyRow, channel: str, thread_ts: str, lasted: timedelta) -> str:
    """The ts of the message that carries the delivery's id, in the channel or a thread; "" if there is none.

    `lasted`: how long its sending may have taken. However late the look comes, it reads what was written then, and not
    all that a busy channel holds since.
    """
    sent = row.sending_since or row.created_at
    arguments: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{(sent - MARGIN).timestamp():.6f}",
        "latest": f"{(sent + lasted + MARGIN).timestamp():.6f}",
        "inclusive": True,
        "include_all_metadata": True,
        "limit": PAGE,
    }
    method = "conversations.history"
    if thread_ts:
        method = "conversations.replies"
        arguments["ts"] = thread_ts
    for _page in range(MOST_PAGES):
        try:
            answer = call(method, params=arguments)
        except Exception as error:
            meaning = classify(error)
            if meaning.answer is Answer.REPOST:
                return ""  # the thread is gone, and the reply with it
            raise LookFailedError(meaning) from error
        for message in answer.get("messages") or ():
            if _delivery_id(message) == row.uid:
                return str(message["ts"])
        cursor = ((answer.get("response_metadata") or {}).get("next_cursor")) or ""
        if not cursor:
            return ""
        arguments["cursor"] = cursor
    raise LookFailedError(Meaning(Answer.LOOK, "too many pages"))


def _delivery_id(message: dict[str, Any]) -> str:
    carried = message.get("metadata") or {}
    if carried.get("event_type") != EVENT_TYPE:
        return ""
    return str((carried.get("event_payload") or {}).get("delivery_id") or "")
