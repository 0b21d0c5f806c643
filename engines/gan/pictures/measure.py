"""How good a crowd of made pictures is, cheaply enough to be asked while they are being learned."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import numpy as np
import torch
from torch import Tensor

from engines.diffusion.classifier import Classifier
from engines.diffusion.measure import frechet, precision_recall
from engines.gan.pictures import Measures

CHUNK = 25                   # pictures in one pass through the classifier: 20 ms, so that nobody waits for it
SQUARE = 4                   # pixels along a side of the squares whose mean colours stand for a picture


class Ruler:
    """Real pictures, looked at once, and a way to look at made ones in the same space.

    classifier: None where there is none for such pictures; then they are compared by the mean colours of their
    squares.
    """

    def __init__(self, real: np.ndarray, classes: int, classifier: Classifier | None, others: np.ndarray | None = None) -> None:
        """real: uint8 (N, 32, 32, C), not learned from where there are enough. others: as many more, to be measured too."""
        self.pictures, self.others, self.classes, self.classifier = real, others, classes, classifier
        self.floor = float("nan")
        self.space = "colours" if classifier is None else "classifier"
        self.real: np.ndarray | None = None

    def measuring(self, step: int, draw: Callable[[Tensor], Tensor]) -> Generator[None, None, Measures]:
        """Measure what `draw` makes: labels (n,) -> uint8 (n, 32, 32, C). As many as the real ones, all classes
        alike."""
        if self.real is None:
            self.real, _ = yield from self._seen(self.pictures)
            if self.others is not None:
                features, _ = yield from self._seen(self.others)
                self.floor = frechet(self.real, features)
                yield None
        asked = np.resize(np.arange(self.classes), len(self.pictures))
        made = []
        for part in np.array_split(asked, max(1, len(asked) // CHUNK)):
            made.append(draw(torch.from_numpy(part)).numpy())
            yield None
        features, taken_for = yield from self._seen(np.concatenate(made))
        precision, recall = precision_recall(self.real, features)
        yield None
        recognised, share = float("nan"), ()
        if taken_for is not None:
            recognised = float((taken_for == asked).mean())
            share = tuple((np.bincount(taken_for, minlength=self.classes) / len(asked)).tolist())
        distance = frechet(self.real, features)
        return Measures(step, len(asked), self.space, distance, precision, recall, recognised, share,
                        self.floor)

    def _seen(self, pictures: np.ndarray) -> Generator[None, None, tuple[np.ndarray, np.ndarray | None]]:
        """Features, float64 (N, F), and the class each is taken for, (N,), or None."""
        if self.classifier is None:
            return colours(pictures), None
        found = []
        for x in _chunks(pictures, next(self.classifier.parameters()).device):
            with torch.no_grad():
                found.append([each.cpu() for each in self.classifier(x)])
            yield None
        logits, features = (torch.cat(column) for column in zip(*found))
        return features.double().numpy(), logits.argmax(1).numpy()


def colours(pictures: np.ndarray) -> np.ndarray:
    """uint8 (N, 32, 32, C) -> means over squares, from 0 to 1, float64 (N, 64 C)."""
    count, height, width, channels = pictures.shape
    squares = pictures.reshape(count, height // SQUARE, SQUARE, width // SQUARE, SQUARE, channels)
    return squares.mean((2, 4)).reshape(count, -1) / 255


def _chunks(pictures: np.ndarray, device: torch.device) -> Iterator[Tensor]:
    for part in np.array_split(pictures, max(1, len(pictures) // CHUNK)):
        yield torch.from_numpy(part).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1      # (B, C, 32, 32)
