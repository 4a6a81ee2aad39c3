from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.filters import Filters
from bot.diagnosis.handover import TargetKind
from bot.diagnosis.outcomes import Fault, Outcome
from bot.slack import grammar as g
from bot.slack import typed

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
UUID = "5f0c2a12-3456-7890-1234-567890123456"


def parse(text: str) -> typed.Action:
    """As typed in the US at 14:05 UTC."""
    return g.parse(text, region="US", now=NOW)


@pytest.mark.parametrize("text", ["", "   ", "help", "Help", "?", "/help", "\u200b"])
def test_nothing_and_help_are_help(text: str) -> None:
    """An empty command is a question how to use it."""
    assert parse(text) == typed.Help()


WIDE = "+15550199888".translate({ord(each): ord(each) + 0xFEE0 for each in "+0123456789"})  # as typed in Japan


@pytest.mark.parametrize(
    ("text", "at", "since", "private"),
    [
        ("+15550199888", None, None, False),
        ("(555) 019-9888", None, None, False),
        ("/handover +15550199888 private", None, None, True),
        ("<tel:+15550199888|+1 555 019 9888>", None, None, False),
        ("&lt;tel:+15550199888|+1 555 019 9888&gt; PRIVATE", None, None, True),
        ("+1\u00a0555\u00a0019\u00a09888 private", None, None, True),
        ('"+15550199888"', None, None, False),
        ("*+1 555 019 9888* private", None, None, True),
        (WIDE, None, None, False),
        ("+15550199888 at 14:00", NOW.replace(minute=0), None, False),
        ("+15550199888 at 14:06", NOW.replace(minute=6) - timedelta(days=1), None, False),
        ("+15550199888 at 2pm", NOW.replace(minute=0), None, False),
        ("+15550199888 at 12am", NOW.replace(hour=0, minute=0), None, False),
        ("+15550199888 at 13.59.30", NOW.replace(hour=13, minute=59, second=30), None, False),
        ("+15550199888 at yesterday 14:00", NOW.replace(minute=0) - timedelta(days=1), None, False),
        ("+15550199888 at today 09:00 UTC", NOW.replace(hour=9, minute=0), None, False),
        ("+15550199888 at 2026-11-20T09:15", datetime(2026, 11, 20, 9, 15, tzinfo=UTC), None, False),
        ("+15550199888 since 3d", None, timedelta(days=3), False),
        ("+15550199888 since 1d 12h private", None, timedelta(hours=36), True),
        ("+15550199888 since 2 hours at 13:00", NOW.replace(hour=13, minute=0), timedelta(hours=2), False),
    ],
)
def test_a_number_is_a_diagnosis(text: str, at: datetime | None, since: timedelta | None, private: bool) -> None:  # noqa: FBT001 - a table
    """With its time, how far back, and for whom."""
    found = parse(text)
    assert isinstance(found, typed.Diagnose)
    assert found.number.e164 == "+15550199888"
    assert (found.at, found.since, found.private) == (at, since, private)


