"""Toy models: 8 x 8 pictures, three classes, a U-Net of a few thousand weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from diffusers import UNet2DModel

from engines.diffusion.model import Denoiser
from engines.runtime import device

CLASSES = 3


def make_unet(channels: int = 1, classes: int = CLASSES, seed: int = 0) -> UNet2DModel:
    """Conditioned on `classes` classes and on none; 0 makes it unconditional."""
    torch.manual_seed(seed)
    return UNet2DModel(sample_size=8, in_channels=channels, out_channels=channels, layers_per_block=1,
                       block_out_channels=(8, 8), down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                       up_block_types=("AttnUpBlock2D", "UpBlock2D"), norm_num_groups=4, attention_head_dim=4,
                       num_class_embeds=classes + 1 if classes else None).eval()


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Toy networks are too small to be shared between cores, and what is held to the bit must not be cut into parts."""
    monkeypatch.setenv(device.THREADS, "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def denoiser() -> Denoiser:
    return Denoiser(make_unet())
