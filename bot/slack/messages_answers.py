"""What only the asker reads: help, misunderstood input, nothing found, failures, the state of a target. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot import phone
from bot.diagnosis.handover import Searched, Target
from bot.redact import cut, foreign, one_line
from bot.slack import blocks as b
from bot.slack import messages
from bot.slack.tenant_names import listed

_EXAMPLE = f"/handover {phone.EXAMPLE}"
_COMMANDS: tuple[tuple[str, str], ...] = (
    (_EXAMPLE, "why the handover of this number's newest call failed, for the channel"),
    (f"{_EXAMPLE} private", "the same, for you alone"),
    (f"{_EXAMPLE} at 14:00", "the call nearest to that time; since 3d looks further back"),
    ("/handover id 5f0c2a…", "one conversation, by its id"),
    ("/handover session cgy-81…", "one conversation, by its Cognigy session"),
    ("/handover queue 12ab…", "the state of a queue now; likewise agent and flow"),
    ("/handover recent", "the failed handovers of late; takes filters"),
    ("/handover subscribe outcome=rejected min=5/10m", "alerts for this channel; unsubscribe, list"),
    ("/handover mute Billing 2h deploy", "hold alerts of an outcome, a fault, a target or all; unmute"),
    ("/handover why 12", "what an alert rests on"),
    ("/handover status", "whether everything works; test sends a test alert"),
)


def looking_up(what: str) -> b.Message:
    """The ack: "Looking up …9888"."""
    return b.Message(b.harmless(f"Looking up {what}"))


def said_plainly(sentence: str) -> b.Message:
    """One sentence of ours."""
    return b.message([b.line(sentence)])


def usage(typed: str = "", hint: str = "", *, withheld: bool = False, tenants: Sequence[str] = ()) -> b.Message:
    """The help. `typed` is repeated as it was, for only its author reads this; `hint` says what was wrong with it.

    `tenants` are the names of all, the default first, where there are several.
    """
    made = []
    if typed:
        made.append(b.line("You typed ", b.code(cut(one_line(typed), 200)), ". ", foreign(hint, 400)))
    if withheld:
        made.append(b.line("A call without a number is found by its id, by its Cognigy session, or under recent:"))
        made.append(_listed([row for row in _COMMANDS if row[0].split()[1] in ("id", "session", "recent")]))
    else:
        made.append(b.line(b.bold("What you can type") if typed else b.bold("Why did a handover fail?")))
        made.append(_listed(_about(typed) or _COMMANDS))
    if tenants:
        named = b.code(f"{_EXAMPLE} @{tenants[0]}")
        meant = f" A command without a name means the channel's tenant, else @{tenants[0]}."
        made.append(b.line(f"The tenants are {listed(tenants)}: ", named, ".", meant))
    return b.message(made)


def _about(typed: str) -> list[tuple[str, str]]:
    """The lines of the help about the command that was typed wrongly."""
    word = typed.split(" ", 1)[0].lower() if typed else ""
    return [
        row
        for row in _COMMANDS
        if word.isalpha() and word in f"{row[0]} {row[1]}".replace(",", " ").replace(";", " ").split()[1:]
    ]


def busy(running: int) -> b.Message:
    """The pool of look-ups is full."""
    return said_plainly(f"I am busy with {running} other look-ups. Please try again in a minute.")


def restarting() -> b.Message:
    """The bot stops before there is an answer."""
    return said_plainly("I am being restarted, so I did not look this up. Please ask again in a moment.")


def not_found(searched: Searched | None, sentence: str) -> b.Message:
    """No conversation. `sentence` says what was searched, so that the reader can tell what that means."""
    if searched is None:
        return b.message([b.line(foreign(sentence, 600))])
    made = [b.header("This is the number of your bot" if searched.hotline else "No conversation found")]
    made.append(b.line(foreign(sentence, 900)))
    if searched.hotline:
        made.append(b.line("For example ", b.code(f"/handover {phone.NOBODYS}"), "."))
    else:
        if not searched.complete:
            made.append(b.line("The search is not complete: the time was up, or a page could not be read."))
        made.append(b.line("To look further back for a number, add ", b.code("since 3d"), "."))
    return b.message(made)


def failed(sentence: str, call: str) -> b.Message:
    """CXone could not be asked. `sentence` is the error's own: what to check, what was learned until then."""
    return b.message(
        [
            b.header("CXone could not be asked"),
            b.line(foreign(sentence, 600)),
            *([] if call in sentence else [b.line("The call: ", b.code(foreign(call, 200)))]),
        ]
    )


def broken(reference: str) -> b.Message:
    """An error of ours. The log has the same reference."""
    return b.message(
        [
            b.line("Something in the bot went wrong, and this was not answered."),
            b.line("The log tells more under the reference ", b.code(reference), "."),
        ]
    )


def invite() -> b.Block:
    """Why an answer came in private although it was asked for the channel."""
    return b.context("Only you see this: I am not in this channel. Invite me with /invite and ask again.")


def not_posted() -> b.Block:
    """Slack refused the post for another reason."""
    return b.context("Only you see this: Slack did not take my post for the channel.")


def unsure() -> b.Message:
    """A post whose answer was lost."""
    return said_plainly(
        "Slack did not confirm my answer. If it is not in the channel within a minute, please ask again."
    )


def target(found: Target) -> b.Message:
    """The answer to `agent|queue|flow <id>`."""
    made = [messages.target_now(found)]
    if found.why_not_checked:
        made.append(b.line(b.bold("Not checked"), "   ", foreign(found.why_not_checked, 400)))
    return b.message(made)


def _listed(rows: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> b.Block:
    return b.bullets([[b.code(command), "  ", what] for command, what in rows])
