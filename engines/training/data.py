"""Where the recipes get their data, and how the small sets under assets/data are made from it.

    GALLERY_DATA=<folder> python -m engines.training.data            # write assets/data
    python -m engines.training.data --fetch-only --into <folder>     # only fetch, from the public homes

`GALLERY_DATA` names a folder with mnist/mnist.npz, fashion_mnist/fashion_mnist.npz and
emoji64/emoji64.npz. Where it is unset, the same pictures are fetched from their public homes into
a cache folder and checked against the fingerprints below.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from engines import data

DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
HOMES = {
    "mnist": ("https://storage.googleapis.com/cvdf-datasets/mnist/",
              "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    "fashion": ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
                "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
    "emoji": ("https://raw.githubusercontent.com/googlefonts/noto-emoji/"
              "b3e3051a088047d19fd4d49b1c3ac42fb8c3aaf8/",),
}
# sha256 over all pixels as bytes (train, then test), and over all labels
FINGERPRINTS = {
    "mnist": ("5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96",
              "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27"),
    "fashion": ("0fbbfcb392782b3b702472ead3688778e1509e8cf40f5c24d9d3303618b193ab",
              "8ab940a680640f36c0bf1d2549cb2f3b3d4068c12547116cc7b1161b1d26663d"),
}
FILES = {"mnist": "mnist/mnist.npz", "fashion": "fashion_mnist/fashion_mnist.npz", "emoji": "emoji64/emoji64.npz"}
PER_CLASS = {"mnist": 1000, "fashion": 500}      # training pictures of each class that are bundled
COLUMNS = {"mnist": 100, "fashion": 100, "emoji": 40}


class DataMissing(RuntimeError):
    """A data set could be found neither in GALLERY_DATA nor at its public home."""


# --- the whole set -----------------------------------------------------------------------------------------------

def whole(dataset: str) -> tuple[np.ndarray, np.ndarray, int]:
    """All pictures, uint8 (N, H, W, C), their labels, uint8 (N,), and how many of them are for training.

    Emoji are on white; their label is the group, and all of them count as training pictures.
    Raises DataMissing when the set is not at hand and cannot be fetched.
    """
    path = data_folder() / FILES[dataset]
    if not path.exists():
        fetch(dataset, path)
    with np.load(path) as stored:
        images = stored["images"]
        if dataset == "emoji":
            return on_white(images), _groups(), len(images)
        return images[..., None], stored["labels"], int(stored["n_train"])


def _groups() -> np.ndarray:
    """The group of every emoji by its position among the classes, uint8 (N,)."""
    classes = data.about("emoji")["classes"]
    items = json.loads((data.ROOT / "emoji" / "names.json").read_text("utf-8"))
    return np.array([classes.index(item["group"]) for item in items], np.uint8)


def data_folder() -> Path:
    """GALLERY_DATA, or the cache folder that fetched sets are kept in."""
    named = os.environ.get("GALLERY_DATA")
    return Path(named) if named else Path.home() / ".cache" / "gallery-data"


def on_white(rgba: np.ndarray) -> np.ndarray:
    """RGBA, uint8 (N, H, W, 4), composited on white: uint8 (N, H, W, 3)."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


# --- fetching ----------------------------------------------------------------------------------------------------

def fetch(dataset: str, path: Path, homes: tuple[str, ...] | None = None) -> None:
    """Fetch a set from its public home and write it to `path` in the layout of GALLERY_DATA."""
    faults = []
    for home in homes or HOMES[dataset]:
        try:
            arrays = _fetch_emoji(home) if dataset == "emoji" else _fetch_idx(home)
            _verify(dataset, arrays)
        except (OSError, ValueError) as error:
            faults.append(f"{home}: {error}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npz")
        np.savez_compressed(unfinished, **arrays)
        unfinished.replace(path)
        return
    raise DataMissing(f"{dataset} is not in {path.parent} and could not be fetched ({'; '.join(faults)}): "
                      f"set GALLERY_DATA to a folder that holds {FILES[dataset]}.")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def _fetch_idx(home: str) -> dict[str, np.ndarray]:
    train_x, train_y, test_x, test_y = (read_idx(gzip.decompress(_get(f"{home}{part}.gz"))) for part in PARTS)
    return {"images": np.concatenate([train_x, test_x]), "labels": np.concatenate([train_y, test_y]),
            "n_train": np.int64(len(train_x))}


