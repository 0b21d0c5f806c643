"""Pages that are measured in a browser: cold ones, ready hubs, bare pages to hold them against, sliders that are dragged."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
from playwright.sync_api import Browser, Page

from tests.benchmarks.ledger import Row, record
from tests.browser.conftest import ROOT, Hub, free_port, running_chromium, running_hub, wait_until

MOVES = 240
FRAME_MS = 1000 / 60


def warmed(*paths: str) -> Iterator[Hub]:
    """A hub whose rooms at these paths have been asked for."""
    with running_hub() as running:
        for path in paths:
            httpx.get(running.url + path, timeout=60, follow_redirects=True)
        time.sleep(8)       # the bars hold after warm-up
        yield running


def chromium() -> Iterator[Browser]:
    with running_chromium() as running:
        yield running


def bare_page(module: str) -> Iterator[str]:
    """Address of a page that a module of this folder serves."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", module, str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(url, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False
    wait_until(answers, 60, "the bare page did not answer")
    yield url
    process.terminate()
    process.wait(20)


def cold_page(browser: Browser) -> Page:
    return browser.new_context(viewport={"width": 1280, "height": 720}).new_page()


# From the moment the page is told of a move to its painted picture: after the next frame has been drawn.
WATCH_THE_SLIDER = """() => {
  window.__scrubbed = [];
  const channel = new MessageChannel();
  let told = null;
  channel.port1.onmessage = () => { window.__scrubbed.push(performance.now() - told); told = null; };
  document.querySelector('#primary').addEventListener('input', () => {
    if (told !== null) return;
    told = performance.now();
    requestAnimationFrame(() => channel.port2.postMessage(null));
  }, {capture: true});
}"""


def drag(page: Page) -> list[float]:
    """Milliseconds from each move of the page's slider to its painted picture, sorted; the page is closed."""
    page.wait_for_timeout(2_000)
    page.evaluate(WATCH_THE_SLIDER)
    box = page.locator("#primary").bounding_box()
    left, width, y = box["x"], box["width"], box["y"] + box["height"] / 2
    page.mouse.move(left + 12, y)
    page.mouse.down()
    for step in range(MOVES):
        page.mouse.move(left + width * (0.05 + 0.9 * abs(1 - (step % 120) / 60)), y)
    page.mouse.up()
    page.wait_for_timeout(300)
    timings = sorted(page.evaluate("window.__scrubbed"))
    page.context.close()
    assert len(timings) >= MOVES / 6, "the slider painted too few pictures to be measured"
    return timings


def record_paints(what: str, timings: list[float]) -> None:
    """timings: milliseconds to each painted picture, sorted."""
    p95 = timings[int(0.95 * len(timings))]
    record(Row(what, "one frame at 60 Hz",
               f"{p95:.1f} ms (median {statistics.median(timings):.1f} ms, {len(timings)} pictures)",
               "≤ 16.7 ms", p95 <= FRAME_MS + 0.05))
