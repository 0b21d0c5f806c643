"""What a folder in transformers' layout holds, read from its small files: no torch, nothing loaded.

    <folder>/config.json                what it is: a causal language model, its context, its vocabulary
    <folder>/model.safetensors          its weights, in one file or in parts that model.safetensors.index.json lists
    <folder>/tokenizer.json, ...        its tokenizer
    <folder>/README.md                  its card, whose first lines name the licence (may be missing)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.runtime import ModelFault, models

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")     # one of these it must have
BESIDE = ("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
          "merges.txt", "README.md", *TOKENIZERS)
CAUSAL = ("ForCausalLM", "LMHeadModel")              # how the classes that write are called
CONTEXTS = ("n_positions", "max_position_embeddings", "n_ctx", "max_seq_len", "seq_length", "max_sequence_length")
MOST_CARD = 200_000                                  # bytes of a README that is looked into
_PART = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_LICENCE = re.compile(r"^licen[cs]e:\s*['\"]?([\w. +-]{1,40})", re.M)


@dataclass(frozen=True)
class Layout:
    """context: tokens that it reads at most, 0 where its config does not say. parameters: numbers in its files."""

    kind: str
    context: int
    vocabulary: int
    parameters: int
    licence: str


def read(folder: Path) -> Layout:
    """Raises ModelFault, with what to do, for a folder that cannot be used here."""
    config = _json(folder / "config.json")
    where = models.shown(folder)
    check(where, config)
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    weights = _weights(where, files)
    _check_tokenizer(where, files)
    inner = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    return Layout(str(config.get("model_type", "")), _context(inner), _number(inner.get("vocab_size")),
                  sum(models.elements(folder / name) for name in weights), _licence(folder / "README.md"))


def wanted(files: dict[str, int]) -> tuple[str, ...]:
    """Of a repository's files (path -> bytes) those that `read` and the loader need.

    Raises ModelFault where the weights are there as pickles only, or not at all, or where there is no tokenizer.
    """
    if "config.json" not in files:
        raise ModelFault("This is no model in transformers' layout (it has no config.json): choose another model.")
    weights = _weights("The model", files)
    _check_tokenizer("The model", files)
    beside = [name for name in BESIDE if name in files and not (name == "README.md" and files[name] > MOST_CARD)]
    if "tokenizer.json" in files:           # the others say the same, more slowly
        beside = [name for name in beside if name not in TOKENIZERS[1:] or name == "vocab.json"]
    return (*beside, *([INDEX] if WEIGHTS not in files else []), *weights)


def check(where: str, config: dict[str, Any]) -> None:
    """Raises ModelFault for a model that does not write."""
    if not config:
        raise ModelFault(f"{where} has no config.json that can be read: choose another model, or fetch it again.")
    classes = config.get("architectures") or []
    if config.get("is_encoder_decoder") or classes and not any(str(name).endswith(CAUSAL) for name in classes):
        kind = str(classes[0] if classes else config.get("model_type"))[:60]
        raise ModelFault(f"{where} is a {kind}, not a causal language model, so it cannot go on with a text: "
                         "choose one whose class ends in ForCausalLM or LMHeadModel.")


def _weights(where: str, files: dict[str, int]) -> list[str]:
    if WEIGHTS in files:
        return [WEIGHTS]
    parts = sorted(name for name in files if _PART.fullmatch(name))
    if parts and INDEX in files:
        return parts
    pickled = [name for name in files if name.endswith(models.PICKLES)]
    if pickled:
        raise ModelFault(f"{where} has its weights as {pickled[0]} only, a pickle, which can run code when it is read; only "
                         "safetensors files are loaded here: convert it (save_pretrained writes them) and try again.")
    raise ModelFault(f"{where} has no file {WEIGHTS}: choose another model, or fetch it again.")


def _check_tokenizer(where: str, files: dict[str, int]) -> None:
    if not any(name in files for name in TOKENIZERS):
        raise ModelFault(f"{where} has no tokenizer (no {TOKENIZERS[0]}), so no text can be cut into its tokens: "
                         "put the tokenizer's files beside its weights, or choose another model.")


def _context(config: dict[str, Any]) -> int:
    return next((found for name in CONTEXTS if (found := _number(config.get(name)))), 0)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _licence(card: Path) -> str:
    """The licence in the head of a model's card, "" where none is told."""
    if not card.is_file() or card.stat().st_size > MOST_CARD:
        return ""
    head = re.match(r"\A---\n(.*?)\n---", card.read_text("utf-8", errors="replace"), flags=re.S)
    found = _LICENCE.search(head[1]) if head else None
    return found[1].strip() if found else ""


def _json(path: Path) -> dict[str, Any]:
    """{} where there is no such file, or nothing that can be read in it."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
