"""The models that come with the gallery: whole, as good as they say, and as good as they must be."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engines import data
from engines import vae as asked
from engines.runtime import models
from engines.vae import model as paper
from engines.vae.jobs import encode
from engines.vae.measure import measure
from tests.engines.alone import run_alone

pytestmark = pytest.mark.real

# nats per picture on the whole test set
BARS = {"vae-mnist-16d": 92.0, "vae-mnist-2d": 138.0}
NAMES = ("ae-mnist-2d", "vae-emoji", "vae-fashion-16d", "vae-fashion-2d", "vae-mnist-16d", "vae-mnist-16d-beta4",
         "vae-mnist-2d", "vae-mnist-2d-beta025", "vae-mnist-2d-beta4")


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def config(name: str) -> dict:
    return json.loads((models.folder(name) / "config.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def vae(name: str) -> paper.VAE:
    return paper.load(models.folder(name))


def test_the_folder_is_whole_and_says_what_it_is(name: str, config: dict, vae: paper.VAE) -> None:
    folder = models.folder(name)
    models.check(folder)
    assert config["name"] == name and config["latent"] == vae.architecture.latent == len(config["kl_per_dim"])
    assert config["image"] == data.about(config["dataset"])["image"]
    assert config["parameters"] == sum(weight.numel() for weight in vae.parameters())
    codes, count = load_file(folder / "codes.safetensors"), len(data.load(config["dataset"]).images)
    assert codes["mu"].shape == codes["logvar"].shape == (count, config["latent"])
    assert all(file.stat().st_size < 10 * 2**20 for file in folder.iterdir())
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    for part in ("## Data and licence", "## Recipe", "python -m engines.training.vae", "seed", "## Measured",
                 "## Limits"):
        assert part in card


def test_it_measures_what_it_states(config: dict, vae: paper.VAE) -> None:
    """The whole test set with one eps of the first stated seed; a sample of the emoji, which take longer."""
    images, stated = data.load(config["dataset"]).images, config["measured"]
    if config["dataset"] == "emoji":
        found = measure(vae, images[::16], seeds=(0,)).figures
        assert found["mse"] == pytest.approx(stated["mse"], rel=0.15)
        return
    found = measure(vae, images, seeds=(0,)).figures
    assert found["kl_nats"] == pytest.approx(stated["kl_nats"], abs=0.01)
    assert found["mse"] == pytest.approx(stated["mse"], abs=1e-5)
    assert found["reconstruction_nats"] == pytest.approx(stated["reconstruction_nats"], abs=0.15)


@pytest.mark.parametrize("name", BARS, scope="module")
def test_it_reaches_its_bar(config: dict) -> None:
    assert config["measured"]["pictures"] == 10_000 and len(config["measured"]["eps_seeds"]) > 1
    assert config["measured"]["negative_elbo"] <= BARS[config["name"]]


def test_stored_codes_are_what_the_encoder_gives(name: str, config: dict, vae: paper.VAE) -> None:
    stored = load_file(models.folder(name) / "codes.safetensors")
    chosen = np.arange(0, len(stored["mu"]), 101)
    frame, = run_alone(encode(vae, asked.Encode(name, data.load(config["dataset"]).images[chosen])))
    size = stored["mu"].float().abs().max().item()
    np.testing.assert_allclose(frame.mu, stored["mu"][chosen].float(), rtol=2e-3, atol=1e-3 * size)
    np.testing.assert_allclose(frame.logvar, stored["logvar"][chosen].float(), rtol=2e-3, atol=2e-2)


def test_codes_lie_on_the_map(name: str, config: dict) -> None:
    codes = load_file(models.folder(name) / "codes.safetensors")
    plane = codes["mu"].float()
    if config["map_plane"] == "pca":
        plane = (plane - codes["pca_mean"]) @ codes["pca_axes"].T
    x0, x1, y0, y1 = config["map_extent"]
    inside = (plane[:, 0] > x0) & (plane[:, 0] < x1) & (plane[:, 1] > y0) & (plane[:, 1] < y1)
    assert inside.float().mean() > 0.98


@pytest.mark.parametrize("name", ["vae-mnist-2d", "vae-fashion-2d"], scope="module")
def test_neighbours_on_the_map_are_mostly_of_one_class(name: str, config: dict) -> None:
    """A map is worth looking at when the nearest of 2,000 other codes tells the class far better than chance."""
    mu = load_file(models.folder(name) / "codes.safetensors")["mu"].float()
    labels = torch.tensor(data.load(config["dataset"]).labels)
    nearest = torch.cdist(mu[2000:3000], mu[:2000]).argmin(1)
    assert (labels[:2000][nearest] == labels[2000:3000]).float().mean() > 0.6


def test_with_a_larger_beta_less_is_told_of_the_picture() -> None:
    found = [json.loads((models.folder(name) / "config.json").read_text("utf-8"))["measured"]["kl_nats"]
             for name in ("vae-mnist-2d-beta025", "vae-mnist-2d", "vae-mnist-2d-beta4")]
    assert found[0] > found[1] > found[2]


def test_some_dimensions_of_beta_four_have_collapsed() -> None:
    config = json.loads((models.folder("vae-mnist-16d-beta4") / "config.json").read_text("utf-8"))
    assert sum(value < 0.01 for value in config["kl_per_dim"]) >= 2 and max(config["kl_per_dim"]) > 0.5
