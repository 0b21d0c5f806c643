"""Walking back from noise: the price of showing every step, and the gain of sharing passes; nothing is asserted.

Ours runs in the engine process on one thread and one core; what it is held against runs on that same core in turn.
Only the sixteen visitors have all cores, alone and together.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import torch
from diffusers import DDIMPipeline, UNet2DModel

from engines import diffusion, runtime
from engines.diffusion import NO_LABEL, SAMPLERS, compiled
from engines.diffusion.model import load
from engines.diffusion.samplers import scheduler
from engines.runtime import models
from tests.browser.conftest import ROOT
from tests.benchmarks.ledger import Row, record
from tests.benchmarks.rates import ENGINE, HUB, engine_process, every_core, keep_on, rate, ratio, start_engine

MODEL = os.environ.get("BENCH_DIFFUSION", "ddpm-mnist")
STEPS = 50
VISITORS = 16

needs_a_compiler = pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))),
                                      reason="compiling wants a C++ compiler")
engine = pytest.fixture(scope="module", autouse=True)(engine_process)


def streamed(**changes) -> runtime.Run:
    asked = {"labels": (NO_LABEL,), "steps": STEPS} | changes
    return runtime.start(diffusion.sample, diffusion.Sample(MODEL, **asked))


def ours() -> float:
    return rate(STEPS, lambda: [frame for frame in streamed()])


def on_the_engines_core(work: Callable[[], object]) -> float:
    keep_on(os.getpid(), ENGINE)
    try:
        with torch.inference_mode():
            return rate(STEPS, work)
    finally:
        keep_on(os.getpid(), HUB)


@cache
def plain() -> UNet2DModel:
    """The network as diffusers loads it."""
    return UNet2DModel.from_pretrained(models.folder(MODEL) / "unet", low_cpu_mem_usage=False).eval()


@cache
def quick() -> torch.nn.Module:
    """The same as the gallery loads it."""
    return load(models.folder(MODEL))


def bare_loop() -> None:
    """The network and the scheduler's step, and nothing else."""
    denoiser, steps = quick(), scheduler("ddim")
    steps.set_timesteps(STEPS)
    x, none = torch.randn(1, *denoiser.shape), torch.tensor([denoiser.no_label])
    for t in steps.timesteps:
        x = steps.step(denoiser(x, t.float()[None], none), t, x).prev_sample


def pipeline(count: int = 1) -> Callable[[], object]:
    """DDIMPipeline with its own loop; it gives no label, so the network is asked for none."""
    unet, label = plain(), torch.tensor([plain().config.num_class_embeds - 1] * count)
    found = DDIMPipeline(unet, scheduler("ddim"))
    found.set_progress_bar_config(disable=True)
    given = type(unet).forward.__get__(unet)
    unet.forward = lambda sample, timestep, **named: given(sample, timestep, class_labels=label, **named)
    return lambda: found(batch_size=count, num_inference_steps=STEPS, output_type="np")


def test_streaming_against_the_bare_loop() -> None:
    on_the_engines_core(bare_loop)
    ours()
    mine, theirs, share = ratio(ours, lambda: on_the_engines_core(bare_loop))
    record(Row("diffusion, one visitor's run with every step shown, against a bare loop", "the network and the scheduler's step in a loop",
               f"{share:.2f}× ({mine:.0f} against {theirs:.0f} steps/s)", "≥ 0.93×", share >= 0.93))


def test_streaming_against_the_pipeline() -> None:
    run = pipeline()
    on_the_engines_core(run)
    ours()
    mine, theirs, share = ratio(ours, lambda: on_the_engines_core(run))
    record(Row("diffusion, one visitor's run with every step shown, against diffusers", "DDIMPipeline of diffusers, same weights",
               f"{share:.2f}× ({mine:.0f} against {theirs:.0f} steps/s)", "≥ 1.2×", share >= 1.2))


