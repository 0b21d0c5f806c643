"""GPT-2 one token at a time, for many texts at once: Vaswani et al. 2017, section 3.2, with what was read kept.

The keys and values of all texts that are being written stand in one place, a slot for each, so that a step of many texts,
each at a place of its own, is one pass: the linear layers over all of them together, attention under a mask. It is written
out rather than called module by module: for a single row that would take longer than the sums.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.language.dense import Dense
from engines.language.gpt2 import GPT2, Block

GRAIN = 64                   # places are added in steps of so many
SPARED = 2**23               # numbers that may stay when nobody writes: 32 MB


class _Weights(NamedTuple):
    """Of one block: (weight, bias) of both norms; queries, keys and values, and the three projections."""

    ln_1: tuple[Tensor, Tensor]
    qkv: Dense
    out: Dense
    ln_2: tuple[Tensor, Tensor]
    up: Dense
    down: Dense

    @classmethod
    def of(cls, block: Block) -> _Weights:
        attn, mlp = block.attn, block.mlp
        return cls(_both(block.ln_1), Dense(*_both(attn.c_attn)), Dense(*_both(attn.c_proj)), _both(block.ln_2),
                   Dense(*_both(mlp.c_fc)), Dense(*_both(mlp.c_proj)))


class Pool:
    """Lend a slot with `lease`, fill it with `read`, go on with `step`, give it back with `give`. Used on one thread."""

    def __init__(self, net: GPT2) -> None:
        self.net = net
        self.heads, self.eps = net.shape.n_head, net.shape.layer_norm_epsilon
        self.kept: Tensor | None = None                     # (n_layer, 2, S, h, T, d/h): keys and values
        self.free: list[int] = []                           # a heap: low slots first, so that those in use stand together
        self.lent = 0
        parts = net.transformer
        self.wte, self.wpe, self.final = parts["wte"].weight, parts["wpe"].weight, _both(parts["ln_f"])
        self.blocks = [_Weights.of(each) for each in parts["h"]]
        self.unembed = Dense(self.wte, None, turned=True)    # tied embeddings

    # --- slots ---------------------------------------------------------------------------------------------------

    def lease(self, most: int) -> int:
        """A slot for a text of at most so many tokens."""
        slots, places = (0, 0) if self.kept is None else (self.kept.shape[2], self.kept.shape[4])
        room = max(places, min(-(-most // GRAIN) * GRAIN, self.net.shape.n_positions))
        more = slots if not self.free else 0                # twice as many as there were
        if room > places or not self.free:
            with torch.inference_mode(False):
                shape = (len(self.blocks), 2, slots + max(more, int(not slots)), self.heads, room, self.wte.shape[1] // self.heads)
                grown = torch.zeros(shape, dtype=self.wte.dtype, device=self.wte.device)
                if self.kept is not None:
                    grown[:, :, :slots, :, :places] = self.kept
            for slot in range(slots, shape[2]):
                heapq.heappush(self.free, slot)
            self.kept = grown
        self.lent += 1
        return heapq.heappop(self.free)

    def give(self, slot: int) -> None:
        """The last one to go gives the memory back, unless it is little: taking it anew costs as much as reading a prompt."""
        heapq.heappush(self.free, slot)
        self.lent -= 1
        if not self.lent and self.kept.numel() > SPARED:
            self.kept, self.free = None, []

    # --- passes --------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def read(self, ids: Tensor, slot: int | None = None) -> Tensor:
        """ids: int (B, T), from the beginning of a text; B is 1 where a slot is to keep it. Logits of the next token: (B, V)."""
        B, T = ids.shape
        x = F.embedding(ids.to(self.wte.device), self.wte) + self.wpe[:T]                # (B, T, d)
        d = x.shape[-1]
        for layer, w in enumerate(self.blocks):
            qkv = w.qkv(torch.layer_norm(x, (d,), *w.ln_1, self.eps).view(B * T, d))
            qkv = qkv.view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)              # (3, B, h, T, d/h)
            if slot is not None:
                self.kept[layer, :, slot, :, :T] = qkv[1:, 0]
            looked = F.scaled_dot_product_attention(*qkv, is_causal=True).transpose(1, 2).reshape(B, T, d)
            x = self._rest(x.view(B * T, d), looked.view(B * T, d), w).view(B, T, d)
        return self._logits(x[:, -1])

    @torch.no_grad()
    def step(self, tokens: Sequence[int], slots: Sequence[int], places: Sequence[int]) -> Tensor:
        """One token more for each of B texts, at its place in its slot: logits of the one after it, (B, V).

        Nothing is changed but that place, so that a step that failed may be taken again.
        """
        if len(tokens) == 1:
            return self._alone(tokens[0], slots[0], places[0])
        B, end, device = len(tokens), max(places) + 1, self.wte.device
        at = torch.tensor([tokens, slots, places], device=device)                        # (3, B)
        low, span = min(slots), max(slots) - min(slots) + 1
        together = span <= 2 * B                        # then all slots between are looked through: nothing is moved
        rows = at[1] - low if together else torch.arange(B, device=device)
        count = span if together else B
        apart = together and list(slots) != list(range(low, low + span))      # rows do not stand as their slots do
        last = torch.zeros(count, dtype=torch.long, device=device).index_put((rows,), at[2])
        mask = torch.zeros(count, 1, 1, end, dtype=self.wte.dtype, device=device)
        mask.masked_fill_(torch.arange(end, device=device) > last[:, None, None, None], -torch.inf)
        x = F.embedding(at[0], self.wte) + F.embedding(at[2], self.wpe)                  # (B, d)
        for kept, w in zip(self.kept, self.blocks, strict=True):
            q, new = self._qkv(x, w).split((1, 2), 1)                                   # (B, 1, h, d/h), (B, 2, h, d/h)
            kept[:, at[1], :, at[2]] = new
            k, v = kept[:, low:low + span, :, :end] if together else kept[:, :, :, :end].index_select(1, at[1])
            if apart:
                q = q.new_zeros(count, *q.shape[1:]).index_put((rows,), q)
            # written out: with a mask it is quicker than the fused function
            scores = (q * q.shape[-1] ** -0.5).transpose(1, 2) @ k.transpose(-1, -2) + mask  # (count, h, 1, end)
            looked = scores.softmax(-1) @ v                                             # (count, h, 1, d/h)
            x = self._rest(x, (looked[rows] if apart else looked).reshape(B, -1), w)
        return self._logits(x)

    def _alone(self, token: int, slot: int, place: int) -> Tensor:
        """The same for one text, which needs neither mask nor slots."""
        x = (self.wte[token] + self.wpe[place])[None]                                    # (1, d)
        for kept, w in zip(self.kept[:, :, slot], self.blocks, strict=True):             # (2, h, T, d/h) each
            qkv = self._qkv(x, w)[0]                                                    # (3, h, d/h)
            kept[:, :, place] = qkv[1:]
            k, v = kept[:, None, :, :place + 1]                                         # (1, h, place + 1, d/h) each
            looked = F.scaled_dot_product_attention(qkv[0, None, :, None], k, v)        # (1, h, 1, d/h)
            x = self._rest(x, looked.view(1, -1), w)
        return self._logits(x)

    def _qkv(self, x: Tensor, w: _Weights) -> Tensor:
        """(B, d) -> (B, 3, h, d/h)."""
        return w.qkv(torch.layer_norm(x, x.shape[-1:], *w.ln_1, self.eps)).view(len(x), 3, self.heads, -1)

    def _rest(self, x: Tensor, looked: Tensor, w: _Weights) -> Tensor:
        """What a block does after looking around: (N, d) -> (N, d)."""
        x = x + w.out(looked)
        return x + w.down(w.up(torch.layer_norm(x, x.shape[-1:], *w.ln_2, self.eps), gelu=True))

    def _logits(self, x: Tensor) -> Tensor:
        return self.unembed(torch.layer_norm(x, x.shape[-1:], *self.final, self.eps))


def _both(layer: torch.nn.Module) -> tuple[Tensor, Tensor]:
    return layer.weight, layer.bias
