"""Drawing the next token, and what is told of it.

Inverse CDF: the tokens stand from the likeliest down, equally likely ones by number; the one that is drawn is the first at
which the cumulated q exceeds u. u at place i after the prompt depends on the seed and on i alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engines.language import SHOWN, Settings, Step, warp
from engines.runtime import ModelFault

FEW = 256                    # of the likeliest tokens: a draw seldom needs more of them
NO_NUMBER = ("The model's answer is no number (infinite or NaN), so nothing can be drawn from it: its weights do not work in "
             "32 bits; choose another model.")
TOLD = 7 + 3 * SHOWN         # numbers of a step: those of `Step` in its order, then (token, p, q) of each other; -1: none


def luck(seed: int, first: int, count: int) -> np.ndarray:
    """The numbers in [0, 1) for `count` places from `first` on, float64 (count,)."""
    return np.array([np.random.default_rng([seed, place]).random() for place in range(first, first + count)])


def choose(logits: np.ndarray, seen: Iterable[int], settings: Settings, u: float) -> np.ndarray:
    """logits: float32 (V,), of the token after those that were seen -> float64 (TOLD,). Raises ModelFault."""
    top = logits.max()
    if not np.isfinite(top):
        raise ModelFault(NO_NUMBER)
    whole = np.exp(logits - top).sum(dtype=np.float64)
    # 1. what the settings leave
    ids, scores = warp.kept(logits, seen, settings)
    q = warp.softmax(scores)
    # 2. the token at which the cumulated q exceeds u
    order, cumulated = _order(q, u)
    place = min(int(np.searchsorted(cumulated, u, side="right")), len(order) - 1)   # rounding must not carry u past the end
    # 3. what is told of it
    def p_of(tokens: np.ndarray) -> np.ndarray:
        return np.exp(logits[tokens].astype(np.float64) - top) / whole
    found = np.full(TOLD, -1.0)
    chosen = order[place]
    positive = q[q > 0] if q.min() == 0 else q
    found[:7] = (ids[chosen], 0.0, q[chosen], u, cumulated[place - 1] if place else 0.0, -(positive * np.log(positive)).sum(),
                 len(positive))
    found[1] = p_of(ids[chosen:chosen + 1])[0]
    first = order[:SHOWN]
    others = np.stack((ids[first], p_of(ids[first]), q[first]), 1)                   # (SHOWN or fewer, 3)
    missing = min(SHOWN, len(logits)) - len(others)
    if missing > 0:
        more = _likeliest(logits, ids[first], missing)
        others = np.concatenate((others, np.stack((more, p_of(more), np.zeros(len(more))), 1)))
    found[7:7 + others.size] = others.ravel()
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
        cumulated = np.cumsum(q[order])
        if cumulated[-1] > u:
            return order, cumulated
    order = np.argsort(-q, kind="stable")
    order = order[:np.count_nonzero(q)]
    return order, np.cumsum(q[order])


def _likeliest(logits: np.ndarray, but: np.ndarray, count: int) -> np.ndarray:
    """The `count` likeliest tokens that are not among `but`, from the likeliest down."""
    wanted = min(count + len(but), len(logits))
    near = np.flatnonzero(logits >= np.partition(logits, len(logits) - wanted)[len(logits) - wanted])
    near = near[np.argsort(-logits[near], kind="stable")]
    return near[~np.isin(near, but)][:count]
