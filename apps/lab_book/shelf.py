"""The bundled models as they stand on the shelf: config, card, size, codes of the test pictures. numpy only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from engines.runtime import ModelFault, models

SETS = {"mnist": "Digits", "fashion": "Fashion", "emoji": "Emoji"}
ORDER = ("mnist", "fashion", "emoji")
FAMILIES = {"vae": "Autoencoders", "diffusion": "Diffusion models", "gan": "GANs", "language": "Language models", "classifier": "Classifiers"}
NEEDS = {"vae": {"dataset", "latent", "measured", "kl_per_dim"}, "diffusion": {"dataset", "classes", "measured"},
         "gan": {"dataset", "classes", "measured"},
         "language": {"vocab_size", "n_positions", "measured"}, "classifier": {"dataset", "classes", "measured"}}
USED = 0.01                  # nats: a dimension whose mean KL is below this says nothing about any picture


@dataclass(frozen=True, eq=False)
class Book:
    """One model. config: its config.json; size: bytes of its folder."""

    name: str
    config: dict[str, Any]
    size: int

    @property
    def family(self) -> str:
        """A key of FAMILIES; the autoencoders came first and say nothing."""
        return self.config.get("family", "vae")

    @property
    def title(self) -> str:
        """"Digits, 2 dimensions, β 4": what tells it from its neighbours on the shelf."""
        config = self.config
        if self.family == "language":
            return f"{self.name.removeprefix('gpt2-').replace('-', ' ').capitalize()}, {config['vocab_size']:,} tokens"
        if self.family != "vae":
            return f"{SETS.get(config['dataset'], config['dataset'])}, {len(config['classes'])} classes"
        about = f"{SETS.get(config['dataset'], config['dataset'])}, {config['latent']} dimensions"
        if config.get("kind") == "ae":
            return f"{about}, plain autoencoder"
        return about if config.get("beta", 1) == 1 else f"{about}, β {config['beta']:g}"

    @property
    def figures(self) -> dict[str, float]:
        return self.config["measured"]

    @property
    def caption(self) -> str:
        """The one figure that a visitor compares, and the size."""
        return f"{self._figure()} · {self.size / 2**20:.1f} MB"

    def _figure(self) -> str:
        if self.family == "classifier":
            return f"{self.figures['accuracy']:.1%} recognised"
        if self.family == "language":
            return f"{next(iter(self.figures['bits_per_character'].values())):.3f} bits per character"
        if self.family in ("diffusion", "gan"):
            share = self.figures.get("recognised")
            return f"{share:.1%} recognised" if share is not None else "not judged by a classifier"
        bound = self.figures.get("negative_elbo")
        return f"−ELBO {bound:.1f} nats" if bound is not None else f"reconstruction {self.figures['reconstruction_nats']:.1f} nats"

    @property
    def used(self) -> int:
        """How many dimensions carry something."""
        return sum(value > USED for value in self.config["kl_per_dim"])


def shelf() -> list[Book]:
    """All bundled models that can be read, family by family: digits, fashion, emoji; small before large, β in order."""
    books = [book for name in models.names() if (book := _book(name)) is not None]
    return sorted(books, key=_place)


def _place(book: Book) -> tuple[Any, ...]:
    config = book.config
    dataset = config.get("dataset")
    return (list(FAMILIES).index(book.family), ORDER.index(dataset) if dataset in ORDER else len(ORDER),
            config.get("kind") == "ae", config.get("latent", 0), config.get("beta", 1) != 1,
            config.get("beta", 1), book.name)


def _book(name: str) -> Book | None:
    folder = models.folder(name)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        if not NEEDS[config.get("family", "vae")] <= config.keys():
            return None
    except (OSError, ValueError, KeyError):
        return None              # `python -m gallery check` names it; the shelf shows those that can be read
    return Book(name, config, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def titles() -> dict[str, str]:
    """Name -> title, in the order of the shelf."""
    return {book.name: book.title for book in shelf()}


def card(name: str) -> str:
    """The model's card as Markdown, without its first heading."""
    text = (models.folder(name) / "MODEL_CARD.md").read_text("utf-8")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    return re.sub(r"\A\s*# [^\n]*\n", "", text)


def told(name: str) -> str:
    """The samples in a language model's card, as Markdown. Raises ModelFault where it has none."""
    found = re.search(r"^## Samples\n(.*?)(?=^## |\Z)", card(name), flags=re.S | re.M)
    if found is None:
        raise ModelFault(f"The card of {name} has no samples: fetch its folder again.")
    return found[1].strip()


def samples(name: str) -> Path:
    """The sheet of samples that came with a model that makes pictures."""
    return models.folder(name) / "samples.webp"


def plane(name: str) -> tuple[np.ndarray, list[float]]:
    """The test pictures' codes on the model's map, float32 (N, 2), and its extent [x0, x1, y0, y1].

    The plane of a model with more than two dimensions is that of largest variance (its first two principal axes).
    Raises ModelFault when the codes cannot be read.
    """
    path = models.folder(name) / "codes.safetensors"
    try:
        return _plane(path, path.stat().st_mtime_ns)
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelFault(f"The codes of {name} cannot be read: fetch its folder again.") from error


@lru_cache(maxsize=16)
def _plane(path: Path, modified: int) -> tuple[np.ndarray, list[float]]:
    tensors = load_file(path)
    mu = tensors["mu"].astype(np.float32)                                # (N, d)
    if "pca_axes" in tensors:
        mu = (mu - tensors["pca_mean"].astype(np.float32)) @ tensors["pca_axes"].astype(np.float32).T    # (N, 2)
    config = json.loads((path.parent / "config.json").read_text("utf-8"))
    return mu[:, :2], config["map_extent"]
