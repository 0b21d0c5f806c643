"""Pictures as bytes: what the hub sends of a game of pictures, in the records of `gallery.streams`.

A body is `length (uint32) · JSON · images · numbers`: the images as bytes, (N, side, side, channels), the rest as float32.
Digits and clothes are sent without the black edge of two pixels that the networks need.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.gan_trainer.wire import number
from engines.gan import pictures
from gallery import streams

EDGE = 2                             # of pictures of 28 x 28, padded to 32


def trimmed(images: np.ndarray) -> np.ndarray:
    """uint8 (N, 32, 32, C) -> what is shown of it, (N, side, side, C)."""
    return images if images.shape[-1] == 3 else images[:, EDGE:-EDGE, EDGE:-EDGE]


def record(head: dict[str, Any], images: np.ndarray, *numbers: np.ndarray) -> bytes:
    shown = trimmed(images)
    head = {**head, "count": len(shown), "side": shown.shape[1], "channels": shown.shape[3]}
    return streams.headed(head, shown.tobytes(), *(each.astype("<f4").tobytes() for each in numbers))


def measured(found: pictures.Measures | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"step": found.step, "samples": found.samples, "space": found.space, "frechet": number(found.frechet),
            "precision": number(found.precision), "recall": number(found.recall), "recognised": number(found.recognised),
            "share": [round(each, 4) for each in found.share], "floor": number(found.floor)}


def look(frame: pictures.Look, loss: str) -> bytes:
    """A look at a game; after its images come D's verdicts of them and of the real ones, (N,) each, and the curve."""
    head = {"step": frame.step, "seconds": round(frame.seconds, 2), "loss": loss, "changed": list(frame.changed),
            "broken": frame.broken, "kept": frame.moment is not None, "measures": measured(frame.measures),
            "rows": len(frame.curve), **{name: number(getattr(frame, name)) for name in pictures.CURVE[1:]}}
    return record(head, frame.images, frame.verdicts, frame.real_verdicts, frame.curve)


def stage(step: int, loss: str, images: np.ndarray, verdicts: np.ndarray, real: np.ndarray,
          measures: dict[str, Any] | None) -> bytes:
    """The same of networks that were trained beforehand: there is no curve, and D's means are those of what is shown."""
    head = {"step": step, "seconds": 0, "loss": loss, "changed": [], "broken": "", "kept": False, "measures": measures,
            "rows": 0, "precomputed": True, **dict.fromkeys(pictures.CURVE[1:]), "d_real": number(float(real.mean())),
            "d_fake": number(float(verdicts.mean()))}
    return record(head, images, verdicts, real)
