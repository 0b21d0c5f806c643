"""The temperature slider's page in a real browser against a bare Streamlit page: how soon, how smooth, how light.

Run by `make bench`. Both pages are opened in turn, in one run, by one Chromium; medians are compared.
"""

from __future__ import annotations

import json
import statistics
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.benchmarks.ledger import Row, record
from tests.benchmarks.pages import bare_page, chromium, cold_page, drag, record_paints, warmed
from tests.browser.conftest import Hub

DEMO = "/demo/temperature-slider/"
ROUNDS = 7
TABS = 5
VOCABULARY = 50_257                  # tokens of GPT-2
READY = '#instrument[data-ready="true"]'


browser = pytest.fixture(scope="module")(chromium)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    yield from warmed(DEMO)


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    yield from bare_page("tests.benchmarks.bare_streamlit")


def opened(browser: Browser, url: str, ready: str) -> tuple[float, int]:
    """(seconds to the control and the picture, bytes on the wire by then and a second later) of a first visit."""
    page, wire = cold_page(browser), []
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.loadingFinished", lambda event: wire.append(event["encodedDataLength"]))
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(ready)
    seconds = time.perf_counter() - start
    page.wait_for_timeout(1_000)
    page.context.close()
    return seconds, round(sum(wire))


def test_page_to_usable(browser: Browser, hub: Hub, bare: str) -> None:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(opened(browser, bare, "[data-testid=stImage] img"))
        ours.append(opened(browser, hub.url + DEMO, READY))
    (a, wire), (b, plain) = (tuple(map(statistics.median, zip(*found))) for found in (ours, theirs))
    record(Row("temperature slider, first visit after warm-up, cold browser, to usable",
               "bare Streamlit page with one slider and one picture", f"{a / b:.2f}× ({a:.2f} s against {b:.2f} s)",
               "≤ 1.2×", a <= 1.2 * b))
    record(Row("temperature slider, on the wire of a first visit", "1.2 MB",
               f"{wire / 1e6:.2f} MB (the bare page {plain / 1e6:.2f} MB)", "≤ 1.2 MB", wire <= 1.2e6))
    assert wire > 0 and plain > 0


def many_tokens() -> dict:
    return {"model": "gpt2-stories", "tokens": [f" {place:x}" for place in range(VOCABULARY)], "special": [VOCABULARY - 1],
            "end": VOCABULARY - 1}


def many_logits() -> bytes:
    """As the room tells a reading: as spread as GPT-2's are."""
    logits = 3 * np.random.default_rng(0).standard_normal(VOCABULARY)
    head = json.dumps({"ids": [1, 2, 3, 4], "prompt": 4, "context": 1024, "vocab": VOCABULARY}).encode()
    return struct.pack("<I", len(head)) + head + logits.astype("<f2").tobytes()


def test_slider_drag_to_repaint(browser: Browser, hub: Hub) -> None:
    """The page's own way of painting a distribution, over as many tokens as GPT-2 has, with a cut that follows."""
    page = cold_page(browser)
    page.route("**/data/vocabulary*", lambda route: route.fulfill(json=many_tokens()))
    page.route("**/data/read", lambda route: route.fulfill(body=many_logits(), content_type="application/octet-stream"))
    page.goto(hub.url + DEMO + "?prompt=Once+upon+a+time&p=0.95")
    page.wait_for_selector(READY)
    page.wait_for_function("document.querySelector('.lx-numbers').innerText.includes('50,257')")
    record_paints("temperature slider dragged over 50,257 tokens, to repaint, p95", drag(page))


ANSWER = """async () => {
  const began = performance.now();
  await window.__latent.app.server.decode({model: 'vae-mnist-2d', z: [Math.random(), 0.5]});
  return performance.now() - began;
}"""


def test_a_gradio_room_beside_open_streamlit_tabs(browser: Browser, hub: Hub) -> None:
    room = cold_page(browser)
    room.goto(hub.url + "/demo/latent-space-explorer/")
    room.wait_for_function("document.querySelector('.lx-how')?.textContent === 'exact'", timeout=60_000)
    room.wait_for_timeout(2_000)

    def median() -> float:
        return statistics.median(room.evaluate(ANSWER) for _ in range(60))
    alone = median()
    tabs = [cold_page(browser) for _ in range(TABS)]
    for tab in tabs:
        tab.goto(hub.url + DEMO)
        tab.wait_for_selector(READY)
    room.bring_to_front()
    room.wait_for_timeout(2_000)
    beside = median()
    for page in (room, *tabs):
        page.context.close()
    record(Row(f"a Gradio room's answer, while {TABS} tabs of the temperature slider are open", "the room alone",
               f"{beside / alone:.2f}× ({beside:.1f} against {alone:.1f} ms, median)", "≤ 1.2×", beside <= 1.2 * alone))
    assert alone > 0
