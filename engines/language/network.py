"""A language model as the jobs see it: texts to tokens, tokens to logits, and one more token at a time.

`load` gives the network of `gpt2` where it is the same function (what comes with the gallery, and GPT-2 and its kin),
and whatever else transformers reads otherwise (`foreign`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from engines.language import Vocabulary, layout, tokens
from engines.language.gpt2 import GPT2, Shape
from engines.runtime import ModelFault, models


class Cache:
    """A text that is being written. logits: float32 (V,) of the token after it, on the processor."""

    def __init__(self, ids: list[int], logits: Tensor) -> None:
        self.ids = ids
        self.logits = logits


class Language(nn.Module):
    """context: tokens that it reads at most. vocab_size: tokens that it knows. ends: tokens that end a text."""

    def __init__(self, tokenizer: tokens.Tokenizer, context: int, ends: tuple[int, ...]) -> None:
        super().__init__()
        self.tokenizer, self.context, self.ends = tokenizer, context, frozenset(ends)
        self.vocab_size = len(tokenizer.vocabulary.pieces)

    @property
    def vocabulary(self) -> Vocabulary:
        return self.tokenizer.vocabulary

    def encode(self, text: str) -> list[int]:
        """Tokens, with the one that begins a text in front where the model has one. Raises BadInput."""
        return self.tokenizer.encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        return self.tokenizer.decode(ids)

    @abstractmethod
    def logits(self, ids: Tensor) -> Tensor:
        """ids: int (B, T). float32 (B, T, V), nothing cached; row t speaks of token t + 1."""

    @abstractmethod
    def residuals(self, ids: Tensor) -> tuple[Tensor, ...]:
        """L + 1 of (B, T, d): after the embedding and after each of L blocks, before the final norm."""

    @abstractmethod
    def unembed(self, x: Tensor) -> Tensor:
        """The final norm and the unembedding: (..., d) -> (..., V). Of the last residuals it makes the logits."""

    def begin(self, ids: list[int]) -> Cache:
        """Reads a prompt."""
        return Cache(list(ids), self.logits(torch.tensor([ids]))[0, -1].cpu())


class Lean(Language):
    """The network of `gpt2`."""

    def __init__(self, net: GPT2, tokenizer: tokens.Tokenizer, ends: tuple[int, ...]) -> None:
        super().__init__(tokenizer, net.shape.n_positions, ends)
        self.net = net

    def logits(self, ids: Tensor) -> Tensor:
        return self.net(ids.to(self.net.mask.device))

    def residuals(self, ids: Tensor) -> tuple[Tensor, ...]:
        T, parts = ids.shape[1], self.net.transformer
        x = parts["wte"](ids.to(self.net.mask.device)) + parts["wpe"].weight[:T]       # (B, T, d)
        found = [x]
        for block in parts["h"]:
            found.append(block(found[-1], self.net.mask[:T, :T]))
        return tuple(found)

    def unembed(self, x: Tensor) -> Tensor:
        parts = self.net.transformer
        return parts["ln_f"](x) @ parts["wte"].weight.T


def load(folder: Path) -> Language:
    """A folder that transformers reads -> the model in fp32, in eval mode. Raises ModelFault."""
    config = layout.read_json(folder / "config.json")
    found = layout.about(folder)
    ends = layout.ends(config, layout.read_json(folder / "generation_config.json"))
    if not found.lean:
        from engines.language import foreign
        return foreign.load(folder, found, ends)
    net = GPT2(Shape(**{name: config[name] for name in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")},
                     layer_norm_epsilon=config.get("layer_norm_epsilon", 1e-5)))
    net.load_state_dict(weights(folder))
    if found.ours:
        tokenizer = tokens.ours(folder, found.vocabulary, ends[0])
    else:
        tokenizer = tokens.foreign(folder, found.vocabulary, ends)
    return Lean(net.eval(), tokenizer, ends).eval()


def weights(folder: Path) -> dict[str, Tensor]:
    """GPT-2's weights in fp32 by the names of `gpt2`; older files leave out "transformer." and hold the masks."""
    path = folder / layout.WEIGHTS
    if not path.is_file():
        raise ModelFault(f"{models.shown(path)} is missing: fetch the model again.")
    found = {}
    for name, weight in load_file(path).items():
        if name != "lm_head.weight" and not name.endswith((".attn.bias", ".attn.masked_bias")):
            found[name if name.startswith("transformer.") else f"transformer.{name}"] = weight.float()
    return found
