"""What a finished language model is measured by, and the folder that it is written to."""

from __future__ import annotations

import json
import math
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from engines.language.gpt2 import GPT2
from engines.language.measure import as_text, longest_copy, nats, written
from engines.runtime.trained import write_sums
from engines.training.language_data import END, Source, tokens
from engines.training.vae_report import minutes

if TYPE_CHECKING:
    from engines.training.language import Corpus, Recipe

SAMPLES, SHOWN, TEMPERATURE = 200, 10, 0.8
LENGTH, LENGTH_IN_BYTES = 120, 480      # tokens of a sample: as much text of either kind
BYTES = 257                             # tokens of an encoding without pairs


# --- figures -----------------------------------------------------------------------------------------------------

def bits(net: GPT2, tokenizer: Tokenizer, source: Source, at_most: int | None = None) -> float:
    """Bits per character of held-out text, whatever the tokens: -log2 p(all of it) over its number of characters.

    The end of a whole text has to be foreseen too, and is not counted as a character.
    """
    held_out = source.held_out[:at_most]
    documents = tokens(tokenizer, held_out)
    if source.whole:
        documents = [np.append(ids, np.uint16(0)) for ids in documents]
    return nats(net, documents, net.shape.n_positions) / math.log(2) / sum(map(len, held_out))


def measured(net: GPT2, corpus: Corpus, count: int = SAMPLES) -> tuple[dict[str, Any], list[str]]:
    """The figures of the card, and the first samples as text, in the order of their seeds."""
    found: dict[str, Any] = {"bits_per_character": {
        name: round(bits(net, corpus.tokenizer, source), 4) for name, source in corpus.sources.items()}}
    first = next(iter(found["bits_per_character"].values()))
    found["nats_per_character"] = round(first * math.log(2), 4)
    samples = sampled(net, corpus.tokenizer, count)
    known = "".join(as_text(ids) for source in corpus.sources.values()
                    for ids in tokens(corpus.tokenizer, source.train))
    unseen = tokens(corpus.tokenizer, next(iter(corpus.sources.values())).held_out[:count])
    longest = [longest_copy(ids, known) for ids in samples]
    found |= {"samples": count, "sample_tokens": len(samples[0]) if count else 0, "temperature": TEMPERATURE,
              "longest_copy": max(longest), "median_copy": float(np.median(longest)),
              "longest_copy_held_out": max(longest_copy(ids[:samples.shape[1]], known) for ids in unseen)}
    return found, [told(ids, corpus.tokenizer) for ids in samples[:SHOWN]]


def sampled(net: GPT2, tokenizer: Tokenizer, count: int) -> np.ndarray:
    """A sample from the empty prompt for each seed from 0 on, int (count, T)."""
    length = LENGTH_IN_BYTES if tokenizer.get_vocab_size() == BYTES else LENGTH
    length = min(length, net.shape.n_positions)
    parts = [written(net, [0], range(start, min(start + 50, count)), length, TEMPERATURE)
             for start in range(0, count, 50)]
    return np.concatenate(parts)


def told(ids: np.ndarray, tokenizer: Tokenizer) -> str:
    """A sample up to the end of its text."""
    ended = np.flatnonzero(ids == 0)
    return tokenizer.decode(ids[:ended[0]].tolist() if len(ended) else ids.tolist())


# --- the folder --------------------------------------------------------------------------------------------------

def stored(name: str, weight: Tensor, store: str) -> torch.dtype:
    """The format that a weight is kept in: biases and gains, which are few, never in less than 16 bits."""
    return getattr(torch, store) if weight.dim() == 2 else torch.float16


