"""What goes wrong in the living centre, and how often. Shares are relative to each other."""

# What breaks, and for how many minutes at speed 1.
TROUBLES = {
    "deploy": ("a deploy took the trigger from the Studio flow: handovers to it are ignored", 4.0),
    "meeting": ("Billing's agents are in a meeting: refused, or waiting for nobody", 5.0),
    "platform": ("CXone answers one transfer in three with 503", 4.0),
    "permission": ("the connector lost its permission: 403", 1.5),
    "stale id": ("the bot hands over to ids that are gone or retired", 2.0),
    "bad payload": ("a release of the bot forgets a field of the request", 2.0),
    "silence": ("the bot's connector key expired: no request at all", 4.0),
}

# What happens to a call in a hundred on any day, by scenario.
NOW_AND_THEN = {
    "abandoned": 2.0,
    "not_attempted": 8.0,
    "duplicate": 1.0,
    "supervisor": 1.0,
    "agent_declined": 1.0,
    "accepted_no_context": 1.0,
    "agent_transfer": 1.0,
    "outbound": 1.0,
    "withheld": 1.0,
}

# What a call becomes while that trouble lasts, with its share; "" is a call as usual.
AFFECTED = {
    "platform": {"rejected_503": 25, "rejected_500_code": 8, "": 67},
    "permission": {"forbidden": 4, "forbidden_code": 1},
    "stale id": {"invalid_target": 1, "invalid_target_404": 1, "retired_queue": 1, "": 1},
    "bad payload": {"malformed_from": 1, "malformed_to": 1, "": 1},
    "silence": {"not_attempted": 1},
}

# Where the bot hands a call over to, with its share.
WAYS = {"billing": 40, "support": 30, "flow": 22, "agent": 8}
REFUSED_WITH_NOBODY_THERE = 0.7  # the others wait
