"""A flat map of a space with more than two dimensions: its two principal axes.

Pearson, "On lines and planes of closest fit to systems of points in space", 1901.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Plane:
    """mean: float32 (d,). axes: float32 (2, d), orthonormal rows, the direction of most variance first.

    explained: float32 (2,), the share of the variance of the codes along each axis (0 to 1).
    """

    mean: np.ndarray
    axes: np.ndarray
    explained: np.ndarray

    def flat(self, z: np.ndarray) -> np.ndarray:
        """Codes (N, d) -> places on the map (N, 2)."""
        return (z - self.mean) @ self.axes.T

    def lift(self, places: np.ndarray, z: np.ndarray | None = None) -> np.ndarray:
        """Places on the map (N, 2) -> codes (N, d), in the plane through the mean, or through z (d,)."""
        if z is None:
            return self.mean + places @ self.axes
        return z + (places - self.flat(z[None])) @ self.axes


def principal_plane(mu: np.ndarray) -> Plane:
    """The plane of closest fit to the codes mu (N, d), d >= 2.

    Two dimensions are left as they are: a map of them needs no projection. Otherwise the sign of
    each axis is fixed (its largest entry is positive), so that the map never flips between visits.
    """
    d = mu.shape[1]
    centred = mu - mu.mean(0)
    if d == 2:
        share = centred.var(0) / max(centred.var(0).sum(), 1e-12)
        return Plane(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), share.astype(np.float32))
    variance, vectors = np.linalg.eigh(np.cov(centred.astype(np.float64), rowvar=False))
    axes = vectors.T[::-1][:2]                                                    # (2, d), most variance first
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
    explained = variance[::-1][:2] / max(variance.sum(), 1e-12)
    return Plane(mu.mean(0).astype(np.float32), axes.astype(np.float32), explained.astype(np.float32))


def turned_like(plane: Plane, before: Plane | None) -> Plane:
    """The same plane, turned (and mirrored) within itself to lie as nearly as it can like the one before.

    Orthogonal Procrustes (Schönemann, 1966): while a model learns, its principal axes trade
    places and signs; without this the map would jump although the codes hardly moved.
    """
    if before is None or before.axes.shape != plane.axes.shape:
        return plane
    u, _, vt = np.linalg.svd(plane.axes @ before.axes.T)                           # (2, 2)
    turn = (u @ vt).T.astype(np.float32)
    return Plane(plane.mean, turn @ plane.axes, plane.explained)
