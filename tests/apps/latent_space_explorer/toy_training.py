"""A training that learns nothing, in steps of a few milliseconds, for tests of what surrounds one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from engines import vae
from engines.runtime import Job

STEPS = 30


def train(params: vae.Train) -> Iterator[vae.Progress]:
    """`seed` 13 fails on the way; `seed` 99 goes on for a minute."""
    rng = np.random.default_rng(params.seed)
    codes = rng.standard_normal((50, params.latent)).astype(np.float32)
    for step in range(STEPS if params.seed != 99 else 6000):
        time.sleep(0.01)
        if params.seed == 13 and step == 3:
            raise RuntimeError("secret detail")
        share = (step + 1) / STEPS
        yield vae.Progress(step, step * 0.01, min(share, 1.0), 100.0 - step, 1.0 + step, 101.0, codes * share,
                           (np.arange(50) % 10).astype(np.uint8), np.full((9, 28, 28, 1), step, np.uint8),
                           "trained/0123456789abcdef" if share == 1 else "")


job = Job("tests.apps.latent_space_explorer.toy_training:train", params=vae.Train, frame=vae.Progress, mode="training",
          outbox="latest", deadline_s=300.0)
