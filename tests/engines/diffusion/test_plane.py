"""Diffusion in the plane: against its closed form, against diffusers, and as a training that anyone may watch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given
from hypothesis import strategies as st

from engines import runtime
from engines.diffusion import plane as asked
from engines.diffusion.plane import jobs, shapes, walks
from engines.diffusion.plane.live import Lesson
from engines.diffusion.plane.live import train as lesson
from engines.diffusion.plane.network import Noise, Plane
from engines.runtime import BadInput, ModelFault, trained
from tests.engines.alone import run_alone
from tests.engines.vae.test_params import accepted, number, whole

MEAN, SPREAD = torch.tensor([0.7, -0.4]), 0.5


def analytic(x: torch.Tensor, t: int) -> torch.Tensor:
    """eps for data from N(MEAN, SPREAD^2): the score of q(x_t) times -sqrt(1 - alpha_bar)."""
    a = walks.alpha_bar()[t]
    return (x - a.sqrt() * MEAN) / (a * SPREAD**2 + 1 - a) * (1 - a).sqrt()


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_true_eps_brings_noise_back_to_its_gaussian(eta: float) -> None:
    noise = torch.randn((1, 20_000, 2), generator=torch.Generator().manual_seed(0))
    *_, x_0 = walks.back(analytic, noise, 200, 200, torch.tensor([eta]), seed=1)
    assert torch.allclose(x_0[0].mean(0), MEAN, atol=0.03)
    assert torch.allclose(torch.cov(x_0[0].T), SPREAD**2 * torch.eye(2), atol=0.02)


def test_ddim_is_that_of_diffusers_stride_by_stride() -> None:
    steps, theirs = 20, DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    theirs.set_timesteps(steps)
    x = torch.randn((1, 50, 2), generator=torch.Generator().manual_seed(0))
    ours = walks.back(analytic, x, steps, steps, torch.zeros(1), seed=0)
    for t, found in zip(theirs.timesteps, ours, strict=True):
        x = theirs.step(analytic(x, int(t) + 1), t, x).prev_sample
        assert torch.allclose(found, x, atol=1e-5)


def test_the_way_there_has_the_spread_of_the_closed_form() -> None:
    x_0 = MEAN + SPREAD * torch.randn((20_000, 2), generator=torch.Generator().manual_seed(0))
    walked, a = walks.dissolve(x_0, 50, seed=3), walks.alpha_bar()[walks.levels(50)]
    assert torch.equal(walked[0], x_0)
    for k in (10, 25, 50):
        assert torch.allclose(walked[k].mean(0), a[k].sqrt() * MEAN, atol=0.03)
        assert torch.allclose(walked[k].var(0), a[k] * SPREAD**2 + 1 - a[k], atol=0.03)


def test_a_network_learns_the_score_of_a_gaussian(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a quarter of a noise's width where the data has mass, after less than half of a visitor's training."""
    x_0 = (MEAN + SPREAD * torch.randn((4000, 2), generator=torch.Generator().manual_seed(0))).numpy()
    data = shapes.Data(x_0, np.zeros(len(x_0), np.uint8), (0.0, 0.0), 1.0)
    monkeypatch.setattr(shapes, "make", lambda shape: data)
    taught = Lesson(asked.Train(asked.Shape(), steps=800))
    while taught.step < 800:
        taught.advance()
    for t in (100, 300, 600, 1000):
        a = walks.alpha_bar()[t]
        x = a.sqrt() * torch.from_numpy(x_0[:500]) + (1 - a).sqrt() * torch.randn(500, 2)
        with torch.inference_mode():
            wrong = (taught.plane.eps(x, t) - analytic(x, t)).norm(dim=1)
        assert wrong.mean() < 0.25, t


@pytest.mark.parametrize("kind", ["moons", "spiral", "gaussians", "latent"])
def test_every_shape_is_centred_scaled_and_always_the_same(kind: str) -> None:
    data, again = shapes.make(asked.Shape(kind)), shapes.make(asked.Shape(kind))
    assert np.allclose(data.x_0.mean(0), 0, atol=1e-4) and np.square(data.x_0).mean() == pytest.approx(1, abs=1e-3)
    assert np.array_equal(data.x_0, again.x_0) and len(data.labels) == len(data.x_0) >= shapes.POINTS


def test_a_drawn_shape_lies_about_its_strokes() -> None:
    line = np.stack([np.linspace(-1, 1, 100), np.zeros(100)], 1).astype(np.float32)
    data = shapes.make(asked.Shape("drawn", line))
    there = data.x_0 * data.scale + np.array(data.centre)
    assert np.abs(there[:, 1]).max() < 0.2 and there[:, 0].min() < -0.9 and there[:, 0].max() > 0.9
    assert set(data.labels) == set(range(shapes.PARTS))


