"""An engine on a thread and an engine in a process do the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from engines import runtime
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import numbers

Count = toys.Count


@pytest.fixture(scope="module", params=["thread", "process"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    runtime.configure(mode=request.param, device="cpu")
    assert runtime.warm(timeout=60)
    yield request.param
    runtime.configure(mode="thread")


def test_both_modes_do_the_same(engine: str) -> None:
    assert numbers(20) == list(range(20))
    assert [frame.pixels[0, 0] for frame in runtime.start(toys.pictures, Count(3))] == [0, 1, 2]
    assert runtime.start(toys.count, Count(5)).result(timeout=10).n == 4
    assert runtime.start(toys.count, Count(0)).result(timeout=10) is None

    async def read() -> tuple[list[int], int]:
        frames = [frame.n async for frame in runtime.start(toys.count, Count(12))]
        return frames, (await runtime.start(toys.count, Count(3)).aresult()).n
    assert asyncio.run(read()) == (list(range(12)), 2)
    for job, params, error, sentence in (
            (toys.count, Count(3, trap="bad", at=1), runtime.BadInput, "n is 7; it may be 1 to 6"),
            (toys.count, Count(3, trap="defect", at=1), runtime.JobFailed, "went wrong"),
            (toys.count, Count(3, trap="exit", at=1), runtime.JobFailed, "went wrong"),
            (toys.tensors, Count(1), runtime.JobFailed, "went wrong"),
            (toys.short, Count(100, seconds=0.05), runtime.TimedOut, "limit of 1 s")):
        run = runtime.start(job, params)
        with pytest.raises(error, match=sentence):
            run.result(timeout=10)
        assert run.status.state == "failed" and run.status.sentence.endswith(".")
    assert numbers(3) == [0, 1, 2]


def test_a_newest_outbox_drops_what_was_not_read_but_never_the_last(engine: str) -> None:
    seen = []
    for frame in runtime.start(toys.newest, Count(100, seconds=0.005)):
        seen.append(frame.n)
        time.sleep(0.1)
    assert seen == sorted(set(seen)) and seen[-1] == 99
    assert len(seen) < 20


def test_state_tells_what_the_engine_is(engine: str) -> None:
    state = runtime.state()
    assert state.ready and state.mode == engine and state.device == "cpu" and "core" in state.device_name
    assert state.torch.startswith("2.") and state.pid > 0 and state.budget_bytes > 2**28 and not state.fault


@pytest.mark.parametrize("job", [toys.smuggle, toys.smuggle_newest])
def test_a_frame_that_cannot_be_sent_fails_its_run_and_no_other(engine: str, job: runtime.Job) -> None:
    if engine == "thread":
        return                                          # nothing is sent there
    other = runtime.start(toys.count, Count(40, seconds=0.01), session="other")
    seen = []
    with pytest.raises(runtime.JobFailed):
        for frame in runtime.start(job, Count(3)):
            time.sleep(0.1)
            seen.append(frame.n)
    assert seen == [0]
    assert other.result(timeout=20).n == 39 and runtime.state().restarts == 0


def test_large_pictures_cross_whole(engine: str) -> None:
    params = toys.Paint(np.arange(12_000_000, dtype=np.uint8).reshape(-1, 1000, 3))
    run = runtime.start(toys.paint, params)
    for frame in run:
        assert frame.pixels.dtype == np.uint8 and (frame.pixels == 255 - params.pixels).all()
    assert run.status.frames == 2


def test_the_hub_never_imports_torch(engine: str) -> None:
    if engine == "thread":
        return
    code = ("import sys\nfrom engines import runtime\nfrom engines.runtime import models, trained\n"
            "from tests.engines.runtime import toy_jobs as toys\nimport engines.vae\n"
            "frames = [f.n for f in runtime.start(toys.count, toys.Count(3))]\n"
            "print(frames, runtime.state().ready, 'torch' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[0, 1, 2] True False", done.stderr
