"""What all tests share: the runtime steps its jobs in a thread here, so that a test sees inside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines import runtime


@pytest.fixture(scope="session", autouse=True)
def engine_in_a_thread() -> Iterator[None]:
    runtime.configure(mode="thread")
    yield
    runtime.stop()
