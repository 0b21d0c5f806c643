"""What may be asked of the plane, as jobs for the runtime. `engines.diffusion.plane` declares them.

The network is called right here and not by requests that visitors share: every visitor has trained another one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engines.diffusion import plane as asked
from engines.diffusion.plane import shapes, walks
from engines.diffusion.plane.network import Plane

STROKES = 600                    # of the data, that the mass is measured by
BLUR = 0.12                      # so that the mass of the data itself, at t = 0, has a width
DECADES = 3.0                    # of density, from the densest place to "hardly any"

DDPM, DDIM = 1.0, 0.0            # eta


def scatter(p: asked.Scatter) -> Iterator[asked.Scattered | None]:
    """The points of a shape on their way to noise, and where they are likely to be at each level."""
    data = shapes.make(p.shape)
    x_0 = torch.from_numpy(data.x_0)
    yield None
    forward = walks.dissolve(x_0[:p.count], p.steps, p.seed)
    a = walks.alpha_bar()
    places, mass = walks.grid(p.side, p.reach).reshape(-1, 2), []
    for level in p.levels:
        yield None
        mass.append(density(places, x_0[:STROKES], a[level]).reshape(p.side, p.side))
    yield asked.Scattered(data.x_0[:shapes.POINTS], data.labels[:shapes.POINTS], forward.numpy(),
                          np.arange(len(forward[0])), a[walks.levels(p.steps)].numpy(), data.centre, data.scale,
                          torch.stack(mass).numpy())


def density(places: Tensor, x_0: Tensor, a: Tensor) -> Tensor:
    """q(x_t) at places (P, 2) for data x_0 (M, 2), from 0 (a thousandth of the densest) to 1: (P,)."""
    variance = 1 - a + BLUR**2
    log = torch.logsumexp(-torch.cdist(places, a.sqrt() * x_0).square() / (2 * variance), dim=1)
    return (1 + (log - log.max()) / (DECADES * np.log(10))).clamp(0, 1)


def field(plane: Plane, p: asked.Field) -> Iterator[asked.Arrows | None]:
    places, found = walks.grid(p.side, p.reach), []
    for level in p.levels:
        found.append(plane.eps(places, level))                                 # (side, side, 2)
        yield None
    yield asked.Arrows(torch.stack(found).numpy(), walks.alpha_bar()[list(p.levels)].numpy())


def walk(plane: Plane, p: asked.Walk) -> Iterator[asked.Walked | None]:
    """Dissolve the first points of the data; bring them back from the turn, by both ways at once."""
    x_0 = plane.x_0[:p.count].cpu()
    forward = walks.dissolve(x_0, p.steps, p.seed)                             # (steps + 1, N, 2)
    turn = p.steps if p.turn is None else p.turn
    places = [forward[turn].expand(2, -1, -1)]                                 # of (2, N, 2), from the turn down
    for x in walks.back(plane.eps, places[0], turn, p.steps, torch.tensor([DDPM, DDIM]), p.seed):
        places.append(x)
        yield None
    ddpm, ddim = torch.stack(places[::-1]).transpose(0, 1)                     # 2 x (turn + 1, N, 2)
    beyond = forward[turn + 1:]
    yield asked.Walked(forward.numpy(), torch.cat([ddpm, beyond]).numpy(), torch.cat([ddim, beyond]).numpy())


def follow(plane: Plane, p: asked.Follow) -> Iterator[asked.Followed | None]:
    """One place, many futures: DDPM draws another each time, DDIM has one."""
    eta = torch.tensor([DDIM] + [DDPM] * p.draws)
    places = [torch.tensor(p.x, dtype=torch.float32).expand(len(eta), 1, 2)]
    for x in walks.back(plane.eps, places[0], p.k, p.steps, eta, p.seed):
        places.append(x)
        yield None
    paths = torch.stack(places[::-1], dim=1)[:, :, 0]                          # (1 + draws, k + 1, 2)
    yield asked.Followed(paths[0].numpy(), paths[1:].numpy())
