"""Your picture and Path in a real browser: drawn by mouse and by keys, uploaded, refused, walked, exported."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Page

from tests.browser.conftest import Watched

EXPLORER = "/demo/latent-space-explorer/"
THREE = [(80, 60), (120, 40), (165, 60), (160, 100), (120, 125), (165, 140), (175, 185), (130, 215), (80, 195)]
CANARY = "<b id=canary>x</b>.png"
SEEN = """() => {
  const c = document.querySelector('.own-pixels');
  return c.classList.contains('blank') ? '' : c.toDataURL();
}"""
MUS = "() => window.__latent.app.map.extra.get('own')?.points[0].z ?? null"


@pytest.fixture
def opened(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: object) -> Watched:
        watched = open_page(EXPLORER + query, **how)
        watched.page.wait_for_selector('#instrument[data-ready="true"]', timeout=60_000)
        return watched
    return open_


def draw(page: Page, stroke: list[tuple[int, int]] = THREE) -> None:
    """A stroke on the pad with the mouse, in the pad's units of 256."""
    page.wait_for_selector(".own-pad")
    page.locator(".own-pad").scroll_into_view_if_needed()
    box = page.locator(".own-pad").bounding_box()
    assert box
    places = [(box["x"] + x / 256 * box["width"], box["y"] + y / 256 * box["height"]) for x, y in stroke]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=3)
    page.mouse.up()


def said(page: Page, *words: str, kind: str | None = None) -> None:
    """Wait until the status line holds one of the words (and has the kind)."""
    page.wait_for_function(
        """([words, kind]) => { const s = document.getElementById('status');
            return words.some(word => s.textContent.includes(word)) && (!kind || s.dataset.kind === kind) }""",
        arg=[list(words), kind], timeout=30_000)


def seen(page: Page) -> np.ndarray:
    """What "model sees" shows, uint8 (28, 28)."""
    page.wait_for_function(SEEN, timeout=30_000)
    data = page.evaluate(SEEN).split(",", 1)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))


