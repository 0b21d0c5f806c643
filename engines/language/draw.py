"""Drawing the next token, and what is told of it.

Inverse CDF: the tokens stand from the likeliest down, equally likely ones by number; the one that is drawn is the first at
which the cumulated q exceeds u. u at place i after the prompt depends on the seed and on i alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from engines.language import SHOWN, Settings, Step, warp
from engines.runtime import ModelFault

FEW = 256                    # of the likeliest tokens: a draw seldom needs more of them
NO_NUMBER = ("The model's answer is no number (infinite or NaN), so nothing can be drawn from it: its weights do not work in "
             "32 bits; choose another model.")
TOLD = 7 + 3 * SHOWN         # numbers of a step: those of `Step` in its order, then (token, p, q) of each other; -1: none


def luck(seed: int, first: int, count: int) -> np.ndarray:
    """The numbers in [0, 1) for `count` places from `first` on, float64 (count,): default_rng([seed, place]).random()."""
    return np.array([np.random.Generator(np.random.PCG64([seed, place])).random() for place in range(first, first + count)])


@dataclass(frozen=True)
class Taste:
    """How the tokens of one text are chosen. settings: what reshapes. seed: of the luck. seen: the tokens of the prompt,
    which the repetition penalty counts."""

    settings: Settings
    seed: int
    seen: tuple[int, ...] = ()

    def choose(self, logits: Tensor, written: Sequence[int]) -> int:
        """logits: (V,), of the token after those written so far."""
        u = luck(self.seed, len(written), 1)[0]
        return int(choose(logits.float().cpu().numpy(), (*self.seen, *written), self.settings, u)[0])


def choose(logits: np.ndarray, seen: Iterable[int], settings: Settings, u: float) -> np.ndarray:
    """logits: float32 (V,), of the token after those that were seen -> float64 (TOLD,). Raises ModelFault."""
    top = float(logits.max())
    if not math.isfinite(top):
        raise ModelFault(NO_NUMBER)
    whole = np.exp(logits - top).sum(dtype=np.float64)
    # 1. what the settings leave
    ids, scores = warp.kept(logits, seen, settings)
    below = scores.astype(np.float64) - scores.max()
    q = np.exp(below)
    total = q.sum()
    q /= total
    # 2. the token at which the cumulated q exceeds u
    order, cumulated = _order(q, u)
    place = min(int(cumulated.searchsorted(u, "right")), len(order) - 1)     # rounding must not carry u past the end
    # 3. what is told of it; the entropy is the mean of -ln q, and ln q is `below` less ln of the total
    first = order[:SHOWN]
    others, shown = ids[first], len(first)
    missing = min(SHOWN, len(logits)) - shown
    if missing > 0:
        others = np.concatenate((others, _likeliest(logits, others, missing)))
    found = np.full(TOLD, -1.0)
    chosen = order[place]
    low = cumulated[place - 1] if place else 0.0
    found[:7] = (ids[chosen], math.exp(logits[ids[chosen]].item() - top) / whole, q[chosen], u, low,
                 max(0.0, math.log(total) - q.dot(below)), np.count_nonzero(q))
    told = found[7:7 + 3 * len(others)].reshape(-1, 3)
    told[:, 0] = others
    told[:, 1] = np.exp(logits[others].astype(np.float64) - top) / whole
    told[:, 2] = 0.0
    told[:shown, 2] = q[first]
    return found


def step(told: np.ndarray) -> Step:
    """float64 (TOLD,) -> what it says. Those with the same q stand by p."""
    number, p, q, u, low, entropy, kept, *rest = told.tolist()
    others = [(int(rest[at]), rest[at + 1], rest[at + 2]) for at in range(0, len(rest), 3) if rest[at] >= 0]
    others.sort(key=lambda each: (-each[2], -each[1], each[0]))
    return Step(int(number), p, q, u, low, entropy, int(kept), tuple(others))


def _order(q: np.ndarray, u: float) -> tuple[np.ndarray, np.ndarray]:
    """(places in q in the order of drawing, the q cumulated along it), as far as u wants it."""
    if len(q) > FEW:
        likely = np.flatnonzero(q >= np.partition(q, len(q) - FEW)[len(q) - FEW])      # none outside is likelier
        order = likely[np.argsort(-q[likely], kind="stable")]
        cumulated = q[order].cumsum()
        if cumulated[-1] > u:
            return order, cumulated
    order = (-q).argsort(kind="stable")[:np.count_nonzero(q)]
    return order, q[order].cumsum()


def _likeliest(logits: np.ndarray, but: np.ndarray, count: int) -> np.ndarray:
    """The `count` likeliest tokens that are not among `but`, from the likeliest down."""
    wanted = min(count + len(but), len(logits))
    near = np.flatnonzero(logits >= np.partition(logits, len(logits) - wanted)[len(logits) - wanted])
    near = near[np.argsort(-logits[near], kind="stable")]
    return near[~np.isin(near, but)][:count]
