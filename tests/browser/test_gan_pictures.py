"""Games of pictures, in a real browser: trained live, gone back through, gone on from, and looked at from every side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Hub, Watched

PAGE = "/demo/gan-trainer/?tool=pictures"
READY = '#instrument[data-ready="true"]'
PATIENCE = 180_000               # a training of some seconds, on a machine that has much else to do
TOOL = "window.__gan.pictures"


@pytest.fixture
def pictures(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(PAGE + query, **how)
        watched.page.wait_for_selector(READY, timeout=PATIENCE)
        until(watched.page, f"window.__gan?.pictures?.game.looks.length && {TOOL}.painted")
        return watched
    return open_


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE)


def step(page: Page) -> int:
    return page.evaluate(f"{TOOL}.shown")


def painted(page: Page) -> str:
    page.evaluate(f"({TOOL}.paint(), {TOOL}.easel.paint())")
    return page.evaluate(f"{TOOL}.easel.canvas.toDataURL()")


def stopped(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    until(page, f"!{TOOL}.game.playing")


def test_digits_from_noise_are_trained_gone_back_through_and_branched(pictures: Callable[..., Watched]) -> None:
    watched = pictures("&set=mnist&stage=scratch&play=1")
    page = watched.page
    until(page, f"{TOOL}.game.step >= 4 && {TOOL}.game.points.length >= 4")
    assert "trained here from scratch" in page.locator(".gp-source").inner_text()
    page.evaluate("window.__gan.app.store.set({p_lr_g: 0.0005})")
    until(page, f"{TOOL}.game.marks.length === 1")
    stopped(page)
    until(page, f"location.search.includes({TOOL}.game.film)")
    newest, after = step(page), painted(page)
    page.focus("#primary")
    page.keyboard.press("Home")
    assert step(page) == 0 and painted(page) != after
    assert page.get_by_role("button", name="Train on from here").is_visible()
    page.get_by_role("button", name="Back to the newest moment").click()
    assert step(page) == newest and painted(page) == after
    page.evaluate(f"{TOOL}.seek(2)")        # was not kept: it is played again from the moment before
    page.get_by_role("button", name="Train on from here").click()
    until(page, f"{TOOL}.game.ghost?.from === 2 && {TOOL}.game.step >= 3 && {TOOL}.game.playing")
    stopped(page)
    # who comes back by the link finds the training
    until(page, f"location.search.includes({TOOL}.game.film)")
    there = page.evaluate(f"{TOOL}.game.step")
    page.reload()
    until(page, f"window.__gan?.pictures?.game.step === {there}")
    # a scene begins anew
    page.evaluate("window.__gan.app.store.set({reel: '', pat: null, play: true})")
    until(page, f"{TOOL}.game.playing && {TOOL}.game.looks[0]?.step === 0 && {TOOL}.game.step < {there} + 1")
    stopped(page)
    watched.check()


def test_it_stops_where_it_was_asked_to(pictures: Callable[..., Watched]) -> None:
    watched = pictures("&stage=scratch&puntil=3&p_batch=8")
    page = watched.page
    page.get_by_role("button", name="Play").click()
    until(page, f"{TOOL}.game.step === 3 && !{TOOL}.game.playing")
    page.get_by_role("button", name="Play").click()
    assert "is to stop at 3" in page.locator("#status").inner_text()
    page.get_by_label("Stop at step").fill("never mind")
    page.keyboard.press("Tab")
    assert "may be a whole number" in page.locator("#status").inner_text()
    watched.check()


def test_two_trainings_are_one_rule_apart(pictures: Callable[..., Watched]) -> None:
    watched = pictures("&stage=scratch&puntil=4&p_batch=8&pversus=lr_g:0.00002&play=1")
    page = watched.page
    both = f"[{TOOL}.games.a, {TOOL}.games.b]"
    over = f"{both}.every((game) => game.step === 4 && game.state === 'stopped')"
    until(page, over)
    until(page, "/reel=/.test(location.search) && /reelb=/.test(location.search)")
    first, newest = (page.evaluate(f"{both}.map((game) => game.looks.at({at}).images.join())") for at in (0, -1))
    assert first[0] == first[1], "the same seed begins alike"
    assert newest[0] != newest[1]
    assert "learning rate of G 0.00002" in page.evaluate(f"{TOOL}.easel.scene.words.map(({{text}}) => text).join()")
    with page.expect_download() as kept:
        page.get_by_role("button", name="Curves, CSV").click()
    rows = kept.value.path().read_text().splitlines()
    assert rows[0].startswith("game,step,") and [row[:2] for row in rows[1:]] == 4 * ["A,"] + 4 * ["B,"]
    page.reload()                           # who comes back by the link finds both
    until(page, f"window.__gan?.pictures && {both}.every((game) => game.step === 4)")
    page.evaluate(f"{TOOL}.seek(2)")        # and both go on as branches from where one looks
    page.get_by_role("button", name="Train on from here").click()
    until(page, f"{both}.every((game) => game.ghost?.from === 2 && game.step === 4 && game.state === 'stopped')")
    page.get_by_role("button", name="A against B").click()
    until(page, f"!{TOOL}.two && {TOOL}.game.looks.length === 1 && !/reel/.test(location.search)")
    watched.check()


def test_an_engine_that_dies_leaves_the_film_and_play_goes_on(pictures: Callable[..., Watched], hub: Hub) -> None:
    page = pictures("&stage=scratch&play=1&p_batch=8").page
    until(page, f"{TOOL}.game.step >= 3")
    hub.kill_the_engine()
    until(page, f"{TOOL}.game.state === 'failed'")
    assert "press play to go on" in page.locator("#status").inner_text()
    looks = page.evaluate(f"{TOOL}.game.looks.length")
    assert looks > 1
    page.get_by_role("button", name="Play").click()
    until(page, f"{TOOL}.game.state === 'playing' && {TOOL}.game.step > 3")
    stopped(page)


def test_stages_are_chosen_and_say_that_they_are_precomputed(pictures: Callable[..., Watched]) -> None:
    watched = pictures()
    page = watched.page
    assert step(page) == 20_000
    assert "trained by the recipe, 20,000 steps" in page.locator(".gp-source").inner_text()
    finished = painted(page)
    page.focus("#primary")
    page.keyboard.press("ArrowLeft")
    assert step(page) == 5000 and painted(page) != finished
    page.get_by_role("group", name="Where to begin").get_by_role("button", name="200", exact=True).click()
    until(page, f"{TOOL}.shown === 200 && !{TOOL}.opening")
    until(page, "location.search.includes('stage=200')")
    page.get_by_role("button", name="Play").click()
    until(page, f"{TOOL}.game.step > 201")
    assert "from step 200 on" in page.locator(".gp-source").inner_text()
    stopped(page)
    watched.check()


def test_verdicts_are_sorted_and_said_of_each(pictures: Callable[..., Watched]) -> None:
    page = pictures("&view=verdicts&stage=1000").page
    items = page.evaluate(f"{TOOL}.easel.scene.items.map(({{kind, verdict}}) => [kind, verdict])")
    for kind in ("real", "made"):
        verdicts = [verdict for each, verdict in items if each == kind]
        assert len(verdicts) == 60 and verdicts == sorted(verdicts, reverse=True)
    page.locator(".gp-canvas").hover(position={"x": 12, "y": 34})
    until(page, "/^Real: .*D says .* real/.test(document.querySelector('.gp-words').textContent)")


def test_a_walk_follows_the_pointer_the_keys_and_the_class(pictures: Callable[..., Watched]) -> None:
    watched = pictures("&view=walk&ask=4")
    page = watched.page
    until(page, f"{TOOL}.easel.scene?.key === 'walk'")
    before = painted(page)
    page.locator(".gp-canvas").focus()
    page.keyboard.press("ArrowRight")
    until(page, "/at \\(/.test(document.querySelector('.gp-words').textContent)")
    page.get_by_role("button", name="New directions").click()
    until(page, "location.search.includes('directions=1')")
    page.get_by_role("group", name="Class").get_by_role("button", name="7").click()
    until(page, f"{TOOL}.easel.scene?.items[0].label === 7")
    assert painted(page) != before
    page.get_by_role("button", name="Samples").click()
    until(page, f"{TOOL}.easel.scene?.key === 'class7'")
    assert "recognised by our classifier" in page.locator(".gp-canvas").get_attribute("aria-label")
    page.get_by_role("button", name="Film", exact=True).click()
    until(page, f"{TOOL}.easel.scene?.key === 'film'")
    watched.check()


@pytest.mark.parametrize("query", ["&set=cats", "&stage=10", "&ask=99", "&p_lr_g=-1", "&p_loss=vae"])
def test_what_the_address_cannot_say_is_told(open_page: Callable[..., Watched], query: str) -> None:
    watched = open_page(PAGE + query)
    watched.page.wait_for_selector(READY, timeout=PATIENCE)
    assert watched.page.locator("#status").get_attribute("data-kind") == "error"
    watched.check()


@pytest.mark.parametrize("size", ["laptop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "&pversus=batch_norm:0"])
def test_it_fits_and_can_be_read(pictures: Callable[..., Watched], size: str, theme: str, query: str) -> None:
    page = pictures(query, size=size, theme=theme).page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page, context=".gx").response["violations"]
    assert [each["id"] for each in found] == []
