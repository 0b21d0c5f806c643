"""Causal language models of any kind that transformers loads without remote code, from safetensors files only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engines.language import layout, tokens
from engines.language.network import Language
from engines.runtime import ModelFault


class Foreign(Language):
    """A model of transformers."""

    def __init__(self, net: Any, tokenizer: tokens.Tokenizer, context: int, ends: tuple[int, ...]) -> None:
        super().__init__(tokenizer, context, ends)
        self.net = net

    def logits(self, ids: Tensor) -> Tensor:
        return self.net(ids.to(self.net.device), use_cache=False).logits.float()[..., :self.vocab_size]

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
