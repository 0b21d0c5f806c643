"""The Dimensions and Train tools in a real browser, on the bundled models and with a real training."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Hub, Watched, wait_until

DEMO = "/demo/latent-space-explorer/"
MODEL = "vae-mnist-16d"
SLOW = 60_000                    # ms: a training and a browser share two cores
PICTURE = "window.__latent.app.here.canvas.toDataURL()"
Z = "Array.from(window.__latent.app.z())"


def opened(open_page: Callable[..., Watched], query: str, size: str = "laptop", theme: str = "light") -> Watched:
    watched = open_page(f"{DEMO}?{query}", size, theme)
    watched.page.set_default_timeout(SLOW)
    watched.page.wait_for_selector('#instrument[data-ready="true"]', timeout=SLOW)
    return watched


def settled(page: Page) -> None:
    page.wait_for_function("document.querySelector('.lx-how')?.dataset.how === 'exact'", timeout=SLOW)


def test_a_slider_moved_by_keys_redraws_the_picture(open_page: Callable[..., Watched]) -> None:
    watched = opened(open_page, f"model={MODEL}&tool=dimensions")
    page = watched.page
    slider = page.locator(".dim-row input").first
    slider.wait_for()
    settled(page)
    before, place = page.evaluate(PICTURE), page.evaluate(Z)
    slider.focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    k = int(slider.get_attribute("data-k"))
    page.wait_for_function(f"before => {PICTURE} !== before", arg=before)
    moved = page.evaluate(Z)
    assert moved[k] > place[k] + 1 and [z for i, z in enumerate(moved) if i != k] == pytest.approx(
        [z for i, z in enumerate(place) if i != k])
    page.keyboard.press("0")
    assert page.evaluate(Z)[k] == 0
    watched.check()


def test_sliders_stand_by_their_kl_and_collapsed_ones_say_why(open_page: Callable[..., Watched]) -> None:
    watched = opened(open_page, f"model={MODEL}&tool=dimensions&dims=collapsed")
    page = watched.page
    page.locator(".dim-row input").first.wait_for()
    kl = page.evaluate(f"window.__latent.app.catalog.find(model => model.name === '{MODEL}').kl_per_dim")
    asleep = sorted(k for k, nats in enumerate(kl) if nats < 0.05)
    rows = page.locator(".dim-row.collapsed input")
    assert sorted(int(row.get_attribute("data-k")) for row in rows.all()) == asleep
    expect(page.locator(".dim-why").first).to_contain_text("learned to ignore them" if asleep else "collapsed")
    first = page.locator(".dim-row:not(.collapsed) input").first
    assert int(first.get_attribute("data-k")) == max(range(len(kl)), key=kl.__getitem__)
    watched.check()


def test_the_same_seed_draws_the_same_point(open_page: Callable[..., Watched]) -> None:
    page = opened(open_page, f"model={MODEL}&tool=dimensions").page
    page.locator(".dim-row input").first.wait_for()
    seed, drawn = page.get_by_label("Seed of the draw"), []
    for value in ("5", "6", "5"):
        before = page.evaluate(Z)
        seed.fill(value)
        seed.press("Enter")
        page.wait_for_function(f"before => JSON.stringify({Z}) !== JSON.stringify(before)", arg=before)
        drawn.append(page.evaluate(Z))
    assert drawn[0] == drawn[2] != drawn[1]


def test_the_wall_is_walked_by_keys_and_kept_in_the_address(open_page: Callable[..., Watched]) -> None:
    watched = opened(open_page, f"model={MODEL}&tool=dimensions&dims=wall")
    page = watched.page
    wall = page.locator("#dim-wall")
    wall.wait_for()
    page.wait_for_function("document.querySelectorAll('.dim-grid-labels span').length > 3")
    place = page.evaluate(Z)
    wall.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function(f"before => JSON.stringify({Z}) !== JSON.stringify(before)", arg=place)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Wall").click()
        page.wait_for_function("document.querySelectorAll('.dim-grid-labels span').length > 3")
        page.get_by_role("button", name="Save PNG").click()
    assert download.value.suggested_filename == f"traversals-{MODEL}.png"
    watched.check()


def test_a_sum_is_chosen_without_a_mouse_and_stands_in_the_address(open_page: Callable[..., Watched]) -> None:
    watched = opened(open_page, f"model={MODEL}&tool=dimensions&dims=sum&sum=0-1%2B2")
    page = watched.page
    expect(page.locator(".dim-out b")).to_contain_text("Nearest real picture")
    page.locator('[data-term="a"]').focus()
    page.keyboard.press("Enter")
    page.keyboard.type("<b>canary</b>")
    expect(page.locator("dialog p")).to_contain_text("Nothing is called that")
    assert page.locator("dialog b").count() == 0
    page.get_by_label("Find pictures").fill("4")
    expect(page.locator("dialog .dim-picks button").first).to_have_attribute("title", "4 (test picture 4)")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_function("/sum=4\\.6-1%2B2/.test(location.search)")
    expect(page.locator('[data-term="a"] em')).to_have_text("×2")
    expect(page.locator("#status")).to_contain_text("Nearest real picture")
    watched.check()


def running(hub: Hub) -> int:
    return json.loads(hub.get("/health"))["runs"]["running"]


def steps(page: Page) -> int:
    return int(page.locator(".train-film output").inner_text().replace("step", "").replace(",", "") or 0)


def test_a_training_is_seen_held_and_explored(open_page: Callable[..., Watched]) -> None:
    watched = opened(open_page, "tool=train&train=mnist-vae-2-1-3-8")
    page = watched.page
    page.get_by_role("button", name="Train from scratch · 8 s").click()
    page.wait_for_function("Number(document.querySelector('.train-film input').max) >= 3", timeout=SLOW)
    expect(page.locator("#status")).to_contain_text(re.compile(r"Training: VAE, β = 1, 2 dimensions, \d s of 8 s, −ELBO \d+\.\d nats"))
    model = page.get_by_role("group", name="Model", exact=True)
    assert model.locator('[aria-pressed="true"]').all_inner_texts() == ["Training"]
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(700)
    held = steps(page)
    page.wait_for_timeout(700)
    assert steps(page) == held, "a paused training went on"
    page.get_by_role("button", name="Go on").click()
    explore = page.get_by_role("button", name="Explore this model")
    explore.wait_for(timeout=3 * SLOW)
    assert steps(page) > held
    assert page.locator(".train-curve .scatterlayer .trace").count() == 4
    explore.click()
    page.wait_for_function("/model=trained\\/[0-9a-f]{16}/.test(location.search)")
    page.wait_for_function("window.__latent.app.space?.name.startsWith('trained/')")
    assert model.locator('[aria-pressed="true"]').all_inner_texts() == ["Yours, β 1"]
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".lx-plot-name").first).to_contain_text("yours, β = 1")
    page.get_by_role("button", name="Compare").click()
    settled_how: Any = "['exact', 'atlas'].includes(document.querySelector('.lx-how')?.dataset.how)"
    page.wait_for_function(settled_how)
    watched.check()


def test_a_tab_that_closes_ends_its_training(open_page: Callable[..., Watched], hub: Hub) -> None:
    page = opened(open_page, "tool=train").page
    page.get_by_role("button", name="Train from scratch").click()
    page.wait_for_function("Number(document.querySelector('.train-film input').max) >= 1", timeout=SLOW)
    assert running(hub) >= 1
    page.close()
    wait_until(lambda: running(hub) == 0, 2.5, "the run of a closed tab still ran after 2.5 s")
