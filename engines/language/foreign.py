"""Causal language models of any kind that transformers loads without remote code, from safetensors files only."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.language import Settings, draw, layout, tokens
from engines.language.network import Language, Text
from engines.runtime import ModelFault, forward


class Reading(Text):
    """kept: transformers' own cache of all tokens but the last; None for a model whose memory is of another kind. whole:
    no pass has failed halfway, which leaves some layers with more than others."""

    def __init__(self, ids: list[int], logits: np.ndarray, kept: Any) -> None:
        super().__init__(ids, logits)
        self.kept, self.whole = kept, True

    def close(self) -> None:
        self.kept = None


class Foreign(Language):
    """A model of transformers. Each text goes on by itself, for its cache is its own."""

    def __init__(self, net: Any, tokenizer: tokens.Tokenizer, context: int, ends: tuple[int, ...]) -> None:
        super().__init__(tokenizer, context, ends)
        self.net = net
        self.keeps = not net._is_stateful and net._supports_default_dynamic_cache()
        known = inspect.signature(net.forward).parameters
        self.only_last = {"logits_to_keep": 1} if "logits_to_keep" in known else {}

    def logits(self, ids: Tensor) -> Tensor:
        return self.net(ids.to(self.net.device), use_cache=False).logits.float()[..., :self.vocab_size]

    @torch.no_grad()
    def last(self, ids: Tensor) -> Tensor:
        found = self.net(ids.to(self.net.device), use_cache=False, **self.only_last)
        return found.logits[:, -1, :self.vocab_size].float()

    def begin(self, ids: list[int], most: int) -> Reading:
        if not self.keeps:
            return Reading(list(ids), self.last(torch.tensor([ids]))[0].cpu().numpy(), None)
        kept = self._empty()
        return Reading(list(ids), self._pass(ids, kept, **self.only_last), kept)

    def go_on(self, text: Reading, settings: Settings, u: np.ndarray) -> Iterator:
        told = yield forward(self.speak, text, settings, tuple(u.tolist()))
        steps = [draw.step(each) for each in told]
        text.ids += [step.id for step in steps]
        return steps

    def speak(self, text: Reading, settings: Settings, u: tuple[float, ...]) -> list[np.ndarray]:
        """The next tokens, one for each u at most, (TOLD,) each. It may be called again after it failed."""
        begun = time.perf_counter()
        ids, found = list(text.ids), []
        if text.kept is not None and not text.whole:
            text.kept = self._empty()
            self._pass(ids[:-1], text.kept, **self.only_last)
        text.whole = False
        while len(found) < min(self.burst, len(u)) and not (found and ids[-1] in self.ends):
            logits = self.last(torch.tensor([ids]))[0].cpu().numpy() if text.kept is None else self._pass(ids[-1:], text.kept)
            found.append(draw.choose(logits, ids, settings, u[len(found)]))
            ids.append(int(found[-1][0]))
        text.whole = True
        self._timed(len(found), begun)
        return found

    def _empty(self) -> Any:
        from transformers import DynamicCache
        return DynamicCache(config=self.net.config)

    @torch.no_grad()
    def _pass(self, ids: list[int], kept: Any, **options: Any) -> np.ndarray:
        """float32 (V,), of the token after these and all that was kept."""
        found = self.net(torch.tensor([ids], device=self.net.device), past_key_values=kept, use_cache=True, **options)
        return found.logits[0, -1, :self.vocab_size].float().cpu().numpy()

    def residuals(self, ids: Tensor) -> tuple[Tensor, ...]:
        """Raises ModelFault where the model's blocks do not stand in a row."""
        blocks = self._blocks()
        found: list[Tensor] = []

        def before(block: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
            found.append(args[0] if args else named["hidden_states"])

        def after(block: nn.Module, args: tuple[Any, ...], result: Any) -> None:
            found.append(result[0] if isinstance(result, tuple) else result)

        hooks = [blocks[0].register_forward_pre_hook(before, with_kwargs=True)]
        hooks += [block.register_forward_hook(after) for block in blocks]
        try:
            self.logits(ids)
        finally:
            for hook in hooks:
                hook.remove()
        return tuple(found)

    def unembed(self, x: Tensor) -> Tensor:
        """Whatever the model does after its last block, be it a norm, a scale or a bound on the logits: the blocks
        are exchanged for one that answers with x."""
        rows = x.reshape(-1, 1, x.shape[-1])                                           # (N, 1, d)
        with self._answering(rows):
            found = self.logits(torch.zeros(len(rows), 1, dtype=torch.long))            # (N, 1, V)
        return found.reshape(*x.shape[:-1], -1)

    def _blocks(self) -> nn.ModuleList:
        return self._place()[2]

    def _place(self) -> tuple[nn.Module, str, nn.ModuleList]:
        """(the module that holds the blocks, by which name, the blocks)."""
        config = self.net.config.get_text_config()
        for module in self.net.modules():
            for name, child in module.named_children():
                if isinstance(child, nn.ModuleList) and len(child) == config.num_hidden_layers:
                    return module, name, child
        raise ModelFault("The layers of this model do not stand in a row, so it cannot be read layer by layer here: "
                         "choose another model.")

    @contextmanager
    def _answering(self, rows: Tensor) -> Iterator[None]:
        owner, name, blocks = self._place()
        setattr(owner, name, nn.ModuleList([_Answer(block, rows, last=place == len(blocks) - 1)
                                            for place, block in enumerate(blocks)]))
        try:
            yield
        finally:
            setattr(owner, name, blocks)


class _Answer(nn.Module):
    """In a block's place: passes on what it is given, the last one answers with what is wanted."""

    def __init__(self, block: nn.Module, rows: Tensor, last: bool) -> None:
        super().__init__()
        self.__dict__["_block"], self.__dict__["_rows"], self._last = block, rows, last

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["_block"], name)      # some models ask a block what kind it is

    def forward(self, *args: Any, **named: Any) -> Any:
        given = args[0] if args else named["hidden_states"]
        return self._rows.to(given.device) if self._last else given


def load(folder: Path, found: layout.About, ends: tuple[int, ...]) -> Foreign:
    """Raises ModelFault."""
    from transformers import AutoConfig, AutoModelForCausalLM
    settings = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **settings)
        net = AutoModelForCausalLM.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, **settings)
    except ValueError as fault:
        if "trust_remote_code" not in str(fault) and "does not recognize this architecture" not in str(fault) \
                and "Unrecognized" not in str(fault):
            raise
        raise ModelFault(f"{found.title} is of a kind ({found.family[:40]}) that transformers does not know without running code "
                         "that comes with the model, which is not done here: choose another model.") from None
    size = net.get_output_embeddings().weight.shape[0]
    try:
        tokenizer = tokens.foreign(folder, size, ends)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as fault:
        raise ModelFault(f"The tokenizer of {found.title} could not be read: fetch the model again, or choose another.") from fault
    return Foreign(net.eval(), tokenizer, found.context, ends).eval()
