"""What can be measured of texts that a model wrote: how varied they are, how much each repeats itself, how likely it was.

A sample is the numbers of its tokens, in order. Where there is nothing to measure the answer is nan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Samples = Sequence[Sequence[int]]
UNMATCHED = 0.1              # counted in place of no match at all, or a single missing 4-gram would make BLEU 0


def distinct_2(samples: Samples) -> float:
    """Different pairs of neighbouring tokens over all pairs, of all samples together, above 0 and up to 1.

    Li et al. 2016, "A Diversity-Promoting Objective Function", section 5.
    """
    gram, _ = grams(samples, 2)
    return len(np.unique(gram)) / len(gram) if len(gram) else math.nan


def repetition(samples: Samples) -> float:
    """Share of the 4-grams of a sample that stood in it before, from 0 up to below 1; the mean over samples.

    seq-rep-4 of Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training", section 6. Samples shorter
    than four tokens do not count.
    """
    gram, owner = grams(samples, 4)
    if not len(gram):
        return math.nan
    _, first = np.unique(np.stack([owner, gram]), axis=1, return_index=True)          # of each 4-gram in each sample
    whole = np.bincount(owner, minlength=len(samples))
    fresh = np.bincount(owner[first], minlength=len(samples))
    return float(np.mean(1 - fresh[whole > 0] / whole[whole > 0]))


def perplexity(surprise: Sequence[float] | np.ndarray) -> float:
    """exp of the mean of -ln p, over tokens; at least 1. What is nan is left out."""
    known = np.asarray(surprise, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(np.exp(known.mean())) if len(known) else math.nan


def self_bleu(samples: Samples) -> float:
    """Mean BLEU-4 of each sample against all the others, from 0 to 1; 1 where all are the same.

    Zhu et al. 2018, "Texygen", section 3: the lower, the more varied. BLEU is that of Papineni et al. 2002, section 2:
    precisions of 1- to 4-grams with equal weights, each count clipped by the reference that has most of that n-gram,
    and the brevity penalty against the reference nearest in length (the shorter of two). An order of which no n-gram
    matches counts 0.1 matches (method 1 of Chen and Cherry 2014, section 3). A sample shorter than four tokens is
    measured by the orders that it has; one without tokens is left out.
    """
    samples = [sample for sample in samples if len(sample)]
    if len(samples) < 2:
        return math.nan
    lengths = np.array([len(sample) for sample in samples])
    logs = np.zeros(len(samples))                       # the sum of ln precision of each sample
    for n in range(1, 5):
        matched = _matched(samples, n)
        whole = lengths - n + 1
        has = whole > 0
        logs[has] += np.log(np.where(matched[has] > 0, matched[has], UNMATCHED) / whole[has])
    bleu = np.exp(logs / np.minimum(lengths, 4) + _brevity(lengths))
    return float(bleu.mean())


def _matched(samples: Samples, n: int) -> np.ndarray:
    """How many n-grams of each sample stand in another, each counted no oftener than in the one that has most of it: (N,)."""
    gram, owner = grams(samples, n)
    pairs, count = np.unique(np.stack([gram, owner]), axis=1, return_counts=True)      # (2, P), sorted by n-gram
    gram, owner = pairs
    order = np.lexsort((-count, gram))                  # within an n-gram whoever has most of it comes first
    gram, owner, count = gram[order], owner[order], count[order]
    begins = np.r_[True, gram[1:] != gram[:-1]][:len(gram)]
    first, place = np.flatnonzero(begins), np.cumsum(begins) - 1                       # of each n-gram; of each pair
    most = count[first]
    after = np.minimum(first + 1, len(gram) - 1)
    second = np.where((after > first) & (gram[after] == gram[first]), count[after], 0)
    others = np.where(np.arange(len(gram)) == first[place], second[place], most[place])     # the most that any other has
    return np.bincount(owner, weights=np.minimum(count, others), minlength=len(samples))


def _brevity(lengths: np.ndarray) -> np.ndarray:
    """ln of the brevity penalty of each sample, (N,), 0 or less."""
    found = np.zeros(len(lengths))
    for place, length in enumerate(lengths):
        others = np.delete(lengths, place)
        nearest = min(others.tolist(), key=lambda other: (abs(other - length), other))
        found[place] = min(0.0, 1 - nearest / length)
    return found


def grams(samples: Samples, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A number for each n-gram, equal for equal ones, and the sample that it stands in: two int64 (G,), in order."""
    longest = max((len(sample) for sample in samples), default=0)
    tokens = np.full((len(samples), max(longest, n)), -1, dtype=np.int64)
    for row, sample in zip(tokens, samples, strict=True):
        row[:len(sample)] = sample
    _, known = np.unique(tokens, return_inverse=True)                                  # small numbers: no product overflows
    known = known.reshape(tokens.shape)
    width = tokens.shape[1] - n + 1
    key, size = known[:, :width], int(known.max(initial=0)) + 1
    for shift in range(1, n):
        _, key = np.unique(key * size + known[:, shift:shift + width], return_inverse=True)
        key = key.reshape(len(samples), width)
    owner, place = np.nonzero(tokens[:, n - 1:] >= 0)                                  # those that end within their sample
    return key[owner, place], owner
