"""The shapes that points lie on: what the small network is to learn. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.diffusion.plane import LATENT_MODEL, Shape
from engines.runtime import models

POINTS = 2000                    # of a shape that is drawn from: as many as a screen can show
PARTS = 8                        # colours along a line that has no parts of its own


@dataclass(frozen=True)
class Data:
    """x_0: float32 (M, 2), mean 0 and variance 1; labels: uint8 (M,); what was there is centre + scale * x_0."""

    x_0: np.ndarray
    labels: np.ndarray
    centre: tuple[float, float]
    scale: float


def make(shape: Shape) -> Data:
    """The data of a shape: always the same points. Raises BadInput or ModelFault for codes that are not there."""
    random = np.random.default_rng(0)
    made = {"moons": _moons, "spiral": _spiral, "gaussians": _gaussians, "latent": _latent}
    x, labels = _drawn(shape.drawing, random) if shape.kind == "drawn" else made[shape.kind](random)
    centre = x.mean(axis=0)
    scale = float(np.sqrt(np.square(x - centre).mean()))
    return Data(((x - centre) / scale).astype(np.float32), labels.astype(np.uint8),
                (float(centre[0]), float(centre[1])), scale)


def _moons(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    angle, upper = random.uniform(0, np.pi, POINTS), random.integers(0, 2, POINTS)
    x = np.stack([np.where(upper, np.cos(angle), 1 - np.cos(angle)),
                  np.where(upper, np.sin(angle), 0.5 - np.sin(angle))], 1)
    return x + random.normal(0, 0.06, x.shape), 1 - upper


def _spiral(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    along = np.sqrt(random.uniform(0.02, 1, POINTS))         # even in the length of the arm
    angle = 3 * np.pi * along
    x = np.stack([along * np.cos(angle), along * np.sin(angle)], 1)
    return x + random.normal(0, 0.02, x.shape), np.minimum(along * PARTS, PARTS - 1)


def _gaussians(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    which = random.integers(0, 8, POINTS)
    x = np.stack([np.cos(which * np.pi / 4), np.sin(which * np.pi / 4)], 1)
    return x + random.normal(0, 0.08, x.shape), which


def _latent(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The mean code of every test picture; its class is the label."""
    from safetensors.numpy import load_file

    from engines import data
    codes = load_file(models.folder(LATENT_MODEL) / "codes.safetensors")["mu"]
    order = random.permutation(len(codes))
    return codes[order].astype(np.float64), data.load("mnist", "test").labels[order]


def _drawn(strokes: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points about a visitor's strokes, a pen's width off them; coloured from the first stroke to the last."""
    which = random.integers(0, len(strokes), POINTS)
    x = strokes.astype(np.float64)[which]
    pen = 0.025 * np.abs(strokes - strokes.mean(axis=0)).max()
    return x + random.normal(0, pen, x.shape), which * PARTS // len(strokes)