def write_weights(net: GPT2, tokenizer: Tokenizer, folder: Path, store: str, about: dict) -> None:
    """What transformers reads, under checksums; `about` is put into config.json beside its own entries."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: weight.to(stored(name, weight, store)).contiguous() for name, weight in net.state_dict().items()},
              folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    _write(folder / "config.json", about | net.shape.config() | {"dtype": "float32"})
    _write(folder / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 0, "do_sample": True,
                                               "temperature": TEMPERATURE})
    _write(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": END,
        "model_max_length": net.shape.n_positions, "clean_up_tokenization_spaces": False})
    write_sums(folder)


def _write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write_model(net: GPT2, recipe: Recipe, corpus: Corpus, folder: Path, found: tuple[dict[str, Any], list[str]],
                **run: Any) -> dict:
    """Write the folder in transformers' layout, with config, card and checksums. Gives what the config says."""
    figures, samples = found
    about = {"name": folder.name, "family": "language", "measured": figures,
             "parameters": sum(weight.numel() for weight in net.parameters()), "recipe": asdict(recipe),
             "steps": run["steps"], "seconds": round(run["seconds"]), "curve": run["curve"]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MODEL_CARD.md").write_text(card(about, corpus, samples, run), "utf-8")
    credits = [credit for source in corpus.sources.values() for credit in source.credits]
    if credits:
        (folder / "CREDITS.md").write_text("# The authors of the stories\n\nThe texts were cut into tokens and learned "
                                           "from; none of them is in this folder.\n\n"
                                           + "".join(f"- {credit}\n" for credit in credits), "utf-8")
    write_weights(net, corpus.tokenizer, folder, recipe.store, about)
    return about


def command(recipe: dict) -> str:
    """The command line that repeats a recipe."""
    return "python -m engines.training.language " + " ".join(f"--{key.replace('_', '-')} {value}"
                                                             for key, value in recipe.items())


def _stored(store: str) -> str:
    rest = "The weights are\nstored as float16" if store == "float16" else f"The matrices are\nstored as {store}, everything else as float16"
    return f"{rest}; it computes in float32."


def card(config: dict, corpus: Corpus, samples: list[str], run: dict) -> str:
    """The model card: what it is, data and licences, recipe, time, figures, samples, limits."""
    recipe = config["recipe"]
    pieces = ("bytes, which are the characters of its text" if recipe["vocabulary"] == BYTES else
              f"{recipe['vocabulary']:,} tokens of a byte-level byte-pair encoding of its own")
    settings = "\n".join(f"| {key} | {value} |" for key, value in recipe.items() if key != "name")
    plans = "".join(f"\nUp to step {step:,.0f} {epochs:g} epochs were planned.\n" for step, epochs in run["plans"])
    shown = "\n\n".join(f"**Seed {seed}**\n\n{quoted(sample)}" for seed, sample in enumerate(samples))
    return f"""# {config['name']}

A GPT-2 of {recipe['layers']} layers and {recipe['heads']} heads, {recipe['width']} wide, that reads up to
{recipe['context']} tokens, with {config['parameters']:,} weights; it reads and writes {pieces}. In the layout of
transformers: `AutoModelForCausalLM.from_pretrained` and `AutoTokenizer.from_pretrained` read it. {_stored(recipe['store'])}

## Data and licence

{provenance(corpus)}

The weights are under the MIT licence of this repository.

## Recipe

`{command(recipe)}`

| setting | value |
|---|---|
{settings}

{run['steps']:,} steps of {recipe['batch'] * recipe['context']:,} tokens in {minutes(run['seconds'])}
on {run['threads']} core(s) of a shared {platform.machine()} processor without an accelerator
(torch {torch.__version__.split('+')[0]}, {time.strftime('%B %Y')}), by Muon for the matrices within the blocks
and AdamW for the rest.
{plans}
## Measured

{figures(config, corpus)}

## Samples

From the empty prompt at temperature {TEMPERATURE:g}, {config['measured']['sample_tokens']} tokens or up to the end of
the text; seeds 0 to {len(samples) - 1}, none left out.

{shown}

## Limits

It knows no more of the world than its texts tell, and nothing that it says is meant to be true. It reads
{recipe['context']} tokens at most.
"""


def provenance(corpus: Corpus) -> str:
    lines = []
    for source, share in zip(corpus.sources.values(), corpus.shares):
        where = "; the authors are named in CREDITS.md" if source.credits else ""
        lines.append(f"- {share:.0%} of what it read: {source.title}. Licence: {source.licence}{where}.")
    return "\n".join(lines)


def figures(config: dict, corpus: Corpus) -> str:
    found = config["measured"]
    rows = "".join(f"| {name} | {value:.4f} | {value * math.log(2):.4f} | "
                   f"{sum(map(len, corpus.sources[name].held_out)):,} |\n"
                   for name, value in found["bits_per_character"].items())
    return f"""On held-out text, with the weights as they are stored, computed in fp32: -log p of all its characters,
over their number. Of stories every twentieth is held out, of longer texts the last part, which is read in windows of
{config['recipe']['context']} tokens side by side.

| held-out text | bits per character | nats per character | characters |
|---|---|---|---|
{rows}
### Is it only remembering?

The longest run of tokens that stands in the training text, in {found['samples']} samples of
{found['sample_tokens']} tokens at temperature {found['temperature']:g}: {found['longest_copy']} (half of the samples
have none beyond {found['median_copy']:.0f}). In held-out text cut to the same length:
{found['longest_copy_held_out']}."""


def quoted(text: str) -> str:
    """As a Markdown quotation in which nothing of the text is taken for markup."""
    return "\n".join("    " + line for line in text.strip().splitlines()) or "    "
