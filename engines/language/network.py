"""A language model as the jobs see it: texts to tokens, tokens to logits, and a text that goes on.

`load` gives the network of `gpt2` where it is the same function (what comes with the gallery, and GPT-2 and its kin),
and whatever else transformers reads otherwise (`foreign`).
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from engines.language import Settings, Vocabulary, draw, layout, tokens
from engines.language.gpt2 import GPT2, Shape
from engines.language.pool import Pool
from engines.runtime import ModelFault, device, forward, models

BURST = 8                    # tokens in one pass at most: what is said between two passes costs as much as a small model's step
BURST_S = 0.02               # and so long at most, for others wait meanwhile
PART = 4                     # texts that a thread of its own is worth


class Text:
    """A text that is being written. ids: what was read, and what was chosen since, the last of which is not read yet.
    logits: float32 (V,), of the token after the prompt."""

    def __init__(self, ids: list[int], logits: np.ndarray) -> None:
        self.ids, self.logits = ids, logits

    def close(self) -> None:
        """Gives back what it held. It may be closed again."""


class Language(nn.Module):
    """context: tokens that it reads at most. vocab_size: tokens that it knows. ends: tokens that end a text."""

    def __init__(self, tokenizer: tokens.Tokenizer, context: int, ends: tuple[int, ...]) -> None:
        super().__init__()
        self.tokenizer, self.context, self.ends = tokenizer, context, frozenset(ends)
        self.vocab_size = len(tokenizer.vocabulary.pieces)
        self.burst = 1                                  # tokens that the next pass may write

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
    def last(self, ids: Tensor) -> Tensor:
        """The last row of `logits`, float32 (B, V)."""

    @abstractmethod
    def residuals(self, ids: Tensor) -> tuple[Tensor, ...]:
        """L + 1 of (B, T, d): after the embedding and after each of L blocks, before the final norm."""

    @abstractmethod
    def unembed(self, x: Tensor) -> Tensor:
        """The final norm and the unembedding: (..., d) -> (..., V). Of the last residuals it makes the logits."""

    @abstractmethod
    def begin(self, ids: list[int], most: int) -> Text:
        """Reads a prompt. most: tokens that the text may come to, no more than the context."""

    @abstractmethod
    def go_on(self, text: Text, settings: Settings, u: np.ndarray) -> Iterator:
        """`steps = yield from model.go_on(text, settings, u)`: the text's last token is read, and others are drawn with u,
        float64 (1 to BURST,); as many of them as the model writes in one pass. A token that ends a text is the last."""

    def _timed(self, written: int, begun: float) -> None:
        """Lets the next pass write as many tokens as go into BURST_S; it grows by steps, for the first pass is slow."""
        each = (time.perf_counter() - begun) / max(1, written)
        self.burst = max(1, min(BURST, 2 * self.burst, int(BURST_S / each)))


class Held(Text):
    """slot: where its keys and values are kept."""

    def __init__(self, ids: list[int], pool: Pool, most: int) -> None:
        self.pool, self.slot = pool, pool.lease(most)
        try:
            logits = pool.read(torch.tensor([ids]), self.slot)[0]
        except BaseException:
            self.close()
            raise
        super().__init__(ids, logits.cpu().numpy())

    def close(self) -> None:
        if self.slot >= 0:
            self.pool.give(self.slot)
        self.slot = -1


class Lean(Language):
    """The network of `gpt2`. Texts of several visitors go on in one pass."""

    def __init__(self, net: GPT2, tokenizer: tokens.Tokenizer, ends: tuple[int, ...]) -> None:
        super().__init__(tokenizer, net.shape.n_positions, ends)
        self.net, self.pool = net, Pool(net)
        self.asked: dict[int, tuple[Held, Settings, np.ndarray]] = {}       # by slot: who waits for a pass, and u

    def logits(self, ids: Tensor) -> Tensor:
        return self.net(ids.to(self.net.mask.device))

    def last(self, ids: Tensor) -> Tensor:
        return self.pool.read(ids)

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

    def begin(self, ids: list[int], most: int) -> Held:
        return Held(list(ids), self.pool, most)

    def go_on(self, text: Held, settings: Settings, u: np.ndarray) -> Iterator:
        self.asked[text.slot] = text, settings, u
        try:
            told = yield forward(self.speak, torch.tensor([text.slot]))                 # (1, BURST, TOLD)
        finally:
            self.asked.pop(text.slot, None)
        steps = [draw.step(each) for each in told[0].numpy() if each[0] >= 0]
        text.ids += [step.id for step in steps]
        return steps

    def speak(self, rows: Tensor) -> Tensor:
        """rows: int (B,), the slots of texts that have asked. float64 (B, BURST, TOLD), -1 where nothing was written. It may
        be called again: it changes no text."""
        begun, wanted = time.perf_counter(), rows.tolist()
        slots = sorted(wanted)                        # in their order, so that nothing need be moved about
        count = min(device.hands(), len(slots) // PART) if self.pool.wte.device.type == "cpu" else 1
        parts = np.array_split(slots, max(1, count))
        found = np.concatenate(device.abreast(self._write, [part.tolist() for part in parts]))
        self._timed(int((found[:, :, 0] >= 0).sum(1).max()), begun)
        return torch.from_numpy(found[[slots.index(slot) for slot in wanted]])

    def _write(self, slots: list[int]) -> np.ndarray:
        """As many tokens of each text as a pass may write: float64 (len(slots), BURST, TOLD)."""
        texts, settings, us = zip(*(self.asked[slot] for slot in slots), strict=True)
        ids = [list(text.ids) for text in texts]
        found = np.full((len(slots), BURST, draw.TOLD), -1.0)
        going, at = list(range(len(slots))), 0
        while going and at < self.burst:
            # 1. the last token of each is read
            logits = self.pool.step([ids[row][-1] for row in going], [slots[row] for row in going],
                                    [len(ids[row]) - 1 for row in going]).cpu().numpy()
            # 2. the next one of each is drawn
            for row, scores in zip(going, logits, strict=True):
                found[row, at] = draw.choose(scores, ids[row], settings[row], us[row][at])
                ids[row].append(int(found[row, at, 0]))
            at += 1
            # 3. those go on that want more and have not ended
            going = [row for row in going if at < len(us[row]) and ids[row][-1] not in self.ends]
        return found


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
