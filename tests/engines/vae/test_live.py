"""Training while somebody watches: what is shown is measured, what is kept can be explored, two do not disturb."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engines import data, runtime
from engines import vae as asked
from engines.runtime import models, trained
from engines.vae import live
from engines.vae import model as paper


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of the bundled pictures, and a clock by which every step takes a twentieth of a second."""
    whole, ticks = data.load, iter(range(10**9))

    def load(dataset: str, split: str = "test") -> data.PictureSet:
        pictures = whole(dataset, split)
        return data.PictureSet(pictures.images[:250], pictures.labels[:250], pictures.names)

    monkeypatch.setattr(live.data, "load", load)
    monkeypatch.setattr(live, "perf_counter", lambda: next(ticks) / 20)
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.3)
    monkeypatch.setenv(trained.FOLDER, str(tmp_path))


def watch(params: asked.Train) -> list[asked.Progress | None]:
    with torch.enable_grad():
        return list(live.train(params))


def test_a_training_shows_itself_from_the_first_moment_to_the_last() -> None:
    said = watch(asked.Train(seconds=3))
    frames = [frame for frame in said if frame]
    assert frames[0].step == 0 and frames[0].fraction == 0 and math.isnan(frames[0].train_nats)
    assert [frame.step for frame in frames] == sorted(frame.step for frame in frames)
    assert frames[-1].fraction == 1 and frames[-1].model and not any(frame.model for frame in frames[:-1])
    assert frames[-1].seconds == pytest.approx(3, abs=0.1)
    for frame in frames:
        assert frame.mu.shape == (len(frame.labels), 2) and np.isfinite(frame.mu).all()
        assert frame.samples.shape == (144, 28, 28, 1) and frame.samples.dtype == np.uint8
        assert np.array_equal(frame.labels, frames[0].labels)
    first, last = (frame.reconstruction_nats + frame.kl_nats for frame in (frames[0], frames[-1]))
    assert last < 0.6 * first
    assert None in said


def test_the_same_seed_trains_the_same_model() -> None:
    one, same, other = (watch(asked.Train(seconds=1, seed=seed))[-1] for seed in (1, 1, 2))
    assert np.array_equal(one.mu, same.mu) and np.array_equal(one.samples, same.samples)
    assert not np.array_equal(one.mu, other.mu)


@pytest.mark.parametrize("kind, latent", [("vae", 2), ("ae", 2), ("vae", 5)])
def test_what_was_trained_can_be_explored_like_a_bundled_model(kind: str, latent: int) -> None:
    last = watch(asked.Train(seconds=1, kind=kind, latent=latent))[-1]
    folder = models.folder(last.model)
    models.check(folder)
    config = json.loads((folder / "config.json").read_text())
    bundled = json.loads((models.bundled() / "vae-mnist-2d" / "config.json").read_text())
    assert set(bundled) - set(config) <= {"recipe"}
    assert config["kind"] == kind and config["latent"] == latent and len(config["map_extent"]) == 4
    codes = load_file(folder / "codes.safetensors")
    assert codes["mu"].shape == codes["logvar"].shape == (250, latent)
    vae = paper.load(folder)
    chosen = live.Lesson(asked.Train(kind=kind, latent=latent)).watched
    with torch.no_grad():
        np.testing.assert_allclose(vae.encode(chosen)[0], last.mu, rtol=0.02, atol=0.02)     # 16-bit weights
    frame = runtime.start(asked.decode, asked.Decode(last.model, ((0.0,) * latent,))).result(timeout=30)
    assert frame.images.shape == (1, 28, 28, 1)


def test_an_autoencoder_pays_no_kl() -> None:
    frames = [frame for frame in watch(asked.Train(seconds=1, kind="ae")) if frame]
    assert all(frame.kl_nats == 0 for frame in frames)


def test_two_that_train_at_once_get_what_each_would_alone() -> None:
    alone = watch(asked.Train(seconds=1, seed=3))[-1]
    with torch.enable_grad():
        runs = [live.train(asked.Train(seconds=1, seed=seed)) for seed in (3, 4)]
        ends: list[asked.Progress | None] = [None, None]
        while runs[0] is not None or runs[1] is not None:
            for place, run in enumerate(runs):
                frame = next(run, StopIteration) if run is not None else None
                if frame is StopIteration:
                    runs[place] = None
                elif frame is not None:
                    ends[place] = frame
    assert np.array_equal(ends[0].mu, alone.mu) and not np.array_equal(ends[1].mu, alone.mu)


def test_the_fixed_samples_cover_the_prior() -> None:
    z = live.prior_points(2)
    assert z.shape == (144, 2) and z[0, 1] > 0 > z[0, 0]                   # top left
    normal = torch.distributions.Normal(0.0, 1.0)
    np.testing.assert_allclose(normal.cdf(z[:12, 0]), (np.arange(12) + 0.5) / 12, atol=1e-5)
    assert torch.equal(live.prior_points(7), live.prior_points(7)) and live.prior_points(7).shape == (144, 7)
