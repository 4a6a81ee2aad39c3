"""The messages, held against golden files: the JSON, and beside it a plain picture for people.

`GOLDEN=write pytest tests/slack/test_messages.py` writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import phone
from bot.cxone.conversations import parse
from bot.demo.limits import block_text, blocks_faults, view_faults
from bot.diagnosis.diagnose import diagnose
from bot.diagnosis.handover import Report, Searched, Target, TargetKind, TargetStatus
from bot.diagnosis.outcomes import Code, Confidence, Outcome
from bot.slack import (
    alert_group,
    alert_messages,
    blocks,
    messages,
    messages_answers,
    messages_modals,
    messages_timeline,
)
from tests.corpus.calls import CALLS
from tests.corpus.story import Known
from tests.slack import alert_samples, reports

GOLDEN = Path(__file__).parent / "golden"
SEARCHED = Searched(
    tenant="demo", host="demo.example", since=reports.NOW - timedelta(hours=24), until=reports.NOW, calls=12, pages=1
)
NONE = "No conversation of •••• 9888. Looked through 12 calls on 1 page in tenant demo (demo.example)."


def answer(report: Report, *, shareable: bool = False) -> blocks.Message:
    """As asked for by Sam."""
    return messages.diagnosis(report, asked_by="U0SAM", now=reports.NOW, shareable=shareable)


MESSAGES: dict[str, blocks.Message] = {
    **{outcome.value: answer(reports.of(outcome)) for outcome in Outcome},
    "full": answer(reports.full()),
    "shareable": answer(reports.REJECTED, shareable=True),
    "bare": answer(reports.bare()),
    "long": answer(reports.long()),
    "hostile": answer(reports.hostile()),
    **{f"target_{name}": messages_answers.target(target) for name, target in reports.targets().items()},
    "help": messages_answers.usage(),
    "misunderstood": messages_answers.usage("<!channel> `hello`", "That is neither a number nor a command."),
    "withheld": messages_answers.usage("anonymous", "The caller withheld the number.", withheld=True),
    "not_found": messages_answers.not_found(SEARCHED, NONE),
    "not_found_incomplete": messages_answers.not_found(replace(SEARCHED, complete=False), NONE),
    "not_found_hotline": messages_answers.not_found(replace(SEARCHED, hotline=True), NONE),
    "not_found_id": messages_answers.not_found(None, "No conversation with the id c-9."),
    "failed": messages_answers.failed("GET /api/v2/conversations: 503, four times.", "GET /api/v2/conversations"),
    "failed_elsewhere": messages_answers.failed("No connection.", "POST /oauth2/token"),
    "broken": messages_answers.broken("12ab34cd"),
    "busy": messages_answers.busy(116),
    "unsure": messages_answers.unsure(),
    "invite": blocks.message([messages_answers.invite(), messages_answers.not_posted()]),
    "looking_up": messages_answers.looking_up("…9888"),
    "misunderstood_filter": messages_answers.usage("subscribe min=x", "“min=x” is not understood."),
    **{f"alerts_{name.replace(' ', '_')}": sample for name, sample in alert_samples.MESSAGES.items()},
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_as_it_was_seen_and_approved(name: str) -> None:
    """Any change of words or blocks shows in a diff."""
    message = MESSAGES[name]
    found = {
        f"{name}.json": json.dumps({"text": message.text, "blocks": message.blocks}, ensure_ascii=False, indent=1)
        + "\n",
        f"{name}.txt": message.text + "\n",
    }
    for file, text in found.items():
        if os.environ.get("GOLDEN") == "write":
            (GOLDEN / file).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / file).read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    """Each belongs to a message."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_within_slacks_limits(name: str) -> None:
    """Blocks, their text in sum, and the text for notifications."""
    message = MESSAGES[name]
    assert blocks_faults(message.blocks, "message") == []
    assert block_text(message.blocks) == blocks.weight(message.blocks) < blocks.LONGEST_BLOCKS
    assert 0 < len(message.text) <= blocks.LONGEST_TEXT


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_speaks_calmly_and_leaks_nothing(name: str) -> None:
    """No exclamation marks, no run of seven digits but whole ids and the example, no live mention but the asker's."""
    message = MESSAGES[name]
    everything = message.text + json.dumps(message.blocks, ensure_ascii=False)
    text = message.text.replace("<!channel>", "").replace("&lt;!channel&gt;", "")
    assert "!" not in text
    for known in (reports.ID, phone.EXAMPLE, "+15550199888"[:0]):
        everything = everything.replace(known, "") if known else everything
    everything = re.sub(r'"timestamp": \d+', "", everything)
    assert not re.search(r"\d{7}", everything)
    assert set(re.findall(r"<[^>]*>", message.text)) <= {"<@U0SAM>", "<#C0ALERTS>", "<#C0OTHER>"}


