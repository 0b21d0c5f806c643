"""What the settings leave of a distribution, in the order of transformers 5.23 (`_get_logits_processor`).

Repetition penalty (Keskar et al. 2019, section 4.1), temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020,
section 3.1), min-p (Nguyen et al. 2024, section 3), typical-p (Meister et al. 2023, section 4); each sees what those before
it have left. The arithmetic that decides what is cut is transformers' own, in float32. It wants the whole vocabulary sorted,
so the quick way is tried first: in float64, on what is left so far, and given up where a cut falls so near to a token that
rounding decides on which side it is.

One thing is fixed here that transformers leaves to the processor's way of sorting: among equally likely tokens at the edge
of top-p those with lower numbers are cut first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from engines.language import Settings

NEAR = 2e-6                  # of probability, and of nats for typical-p ten times that: float32 sums are off by less


def probabilities(logits: Tensor, seen: Sequence[Iterable[int]], settings: Settings) -> Tensor:
    """q of the next token of each text: logits float (B, V), seen: the tokens of each so far -> float64 (B, V), each row
    of which sums to 1, on the processor."""
    found = torch.zeros(logits.shape, dtype=torch.float64)
    for row, scores, before in zip(found, logits.float().cpu().numpy(), seen, strict=True):
        ids, left = kept(scores, before, settings)
        row[torch.from_numpy(ids)] = torch.from_numpy(softmax(left))
    return found


def softmax(scores: np.ndarray) -> np.ndarray:
    """float32 (N,) -> float64 (N,)."""
    e = np.exp(scores.astype(np.float64) - scores.max())
    return e / e.sum()


def kept(logits: np.ndarray, seen: Iterable[int], settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """logits: float32 (V,), left as they are. (the tokens that are left, int (N,) rising; their scores, float32 (N,), of
    which q is the softmax)."""
    scores = penalized(logits, seen, settings.repetition_penalty)
    if settings.temperature == 0:
        best = int(scores.argmax())                     # the lowest number where several are as likely
        return np.array([best]), scores[best:best + 1]
    if settings.temperature != 1:
        scores = _warmed(scores, settings.temperature)
    if 0 < settings.top_k < len(scores):
        edge = len(scores) - settings.top_k
        least = np.partition(scores, edge)[edge]
        ids = (scores >= least).nonzero()[0]            # more than k where several are as likely as the last of them
    else:
        ids = np.arange(len(scores))
    if settings.top_p == 1 and settings.min_p == 0 and settings.typical_p == 1:
        return ids, scores[ids]
    left = _quickly(scores[ids], settings)
    if left is None:
        left = _exactly(scores, ids, settings)[ids]
    ids = ids[left]
    return ids, scores[ids]


def penalized(logits: np.ndarray, seen: Iterable[int], penalty: float) -> np.ndarray:
    """A positive logit of a token that was read is divided by the penalty, a negative one multiplied."""
    if penalty == 1:
        return logits
    scores, before = logits.copy(), np.unique(np.fromiter(seen, dtype=np.int64))
    given = scores[before]
    scores[before] = np.where(given < 0, given * np.float32(penalty), given / np.float32(penalty))
    return scores


def _warmed(scores: np.ndarray, temperature: float) -> np.ndarray:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        warmed = scores / np.float32(temperature)
        if np.isfinite(warmed.max()):
            return warmed
        # so cold that float32 has no number for it
        below = (scores.astype(np.float64) - scores.max()) / temperature
        return np.maximum(below, np.finfo(np.float32).min).astype(np.float32)


# --- the quick way -----------------------------------------------------------------------------------------------

def _quickly(scores: np.ndarray, settings: Settings) -> np.ndarray | None:
    """float32 (N,) -> bool (N,), what top-p, min-p and typical-p leave; None where rounding would decide."""
    left = np.ones(len(scores), dtype=bool)
    e = np.exp(scores.astype(np.float64) - scores.max())
    if settings.top_p < 1:
        rank = _top_p(e, settings.top_p)
        if rank is None:
            return None
        left &= e >= rank
    if settings.min_p > 0:
        if (abs(e[left] - settings.min_p) <= 4 * NEAR * settings.min_p).any():
            return None
        left &= e >= settings.min_p
    if settings.typical_p < 1:
        surprise = _typical_p(e[left], settings.typical_p)
        if surprise is None:
            return None
        left[left] = surprise
    return left


def _top_p(e: np.ndarray, p: float) -> float | None:
    """The least of those that are kept: the likeliest that together reach p."""
    falling = np.sort(e)[::-1]
    together = np.cumsum(falling)
    before = (together - falling) / together[-1]
    count = int(np.searchsorted(before, p))             # kept: those that have less than p before them
    if abs(before[max(0, count - 1):count + 1] - p).min() <= NEAR:
        return None
    if count < len(falling) and falling[count] == falling[count - 1]:
        return None
    return float(falling[count - 1])


def _typical_p(e: np.ndarray, mass: float) -> np.ndarray | None:
    """bool (N,): those whose surprise is nearest to the entropy, until together they reach the mass."""
    p = e / e.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = -np.log(p)
        odd = abs(surprise - np.nansum(surprise * p))
    order = np.argsort(odd)
    rising, together = odd[order], np.cumsum(p[order])
    last = int(np.searchsorted(together, mass))         # as many as stay below it, and one more
    if last >= len(p) or abs(together[max(0, last - 1):last + 1] - mass).min() <= NEAR:
        return None
    beyond = rising[last + 1:last + 2]
    if (beyond - rising[last] <= 10 * NEAR * max(1.0, rising[last])).any():
        return None
    if last and rising[last] - rising[last - 1] <= 10 * NEAR * max(1.0, rising[last]):
        return None
    return odd <= rising[last]


# --- the exact way -----------------------------------------------------------------------------------------------

def _exactly(scores: np.ndarray, ids: np.ndarray, settings: Settings) -> np.ndarray:
    """float32 (V,), of which `ids` are left -> bool (V,). Sums and order are those of transformers."""
    x = torch.full((len(scores),), -torch.inf)
    x[torch.from_numpy(ids)] = torch.from_numpy(scores[ids])
    if settings.top_p < 1:
        rising, order = x.sort(stable=True)
        cut = rising.softmax(-1).cumsum(-1) <= 1 - settings.top_p
        cut[-1] = False
        x[order[cut]] = -torch.inf
    if settings.min_p > 0:
        p = x.softmax(-1)
        cut = p < settings.min_p * p.max()
        cut[p.argmax()] = False
        x[cut] = -torch.inf
    if settings.typical_p < 1:
        log_p = x.log_softmax(-1)
        odd = (-log_p + (log_p * log_p.exp()).nansum()).abs()
        rising, order = odd.sort(stable=True)
        last = int((x[order].softmax(-1).cumsum(-1) < settings.typical_p).sum())
        cut = odd > rising[min(last, len(rising) - 1)]
        cut[order[0]] = False
        x[cut] = -torch.inf
    return (x > -torch.inf).numpy()
