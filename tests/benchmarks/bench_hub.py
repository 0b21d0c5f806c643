"""The hub against the barest server: how soon it answers, how light its page is, how soon that is painted.

Run by `make bench`. Ours and the baseline take turns within one run; medians are compared.
"""

from __future__ import annotations

import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from tests.benchmarks.ledger import Row, record
from tests.benchmarks.pages import chromium
from tests.browser.conftest import ROOT, free_port

STARTS = int(os.environ.get("BENCH_STARTS", "5"))
PAINTS = int(os.environ.get("BENCH_PAINTS", "9"))
WINDOW_MS = 1_000        # a new window starts pages of Chromium's own, which would take the cores from the page that is measured
OURS = ("gallery", "run", "--port")
BARE = ("tests.benchmarks.bare_fastapi",)
FIRST_PAINT = """() => new Promise(done => {
    const look = () => { const paint = performance.getEntriesByName('first-contentful-paint')[0];
                         paint ? done(paint.startTime) : setTimeout(look, 5) }; look() })"""


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def serving(*module: str) -> Iterator[tuple[int, float, subprocess.Popen]]:
    """A server in a process of its own: its port, and the seconds from its start to its first 200."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *module, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while not answers(port):
            assert process.poll() is None and time.perf_counter() - began < 120
            time.sleep(0.005)
        yield port, time.perf_counter() - began, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def has_torch(process: subprocess.Popen) -> bool:
    """Whether torch's library is mapped into the process (Linux)."""
    with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
        return "libtorch" in maps.read()


def test_start_to_first_answer() -> None:
    ours, bare, torch = [], [], False
    for _ in range(STARTS):
        with serving(*BARE) as (_, seconds, _):
            bare.append(seconds)
        with serving(*OURS) as (_, seconds, process):
            ours.append(seconds)
            time.sleep(8)                # warm-up has imported what it will
            torch = torch or has_torch(process)
    a, b = statistics.median(ours), statistics.median(bare)
    record(Row("hub, start to first 200", "bare FastAPI and uvicorn", f"{a / b:.2f}× ({a:.2f} against {b:.2f} s), "
               f"{'torch' if torch else 'no torch'} in the hub process", "≤ 2× and no torch", a <= 2 * b and not torch))


browser = pytest.fixture(scope="module")(chromium)


def painted(browser: Browser, url: str) -> float:
    """Milliseconds from navigation to first contentful paint, in a browser context that has seen nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.wait_for_timeout(WINDOW_MS)
    page.goto(url, wait_until="commit")
    milliseconds = page.evaluate(FIRST_PAINT)
    context.close()
    return milliseconds


def weighed(browser: Browser, url: str) -> tuple[int, int]:
    """Bytes on the wire of a whole cold visit, thumbnails apart: (page with what it needs, thumbnails)."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    session = context.new_cdp_session(page)
    sizes, names = {}, {}
    session.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]}))
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    session.send("Network.enable")
    page.goto(url, wait_until="networkidle")
    context.close()
    pictures = sum(size for key, size in sizes.items() if "thumbnail" in names.get(key, ""))
    return int(sum(sizes.values()) - pictures), int(pictures)


def test_weight_and_first_paint_of_the_hub_page(browser: Browser) -> None:
    with serving(*BARE) as (bare_port, _, _), serving(*OURS) as (port, _, _):
        time.sleep(15)                   # the bars hold after warm-up
        ours, bare = [], []
        for _ in range(PAINTS):
            bare.append(painted(browser, f"http://127.0.0.1:{bare_port}/"))
            ours.append(painted(browser, f"http://127.0.0.1:{port}/"))
        page, pictures = weighed(browser, f"http://127.0.0.1:{port}/")
    a, b = statistics.median(ours), statistics.median(bare)
    record(Row("hub page, navigation to first paint", "bare HTML page", f"{a / b:.2f}× ({a:.0f} against {b:.0f} ms)",
               "≤ 2×", a <= 2 * b))
    record(Row("hub page, bytes on the wire", "–", f"{page / 1000:.0f} kB, and {pictures / 1000:.0f} kB of thumbnails "
               "loaded lazily", "≤ 150 kB", page <= 150_000))
