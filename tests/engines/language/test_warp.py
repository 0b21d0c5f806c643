"""Reshaping and drawing: against transformers' own processors, and by 20,000 draws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from transformers.generation import logits_process as theirs

from engines.language import SHOWN, Settings, draw, warp
from engines.runtime import ModelFault

SEEN = (3, 5, 5, 17)
GRID = list(product((0.3, 1.0, 2.5), (0, 1, 7), (1.0, 0.9, 0.3), (0.0, 0.05), (1.0, 0.6), (1.0, 1.3, 0.7)))
OFF = Settings()


def processed(logits: torch.Tensor, s: Settings, seen: tuple[int, ...] = SEEN) -> torch.Tensor:
    """logits: (1, V). What transformers leaves, in the order of its _get_logits_processor: -inf where it cuts."""
    chain = [theirs.RepetitionPenaltyLogitsProcessor(s.repetition_penalty)] if s.repetition_penalty != 1 else []
    chain += [theirs.TemperatureLogitsWarper(s.temperature)] if s.temperature != 1 else []
    chain += [theirs.TopKLogitsWarper(s.top_k)] if s.top_k else []
    chain += [theirs.TopPLogitsWarper(s.top_p)] if s.top_p < 1 else []
    chain += [theirs.MinPLogitsWarper(s.min_p)]
    chain += [theirs.TypicalLogitsWarper(s.typical_p)] if s.typical_p < 1 else []
    scores = logits.clone()
    for each in chain:
        scores = each(torch.tensor([seen]), scores)
    return scores


def check(logits: torch.Tensor, settings: Settings) -> None:
    expected, q = processed(logits, settings), warp.probabilities(logits, [SEEN], settings)
    ids, _ = warp.kept(logits[0].numpy(), SEEN, settings)
    assert np.array_equal(ids, np.flatnonzero(expected[0] > -torch.inf)), settings
    assert torch.allclose(q, expected.double().softmax(-1), rtol=0, atol=1e-6), settings
    assert q.sum().item() == pytest.approx(1, abs=1e-12)


def any_settings(random: np.random.Generator) -> Settings:
    """Each of the six off in half of the cases."""
    def of(off: float, value: float) -> float:
        return off if random.random() < 0.5 else value
    return Settings(of(1.0, random.uniform(0.05, 5)), int(of(0, random.integers(1, 200))), of(1.0, random.uniform(0.01, 1)),
                    of(0.0, random.uniform(0, 0.3)), of(1.0, random.uniform(0.01, 1)), of(1.0, random.uniform(0.5, 2)))


@pytest.mark.parametrize("values", [GRID[at::9] for at in range(9)])
def test_every_combination_cuts_exactly_what_transformers_cuts(values: list[tuple]) -> None:
    logits = 3 * torch.randn(1, 60, generator=torch.Generator().manual_seed(0))
    for each in values:
        check(logits, Settings(*each))


@pytest.mark.parametrize(("size", "times"), [(18, 300), (4096, 200), (50_257, 40)])
def test_random_logits_and_settings(size: int, times: int) -> None:
    random, generator = np.random.default_rng(size), torch.Generator().manual_seed(size)
    for _ in range(times):
        check(random.uniform(0.2, 5) * torch.randn(1, size, generator=generator), any_settings(random))


def test_cuts_that_fall_on_a_token_are_decided_as_transformers_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equally likely tokens everywhere, and edges met exactly. Where a sort may put equals in any order, theirs is given
    the one that is promised here."""
    plain = torch.sort
    monkeypatch.setattr(torch, "sort", lambda x, descending=False: plain(x, descending=descending, stable=True))
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    for size in (18, 300):
        for _ in range(150):
            check(torch.randint(-4, 4, (1, size), generator=generator) / 2, any_settings(random))
    level = torch.zeros(1, 20)
    for p in (0.05, 0.5, 0.95, 1 - 1e-9, 1e-9):
        check(level, Settings(top_p=p))
        check(level, Settings(typical_p=p))
        check(level, Settings(min_p=1.0, top_p=p))
    check(torch.log(torch.tensor([[0.4, 0.2, 0.2, 0.1, 0.1] + [1e-9] * 15])), Settings(min_p=0.5))
    check(torch.log(torch.tensor([[0.4, 0.2, 0.2, 0.1, 0.1] + [1e-9] * 15])), Settings(top_p=0.8))


def test_the_quick_way_is_taken_nearly_always_and_agrees_with_the_exact_one() -> None:
    random, quick = np.random.default_rng(3), 0
    for _ in range(200):
        scores = (3 * random.standard_normal(1000)).astype(np.float32)
        settings = Settings(1.0, 0, random.uniform(0.1, 1), random.uniform(0, 0.1), random.uniform(0.1, 1))
        found = warp._quickly(scores, settings)
        if found is not None:
            quick += 1
            assert np.array_equal(found, warp._exactly(scores, np.arange(1000), settings))
    assert quick > 150


