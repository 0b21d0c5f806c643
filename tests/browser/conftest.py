"""A real hub in a process of its own, a real Chromium, and pages that report what they should not do."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.chromium import executable

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"projector": (1440, 900), "laptop": (1280, 720), "phone": (390, 844)}
THEMES = ("light", "dark")
# Chromium itself calls home unless told otherwise; these switches leave only what the page asks for.
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]
# Streamlit asks for two addresses relative to a page two levels deep, gets 404, and then finds them.
STREAMLIT_PROBES = re.compile(r"/_stcore/(health|host-config)$")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Hub:
    """A running gallery. url: its root, without a slash at the end."""

    url: str
    process: subprocess.Popen

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read()

    def kill_the_engine(self) -> None:
        """By its number, which the hub tells."""
        os.kill(json.loads(self.get("/health"))["engine"]["pid"], signal.SIGKILL)


@contextlib.contextmanager
def running_hub(*arguments: str, **environment: str) -> Iterator[Hub]:
    """Start `python -m gallery run` on a free port, wait until it answers, end it by SIGTERM."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "gallery", "run", "--port", str(port), *arguments], cwd=ROOT,
                               env={**os.environ, "PYTHONUNBUFFERED": "1", **environment})
    hub = Hub(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(lambda: answers(hub), 60, "the hub did not answer within 60 s")
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def answers(hub: Hub) -> bool:
    if hub.process.poll() is not None:
        raise RuntimeError(f"the hub ended with status {hub.process.returncode} before it answered")
    try:
        return b"ready" in hub.get("/health")
    except OSError:
        return False


def wait_until(condition: Callable[[], object], seconds: float, complaint: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(complaint)
        time.sleep(0.05)


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    with running_hub() as running:
        yield running


@contextlib.contextmanager
def running_chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_chromium() as chromium:
        yield chromium


@dataclass
class Watched:
    """A page, with what it said on the console and whom it asked outside this machine."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        address = (message.location or {}).get("url", "")
        if message.type == "error" and not STREAMLIT_PROBES.search(address):
            self.errors.append(f"{message.text} ({address})")

    def see(self, request: Request) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", request.url):
            self.outside.append(request.url)

    def check(self) -> None:
        assert self.errors == [], "errors on the console"
        assert self.outside == [], "requests to another machine"


@pytest.fixture
def open_page(browser: Browser, hub: Hub) -> Iterator[Callable[..., Watched]]:
    """open_page(path, size="laptop", theme="light") -> Watched, in a context (a visitor) of its own."""
    contexts = []

    def open_(path: str = "/", size: str = "laptop", theme: str = "light", **options: object) -> Watched:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme,
                                      has_touch=size == "phone", **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", watched.hear)
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on("request", watched.see)
        watched.page.goto(hub.url + path, wait_until="load", timeout=60_000)
        return watched

    yield open_
    for context in contexts:
        context.close()