def file(name: str, body: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": body}


def png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def bar() -> np.ndarray:
    """A thick dark stroke on white paper."""
    paper = np.full((300, 200), 255, np.uint8)
    paper[50:250, 90:115] = 20
    return paper


def test_a_drawn_digit_lands_on_the_map_and_travels_in_the_link(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own")
    page = watched.page
    draw(page)
    said(page, "nearest test pictures")
    picture = seen(page)
    weights = np.indices(picture.shape) * picture.astype(float)
    assert np.abs(weights.sum((1, 2)) / picture.sum() - 14).max() <= 0.6, "not centred as MNIST is"
    mu = page.evaluate(MUS)
    assert len(mu) == 2
    page.wait_for_function("location.search.includes('own=d.')")
    watched.check()
    other = opened("?" + page.url.split("?", 1)[1])
    said(other.page, "nearest test pictures")
    assert (seen(other.page) == picture).all()
    assert np.allclose(other.page.evaluate(MUS), mu, atol=1e-5)
    other.check()


def test_a_digit_is_drawn_with_the_keyboard_alone(opened: Callable[..., Watched]) -> None:
    page = opened("?tool=own").page
    page.wait_for_selector(".own-pad")
    page.locator("#tab-own").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('own-pad')"):
            break
    assert page.evaluate("document.activeElement.classList.contains('own-pad')"), "Tab does not reach the pad"
    page.keyboard.press("Space")
    for key in ["ArrowDown"] * 10:
        page.keyboard.press(key)
    page.keyboard.press("Space")
    said(page, "nearest test pictures")
    assert seen(page).max() == 255
    page.keyboard.press("Control+z")
    said(page, "empty")


def test_sample_again_shows_sixteen_draws_and_another_seed_others(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own&own=t.3&again=1&seed=7")
    page = watched.page
    draws = page.locator(".own-draws button")
    draws.nth(15).wait_for(timeout=30_000)
    assert draws.count() == 16
    places = "() => JSON.stringify(window.__latent.app.map.extra.get('draws').points.map(p => p.z))"
    first = page.evaluate(places)
    page.click(".own-again")
    page.wait_for_function(f"first => ({places})() !== first", arg=first, timeout=30_000)
    assert page.input_value(".own-seed") == "8"
    page.fill(".own-seed", "7")
    page.keyboard.press("Enter")
    page.wait_for_function(f"first => ({places})() === first", arg=first, timeout=30_000)
    watched.check()


def test_the_map_flies_to_the_draws_and_back(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own&own=t.1&again=1&seed=7")
    page = watched.page
    near = "window.__latent.app.map.view.width < 0.6 * window.__latent.app.map.home().width"
    whole = "Math.abs(window.__latent.app.map.view.width - window.__latent.app.map.home().width) < 1e-6"
    page.wait_for_function(near, timeout=30_000)
    assert "σ = (" in page.locator(".own-shelfline").first.inner_text()
    assert page.locator(".own-draws small").nth(3).inner_text().endswith("σ")
    page.click("#tab-explore")
    page.wait_for_function(whole)
    page.wait_for_timeout(400)
    assert "view=" not in page.url
    page.click("#tab-own")
    page.wait_for_function(near)
    page.get_by_role("button", name="Zoom out").click()
    page.wait_for_function("window.__latent.app.store.get('view') !== null")
    mine = page.evaluate("window.__latent.app.map.view.width")
    page.click("#tab-explore")
    page.wait_for_timeout(700)
    assert page.evaluate("window.__latent.app.map.view.width") == mine, "what the visitor set stays"
    watched.check()


def test_draws_are_exaggerated_and_repeated_in_more_dimensions(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own&own=t.1&again=1&seed=7")
    page = watched.page
    page.locator(".own-draws button").nth(15).wait_for(timeout=30_000)
    pictures = "() => [...document.querySelectorAll('.own-draws canvas')].map(c => c.toDataURL()).join()"
    before = page.evaluate(pictures)
    page.locator(".own-wider input").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"before => ({pictures})() !== before", arg=before, timeout=30_000)
    page.wait_for_function("document.querySelector('.own-wider b').textContent === 'σ × 4, exaggerated'")
    page.wait_for_function("location.search.includes('wider=4')")
    page.get_by_role("button", name="In 16 dimensions").click()
    page.wait_for_function("window.__latent.app.map.extra.get('draws')?.points[0].z.length === 16", timeout=30_000)
    assert page.get_by_role("button", name="In 2 dimensions").is_visible()
    watched.check()


def test_an_empty_pad_is_told_and_the_page_goes_on(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own")
    page = watched.page
    page.wait_for_selector(".own-again")
    page.click(".own-again")
    said(page, "empty", kind="error")
    draw(page)
    said(page, "nearest test pictures", kind="info")
    page.get_by_role("button", name="Clear").click()
    said(page, "empty", kind="info")
    assert page.evaluate(MUS) is None
    watched.check()


def test_awkward_uploads_each_get_a_sentence_and_a_good_one_still_works(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own")
    page = watched.page
    page.wait_for_selector(".own-file", state="attached")
    vast = io.BytesIO()
    Image.new("1", (8000, 5000)).save(vast, "PNG")
    for body, told in [(b"<svg onload='window.canary=1'/>", "SVG"), (b"just text", "not a picture"), (b"", "0 bytes"),
                       (vast.getvalue(), "40 megapixels"), (png(bar())[:120], "damaged"), (b"\0" * 13_000_000, "MB"),
                       (png(np.full((50, 50), 255, np.uint8)), "draw something")]:
        page.set_input_files(".own-file", file(CANARY, body))
        said(page, told, kind="error")
    assert page.evaluate("window.canary") is None and page.locator("b#canary").count() == 0
    page.set_input_files(".own-file", file(CANARY, png(bar())))
    said(page, "nearest test pictures", kind="info")
    assert CANARY in page.locator(".own-note").inner_text() and page.locator("b#canary").count() == 0
    assert seen(page)[14, 14] > 200
    watched.check()


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(opened: Callable[..., Watched], way: str) -> None:
    watched = opened("?tool=own")
    page = watched.page
    page.wait_for_selector(".own-pad")
    page.wait_for_function("window.__latent.app.space")
    page.evaluate("""async ([way, data]) => {
      const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'one.png', {type: 'image/png'}));
      const event = way === 'drop' ? new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true})
        : new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true, cancelable: true});
      document.body.dispatchEvent(event);
    }""", [way, base64.b64encode(png(bar())).decode()])
    said(page, "nearest test pictures")
    watched.check()


def test_a_drawing_stays_when_the_model_changes(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=own")
    page = watched.page
    draw(page)
    said(page, "nearest test pictures")
    page.get_by_role("group", name="Dimensions").get_by_role("button", name="16").click()
    page.wait_for_function(f"(({MUS})() ?? []).length === 16", timeout=30_000)
    page.wait_for_function("location.search.includes('own=d.')")
    watched.check()


# --- Path ------------------------------------------------------------------------------------------------------------

COUNT = "() => document.querySelector('.film-count')?.textContent ?? ''"


def test_a_path_plays_pauses_and_is_scrubbed_by_keys(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=path&pins=t0~t5&steps=20")
    page = watched.page
    page.wait_for_function(f"({COUNT})() === '1/20'", timeout=30_000)
    page.click(".film-play")
    page.wait_for_function(f"!['', '1/20'].includes(({COUNT})())")
    page.click(".film-play")
    page.locator(".film-range").focus()
    page.keyboard.press("Home")
    before = page.evaluate("document.querySelector('.lx-big').toDataURL()")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(COUNT) == "6/20"
    assert page.evaluate("document.querySelector('.lx-big').toDataURL()") != before
    page.keyboard.press("Space")
    page.wait_for_function(f"({COUNT})() !== '6/20'")
    page.keyboard.press("Space")
    page.wait_for_function("/[?&]at=\\d+/.test(location.search) && !location.search.includes('play')")
    watched.check()


def test_the_strip_shows_the_whole_way(opened: Callable[..., Watched]) -> None:
    page = opened("?tool=path&pins=t4~t9&steps=32").page
    page.wait_for_function(f"({COUNT})() === '1/32'", timeout=30_000)
    strip = page.locator(".film-strip").bounding_box()
    for share, picture in ((0.999, "32/32"), (0.5, "17/32"), (0.001, "1/32")):
        page.mouse.click(strip["x"] + share * strip["width"], strip["y"] + 20)
        page.wait_for_function(f"({COUNT})() === '{picture}'")
    page.mouse.move(strip["x"] + 5, strip["y"] + 20)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] - 5, strip["y"] + 20, steps=8)
    page.mouse.up()
    assert page.evaluate(COUNT) == "32/32"


def test_ways_pins_and_length_of_a_path(opened: Callable[..., Watched]) -> None:
    watched = opened("?tool=path&pins=t0~t5~t9&steps=20")
    page = watched.page
    page.wait_for_function(f"({COUNT})() === '1/21'", timeout=30_000)
    path = "() => JSON.stringify(window.__latent.app.map.extra.get('path').path)"
    straight = page.evaluate(path)
    page.get_by_role("button", name="Great circle").click()
    page.wait_for_function(f"straight => ({path})() !== straight", arg=straight)
    page.get_by_role("button", name="Remove pin 3").click()
    page.wait_for_function(f"({COUNT})().endsWith('/20')")
    page.get_by_role("button", name="Remove all").click()
    page.wait_for_selector(".film", state="detached")
    page.get_by_role("button", name="Two at random").click()
    page.wait_for_selector(".film")
    assert page.locator(".path-pins li").count() == 2
    watched.check()


@pytest.mark.parametrize("model", ["vae-mnist-2d", "vae-mnist-16d"])
def test_gif_and_film_strip_are_real_files(opened: Callable[..., Watched], model: str, tmp_path: Path) -> None:
    watched = opened(f"?model={model}&tool=path&pins=t0~t5&steps=10")
    page = watched.page
    page.wait_for_function(f"({COUNT})() === '1/10'", timeout=30_000)
    for name, kind, frames in [("GIF", "GIF", 18), ("Film strip, PNG", "PNG", 1)]:
        with page.expect_download() as coming:
            page.get_by_role("button", name=name, exact=True).click()
        place = tmp_path / coming.value.suggested_filename
        coming.value.save_as(place)
        with Image.open(place) as picture:
            assert picture.format == kind and sum(1 for _ in ImageSequence.Iterator(picture)) == frames
    watched.check()


def test_a_film_waits_for_those_who_ask_for_less_motion(opened: Callable[..., Watched]) -> None:
    page = opened("?tool=path&pins=t0~t5&steps=20&play=1", reduced_motion="reduce").page
    said(page, "less motion")
    assert page.evaluate(COUNT) == "1/20"


def test_the_pages_tools_fit_a_phone(opened: Callable[..., Watched]) -> None:
    for query in ("?tool=own&own=t.3&again=1", "?tool=path&pins=t0~t5"):
        watched = opened(query, size="phone")
        watched.page.wait_for_selector(".film-strip, .own-draws button", timeout=30_000)
        assert watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
        watched.check()
