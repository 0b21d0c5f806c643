"""GPT-2: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3.

A decoder in the manner of Vaswani et al. 2017 with the layer norm in front of each part. Names and
layouts of the weights are those of transformers' GPT2LMHeadModel, so that each reads the other's files.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """Everything that fixes the sizes of the weights, by the names in transformers' config.json."""

    vocab_size: int
    n_positions: int         # tokens that the model reads at most
    n_embd: int
    n_layer: int
    n_head: int              # divides n_embd
    layer_norm_epsilon: float = 1e-5

    def config(self) -> dict:
        """What transformers' config.json has to say of it; token 0 begins and ends every text."""
        return {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new",
                "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0,
                "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0, **asdict(self)}


class Projection(nn.Module):
    """x W + b, with W as (in, out): GPT-2 stores it that way round."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width_in, width_out))
        self.bias = nn.Parameter(torch.zeros(width_out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.n_head
        self.c_attn = Projection(shape.n_embd, 3 * shape.n_embd)
        self.c_proj = Projection(shape.n_embd, shape.n_embd)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: (B, T, d); mask: (T, T), 0 where a row may look and -inf where it may not."""
        B, T, d = x.shape
        q, k, v = (part.view(B, T, self.heads, d // self.heads).transpose(1, 2)      # (B, h, T, d/h)
                   for part in self.c_attn(x).split(d, dim=-1))
        # written out: in 16 bits on a processor it is three times as fast as the fused function
        scores = (q / math.sqrt(d // self.heads)) @ k.transpose(-1, -2) + mask.to(q.dtype)     # (B, h, T, T)
        looked = scores.softmax(-1).to(v.dtype) @ v                                  # (B, h, T, d/h)
        return self.c_proj(looked.transpose(1, 2).reshape(B, T, d))


class Feedforward(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.c_fc = Projection(shape.n_embd, 4 * shape.n_embd)
        self.c_proj = Projection(4 * shape.n_embd, shape.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(shape.n_embd, shape.layer_norm_epsilon)
        self.attn = Attention(shape)
        self.ln_2 = nn.LayerNorm(shape.n_embd, shape.layer_norm_epsilon)
        self.mlp = Feedforward(shape)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.drop(self.attn(self.ln_1(x), mask))
        return x + self.drop(self.mlp(self.ln_2(x)))


class GPT2(nn.Module):
    """Tokens to logits of the next one."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(shape.vocab_size, shape.n_embd),
            "wpe": nn.Embedding(shape.n_positions, shape.n_embd),
            "drop": nn.Dropout(dropout),
            "h": nn.ModuleList(Block(shape, dropout) for _ in range(shape.n_layer)),
            "ln_f": nn.LayerNorm(shape.n_embd, shape.layer_norm_epsilon)})
        for name, weight in self.named_parameters():
            if weight.dim() == 2:      # what adds to the residual stream is begun smaller, by the number of additions
                deep = math.sqrt(2 * shape.n_layer) if name.endswith("c_proj.weight") else 1.0
                nn.init.normal_(weight, std=0.02 / deep)
        mask = torch.full((shape.n_positions, shape.n_positions), -torch.inf).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """ids: int (B, T), T at most n_positions. Logits, (B, T, vocab_size); row t speaks of token t + 1."""
        T = ids.shape[1]
        parts = self.transformer
        x = parts["drop"](parts["wte"](ids) + parts["wpe"].weight[:T])                # (B, T, d)
        for block in parts["h"]:
            x = block(x, self.mask[:T, :T])
        return parts["ln_f"](x) @ parts["wte"].weight.T                                # tied embeddings
