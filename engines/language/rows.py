"""Texts that grow side by side from one prompt: the prompt is read once, and then one token more of each at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from engines.language.gpt2 import Block
from engines.language.network import Language, Lean
from engines.runtime.errors import OutOfMemory


class Rows:
    """Texts that are read anew for each token: right for every model.

    Both passes give float32 logits of the next token, one row for each text.
    """

    def __init__(self, model: Language, most: int) -> None:
        """most: tokens of the longest text, with its prompt; no more than the model's context."""
        self.model, self.most = model, most
        self.ids = torch.empty(1, 0, dtype=torch.long)                                 # (B, T), what was read

    def begin(self, ids: Sequence[int]) -> Tensor:
        """Reads the prompt: (1, V)."""
        self.ids = torch.tensor([list(ids)])
        return self.model.logits(self.ids)[:, -1]

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Row b goes on with tokens[b] from what was row parents[b]; rows that are no one's parent are forgotten: (B, V)."""
        ids = torch.cat([self.ids[list(parents)], torch.tensor(tokens)[:, None]], 1)
        logits = self.model.logits(ids)[:, -1]
        self.ids = ids
        return logits


class LeanRows(Rows):
    """The network of `gpt2` with the keys and values of what was read kept in one place."""

    model: Lean

    def begin(self, ids: Sequence[int]) -> Tensor:
        shape, weight = self.model.net.shape, self.model.net.transformer["wte"].weight
        self.read = 0                                                                  # tokens of each row
        return self._pass(torch.tensor([list(ids)]),
                          weight.new_empty(shape.n_layer, 2, 1, shape.n_head, self.most, shape.n_embd // shape.n_head))

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> Tensor:
        same = list(parents) == list(range(self.kept.shape[2]))
        kept = self.kept if same else self.kept[:, :, torch.tensor(parents, device=self.kept.device)]
        return self._pass(torch.tensor(tokens)[:, None], kept)

    def _pass(self, ids: Tensor, kept_by_layer: Tensor) -> Tensor:
        """ids: (B, T), the next tokens of each row -> (B, V). Nothing is changed if it fails: it may be tried again."""
        net, end = self.model.net, self.read + ids.shape[1]
        parts = net.transformer
        x = parts["wte"](ids.to(kept_by_layer.device)) + parts["wpe"].weight[self.read:end]   # (B, T, d)
        for block, kept in zip(parts["h"], kept_by_layer, strict=True):
            x = x + self._attend(block, block.ln_1(x), kept[:, :, :, :end], net.mask[self.read:end, :end])
            x = x + block.mlp(block.ln_2(x))
        logits = self.model.unembed(x[:, -1])
        self.kept, self.read = kept_by_layer, end
        return logits

    def _attend(self, block: Block, x: Tensor, kept: Tensor, mask: Tensor) -> Tensor:
        """x: (B, T, d); kept: (2, B, h, end, d/h), the last T places of which are filled here."""
        B, T, d = x.shape
        q, k, v = (part.view(B, T, kept.shape[2], -1).transpose(1, 2) for part in block.attn.c_attn(x).split(d, dim=-1))
        kept[0, :, :, -T:], kept[1, :, :, -T:] = k, v                                  # (B, h, T, d/h) each
        scores = q @ kept[0].transpose(-1, -2) * kept.shape[-1] ** -0.5 + mask         # (B, h, T, end)
        return block.attn.c_proj((scores.softmax(-1) @ kept[1]).transpose(1, 2).reshape(B, T, d))


class CachedRows(Rows):
    """A network of transformers with a cache of its own kind."""

    def begin(self, ids: Sequence[int]) -> Tensor:
        from transformers import DynamicCache
        self.cache, self.count, self.whole = DynamicCache(config=self.model.net.config), 1, True
        return self._pass(torch.tensor([list(ids)]))

    def grow(self, parents: Sequence[int], tokens: Sequence[int]) -> Tensor:
        if not self.whole:
            raise OutOfMemory("Memory ran out in the middle of a text: ask for fewer texts at once, or shorter ones.")
        self.whole = False                              # until this pass is through the cache may be changed in part
        if list(parents) != list(range(self.count)):
            self.cache.batch_select_indices(torch.tensor(parents, device=self.model.net.device))
        self.count = len(tokens)
        logits = self._pass(torch.tensor(tokens)[:, None])
        self.whole = True
        return logits

    def _pass(self, ids: Tensor) -> Tensor:
        found: Any = self.model.net(ids.to(self.model.net.device), past_key_values=self.cache, use_cache=True)
        return found.logits[:, -1, :self.model.vocab_size].float()


def rows(model: Language, most: int) -> Rows:
    """The quickest that is right for the model: some of transformers have a memory that is no DynamicCache."""
    if isinstance(model, Lean):
        return LeanRows(model, most)
    net = getattr(model, "net", None)
    keeps = net is not None and not net._is_stateful and net._supports_default_dynamic_cache()
    return (CachedRows if keeps else Rows)(model, most)
