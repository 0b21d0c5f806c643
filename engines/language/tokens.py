"""Texts to tokens and back, whatever the tokenizer: each token is known by the bytes that it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engines.language import Vocabulary
from engines.runtime import BadInput

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class Tokenizer:
    """encode and decode; `vocabulary` tells the bytes of every token. A text's bytes are those of its tokens in a row."""

    def __init__(self, encode: Any, vocabulary: Vocabulary) -> None:
        self._encode = encode
        self.vocabulary = vocabulary
        self._special = frozenset(vocabulary.special)

    def encode(self, text: str) -> list[int]:
        """Raises BadInput where nothing of the text is known to the model."""
        found = self._encode(text)
        if not found:
            raise BadInput("The prompt has no token that this model knows: type other words.")
        if max(found) >= len(self.vocabulary.pieces):
            raise BadInput("The prompt has a token that the network does not know, though its tokenizer does: type other words.")
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """What the tokens say; those that stand for no text (the end, padding) say nothing. Bytes that are no whole
        letter become U+FFFD."""
        pieces = self.vocabulary.pieces
        return b"".join(pieces[each] for each in ids if each not in self._special).decode("utf-8", "replace")


def ours(folder: Path, size: int, end: int) -> Tokenizer:
    """A tokenizer of this gallery, whose texts begin with the token that ends them."""
    import tokenizers
    read = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    special = {number for number, added in read.get_added_tokens_decoder().items() if added.special}
    tokens = [read.id_to_token(each) for each in range(size)]
    return Tokenizer(lambda text: [end, *read.encode(text, add_special_tokens=False).ids],
                     vocabulary(tokens, special, kind(read.to_str()), end))


def foreign(folder: Path, size: int, ends: Sequence[int]) -> Tokenizer:
    """Whatever transformers reads without remote code."""
    from transformers import AutoTokenizer
    read = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    known = len(read)
    tokens = [*read.convert_ids_to_tokens(list(range(min(size, known)))), *[None] * max(0, size - known)]
    backend = getattr(read, "backend_tokenizer", None)
    form = kind(backend.to_str()) if backend is not None else "pieces"
    end = ends[0] if ends else read.eos_token_id
    known_end = end if isinstance(end, int) and end < size else -1
    return Tokenizer(lambda text: list(read(text)["input_ids"]),
                     vocabulary(tokens, set(read.all_special_ids) | set(ends), form, known_end))


def kind(written: str) -> str:
    """How a tokenizer of the library `tokenizers` writes its tokens, from its JSON: "bytes" (GPT-2 and its kin, every
    byte a letter), "words" (WordPiece), or "pieces" (SentencePiece, and plain letters)."""
    import json
    found = json.loads(written)
    decoder, before = found.get("decoder") or {}, found.get("pre_tokenizer") or {}
    parts = [decoder, *decoder.get("decoders", ()), before, *before.get("pretokenizers", ())]
    types = {part.get("type") for part in parts}
    if "ByteLevel" in types:
        return "bytes"
    return "words" if "WordPiece" in types else "pieces"


def vocabulary(tokens: Sequence[str | None], special: set[int], form: str, end: int) -> Vocabulary:
    """tokens: as the tokenizer writes them; None: a number that the network has and the tokenizer does not."""
    unused = {number for number, token in enumerate(tokens) if token is None}
    special = {each for each in special | unused if 0 <= each < len(tokens)}
    letters = byte_letters() if form == "bytes" else {}
    pieces = []
    for number, token in enumerate(tokens):
        if number in special:
            pieces.append((token if token is not None else f"[{number}]").encode("utf-8", "surrogatepass"))
        else:
            pieces.append(piece(token or "", form, letters))
    return Vocabulary(tuple(pieces), tuple(sorted(special)), end)


def piece(token: str, form: str, letters: dict[str, int]) -> bytes:
    """The bytes that a token stands for."""
    if form == "bytes":
        if all(letter in letters for letter in token):
            return bytes(letters[letter] for letter in token)
        return token.encode("utf-8", "surrogatepass")      # one that was added whole
    if form == "words":
        return token[2:].encode() if token.startswith("##") else f" {token}".encode()
    single = _BYTE.fullmatch(token)
    return bytes([int(single[1], 16)]) if single else token.replace("\u2581", " ").encode("utf-8", "surrogatepass")


def byte_letters() -> dict[str, int]:
    """The letter that stands for each byte in byte-level BPE (Radford et al. 2019): itself where it can be seen, else the
    next free one from U+0100 on."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [each for each in range(256) if each not in seen]
    return {chr(each): each for each in seen} | {chr(256 + place): each for place, each in enumerate(hidden)}
