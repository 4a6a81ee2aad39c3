"""The demo as a person uses it: a real browser, the real bot, and the way that the card of first steps leads."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from bot.demo.panel import REFUSED, SILENT, STEPS
from tests.browser import keep
from tests.e2e.processes import Running, environment, wait_for

pytestmark = pytest.mark.browser

HOSTILE = "+12125550166"
OPS, ALERTS = "C0VOICEBOT", "C0ALERTS"
SUPPORT = re.compile("Support refuses handovers[^$]*QUEUE_CLOSED")
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo for all tests of this file, with a caller in it who means harm."""
    del browser  # without one, nothing is started
    folder = tmp_path_factory.mktemp("demo")
    with Running(folder, environment(), (sys.executable, "-m", "bot", "demo", "--port", "0")) as running:
        address = wait_for(lambda: running.lines[:1], "the first line", running)[0]
        do(address, what="place", scenario="hostile", number=HOSTILE)
        yield address
        assert running.stop()[0] == 0, running.log


def do(url: str, **wish: Any) -> None:
    """What the page's script posts."""
    assert "error" not in requests.post(f"{url}do", json=wish, timeout=30).json()


@pytest.fixture
def page(url: str, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, open and without motion; anything in its console fails the test. The parameter: more options."""
    options = {"viewport": {"width": 1280, "height": 860}, "reduced_motion": "reduce", **getattr(request, "param", {})}
    context = browser.new_context(**options)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.set_default_timeout(10_000)
    opened.goto(url)
    opened.wait_for_selector("#messages > *")
    yield opened
    context.close()
    assert complaints == []


def newest(page: Page, title: str) -> Locator:
    """The newest message with that in its first line."""
    return page.locator("#messages .message", has=page.locator(".b-header", has_text=title)).last


def step(page: Page, text: str) -> Locator:
    """A line of the card, in view."""
    if page.locator("#steps.slim").count():
        page.click("#steps-more")
    return page.locator(".try", has_text=text)


def test_from_the_card_to_a_diagnosis_and_its_buttons(page: Page) -> None:
    """One click to the cause; then again, the raw events, another call of the same number."""
    step(page, STEPS[0].text).click()
    answer = newest(page, "Billing refused the handover")
    expect(answer).to_be_visible()
    expect(page.locator(".ephemeral", has_text="Looking up …9888").last).to_contain_text("Only visible to you")
    expect(answer).to_contain_text("NO_AGENTS_AVAILABLE")
    expect(answer).to_contain_text("Asked for by @sam")
    expect(page.locator("#steps")).to_have_class(re.compile("slim"))
    expect(answer.locator(".b-header")).to_be_in_viewport()
    assert REFUSED not in answer.inner_text()
    keep(page, "diagnosis-light")

    answer.get_by_role("button", name="Run again").click()
    answer.get_by_role("button", name="1 reply").click()
    thread = page.locator("#thread .message", has=page.locator(".b-header"))
    expect(thread).to_have_count(2)
    expect(thread.last.locator(".b-header")).to_contain_text("Billing refused the handover")

    answer.get_by_role("button", name="Raw events").click()
    events = page.locator("dialog pre")
    expect(events).to_contain_text("NO_AGENTS_AVAILABLE")
    expect(events).to_contain_text("•••• 9888")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)

    answer.get_by_label("Other calls of this number").select_option(index=1)
    expect(thread).to_have_count(3)
    expect(thread.last).not_to_contain_text("NO_AGENTS_AVAILABLE")
    keep(page, "thread-light")


def test_a_private_answer_is_posted_to_the_channel(page: Page) -> None:
    """Only then the others see it."""
    step(page, f"{SILENT} private").click()
    private = page.locator(".message.ephemeral", has=page.locator(".b-header")).last
    expect(private).to_contain_text("Survey")
    expect(page.locator(".message:not(.ephemeral) .b-header", has_text="Survey")).to_have_count(0)
    private.get_by_role("button", name="Post to the channel").click()
    expect(page.locator(".message:not(.ephemeral) .b-header", has_text="Survey")).to_have_count(1)


def test_what_a_caller_writes_stays_text(page: Page) -> None:
    """Markup from the tenant is shown as it was written, in the message and in the raw events."""
    page.fill("#composer-text", f"/handover {HOSTILE}")
    wait_for(lambda: asked(page, "refused"), "the call is over", seconds=40)
    page.fill("#composer-text", "")
    answer = page.locator("#messages .message:not(.ephemeral)", has_text="<script>").last
    answer.get_by_role("button", name="Raw events").click()
    expect(page.locator("dialog pre")).to_contain_text("<script>")
    assert page.locator(".message img, .message script, dialog img, dialog script, a[href^='javascript']").count() == 0
    page.keyboard.press("Escape")
    keep(page, "hostile")


def asked(page: Page, outcome: str) -> bool:
    """Send what stands in the composer, and look whether the newest answer says that already."""
    typed = page.input_value("#composer-text")
    before = page.locator("#messages .message:not(.ephemeral)").count()
    page.focus("#composer-text")
    page.keyboard.press("Enter")
    answer = page.locator("#messages .message:not(.ephemeral)").nth(before)
    answer.wait_for()
    page.fill("#composer-text", typed)
    return outcome in answer.inner_text()


@pytest.mark.long
def test_the_alert_that_the_card_asks_for_arrives_counts_and_is_muted(page: Page) -> None:
    """Three callers fail: one message, edited until it says three; the card mutes it, and it says until when."""
    step(page, "Let three callers fail").click()
    alert = page.locator("#messages > .message", has_text=SUPPORT).last
    expect(alert).to_contain_text("1 failed", timeout=30_000)
    expect(alert).to_contain_text("3 failed", timeout=30_000)
    expect(alert).to_contain_text("(edited)")
    expect(alert).to_contain_text("QUEUE_CLOSED")
    keep(page, "alert-light")
    step(page, "mute Support").click()
    expect(page.locator(".message", has_text="has muted the target Support")).to_be_visible()
    expect(alert).to_contain_text("Muted until", timeout=20_000)
    step(page, "/handover list").click()
    expect(page.locator(".ephemeral", has_text="Subscriptions of this channel").last).to_contain_text("Support until")


@pytest.mark.long
def test_the_alert_is_resolved_when_handovers_work_again(page: Page) -> None:
    """The same message, edited, within a few minutes."""
    page.click(f"[data-channel={ALERTS}].place")
    alert = page.locator("#messages > .message", has_text=SUPPORT).last
    if not alert.count():
        step(page, "Let three callers fail").click()
    expect(alert).to_contain_text("Resolved at", timeout=240_000)
    expect(alert).to_contain_text("✅")
    keep(page, "resolved-light")


def test_by_keyboard_alone(page: Page) -> None:
    """The card's first line by Tab and Enter; the next line has the focus then; the composer is one key away."""
    page.focus(".skip")
    for _ in range(20):
        page.keyboard.press("Tab")
        if "try" in page.evaluate("document.activeElement.className"):
            break
    before = page.locator(".message.ephemeral").count()
    page.keyboard.press("Enter")
    expect(page.locator(".message.ephemeral")).not_to_have_count(before)
    focus = page.evaluate("document.activeElement.dataset.text")
    assert focus == STEPS[1].text
    page.focus("#composer-text")
    page.keyboard.type("/han")
    page.keyboard.press("Tab")
    page.keyboard.type("help")
    page.keyboard.press("Enter")
    expect(page.locator(".message.ephemeral", has_text="Why did a handover fail?").last).to_be_visible()


@pytest.mark.parametrize(
    "page",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"color_scheme": "light", "viewport": {"width": 390, "height": 800}},
        {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
    ],
    ids=["light", "dark", "narrow-light", "narrow-dark"],
    indirect=True,
)
def test_it_can_be_read_everywhere(page: Page, request: pytest.FixtureRequest) -> None:
    """WCAG AA contrast of all text in view, nothing wider than the screen, the answer not hidden by the card."""
    assert page.evaluate(CONTRAST) == []
    step(page, STEPS[0].text).click()
    expect(newest(page, "Billing refused the handover").locator(".b-header")).to_be_in_viewport()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "document.querySelector('#scroll').scrollWidth <= document.querySelector('#scroll').clientWidth"
    )
    keep(page, f"read-{request.node.callspec.id}")
