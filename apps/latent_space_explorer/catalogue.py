"""The models that the page offers, and what it must know of one before anyone moves."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from apps.latent_space_explorer import codes
from apps.latent_space_explorer.projection import Plane, principal_plane
from engines import data
from gallery.bundled import Kind

DEFAULT = "vae-mnist-2d"
KIND = Kind("autoencoder", lambda config: config.get("kind") in ("vae", "ae"))
MARGIN = 0.06                        # of the cloud's width, left free around it
# Where a visitor stands first, if not in the middle: the mean of all emoji is a grey blur, a face is a welcome.
FIRST = {"emoji": "grinning face with smiling eyes"}
TILE = 40                            # pixels: side of a picture of the data as it stands on the map


def config(model: str) -> dict[str, Any]:
    """A model's config.json. Raises BadInput or ModelFault, with a sentence, where there is no such model."""
    return KIND.config(model)


def bundled() -> list[dict[str, Any]]:
    """The configs of the models that came with the gallery, by name."""
    return KIND.installed()


def pictures(dataset: str) -> data.PictureSet:
    """The pictures whose codes the maps show: the test split, or all of a set that has no splits."""
    split = "test" if "test" in data.about(dataset)["splits"] else "all"
    return data.load(dataset, split)


def count(model: str) -> int:
    """How many test pictures the model's map shows."""
    return len(codes.read(model).mu)


@lru_cache(maxsize=16)
def _plane(space: codes.Space) -> Plane:
    return principal_plane(space.mu)


def plane(model: str) -> Plane:
    return _plane(codes.read(model))


def extent(model: str) -> tuple[float, float, float, float]:
    """(x0, x1, y0, y1) of the map: all but the outermost codes, with some air around them."""
    return _extent(codes.read(model))


@lru_cache(maxsize=16)
def _extent(space: codes.Space) -> tuple[float, float, float, float]:
    flat = _plane(space).flat(space.mu)
    low, high = np.percentile(flat, 0.2, axis=0), np.percentile(flat, 99.8, axis=0)
    air = MARGIN * (high - low).max()
    return float(low[0] - air), float(high[0] + air), float(low[1] - air), float(high[1] + air)


def first(dataset: str) -> int | None:
    """The number of the picture whose code the page starts at; None where it starts in the middle of the map."""
    title = FIRST.get(dataset)
    return pictures(dataset).titles.index(title) if title else None


def tiles(dataset: str) -> dict[str, int] | None:
    """Sheet of the pictures that can stand on the map themselves: those with names of their own. None for the others."""
    shown = pictures(dataset)
    return {"side": TILE, "columns": math.ceil(math.sqrt(len(shown.images)))} if len(shown.titles) else None


def facts(model: str) -> dict[str, Any]:
    """What the page needs to draw the map: JSON-able. `scale` turns the int16 codes into latent units."""
    space, flat = codes.read(model), plane(model)
    shown = pictures(space.dataset)
    return {
        "config": config(model),
        "n": len(space.mu),
        "d": space.d,
        "scale": scale(space.mu),
        "logvar_scale": scale(space.logvar),
        "names": list(shown.names),
        "titles": list(shown.titles),
        "first": first(space.dataset),
        "tiles": tiles(space.dataset),
        "extent": extent(model),
        "plane": {"mean": flat.mean.tolist(), "axes": flat.axes.tolist(), "explained": flat.explained.tolist()},
        "kl": space.kl.tolist(),
    }


def scale(values: np.ndarray) -> float:
    return float(max(np.abs(values).max(), 1e-6)) / 32767


def packed(values: np.ndarray) -> bytes:
    """float32 (N, d) -> little-endian int16, value = number * scale(values)."""
    return np.round(values / scale(values)).astype("<i2").tobytes()
