"""The small data sets that the demos show, read from assets/data. numpy and pillow only.

A set is stored as sheets: one lossless WebP picture that holds many small ones side by side,
row after row, so that it can also be opened in any picture viewer. `config.json` beside it says
where the pictures come from, under which licence, and how they are laid out.
`engines.training.data` makes these folders.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from engines.runtime import BadInput

ROOT = Path(__file__).resolve().parents[1] / "assets" / "data"
DATASETS = ("mnist", "fashion", "emoji")


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures with their classes; read-only, so that they can be shared.

    images: uint8 (N, H, W, C). labels: uint8 (N,), positions in `names`. names: the classes.
    titles, symbols, keywords: one for each picture where pictures have names of their own (emoji), else
    empty. Keywords are words to find a picture by, its subgroup among them.
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    titles: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    keywords: tuple[tuple[str, ...], ...] = ()


def about(dataset: str) -> dict:
    """The set's config.json: title, image size, classes, splits with their counts, source, licence."""
    if dataset not in DATASETS:
        raise BadInput(f"there is no data set {dataset!r}; there are {', '.join(DATASETS)}: choose one of these.")
    return json.loads((ROOT / dataset / "config.json").read_text("utf-8"))


@lru_cache(maxsize=5)
def load(dataset: str, split: str = "test") -> PictureSet:
    """The bundled pictures of one split ("train" or "test"; emoji: "test" is all of them), in a fixed order.

    Raises BadInput for a data set or a split that there is not.
    """
    config = about(dataset)
    if split not in config["splits"]:
        raise BadInput(f"{dataset} has no split {split!r}; it has {', '.join(config['splits'])}: choose one of these.")
    layout, folder = config["splits"][split], ROOT / dataset
    images = _cut(folder / layout["sheet"], layout["count"], tuple(config["image"]))
    labels = np.load(folder / "labels.npz")[split]
    for array in (images, labels):
        array.setflags(write=False)
    items = json.loads((folder / "names.json").read_text("utf-8")) if config.get("named") else []
    return PictureSet(images, labels, tuple(config["classes"]),
                      tuple(item["name"] for item in items), tuple(item["emoji"] for item in items),
                      tuple((*item["keywords"], item["subgroup"]) for item in items))


def _cut(sheet: Path, count: int, shape: tuple[int, int, int]) -> np.ndarray:
    """A sheet cut into its pictures, uint8 (count, H, W, C)."""
    height, width, channels = shape
    with Image.open(sheet) as picture:
        pixels = np.asarray(picture.convert("RGB" if channels == 3 else "L"))
    rows, columns = pixels.shape[0] // height, pixels.shape[1] // width
    pixels = pixels.reshape(rows, height, columns, width, channels)    # (rows, H, columns, W, C)
    pixels = pixels.transpose(0, 2, 1, 3, 4)                           # (rows, columns, H, W, C)
    return np.ascontiguousarray(pixels.reshape(rows * columns, height, width, channels)[:count])


def sheet(images: np.ndarray, columns: int) -> np.ndarray:
    """The pictures, uint8 (N, H, W, C), side by side in rows of `columns`: (rows*H, columns*W, C)."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    full = np.zeros((rows * columns, height, width, channels), np.uint8)
    full[:count] = images
    full = full.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return full.reshape(rows * height, columns * width, channels)


def padded(images: np.ndarray, side: int = 32) -> np.ndarray:
    """uint8 (N, H, W, C) laid in the middle of black squares, (N, side, side, C)."""
    spare = [side - length for length in images.shape[1:3]]
    return np.pad(images, ((0, 0), *((each // 2, each - each // 2) for each in spare), (0, 0)))
