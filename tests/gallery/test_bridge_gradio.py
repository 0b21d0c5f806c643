"""The Gradio bridge: frames are paced and never lose the last, a visitor who leaves ends the run, errors are sentences."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import gradio as gr
import pytest

from engines.runtime import BadInput
from gallery import limits
from gallery.bridges.gradio import answers, frames, session, sessions_kept


class Run:
    """A run that yields 0, 1, 2, ... `count` of them, `pause` seconds apart."""

    def __init__(self, count: int, pause: float = 0.0) -> None:
        self.count, self.pause, self.cancelled = count, pause, False

    def cancel(self) -> None:
        self.cancelled = True

    async def __aiter__(self):
        for number in range(self.count):
            await asyncio.sleep(self.pause)
            yield number


async def collect(run: Run, fps: float) -> list[int]:
    return [frame async for frame in frames(run, fps=fps)]


def test_frames_are_paced_and_the_last_is_never_left_out():
    start = time.monotonic()
    seen = asyncio.run(collect(Run(400, 0.001), fps=25))
    elapsed = time.monotonic() - start
    assert seen[0] == 0 and seen[-1] == 399 and seen == sorted(set(seen))
    assert len(seen) <= 25 * elapsed + 3


def test_slow_frames_all_come_through():
    run = Run(6, 0.03)
    assert asyncio.run(collect(run, fps=100)) == list(range(6))
    assert not run.cancelled


def test_a_visitor_who_leaves_ends_the_run():
    async def leave(run: Run) -> None:
        stream = frames(run, fps=1000)
        await anext(stream)
        await stream.aclose()
    run = Run(10_000, 0.001)
    asyncio.run(leave(run))
    assert run.cancelled


def test_a_run_that_fails_is_cancelled_and_says_why():
    class Failing(Run):
        async def __aiter__(self):
            yield 0
            raise BadInput("z holds nan: give finite numbers.")
    run = Failing(1)
    with pytest.raises(BadInput, match="finite"):
        asyncio.run(collect(run, fps=30))
    assert run.cancelled


def test_answers_turn_errors_into_sentences():
    def bad(z: str) -> dict:
        raise BadInput(f"z is {z}: give a number.")

    async def defect(z: str) -> dict:
        raise ZeroDivisionError("secret path /a/b")

    assert answers(bad)("nan") == {"error": "z is nan: give a number."}
    told = asyncio.run(answers(defect)("1"))
    assert "secret" not in told["error"] and told["error"].endswith(".")
    assert answers(bad).__name__ == "bad"


def test_answers_leave_an_answer_alone():
    assert answers(lambda z: {"z": z})(3) == {"z": 3}


def test_a_session_is_gradios_or_nobodys():
    assert session(SimpleNamespace(session_hash="abc")) == "abc"
    assert session(None) == "nobody" and session(SimpleNamespace(session_hash=None)) == "nobody"


def test_pages_that_hold_nothing_for_a_visitor_keep_few_sessions():
    with gr.Blocks() as plain:
        gr.HTML("")
    with gr.Blocks() as stateful:
        gr.State(0)
    assert sessions_kept(plain) == limits.GRADIO_STATELESS_SESSIONS
    assert sessions_kept(stateful) == limits.GRADIO_SESSIONS