def read_idx(raw: bytes) -> np.ndarray:
    """The idx format of the MNIST files: two zero bytes, type 8 (bytes), rank, then each size as 4 bytes."""
    if raw[:3] != b"\0\0\x08":
        raise ValueError("this is no idx file of bytes")
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(tuple(int(n) for n in shape))


def _fetch_emoji(home: str) -> dict[str, np.ndarray]:
    """The pictures named in assets/data/emoji/names.json, 128 x 128, halved by averaging 2 x 2 pixels."""
    items = json.loads((data.ROOT / "emoji" / "names.json").read_text("utf-8"))
    with ThreadPoolExecutor(8) as pool:
        files = pool.map(lambda item: _get(home + item["file"]), items)
        return {"images": np.stack([_halve(raw) for raw in files])}


def _halve(raw: bytes) -> np.ndarray:
    """A picture file to uint8 (64, 64, 4), RGBA; colours are weighted by their opacity."""
    with Image.open(io.BytesIO(raw)) as picture:
        rgba = np.asarray(picture.convert("RGBA").resize((128, 128)), np.float32)
    alpha = rgba[..., 3:]
    blocks = np.concatenate([rgba[..., :3] * alpha, alpha], -1).reshape(64, 2, 64, 2, 4).mean((1, 3))
    colour = blocks[..., :3] / np.maximum(blocks[..., 3:], 1e-6)
    return np.rint(np.concatenate([colour, blocks[..., 3:]], -1)).clip(0, 255).astype(np.uint8)


def _verify(dataset: str, arrays: dict[str, np.ndarray]) -> None:
    if dataset not in FINGERPRINTS:
        return
    found = tuple(hashlib.sha256(arrays[key].tobytes()).hexdigest() for key in ("images", "labels"))
    if found != FINGERPRINTS[dataset]:
        raise ValueError("the files differ from the set that the models here were trained on")


# --- bundling ----------------------------------------------------------------------------------------------------

def bundle(dataset: str) -> None:
    """Write assets/data/<dataset>: sheets, labels, names. config.json and licences are kept as they are."""
    folder = data.ROOT / dataset
    folder.mkdir(parents=True, exist_ok=True)
    images, labels, n_train = whole(dataset)
    if dataset == "emoji":
        kept = {"all": np.arange(len(images)), "test": np.arange(len(images))}
    else:
        kept = {"train": balanced(labels[:n_train], PER_CLASS[dataset]), "test": np.arange(n_train, len(images))}
    for split, index in kept.items():
        if dataset == "emoji" and split == "test":
            continue                                       # the same pictures, not written twice
        pixels = data.sheet(images[index], COLUMNS[dataset]).squeeze()
        Image.fromarray(pixels).save(folder / f"{split}.webp", lossless=True, quality=100, method=6)
    np.savez_compressed(folder / "labels.npz", **{split: labels[index] for split, index in kept.items()},
                        **{f"{split}_index": index.astype(np.int32) for split, index in kept.items()})
    config = json.loads((folder / "config.json").read_text("utf-8"))
    sheets = {split: "all.webp" if dataset == "emoji" else f"{split}.webp" for split in kept}
    config["splits"] = {split: {"sheet": sheets[split], "count": len(index), "columns": COLUMNS[dataset]}
                        for split, index in kept.items()}
    (folder / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", "utf-8")


def balanced(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Positions of the first `per_class` pictures of every class, in the original order."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=data.DATASETS, action="append", help="only this one; may be repeated")
    parser.add_argument("--fetch-only", action="store_true", help="fetch the whole sets, write nothing under assets")
    parser.add_argument("--into", type=Path, help="folder to fetch into")
    options = parser.parse_args()
    for dataset in options.dataset or data.DATASETS:
        if options.fetch_only:
            fetch(dataset, (options.into or data_folder()) / FILES[dataset])
        else:
            bundle(dataset)
        print(f"{dataset}: done")


if __name__ == "__main__":
    main()
