"""GPT-2 one token further: Vaswani et al. 2017, section 3.2, with the keys and values of what was read kept.

It is written out rather than called module by module: for a single row that would take longer than the sums. What is done
between two choices is one call into TorchScript, so that Python has no part in it: a text alone does not wait for it between
its small sums, and threads that write side by side do not wait for each other.
"""

from __future__ import annotations

import logging
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.language import gpt2
from engines.language.dense import Dense

log = logging.getLogger(__name__)


class Norm(nn.Module):
    """A layer norm over the last dimension."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight.detach(), norm.bias.detach(), norm.eps

    def forward(self, x: Tensor) -> Tensor:
        return torch.layer_norm(x, [x.size(-1)], self.weight, self.bias, self.eps)


class Block(nn.Module):
    """One block of the network. kept: its keys and values, (2, ..., h, T, d/h), written at the places that are read."""

    def __init__(self, block: gpt2.Block) -> None:
        super().__init__()
        attn, mlp = block.attn, block.mlp
        self.heads = attn.heads
        self.ln_1, self.ln_2 = Norm(block.ln_1), Norm(block.ln_2)
        self.qkv, self.out = Dense(attn.c_attn.weight, attn.c_attn.bias), Dense(attn.c_proj.weight, attn.c_proj.bias)
        self.up, self.down = Dense(mlp.c_fc.weight, mlp.c_fc.bias), Dense(mlp.c_proj.weight, mlp.c_proj.bias)

    def project(self, x: Tensor) -> Tensor:
        """Queries, keys and values: (N, d) -> (N, 3, h, d/h)."""
        return self.qkv(self.ln_1(x)).view(x.size(0), 3, self.heads, -1)

    def rest(self, x: Tensor, looked: Tensor) -> Tensor:
        """What a block does after looking around: (N, d) -> (N, d)."""
        x = x + self.out(looked)
        return x + self.down(self.up(self.ln_2(x), True))

    def alone(self, x: Tensor, kept: Tensor, place: int) -> Tensor:
        """x: (1, d); kept: (2, h, T, d/h)."""
        qkv = self.project(x)[0]                                                        # (3, h, d/h)
        kept[:, :, place] = qkv[1:]
        seen = kept[:, None, :, :place + 1]                                             # (2, 1, h, place + 1, d/h)
        looked = F.scaled_dot_product_attention(qkv[0][None, :, None], seen[0], seen[1])     # (1, h, 1, d/h)
        return self.rest(x, looked.view(1, -1))

    def several(self, x: Tensor, kept: Tensor, at: Tensor, rows: Tensor, mask: Tensor, low: int, together: bool, apart: bool) -> Tensor:
        """x: (B, d); kept: (2, S, h, T, d/h); the others as `Steps.several` has them."""
        B, (count, end) = x.size(0), (mask.size(0), mask.size(-1))
        qkv = self.project(x)
        q = qkv[:, :1] * qkv.size(-1) ** -0.5                                           # (B, 1, h, d/h)
        kept[:, at[1], :, at[2]] = qkv[:, 1:]
        if together:
            seen = kept[:, low:low + count, :, :end]                                    # (2, count, h, end, d/h)
        else:
            seen = kept[:, :, :, :end].index_select(1, at[1])
        if apart:
            q = q.new_zeros([count, 1, self.heads, q.size(-1)]).index_put([rows], q)
        # written out: with a mask it is quicker than the fused function
        scores = q.transpose(1, 2) @ seen[0].transpose(-1, -2) + mask                   # (count, h, 1, end)
        looked = scores.softmax(-1) @ seen[1]                                           # (count, h, 1, d/h)
        if apart:
            looked = looked[rows]
        return self.rest(x, looked.reshape(B, -1))


class Steps(nn.Module):
    """kept: the keys and values of all texts, (n_layer, 2, S, h, T, d/h). Nothing is changed in it but the places that are
    read, so that a step that failed may be taken again. Logits of the token after: (B, V)."""

    def __init__(self, net: gpt2.GPT2) -> None:
        super().__init__()
        parts = net.transformer
        self.wte, self.wpe, self.final = parts["wte"].weight.detach(), parts["wpe"].weight.detach(), Norm(parts["ln_f"])
        self.blocks = nn.ModuleList([Block(each) for each in parts["h"]])
        self.unembed = Dense(self.wte, None, turned=True)                               # tied embeddings

    @torch.jit.export
    def alone(self, token: int, slot: int, place: int, kept: Tensor) -> Tensor:
        """The token at a place of the text in a slot; it needs neither mask nor slots."""
        x = (self.wte[token] + self.wpe[place])[None]                                   # (1, d)
        for layer, block in enumerate(self.blocks):
            x = block.alone(x, kept[layer, :, slot], place)
        return self.logits(x)

    @torch.jit.export
    def several(self, at: Tensor, kept: Tensor, end: int, low: int, count: int, apart: bool) -> Tensor:
        """at: int (3, B), tokens, slots and places, the last of which is end - 1. The slots from low on, so many, are looked
        through, some of which may be no one's if the rows stand apart; or only those of the texts, where count is 0."""
        together, device = count > 0, kept.device
        rows = at[1] - low if together else torch.arange(at.size(1), device=device)
        count = count if together else at.size(1)
        last = torch.zeros(count, dtype=torch.long, device=device).index_put([rows], at[2])
        mask = torch.zeros([count, 1, 1, end], dtype=kept.dtype, device=device)
        mask.masked_fill_(torch.arange(end, device=device) > last[:, None, None, None], -float("inf"))
        x = F.embedding(at[0], self.wte) + F.embedding(at[2], self.wpe)                 # (B, d)
        for layer, block in enumerate(self.blocks):
            x = block.several(x, kept[layer], at, rows, mask, low, together, apart)
        return self.logits(x)

    def logits(self, x: Tensor) -> Tensor:
        return self.unembed(self.final(x))


def scripted(steps: Steps) -> Steps:
    """The same without Python between the sums; as it is where TorchScript fails."""
    executor = getattr(torch._C, "_jit_set_profiling_executor", None)
    before = executor(False) if executor else None      # it would watch the first two calls of each function, 50 ms each
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.jit.script(steps)
            shape = (len(steps.blocks), 2, 2, steps.blocks[0].heads, 2, steps.wte.shape[1] // steps.blocks[0].heads)
            kept = steps.wte.new_zeros(shape)
            found.alone(0, 0, 0, kept)
            found.several(torch.tensor([[0, 0], [0, 1], [0, 0]], device=kept.device), kept, 1, 0, 2, False)
        return found
    except Exception:
        log.exception("the steps of a text cannot be scripted: they serve as they are")
        return steps
    finally:
        if executor:
            executor(before)