def test_hostile_text_formats_nothing() -> None:
    """In the text, where Slack parses: no back-tick, asterisk or tilde. In blocks: no foreign text in mrkdwn."""
    message = MESSAGES["hostile"]
    assert not set("`*~") & set(message.text)
    parsed = [element for element in _walk(message.blocks) if element.get("type") == "mrkdwn"]
    assert [element["text"] for element in parsed] == ["Asked for by <@U0SAM>  ·  0 requests to CXone in 0.0 s"]
    assert "Jane" not in json.dumps(message.blocks)


def test_the_first_line_alone_is_enough() -> None:
    """What a phone shows of a notification."""
    assert answer(reports.REJECTED).text.splitlines()[0] == "🔴  Billing refused the handover"


def test_the_text_says_everything_that_the_blocks_say() -> None:
    """For screen readers, and for when Slack refuses the blocks."""
    message = answer(reports.full())
    for element in _walk(message.blocks):
        if element.get("type") == "text" and element["text"] not in ("Time", "Gap", "Who", "What", "\u2013"):
            assert blocks.harmless(element["text"]) in message.text
    assert message.plain() == blocks.Message(message.text)


def test_buttons_carry_ids_and_never_a_number() -> None:
    """What comes back from a press."""
    values = [element.get("value") for element in _walk(answer(reports.full(), shareable=True).blocks)]
    assert {value for value in values if value} == {reports.ID, "c-2", "c-3", "c-4"}


def test_a_conversation_without_an_id_has_no_buttons() -> None:
    """There is nothing that they could ask for."""
    assert not [block for block in answer(reports.bare()).blocks if block["type"] == "actions"]


def test_a_long_timeline_keeps_what_decides() -> None:
    """The ends and the attempts; the rest is counted and one press away."""
    found = reports.long().diagnosis
    part = messages_timeline.shown(found)
    assert not part.complete
    assert len(part.lines) == messages_timeline.MOST_ROWS
    assert {0, 60, 118, 119, 120, 121, 122, 123, 124, 199} <= set(part.lines)
    assert [text for text in MESSAGES["long"].text.splitlines() if "more" in text] == [
        "…  59 lines more",
        "…  53 lines more",
        "…  74 lines more",
    ]
    assert "Whole timeline" in json.dumps(MESSAGES["long"].blocks)
    alone = found._replace(decided_by=None, attempts=(found.attempts[0]._replace(timestamp=reports.NOW),))
    assert messages_timeline.shown(alone).lines == (*range(13), 199)


def test_an_old_call_shows_its_day() -> None:
    """The time alone would be taken for today's."""
    report = reports.of(Outcome.ACCEPTED)
    later = messages.diagnosis(report, asked_by="", now=reports.NOW + timedelta(days=2))
    assert "2026-11-20 13:02:11 UTC" in later.text
    assert "Asked for by" not in later.text


def test_a_live_call_says_so() -> None:
    """It has no end yet."""
    live = reports.DIAGNOSIS._replace(ended_at=None, dialled="", confidence=Confidence.LIKELY)
    assert "not ended" in answer(replace(reports.REJECTED, diagnosis=live)).text


def test_an_unchecked_target_says_why_once() -> None:
    """By a finding if there is one, else by the target itself."""
    target = replace(reports.targets()["hidden"], read_at=None)
    message = answer(replace(reports.REJECTED, diagnosis=reports.DIAGNOSIS._replace(target=target)))
    assert message.text.count("no scope") == 1
    nothing = answer(replace(reports.REJECTED, diagnosis=reports.DIAGNOSIS._replace(target=None)))
    assert "Not checked" not in nothing.text


