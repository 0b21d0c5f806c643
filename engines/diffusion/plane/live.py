"""Training the small network while somebody watches (Ho et al. 2020, arXiv:2006.11239, algorithm 1).

The number of steps is given and not the time, so that a seed means the same network on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from engines.diffusion import plane as asked
from engines.diffusion.plane import T, shapes, walks
from engines.diffusion.plane.network import Noise, Plane, save
from engines.diffusion.process import q_sample

BATCH = 512
PEAK_RATE = 4e-3
WARM_UP = 50                     # steps until the rate is at its peak
EARLY = (5, 10, 20, 30, 40)      # looks, beside one every LOOK_EVERY: most is learned at the beginning
LOOK_EVERY = 50
LEVELS = (1, 20, 50, 100, 160, 240, 330, 430, 540, 660, 800, 1000)    # of the field that a look measures
WATCHED = 300                    # points that a look brings back
STRIDES = 25                     # in which it does


class Lesson:
    """One training under way: the network, its optimiser, its noise, and the clock of its own steps."""

    def __init__(self, p: asked.Train) -> None:
        self.params = p
        self.data = shapes.make(p.shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(p.seed)
            self.plane = Plane(Noise(), torch.from_numpy(self.data.x_0))
        self.optimiser = torch.optim.AdamW(self.plane.noise.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99),
                                           weight_decay=0.0, fused=True)
        self.random = torch.Generator().manual_seed(p.seed)
        self.alpha_bar = walks.alpha_bar()
        self.step, self.seconds, self.recent = 0, 0.0, []

    def advance(self) -> None:
        """One step down the gradient of |eps - eps_theta(x_t, t)|^2 (eq. 14)."""
        began, x_0 = perf_counter(), self.plane.x_0
        # 1. data, a level of noise for each point, and the noise
        x = x_0[torch.randint(len(x_0), (BATCH,), generator=self.random)]      # (B, 2)
        t = torch.randint(1, T + 1, (BATCH,), generator=self.random)
        eps = torch.randn(x.shape, generator=self.random)
        # 2. how far off is the network?
        x_t = q_sample(x, self.alpha_bar[t], eps)
        loss = (eps - self.plane.noise(x_t, t.float())).square().mean()
        # 3. down, by a rate that rises briefly and falls to nothing
        done = self.step / self.params.steps
        for group in self.optimiser.param_groups:
            group["lr"] = PEAK_RATE * min(1.0, (self.step + 1) / WARM_UP) * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        self.recent.append(loss.item())
        self.seconds += perf_counter() - began

    def due(self) -> bool:
        return self.step in EARLY or self.step % LOOK_EVERY == 0 or self.step == self.params.steps

    def look(self, start: Tensor) -> Iterator[asked.Progress | None]:
        """The field at LEVELS, and the points `start` (N, 2) of pure noise brought back. A pause between its parts."""
        p, places = self.params, walks.grid(self.params.side, self.params.reach)
        with torch.no_grad():
            eps = torch.stack([self.plane.eps(places, level) for level in LEVELS])
        yield None
        back = [start[None]]                                                   # of (1, N, 2), from noise down
        strides = walks.back(self.plane.eps, back[0], STRIDES, STRIDES, torch.zeros(1), p.seed)
        for _ in range(STRIDES):
            with torch.no_grad():                                              # not open across a yield
                back.append(next(strides))
            if len(back) % 9 == 0:
                yield None
        recent, self.recent = self.recent, []
        yield asked.Progress(self.step, p.steps, self.seconds, float(np.mean(recent)) if recent else float("nan"),
                             np.array(LEVELS), eps.numpy(), torch.cat(back[::-1]).numpy())


def train(p: asked.Train) -> Iterator[asked.Progress | None]:
    """Train for p.steps, a look now and then; the last frame names the network that was kept."""
    lesson = Lesson(p)
    yield None
    # the points that are watched end where `walk` and `scatter` let the same points dissolve to
    start = walks.dissolve(lesson.plane.x_0[:WATCHED], 200, p.seed)[-1]
    yield from lesson.look(start)
    while lesson.step < p.steps - 1:
        lesson.advance()
        yield None
        if lesson.due():
            yield from lesson.look(start)
    lesson.advance()
    yield None
    from engines.runtime.trained import keep
    for last in lesson.look(start):
        yield last and replace(last, model=keep(lambda folder: _write(folder, lesson, last.loss)))


def _write(folder: Path, lesson: Lesson, loss: float) -> None:
    p, data = lesson.params, lesson.data
    save(lesson.plane.eval(), folder, name="trained", engine="diffusion-plane", shape=p.shape.kind, seed=p.seed,
         steps=p.steps, seconds=round(lesson.seconds, 1), loss=loss, centre=data.centre, scale=data.scale)
