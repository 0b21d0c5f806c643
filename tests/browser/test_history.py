"""Back and Forward stay in the room as long as there is a turn to take back, and a scene's card is lit while it is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from apps.latent_space_explorer import DEMO
from tests.browser.conftest import Watched

PAGE = "/demo/latent-space-explorer/"
PATIENCE = 60_000
SETTLED_MS = 400         # by then the address is written: a browser may drop a step through its history that meets it


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE)


def stands(page: Page, **state: str) -> None:
    """Waits until the page shows this tool or model, its map and its address included."""
    for key, value in state.items():
        until(page, f"window.__latent.app.store.get('{key}') === '{value}'")
    if "model" in state:
        until(page, f"window.__latent.app.space.name === '{state['model']}'")
    if "tool" in state:
        assert page.locator(f"#tab-{state['tool']}").get_attribute("aria-selected") == "true"
    page.wait_for_timeout(SETTLED_MS)


@pytest.fixture
def explorer(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "") -> Watched:
        watched = open_page("/")
        watched.page.goto(watched.page.url.rstrip("/") + PAGE + query)
        watched.page.wait_for_selector('#instrument[data-ready="true"]', timeout=PATIENCE)
        watched.page.evaluate("window.stayed = true")
        return watched
    return open_


def test_back_takes_a_turn_back_and_forward_takes_it_again(explorer: Callable[..., Watched]) -> None:
    watched = explorer()
    page = watched.page
    page.focus("#primary")
    page.keyboard.press("ArrowRight")
    before = page.evaluate("window.__latent.app.z()")
    page.click("#tab-path")
    until(page, "location.search.includes('tool=path')")
    page.get_by_role("group", name="Model").get_by_role("button", name="β 4").click()
    stands(page, model="vae-mnist-2d-beta4")
    page.locator(".g-scene", has_text="Sample again").click()
    stands(page, tool="own", model="vae-mnist-2d")
    page.go_back()
    stands(page, tool="path", model="vae-mnist-2d-beta4")
    page.go_back()
    stands(page, tool="path", model="vae-mnist-2d")
    page.go_back()
    stands(page, tool="explore")
    assert page.evaluate("window.__latent.app.z()") == pytest.approx(before, abs=1e-3)
    page.go_forward()
    stands(page, tool="path", model="vae-mnist-2d")
    page.go_forward()
    stands(page, model="vae-mnist-2d-beta4")
    assert page.evaluate("window.stayed") is True
    for _ in range(2):
        page.go_back()
    stands(page, tool="explore", model="vae-mnist-2d")
    until(page, "document.getElementById('status').textContent.startsWith('10,000 pictures')")
    page.go_back()
    page.wait_for_selector("#wall")
    watched.check()


def test_moves_leave_no_entries(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    entries = page.evaluate("history.length")
    page.focus("#primary")
    for key in ("ArrowRight", "ArrowUp", "+"):
        page.keyboard.press(key)
        page.wait_for_timeout(400)
    page.get_by_role("button", name="Density").click()
    until(page, "location.search.includes('density') && location.search.includes('z=')")
    assert page.evaluate("history.length") == entries


def test_a_link_within_the_page_changes_nothing_on_it(explorer: Callable[..., Watched]) -> None:
    page = explorer("?z=0.5,-1").page
    page.evaluate("location.hash = '#lesson'")
    page.go_back()
    page.wait_for_timeout(400)
    assert page.evaluate("window.__latent.app.z()") == [0.5, -1]


@pytest.mark.parametrize("scene", DEMO.scenes, ids=lambda scene: scene.title)
def test_a_card_is_lit_while_its_scene_is_shown(explorer: Callable[..., Watched], scene) -> None:
    page = explorer().page
    card = page.locator(".g-scene", has_text=scene.title)
    lit = "document.querySelector('.g-scene[aria-current]')?.querySelector('b').textContent"
    card.click()
    until(page, f"window.__latent.app.space.name === '{scene.query['model']}'")
    page.wait_for_timeout(2_500)
    assert page.evaluate(lit) == scene.title, page.url
    page.get_by_role("button", name="Density").click()
    until(page, f"!({lit})")
    page.get_by_role("button", name="Density").click()
    until(page, f"{lit} === '{scene.title}'")
