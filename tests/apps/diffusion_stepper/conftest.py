"""A toy diffusion model in a folder of its own, an engine in a thread, and a server with the room's routes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DModel

from engines.diffusion.process import alpha_bars, q_sample
from gallery.rooms import data_app
from tests.apps.served import served
from tests.engines.diffusion.conftest import CLASSES, make_unet


def make_model(folder: Path) -> None:
    """8 x 8 greys in three classes, in the layout of the bundled models."""
    sober().save_pretrained(folder / "unet", safe_serialization=True)
    config = {"name": folder.name, "family": "diffusion", "dataset": "mnist", "image": [8, 8, 1],
              "classes": [str(k) for k in range(CLASSES)], "measured": {}, "parameters": 1}
    (folder / "config.json").write_text(json.dumps(config))
    files = [path for path in folder.rglob("*") if path.is_file()]
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}" for path in files]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", "ascii")


def sober() -> UNet2DModel:
    """A toy network that takes noise for noise: an untrained one drives every pixel to black or white."""
    unet = make_unet()
    optimiser = torch.optim.Adam(unet.parameters(), 3e-3)
    for _ in range(150):
        t, eps = torch.randint(1000, (32,)), torch.randn(32, 1, 8, 8)
        x_t = q_sample(0.3 * torch.randn(32, 1, 1, 1).expand_as(eps), alpha_bars()[t], eps)
        loss = (unet(x_t, t, class_labels=torch.randint(CLASSES + 1, (32,))).sample - eps).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return unet


@pytest.fixture(scope="package")
def toy_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    make_model(home / "ddpm-mnist")
    return home


@pytest.fixture(autouse=True)
def bundled(toy_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_BUNDLED", str(toy_models))


@pytest.fixture
def place() -> Iterator[str]:
    """Address of a server with the room's routes as the hub mounts them, and an engine in a thread."""
    from apps.diffusion_stepper import delivery

    with served(data_app(delivery.routes())) as address:
        yield address
