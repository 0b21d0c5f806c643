"""The Write tool in a real browser: it writes, branches, comes back from its address, and ends with its tab."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from tests.browser.conftest import Hub, Watched, wait_until

PAGE = "/demo/temperature-slider/"
READY = '#instrument[data-ready="true"]'
PATIENCE = 90_000
NOTICED_S = 2.0
SETTLED = "() => document.querySelector('.wr-text')?.dataset.state === 'done'"
ONE = json.dumps({"place": 0, "steps": [[70, 0.5, 0.5, 0.25, 0.0, 0.7, 2, [[70, 0.5, 0.5], [71, 0.5, 0.5]]]], "ended": ""})


@pytest.fixture
def writer(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(f"{PAGE}?tool=write{query}", **how)
        watched.page.wait_for_selector(READY, timeout=PATIENCE)
        return watched
    return open_


def settled(page: Page) -> None:
    page.wait_for_function(SETTLED, timeout=PATIENCE)


def at_once(page: Page) -> None:
    page.select_option(".wr-speed", "0")


def written(page: Page) -> list[str]:
    """What the tokens are, each for the eye."""
    return page.eval_on_selector_all(".wr-token", "all => all.map((each) => each.dataset.tip)")


def kept(page: Page, name: str) -> str:
    with page.expect_download() as caught:
        page.get_by_role("button", name=f"Save as {name}").click()
    return Path(caught.value.path()).read_text("utf-8")


def branched(page: Page, place: int) -> None:
    """Choose at `place` the likeliest token that does not stand there."""
    page.locator(f"#wr-t{place}").click()
    page.locator('.wr-other[aria-pressed="false"]').first.click()
    settled(page)


def test_it_plays_pauses_and_goes_one_token_on(writer: Callable[..., Watched]) -> None:
    watched = writer("&n=30")
    page = watched.page
    at_once(page)
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelectorAll('.wr-token').length === 1", timeout=PATIENCE)
    page.select_option(".wr-speed", "2")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    page.wait_for_selector('.wr-text[data-state="playing"]')
    page.keyboard.press(" ")
    page.wait_for_selector('.wr-text[data-state="paused"]')
    before = written(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"document.querySelectorAll('.wr-token').length === {len(before) + 1}", timeout=PATIENCE)
    assert written(page)[:len(before)] == before
    at_once(page)
    page.locator(".wr-play").click()
    settled(page)
    assert len(written(page)) <= 30
    watched.check()


@pytest.mark.parametrize("pressed", ["#tab-write", "#lx-stage input[type=range]", "h1"])
def test_space_plays_and_pauses_wherever_nothing_else_takes_it(writer: Callable[..., Watched], pressed: str) -> None:
    watched = writer("&n=200")
    page = watched.page
    page.select_option(".wr-speed", "2")
    page.locator(pressed).first.click()
    page.keyboard.press(" ")
    page.wait_for_selector('.wr-text[data-state="playing"]', timeout=PATIENCE)
    page.keyboard.press(" ")
    page.wait_for_selector('.wr-text[data-state="paused"]')
    assert page.evaluate("scrollY") == 0, "the page has rolled away"
    watched.check()


def test_another_token_branches_and_the_address_brings_it_back(writer: Callable[..., Watched], hub: Hub) -> None:
    watched = writer("&play=1&n=30")
    page = watched.page
    at_once(page)
    settled(page)
    first = written(page)
    branched(page, 4)
    branched(page, 9)
    text = written(page)
    assert text[:4] == first[:4] and text[4] != first[4]
    assert page.locator('[role="treeitem"]').count() == 3
    page.wait_for_function("/branch=4(:|%3A)\\d+~9(:|%3A)\\d+/.test(location.search)")
    page.reload()
    settled(page)
    assert written(page) == text, "the address names the branch, and the seed the rest"
    page.locator('[role="treeitem"]').first.focus()
    page.keyboard.press("Enter")
    settled(page)
    assert written(page) == first, "the text that was left is still there"
    watched.check()


def test_other_settings_leave_the_text_until_it_is_written_again(writer: Callable[..., Watched]) -> None:
    watched = writer("&play=1&n=20")
    page = watched.page
    at_once(page)
    settled(page)
    first = written(page)
    page.focus("#primary")
    page.keyboard.press("Home")
    page.wait_for_selector('.wr-text[data-state="stale"]')
    assert written(page) == first and page.locator(".wr-stale").is_visible()
    page.get_by_role("button", name="Write again").click()
    settled(page)
    assert page.locator(".wr-stale").is_hidden()
    assert all(re.search(r"q 100 %", each) for each in written(page)), "at temperature 0 the likeliest token is certain"
    watched.check()


def test_what_is_kept_holds_every_probability(writer: Callable[..., Watched]) -> None:
    page = writer("&play=1&n=12&t=0.8&k=20&seed=5").page
    at_once(page)
    settled(page)
    record = json.loads(kept(page, "JSON"))
    assert record["seed"] == 5 and record["settings"]["temperature"] == 0.8 and record["settings"]["top_k"] == 20
    assert [each["place"] for each in record["tokens"]] == list(range(len(written(page))))
    for each in record["tokens"]:
        assert 0 < each["p"] <= 1 and 0 < each["q"] <= 1 and each["kept"] <= 20
        assert each["low"] <= each["u"] < each["low"] + each["q"] + 1e-12
        assert each["alternatives"]
    text = kept(page, "Text")
    assert text.startswith(record["prompt"]) and len(text) > len(record["prompt"])
    assert "<svg" in kept(page, "SVG")


def test_a_run_that_fails_keeps_what_is_written_and_goes_on(writer: Callable[..., Watched]) -> None:
    page = writer("&n=10").page
    at_once(page)

    def fails(route: Route) -> None:
        route.fulfill(body=f'{ONE}\n{{"error":"The engine was lost.","lost":true}}\n', content_type="application/x-ndjson")

    page.route("**/data/write", fails, times=1)
    page.locator(".wr-play").click()
    page.wait_for_selector('.wr-text[data-state="paused"]', timeout=PATIENCE)
    page.wait_for_selector('#status[data-kind="error"]')
    assert "The engine was lost." in page.locator("#status").inner_text()
    before = written(page)
    assert len(before) == 1
    page.locator(".wr-play").click()
    settled(page)
    assert written(page)[0] == before[0] and len(written(page)) > 1


def test_markup_in_a_token_is_text(writer: Callable[..., Watched]) -> None:
    watched = writer("&n=2")
    page = watched.page

    def odd(route: Route) -> None:
        tokens = ["<|endoftext|>", "<script>window.hit = 1</script>", "\xe2\x82", "\xac", "\xe2\x80\xae", "<img src=x onerror='window.hit=1'>"]
        route.fulfill(json={"model": "gpt2-stories", "tokens": tokens, "special": [0], "end": 0})

    def writes(route: Route) -> None:
        others = [[i, 0.2, 0.2] for i in range(1, 6)]
        steps = [[i, 0.2, 0.2, 0.2 * i - 0.1, 0.2 * (i - 1), 1.6, 5, others] for i in range(1, 6)]
        route.fulfill(body=json.dumps({"place": 0, "steps": steps, "ended": "count"}), content_type="application/x-ndjson")

    page.route("**/data/vocabulary*", odd)
    page.route("**/data/write", lambda route: writes(route))
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    page.locator('input[aria-label="Tokens to write"]').fill("5")
    page.keyboard.press("Enter")
    at_once(page)
    page.locator(".wr-play").click()
    page.wait_for_function("document.querySelectorAll('.wr-token').length === 5", timeout=PATIENCE)
    shown = page.locator(".wr-tokens").inner_text()
    assert "<script>window.hit = 1</script>" in shown and "€" in shown and "<e2 82>" in shown and "<U+202E>" in shown
    assert page.evaluate("window.hit") is None
    watched.check()


def test_a_tab_that_closes_ends_its_run(writer: Callable[..., Watched], hub: Hub) -> None:
    page = writer("&n=1024&play=1").page
    wait_until(lambda: running(hub), 60, "nothing was written")
    page.context.close()
    wait_until(lambda: not running(hub), NOTICED_S, "the text was written on for nobody")


def running(hub: Hub) -> int:
    return json.loads(hub.get("/health"))["runs"]["running"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_it_can_be_read_by_everybody(writer: Callable[..., Watched], size: str, theme: str) -> None:
    page = writer("&play=1&n=25&t=1.3", size=size, theme=theme).page
    at_once(page)
    settled(page)
    branched(page, 3)
    report = Axe().run(page, options={"resultTypes": ["violations"]})
    assert report.violations_count == 0, report.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the page"
