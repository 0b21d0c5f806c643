"""Toy language models in folders: random networks of two layers that know the letters of a few sentences."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from engines.language.gpt2 import GPT2, Shape
from engines.training import language_data as texts
from engines.training.language_report import write_weights

CONTEXT = 32
TEXT = "Ann saw the cat. Bob"
FOREIGN = ("gpt2-untied", "gpt_neox", "llama", "llama-tied", "qwen2")


def tokenizer() -> Tokenizer:
    return texts.byte_pairs(iter(["Ann saw Bob.", "Bob saw the cat.", "the cat saw Ann. Élise saw them all."] * 20), 280)


def bundled(folder: Path, seed: int = 0, sharp: float = 20.0, end: float = 0.0) -> Path:
    """A random GPT-2 in the layout of the models that come with the gallery. sharp: how far its logits are apart.
    end: what the logit of the token that ends a text has over the others."""
    torch.manual_seed(seed)
    reads = tokenizer()
    net = GPT2(Shape(reads.get_vocab_size(), CONTEXT, 16, 2, 2)).eval()
    with torch.no_grad():
        net.transformer["ln_f"].weight.mul_(sharp)
        bias = net.transformer["ln_f"].bias.normal_()
        weight = net.transformer["wte"].weight
        weight[0] -= (weight[0] @ bias - end) * bias / (bias @ bias)       # what the bias alone says of the end
    folder.mkdir(parents=True)
    (folder / "MODEL_CARD.md").write_text("# A toy\n")
    write_weights(net, reads, folder, "float32", {"name": folder.name, "family": "language", "parameters": 1234})
    return folder


def foreign(folder: Path, kind: str, seed: int = 0) -> Path:
    """A random network of transformers, with a tokenizer that puts nothing in front of a text."""
    torch.manual_seed(seed)
    reads = tokenizer()
    net = AutoModelForCausalLM.from_config(_config(kind, reads.get_vocab_size())).eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn_like(weight))     # norms too, or leaving one out would change nothing
    net.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=reads, eos_token=texts.END).save_pretrained(folder)
    return folder


def _config(kind: str, size: int) -> PreTrainedConfig:
    wide = {"vocab_size": size, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
            "max_position_embeddings": CONTEXT, "bos_token_id": 0, "eos_token_id": 0}
    return {
        "gpt2-untied": lambda: GPT2Config(vocab_size=size, n_positions=CONTEXT, n_embd=16, n_layer=2, n_head=2, bos_token_id=0,
                                          eos_token_id=0, tie_word_embeddings=False),
        "gpt_neox": lambda: GPTNeoXConfig(**wide, rotary_pct=1.0),
        "llama": lambda: LlamaConfig(**wide),
        "llama-tied": lambda: LlamaConfig(**wide, tie_word_embeddings=True),
        "qwen2": lambda: Qwen2Config(**wide, num_key_value_heads=1),
    }[kind]()
