"""What only an accelerator can show: the same seed gives the same picture there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines import diffusion, runtime
from engines.diffusion import SAMPLERS, Sample
from engines.diffusion.jobs import sample
from engines.diffusion.model import Denoiser
from engines.diffusion.samplers import scheduler
from engines.runtime import models
from engines.runtime.trained import write_sums
from tests.engines.alone import run_alone
from tests.engines.diffusion.conftest import make_unet

pytestmark = pytest.mark.gpu


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "toy"
    make_unet().save_pretrained(folder / "unet")
    scheduler("ddpm").save_config(folder / "scheduler")
    (folder / "config.json").write_text("{}")
    write_sums(folder)
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    runtime.configure(mode="thread", device="cuda:0")
    assert runtime.warm(timeout=120)
    yield
    runtime.configure(mode="thread")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_seed_gives_the_same_picture(gpu: None, sampler: str) -> None:
    asked = Sample("toy", (1,), sampler=sampler, steps=10, count=2, seed=4)
    here = run_alone(sample(Denoiser(make_unet()), asked))[-1]
    there = runtime.start(diffusion.sample, asked).result(timeout=60)
    assert np.abs(there.x - here.x).max() < 2e-3
