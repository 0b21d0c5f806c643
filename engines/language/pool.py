"""GPT-2 for many texts at once, with what was read kept.

The keys and values of all texts that are being written stand in one place, a slot for each, so that a step of many texts,
each at a place of its own, is one pass: the linear layers over all of them together, attention under a mask.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.language.gpt2 import GPT2
from engines.language.steps import Steps, scripted

GRAIN = 64                   # places are added in steps of so many
SPARED = 2**23               # numbers that may stay when nobody writes: 32 MB


class Pool:
    """Lend a slot with `lease`, fill it with `read`, go on with `step`, give it back with `give`. Used on one thread."""

    def __init__(self, net: GPT2) -> None:
        self.net = net
        self.wte, self.heads = net.transformer["wte"].weight, net.shape.n_head
        self.kept: Tensor | None = None                     # (n_layer, 2, S, h, T, d/h): keys and values
        self.free: list[int] = []                           # a heap: low slots first, so that those in use stand together
        self.lent = 0

    @cached_property
    def steps(self) -> Steps:
        """Made when it is first wanted: then the weights are where they stay."""
        return Steps(self.net)

    @cached_property
    def quick(self) -> Steps:
        return scripted(self.steps)

    # --- slots ---------------------------------------------------------------------------------------------------

    def lease(self, most: int) -> int:
        """A slot for a text of at most so many tokens."""
        slots, places = (0, 0) if self.kept is None else (self.kept.shape[2], self.kept.shape[4])
        room = max(places, min(-(-most // GRAIN) * GRAIN, self.net.shape.n_positions))
        more = slots if not self.free else 0                # twice as many as there were
        if room > places or not self.free:
            with torch.inference_mode(False):
                shape = (self.net.shape.n_layer, 2, slots + max(more, int(not slots)), self.heads, room, self.wte.shape[1] // self.heads)
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
        steps = self.steps
        x = F.embedding(ids.to(self.wte.device), steps.wte) + steps.wpe[:T]              # (B, T, d)
        x = x.view(B * T, -1)
        for layer, block in enumerate(steps.blocks):
            qkv = block.project(x).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # (3, B, h, T, d/h)
            if slot is not None:
                self.kept[layer, :, slot, :, :T] = qkv[1:, 0]
            looked = F.scaled_dot_product_attention(*qkv, is_causal=True).transpose(1, 2)    # (B, T, h, d/h)
            x = block.rest(x, looked.reshape(B * T, -1))
        return steps.logits(x.view(B, T, -1)[:, -1])

    @torch.no_grad()
    def step(self, tokens: Sequence[int], slots: Sequence[int], places: Sequence[int]) -> Tensor:
        """One token more for each of B texts, at its place in its slot: logits of the one after it, (B, V).

        Nothing is changed but that place, so that a step that failed may be taken again.
        """
        if len(tokens) == 1:
            return self.quick.alone(tokens[0], slots[0], places[0], self.kept)
        at = torch.tensor([tokens, slots, places], device=self.wte.device)               # (3, B)
        low, span = min(slots), max(slots) - min(slots) + 1
        together = span <= 2 * len(slots)               # then all slots between are looked through: nothing is moved
        apart = together and list(slots) != list(range(low, low + span))      # rows do not stand as their slots do
        return self.quick.several(at, self.kept, max(places) + 1, low, span if together else 0, apart)
