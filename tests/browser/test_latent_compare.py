"""Two maps beside each other, what is still loading, and the words about things that one may not know."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched

PAGE = "/demo/latent-space-explorer/"
PATIENCE = 60_000
FIGURES = re.compile(r"(\d+) % of the middle is empty, (\d+) % misread")


@pytest.fixture
def explorer(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(PAGE + query, **how)
        watched.page.wait_for_selector('#instrument[data-ready="true"]', timeout=PATIENCE)
        return watched
    return open_


def figures(page: Page) -> list[tuple[int, int]]:
    page.wait_for_selector(".lx-empty figcaption", timeout=PATIENCE)
    found = [FIGURES.search(each.inner_text()) for each in page.locator(".lx-empty figcaption").all()]
    assert all(found)
    return [(int(each[1]), int(each[2])) for each in found]


def test_the_autoencoder_has_more_holes_and_misreads_more(explorer: Callable[..., Watched]) -> None:
    watched = explorer("?model=ae-mnist-2d&compare=vae-mnist-2d&layers=points,manifold")
    (empty, misread), (empty_vae, misread_vae) = figures(watched.page)
    assert empty > 2 * empty_vae and misread > 1.5 * misread_vae, "what the lesson says of them"
    watched.check()


def test_the_share_of_empty_places_is_that_of_a_plain_count(explorer: Callable[..., Watched]) -> None:
    page = explorer("?model=ae-mnist-2d").page
    found, counted = page.evaluate("""async () => {
        const {emptiness, middle, spread, EMPTY} = await import('/assets/web/latent/empty.js'), {space} = window.__latent.app;
        const shape = spread(space), places = middle(shape);
        const near = ([x, y]) => { for (let i = 0; i < space.n; i++)
            if (Math.hypot((space.xy[2 * i] - x) / shape.sx, (space.xy[2 * i + 1] - y) / shape.sy) <= EMPTY) return true; return false; };
        return [emptiness(space, shape, places), places.filter((p) => !near(p)).length / places.length]; }""")
    assert found == counted


def test_what_is_still_of_the_model_before_is_marked(explorer: Callable[..., Watched]) -> None:
    watched = explorer("?compare=ae-mnist-2d")
    page = watched.page
    figures(page)
    assert page.locator('.lx [aria-busy="true"]').count() == 0
    page.route("**/data/codes/*", lambda route: None)       # held back until nobody listens any more
    page.get_by_role("group", name="Dimensions").get_by_role("button", name="16").click()
    page.wait_for_function("document.querySelectorAll('.lx-plot[aria-busy=true]').length > 0", timeout=PATIENCE)
    page.wait_for_timeout(400)
    assert page.locator(".lx-plot > canvas").first.evaluate("(e) => getComputedStyle(e).opacity") == "0.35"
    assert page.evaluate("getComputedStyle(document.querySelector('.lx-plot'), '::after').visibility") == "visible"
    page.unroute("**/data/codes/*")
    page.wait_for_function("window.__latent.app.space.d === 16 && !document.querySelector('.lx [aria-busy=true]')", timeout=PATIENCE)
    watched.check()


@pytest.mark.parametrize("name, word", [("Codes", "encoder"), ("Manifold", "decoder"), ("VAE β 4", "KL"), ("Draw z from N(0, I)", "prior")])
def test_words_come_by_pointer_and_by_keyboard(explorer: Callable[..., Watched], name: str, word: str) -> None:
    watched = explorer()
    page = watched.page
    button, tip = page.get_by_role("button", name=name, exact=True), page.locator("#g-tip")
    button.wait_for(timeout=PATIENCE)
    button.hover()
    tip.wait_for(timeout=5_000)
    assert word in tip.inner_text()
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.mouse.move(5, 5)
    page.locator("#copy-link").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if button.evaluate("(e) => e === document.activeElement"):
            break
    assert tip.is_visible() and word in tip.inner_text()
    assert button.get_attribute("aria-describedby") == "g-tip"
    box = tip.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] >= 0 and box["y"] + box["height"] <= 720
    watched.check()


def test_a_finger_is_told_what_elbo_is(explorer: Callable[..., Watched]) -> None:
    page = explorer(size="phone").page
    page.locator("#status .g-tipped").tap()
    page.locator("#g-tip").wait_for(timeout=5_000)
    assert "nats" in page.locator("#g-tip").inner_text()


def test_a_pressed_control_keeps_the_focus(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    page.get_by_role("button", name="Manifold").focus()
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.textContent") == "Manifold"
    page.get_by_role("group", name="Model").get_by_role("button", name="β 4").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.__latent.app.space.name === 'vae-mnist-2d-beta4'", timeout=PATIENCE)
    assert page.evaluate("document.activeElement.textContent") == "VAE β 4"
