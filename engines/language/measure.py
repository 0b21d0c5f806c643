"""What a language model is measured by: how well it foresees text that it has not seen, and how much it copies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def nats(net: nn.Module, documents: Sequence[np.ndarray], context: int, rows: int = 8) -> float:
    """The sum of -ln p(token | those before it) over all tokens of all documents but the first of each.

    documents: int (T,) each. One longer than the context is read in windows side by side, so that the first
    tokens of a window have few before them: what is found is no less than the truth.
    """
    windows = [ids[start:start + context + 1].astype(np.int64)
               for ids in documents for start in range(0, len(ids) - 1, context)]
    windows.sort(key=len)
    total = 0.0
    for start in range(0, len(windows), rows):
        part = windows[start:start + rows]
        padded = torch.full((len(part), len(part[-1])), -100)                          # (B, T + 1)
        for row, ids in zip(padded, part):
            row[:len(ids)] = torch.from_numpy(ids)
        with torch.inference_mode():
            logits = net(padded[:, :-1].clamp(min=0)).float()                          # (B, T, V)
        total += F.cross_entropy(logits.flatten(0, 1), padded[:, 1:].flatten(), reduction="sum").item()
    return total


def drawn(probabilities: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Inverse CDF: for each row the first token at which the cumulated probability exceeds u.

    probabilities: (B, V), not negative; u: (B,), from 0 up to but not including 1, of each row's own sum.
    """
    cumulated = np.cumsum(probabilities.astype(np.float64), -1)
    whole = cumulated[:, -1:]
    target = np.minimum(u[:, None] * whole, np.nextafter(whole, 0))       # rounding must not carry u to the end
    return (cumulated <= target).sum(-1)


def written(net: nn.Module, prompt: Sequence[int], seeds: Sequence[int], length: int,
            temperature: float) -> np.ndarray:
    """`length` tokens after the prompt for each seed, int (len(seeds), length).

    Row after row the same whatever other seeds are asked for, but for the last bits of the arithmetic.
    """
    ids = torch.tensor([list(prompt)] * len(seeds))
    random = [np.random.default_rng(seed) for seed in seeds]
    for _ in range(length):
        with torch.inference_mode():
            p = (net(ids)[:, -1].double() / temperature).softmax(-1).numpy()           # (B, V)
        chosen = drawn(p, np.array([each.random() for each in random]))
        ids = torch.cat([ids, torch.from_numpy(chosen)[:, None]], 1)
    return ids[:, len(prompt):].numpy()


def longest_copy(sample: np.ndarray, text: str) -> int:
    """How many tokens in a row of the sample, int (T,), stand so in the text, which is written by `as_text`."""
    written_out, longest = as_text(sample), 0
    for start in range(len(written_out)):
        while start + longest < len(written_out) and written_out[start:start + longest + 1] in text:
            longest += 1
    return longest


def as_text(ids: np.ndarray) -> str:
    """A character for each token, so that runs of tokens are found as words are. Tokens below 55,296 only."""
    return ids.astype("<u4").tobytes().decode("utf-32-le")
