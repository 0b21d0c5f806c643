"""Choosing the next token for many texts at once: each reshapes its distribution by settings of its own and draws with luck
of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engines.language import Settings

FEW = 256                    # a draw seldom needs more of the likeliest tokens than these


@dataclass(frozen=True)
class Taste:
    """settings: what reshapes. seed: of the luck. seen: the tokens of the prompt, which the repetition penalty counts."""

    settings: Settings
    seed: int
    seen: tuple[int, ...] = ()

    def u(self, place: int) -> float:
        """The number that the token at a place after the prompt is drawn with: it depends on seed and place alone."""
        return float(np.random.default_rng([self.seed, place]).random())

    def choose(self, logits: Tensor, written: Sequence[int]) -> int:
        """logits: (V,), of the token after those written so far."""
        q = warped(logits, (*self.seen, *written), self.settings)
        return drawn(q.numpy(), self.u(len(written)))


def warped(logits: Tensor, seen: Iterable[int], settings: Settings) -> Tensor:
    """q of the next token: float64 (V,), on the processor; the sum is 1, what is cut is 0.

    The order is that of transformers: repetition penalty (Keskar et al. 2019, section 4.1), temperature, top-k
    (Fan et al. 2018), top-p (Holtzman et al. 2020, section 3.1), min-p (Nguyen et al. 2024, section 3), typical-p
    (Meister et al. 2023, section 4). Each sees what those before it have left.
    """
    scores = logits.cpu().to(torch.float64, copy=True)                                 # (V,)
    if settings.repetition_penalty != 1:
        before = torch.tensor(sorted(set(seen)))
        scores[before] = torch.where(scores[before] < 0, scores[before] * settings.repetition_penalty,
                                     scores[before] / settings.repetition_penalty)
    if settings.temperature == 0:
        return torch.nn.functional.one_hot(scores.argmax(), len(scores)).double()
    scores = scores / settings.temperature
    if settings.top_k:
        least = scores.topk(min(settings.top_k, len(scores))).values[-1]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if settings.top_p < 1:
        rising, order = scores.sort()
        cut = rising.softmax(-1).cumsum(-1) <= 1 - settings.top_p
        cut[-1] = False
        scores = scores.masked_fill(torch.zeros_like(cut).scatter(0, order, cut), -torch.inf)
    if settings.min_p > 0:
        p = scores.softmax(-1)
        scores = scores.masked_fill(p < settings.min_p * p.max(), -torch.inf)
    if settings.typical_p < 1:
        log_p = scores.log_softmax(-1)
        entropy = -(log_p * log_p.exp()).nansum()
        odd, order = (-log_p - entropy).abs().sort()
        last = int((log_p.exp()[order].cumsum(-1) < settings.typical_p).sum())
        scores = scores.masked_fill((-log_p - entropy).abs() > odd[min(last, len(odd) - 1)], -torch.inf)
    return scores.softmax(-1)


def drawn(q: np.ndarray, u: float) -> int:
    """Inverse CDF: of the tokens from the likeliest down, equally likely ones by number, the first at which the cumulated
    q exceeds u. q: float64 (V,)."""
    if len(q) > FEW:
        likely = np.flatnonzero(q >= np.partition(q, -FEW)[-FEW])       # none outside is likelier than one of them
        order, place = _place(q, likely, u)
        if place < len(order):
            return int(order[place])
    order, place = _place(q, np.flatnonzero(q), u)
    return int(order[min(place, len(order) - 1)])       # rounding must not carry u past the end


def _place(q: np.ndarray, ids: np.ndarray, u: float) -> tuple[np.ndarray, int]:
    """(the tokens `ids`, given by number, in the order of drawing; where in it u falls)."""
    order = ids[np.argsort(-q[ids], kind="stable")]
    return order, int(np.searchsorted(np.cumsum(q[order]), u, side="right"))
