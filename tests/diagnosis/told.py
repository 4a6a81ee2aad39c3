"""A document and what is known of its targets → the diagnosis, at a time of asking."""

from __future__ import annotations

from datetime import datetime

from bot.cxone.conversations import parse
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Diagnosis, Finding, Target
from bot.diagnosis.outcomes import Code
from tests.corpus.story import Document, after

LATER = after(720)


def diagnosed(document: Document, targets: dict[str, Target] | None = None, *, now: datetime = LATER) -> Diagnosis:
    """The diagnosis, twelve minutes after the request unless told otherwise."""
    return diagnose(parse(document), targets or {}, now=now)


def finding(found: Diagnosis, code: Code) -> Finding:
    """The one finding of this code."""
    (row,) = [row for row in found.findings if row.code is code]
    return row
