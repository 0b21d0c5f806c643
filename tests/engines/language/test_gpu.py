"""What only an accelerator can show: it writes what the processor writes, alone and beside others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines import language, runtime
from engines.language import Lens, Read, Search, Settings, Write
from engines.language.network import load
from engines.runtime import models
from tests.engines.alone import run_alone
from tests.engines.language.toys import TEXT, bundled, foreign

pytestmark = pytest.mark.gpu


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    bundled(tmp_path / "pen", sharp=3.0)
    foreign(tmp_path / "pen-llama", "llama")
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    monkeypatch.setattr(models, "check", lambda place: None)
    runtime.configure(mode="thread", device="cuda:0")
    assert runtime.warm(timeout=120)
    yield tmp_path
    runtime.configure(mode="thread")


@pytest.mark.parametrize("name", ["pen", "pen-llama"])
def test_it_reads_what_the_processor_reads(gpu: Path, name: str) -> None:
    from engines.language import jobs
    here = run_alone(jobs.read(load(gpu / name), Read(name, TEXT)))[-1]
    there = runtime.start(language.read, Read(name, TEXT)).result(timeout=60)
    assert np.array_equal(there.ids, here.ids) and np.allclose(there.logits, here.logits, atol=2e-2)


@pytest.mark.parametrize("name", ["pen", "pen-llama"])
def test_many_visitors_write_what_each_writes_alone(gpu: Path, name: str) -> None:
    async def visit(seed: int) -> list[int]:
        wish = Write(name, TEXT, Settings(0.8, 20), seed=seed, count=8)
        return [step.id async for frame in runtime.start(language.write, wish, session=str(seed)) for step in frame.steps]

    async def together() -> list[list[int]]:
        return await asyncio.gather(*map(visit, range(6)))
    alone = [asyncio.run(visit(seed)) for seed in range(6)]
    assert asyncio.run(together()) == alone


def test_beam_search_and_the_lens_work_there(gpu: Path) -> None:
    found = runtime.start(language.search, Search("pen", TEXT, "beam", 3, 5)).result(timeout=60)
    assert found.found and found.done == 5
    layers = runtime.start(language.lens, Lens("pen", TEXT)).result(timeout=60)
    assert (layers.answer_rank[-1] == 1).all()