def test_evidence_shows_what_is_missing_and_masks_who_called() -> None:
    """Values as words; identities by four digits."""
    rests = reports.DIAGNOSIS.findings[0]._replace(evidence={"a.identity": "", "b": None, "c.ani": "+15550199888"})
    message = answer(replace(reports.REJECTED, diagnosis=reports.DIAGNOSIS._replace(findings=(rests,))))
    assert "a.identity withheld, b is missing, c.ani •••• 9888" in message.text


def test_what_the_summary_says_is_not_said_again() -> None:
    """A refusal with a known reason has two findings; one of an earlier attempt is news."""
    refusal = reports.finding(Code.TRANSFER_REJECTED, "It was refused.")
    for attempt, said in ((1, False), (2, True)):
        found = reports.DIAGNOSIS._replace(
            cause=Code.NO_AGENTS_AVAILABLE, findings=(refusal._replace(attempt=attempt),)
        )
        assert ("It was refused." in answer(replace(reports.REJECTED, diagnosis=found)).text) is said


def test_codes_in_our_sentences_are_shown_as_codes() -> None:
    """And a back-tick without its fellow stands as it is, as does what is quoted."""
    assert blocks.marked("set `x` to y") == ["set ", blocks.code("x"), " to y"]
    for text in ("a ` b", "a `` b", "refused: “say `x` at 14:03 UTC”"):
        assert blocks.marked(text, reports.NOW) == [text]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("around 13:03 UTC", 13),
        ("at 23:59 UTC, or so", -1),
        ("from 2026-11-20 13:03 UTC on", None),
        ("at 25:00 UTC", None),
        ("for 13:03", None),
    ],
)
def test_a_clock_time_in_a_sentence_is_shown_in_the_readers_zone(text: str, hours: int | None) -> None:
    """As that of the day which is nearest; the text for notifications says UTC."""
    midnight = reports.NOW.replace(hour=0, minute=0, second=0)
    near = midnight + timedelta(hours=hours or 0)
    dates = [part for part in blocks.marked(text, near) if isinstance(part, dict)]
    assert blocks.as_text([blocks.line(*blocks.marked(text, near))]) == text
    assert len(dates) == (hours is not None)
    for date in dates:
        assert abs(date["timestamp"] - near.timestamp()) < 3600


@pytest.mark.parametrize("known", CALLS, ids=lambda known: known.name)
def test_back_ticks_of_others_make_no_code(known: Known) -> None:
    """In names and reasons that stand in our sentences."""
    found = diagnose(parse(_hostile(known.document)), known.targets, now=known.now)
    sentences = [found.headline, found.summary, found.next_step, found.context]
    sentences += [said for finding in found.findings for said in (finding.message, finding.fix)]
    codes = [part["text"] for said in sentences for part in blocks.marked(said) if isinstance(part, dict)]
    assert not [code for code in codes if "`" in code or "evil" in code]


def _hostile(found: Any) -> Any:
    """The same document, with back-ticks in all that people write."""
    if isinstance(found, list):
        return [_hostile(each) for each in found]
    if not isinstance(found, dict):
        return found
    words = ("name", "reason", "state", "message", "code")
    return {
        key: f"`evil` {value}" if key in words and isinstance(value, str) else _hostile(value)
        for key, value in found.items()
    }


def test_a_text_too_long_ends_at_a_whole_line() -> None:
    """And shows that it was cut."""
    text = blocks.as_text([blocks.line("x" * 90) for _ in range(100)], 1000)
    assert len(text) <= 1000
    assert text.splitlines()[-1] == "…"
    assert text.splitlines()[-2] == "x" * 90


def test_a_time_before_1970_is_words() -> None:
    """Slack's date element takes none."""
    assert blocks.when(reports.START - timedelta(days=30_000))["type"] == "text"


# ---- windows ------------------------------------------------------------------------------------------------------


def raw(events: int) -> dict[str, Any]:
    """A conversation as the platform gives it."""
    people = [{"id": "p1", "purpose": "customer", "identity": "+15550199888", "name": "Jane Doe"}]
    return {"id": "c-1", "participants": people, "events": [{"type": "x", "reason": reports.HOSTILE}] * events}


