"""Toy models: 8 x 8 pictures, three latent dimensions, networks of a few hundred weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from safetensors.torch import save_file

from engines.runtime import models, trained
from engines.vae import model as paper
from engines.vae.measure import codes, measure

settings.register_profile("unhurried", deadline=None)        # a busy machine is no fault
settings.load_profile("unhurried")

TOY = paper.Architecture((8, 8, 1), latent=3, width=16, encoder_depth=1, decoder_depth=1)
TOY_AE = paper.Architecture((8, 8, 1), latent=2, kind="ae", width=16)
TOY_COLOUR = paper.Architecture((16, 16, 3), latent=4, network="conv", width=8, encoder_depth=1, decoder_depth=1)


def make_vae(architecture: paper.Architecture = TOY, seed: int = 0) -> paper.VAE:
    """Weights that are all different from zero, so that no term of a test vanishes by chance."""
    torch.manual_seed(seed)
    vae = paper.VAE(architecture)
    with torch.no_grad():
        for weight in vae.parameters():
            weight.add_(0.1 * torch.randn(weight.shape)).copy_(weight.half().float())
    return vae.eval()


def make_pictures(count: int, shape: tuple[int, int, int] = (8, 8, 1), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Toy networks are too small to be shared between cores: waiting for each other is all they would do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def vae() -> paper.VAE:
    return make_vae()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """home(name, architecture) writes a toy model where the runtime looks for bundled ones."""
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))

    def write(name: str, architecture: paper.Architecture = TOY) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        vae = make_vae(architecture)
        tensors, facts = codes(measure(vae, make_pictures(20, architecture.image)))
        save_file(tensors, folder / "codes.safetensors")
        paper.save(vae, folder, name=name, dataset="mnist", beta=1.0, **facts)
        trained.write_sums(folder)
        return folder
    return write
