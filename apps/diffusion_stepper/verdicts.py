"""What a small classifier sees on the pictures, where there is one for their kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.diffusion_stepper import catalogue
from engines import diffusion, runtime
from engines.runtime import VisitorError, models


def classifier(model: str) -> str:
    """The classifier of the pictures that this model makes; "" where there is none."""
    name = f"classifier-{catalogue.config(model)['dataset']}"
    return name if name in models.names() else ""


async def judged(model: str, pictures: np.ndarray, session: str) -> list[dict[str, Any]]:
    """uint8 (N, H, W, C) -> for each {"label", "name", "sure": 0 to 1}; empty where nobody can say."""
    judge = classifier(model)
    if not judge:
        return []
    try:
        found = await runtime.start(diffusion.judge, diffusion.Judge(judge, pictures), session=session).aresult()
    except VisitorError:                 # a verdict is an extra: the pictures are shown without it
        return []
    names = catalogue.config(model).get("classes") or []
    labels = found.probabilities.argmax(1)
    return [{"label": int(label), "name": names[label] if label < len(names) else str(label),
             "sure": round(float(row[label]), 4)} for label, row in zip(labels, found.probabilities, strict=True)]
