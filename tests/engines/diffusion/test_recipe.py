"""The recipes: stopping and starting again changes nothing, and what they write is whole and true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMPipeline

from engines import data
from engines.diffusion import model
from engines.diffusion.model import Denoiser
from engines.runtime import models
from engines.training import classifier
from engines.training import diffusion as recipes
from engines.training.diffusion import Recipe, Training
from engines.training.diffusion_report import measured, write_model
from engines.training.loop import run

TOY = Recipe("toy", channels="8,8", attention=1, epochs=4, batch=20, rate=3e-3, average=0.9, seed=1)


def bars(count: int = 100, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Bars that lie or stand, and which of the two."""
    random = np.random.default_rng(0)
    images, labels = np.zeros((count, side, side, 1), np.uint8), random.integers(0, 2, count)
    for image, label, place in zip(images, labels, random.integers(0, side, count)):
        image[(place, slice(None)) if label else (slice(None), place)] = 255
    return images, labels


@pytest.mark.parametrize("recipe", [TOY, replace(TOY, gamma=0.0, flip=1, drop=0.5)])
def test_stopping_and_starting_again_ends_at_the_same_weights(recipe: Recipe, tmp_path: Path) -> None:
    whole = run(Training(recipe, *bars()), tmp_path / "whole.pt")
    assert whole.step == whole.steps == 20
    run(Training(recipe, *bars()), tmp_path / "parts.pt", until=7)
    parts = run(Training(recipe, *bars()), tmp_path / "parts.pt")
    for name, weight in whole.finished().state_dict().items():
        assert torch.equal(weight, parts.finished().state_dict()[name]), name


def test_a_checkpoint_from_before_a_field_was_added_is_taken(tmp_path: Path) -> None:
    run(Training(TOY, *bars()), tmp_path / "toy.pt", until=2)
    state = torch.load(tmp_path / "toy.pt", weights_only=True)
    del state["recipe"]["favour"]
    torch.save(state, tmp_path / "toy.pt")
    assert run(Training(TOY, *bars()), tmp_path / "toy.pt", until=3).step == 3
    with pytest.raises(SystemExit, match="belongs to another recipe"):
        run(Training(replace(TOY, rate=1.0), *bars()), tmp_path / "toy.pt")


def test_other_epochs_are_taken_up_only_when_asked_and_are_told(tmp_path: Path) -> None:
    run(Training(TOY, *bars()), tmp_path / "toy.pt", until=5)
    shorter = replace(TOY, epochs=2)
    with pytest.raises(SystemExit, match="belongs to another recipe"):
        run(Training(shorter, *bars()), tmp_path / "toy.pt")
    run(Training(shorter, *bars()), tmp_path / "toy.pt", until=7, replan=True)
    ended = run(Training(shorter, *bars()), tmp_path / "toy.pt")
    assert ended.step == 10 and ended.plans == [[5, 4.0]]


def test_training_lowers_the_error() -> None:
    training = Training(replace(TOY, epochs=40), *bars())
    errors = [training.advance() for _ in range(training.steps)]
    assert np.mean(errors[-20:]) < np.mean(errors[:10]) / 2


def test_labels_are_left_out_as_often_as_asked() -> None:
    training = Training(replace(TOY, batch=2000, drop=0.3), *bars())
    _, labels = training.minibatch()
    assert (labels == 2).float().mean().item() == pytest.approx(0.3, abs=0.04)


def test_favourites_are_shown_more_often() -> None:
    images, labels = bars()
    training = Training(replace(TOY, batch=4000, drop=0.0, favour=3.0), images, labels, labels == 1)
    share = (labels == 1).mean()
    _, shown = training.minibatch()
    assert (shown == 1).float().mean().item() == pytest.approx(3 * share / (3 * share + 1 - share), abs=0.03)


def test_what_is_written_is_read_by_us_and_by_diffusers(tmp_path: Path) -> None:
    recipe = replace(TOY, dataset="mnist")
    training = run(Training(recipe, *bars()), tmp_path / "toy.pt")
    unet, folder = training.finished(), tmp_path / "ddpm-toy"
    images, labels = bars()
    found, sheet = measured(Denoiser(unet), None, images, labels, 80, count=8)
    alone, _ = measured(Denoiser(unet), None, images, labels, len(images), count=8)      # no test set, as for emoji
    assert sum(found["nearest"]["test"]) == len(images) - 80 and sum(alone["nearest"]["others"]) == len(images)
    config = write_model(unet, recipe, folder, ("lies", "stands"), found, sheet, steps=training.steps,
                         seconds=90.0, n_train=80, threads=1)
    models.check(folder)
    assert config["measured"]["nearest"]["samples_median"] > 0 and config["classes"] == ["lies", "stands"]
    ours, theirs = model.load(folder), DDPMPipeline.from_pretrained(folder, low_cpu_mem_usage=False)
    assert ours.classes == 2 and ours.shape == (1, 8, 8)
    for name, weight in theirs.unet.state_dict().items():
        assert torch.equal(weight, unet.state_dict()[name])
        assert torch.equal(weight, ours.unet.state_dict()[name])
    assert theirs.scheduler.config.timestep_spacing == "trailing"
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    for part in ("## Data and licence", "## Recipe", "--channels 8,8", "## Measured", "nearest training picture",
                 "## Limits"):
        assert part in card


def test_emoji_are_asked_for_by_their_subgroup_and_faces_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = data.load("emoji")
    monkeypatch.setattr(recipes.sources, "whole", lambda name: (bundled.images, bundled.labels, len(bundled.images)))
    known = recipes.pictures(Recipe("toy", "emoji", condition="subgroup"))
    assert known.images.shape == (1601, 32, 32, 3) and known.classes[0].startswith("face")
    smiling = bundled.titles.index("grinning face")
    assert known.classes[known.labels[smiling]] == "face-smiling" and known.faces[smiling]


def test_padding_and_halving_keep_the_picture() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    assert np.array_equal(data.padded(pictures)[:, 2:30, 2:30], pictures) and not data.padded(pictures)[:, 0].any()
    assert np.array_equal(recipes.halved(pictures.repeat(2, 1).repeat(2, 2)), pictures)


def test_a_classifier_stops_and_starts_and_is_written(tmp_path: Path) -> None:
    recipe = classifier.Recipe("toy", width=4, epochs=12, batch=20, average=0.9, shift=0, smooth=0.0)
    images, labels = bars(side=32)
    whole = run(classifier.Training(recipe, images, labels), tmp_path / "whole.pt")
    run(classifier.Training(recipe, images, labels), tmp_path / "parts.pt", until=5)
    torch.rand(3)       # the dropout of whoever goes on must not depend on what else drew
    parts = run(classifier.Training(recipe, images, labels), tmp_path / "parts.pt")
    for name, value in whole.finished().state_dict().items():
        assert torch.equal(value, parts.finished().state_dict()[name]), name
    config = classifier.write_model(whole, tmp_path / "classifier-toy", images, labels, threads=1)
    assert config["measured"]["accuracy"] > 0.9
    models.check(tmp_path / "classifier-toy")
