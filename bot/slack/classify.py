"""What an answer of Slack means for a write: one table, seven classes. Pure.

Codes: https://docs.slack.dev/reference/methods/chat.postMessage and chat.update, section Errors. The transport's
exceptions are those of urllib, which slack_sdk uses.
"""

from __future__ import annotations

import errno
import socket
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.error import URLError

from slack_sdk.errors import SlackApiError


class Answer(StrEnum):
    """The seven classes, and the one for codes that nobody listed."""

    WAIT = "wait"  # 429: by Retry-After, that channel only
    REPEAT = "repeat"  # surely not sent
    LOOK = "look first"  # Slack may have taken it
    REDUCE = "reduce"  # plain text once
    REPOST = "repost"  # the message to edit or answer is gone
    PAUSE = "pause"  # the channel takes nothing: pause the subscription and tell its author
    STOP = "stop and shout"  # the token or a scope: nothing can be sent
    TRY = "unlisted"  # a few tries, then dead


CODES: dict[str, Answer] = {
    "ratelimited": Answer.WAIT,
    "rate_limited": Answer.WAIT,
    "message_limit_exceeded": Answer.WAIT,
    "internal_error": Answer.LOOK,
    "fatal_error": Answer.LOOK,
    "request_timeout": Answer.LOOK,
    "service_unavailable": Answer.LOOK,
    "invalid_blocks": Answer.REDUCE,
    "invalid_blocks_format": Answer.REDUCE,
    "msg_too_long": Answer.REDUCE,
    "msg_blocks_too_long": Answer.REDUCE,
    "block_mismatch": Answer.REDUCE,
    "message_not_found": Answer.REPOST,
    "thread_not_found": Answer.REPOST,
    "is_archived": Answer.PAUSE,
    "channel_not_found": Answer.PAUSE,
    "not_in_channel": Answer.PAUSE,
    "user_not_found": Answer.PAUSE,
    "restricted_action": Answer.PAUSE,
    "restricted_action_read_only_channel": Answer.PAUSE,
    "restricted_action_thread_only_channel": Answer.PAUSE,
    "restricted_action_non_threadable_channel": Answer.PAUSE,
    "messages_tab_disabled": Answer.PAUSE,
    "cannot_dm_bot": Answer.PAUSE,
    "invalid_auth": Answer.STOP,
    "not_authed": Answer.STOP,
    "not_installed": Answer.STOP,  # our own word, see workspaces.py
    "missing_scope": Answer.STOP,
    "account_inactive": Answer.STOP,
    "token_revoked": Answer.STOP,
    "token_expired": Answer.STOP,
    "no_permission": Answer.STOP,
    "not_allowed_token_type": Answer.STOP,
    "org_login_required": Answer.STOP,
    "ekm_access_denied": Answer.STOP,
    "enterprise_is_restricted": Answer.STOP,
    "access_denied": Answer.STOP,
    "team_access_not_granted": Answer.STOP,
    "accesslimited": Answer.STOP,
    "two_factor_setup_required": Answer.STOP,
}


class NotSentError(OSError):
    """A call that was not made, as its token could not be read; the message is a sentence.

    An OSError, as what goes wrong between us and Slack is: whoever calls Slack expects those.
    """


class Meaning(NamedTuple):
    """A class, the code or words behind it, and how long Slack asked us to wait."""

    answer: Answer
    code: str
    wait: float = 0.0


def classify(error: Exception) -> Meaning:
    """What a call that did not succeed means."""
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, NotSentError):
        return Meaning(Answer.REPEAT, str(error).removesuffix("."))
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, (ConnectionRefusedError, socket.gaierror)):
        return Meaning(Answer.REPEAT, "Slack refuses the connection")
    if isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return Meaning(Answer.REPEAT, "Slack cannot be reached")
    if isinstance(cause, TimeoutError):
        return Meaning(Answer.LOOK, "Slack did not answer in time")
    return Meaning(Answer.LOOK, f"the connection to Slack broke ({type(cause).__name__})")


def _of_answer(error: SlackApiError) -> Meaning:
    response: Any = error.response
    status = int(getattr(response, "status_code", 0) or _get(response, "status") or 200)
    headers = getattr(response, "headers", None) or _get(response, "headers") or {}
    code = str(_get(response, "error") or "")
    if status == 429:  # noqa: PLR2004 - the status is the word for it
        return Meaning(Answer.WAIT, code or "429", _retry_after(headers))
    if code in CODES:
        return Meaning(CODES[code], code, _retry_after(headers))
    if status >= 500 or not code:  # noqa: PLR2004 - the same
        return Meaning(Answer.LOOK, f"Slack answered {status}" if status != 200 else "Slack answered without JSON")  # noqa: PLR2004
    return Meaning(Answer.TRY, code)


def _get(response: Any, key: str) -> Any:
    try:
        return response.get(key)
    except (AttributeError, ValueError, TypeError):  # an answer that is no JSON
        return None


def _retry_after(headers: Any) -> float:
    for key, value in dict(headers).items():
        if str(key).lower() == "retry-after":
            first = value[0] if isinstance(value, list) else value
            try:
                return max(0.0, float(first))
            except ValueError:
                return 1.0
    return 1.0
