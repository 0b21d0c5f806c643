"""The recipe of the GANs: stopping and starting again changes nothing, and what it writes is whole and true."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.diffusion.classifier import Classifier
from engines.gan.pictures import halved, recommended, stages
from engines.runtime import models
from engines.training import diffusion, gan_report
from engines.training.gan import RECIPES, Recipe, Training
from engines.training.gan_report import measured, write_model
from engines.training.loop import run
from tests.engines.gan.test_pictures import bars

TOY = Recipe("toy", steps=12, stages="2,5,12", z_dim=4, width=4, batch=8, average=0.9, precision="fp32", seed=1)


@pytest.mark.parametrize("recipe", [TOY, replace(TOY, precision="bf16", augment=1, spectral=1)])
def test_stopping_and_starting_again_ends_at_the_same_weights(recipe: Recipe, tmp_path: Path) -> None:
    whole = run(Training(recipe, *bars()), tmp_path / "whole.pt")
    run(Training(recipe, *bars()), tmp_path / "parts.pt", until=7)
    torch.rand(3)
    parts = run(Training(recipe, *bars()), tmp_path / "parts.pt")
    assert whole.step == parts.step == 12 and list(parts.stages) == [2, 5, 12]
    for stage, weights in whole.stages.items():
        for name, weight in weights.items():
            assert torch.equal(weight, parts.stages[stage][name]), (stage, name)


def test_another_recipe_does_not_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    run(Training(TOY, *bars()), tmp_path / "toy.pt", until=2)
    with pytest.raises(SystemExit, match="belongs to another recipe"):
        run(Training(replace(TOY, r1=1.0), *bars()), tmp_path / "toy.pt")


def test_the_rates_fall_in_the_second_half_and_the_last_forger_is_the_average() -> None:
    training = Training(TOY, *bars())
    rates = []
    for _ in range(12):
        training.advance()
        rates.append(training.game.rules.lr_g)
    assert rates[:6] == [TOY.lr_g] * 6 and rates == sorted(rates, reverse=True) and rates[-1] < TOY.lr_g / 3
    last, averaged = training.forgers()[12], dict(zip(dict(training.game.g.named_parameters()), training.averaged))
    assert all(torch.equal(weight, averaged[name].half().float()) for name, weight in last.named_parameters())
    early = training.stages[5]["g.first.weight"]
    assert not torch.equal(early.float(), averaged["first.weight"])


def test_the_statistics_of_the_average_are_its_own() -> None:
    training = Training(TOY, *bars())
    for _ in range(12):
        training.advance()
    g = training.finished()
    g.train()
    with torch.no_grad():
        g(torch.randn((4000, 4), generator=torch.Generator().manual_seed(3)), torch.arange(4000) % 2)
    for norm, settled in zip(g.norms, training.finished().norms):      # cumulative: one more of 101
        torch.testing.assert_close(norm.running_mean, settled.running_mean, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("judge", [True, False])
def test_what_is_written_is_read_again_and_says_what_was_measured(judge: bool, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gan_report.classifier, "load", lambda folder: Classifier(1, 2, 4).eval())
    recipe = replace(TOY, dataset="mnist" if judge else "emoji")
    images, labels = bars(80, 1 if judge else 3)
    training = run(Training(recipe, images[:60], labels[:60]), tmp_path / "toy.pt")
    n_train = 60 if judge else 80
    found, sheet = measured(training.forgers(), tmp_path if judge else None, images, labels, n_train, count=20)
    assert sheet.shape == (16, 32, 32, 1 if judge else 3)
    folder = tmp_path / "gan-toy"
    config = write_model(training, recipe, folder, found, sheet, n_train=n_train, threads=1)
    models.check(folder)
    assert config == json.loads((folder / "config.json").read_text("utf-8"))
    assert config["stages"] == [0, 2, 5, 12] and config["family"] == "gan"
    read = stages.load(folder)
    for stage, weights in training.stages.items():
        state = read.pair(stage)[0].state_dict()
        assert all(torch.equal(state[name.removeprefix("g.")], weight.to(state[name.removeprefix("g.")].dtype))
                   for name, weight in weights.items() if name.startswith("g."))
    begun = Training(recipe, images[:60], labels[:60]).game
    assert torch.equal(read.pair(0)[1].features.weight, begun.d.features.weight)
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    for part in ("## Data and licence", "## Recipe", "python -m engines.training.gan", "## Measured",
                 "Fréchet distance", "nearest training picture", "samples.webp", "## Limits"):
        assert part in card
    if judge:
        assert sum(found["share"]) == pytest.approx(1, abs=1e-3) and list(found["stages"]) == ["2", "5", "12"]


def test_emoji_are_halved_as_for_the_diffusion_model_of_them() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), dtype=np.uint8)
    assert np.array_equal(halved(pictures), diffusion.halved(pictures))


def test_the_recipes_are_named_by_what_they_make() -> None:
    assert {recipe.dataset for recipe in RECIPES.values()} == {"mnist", "fashion", "emoji"}
    for name, recipe in RECIPES.items():
        assert name == f"gan-{recipe.dataset}" and recipe.steps == 20_000
        assert recipe.rules() == recommended(recipe.dataset) and np.isfinite(recipe.epochs)
