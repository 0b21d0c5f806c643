"""Ways from point to point through a latent space. numpy only."""

from __future__ import annotations

import numpy as np

PARALLEL = 1e-4          # radians; below it an arc and a straight line cannot be told apart


def along(points: np.ndarray, steps: int, way: str) -> np.ndarray:
    """`steps` points on the way through `points` (K, d), evenly spaced in each stretch: float32 (steps, d).

    The first and the last are the first and the last of `points`. way: "line" or "circle".
    """
    points = np.asarray(points, np.float64)
    between = line if way == "line" else circle
    places = np.linspace(0, len(points) - 1, steps)
    starts = np.minimum(places.astype(int), len(points) - 2)
    return np.stack([between(points[start], points[start + 1], place - start)
                     for start, place in zip(starts, places)]).astype(np.float32)


def line(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The point at share t of the straight line from a to b, (d,)."""
    return (1 - t) * a + t * b


def circle(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The point at share t of the arc around the origin from a to b, (d,) (Shoemake 1985, slerp).

    The direction turns evenly and the distance from the origin changes evenly, so between two points
    of equal norm every point has that norm. Where no arc is defined (a or b at the origin, or both in
    one direction) it is the straight line; between opposite points it is one of the half circles.
    """
    norm_a, norm_b = np.linalg.norm(a), np.linalg.norm(b)
    if min(norm_a, norm_b) < 1e-9:
        return line(a, b, t)
    u, v = a / norm_a, b / norm_b
    angle = np.arccos(np.clip(u @ v, -1, 1))
    if angle < PARALLEL:
        return line(a, b, t)
    aside = _across(u) if np.pi - angle < PARALLEL else v - (u @ v) * u
    if not np.linalg.norm(aside):                         # opposite points in one dimension have no way round
        return line(a, b, t)
    aside = aside / np.linalg.norm(aside)
    direction = np.cos(angle * t) * u + np.sin(angle * t) * aside
    if t >= 1:
        return b
    return ((1 - t) * norm_a + t * norm_b) * direction


def _across(u: np.ndarray) -> np.ndarray:
    """Some direction at a right angle to the unit vector u, (d,)."""
    axis = np.eye(len(u))[np.abs(u).argmin()]
    return axis - (axis @ u) * u
