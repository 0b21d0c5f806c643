"""Measures of written texts, by hand and by what must hold for any samples."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from engines.language import measures


def some(seed: int, count: int = 7, kinds: int = 5, longest: int = 20) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(0, kinds, random.integers(1, longest)).tolist() for _ in range(count)]


def test_distinct_2_by_hand() -> None:
    assert measures.distinct_2([[1, 2, 1, 2]]) == 2 / 3                # 12, 21, 12
    assert measures.distinct_2([[1, 2], [1, 2], [2, 1]]) == 2 / 3      # no pair reaches from one sample to the next
    assert measures.distinct_2([[1, 2, 3, 4]]) == 1
    assert math.isnan(measures.distinct_2([[1], []]))
    assert math.isnan(measures.distinct_2([]))


def test_repetition_by_hand() -> None:
    assert measures.repetition([[1, 2, 3, 4, 5, 6]]) == 0
    assert measures.repetition([[1] * 8]) == 4 / 5                     # five 4-grams, one of them new
    assert measures.repetition([[1] * 8, [1, 2, 3, 4, 5]]) == 2 / 5    # the mean of samples
    assert measures.repetition([[1, 2, 3, 4], [1, 2, 3, 4]]) == 0      # what stood in another sample is no repetition
    assert measures.repetition([[1] * 8, [1, 2, 3]]) == 4 / 5          # too short to have any
    assert math.isnan(measures.repetition([[1, 2, 3]]))


def test_perplexity_by_hand() -> None:
    assert measures.perplexity([math.log(2), math.log(8)]) == pytest.approx(4)
    assert measures.perplexity([math.nan, math.log(3)]) == pytest.approx(3)
    assert math.isnan(measures.perplexity([]))


def test_self_bleu_of_the_same_is_one_and_of_nothing_in_common_near_nought() -> None:
    for sample in ([5], [1, 2], [1, 2, 3, 4, 5, 6], [7] * 9):
        assert measures.self_bleu([sample] * 3) == pytest.approx(1)
    apart = measures.self_bleu([list(range(10 * k, 10 * k + 10)) for k in range(3)])
    assert apart == pytest.approx(math.exp(np.mean([math.log(0.1 / whole) for whole in (10, 9, 8, 7)])))
    assert math.isnan(measures.self_bleu([[1, 2, 3, 4]]))
    assert math.isnan(measures.self_bleu([[1, 2, 3, 4], []]))


def test_self_bleu_by_hand() -> None:
    """1 2 3 4 5 against 1 2 3 4 6: 4 of 5, 3 of 4, 2 of 3, 1 of 2, either way, and as long."""
    assert measures.self_bleu([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6]]) == pytest.approx((4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


@pytest.mark.parametrize("seed", range(8))
def test_self_bleu_as_the_paper_writes_it(seed: int) -> None:
    samples = some(seed)
    assert measures.self_bleu(samples) == pytest.approx(np.mean([
        bleu(sample, samples[:place] + samples[place + 1:]) for place, sample in enumerate(samples)]))


def bleu(sample: list[int], references: list[list[int]]) -> float:
    """Papineni et al. 2002, sample by sample, with counters."""
    def counted(tokens: list[int], n: int) -> Counter:
        return Counter(tuple(tokens[at:at + n]) for at in range(len(tokens) - n + 1))

    logs = []
    for n in range(1, min(4, len(sample)) + 1):
        own, most = counted(sample, n), Counter()
        for reference in references:
            most |= counted(reference, n)
        logs.append(math.log((sum((own & most).values()) or 0.1) / sum(own.values())))
    nearest = min((len(each) for each in references), key=lambda length: (abs(length - len(sample)), length))
    return math.exp(np.mean(logs) + min(0, 1 - nearest / len(sample)))


@pytest.mark.parametrize("seed", range(4))
def test_measures_keep_their_bounds_and_do_not_care_for_order_or_names(seed: int) -> None:
    samples = some(seed, longest=40)
    renamed = [[150_000 - 7 * token for token in sample] for sample in reversed(samples)]
    for measure in (measures.distinct_2, measures.repetition, measures.self_bleu):
        assert 0 <= measure(samples) <= 1
        assert measure(renamed) == pytest.approx(measure(samples))
