"""What is known of a model before anyone moves: its config and the codes of the bundled test pictures.

Read from the model's folder with numpy alone, so that the hub can answer without the engine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from engines.runtime import ModelFault, models

CODES = "codes.safetensors"
KEPT = 16                            # spaces held in memory: 10,000 codes of 64 dimensions are 5 MB


@dataclass(frozen=True, eq=False)
class Space:
    """A model's latent space as its encoder sees the bundled test pictures, in their order.

    mu, logvar: float32 (N, d), mean and log-variance of q(z|x); config: the model's config.json.
    """

    name: str
    config: dict[str, Any]
    mu: np.ndarray
    logvar: np.ndarray

    @property
    def dataset(self) -> str:
        return self.config["dataset"]

    @property
    def d(self) -> int:
        """Number of latent dimensions."""
        return self.mu.shape[1]

    @property
    def kl(self) -> np.ndarray:
        """Mean KL divergence of q(z|x) from N(0, 1) by dimension, float32 (d,), in nats; zeros for an autoencoder."""
        if self.config.get("kind") == "ae":
            return np.zeros(self.d, np.float32)
        return 0.5 * (self.mu**2 + np.exp(self.logvar) - 1 - self.logvar).mean(0)


def read(model: str) -> Space:
    """The space of a bundled model, or of "trained/<token>". Raises BadInput or ModelFault with a sentence."""
    folder = models.folder(model)
    codes = folder / CODES
    if not codes.is_file():
        raise ModelFault(f"The file {CODES} of {model} is missing: choose another model, or install the gallery again.")
    return _read(model, folder, codes.stat().st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _read(model: str, folder: Path, changed: int) -> Space:
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        tensors = load_file(folder / CODES)
        mu, logvar = (np.ascontiguousarray(tensors[name], np.float32) for name in ("mu", "logvar"))
    except (OSError, KeyError, ValueError, SafetensorError) as fault:
        raise ModelFault(f"The codes of {model} cannot be read; the file is truncated or altered: "
                         "choose another model, or install the gallery again.") from fault
    mu.flags.writeable = logvar.flags.writeable = False
    return Space(model, config, mu, logvar)
