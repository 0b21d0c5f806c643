"""Under the bonnet: what each layer would say next, and how well a model foresees a text."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engines.language import Layers, Lens, Score, Scored, measures, too_long
from engines.language.network import Language
from engines.runtime import BadInput, forward

AT_ONCE = 4_000_000          # logits in one pass, 16 MB: all layers of a long text by a large vocabulary are gigabytes


def lens(model: Language, p: Lens) -> Iterator[Layers]:
    """The logit lens (nostalgebraist 2020): the final norm and the unembedding applied to the residual stream after
    every layer. What is found after the last is the output itself."""
    ids = model.encode(p.text)
    if len(ids) >= model.context:
        raise too_long(len(ids), model.context)
    top = min(p.top, model.vocab_size)
    # 1. the residual stream
    streams = yield forward(model.residuals, torch.tensor([ids]))                      # L + 1 of (1, T, d)
    # 2. the answer is what the last layer says
    rows: list[tuple[Tensor, ...]] = []
    answer = None
    for stream in reversed(streams):
        parts = []
        for start in range(0, len(ids), _rows(model)):
            piece = slice(start, start + _rows(model))
            logits = yield forward(model.unembed, stream[0, piece])                    # (R, V)
            parts.append(_read(logits, None if answer is None else answer[piece], top))
        rows.append(tuple(torch.cat(column) for column in zip(*parts, strict=True)))
        answer = rows[0][2]
    # 3. what every layer thinks of it
    top_ids, top_p, _, answer_p, answer_rank, entropy = (
        torch.stack(column[::-1]).cpu().numpy() for column in zip(*rows, strict=True))  # (L + 1, T, ...)
    yield Layers(np.array(ids, dtype=np.int32), top_ids.astype(np.int32), top_p, answer.cpu().numpy().astype(np.int32), answer_p,
                 answer_rank.astype(np.int32), entropy)


def _rows(model: Language) -> int:
    return max(1, AT_ONCE // model.vocab_size)


def _read(logits: Tensor, answer: Tensor | None, top: int) -> tuple[Tensor, ...]:
    """logits: (R, V). answer: (R,), the likeliest where none is given. -> top_ids and top_p (R, top), answer, its p,
    its rank, and the entropy in nats, (R,) each."""
    logits = logits.float()
    if answer is None:
        answer = logits.argmax(-1)
    log_p = logits.log_softmax(-1)                                                     # (R, V)
    p, ids = log_p.exp(), log_p.topk(top).indices
    entropy = -(p * log_p.clamp_min(torch.finfo(log_p.dtype).min)).sum(-1)             # 0 ln 0 is 0
    return ids, p.gather(-1, ids), answer, p.gather(-1, answer[:, None])[:, 0], _rank(logits, answer), entropy


def _rank(logits: Tensor, ids: Tensor) -> Tensor:
    """logits: (R, V), ids: (R,) -> (R,), 1 for the likeliest; equally likely tokens share a rank."""
    return (logits > logits.gather(-1, ids[:, None])).sum(-1) + 1


# --- surprise ----------------------------------------------------------------------------------------------------

def score(model: Language, p: Score) -> Iterator[Scored]:
    """-ln p of every token of a text, given those before it, of which at least half a context is read."""
    ids = model.encode(p.text)
    if len(ids) < 2:
        raise BadInput("The text is a single token to this model, with nothing before it that it could be foreseen from: "
                       "add a few words.")
    known = torch.tensor(ids)
    surprise = np.full(len(ids), np.nan, dtype=np.float32)
    rank, likeliest = np.zeros(len(ids), dtype=np.int32), np.full(len(ids), -1, dtype=np.int32)
    starts, size = windows(len(ids), model.context)
    judged = 1                                          # the first token that has no surprise yet
    at_once = max(1, AT_ONCE // (size * model.vocab_size))
    for first in range(0, len(starts), at_once):
        these = starts[first:first + at_once]
        logits = yield forward(model.logits, torch.stack([known[start:start + size] for start in these]))   # (W, size, V)
        for row, start in zip(logits, these, strict=True):
            end = start + size + 1                      # row t of a window foresees the token start + t + 1
            foreseen = zip(row[judged - start - 1:].split(_rows(model)), known[judged:end].split(_rows(model)), strict=True)
            parts = [_judge(part, next_ids.to(part.device)) for part, next_ids in foreseen]
            surprise[judged:end], rank[judged:end], likeliest[judged:end] = (
                torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True))
            judged = end
    nats = float(np.nansum(surprise, dtype=np.float64))
    yield Scored(np.array(ids, dtype=np.int32), surprise, rank, likeliest, measures.perplexity(surprise),
                 nats / math.log(2) / len(p.text))


def _judge(logits: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """logits: (R, V), ids: (R,), the tokens that came -> surprise in nats, rank and the likeliest, (R,) each."""
    logits = logits.float()
    surprise = -logits.log_softmax(-1).gather(-1, ids[:, None])[:, 0]
    return surprise, _rank(logits, ids), logits.argmax(-1)


def windows(tokens: int, context: int) -> tuple[list[int], int]:
    """Where windows over a text begin, and how many tokens each reads; the last token need not be read.

    Each begins half a context after the one before, the last so that it ends with the text.
    """
    size, last = min(context, tokens - 1), max(0, tokens - 1 - context)
    return [*range(0, last, max(1, context // 2)), last], size
