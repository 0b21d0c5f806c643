"""The bundled pictures behind the codes: found by words, class or chance, and laid out as one sheet."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from apps.latent_space_explorer import catalogue


def labels(dataset: str) -> np.ndarray:
    """Class of each test picture, uint8 (N,)."""
    return catalogue.pictures(dataset).labels


def class_names(dataset: str) -> list[str]:
    return list(catalogue.pictures(dataset).names)


def images(dataset: str, indices: np.ndarray) -> np.ndarray:
    """Test pictures by index, uint8 (n, H, W, C)."""
    return catalogue.pictures(dataset).images[indices]


def names(dataset: str, indices: Sequence[int] | np.ndarray) -> list[str]:
    """What each picture is called: its own name where it has one, else its class and number."""
    pictures = catalogue.pictures(dataset)
    if pictures.titles:
        return [pictures.titles[index] for index in indices]
    return [f"{pictures.names[pictures.labels[index]]} (test picture {index})" for index in indices]


@lru_cache(maxsize=8)
def _words(dataset: str) -> tuple[str, ...]:
    """What may be searched of each picture, in small letters: its class, name and keywords."""
    pictures = catalogue.pictures(dataset)
    classes = [pictures.names[label].lower() for label in pictures.labels]
    titles = [title.lower() for title in pictures.titles] or [""] * len(classes)
    keywords = [" ".join(words).lower() for words in getattr(pictures, "keywords", ())] or [""] * len(classes)
    return tuple(f" {title} | {more} | {name}" for title, more, name in zip(titles, keywords, classes, strict=True))


def find(dataset: str, query: str, total: int, seed: int = 0) -> np.ndarray:
    """Indices below `total` of the pictures in which every word of the query begins a word: the one so named,
    then those with the words in their names, then by keyword and class.

    Without words: all of them, in an order drawn from the seed.
    """
    wanted = query.lower().replace("-", " ").replace("/", " ").split()
    if not wanted:
        return np.random.default_rng(seed).permutation(total)
    found = []
    for index, words in enumerate(_words(dataset)[:total]):
        spaced = words.replace("-", " ").replace("/", " ")
        if all(f" {word}" in spaced for word in wanted):
            name = spaced.split("|")[0]
            in_name = all(f" {word}" in name for word in wanted)
            found.append((name.split() != wanted, not in_name, index))
    found.sort()
    return np.array([index for *_, index in found], np.int64)


MEAN_OF = 20                     # pictures in a mean: enough that what they do not share averages out
# title: what A and B are and how C is chosen. Words for emoji and clothes; measured from the pixels for digits.
NAMED = {
    "emoji": (("halo", "smiling face with halo", "smiling face with smiling eyes", "neutral face"),
              ("glasses", "smiling face with sunglasses", "slightly smiling face", "cowboy hat face"),
              ("a tear", "crying face", "neutral face", "grinning face"),
              ("tears on a cat", "face with tears of joy", "grinning face", "grinning cat"),
              ("blue", "blue heart", "red heart", "hollow red circle")),
    "fashion": (("long sleeves", "pullover", "t-shirt", "dress"),),
}
MEASURED = (("bolder", "ink", 3, 8), ("slanted", "slant", 1, 4))


def examples(dataset: str, total: int) -> list[tuple[str, dict[str, list[int]]]]:
    """Sums worth trying, as (title, {"a", "b", "c": indices of pictures})."""
    made = []
    for title, *queries in NAMED.get(dataset, ()):
        found = [find(dataset, query, total)[:MEAN_OF].tolist() for query in queries]
        if all(found):
            few = {"a": 1, "b": 1, "c": 1} if dataset == "emoji" else {"a": MEAN_OF, "b": MEAN_OF, "c": 1}
            made.append((title, {term: some[:few[term]] for term, some in zip("abc", found, strict=True)}))
    return made + (_measured(dataset) if dataset == "mnist" else [])


@lru_cache(maxsize=1)
def _measured(dataset: str) -> list[tuple[str, dict[str, list[int]]]]:
    """Digits by ink (sum of grey) and by slant (regression of column on row): much - little + another with little."""
    pictures = catalogue.pictures(dataset)
    ink = pictures.images[..., 0].astype(np.float32)                                      # (N, H, W)
    mass = ink.sum((1, 2))
    rows, columns = np.mgrid[0:ink.shape[1], 0:ink.shape[2]].astype(np.float32)
    middle_row, middle_column = ((ink * axis).sum((1, 2)) / mass for axis in (rows, columns))
    down, across = rows - middle_row[:, None, None], columns - middle_column[:, None, None]
    values = {"ink": mass, "slant": -(ink * down * across).sum((1, 2)) / (ink * down**2).sum((1, 2))}
    made = []
    for title, feature, *digits in MEASURED:
        value = values[feature]
        order = [np.flatnonzero(pictures.labels == digit) for digit in digits]
        one, other = (indices[np.argsort(value[indices])] for indices in order)
        made.append((title, {"a": _around(one, 0.92, MEAN_OF), "b": _around(one, 0.08, MEAN_OF),
                             "c": _around(other, 0.1, 1)}))
    return made


def _around(order: np.ndarray, share: float, count: int) -> list[int]:
    """`count` neighbours in an order, around the one at that share of it."""
    first = min(max(0, int(share * len(order)) - count // 2), len(order) - count)
    return order[first:first + count].tolist()


def sheet(pictures: np.ndarray, columns: int, side: int) -> str:
    """Pictures (N, H, W, C) in rows of `columns`, none larger than `side` pixels, as the data URI of a PNG or WebP."""
    n, height, width, channels = pictures.shape
    rows = -(-n // columns)
    if height > side:
        pictures = _smaller(pictures, side)
        height = width = side
    wall = np.zeros((rows * columns, height, width, channels), np.uint8)
    wall[:n] = pictures
    wall = wall.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)  # (rows, H, columns, W, C)
    wall = wall.reshape(rows * height, columns * width, channels)
    out = io.BytesIO()
    if channels == 1:
        Image.fromarray(wall[..., 0]).save(out, "PNG", compress_level=1)
        return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    Image.fromarray(wall).save(out, "WEBP", quality=90, method=0)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def _smaller(pictures: np.ndarray, side: int) -> np.ndarray:
    """Pictures (N, H, W, C) with each side shrunk to `side` pixels, averaging over areas."""
    n, height, width, channels = pictures.shape
    tall = pictures.reshape(n * height, width, channels)                     # one tall strip: one resize for all
    image = Image.fromarray(tall[..., 0] if channels == 1 else tall)
    small = np.asarray(image.resize((side, n * side), Image.Resampling.BOX))
    return small.reshape(n, side, side, channels)