def test_at_temperature_nought_the_likeliest_has_all() -> None:
    logits = torch.tensor([[1.0, 3.0, 3.0, 2.0]])
    assert warp.probabilities(logits, [()], Settings(temperature=0)).tolist() == [[0, 1, 0, 0]]
    assert warp.probabilities(logits, [(1,)], Settings(temperature=0, repetition_penalty=2.0)).tolist() == [[0, 0, 1, 0]]
    assert warp.probabilities(logits, [()], Settings(0, 3, 0.5)).tolist() == [[0, 1, 0, 0]]


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-40, 1e-37, 1e-6])
def test_a_temperature_next_to_nought_is_as_good_as_nought(temperature: float) -> None:
    logits = torch.randn(1, 40, generator=torch.Generator().manual_seed(0)) * 9
    q = warp.probabilities(logits, [()], Settings(temperature))
    assert q[0].argmax() == logits[0].argmax() and q.sum() == pytest.approx(1) and q.max() == pytest.approx(1)
    assert warp.probabilities(logits, [()], Settings(temperature, 5, 0.9, 0.1, 0.9)).max() == pytest.approx(1)


def test_rows_are_reshaped_each_by_itself_and_logits_left_as_they_were() -> None:
    logits = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    before, settings = logits.clone(), Settings(0.5, 20, 0.9, 0.01, 0.9, 1.5)
    together = warp.probabilities(logits, [SEEN, (), (1, 2)], settings)
    assert torch.equal(together[2], warp.probabilities(logits[2:], [(1, 2)], settings)[0])
    assert torch.equal(logits, before)


# --- drawing -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [Settings(1.3), Settings(0.9, 6, 0.95, 0.01, 0.98, 1.2)])
def test_draws_follow_the_distribution(settings: Settings) -> None:
    """20,000 draws; chi-square is above this bound once in a thousand times."""
    logits = torch.randn(1, 12, generator=torch.Generator().manual_seed(1))
    q = warp.probabilities(logits, [(3, 5)], settings)[0].numpy()
    drawn = [int(draw.choose(logits[0].numpy(), (3, 5), settings, u)[0]) for u in draw.luck(5, 0, 20_000)]
    counts, possible = np.bincount(drawn, minlength=12), q > 0
    assert not counts[~possible].any()
    bound = {12: 31.3, 6: 20.5, 5: 18.5, 4: 16.3, 3: 13.8}[int(possible.sum())]
    assert ((counts - 20_000 * q)[possible] ** 2 / (20_000 * q[possible])).sum() < bound


def test_the_order_of_drawing_is_from_the_likeliest_down_and_by_number() -> None:
    logits = np.log(np.array([0.2, 0.4, 0.2, 1e-30, 0.2])).astype(np.float32)
    drawn = [int(draw.choose(logits, (), OFF, u)[0]) for u in (0.0, 0.39, 0.41, 0.59, 0.61, 0.79, 0.81, 1 - 2**-53)]
    assert drawn[:7] == [1, 1, 0, 0, 2, 2, 4]


def test_few_of_the_likeliest_are_enough_and_all_of_them_give_the_same() -> None:
    random = np.random.default_rng(0)
    for logits in (np.round(random.standard_normal(2000), 1), np.zeros(2000), 9 * random.standard_normal(2000)):
        logits = logits.astype(np.float32)
        q = warp.probabilities(torch.from_numpy(logits)[None], [()], OFF)[0].numpy()
        order = np.argsort(-q, kind="stable")
        together = np.cumsum(q[order])
        for u in (*random.random(40), 0.0, 1 - 2**-53):
            place = min(np.searchsorted(together, u, side="right"), np.count_nonzero(q) - 1)
            told = draw.step(draw.choose(logits, (), OFF, u))
            assert told.id == order[place] and told.low <= told.u == u
            assert told.low == pytest.approx(together[place] - q[told.id], abs=1e-12)


def test_what_is_told_of_a_step() -> None:
    logits = 2 * np.random.default_rng(0).standard_normal(300).astype(np.float32)
    p = np.exp(logits.astype(np.float64)) / np.exp(logits.astype(np.float64)).sum()
    for settings in (OFF, Settings(0), Settings(0.7, 5), Settings(2.0, 0, 0.6, 0.0, 1.0, 1.5)):
        told = draw.step(draw.choose(logits, SEEN, settings, 0.6))
        q = warp.probabilities(torch.from_numpy(logits)[None], [SEEN], settings)[0].numpy()
        positive = q[q > 0]
        assert told.p == pytest.approx(p[told.id], rel=1e-6) and told.q == pytest.approx(q[told.id])
        assert told.kept == len(positive) and told.entropy == pytest.approx(-(positive * np.log(positive)).sum())
        assert told.low <= 0.6 < told.low + told.q + 1e-12
        best = sorted(range(300), key=lambda each: (-q[each], -p[each], each))[:SHOWN]
        assert [each for each, _, _ in told.others] == best
        for each, before, after in told.others:
            assert before == pytest.approx(p[each], rel=1e-6) and after == pytest.approx(q[each])
    few = draw.step(draw.choose(logits[:5], (), Settings(top_k=2), 0.0))
    assert len(few.others) == 5 and few.kept == 2
    assert draw.step(draw.choose(logits, (), Settings(0), 0.99)).q == 1


def test_luck_depends_on_the_seed_and_the_place_alone() -> None:
    assert draw.luck(4, 2, 3).tolist() == draw.luck(4, 0, 9)[2:5].tolist()
    assert draw.luck(4, 3, 1)[0] == np.random.default_rng([4, 3]).random()
    assert draw.luck(4, 0, 1) != draw.luck(5, 0, 1)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_no_number_is_said_so(broken: float) -> None:
    with pytest.raises(ModelFault, match="no number"):
        draw.choose(np.full(20, broken, dtype=np.float32), (), OFF, 0.5)
