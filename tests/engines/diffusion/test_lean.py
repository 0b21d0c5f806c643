"""The traced network: the same as the plain one for the rows it was traced for, and out of the way for others."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from engines.diffusion import lean
from engines.diffusion.compiled import Compiled
from engines.diffusion.lean import Lean
from engines.diffusion.model import Denoiser, load
from engines.diffusion.samplers import scheduler
from engines.runtime.trained import write_sums
from tests.engines.diffusion.conftest import make_unet


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("level", [3, 500.5, 999])
def test_it_is_the_same(rows: int, level: float) -> None:
    denoiser = Denoiser(make_unet()).channels_last()
    denoiser.lean = Lean(denoiser)
    x, labels = torch.randn(rows, *denoiser.shape), torch.arange(rows) % 4
    t = torch.full((rows,), level)              # whole numbers come as such from a sampler
    assert (denoiser.lean.get(x) is not None) == (rows in lean.ROWS)
    with torch.inference_mode():
        assert torch.allclose(denoiser(x, t, labels), denoiser._plain(x, t, labels), atol=1e-5)


def test_what_cannot_be_traced_serves_as_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise RuntimeError("no trace")
    monkeypatch.setattr(torch.jit, "trace", fails)
    denoiser = Denoiser(make_unet())
    with caplog.at_level(logging.ERROR):
        denoiser.lean = Lean(denoiser)
    x = torch.randn(1, *denoiser.shape)
    assert denoiser.lean.get(x) is None and "serves as it is" in caplog.text
    assert torch.equal(denoiser(x, torch.ones(1), torch.zeros(1, dtype=torch.long)),
                       denoiser._plain(x, torch.ones(1), torch.zeros(1, dtype=torch.long)))


def test_a_trace_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.jit, "freeze", lambda traced: lambda *args: traced(*args) + 1)
    monkeypatch.setattr(torch.jit, "optimize_for_inference", lambda traced: traced)
    denoiser = Denoiser(make_unet())
    assert Lean(denoiser).get(torch.randn(1, *denoiser.shape)) is None


def test_bundled_models_are_traced_when_they_are_loaded_and_others_are_not(tmp_path: Path) -> None:
    make_unet().save_pretrained(tmp_path / "unet")
    scheduler("ddpm").save_config(tmp_path / "scheduler")
    assert load(tmp_path).lean is None
    write_sums(tmp_path)
    assert load(tmp_path).lean is not None and load(tmp_path, quick=False).lean is None


def test_loading_a_model_begins_no_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is traced is held to the plain network, not to whatever would serve."""
    make_unet().save_pretrained(tmp_path / "unet")
    scheduler("ddpm").save_config(tmp_path / "scheduler")
    write_sums(tmp_path)
    asked: list[int] = []
    monkeypatch.setattr(Compiled, "get", lambda self, plain, *example: asked.append(len(example[0])))
    assert load(tmp_path).lean is not None and not asked
