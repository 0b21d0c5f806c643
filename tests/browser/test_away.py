"""A hub that is away is told on every kind of page, and each goes on by itself, without a reload, once it is back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, TimeoutError

from gallery.bridges import gradio as bridge
from gallery.demo import Demo
from tests.browser.conftest import ROOT, Hub, answers, free_port, wait_until

PATIENCE = 60_000


class Restarted:
    """A hub that can be stopped and started at the same address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "gallery", "run", "--port", str(self.port)], cwd=ROOT,
                                        env={**os.environ, "GALLERY_COMPILE": "0"})
        wait_until(lambda: answers(Hub(self.url, self.process)), 60, "the hub did not answer")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@pytest.fixture
def restarted() -> Iterator[Restarted]:
    hub = Restarted()
    hub.start()
    try:
        yield hub
    finally:
        hub.process.send_signal(signal.SIGCONT)
        hub.stop()


def open_pages(browser: Browser, hub: Restarted, *paths: str) -> list[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    pages = []
    for path in paths:
        page = context.new_page()
        page.goto(hub.url + path)
        page.evaluate("window.stayed = true")
        page.wait_for_selector("[data-state=ready]", timeout=PATIENCE)
        pages.append(page)
    return pages


def told(page: Page) -> None:
    page.locator(".g-away", has_text="does not answer").wait_for(timeout=PATIENCE)


def quiet(page: Page) -> None:
    page.locator(".g-away:empty").wait_for(state="attached", timeout=PATIENCE)


def press(page: Page, text: str) -> None:
    """Click what bears the text; where it never comes, say what the page shows instead."""
    try:
        page.get_by_text(text).first.click(timeout=PATIENCE)
    except TimeoutError:
        state = page.locator("[data-test-script-state]").first.get_attribute("data-test-script-state")
        pytest.fail(f"{text!r} is not on the page, whose script is {state}: {page.locator('#g-app').inner_text()[:800]!r}")


def test_every_page_tells_and_goes_on(browser: Browser, restarted: Restarted) -> None:
    hub, room, book = pages = open_pages(browser, restarted, "/", "/demo/latent-space-explorer/", "/demo/lab-book/")
    room.wait_for_function("document.querySelector('.lx-how').textContent === 'exact'", timeout=PATIENCE)
    book.wait_for_selector(".st-key-instrument", timeout=PATIENCE)
    book.get_by_text("β 4").first.wait_for(timeout=PATIENCE)             # the framework fetches its widgets one by one
    restarted.stop()
    for page in pages:
        page.bring_to_front()
        told(page)
        assert page.locator("[data-state=lost]").count() == 1
    room.bring_to_front()
    room.focus("#primary")
    room.keyboard.press("ArrowRight")
    room.click("#tab-path")
    restarted.start()
    urllib.request.urlopen(f"{restarted.url}/demo/diffusion-stepper/", timeout=60).read()        # rooms are built in another order
    for page in pages:
        page.bring_to_front()
        quiet(page)
        page.wait_for_selector("[data-state=ready]", timeout=PATIENCE)
    room.bring_to_front()
    room.click("#tab-explore")
    room.wait_for_function("document.querySelector('.lx-how').textContent === 'exact'", timeout=PATIENCE)
    room.keyboard.press("Escape")
    answer = room.evaluate("window.__latent.app.server.decode({model: 'vae-mnist-2d', z: [1, 1]}).then((a) => a.z)")
    assert answer == [1, 1]
    assert room.locator('#status[data-kind="error"]').count() == 0
    book.bring_to_front()
    press(book, "β 4")
    book.locator("label:has(input:checked)", has_text="β 4").wait_for(timeout=PATIENCE)
    book.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE)
    assert book.locator(".g-status[data-kind=error]").count() == 0
    assert [page.evaluate("window.stayed") for page in pages] == [True] * 3
    room.context.close()


def test_a_hub_that_stands_still_is_away(browser: Browser, restarted: Restarted) -> None:
    (page,) = open_pages(browser, restarted, "/")
    restarted.process.send_signal(signal.SIGSTOP)
    told(page)
    restarted.process.send_signal(signal.SIGCONT)
    quiet(page)
    page.context.close()


def test_a_room_that_opens_while_nobody_answers_waits_for_its_map(browser: Browser, restarted: Restarted) -> None:
    (page,) = open_pages(browser, restarted, "/")
    asked: list[str] = []

    def refuse(route) -> None:
        asked.append(route.request.url)
        route.abort() if len(asked) < 3 else route.continue_()

    page.route("**/data/opening*", refuse)
    page.goto(restarted.url + "/demo/latent-space-explorer/")
    page.wait_for_selector('#instrument[data-ready="true"]', timeout=PATIENCE)
    assert len(asked) == 3
    page.context.close()


def test_a_component_keeps_its_number_whichever_room_is_built_first() -> None:
    import gradio as gr

    def numbers() -> list[int]:
        with bridge.page(Demo("A", "", "A room.", "gradio")) as blocks:
            gr.HTML("one")
        return sorted(blocks.blocks)

    assert numbers() == numbers()
