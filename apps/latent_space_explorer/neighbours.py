"""What a point of the latent space is near to: a vote of the test pictures whose codes lie closest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.latent_space_explorer import pictures
from apps.latent_space_explorer.codes import Space

VOTERS = 15                          # odd, and few enough to stay within one class where classes are small
AT_ONCE = 64                         # points compared with all codes at a time: 64 x 10,000 distances are 2.5 MB


@dataclass(frozen=True, eq=False)
class Vote:
    """label: uint8 (N,), the class most common among the nearest codes. votes: int (N,), how many of VOTERS agree.

    nearest: int (N, VOTERS), the test pictures asked, nearest first.
    """

    label: np.ndarray
    votes: np.ndarray
    nearest: np.ndarray


def vote(space: Space, z: np.ndarray) -> Vote:
    """The class around each point of z (N, d), by Euclidean distance to the means of the test pictures."""
    labels = pictures.labels(space.dataset)[:len(space.mu)]
    z = np.asarray(z, np.float32)
    square = (space.mu**2).sum(1)                                                   # (M,)
    k = min(VOTERS, len(space.mu))
    nearest = np.empty((len(z), k), np.int64)
    for start in range(0, len(z), AT_ONCE):
        part = z[start:start + AT_ONCE]
        distance = square - 2 * part @ space.mu.T                                   # (n, M), less a constant by row
        close = np.argpartition(distance, k - 1, axis=1)[:, :k]
        order = np.take_along_axis(distance, close, 1).argsort(1)
        nearest[start:start + AT_ONCE] = np.take_along_axis(close, order, 1)
    asked = labels[nearest]                                                         # (N, k)
    counts = (asked[:, :, None] == np.arange(int(labels.max()) + 1)).sum(1)         # (N, classes)
    return Vote(counts.argmax(1).astype(np.uint8), counts.max(1), nearest)
