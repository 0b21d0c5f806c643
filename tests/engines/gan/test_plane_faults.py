"""Games that blow up, and rules changed in the middle: what is kept can be gone on with."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engines.gan.diagnosis import WINDOW, diagnose
from engines.gan.plane import Look, Measures, Play, Rules, Shape, jobs, shapes
from engines.gan.plane.game import Game

SMALL = Rules(g_layers=(8, 8), d_layers=(8, 8), batch=16)
EVEN = Measures(1.38, 0.7, 0.51, 0.49, 0.1, 0.1, 8, np.full(8, 0.12, np.float32), 0.96, 0.1)


def last(params: Play) -> Look:
    return [look for look in jobs.play(params) if look is not None][-1]


@pytest.mark.parametrize("loss", ["non-saturating", "least-squares", "hinge", "wgan-gp"])
@pytest.mark.parametrize("optimiser, beta1", [("sgd", 0.0), ("sgd", 0.999), ("rmsprop", 0.5), ("adam", 0.5)])
def test_what_is_kept_of_a_wild_game_holds_numbers_only(loss: str, optimiser: str, beta1: float) -> None:
    wild = dataclasses.replace(SMALL, loss=loss, optimiser=optimiser, beta1=beta1, lr_g=10.0, lr_d=10.0)
    look = last(Play(rules=wild, until=120, every=60))
    for name in ("g", "d", "g_memory", "d_memory", "random"):
        assert np.isfinite(getattr(look.moment, name)).all(), name
    assert np.isfinite(look.measures.w1)
    assert look.step == 120 or "no number any more" in look.broken


@pytest.mark.parametrize("change", [{"lr_g": 0.0005}, {"loss": "hinge"}, {"batch": 9}])
def test_what_normalisation_has_gathered_outlives_another_rule(change: dict[str, object]) -> None:
    game = Game(shapes.make(Shape()), dataclasses.replace(SMALL, spectral=True, batch_norm=True), 0)
    game.burst(30, 1e9, "both")
    before = [each.clone() for each in game.way.state()]
    game.change(dataclasses.replace(game.rules, **change))
    assert all(torch.equal(old, new) for old, new in zip(before, game.way.state(), strict=True))


def test_a_new_forger_leaves_the_detective_s_vectors_and_begins_its_own_averages() -> None:
    game = Game(shapes.make(Shape()), dataclasses.replace(SMALL, spectral=True, batch_norm=True), 0)
    game.burst(30, 1e9, "both")
    vectors = [each.clone() for each in game.way.vectors]
    game.change(dataclasses.replace(game.rules, g_layers=(5,)))
    assert all(torch.equal(old, new) for old, new in zip(vectors, game.way.vectors, strict=True))
    assert len(game.way.mean) == 1 and not game.way.mean[0].any() and len(game.way.mean[0]) == 5


def test_memory_does_not_grow_with_the_batch_sizes_that_were_tried() -> None:
    game = Game(shapes.make(Shape()), SMALL, 0)
    for batch in range(4, 40):
        game.change(dataclasses.replace(game.rules, batch=batch))
        game.burst(1, 1e9, "both")
    assert max(len(game.g._rooms), len(game.d._rooms)) < 6


def test_a_look_at_no_numbers_is_no_reason_to_call_a_detective_strong() -> None:
    none = dataclasses.replace(EVEN, loss_d=np.nan, loss_g=np.nan, d_real=np.nan, d_fake=np.nan)
    steps, seen = list(range(1000, 1000 + WINDOW + 1)), [EVEN] * WINDOW + [none]
    assert diagnose(steps, seen, Rules()).kind == "balanced"
    assert diagnose(steps, [none] * (WINDOW + 1), Rules()) is None
