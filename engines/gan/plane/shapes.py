"""What the real points lie on. numpy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engines.gan.plane import REACH, Shape

POINTS = 10_000                  # that batches are drawn from: many more than a network of this size could learn by heart
RING_WIDTH, GRID_WIDTH = 0.08, 0.04      # standard deviation of a mode: neighbours are ten and eleven of them apart
FIT = 0.9                        # of the square, that a visitor's own points fill
ENOUGH = 0.3                     # of that, for points that lie in view to be left where they are

Array = np.ndarray


@dataclass(frozen=True)
class Data:
    """x: float32 (N, 2). centres: float32 (M, 2) of the modes, M = 0 where there are none; width: of each of them."""

    x: Array
    centres: Array
    width: float
    centre: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0


def make(shape: Shape) -> Data:
    """The data of a shape: always the same points."""
    random = np.random.default_rng(0)
    if shape.kind == "own":
        return _own(shape.points, random)
    return _MADE[shape.kind](random)


def _line(random: np.random.Generator) -> Data:
    along = random.uniform(-1, 1, POINTS)
    x = np.stack([0.9 * along, 0.5 * along], 1) + random.normal(0, 0.03, (POINTS, 2))
    return _without_modes(x)


def _ring(random: np.random.Generator) -> Data:
    angle = np.arange(8) * np.pi / 4
    return _modes(np.stack([np.cos(angle), np.sin(angle)], 1), RING_WIDTH, random)


def _grid(random: np.random.Generator) -> Data:
    marks = np.linspace(-0.9, 0.9, 5)
    return _modes(np.stack(np.meshgrid(marks, marks), -1).reshape(-1, 2), GRID_WIDTH, random)


def _spiral(random: np.random.Generator) -> Data:
    along = np.sqrt(random.uniform(0.02, 1, POINTS))         # even in the length of the arm
    angle = 3.5 * np.pi * along
    x = np.stack([along * np.cos(angle), along * np.sin(angle)], 1)
    return _without_modes(x + random.normal(0, 0.02, x.shape))


def _rings(random: np.random.Generator) -> Data:
    angle, right = random.uniform(0, 2 * np.pi, POINTS), random.integers(0, 2, POINTS)
    x = 0.4 * np.stack([np.cos(angle), np.sin(angle)], 1)
    x[:, 0] += np.where(right, 0.55, -0.55)
    return _without_modes(x + random.normal(0, 0.02, x.shape))


def _modes(centres: Array, width: float, random: np.random.Generator) -> Data:
    x = centres[random.integers(0, len(centres), POINTS)] + random.normal(0, width, (POINTS, 2))
    return Data(x.astype(np.float32), centres.astype(np.float32), width)


def _without_modes(x: Array) -> Data:
    return Data(x.astype(np.float32), np.zeros((0, 2), np.float32), 0.0)


def _own(points: Array, random: np.random.Generator) -> Data:
    """A visitor's points in the middle of the square, each a small cloud, so that a few are a distribution too."""
    given = points.astype(np.float64)
    low, high = given.min(axis=0), given.max(axis=0)
    centre, scale = (low + high) / 2, float((high - low).max()) / (2 * FIT)
    if np.abs(given).max() <= REACH and scale >= ENOUGH:     # drawn on the plane: there it stays
        centre, scale = np.zeros(2), 1.0
    x = (given - centre) / scale
    x = x[random.integers(0, len(x), POINTS)] + random.normal(0, 0.01, (POINTS, 2))
    return Data(x.astype(np.float32), np.zeros((0, 2), np.float32), 0.0, (float(centre[0]), float(centre[1])), scale)


_MADE: dict[str, Callable[[np.random.Generator], Data]] = {
    "line": _line, "ring": _ring, "grid": _grid, "spiral": _spiral, "rings": _rings}
