"""Logs without secrets: structlog over the standard library, so that every library's lines pass the same filter."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Collection, MutableMapping
from typing import Any

import structlog

from bot import phone

HIDDEN = "•••"

_TOKEN = re.compile(r"\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w.-]+|(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}")
_HOOK = re.compile(r"(https?://[^\s\"'/]+/(?:commands|actions|services|link|app)/)[^\s\"'<>]+")
_PARAMETER = re.compile(r"(?i)\b((?:client_secret|access_token|token|ticket|secret|password)=)[^&\s\"']+")
# In a form's body a plus is %2B, and a space a plus.
_RUN = re.compile(r"(?:(?<![\w.-])\+?|%2[Bb])\d(?:(?:[ ().+-]|%28|%29){0,2}\d){6,}(?![\w-])")
# Ours, and made of digits without being a number: ids and times.
_NOT_NUMBERS = frozenset({"timestamp", "ts", "thread_ts", "conversation", "delivery", "alert", "seconds", "port"})
# Their DEBUG lines hold whole requests and answers.
_TALKATIVE = ("slack_sdk", "slack_bolt", "urllib3", "requests", "waitress")
# Their INFO lines hold every statement with its parameters.
_STATEMENTS = ("sqlalchemy", "alembic")


class Redaction:
    """A processor that takes secrets, tokens and callers out of every value of a line."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = sorted((each for each in secrets if len(each) > 3), key=len, reverse=True)  # noqa: PLR2004

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The line without what nobody may read."""
        del logger, method
        for key, value in line.items():
            if not key.startswith("_"):
                line[key] = self._value(value, numbers=key not in _NOT_NUMBERS)
        return line

    def text(self, text: str, *, numbers: bool = True) -> str:
        """One text without secrets and, unless told otherwise, without phone numbers."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _TOKEN.sub(HIDDEN, text)
        text = _HOOK.sub(rf"\1{HIDDEN}", text)
        text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
        return _RUN.sub(lambda run: phone.mask(run[0]), text) if numbers else text

    def _value(self, value: Any, *, numbers: bool) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {key: self._value(each, numbers=key not in _NOT_NUMBERS) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(each, numbers=numbers) for each in value]
        return self.text(value if isinstance(value, str) else str(value), numbers=numbers)


def set_up(level: str, form: str, secrets: Collection[str] = ()) -> None:
    """Send every log line to stderr: `form` is "json" or "console". Call once, before anything logs."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # before the filter: a traceback shows values too
                Redaction(secrets),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.INFO))
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every request that waits a moment
    # Bolt finds SLACK_BOT_TOKEN in the environment and warns that it is unused; it comes by `authorize`.
    logging.getLogger("slack_bolt.App").addFilter(lambda line: "`token` will be unused" not in line.getMessage())
    for name in _STATEMENTS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
