"""In two dimensions, in a real browser: dissolve, train, bring back, click, draw; by pointer and by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from gallery.catalog import find
from tests.browser.conftest import Watched

ROOM = find("diffusion-stepper")
PAGE = "/demo/diffusion-stepper/?tool=plane"
READY = '#instrument[data-ready="true"]'
PATIENCE = 180_000               # a training of ten seconds, on a machine that has much else to do
PLANE = "window.__diffusion.plane"


@pytest.fixture
def plane(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(PAGE + query, **how)
        watched.page.wait_for_selector(READY, timeout=PATIENCE)
        watched.page.wait_for_function(f"{PLANE}.shown?.length", timeout=PATIENCE)
        return watched
    return open_


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE)


def level(page: Page) -> int:
    return page.evaluate(f"Math.round({PLANE}.t)")


def painted(page: Page, pane: str = "first") -> str:
    page.evaluate(f"{PLANE}.paint()")
    return page.evaluate(f"{PLANE}.panes.{pane}.canvas.toDataURL()")


def trained(page: Page) -> None:
    until(page, f"{PLANE}.backs && !{PLANE}.live")


def test_points_dissolve_by_the_keys_and_the_button(plane: Callable[..., Watched]) -> None:
    watched = plane()
    page = watched.page
    page.focus("#primary")
    before = painted(page)
    page.keyboard.press("ArrowRight")
    assert level(page) == 5
    page.keyboard.press("End")
    assert level(page) == 1000 and painted(page) != before
    until(page, "location.search.includes('level=1000')")
    page.keyboard.press("Home")
    assert level(page) == 0 and painted(page) == before
    page.get_by_role("button", name="Dissolve").click()
    until(page, f"{PLANE}.t === 1000 && !{PLANE}.playing")
    watched.check()


def test_nothing_comes_back_before_something_was_learned(plane: Callable[..., Watched]) -> None:
    watched = plane("&level=400")
    watched.page.get_by_role("button", name="Bring back").click()
    assert "train a network first" in watched.page.locator("#status").inner_text()
    watched.check()


def test_a_network_learns_and_brings_points_back_by_both_ways(plane: Callable[..., Watched]) -> None:
    watched = plane("&shape=gaussians&learn=1")
    page = watched.page
    until(page, f"{PLANE}.live?.field && {PLANE}.curve.looks.length > 2")
    trained(page)
    until(page, f"{PLANE}.mode === 'back' && {PLANE}.t === 0 && !{PLANE}.playing")
    assert page.locator(".dx-plane-pane:visible").count() == 2
    assert painted(page, "first") != painted(page, "second"), "DDPM and DDIM end elsewhere"
    starts = page.evaluate(f"[[...{PLANE}.backs.ddpm.at(1)], [...{PLANE}.backs.ddim.at(1)]]")
    assert starts[0] == pytest.approx(starts[1], abs=1e-3), "from the same start"
    until(page, "location.search.includes('net=trained')")
    # half-way round: what comes back is nearer to where it came from
    page.evaluate(f"{PLANE}.dissolve(); {PLANE}.seek(100); {PLANE}.mode = 'forward'")
    page.get_by_role("button", name="Bring back").click()
    until(page, f"{PLANE}.turn === 100 && {PLANE}.t === 0 && !{PLANE}.playing")
    # any place has futures
    page.evaluate(f"{PLANE}.clear(); {PLANE}.seek(600)")
    page.evaluate(f"{PLANE}.drop([0.3, 0.2])")
    until(page, f"{PLANE}.fan?.ddpm.length === 12 && {PLANE}.fan.ddim.length === 1")
    # the address opens the same network, without training again
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, f"{PLANE}?.backs")
    assert not page.evaluate(f"{PLANE}.curve.looks.length")
    watched.check()


def test_points_of_the_latent_plane_are_pictures(plane: Callable[..., Watched]) -> None:
    watched = plane("&shape=latent&level=500")
    until(watched.page, f"{PLANE}.thumbs.forward?.sheet.image.width > 500")
    watched.check()


def test_a_place_is_chosen_by_keyboard(plane: Callable[..., Watched]) -> None:
    page = plane("&level=500").page
    page.locator(".dx-plane-canvas").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{PLANE}.panes.first.cross") == [0.1, 0]
    assert level(page) == 500, "the arrows move the cross and not t"


def test_a_drawn_shape_is_kept_in_the_address(plane: Callable[..., Watched]) -> None:
    watched = plane("&shape=drawn")
    page = watched.page
    box = page.locator(".g-sketch").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    for k in range(20):
        page.mouse.move(box["x"] + (0.2 + 0.03 * k) * box["width"], box["y"] + (0.3 + 0.02 * k) * box["height"])
    page.mouse.up()
    until(page, "location.search.includes('drawn=')")
    until(page, f"{PLANE}.shape?.labels.length === 2000")
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, f"{PLANE}?.shape?.labels.length === 2000")
    watched.check()


@pytest.mark.parametrize("query", ["&level=2000", "&shape=heart", "&net=trained/x", "&drawn=!!", "&by=x"])
def test_what_the_address_cannot_say_is_told(plane: Callable[..., Watched], query: str) -> None:
    watched = plane(query)
    assert watched.page.locator("#status").get_attribute("data-kind") == "error"
    watched.check()


@pytest.mark.parametrize("size", ["laptop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_can_be_read(plane: Callable[..., Watched], size: str, theme: str) -> None:
    page = plane("&level=200", size=size, theme=theme).page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if size == "laptop":
        assert page.evaluate("(({scrollHeight: a, clientHeight: b}) => a - b)(document.querySelector('.dx-panels'))") <= 0
    found = Axe().run(page, context=".dx").response["violations"]
    assert [each["id"] for each in found] == []
