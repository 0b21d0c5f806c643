"""The atlas: the decoder asked at every crossing of a grid over the map, once per model and kept.

With it the page shows a decoding under the pointer without asking anyone.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cache

import numpy as np

from apps.latent_space_explorer import catalogue, view
from engines import runtime, vae
from engines.runtime import VisitorError

WIDEST = 1344                        # pixels along the longer side of an atlas
ASPECT = 1.35                        # width of the map in the page by its height
KEPT = 12                            # atlases in memory, at 0.2 to 0.9 MB each
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layout:
    """rows x columns points over extent = (x0, x1, y0, y1), the outermost points on its edge, the top row at y1."""

    rows: int
    columns: int
    extent: tuple[float, float, float, float]


def layout(model: str) -> Layout:
    """As many tiles as the size of the picture allows, over the extent widened to the map's shape."""
    side = catalogue.config(model)["image"][0]
    x0, x1, y0, y1 = catalogue.extent(model)
    width, height = x1 - x0, y1 - y0
    more_x, more_y = max(0.0, ASPECT * height - width) / 2, max(0.0, width / ASPECT - height) / 2
    columns = min(48, WIDEST // side)
    return Layout(round(columns / ASPECT), columns, (x0 - more_x, x1 + more_x, y0 - more_y, y1 + more_y))


def points(model: str, grid: Layout) -> np.ndarray:
    """float32 (rows * columns, d), row by row, in the plane through the middle of the codes."""
    x0, x1, y0, y1 = grid.extent
    x, y = np.meshgrid(np.linspace(x0, x1, grid.columns), np.linspace(y1, y0, grid.rows))
    return catalogue.plane(model).lift(np.stack([x.ravel(), y.ravel()], 1).astype(np.float32))


async def decode_all(model: str, z: np.ndarray, session: str) -> np.ndarray:
    """Decode any number of points (N, d), in as many requests as the engine's limit asks for."""
    parts = []
    for start in range(0, len(z), vae.MAX_PICTURES):
        chunk = tuple(tuple(map(float, row)) for row in z[start:start + vae.MAX_PICTURES])
        frame = await runtime.start(vae.decode, vae.Decode(model, chunk), session=session).aresult()
        parts.append(frame.images)
    return np.concatenate(parts)


class Atlases:
    """Each atlas is made once, whoever asks first; the others wait for the same one."""

    def __init__(self) -> None:
        self._made: dict[str, asyncio.Future[tuple[bytes, str]]] = {}

    async def get(self, model: str) -> tuple[bytes, str]:
        """The atlas of a model as a lossless picture, and its media type. Raises VisitorError where the engine does."""
        made = self._made.get(model)
        if made is None or (not made.done() and made.get_loop() is not asyncio.get_running_loop()):
            while len(self._made) >= KEPT:
                del self._made[next(iter(self._made))]
            self._made[model] = asyncio.ensure_future(self._make(model))
        try:
            return await asyncio.shield(self._made[model])
        except Exception:
            self._made.pop(model, None)                       # the next visitor tries again
            raise

    async def _make(self, model: str) -> tuple[bytes, str]:
        grid = layout(model)
        images = await decode_all(model, points(model, grid), session="atlas")
        return await asyncio.to_thread(view.lossless, view.sheet(images, grid.rows, grid.columns))


@cache
def atlases() -> Atlases:
    """Those of this process."""
    return Atlases()


async def warm() -> None:
    """Make the bundled models' atlases before the first visitor asks; what fails now is tried again when asked for."""
    for config in catalogue.bundled():
        try:
            await atlases().get(config["name"])
        except VisitorError as fault:
            log.warning("no atlas of %s yet: %s", config["name"], fault)
