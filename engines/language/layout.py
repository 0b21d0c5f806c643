"""What a folder of a language model holds, read from its small files: no torch, nothing loaded.

    <folder>/config.json                 the network's kind and sizes, by transformers' names
    <folder>/*.safetensors               its weights, in one file or in several with an index
    <folder>/tokenizer.json ...          how a text becomes tokens
    <folder>/README.md, MODEL_CARD.md    the licence, where they tell it
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.runtime import ModelFault, models

FAMILY = "language"                 # how a folder of this gallery names itself in config.json
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
CAUSAL = re.compile(r"(ForCausalLM|LMHeadModel)$")
READS = ("n_positions", "max_position_embeddings", "n_ctx", "max_seq_len", "max_sequence_length", "seq_length")
ANY_LENGTH = 2048                   # of a model that names no limit, as one that places tokens by their distance only
TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("tokenizer.model",), ("spiece.model",), ("vocab.txt",))
SMALL = ("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
         "README.md")
# What a configuration of GPT-2 must say, or leave out, for the network of `gpt2` to be the same function.
PLAIN = {"activation_function": "gelu_new", "scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False,
         "reorder_and_upcast_attn": False, "tie_word_embeddings": True, "add_cross_attention": False}


@dataclass(frozen=True)
class About:
    """title: for people. parameters: numbers that it learned. context: tokens that it reads at most. vocabulary: tokens
    that it knows. licence: "" where none is told. family: its kind of network, as "gpt2" or "llama". ours: it comes from
    this gallery. lean: the network of `gpt2` runs it."""

    title: str
    parameters: int
    context: int
    vocabulary: int
    licence: str
    family: str
    ours: bool
    lean: bool


def about(folder: Path) -> About:
    """Raises ModelFault, with what to do, for a folder that cannot be written with here."""
    config = read_json(folder / "config.json")
    check_config(config, models.shown(folder))
    names = [path.name for path in folder.iterdir() if path.is_file()]
    check_names(names, models.shown(folder))
    text = config.get("text_config") or config
    parameters = config.get("parameters") or sum(map(models.elements, folder.glob("*.safetensors")))
    return About(_title(folder, config), int(parameters), context(config), int(text.get("vocab_size") or 0), licence(folder),
                 str(config["model_type"]), config.get("family") == FAMILY, is_lean(config))


def context(config: dict[str, Any]) -> int:
    """Tokens that a model reads at most."""
    text = config.get("text_config") or config
    return next((int(text[name]) for name in READS if isinstance(text.get(name), int) and text[name] > 0), ANY_LENGTH)


def is_lean(config: dict[str, Any]) -> bool:
    inner = config.get("n_inner")
    return config.get("model_type") == "gpt2" and all(config.get(name, value) == value for name, value in PLAIN.items()) \
        and inner in (None, 4 * config.get("n_embd", 0))


def ends(config: dict[str, Any], generation: dict[str, Any]) -> tuple[int, ...]:
    """The tokens that end a text; the first is the one to be told."""
    found: list[int] = []
    for where in (config.get("text_config") or config, generation):
        value = where.get("eos_token_id")
        found += value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(each for each in found if isinstance(each, int) and each >= 0))


def wanted(files: dict[str, int]) -> tuple[str, ...]:
    """Of a repository's files (path -> bytes), those that the loader needs. Raises ModelFault where they are not there."""
    if "config.json" not in files:
        raise ModelFault("This is no language model that transformers reads (it has no config.json): choose another model.")
    check_names(list(files), "This model")
    parts = [WEIGHTS] if WEIGHTS in files else \
        [INDEX, *sorted(name for name in files if re.fullmatch(r"model-\d+-of-\d+\.safetensors", name))]
    tokenizer = [name for kind in TOKENIZERS for name in kind if name in files]
    return tuple(dict.fromkeys([*(name for name in SMALL if name in files), *tokenizer, *parts]))


def check_names(names: list[str], where: str) -> None:
    """Raises ModelFault where weights are there as pickles only or not at all, or there is no tokenizer."""
    if WEIGHTS not in names and INDEX not in names:
        pickled = [name for name in names if name.endswith(models.PICKLES)]
        if pickled:
            raise ModelFault(f"{where} has its weights as {pickled[0]} only, a pickle, which can run code when it is read; only "
                             "safetensors files are loaded here: convert it (save_pretrained writes them) and try again.")
        raise ModelFault(f"{where} has no file {WEIGHTS}: choose another model, or fetch it again.")
    if not any(all(name in names for name in kind) for kind in TOKENIZERS):
        raise ModelFault(f"{where} has no tokenizer (tokenizer.json), so no text can be read with it: add the tokenizer that it "
                         "was trained with.")


def check_config(config: dict[str, Any], where: str) -> None:
    """Raises ModelFault for a network that does not write from left to right, or cannot be loaded here."""
    kind = config.get("model_type")
    if not kind:
        raise ModelFault(f"{where} is no language model that transformers reads: its config.json names no model_type.")
    named = [str(each) for each in config.get("architectures") or ()]
    if config.get("is_encoder_decoder") or named and not any(map(CAUSAL.search, named)):
        raise ModelFault(f"{where} is {(named or [str(kind)])[0][:60]}, which does not write a text from left to right; causal "
                         "language models are understood here: choose one such as distilbert/distilgpt2.")
    if config.get("quantization_config"):
        way = str(config["quantization_config"].get("quant_method", "a way of its own"))[:30]
        raise ModelFault(f"{where} has its weights quantised ({way}), which is not read here: choose the model it was made of.")


def licence(folder: Path) -> str:
    """As the model's card names it in its head, "" where it does not."""
    for name in ("README.md", "MODEL_CARD.md"):
        path = folder / name
        if not path.is_file():
            continue
        head = path.read_text("utf-8", errors="replace")[:20_000]
        found = re.match(r"---\s*\n(.*?)\n---", head, re.DOTALL)
        line = re.search(r"^license:\s*['\"]?([\w.+-]+)", found[1], re.MULTILINE) if found else None
        if line:
            return line[1]
    return ""


def _title(folder: Path, config: dict[str, Any]) -> str:
    if config.get("title") or config.get("name"):
        return str(config.get("title") or config["name"])
    if folder.parent.name == "snapshots":       # of the Hub's cache: models--owner--name/snapshots/<revision>
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    return folder.name


def read_json(path: Path) -> dict[str, Any]:
    """{} where there is no such file. Raises ModelFault for one that cannot be read."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ModelFault(f"{models.shown(path)} cannot be read: fetch it again.") from fault
    if not isinstance(found, dict):
        raise ModelFault(f"{models.shown(path)} is not what it should be: fetch it again.")
    return found
