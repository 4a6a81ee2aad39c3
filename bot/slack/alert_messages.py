"""Groups of failed handovers as Slack messages. Pure: what is known of a group in, blocks with their text out.

The message says the cause, the count and the state, and is edited in place; the ending is appended, the cause stays.
One line a case, with its conversation, stands in the thread. Nothing here mentions anybody: an edit pings nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.redact import foreign, whole_id
from bot.slack import blocks as b
from bot.slack.alert_group import Case, Group, Held, title, with_tenant

LINES_IN_A_REPLY = 60
GROUPS_IN_A_LIST = 25
LONGEST_REPLY_TEXT = 30_000
DIAGNOSE_LATEST, ACKNOWLEDGE, MUTE = "diagnose_latest", "acknowledge", "mute_group"
MUTES = (("For 1 hour", "1h"), ("Until tomorrow", "tomorrow"))


def message(group: Group) -> b.Message:
    """The message of a group, as it stands now."""
    if group.kind in ("arrival", "overflow"):
        return _list(group)
    if group.kind == "test":
        return b.message(
            [
                b.line(b.bold(f"⚪  {with_tenant(group, 'Test alert')}")),
                b.line("Sent on the same path as real ones. This channel can be reached; nothing has failed."),
            ]
        )
    if group.kind == "stopped":
        return _stopped(group)
    parts = [
        _first_line(group),
        _facts(group),
        _next_step(group),
        _state(group),
        _buttons(group),
        b.context(f"Alert {group.id}"),  # what `why` asks for
    ]
    return b.message([part for part in parts if part is not None])


def reply(cases: Sequence[Case]) -> b.Message:
    """One line a case. The text is as complete as the blocks: it stands alone where blocks are refused."""
    blocks = [b.bullets([_case_line(case) for case in cases])]
    return b.Message(b.as_text(blocks, LONGEST_REPLY_TEXT), blocks)


def broadcast(group: Group, occasion: str) -> b.Message:
    """A reply that the channel sees too: a count was passed, an hour went by, it fails again."""
    what, _, value = occasion.partition(":")
    name = title(group)
    match what:
        case "count":
            said = f"{name}: more than {value} failed" if group.failed > int(value) else f"{name}: {value} failed"
        case "hour":
            said = f"{name} for more than an hour, and nobody has acknowledged it: {_failed(group)}"
        case _:
            said = f"{name} again: {_failed(group)}"
    parts: list[b.Part] = [b.bold(f"🔴  {said}")]
    if group.first_at is not None:
        parts += [" since ", b.when(group.first_at, "{time}")]
    return b.message([b.line(*parts)])


def line(text: str) -> b.Message:
    """A line for the ops channel or for a person; the text is ours, and safe."""
    return b.Message(text)


# ---- parts --------------------------------------------------------------------------------------------------------


def _first_line(group: Group) -> b.Block:
    if group.state == "withdrawn":
        return _withdrawn(group)
    icon = {"resolved": "✅", "quiet": "🟠", "lapsed": "🟠"}.get(group.state, "🔴")
    parts: list[b.Part] = [b.bold(f"{icon}  {title(group)}: {_failed(group)}")]
    if group.first_at is not None and group.last_at is not None:
        if group.failed == 1:
            parts += [b.bold(" at "), b.when(group.last_at, "{time}")]
        else:
            parts += [
                b.bold(" from "),
                b.when(group.first_at, "{time}"),
                b.bold(" to "),
                b.when(group.last_at, "{time}"),
            ]
    return b.line(*parts)


def _withdrawn(group: Group) -> b.Block:
    """What became of it before what it was: enough on a phone."""
    what = "another cause" if group.ending == "moved" else "accepted"
    parts: list[b.Part] = [b.bold(f"⚪  Withdrawn: {what}")]
    if group.ending != "moved" and group.last_accepted_at is not None:
        parts += [b.bold(" "), b.when(group.last_accepted_at, "{time}")]
    return b.line(*parts, b.bold(f"{b.GAP}{title(group)}"))


def _facts(group: Group) -> b.Block | None:
    parts: list[b.Part] = []
    for reason, count in group.reasons:
        parts += [
            ", " if parts else None,
            f"“{foreign(reason, 80)}”" + (f" {count} \u00d7" if group.failed > 1 else ""),
        ]
    if group.attempts > group.failed > 0:
        parts += [b.GAP if parts else None, f"{group.failed} of {group.attempts} handovers"]
    if group.target_state and group.target_read_at is not None:
        parts += [b.GAP if parts else None, f"{foreign(group.target_name, 60)} at "]
        parts += [b.when(group.target_read_at, "{time}"), f": {foreign(group.target_state, 120)}"]
    return b.line(*parts) if parts else None


def _next_step(group: Group) -> b.Block | None:
    if not group.next_step or group.state == "withdrawn":
        return None
    return b.line(b.bold("Next step"), "   ", *b.marked(foreign(group.next_step, 600), group.last_at))


def _state(group: Group) -> b.Block | None:
    parts: list[b.Part] = []
    match group.state:
        case "resolved" if group.ended_at is not None:
            lasted = ""
            if group.first_at is not None:
                minutes = max(1, round((group.ended_at - group.first_at).total_seconds() / 60))
                lasted = f" {group.failed} failed in {minutes} min."
            parts = [b.bold("Resolved at "), b.when(group.ended_at, "{time}")]
            parts.append(f": {_accepted(group)} again.{lasted}")
        case "quiet" if group.quiet_since is not None:
            parts = ["Quiet since ", b.when(group.quiet_since, "{time}")]
            if group.last_accepted_at is not None and group.last_accepted_at > group.quiet_since:
                parts += [
                    ": no failure, and a handover was accepted at ",
                    b.when(group.last_accepted_at, "{time}"),
                    ".",
                ]
            else:
                parts.append(": no failure and no acceptance.")
        case "withdrawn" if group.ending == "moved":
            parts = ["A later look at the call showed another cause, which is told by itself."]
        case "withdrawn":
            parts = ["The handover was accepted in the end; nothing failed."]
        case _ if group.reopened:
            parts = ["Fails again after it was resolved."]
        case _:
            pass
    if group.acked_by and group.acked_at is not None:
        parts += [b.GAP if parts else None, "Acknowledged by ", b.person(group.acked_by), " at "]
        parts.append(b.when(group.acked_at, "{time}"))
    if group.muted_until is not None and group.state in ("open", "quiet"):
        parts += [b.GAP if parts else None, "Muted until ", b.when(group.muted_until, "{time}")]
    return b.line(*parts) if parts else None


def _accepted(group: Group) -> str:
    """What was accepted, in the words of whose acceptance ends the group."""
    scope, _, _ = group.scope.partition(":")
    match scope:
        case "bot":
            return f"handovers of {foreign(group.bot, 60) or 'the bot'} are accepted"
        case "tenant":
            return "CXone accepts handovers"
        case _:
            return f"handovers to {foreign(group.target_name, 60) or 'it'} are accepted"


def _buttons(group: Group) -> b.Block | None:
    if group.state == "withdrawn":
        return None
    value = str(group.id)
    live = group.state in ("open", "quiet")
    return b.actions(
        b.button("Diagnose the latest", DIAGNOSE_LATEST, group.last_conversation) if group.last_conversation else None,
        b.button("Acknowledge", ACKNOWLEDGE, value) if live and not group.acked_by else None,
        b.menu("Mute", MUTE, [(label, f"{value}:{span}") for label, span in MUTES]) if live else None,
    )


def _list(group: Group) -> b.Message:
    failed = sum(held.failed for held in group.held)
    causes = f"{len(group.held)} {'cause' if len(group.held) == 1 else 'causes'}"
    if group.kind == "arrival":
        first = f"Found on arrival: {failed} failed {'handover' if failed == 1 else 'handovers'}, {causes}"
    else:
        first = f"{causes} more, {failed} failed {'handover' if failed == 1 else 'handovers'}"
    rows = [[f"{held.title}: {_became(held)}"] for held in group.held[:GROUPS_IN_A_LIST]]
    left = len(group.held) - len(rows)
    if left:
        rows.append([f"and {left} more"])
    states = {held.state for held in group.held if held.failed}
    icon = "🔴" if states & {"open", "quiet"} else "🟠" if states - {"resolved"} else "✅" if states else "⚪"
    blocks = [b.line(b.bold(f"{icon}  {with_tenant(group, first)}"))]
    return b.message([*blocks, b.bullets(rows)] if rows else blocks)


def _became(held: Held) -> str:
    """How many of a group failed, and whether it is over."""
    if not held.failed:
        return "withdrawn, accepted in the end"
    return f"{held.failed}, resolved" if held.state == "resolved" else str(held.failed)


def _stopped(group: Group) -> b.Message:
    over = group.state == "resolved"
    icon = "✅" if over else "🔴"
    said = with_tenant(group, "Bot calls keep coming, and no handover is asked for")
    parts: list[b.Part] = [b.bold(f"{icon}  {said}")]
    if group.first_at is not None:
        parts += [" since ", b.when(group.first_at, "{time}")]
    blocks = [b.line(*parts), b.line(foreign(group.headline, 300))]
    if over and group.ended_at is not None:
        blocks.append(b.line(b.bold("Over at "), b.when(group.ended_at, "{time}"), ": handovers are asked for again."))
    return b.message(blocks)


def _case_line(case: Case) -> list[b.Part]:
    parts: list[b.Part] = [b.when(case.at), f"  {case.phone or 'number withheld'}{b.GAP}"]
    parts.append(b.code(whole_id(case.conversation_id)))
    if case.reason:
        parts.append(f"{b.GAP}{foreign(case.reason, 40)}")
    if case.withdrawn:
        parts.append(f"{b.GAP}accepted in the end")
    return parts


def _failed(group: Group) -> str:
    return f"{group.failed} failed"
