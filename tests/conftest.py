"""What all tests share: the runtime steps its jobs in a thread here, so that a test sees inside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import runtime

BROWSER = Path(__file__).parent / "browser"


def pytest_configure() -> None:
    os.environ["GALLERY_COMPILE"] = "0"     # minutes of a core for each hub that a test starts
    share = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if share > 1:                           # two processes whose threads wait for each other take ten times as long
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // share))
    # Started in the background, a shell hands down "ignore Ctrl-C", and every hub that a test starts would inherit it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: Playwright keeps an event loop running on this thread, and asyncio.run allows no second.

    Where several processes share the tests, they take their files in this order (`--no-loadscope-reorder`).
    """
    items.sort(key=lambda item: BROWSER in item.path.parents)


@pytest.fixture(scope="session", autouse=True)
def engine_in_a_thread() -> Iterator[None]:
    runtime.configure(mode="thread")
    yield
    runtime.stop()
