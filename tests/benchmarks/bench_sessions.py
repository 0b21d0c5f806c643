"""Memory after many visitors have come and gone: a thousand pages of the explorer, two hundred of the lab book.

Run by `make bench`. Each visit asks over HTTP and WebSocket for what the page asks for, with a session name of its own,
and ends as a closed tab ends. The level after the last visit is held against the level after the first hundred.
"""

from __future__ import annotations

import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from tests.benchmarks.ledger import Row, record
from tests.benchmarks.pages import warmed
from tests.browser.conftest import Hub

EXPLORER, LAB_BOOK = "/demo/latent-space-explorer", "/demo/lab-book"
MODEL = "vae-mnist-2d"
SESSIONS = int(os.environ.get("BENCH_SESSIONS", "1000"))
PAGES = int(os.environ.get("BENCH_PAGES", "200"))
FIRST = 100
DECODES = 3
WITHIN = 0.05           # of the level after the first hundred
STILL = 0.002           # two looks that differ by less than this share: it has settled
PATIENCE = 30           # looks, one a second
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)        # else each client reads a list of authorities, for 40 ms


@pytest.fixture
def hub() -> Iterator[Hub]:
    yield from warmed(EXPLORER, LAB_BOOK)


def memory(hub: Hub) -> tuple[float, float]:
    """(hub, its engine) in MB: memory that is theirs alone (USS), or resident where the system cannot tell."""
    def own(process: psutil.Process) -> float:
        found = process.memory_full_info()
        return getattr(found, "uss", found.rss) / 1e6
    process = psutil.Process(hub.process.pid)
    return own(process), sum(own(child) for child in process.children(recursive=True))


def settled(hub: Hub) -> tuple[float, float]:
    """The level once it stays: three looks in a row that hardly differ."""
    looks = [memory(hub)]
    for _ in range(PATIENCE):
        time.sleep(1)
        looks.append(memory(hub))
        if len(looks) > 5 and all(max(each) - min(each) <= STILL * max(each) for each in zip(*looks[-4:])):
            break
    return looks[-1]


def grown(hub: Hub, visit: Callable[[int], None], count: int) -> tuple[str, bool]:
    """Levels after the first hundred visits and after all of them, as a sentence; and whether they agree."""
    for number in range(FIRST):
        visit(number)
    before = settled(hub)
    for number in range(FIRST, count):
        visit(number)
    after = settled(hub)
    growth = [late / early - 1 for early, late in zip(before, after)]
    said = ", ".join(f"{name} {100 * more:+.1f} % ({early:.0f} → {late:.0f} MB)"
                     for name, more, early, late in zip(("hub", "engine"), growth, before, after))
    return said, max(growth) <= WITHIN


# --- the explorer, by Gradio -------------------------------------------------------------------------------------------

def server_component(page: httpx.Client) -> int:
    """Which component of the page answers its server functions."""
    components = page.get("/config").raise_for_status().json()["components"]
    return next(each["id"] for each in components if each["props"].get("server_fns"))


def explore(url: str, number: int, component: int) -> None:
    """Open the page, fetch its data, let the model decode, once by a named endpoint as a program does, and leave."""
    session = secrets.token_hex(8)
    with httpx.Client(base_url=url + EXPLORER, timeout=60, verify=NO_TLS) as page:
        page.get("/").raise_for_status()
        page.get("/data/opening").raise_for_status()
        for data in (f"atlas/{MODEL}", f"codes/{MODEL}", "labels/mnist", "pictures/mnist?i=" + str(number)):
            page.get(f"/data/{data}").raise_for_status()
        z = [(number % 40) / 10 - 2, (number % 23) / 6 - 2]
        for step in range(DECODES):
            asked = {"data": {"model": MODEL, "z": [z[0], z[1] + step / 10], "session": session}, "fn_name": "decode",
                     "component_id": component, "session_hash": session}
            assert "image" in page.post("/gradio_api/component_server/", json=asked).raise_for_status().json()
        call = page.post("/gradio_api/call/decode", json={"data": [MODEL, z]}).raise_for_status().json()
        with page.stream("GET", f"/gradio_api/call/decode/{call['event_id']}") as stream:
            assert "complete" in "".join(stream.iter_text())
        page.post(f"/data/leave?session={session}").raise_for_status()


def test_a_thousand_sessions(hub: Hub) -> None:
    with httpx.Client(base_url=hub.url + EXPLORER, timeout=60) as page:
        component = server_component(page)
    said, met = grown(hub, lambda number: explore(hub.url, number, component), SESSIONS)
    record(Row(f"{SESSIONS:,} sessions opened, used, closed: memory of hub and engine", "the level after the first 100",
               said, "within 5 %", met))


# --- the lab book, by Streamlit ----------------------------------------------------------------------------------------

def read(url: str, number: int) -> None:
    """Open the page, look at one view and then at another, and close the tab."""
    views = ("quality", "map", "pictures", "card", "runs")
    httpx.get(f"{url}{LAB_BOOK}/", timeout=60, verify=NO_TLS).raise_for_status()
    with connect(f"ws{url.removeprefix('http')}{LAB_BOOK}/_stcore/stream", subprotocols=["streamlit"], max_size=None,
                 proxy=None, compression=None) as socket:
        for view in (views[number % 5], views[(number + 1) % 5]):
            ask = BackMsg()
            ask.rerun_script.query_string = f"model={MODEL}&view={view}"
            socket.send(ask.SerializeToString())
            finished(socket)


def finished(socket: Any) -> None:
    """Read messages until the script has run to its end; a view that it could not draw is an error."""
    while True:
        message = ForwardMsg()
        message.ParseFromString(socket.recv(timeout=60))
        if message.WhichOneof("type") == "script_finished":
            assert message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            return


def test_two_hundred_pages_of_the_lab_book(hub: Hub) -> None:
    said, met = grown(hub, lambda number: read(hub.url, number), PAGES)
    record(Row(f"{PAGES:,} pages of the lab book opened, used, closed: memory of hub and engine",
               "the level after the first 100", said, "within 5 %", met))
