"""What only an accelerator can show: models and passes on it, its memory running out for real, its engine killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import runtime
from engines.runtime import EngineLost, OutOfMemory
from tests.engines.runtime import toy_engine
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import until

Ask, Count = toys.Ask, toys.Count
pytestmark = pytest.mark.gpu


@pytest.fixture
def gpu(home: Path) -> Iterator[None]:
    runtime.configure(mode="thread", device="cuda:0")
    assert runtime.warm(timeout=120)
    yield
    runtime.configure(mode="thread")


def allocated() -> int:
    torch.cuda.synchronize()
    return torch.cuda.memory_allocated()


def test_it_is_chosen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALLERY_DEVICE", raising=False)
    runtime.configure(mode="thread")
    assert runtime.warm(timeout=120)
    state = runtime.state()
    assert state.device == "cuda:0" and state.device_name == torch.cuda.get_device_name(0)
    assert state.budget_bytes <= torch.cuda.mem_get_info(0)[1]


def test_joined_passes_equal_single_ones(gpu: None) -> None:
    asks = [Ask("toy-b", value=float(k), rows=1 + k % 3, rounds=4) for k in range(16)]
    runs = [runtime.start(toys.ask, params, session=str(k)) for k, params in enumerate(asks)]
    for params, run in zip(asks, runs, strict=True):
        np.testing.assert_allclose(run.result(timeout=60).pixels, np.full((params.rows, 8), 2 * params.value + 0.5),
                                   atol=1e-5)


def test_memory_that_runs_out_in_a_step_is_all_given_back(gpu: None) -> None:
    runtime.start(toys.ask, Ask("toy-a")).result(timeout=60)
    before = allocated()
    for _ in range(3):
        with pytest.raises(OutOfMemory, match="Memory ran out"):
            for _ in runtime.start(toys.hoard, Count(100_000)):
                pass
        until(lambda: allocated() <= before)
        assert runtime.start(toys.ask, Ask("toy-a")).result(timeout=60).pixels.shape == (1, 8)


def test_memory_that_runs_out_in_a_joined_pass_halves_it(gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy_engine.Toy, "hog", torch.cuda.mem_get_info(0)[0] // 10)
    toy_engine.CALLS.clear()
    runs = [runtime.start(toys.ask, Ask("toy-a", rows=4), session=str(k)) for k in range(8)]
    assert all(run.result(timeout=120).pixels.shape == (4, 8) for run in runs)
    assert max(toy_engine.CALLS) > 10


def test_idle_models_are_put_away_and_their_memory_with_them(gpu: None) -> None:
    for name in ("toy-a", "toy-b"):
        runtime.start(toys.ask, Ask(name)).result(timeout=60)
    with pytest.raises(OutOfMemory):
        for _ in runtime.start(toys.hoard, Count(100_000)):
            pass
    until(lambda: runtime.state().models == ())
    assert allocated() == 0


def test_killing_an_engine_on_it_gives_its_memory_back(home: Path) -> None:
    runtime.configure(mode="process")
    assert runtime.warm(timeout=120)
    try:
        reader = iter(runtime.start(toys.hoard, Count(3)))
        assert [frame.n for frame in reader] == [0, 1, 2]
        run = runtime.start(toys.ask, Ask("toy-a", rounds=1_000_000))
        reader = iter(run)
        next(reader)
        os.kill(runtime.state().pid, signal.SIGKILL)
        with pytest.raises(EngineLost):
            for _ in reader:
                pass
        assert runtime.start(toys.ask, Ask("toy-a")).result(timeout=60).pixels.shape == (1, 8)
        assert runtime.state().restarts == 1
    finally:
        runtime.configure(mode="thread")


def test_the_bundled_model_decodes_on_it_as_on_the_cpu() -> None:
    from engines import vae
    from engines.runtime import models
    if "vae-mnist-2d" not in models.names():
        pytest.fail("the bundled model vae-mnist-2d is missing")
    params = vae.Decode("vae-mnist-2d", tuple((x / 4, -x / 3) for x in range(-8, 9)))
    pictures = []
    for place in ("cuda:0", "cpu"):
        runtime.configure(mode="thread", device=place)
        pictures.append(runtime.start(vae.decode, params).result(timeout=120).images.astype(int))
    runtime.configure(mode="thread")
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