def test_a_training_ends_with_a_network_that_walks(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv(trained.FOLDER, str(tmp_path))
    frames = run_alone(lesson(asked.Train(asked.Shape("moons"), steps=30, side=5)))
    assert [frame.step for frame in frames] == [0, 5, 10, 20, 30] and not any(frame.model for frame in frames[:-1])
    assert frames[-1].loss < frames[1].loss and frames[0].eps.shape == (len(frames[0].levels), 5, 5, 2)
    name = frames[-1].model
    walk = runtime.start(asked.walk, asked.Walk(name, count=10, steps=20)).result(timeout=60)
    assert walk.forward.shape == walk.ddpm.shape == walk.ddim.shape == (21, 10, 2)
    assert np.array_equal(walk.ddpm[-1], walk.ddim[-1]) and not np.allclose(walk.ddpm[0], walk.ddim[0])
    again = runtime.start(asked.walk, asked.Walk(name, count=10, steps=20)).result(timeout=60)
    assert np.array_equal(walk.ddpm, again.ddpm), "the same seed gives the same walk"
    turned = runtime.start(asked.walk, asked.Walk(name, count=10, steps=20, turn=8)).result(timeout=60)
    assert np.array_equal(turned.ddim[8:], turned.forward[8:])
    arrows = runtime.start(asked.field_, asked.Field(name, (1, 500), side=7)).result(timeout=60)
    assert arrows.eps.shape == (2, 7, 7, 2) and np.isfinite(arrows.eps).all()
    followed = runtime.start(asked.follow, asked.Follow(name, (0.5, 0.5), 10, 20, draws=4)).result(timeout=60)
    assert followed.ddim.shape == (11, 2) and followed.ddpm.shape == (4, 11, 2)
    assert (followed.ddpm[:, -1] == followed.ddim[-1]).all() and len(np.unique(followed.ddpm[:, 0, 0])) == 4


def test_two_trainings_at_once_end_as_each_alone(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv(trained.FOLDER, str(tmp_path))
    both = [asked.Train(asked.Shape(kind), seed=seed, steps=25, side=4) for kind, seed in (("moons", 1), ("spiral", 2))]
    runs = [runtime.start(asked.train, params, session=str(k)) for k, params in enumerate(both)]
    together = [run.result(timeout=120) for run in runs]
    for params, found in zip(both, together, strict=True):
        assert np.array_equal(run_alone(lesson(params))[-1].eps, found.eps)


def test_mass_is_where_the_data_is() -> None:
    frame, = run_alone(jobs.scatter(asked.Scatter(asked.Shape("gaussians"), levels=(1, 1000), side=25)))
    assert frame.mass.shape == (2, 25, 25) and frame.mass.max() == 1 and frame.mass.min() >= 0
    middle = frame.mass[:, 12, 12]
    assert middle[0] < 0.2 and middle[1] > 0.9, "a ring of eight has nothing in its middle, noise has most there"
    assert np.array_equal(frame.forward[0], frame.x_0[frame.chosen])


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ModelFault, match="no network of the plane"):
        runtime.start(asked.field_, asked.Field("vae-mnist-2d")).result(timeout=60)


def test_a_new_network_believes_in_no_noise() -> None:
    plane = Plane(Noise(), torch.zeros(1, 2))
    assert not plane.eps(torch.randn(3, 4, 2), 500).any()


# --- parameters ------------------------------------------------------------------------------------------------------

odd = st.one_of(number, whole, st.booleans())


@given(odd, odd, odd, st.lists(odd, max_size=4).map(tuple), odd, odd)
def test_scatter(seed: float, count: float, steps: float, levels: tuple, side: float, reach: float) -> None:
    made = accepted(lambda: asked.Scatter(asked.Shape(), seed, count, steps, levels, side, reach))
    if made:
        assert made.levels and all(1 <= level <= asked.T for level in made.levels) and math.isfinite(made.reach)


@given(st.lists(odd, max_size=3).map(tuple), odd, odd, odd)
def test_follow(x: tuple, k: float, steps: float, draws: float) -> None:
    made = accepted(lambda: asked.Follow("m", x, k, steps, draws))
    if made:
        assert len(made.x) == 2 and 1 <= made.k <= made.steps and all(map(math.isfinite, made.x))


@pytest.mark.parametrize(("make", "words"), [
    (lambda: asked.Shape("heart"), "the shape is 'heart'"),
    (lambda: asked.Shape("drawn"), "the drawing has 0 places"),
    (lambda: asked.Shape("drawn", np.zeros((20, 2), np.float32)), "a single spot"),
    (lambda: asked.Shape("drawn", np.full((20, 2), np.nan, np.float32)), "leaves the plane"),
    (lambda: asked.Train(asked.Shape(), steps=0), "the number of steps is 0"),
    (lambda: asked.Walk("m", turn=0), "the turn is 0"),
    (lambda: asked.Field("m", tuple(range(1, 80))), "79 noise levels"),
])
def test_a_refusal_names_the_number_and_the_limit(make, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make()
