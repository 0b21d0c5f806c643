"""The measures on crowds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.diffusion import Judge, measure
from engines.diffusion.classifier import Classifier
from engines.diffusion.jobs import judge
from engines.diffusion.model import Denoiser
from tests.engines.alone import run_alone

random = np.random.default_rng(0)


def test_frechet_of_two_normal_crowds_is_the_closed_form() -> None:
    a = random.standard_normal((200_000, 2)) * (1, 2)
    b = random.standard_normal((200_000, 2)) * (3, 1) + (2, 0)
    assert measure.frechet(a, b) == pytest.approx(4 + (3 - 1) ** 2 + (1 - 2) ** 2, rel=0.02)
    assert measure.frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_does_not_care_how_the_features_are_turned() -> None:
    a, b = random.standard_normal((500, 5)) * (1, 2, 3, 4, 5), random.standard_normal((500, 5)) + 1
    turn, _ = np.linalg.qr(random.standard_normal((5, 5)))
    assert measure.frechet(a @ turn, b @ turn) == pytest.approx(measure.frechet(a, b))


def test_precision_sees_what_is_outside_and_recall_what_is_missing() -> None:
    left, right = random.standard_normal((300, 2)), random.standard_normal((300, 2)) + 50
    both = np.concatenate([left, right])
    precision, recall = measure.precision_recall(both, random.standard_normal((300, 2)))
    assert precision > 0.9 and 0.4 < recall < 0.55          # one of two modes
    precision, recall = measure.precision_recall(left, both)
    assert 0.4 < precision < 0.55 and recall > 0.9          # half of it far off


def test_nearest_is_zero_for_what_is_remembered() -> None:
    training = random.integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
    moved = np.clip(training[:3].astype(int) + 10, 0, 255).astype(np.uint8)
    assert (measure.nearest(training[:5], training) < 1e-3).all()
    assert (measure.nearest(moved, training) <= 10.001).all() and (measure.nearest(moved, training) > 5).all()


def test_real_pictures_are_held_against_all_others_but_themselves() -> None:
    training = random.integers(0, 256, (12, 4, 4, 1), dtype=np.uint8)
    twice = np.concatenate([training, training[:1]])
    apart = measure.nearest_others(twice, np.array([0, 5]))
    assert apart[0] < 1e-3 and apart[1] == pytest.approx(measure.nearest(twice[5:6], np.delete(twice, 5, 0))[0], rel=1e-4)


def test_drawing_many_is_drawing_each(denoiser: Denoiser) -> None:
    labels = np.array([0, 1, 2, 2])
    pictures = np.concatenate(list(measure.draw(denoiser, labels, steps=3)))
    assert pictures.shape == (4, 8, 8, 1) and pictures.dtype == np.uint8
    assert np.array_equal(pictures, np.concatenate(list(measure.draw(denoiser, labels, steps=3))))


def test_a_verdict_is_a_distribution() -> None:
    torch.manual_seed(0)
    frame, = run_alone(judge(Classifier(width=4).eval(), Judge("toy", np.zeros((3, 32, 32, 1), np.uint8))))
    assert frame.probabilities.shape == (3, 10) and np.allclose(frame.probabilities.sum(1), 1)
    assert frame.features.shape == (3, 16)
