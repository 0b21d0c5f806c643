"""The Streamlit bridge: which page, whose run, and that a run ends with its script."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engines import runtime
from engines.runtime import BadInput
from gallery.bridges import streamlit as bridge
from gallery.catalog import Entry
from gallery.demo import Demo
from tests.browser.conftest import wait_until
from tests.engines.runtime.toy_jobs import Count, count

ENTRY = Entry("a-demo", Path("/x/apps/a_demo"), Demo("A", "", "A.", "streamlit"))


def seen_by(app_path: str, headers: list[tuple[bytes, bytes]]) -> dict:
    found: dict = {}

    async def app(scope, receive, send) -> None:
        found.update(scope)

    asyncio.run(bridge.Under(ENTRY, app)({"type": "http", "path": app_path, "headers": headers}, None, None))
    return found


def test_the_demo_is_named_by_the_hub_and_by_nobody_else() -> None:
    scope = seen_by("/demo/a-demo/x", [(b"x-gallery-demo", b"os"), (b"accept", b"*/*")])
    assert [value for name, value in scope["headers"] if name == b"x-gallery-demo"] == [b"apps.a_demo"]
    assert scope["root_path"] == "/demo/a-demo" and (b"accept", b"*/*") in scope["headers"]


def test_what_a_visitor_may_be_told_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    monkeypatch.setattr(bridge, "status", lambda sentence, kind="": said.append((sentence, kind)))
    with bridge.told():
        raise BadInput("n is 9; it may be 1 to 3.")
    with bridge.told():
        raise RuntimeError("a secret of the house")
    assert said[0] == ("n is 9; it may be 1 to 3.", "error")
    assert said[1][1] == "error" and "secret" not in said[1][0]


def test_steering_by_streamlit_passes_through() -> None:
    from streamlit.runtime.scriptrunner import StopException
    with pytest.raises(StopException), bridge.told():
        raise StopException


def test_a_run_ends_with_its_script() -> None:
    frames = bridge.frames(count, Count(1000, seconds=0.01))
    assert next(frames).n == 0
    frames.close()
    wait_until(lambda: runtime.state().running == 0, 2, "the run went on without its reader")


def test_a_run_that_ends_by_itself_gives_every_frame() -> None:
    assert [frame.n for frame in bridge.frames(count, Count(5))] == [0, 1, 2, 3, 4]
    assert bridge.last(count, Count(5)).n == 4