VIEWS: dict[str, dict[str, Any]] = {
    "loading": messages_modals.loading("Raw events"),
    "words": messages_modals.words("A title that is far too long for Slack", messages_answers.busy(3)),
    "plain words": messages_modals.words("Timeline", blocks.Message("Something.")),
    "raw": messages_modals.raw_events("c-1", raw(2)),
    "raw, long": messages_modals.raw_events("c-1", raw(1500)),
    "raw, one long line": messages_modals.raw_events("", {"id": "c-1", "state": "y" * 9000}),
    "raw, nothing": messages_modals.raw_events("", {}),
    "timeline": messages_modals.whole_timeline(reports.DIAGNOSIS),
    "timeline, long": messages_modals.whole_timeline(reports.long(5000).diagnosis),
    "timeline, hostile": messages_modals.whole_timeline(reports.hostile().diagnosis),
    "timeline, none": messages_modals.whole_timeline(reports.bare().diagnosis),
    "home": messages_modals.home([]),
    "home of somebody": alert_samples.HOME,
    "home with facts": messages_modals.home([blocks.line("CXone answers."), blocks.line("Slack answers.")]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_window_is_within_slacks_limits(name: str) -> None:
    """Blocks, lengths, and 250 kB for the whole."""
    assert view_faults(VIEWS[name]) == []
    assert len(json.dumps(VIEWS[name]).encode()) < 250_000


def test_raw_events_show_no_caller_and_say_what_is_left_out() -> None:
    """The document is foreign from end to end."""
    everything = json.dumps(VIEWS["raw, long"], ensure_ascii=False)
    assert "Jane" not in everything
    assert "0199" not in everything
    assert "characters more are not shown" in everything


def test_a_long_timeline_in_a_window_says_how_much_is_left_out() -> None:
    """A window has an end too."""
    assert "4600 lines more" in json.dumps(VIEWS["timeline, long"])


def test_a_private_metadata_is_kept() -> None:
    """Where a window needs to know what it is about."""
    assert blocks.modal("x", [blocks.line("x")], "c-1")["private_metadata"] == "c-1"


def _walk(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in _walk(value))]
    return [found for item in node for found in _walk(item)] if isinstance(node, list) else []


def test_every_target_is_described() -> None:
    """A state is never empty, and what does not exist is said plainly."""
    for target in [*reports.targets().values(), Target(id="")]:
        state = messages_answers.target(target).text.partition("now   ")[2]
        assert len(state) > 5


@pytest.mark.parametrize(
    ("kind", "what"), [(TargetKind.USER, "agent"), (TargetKind.QUEUE, "queue"), (None, "agent, queue or flow")]
)
def test_only_what_was_asked_is_denied(kind: TargetKind | None, what: str) -> None:
    """`agent <id>` asks for an agent alone: a queue may well have that id."""
    missing = Target(id="x-1", kind=kind, status=TargetStatus.ERROR, missing=True)
    assert f"CXone knows no {what} with this id" in messages_answers.target(missing).text


def test_a_target_without_figures_is_said_to_exist() -> None:
    """The word "queue" alone would not say whether anything was found."""
    bare = Target(id="q-7", kind=TargetKind.QUEUE, name="Billing", status=TargetStatus.OK)
    assert "queue; exists" in messages_answers.target(bare).text


def test_calls_that_were_not_read_are_not_called_well() -> None:
    """Of sixty calls a few are read: the others may have failed too."""
    report = replace(reports.full(), calls_today=61, unread_today=51)
    assert "61 calls today, 2 of the 10 looked at failed" in answer(report).text


@pytest.mark.parametrize(
    ("fault", "said"),
    [("target", "Billing refuses handovers"), ("unknown", "Handovers to Billing are refused")],
)
def test_a_group_of_refusals_names_the_side_that_is_known(fault: str, said: str) -> None:
    """By whom they were refused a reason that nobody knows does not say."""
    group = alert_group.Group(id=1, kind="cause", state="open", outcome="rejected", fault=fault, target_name="Billing")
    assert alert_group.title(group) == said


def test_a_case_names_its_conversation_whole_and_what_is_no_id_masked() -> None:
    """To be copied; a number in its place is foreign text."""
    for given, shown in (("c" * 120, "c" * 120), ("call of +1 555 019 9888", "call of •••• 9888")):
        case = alert_group.Case(conversation_id=given, at=alert_samples.CASE.at, phone="•••• 9888")
        assert shown in alert_messages.reply([case]).text
