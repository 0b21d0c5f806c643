"""The temperature slider in a real browser: its page and its script hold the same, and what goes wrong loses nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Hub, Watched

PAGE = "/demo/temperature-slider/"
READY = '#instrument[data-ready="true"]'
PATIENCE = 60_000
DRAWN = "#status:visible, .st-key-status .g-status:visible"


@pytest.fixture
def room(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(PAGE + query, **how)
        watched.page.wait_for_selector(READY if "tool=" not in query else DRAWN, timeout=PATIENCE)
        return watched
    return open_


def rows(page: Page) -> list[list[str]]:
    """token, after and before of the rows in sight."""
    return page.eval_on_selector_all(".lx-list .lx-row:not([hidden])", "all => all.map((row) => "
                                     "['.lx-token', '.lx-after', '.lx-before'].map((part) => row.querySelector(part).innerText))")


def said(page: Page, words: str) -> None:
    expect(page.locator(".st-key-status .g-status, #status").last).to_contain_text(words, timeout=PATIENCE)


def test_the_slider_reshapes_by_pointer_and_keyboard_and_zero_is_greedy(room: Callable[..., Watched]) -> None:
    watched = room()
    page = watched.page
    before = rows(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    box = page.locator("#primary input[type=range], input#primary").first.bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)
    warm = rows(page)
    assert [row[0] for row in warm] == [row[0] for row in before], "no temperature changes the order"
    assert warm[0][1] != before[0][1] and warm[0][2] == before[0][2]
    page.keyboard.press("Home")
    page.wait_for_timeout(200)
    cold = rows(page)
    assert cold[0][1] == "100 %" and all(row[1] == "cut" for row in cold[1:])
    assert not [url for url in asked if "/data/" in url], "a slider asks nobody"
    page.wait_for_function("new URLSearchParams(location.search).get('t') === '0'")
    watched.check()


def test_what_is_off_looks_off_and_changes_no_number(room: Callable[..., Watched]) -> None:
    watched = room()
    page = watched.page
    expect(page.locator(".lx-count")).to_have_text("9 tokens + start token, of 512")
    expect(page.locator(".lx-numbers")).not_to_contain_text("→")
    expect(page.locator('.lx-setting[data-on="false"]')).to_have_count(5)
    cut = page.get_by_label("Top-k, as a number")
    expect(cut).to_have_value("off")
    cut.fill("3")
    cut.press("Enter")
    expect(page.locator('.lx-setting[data-on="true"]')).to_have_count(1)
    expect(page.locator(".lx-numbers > span").last).to_contain_text("4,096 →")
    assert page.evaluate("import('/assets/web/language/bars.js').then((bars) => [9.6e-5, 4e-12, 0.0744, 1].map(bars.percent))") == [
        "1·10⁻² %", "4·10⁻¹⁰ %", "7.44 %", "100 %"]
    watched.check()


@pytest.mark.parametrize("name, typed", [("Temperature", "9"), ("Temperature", "warm"), ("Top-k", "2.5"), ("Top-p", "0"), ("Seed", "-1")])
def test_a_number_that_may_not_be_is_said_until_another_is_set(room: Callable[..., Watched], name: str, typed: str) -> None:
    page = room().page
    field = page.get_by_label(name, exact=True) if name == "Seed" else page.get_by_label(f"{name}, as a number")
    before = field.input_value()
    field.fill(typed)
    field.press("Enter")
    status = page.locator("#status")
    expect(status).to_have_attribute("data-kind", "error")
    assert field.input_value() == before
    page.locator("#primary").press("ArrowRight")
    expect(status).to_have_attribute("data-kind", "info")


def test_the_scenes_out_of_sight_are_counted_and_rolled_into_sight(room: Callable[..., Watched]) -> None:
    page = room().page
    on, back = page.locator(".g-more-on"), page.locator(".g-more-back")
    expect(on).to_contain_text("+4")
    expect(back).to_be_hidden()
    on.click()
    expect(on).to_contain_text("+1")
    on.click()
    expect(on).to_be_hidden()
    expect(page.locator(".g-scene").last).to_be_in_viewport()
    expect(back).to_be_visible()


def test_any_token_is_found_with_its_rank(room: Callable[..., Watched]) -> None:
    watched = room()
    watched.page.get_by_role("combobox", name=re.compile("find", re.I)).fill(" dragon")
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator(".lx-pinned")).to_contain_text("rank")
    expect(watched.page.locator(".lx-pinned")).to_contain_text("dragon")
    watched.check()


def test_another_model_keeps_the_prompt(room: Callable[..., Watched]) -> None:
    watched = room("?prompt=Good+night")
    page = watched.page
    count = page.locator(".lx-count").inner_text()
    page.get_by_label("Model").select_option("gpt2-shakespeare-char")
    page.wait_for_function(f"document.querySelector('.lx-count').textContent !== {json.dumps(count)}", timeout=PATIENCE)
    assert page.locator("#prompt").input_value() == "Good night" and "256" in page.locator(".lx-count").inner_text()
    page.get_by_label("Model").select_option(label="Other models …")
    expect(page.get_by_role("dialog")).to_contain_text("Well-known ones")
    page.get_by_role("button", name="Close").click()
    assert page.get_by_label("Model").input_value() == "gpt2-shakespeare-char"
    watched.check()


def test_what_the_script_holds_is_in_the_address_and_comes_back(room: Callable[..., Watched]) -> None:
    watched = room("?tool=sides&temps=0.5,1&samples=2&len=10")
    page = watched.page
    said(page, "Written just now")
    assert page.locator(".nat-column").count() == 2
    field = page.get_by_label("Temperatures, 0 to 5")
    field.fill("0, 1, 3")
    field.press("Enter")
    page.wait_for_function("new URLSearchParams(location.search).get('temps') === '0,1,3'", timeout=PATIENCE)
    expect(page.locator(".nat-column")).to_have_count(3, timeout=PATIENCE)
    slider = page.get_by_role("slider", name="Texts at each temperature")
    expect(slider).to_have_value("2")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_function("new URLSearchParams(location.search).get('samples') === '3'", timeout=PATIENCE)
    page.reload()
    said(page, "Written just now")
    expect(page.locator(".nat-column")).to_have_count(3, timeout=PATIENCE)
    expect(page.get_by_role("slider", name="Texts at each temperature")).to_have_value("3")
    watched.check()


def test_the_prompt_moves_what_the_script_draws(room: Callable[..., Watched]) -> None:
    watched = room("?tool=bonnet&read=tokens&prompt=The+dog")
    page = watched.page
    said(page, "tokens of a vocabulary")
    page.fill("#prompt", "Zoë 🐕")
    expect(page.locator(".nat-letter").last).to_contain_text("🐕", timeout=PATIENCE)
    said(page, "fell to bytes")
    page.get_by_role("tab", name="Decoding").click()
    said(page, "Searched just now")
    assert page.locator(".nat-tree .nat-node").count() > 20
    page.get_by_role("tab", name="Distribution").click()
    page.wait_for_selector(READY, timeout=PATIENCE)
    assert page.locator("#prompt").input_value() == "Zoë 🐕"
    watched.check()


@pytest.mark.parametrize("tool", ["distribution", "write", "sides", "decoding", "bonnet"])
def test_a_prompt_that_cannot_be_read_is_one_sentence_and_stays(room: Callable[..., Watched], tool: str) -> None:
    page = room(f"?tool={tool}&n=5&len=5&samples=1").page
    page.wait_for_timeout(500)
    for prompt, words in (("", "empty"), ("   ", "only spaces"), ("no " * 700, "this model reads 512")):
        page.fill("#prompt", prompt)
        page.press("#prompt", "Enter")
        if tool == "write":
            page.locator(".wr-play").click()
        said(page, words)
        assert page.locator("#prompt").input_value() == prompt


def test_any_text_is_read_and_shown_as_text(room: Callable[..., Watched]) -> None:
    watched = room("?tool=bonnet&read=tokens")
    page = watched.page
    said(page, "tokens of a vocabulary")
    for prompt in ("<script>window.hit=1</script>", "שלום עולם", "مرحبا", "🐕‍🦺🐕 ", "a\tb\nc\td"):
        page.fill("#prompt", prompt)
        said(page, f"{len(prompt):,} characters")
        assert page.evaluate("window.hit") is None and page.locator(".nat-chip").count() > 2
    watched.check()


def test_an_address_that_makes_no_sense_says_so_and_opens(room: Callable[..., Watched]) -> None:
    page = room("?t=nan&p=0&k=x&model=nobody").page
    expect(page.locator("#status")).to_contain_text("3 more", timeout=PATIENCE)
    assert page.locator("#status").get_attribute("data-kind") == "error"
    assert rows(page)


def test_an_address_that_makes_no_sense_is_told_over_every_tool(room: Callable[..., Watched]) -> None:
    page = room("?tool=sides&model=nobody&samples=2&len=10").page
    said(page, "Written just now")
    told = page.locator('.lx-status[data-kind="error"]')
    expect(told).to_contain_text("nobody")
    page.fill("#prompt", "")
    said(page, "empty")
    expect(told).to_be_hidden()
    expect(page.get_by_role("slider", name="Texts at each temperature")).to_be_visible()
    page.fill("#prompt", "The dog")
    said(page, "Written just now")


def test_two_visitors_hold_what_each_asked_for(room: Callable[..., Watched]) -> None:
    one, other = room("?prompt=The+dog&t=0.5"), room("?prompt=Tom+said&t=2")
    for page, text, t in ((one.page, "The dog", "0.5"), (other.page, "Tom said", "2")):
        assert page.locator("#prompt").input_value() == text and page.evaluate("window.__language.store.get('t')") == float(t)
    assert rows(one.page) != rows(other.page)
    one.check()
    other.check()


def test_an_engine_that_is_killed_loses_nothing(room: Callable[..., Watched], hub: Hub) -> None:
    page = room("?prompt=The+dog").page
    before = rows(page)
    hub.kill_the_engine()
    page.fill("#prompt", "The cat")
    page.wait_for_function(f"JSON.stringify([...document.querySelectorAll('.lx-list .lx-after')].map((each) => each.innerText)) "
                           f"!== {json.dumps(json.dumps([row[1] for row in before], ensure_ascii=False, separators=(',', ':')))}", timeout=PATIENCE)
    assert page.locator("#prompt").input_value() == "The cat"


# While the script runs again, what it drew before stands there faded: that is not what is to be read.
WRITTEN_ANEW = """() => document.querySelector('[data-testid="stApp"]').dataset.testScriptState !== 'running'
  && [...document.querySelectorAll('[data-testid="stElementContainer"]')].every((each) => each.dataset.stale !== 'true' && getComputedStyle(each).opacity === '1')"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_the_script_draws_can_be_read_by_everybody(room: Callable[..., Watched], theme: str) -> None:
    watched = room("?tool=sides&samples=2&len=10", theme=theme)
    page = watched.page
    for turn, words in ((None, "Written just now"), ("Decoding", "Searched just now"), ("Under the bonnet", "appears in"),
                        ("Tokens", "tokens of a vocabulary"), ("Surprise", "Perplexity")):
        if turn:
            page.get_by_role("tab", name=turn).or_(page.get_by_role("radio", name=turn)).first.click()
        said(page, words)
        page.wait_for_function(WRITTEN_ANEW, timeout=60_000)
        report = Axe().run(page, options={"resultTypes": ["violations"]})
        grave = [each["id"] for each in report.response["violations"] if each["impact"] in ("serious", "critical")]
        assert not grave, f"{turn}: {report.generate_report()}"
    watched.check()


def test_the_chart_is_kept_as_a_picture(room: Callable[..., Watched]) -> None:
    page = room("?tool=write&n=5&play=1").page
    page.wait_for_function("document.querySelector('.wr-text')?.dataset.state === 'done'", timeout=PATIENCE)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save as PNG").click()
    assert Path(caught.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