@pytest.fixture
def compiled_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine that may take up the compiled network, on the core and thread that the others have."""
    monkeypatch.setenv(compiled.SWITCH, "1")
    folder = models.folder(MODEL)
    with subprocess.Popen([sys.executable, "-m", "engines.diffusion.compiled", str(folder)], cwd=ROOT,
                          stdin=subprocess.PIPE) as process:     # it ends when its stdin does
        assert process.wait() == 0
    start_engine()
    yield
    monkeypatch.undo()
    start_engine()                  # as it was, for whatever comes after


@needs_a_compiler
@pytest.mark.parametrize("guided", [False, True])
def test_streaming_compiled_against_the_pipeline(compiled_engine: None, guided: bool) -> None:
    run = pipeline(2 if guided else 1)
    on_the_engines_core(run)
    asked = {"labels": (7,), "guidance": 1.5} if guided else {}

    def ours_compiled() -> float:
        return rate(STEPS, lambda: [frame for frame in streamed(**asked)])
    for _ in range(3):              # it is taken up between two steps
        ours_compiled()
        time.sleep(compiled.LOOK_S)
    mine, theirs, share = ratio(ours_compiled, lambda: on_the_engines_core(run))
    what = "with guidance (two rows a step)" if guided else "without guidance"
    record(Row(f"diffusion, one visitor's run {what}, compiled, against diffusers",
               f"DDIMPipeline of diffusers, same weights, {'two pictures' if guided else 'one picture'}",
               f"{share:.2f}× ({mine:.0f} against {theirs:.0f} steps/s)", "≥ 2×", share >= 2))


def test_the_first_step() -> None:
    def first() -> float:
        begun = time.perf_counter()
        reader = iter(streamed())
        next(reader)
        spent = time.perf_counter() - begun
        reader.close()
        return spent
    denoiser = quick()
    x, none = torch.randn(1, *denoiser.shape), torch.tensor([denoiser.no_label])

    def once() -> float:
        begun = time.perf_counter()
        with torch.inference_mode():
            denoiser(x, torch.tensor([999.0]), none)
        return time.perf_counter() - begun
    mine, theirs = (1000 * statistics.median(work() for _ in range(15)) for work in (first, once))
    record(Row("diffusion, from asking to the first step at the hub", "one pass of the network",
               f"{mine:.0f} ms (a pass: {theirs:.0f} ms)", "≤ that + 150 ms", mine <= theirs + 150))


def wishes(guidance: float) -> list[diffusion.Sample]:
    """Sixteen visitors, each with a seed, a sampler and a class of their own."""
    return [diffusion.Sample(MODEL, (k % 10,), guidance, SAMPLERS[k % 4], steps=STEPS, seed=k) for k in range(VISITORS)]


all_cores = pytest.fixture(every_core)


@pytest.mark.parametrize("guidance", [1.0, 1.5])
def test_many_visitors_at_different_steps(all_cores: None, guidance: float) -> None:
    many_visitors(guidance, "")


@needs_a_compiler
@pytest.mark.parametrize("guidance", [1.0, 1.5])
def test_many_visitors_of_the_compiled_network(compiled_engine: None, all_cores: None, guidance: float) -> None:
    many_visitors(guidance, ", compiled")


def many_visitors(guidance: float, how: str) -> None:
    finished: dict[int, float] = {}

    def in_turn() -> None:
        for wish in wishes(guidance):
            for _ in runtime.start(diffusion.sample, wish):
                pass

    async def visit(k: int, wish: diffusion.Sample) -> None:
        await asyncio.sleep(0.02 * k)           # nobody presses "play" at the same moment
        begun = time.perf_counter()
        async for _ in runtime.start(diffusion.sample, wish, session=str(k)):
            pass
        finished[k] = STEPS / (time.perf_counter() - begun)

    async def together() -> None:
        await asyncio.gather(*(visit(k, wish) for k, wish in enumerate(wishes(guidance))))
    count, slowest = VISITORS * STEPS, []
    in_turn()
    asyncio.run(together())

    def all_at_once() -> float:
        found = rate(count, lambda: asyncio.run(together()))
        slowest.append(min(finished.values()) / statistics.median(finished.values()))
        return found
    mine, theirs, share = ratio(all_at_once, lambda: rate(count, in_turn), repeats=3)
    rows = ("one row a step" if guidance == 1 else "with guidance, two rows a step") + how
    record(Row(f"diffusion, 16 visitors at different steps, samplers and seeds, {rows}", "the same runs one after another",
               f"{share:.1f}× ({mine:.0f} against {theirs:.0f} steps/s)", "≥ 2.5×", share >= 2.5))
    fair = statistics.median(slowest)
    record(Row(f"diffusion, the slowest of 16 visitors, {rows}", "the median visitor's rate", f"{fair:.2f}×", "≥ 0.8×", fair >= 0.8))
