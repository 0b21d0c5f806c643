"""The latent-space explorer in a real browser against a bare Gradio page: how soon, how smooth, how light.

Run by `make bench`. Both pages are opened in turn, in one run, by one Chromium; medians are compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.benchmarks.ledger import Row, record
from tests.benchmarks.pages import MOVES, bare_page, chromium, cold_page, drag, record_paints, warmed
from tests.browser.conftest import Hub

DEMO = "/demo/latent-space-explorer/"
ROUNDS = 7
EXACT = 15


browser = pytest.fixture(scope="module")(chromium)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    yield from warmed(DEMO)


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    yield from bare_page("tests.benchmarks.bare_gradio")


def first_change_bare(browser: Browser, url: str) -> float:
    """Seconds from navigation to the first picture that follows the slider."""
    page = cold_page(browser)
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#slider input[type=range]").focus()
    while not page.locator("#image img").count():
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(10)
    seconds = time.perf_counter() - start
    page.context.close()
    return seconds


def first_change_ours(browser: Browser, url: str) -> float:
    """Seconds from navigation to the first picture that follows the arrow keys, painted."""
    page = cold_page(browser)
    start = time.perf_counter()
    page.goto(url + DEMO, wait_until="commit")
    page.wait_for_selector('#instrument[data-ready="true"], #instrument [data-ready="true"]')
    page.locator("#primary").focus()
    page.evaluate("window.__before = JSON.stringify(window.__latent.app.z())")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("JSON.stringify(window.__latent.app.z()) !== window.__before")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seconds = time.perf_counter() - start
    page.context.close()
    return seconds


def test_first_visit(browser: Browser, hub: Hub, bare: str) -> None:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(first_change_bare(browser, bare))
        ours.append(first_change_ours(browser, hub.url))
    a, b = statistics.median(ours), statistics.median(theirs)
    record(Row("first visit to the explorer after warm-up, cold browser, to the first change",
               "bare Gradio page with one slider and one picture", f"{a / b:.2f}× ({a:.2f} s against {b:.2f} s)",
               "≤ 1.5×", a <= 1.5 * b))
    assert a > 0 and b > 0


def ready_page(browser: Browser, hub: Hub) -> Page:
    page = cold_page(browser)
    page.goto(hub.url + DEMO)
    page.wait_for_selector('#instrument[data-ready="true"], #instrument [data-ready="true"]')
    page.wait_for_timeout(2_000)
    return page


def test_pointer_to_painted_picture(browser: Browser, hub: Hub) -> None:
    page = ready_page(browser, hub)
    box = page.locator("#primary").bounding_box()
    page.evaluate("window.__latent.timings.length = 0")
    for step in range(MOVES):
        page.mouse.move(box["x"] + box["width"] * (0.2 + 0.6 * step / MOVES),
                        box["y"] + box["height"] * (0.3 + 0.4 * (step % 60) / 60))
    page.wait_for_timeout(300)
    timings = sorted(page.evaluate("window.__latent.timings"))
    page.context.close()
    assert len(timings) >= MOVES / 4, "the pointer painted too few pictures to be measured"
    record_paints("pointer over the map to painted picture, in the page, p95", timings)


def test_scrubbing_the_steps_of_a_run(browser: Browser, hub: Hub) -> None:
    page = cold_page(browser)
    page.goto(hub.url + "/demo/diffusion-stepper/?at=0&count=16")
    page.wait_for_function("window.__diffusion?.reverse?.take?.newest === 50", timeout=60_000)
    record_paints("scrubbing the steps of 16 pictures, slider to painted picture, p95", drag(page))


SLIDER_TO_PICTURE = """() => new Promise(done => {
  const slider = document.querySelector('#slider input[type=range]');
  const image = document.querySelector('#image img'), old = image.src;
  const start = performance.now();
  const seen = new MutationObserver(() => {
    if (image.src === old) return;
    image.decode().then(() => requestAnimationFrame(() => done(performance.now() - start)));
    seen.disconnect();
  });
  seen.observe(image, {attributes: true});
  slider.value = String((Number(slider.value) + 7) % 255);
  slider.dispatchEvent(new Event('input', {bubbles: true}));
})"""


def test_exact_decode(browser: Browser, hub: Hub, bare: str) -> None:
    plain = cold_page(browser)
    plain.goto(bare)
    plain.wait_for_selector("#slider input[type=range]").focus()
    while not plain.locator("#image img").count():
        plain.keyboard.press("ArrowRight")
        plain.wait_for_timeout(50)
    plain.wait_for_timeout(500)
    page = ready_page(browser, hub)
    box = page.locator("#primary").bounding_box()
    page.evaluate("window.__latent.exact.length = 0")
    theirs = []
    for step in range(EXACT):
        theirs.append(plain.evaluate(SLIDER_TO_PICTURE))
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.02 * step), box["y"] + box["height"] * 0.5)
        page.wait_for_timeout(500)
    ours = page.evaluate("window.__latent.exact")
    plain.context.close(), page.context.close()
    assert len(ours) >= EXACT / 2
    a, b = statistics.median(ours), statistics.median(theirs)
    record(Row("exact decode, rest to painted", "bare Gradio, slider to picture",
               f"{a / b:.2f}× ({a:.1f} ms against {b:.1f} ms)", "≤ 1.5×", a <= 1.5 * b))
