"""What holds of every page of the gallery: each scene opens whole, answers the keyboard, and asks nobody outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from gallery.catalog import entries
from gallery.demo import Demo, Scene
from tests.browser.conftest import SIZES, THEMES, Watched

DEMOS = {entry.slug: entry.demo for entry in entries()}
CANARY = '<img src="x" onerror="window.canary=1"><b id="canary">canary</b>'
# A fault of these two grades keeps somebody out of the page.
GRAVE = ("serious", "critical")
# The page is as wide as the window, give or take the rounding of fractional pixels.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def scenes() -> Iterator[tuple[str, Scene]]:
    for slug, demo in DEMOS.items():
        for scene in demo.scenes or (Scene("as it opens", "the page without a query"),):
            yield slug, scene


def part(page: Page, name: str) -> Locator:
    """The element that carries this id on every demo: an id in Gradio, a container key in Streamlit."""
    return page.locator(f"#{name}, .st-key-{name}").first


def open_demo(open_page: Callable[..., Watched], slug: str, query: str = "", **how: str) -> Watched:
    watched = open_page(f"/demo/{slug}/{query}", **how)
    part(watched.page, "instrument").wait_for(state="visible", timeout=30_000)
    if DEMOS[slug].framework == "gradio":
        watched.page.wait_for_selector('#instrument[data-ready="true"], #instrument [data-ready="true"]', timeout=30_000)
    else:
        watched.page.wait_for_selector('[data-test-script-state="notRunning"]', state="attached", timeout=30_000)
        watched.page.wait_for_selector('#instrument[data-ready="false"]', state="detached", timeout=30_000)
    return watched


@pytest.mark.parametrize("slug, scene", [pytest.param(*each, id=f"{each[0]}: {each[1].title}") for each in scenes()])
def test_scene_opens_whole_and_quietly(open_page: Callable[..., Watched], slug: str, scene: Scene) -> None:
    """Opened on a phone, then the window grows: a page has to follow its window, too."""
    watched = open_demo(open_page, slug, scene.url(), size="phone")
    page = watched.page
    for name in reversed(SIZES):
        page.set_viewport_size(dict(zip(("width", "height"), SIZES[name])))
        page.wait_for_timeout(600)
        assert part(page, "status").count() == 1
        assert page.locator('#status[data-kind="error"], .st-key-status [data-kind="error"]').count() == 0, part(page, "status").inner_text()
        assert page.evaluate(OVERFLOW) <= 1, f"the page is wider than the window ({name})"
        box = part(page, "instrument").bounding_box()
        assert box and box["width"] >= 0.4 * min(SIZES[name][0], 700) and box["height"] >= 150, name
    watched.check()


@pytest.mark.parametrize("slug", DEMOS)
def test_primary_is_reached_by_tab_and_moves_the_instrument(open_page: Callable[..., Watched], slug: str) -> None:
    watched = open_demo(open_page, slug)
    page = watched.page
    page.wait_for_timeout(1_000)
    inside = "document.activeElement.closest('#primary, .st-key-primary') !== null"
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(inside):
            break
    assert page.evaluate(inside), "80 presses of Tab did not reach #primary"
    before = part(page, "instrument").screenshot()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1_500)
    assert part(page, "instrument").screenshot() != before, "the arrow keys changed nothing"
    watched.check()


@pytest.mark.parametrize("slug", DEMOS)
def test_instrument_is_above_the_fold_on_a_laptop(open_page: Callable[..., Watched], slug: str) -> None:
    box = part(open_demo(open_page, slug, size="laptop").page, "instrument").bounding_box()
    assert box and box["y"] + box["height"] <= SIZES["laptop"][1] + 1


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", ["/", *(f"/demo/{slug}/" for slug in DEMOS)])
def test_axe_finds_nothing_grave(open_page: Callable[..., Watched], path: str, theme: str) -> None:
    if path == "/":
        page = open_page(path, theme=theme).page
    else:
        page = open_demo(open_page, path.split("/")[2], theme=theme).page
    page.wait_for_timeout(1_000)
    found = [fault for fault in Axe().run(page).response["violations"] if fault["impact"] in GRAVE]
    told = [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
    assert told == []


@pytest.mark.parametrize("path", ["/", *(f"/demo/{slug}/" for slug in DEMOS)])
def test_typed_markup_stays_text(open_page: Callable[..., Watched], path: str) -> None:
    watched = open_page(path) if path == "/" else open_demo(open_page, path.split("/")[2])
    page = watched.page
    fields = page.locator("input[type=text]:visible, input[type=search]:visible, textarea:visible, input:not([type]):visible")
    for index in range(fields.count()):
        fields.nth(index).fill(CANARY)
        fields.nth(index).press("Enter")
        page.wait_for_timeout(400)
    page.wait_for_timeout(600)
    assert page.evaluate("window.canary") is None and page.locator("b#canary").count() == 0


@pytest.mark.parametrize("slug", DEMOS)
def test_markup_in_the_address_stays_text(open_page: Callable[..., Watched], slug: str) -> None:
    demo: Demo = DEMOS[slug]
    keys = sorted({key for scene in demo.scenes for key in scene.query} | {"q"})
    query = Scene("canary", "", {key: CANARY for key in keys}).url()
    page = open_page(f"/demo/{slug}/{query}").page
    part(page, "instrument").wait_for(state="visible", timeout=30_000)
    page.wait_for_timeout(1_500)
    assert page.evaluate("window.canary") is None and page.locator("b#canary").count() == 0


def test_search_on_the_hub_by_keyboard(open_page: Callable[..., Watched]) -> None:
    watched = open_page("/")
    page = watched.page
    page.keyboard.press("/")
    page.keyboard.type("latent")
    page.wait_for_function("new URL(location).searchParams.get('q') === 'latent'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demo/latent-space-explorer/**", timeout=30_000)
    watched.check()


@pytest.mark.parametrize("slug", [slug for slug, demo in DEMOS.items() if demo.milestone])
def test_the_instrument_is_presented_alone_and_left_again(open_page: Callable[..., Watched], slug: str) -> None:
    watched = open_demo(open_page, slug, size="laptop")
    page = watched.page
    before = part(page, "instrument").bounding_box()
    button = page.locator("#present")
    button.click()
    page.wait_for_function("document.documentElement.hasAttribute('data-presenting')")
    assert button.inner_text() == "Leave" and button.get_attribute("aria-pressed") == "true"
    page.wait_for_function("document.querySelector('.g-head').offsetHeight === 0")
    shown = part(page, "instrument").bounding_box()
    assert shown["y"] < before["y"] - 60, "what was above it is gone"
    assert page.locator(".g-scenes").is_visible() and shown["height"] > before["height"] + 60
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    button.click()
    page.wait_for_function("!document.documentElement.hasAttribute('data-presenting') && !document.fullscreenElement")
    page.wait_for_function("document.querySelector('.g-head').offsetHeight > 0")
    watched.check()
