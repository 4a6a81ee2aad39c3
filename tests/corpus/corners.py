"""Calls that stand at the corner of two rules; each block names the rule that would tell them wrongly alone."""

from __future__ import annotations

from tests.corpus.hard import Q, told
from tests.corpus.story import (
    asks,
    call,
    flow,
    refused,
)

TWICE = [  # a request that is sent twice comes out as the one that was answered
    told(
        f"sent twice, and the first was refused: {reason}",
        call(asks(), asks(t=0.5), refused(reason)),
        answer,
        codes,
        Q,
        says=f"after the bot asked: “{reason}”",
    )
    for reason, answer, codes in (
        ("403 Forbidden", "forbidden reacted connector certain", "duplicate_transfer transfer_forbidden"),
        ("HTTP 503", "rejected reacted platform certain", "duplicate_transfer transfer_rejected"),
        (
            "QUEUE_FULL",
            "rejected reacted target certain",
            "duplicate_transfer no_agents_available transfer_rejected",
        ),
        ("QUEUE_CLOSED", "rejected reacted target certain", "duplicate_transfer target_closed transfer_rejected"),
        ("Invalid participant", "invalid_target reacted bot certain", "duplicate_transfer transfer_rejected"),
    )
]
TWICE.append(
    told(
        "sent twice, and nothing came of either",
        call(asks("f-main"), asks("f-main", 1)),
        "ignored asked flow likely",
        "caller_abandoned duplicate_transfer transfer_ignored",
        flow(),
        says="nothing happened for 40 s",
    )
)

CORNERS = [*TWICE]
