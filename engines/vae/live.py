"""Training a small VAE while somebody watches: the recipe of `engines.training.vae`, short enough for a visit.

The time of a visit is given, not the number of steps, so a slower machine takes fewer of them. Only
time spent in this job's own steps counts: two visitors who train at once each get all of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from engines import data
from engines import vae as asked
from engines.vae import model as paper
from engines.vae.measure import Measured, codes, measuring

BATCH = 128
WIDTH = 128                      # half of the bundled models': three times as many steps in the same time
PEAK_RATE = 3e-3
WARM_UP = 0.08                   # share of the time over which the weight of the KL grows to beta
LOOK_EVERY_S = 0.09              # seconds of training between two looks
WATCHED = 100                    # held-out pictures of each class that every look measures and maps
SAMPLES = 144


class Lesson:
    """One training under way: the model, its optimiser, its noise, and the clock of its own steps."""

    def __init__(self, p: asked.Train) -> None:
        self.params = p
        pictures, held_out = data.load(p.dataset, "train"), data.load(p.dataset, "test")
        self.images = torch.tensor(pictures.images)                        # (N, H, W, C) bytes
        watched = np.sort(np.concatenate([np.flatnonzero(held_out.labels == label)[:WATCHED]
                                          for label in range(len(held_out.names))]))
        self.watched = paper.to_float(torch.tensor(held_out.images[watched]))
        self.labels = held_out.labels[watched]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(p.seed)
            self.vae = paper.VAE(paper.Architecture(tuple(pictures.images.shape[1:]), p.latent, p.kind,
                                                    width=WIDTH, encoder_depth=1, decoder_depth=2))
        self.optimiser = torch.optim.AdamW(self.vae.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99),
                                           weight_decay=1e-3, fused=True)
        self.random = torch.Generator().manual_seed(p.seed)
        self.prior = prior_points(p.latent)
        self.step, self.seconds, self.recent = 0, 0.0, []

    @property
    def fraction(self) -> float:
        return min(1.0, self.seconds / self.params.seconds)

    def advance(self) -> None:
        """One step down the gradient of -ELBO."""
        began, done = perf_counter(), self.fraction
        # 1. a minibatch
        index = torch.randint(len(self.images), (BATCH,), generator=self.random)
        x = paper.to_float(self.images[index])
        # 2. both terms, with one eps each
        reconstruction, kl = paper.elbo_terms(self.vae, x, self.random)
        loss = (reconstruction + self.params.beta * min(1.0, done / WARM_UP) * kl.sum(1)).mean()
        # 3. down, by a rate that rises briefly and falls to nothing
        for group in self.optimiser.param_groups:
            group["lr"] = PEAK_RATE * min(1.0, 0.05 + done / 0.03) * (0.01 + 0.495 * (1 + math.cos(math.pi * done)))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 200.0)
        self.optimiser.step()
        self.step += 1
        self.recent.append((reconstruction.mean() + kl.sum(1).mean()).item())
        self.seconds += perf_counter() - began

    def look(self) -> asked.Progress:
        """Measure the watched pictures and decode the fixed samples."""
        with torch.no_grad():
            mu, logvar = self.vae.encode(self.watched)
            eps = torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))
            is_vae = self.params.kind == "vae"
            z = paper.reparameterise(mu, logvar, eps) if is_vae else mu
            nats = paper.reconstruction_nats(self.watched, self.vae.decode(z)).mean().item()
            kl = paper.kl_divergence(mu, logvar).sum(1).mean().item() if is_vae else 0.0
            samples = paper.to_bytes(self.vae.decoder_mean(self.prior)).numpy()
        recent, self.recent = self.recent, []
        return asked.Progress(self.step, self.seconds, self.fraction, nats, kl,
                              float(np.mean(recent)) if recent else float("nan"),
                              mu.numpy(), self.labels, samples)


def train(p: asked.Train) -> Generator[asked.Progress | None, object, None]:
    """Train for `seconds`, a look now and then; the last frame names the model that was kept."""
    for split in ("train", "test"):         # read one at a time, so that no step is long
        data.load(p.dataset, split)
        yield None
    lesson, looked = Lesson(p), 0.0
    yield None
    yield lesson.look()
    while lesson.fraction < 1:
        lesson.advance()
        if lesson.seconds - looked < LOOK_EVERY_S:
            yield None
            continue
        yield None                          # a look is a step of its own, so that no step is long
        looked = lesson.seconds
        yield lesson.look()
    last = lesson.look()
    found = yield from measuring(lesson.vae.eval(), data.load(p.dataset, "test").images, seeds=(0,), chunk=200)
    from engines.runtime.trained import keep
    yield replace(last, fraction=1.0, model=keep(lambda folder: _write(folder, lesson, found)))


def _write(folder: Path, lesson: Lesson, found: Measured) -> None:
    """The folder of a trained model, laid out like a bundled one."""
    p = lesson.params
    tensors, facts = codes(found)
    save_file(tensors, folder / "codes.safetensors")
    paper.save(lesson.vae, folder, name="trained", dataset=p.dataset, beta=p.beta, measured=found.figures,
               measured_on="test set", **facts, parameters=sum(weight.numel() for weight in lesson.vae.parameters()),
               steps=lesson.step, seconds=round(lesson.seconds, 1), seed=p.seed)


def prior_points(latent: int, count: int = SAMPLES) -> Tensor:
    """Fixed points of the prior, (count, latent): for two dimensions a square grid of its quantiles, else draws."""
    if latent != 2:
        return torch.randn((count, latent), generator=torch.Generator().manual_seed(1))
    side = math.isqrt(count)
    marks = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(side) + 0.5) / side)
    y, x = torch.meshgrid(marks.flip(0), marks, indexing="ij")             # first row at the top of the map
    return torch.stack([x, y], -1).reshape(-1, 2)                          # (side, side, 2) -> (count, 2)
