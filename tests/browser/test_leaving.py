"""A reader that has gone is noticed: whatever a page was waiting for when its tab was closed, its run ends within 2 s."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ROOT, Hub, answers, free_port, wait_until
from tests.gallery.rooms import LESSON, apps_folder, manifest

NOTICED_S = 2.0
RUNS_S = 60              # until a run has begun; Gradio and Streamlit may still be starting
LONG = "Count(100_000, seconds=0.01)"
GRADIO = f'''
import gradio as gr
from engines import runtime
from gallery.bridges.gradio import answers, frames, page, session
from tests.engines.runtime.toy_jobs import Count, count
from {{package}} import DEMO

LOAD = "document.addEventListener('ask', () => server.whole({{}})); document.body.dataset.connected = 'yes'"

async def stream(request: gr.Request):
    async for frame in frames(runtime.start(count, {LONG}, session(request))):
        yield str(frame.n)

async def whole(args: dict) -> str:
    return str((await runtime.start(count, {LONG}, "whole").aresult()).n)

def build():
    with page(DEMO) as blocks:
        gr.HTML("", html_template="<span hidden></span>", js_on_load=LOAD, server_functions=[answers(whole)])
        number = gr.Textbox(elem_id="number")
        gr.Button("Stream", elem_id="stream").click(stream, None, number)
        gr.api(whole, api_name="whole")
    return blocks
'''
STREAMLIT = f'''
import streamlit as st
from gallery.bridges import streamlit as bridge
from tests.engines.runtime.toy_jobs import Count, count

def main():
    if st.query_params.get("n") == "2":
        bridge.last(count, {LONG})
    place = st.empty()
    for frame in bridge.frames(count, {LONG}):
        place.text(frame.n)
'''
SERVE = """
import sys, uvicorn
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gallery.server import create_app
uvicorn.run(create_app(apps=Path(sys.argv[2])), port=int(sys.argv[3]), log_level="warning")
"""


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub of two demos that count for a quarter of an hour: one by Gradio, one by Streamlit."""
    place = tmp_path_factory.mktemp("leaving")
    apps = apps_folder(place, {"with_gradio": {}, "with_streamlit": {}})
    for name, framework, code in (("with_gradio", "gradio", GRADIO), ("with_streamlit", "streamlit", STREAMLIT)):
        texts = {"__init__.py": manifest(framework=framework), "lesson.md": LESSON,
                 "app.py": code.replace("{package}", f"{apps.name}.{name}")}
        for file, text in texts.items():
            (apps / name / file).write_text(text, "utf-8")
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(place), str(apps), str(port)], cwd=ROOT)
    hub = Hub(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(lambda: answers(hub) and json.loads(hub.get("/health"))["ready"], 90, "the hub did not start")
        yield hub
    finally:
        process.terminate()
        process.wait(20)


def running(hub: Hub) -> int:
    return json.loads(hub.get("/health"))["runs"]["running"]


def ended(hub: Hub) -> float:
    """Seconds until no run is left."""
    gone = time.monotonic()
    wait_until(lambda: not running(hub), 30, "the run went on for nobody")
    return time.monotonic() - gone


@pytest.fixture(autouse=True)
def nobody_left(toys: Hub) -> None:
    wait_until(lambda: not running(toys), 90, "a run of an earlier test went on")


def opened(browser: Browser, hub: Hub, path: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(hub.url + path)
    return page


def begun(hub: Hub) -> None:
    """Waits for the run, and then some: one that ends by itself must not pass for one that was ended."""
    wait_until(lambda: running(hub) == 1, RUNS_S, "the run did not begin")
    time.sleep(1)
    assert running(hub) == 1, "the run ended while its reader was there"


def close_while_running(page: Page, hub: Hub) -> None:
    begun(hub)
    page.context.close()
    assert ended(hub) < NOTICED_S


def test_a_generator_of_gradio(browser: Browser, toys: Hub) -> None:
    page = opened(browser, toys, "/demo/with-gradio/")
    page.locator("#stream").click()
    close_while_running(page, toys)


def test_a_server_function_of_gradio(browser: Browser, toys: Hub) -> None:
    page = opened(browser, toys, "/demo/with-gradio/")
    page.wait_for_selector("body[data-connected]")
    page.evaluate("document.dispatchEvent(new Event('ask'))")
    close_while_running(page, toys)


def test_a_script_of_streamlit_that_draws(browser: Browser, toys: Hub) -> None:
    close_while_running(opened(browser, toys, "/demo/with-streamlit/"), toys)


def test_a_script_of_streamlit_that_waits(browser: Browser, toys: Hub) -> None:
    close_while_running(opened(browser, toys, "/demo/with-streamlit/?n=2"), toys)


def test_a_program_that_asks_by_name_and_hangs_up(toys: Hub) -> None:
    host, port = toys.url.removeprefix("http://").split(":")
    path = "/demo/with-gradio/gradio_api/call/whole"
    with socket.create_connection((host, int(port)), timeout=20) as line:
        body = json.dumps({"data": [{}]})
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    event = json.loads(answer.partition(b"\r\n\r\n")[2])["event_id"]
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(f"GET {path}/{event} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        begun(toys)
    assert ended(toys) < NOTICED_S