def test_a_time_of_day_is_the_askers() -> None:
    """14:00 in Amsterdam is 13:00 UTC in winter."""
    found = g.parse("+15550199888 at 14:00", region="US", now=NOW, zone=ZoneInfo("Europe/Amsterdam"))
    assert isinstance(found, typed.Diagnose)
    assert found.at == datetime(2026, 11, 22, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (f"id {UUID}", typed.DiagnoseId(UUID)),
        (UUID, typed.DiagnoseId(UUID)),
        (f"{UUID} private", typed.DiagnoseId(UUID, private=True)),
        ("ID `abc` private", typed.DiagnoseId("abc", private=True)),
        ("id <tel:123456789|123456789>", typed.DiagnoseId("123456789")),
        ("session cgy-81", typed.DiagnoseSession("cgy-81")),
        ("agent u-1", typed.LookAtTarget(TargetKind.USER, "u-1")),
        ("Queue q-1", typed.LookAtTarget(TargetKind.QUEUE, "q-1")),
        ("flow f-1", typed.LookAtTarget(TargetKind.FLOW, "f-1")),
        ("recent", typed.Recent(Filters())),
        ("recent outcome=rejected", typed.Recent(Filters(outcomes=(Outcome.REJECTED,)))),
        (
            "subscribe target=“Billing EU” min=5/10m rate=10%",
            typed.Subscribe(Filters(targets=("Billing EU",), failures=5, minutes=10, rate=0.1)),
        ),
        ("unsubscribe", typed.Unsubscribe()),
        ("list", typed.ListSubscriptions()),
        ("mute rejected 2h", typed.Mute(Outcome.REJECTED, timedelta(hours=2))),
        (
            "mute platform 30m deploy of today",
            typed.Mute(Fault.PLATFORM, timedelta(minutes=30), "deploy of today"),
        ),
        ('mute "Billing EU" 1d', typed.Mute(typed.Target("Billing EU"), timedelta(days=1))),
        ("mute target=rejected 1d", typed.Mute(typed.Target("rejected"), timedelta(days=1))),
        ("mute fault=unknown 1d", typed.Mute(Fault.UNKNOWN, timedelta(days=1))),
        ("mute all 1d", typed.Mute("all", timedelta(days=1))),
        ("unmute", typed.Unmute("all")),
        ("unmute Billing", typed.Unmute(typed.Target("Billing"))),
        ("why 12", typed.Why("12")),
        ("status", typed.ShowStatus()),
        ("test", typed.SendTest()),
    ],
)
def test_every_command_is_read(text: str, action: typed.Action) -> None:
    """The grammar of the design, in any case."""
    assert parse(text) == action


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("subscibe", "Did you mean “subscribe”?"),
        ("hello <!channel>", "neither a number nor a command"),
        ("12345", "too short"),
        ("+15550199888 at", "After “at”"),
        ("+15550199888 at noon", "After “at”"),
        ("+15550199888 at 5", "After “at”"),
        ("+15550199888 at 25:00", "After “at”"),
        ("+15550199888 at 2026-13-45 10:00", "After “at”"),
        ("+15550199888 at 0001-01-01 00:00", "After “at”"),
        ("+15550199888 at today 23:00", "After “at”"),
        ("+15550199888 since yesterday", "After “since”"),
        ("+15550199888 since 99d", "After “since”"),
        ("+15550199888 private please", "After “private”"),
        ("id", "After “id”"),
        ("id a b", "After “id”"),
        ("session", "After “session”"),
        ("agent <@U1|jane>", "After “agent”"),
        ("recent foo", "no filter"),
        ("subscribe outcome=nonsense", "no such outcome"),
        ("unsubscribe now", "is no filter"),
        ("mute", "for how long"),
        ("mute rejected", "for how long"),
        ("mute rejected 99d", "for how long"),
        ('mute "x', "for how long"),
        ("unmute a b", "to unmute"),
        ("why", "After “why”"),
        ("@bob", ""),
        ("<@U0SAM|sam>", ""),
        ("&lt;#C0ALERTS&gt;", ""),
    ],
)
def test_what_is_not_understood_says_why(text: str, hint: str) -> None:
    """And keeps what was typed, to repeat it. A wrong filter never means everything."""
    found = parse(text)
    assert isinstance(found, typed.Misunderstood)
    assert hint in found.hint
    assert not found.withheld


@pytest.mark.parametrize("text", ["anonymous", "Unknown", "sip:anonymous@anonymous.invalid", "restricted at 14:00"])
def test_a_withheld_number_is_told_apart(text: str) -> None:
    """The help then offers what does not need a number."""
    found = parse(text)
    assert isinstance(found, typed.Misunderstood)
    assert found.withheld


WORDS = st.sampled_from(
    [
        "+15550199888",
        "at",
        "since",
        "private",
        "14:00",
        "3d",
        "mute",
        "id",
        "subscribe",
        "min=5/10m",
        '"',
        "<",
        "&amp;",
        "all",
        "9" * 30,
    ]
)


@given(st.text(max_size=80) | st.lists(WORDS, max_size=7).map(" ".join))
def test_any_text_is_an_action(text: str) -> None:
    """Nothing that can be typed raises."""
    assert isinstance(parse(text), typed.Action)
