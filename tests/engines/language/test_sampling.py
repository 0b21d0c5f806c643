"""Reshaping and drawing: against transformers' own processors, by hand, and by 20,000 draws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from transformers.generation import logits_process as theirs

from engines.language import Settings
from engines.language.sampling import FEW, Taste, drawn, warped

SEEN = (3, 5, 5, 17)
CHOICES = product((0.3, 1.0, 2.5), (0, 1, 7), (1.0, 0.9, 0.3), (0.0, 0.05), (1.0, 0.6), (1.0, 1.3, 0.7))


def processed(logits: torch.Tensor, s: Settings) -> torch.Tensor:
    """What transformers leaves, in the order of its _get_logits_processor."""
    chain = [theirs.RepetitionPenaltyLogitsProcessor(s.repetition_penalty)] if s.repetition_penalty != 1 else []
    chain += [theirs.TemperatureLogitsWarper(s.temperature)] if s.temperature != 1 else []
    chain += [theirs.TopKLogitsWarper(s.top_k)] if s.top_k else []
    chain += [theirs.TopPLogitsWarper(s.top_p)] if s.top_p < 1 else []
    chain += [theirs.MinPLogitsWarper(s.min_p)] if s.min_p > 0 else []
    chain += [theirs.TypicalLogitsWarper(s.typical_p)] if s.typical_p < 1 else []
    scores = logits.double()[None].clone()
    for each in chain:
        scores = each(torch.tensor([SEEN]), scores)
    return scores.softmax(-1)[0]


@pytest.mark.parametrize("seed", range(3))
def test_every_combination_leaves_what_transformers_leaves(seed: int) -> None:
    logits = 3 * torch.randn(60, generator=torch.Generator().manual_seed(seed))
    for values in CHOICES if seed == 0 else [(0.8, 20, 0.95, 0.02, 0.95, 1.1), (1.7, 0, 0.5, 0.0, 0.3, 1.0)]:
        settings = Settings(*values)
        q, expected = warped(logits, SEEN, settings), processed(logits, settings)
        assert torch.equal(q == 0, expected == 0), settings
        assert torch.allclose(q, expected, atol=1e-6), settings
        assert q.sum().item() == pytest.approx(1)


def test_at_temperature_nought_the_likeliest_has_all() -> None:
    logits = torch.tensor([1.0, 3.0, 3.0, 2.0])
    assert warped(logits, (), Settings(temperature=0)).tolist() == [0, 1, 0, 0]
    assert warped(logits, (1,), Settings(temperature=0, repetition_penalty=2.0)).tolist() == [0, 0, 1, 0]
    assert warped(logits, (), Settings(temperature=0, top_k=3, top_p=0.5)).tolist() == [0, 1, 0, 0]


def test_logits_are_left_as_they_were() -> None:
    logits = torch.randn(30).double()
    before = logits.clone()
    warped(logits, SEEN, Settings(0.5, 5, 0.9, 0.1, 0.9, 1.5))
    assert torch.equal(logits, before)


def test_the_order_of_drawing_is_from_the_likeliest_down_and_by_number() -> None:
    q = np.array([0.2, 0.4, 0.2, 0.0, 0.2])
    assert [drawn(q, u) for u in (0.0, 0.39, 0.41, 0.59, 0.61, 0.79, 0.81, 1 - 2**-53)] == [1, 1, 0, 0, 2, 2, 4, 4]


def test_few_of_the_likeliest_are_enough_and_all_of_them_give_the_same() -> None:
    random = np.random.default_rng(0)
    for q in (np.round(random.random(2000), 2), np.ones(2000), random.random(2000) ** 40, np.eye(2000)[7]):
        q = q / q.sum()
        order = np.argsort(-q, kind="stable")
        for u in (*random.random(50), 0.0, 1 - 2**-53):
            place = min(np.searchsorted(np.cumsum(q[order]), u, side="right"), np.count_nonzero(q) - 1)
            assert drawn(q, u) == order[place]
    assert FEW < 2000


def test_draws_follow_the_distribution() -> None:
    """20,000 draws: chi-square with 11 degrees of freedom is above 31.3 once in a thousand times."""
    logits, taste = torch.randn(12, generator=torch.Generator().manual_seed(1)), Taste(Settings(1.3), 5)
    q = warped(logits, (), taste.settings).numpy()
    counts = np.bincount([drawn(q, taste.u(place)) for place in range(20_000)], minlength=12)
    assert ((counts - 20_000 * q) ** 2 / (20_000 * q)).sum() < 31.3


def test_luck_depends_on_the_seed_and_the_place_alone() -> None:
    one, other = Taste(Settings(), 4), Taste(Settings(0.1, 3), 4, (1, 2))
    assert [one.u(place) for place in range(5)] == [other.u(place) for place in range(5)]
    assert one.u(3) == np.random.default_rng([4, 3]).random()
    assert one.u(0) != Taste(Settings(), 5).u(0)
