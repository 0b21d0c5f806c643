"""The texts that the language models learn from, and the byte-pair encodings made of them.

`GALLERY_DATA` names a folder that holds the files below; see `engines.training.data`. Of every source
a part is held out and never trained on, nor does the encoding see it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from engines.training.data import DataMissing, data_folder

END = "<|endoftext|>"       # stands between texts; token 0
HELD_OUT = 20               # one in so many is held out, of stories whole ones, of books a last part


@dataclass(frozen=True)
class Source:
    """Texts of one kind.

    whole: what is held out are whole texts, so that foreseeing their end counts too; else the last part of a text.
    credits: a Markdown line for each text whose licence asks for it.
    """

    title: str
    licence: str
    train: list[str]
    held_out: list[str]
    whole: bool
    credits: tuple[str, ...] = ()


def tinystories() -> Source:
    whole = _texts("tinystories/tinystories.txt.gz")
    held_out = whole[::HELD_OUT]
    train = [text for place, text in enumerate(whole) if place % HELD_OUT]
    return Source("a part of TinyStories (R. Eldan, Y. Li 2023, arXiv:2305.07759), 6,716 stories written by "
                  "GPT-3.5 and GPT-4; in 2,673 of them the capitals were put back by rule",
                  "CDLA-Sharing-1.0, as its data set card states",
                  train + _texts("tinystories/tinystories_recased.txt.gz"), held_out, whole=True)


def simple() -> Source:
    rows = [json.loads(line) for line in _read("simple_stories_ccby/stories.jsonl").split("\n") if line]
    texts = [row["text"].strip() for row in rows]
    return Source("709 stories of the African Storybook and of Pratham Books",
                  "Creative Commons Attribution (one is in the public domain)",
                  [text for place, text in enumerate(texts) if place % HELD_OUT], texts[::HELD_OUT],
                  True, tuple(map(_credit, rows)))


def _credit(row: dict) -> str:
    translated = f", translated by {row['translation']}" if row["translation"] else ""
    licence = f"[{row['licence']}]({row['licence_url']})" if row["licence_url"] else row["licence"]
    return f"[{row['title']}]({row['url']}), {row['author']}{translated}, {row['source']}, {licence}"


def books() -> Source:
    whole = _texts("children_books/children_books.txt.gz")
    cuts = [text.rindex("\n", 0, len(text) - len(text) // HELD_OUT) for text in whole]
    titled = ", ".join(f"{book['title']} ({book['author']})" for book in
                       json.loads(_read("children_books/books.json")))
    return Source(f"41 children's books: {titled}", "public domain: published before 1930",
                  [text[:cut] for text, cut in zip(whole, cuts)],
                  [text[cut + 1:] for text, cut in zip(whole, cuts)],
                  whole=False)


def shakespeare() -> Source:
    text = _read("tiny_shakespeare/tinyshakespeare.txt")
    cut = len(text) * 9 // 10
    return Source("Tiny Shakespeare: 40,000 lines from the plays, collected by A. Karpathy for char-rnn",
                  "public domain; the repository it was collected for is MIT", [text[:cut]], [text[cut:]], whole=False)


SOURCES: dict[str, Callable[[], Source]] = {
    "tinystories": tinystories, "simple": simple, "books": books, "shakespeare": shakespeare}


def _read(name: str) -> str:
    path = data_folder() / name
    if not path.is_file():
        raise DataMissing(f"{path} is missing: set GALLERY_DATA to a folder that holds {name}.")
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")


def _texts(name: str) -> list[str]:
    return [text.strip() for text in _read(name).split(END) if text.strip()]


# --- tokens ------------------------------------------------------------------------------------------------------

def byte_pairs(texts: Iterator[str], vocabulary: int) -> Tokenizer:
    """A byte-level byte-pair encoding as GPT-2's, learned from the texts; with 257 tokens it has no pairs at all."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def encoding(kept: Path, sources: Sequence[Source], shares: Sequence[float], vocabulary: int) -> Tokenizer:
    """The encoding kept in a file, or a new one, learned from texts repeated as the mixture will show them."""
    if kept.is_file():
        tokenizer = Tokenizer.from_file(str(kept))
        if tokenizer.get_vocab_size() == vocabulary:
            return tokenizer
    shown = [share / sum(map(len, source.train)) for source, share in zip(sources, shares)]
    texts = (text for source, each in zip(sources, shown) for text in source.train * round(each / min(shown)))
    tokenizer = byte_pairs(texts, vocabulary)
    kept.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(kept), pretty=False)
    return tokenizer


def tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Each text after the token that begins it, uint16 (T,)."""
    return [np.array([0, *encoded.ids], np.uint16) for encoded in tokenizer.encode_batch(list(texts))]


class Rows:
    """One source, cut into rows of as many tokens as are learned from at once, in another order every time.

    Row k is the same whoever asks, and whatever was asked for before: a training that was stopped goes on as if it
    had not been.
    """

    def __init__(self, documents: Sequence[np.ndarray], length: int, seed: int) -> None:
        """length: tokens in a row, the one that is only foretold included."""
        self.documents, self.length, self.seed = list(documents), length, seed
        self.tokens = sum(map(len, documents))
        self.count = max(1, (self.tokens - 1) // (length - 1))
        self._pass, self._rows = -1, np.empty(0)

    def __getitem__(self, k: int) -> np.ndarray:
        """int64 (length,)."""
        if k // self.count != self._pass:
            self._pass = k // self.count
            self._rows = self._shuffled(self._pass)
        return self._rows[k % self.count].astype(np.int64)

    def _shuffled(self, passed: int) -> np.ndarray:
        """(count, length): the documents one after the other in a random order, from a random place on."""
        random = np.random.default_rng((self.seed, passed))
        line = np.concatenate([self.documents[place] for place in random.permutation(len(self.documents))])
        line = np.roll(line, -int(random.integers(len(line))))
        line = np.resize(line, max(len(line), self.count * (self.length - 1) + 1))
        starts = random.permutation(self.count) * (self.length - 1)
        return np.stack([line[start:start + self.length] for start in starts])
