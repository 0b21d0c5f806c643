"""How well a game goes, in numbers that mean something where the truth is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engines.gan.losses import PROBABILITIES, discriminator_loss, generator_loss
from engines.gan.plane import REACH, Measures
from engines.gan.plane.game import Game
from engines.gan.plane.shapes import Data

POINTS = 1000                    # fresh ones of each kind that a look is measured on
WIDE = 3.0                       # standard deviations about a mode that count as good (Srivastava et al. 2017, VEEGAN)
FOUND = 0.1                      # of its fair share of the samples, that a mode needs in order to be found
CELLS = 20                       # along a side of the grid that the Jensen-Shannon divergence is taken on
NEAR = 0.99                      # share of real points that are as near to another real one as "near" means
REFERENCE = 1000                 # real points that nearness is told by

TRANSPORTED = 128                # points of each kind that Wasserstein-1 is estimated by: few enough for one core
SHARPNESS = 0.01                 # of the entropic plan, in units of the plane
SWEEPS = 40
FAR = 1000.0                     # where a point counts that has left the plane, so that distances to it stay numbers


class Yardstick:
    """What of the data can be made ready once."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.real = torch.from_numpy(data.x)
        self.centres = torch.from_numpy(data.centres)
        self.cells = _histogram(self.real)
        self.reference = self.real[:REFERENCE]
        others = self.real[REFERENCE:2 * REFERENCE]
        self.near = float(torch.cdist(others, self.reference).amin(1).quantile(NEAR))

    def quality(self, samples: Tensor) -> tuple[np.ndarray, int, float]:
        """samples (N, 2) -> share that each mode holds (M,), how many modes are found, share of good samples."""
        if not len(self.centres):
            good = torch.cdist(samples, self.reference).amin(1) <= self.near
            return np.zeros(0, np.float32), 0, float(good.float().mean())
        distance, which = torch.cdist(samples, self.centres).min(1)
        good = distance <= WIDE * self.data.width
        shares = torch.bincount(which[good], minlength=len(self.centres)).float() / len(samples)
        return shares.numpy(), int((shares >= FOUND / len(self.centres)).sum()), float(good.float().mean())

    def divergence(self, samples: Tensor) -> float:
        """Jensen-Shannon divergence in bits, 0 to 1, between the data and samples (N, 2), on a grid of cells."""
        p, q = self.cells, _histogram(samples)
        middle = (p + q) / 2
        half = [torch.where(each > 0, each * (each / middle).log2(), 0.0).sum() for each in (p, q)]
        return float((half[0] + half[1]) / 2)


def _histogram(points: Tensor) -> Tensor:
    """(N, 2) -> share in each cell; what lies outside counts in the cell at the edge."""
    place = ((points / (2 * REACH) + 0.5) * CELLS).long().clamp_(0, CELLS - 1)
    return torch.bincount(place[:, 0] * CELLS + place[:, 1], minlength=CELLS**2).double() / len(points)


def wasserstein(a: Tensor, b: Tensor) -> float:
    """Wasserstein-1 between two clouds (N, 2) of equal weights: the cost of Sinkhorn's plan (Cuturi 2013).

    The plan's entropy is taken down in steps to SHARPNESS, so the cost is a little above the best one.
    """
    cost = torch.cdist(a, b)                                                   # (N, N)
    f, g = torch.zeros(len(a)), torch.zeros(len(b))
    weight = -float(np.log(len(a)))
    for sharpness in np.geomspace(max(float(cost.mean()), SHARPNESS), SHARPNESS, SWEEPS):
        f = -sharpness * torch.logsumexp((g - cost) / sharpness + weight, dim=1)
        g = -sharpness * torch.logsumexp((f[:, None] - cost) / sharpness + weight, dim=0)
    plan = torch.exp((f[:, None] + g - cost) / SHARPNESS + 2 * weight)
    return float((plan * cost).sum() / plan.sum())


class Sight(NamedTuple):
    """Fresh draws that one look is measured on, always from the same noise, so that two looks differ by the game only."""

    z: Tensor
    real: Tensor


def sight(game: Game, yardstick: Yardstick, seed: int) -> Sight:
    random = torch.Generator().manual_seed(seed + 1)
    z = torch.empty(POINTS, game.rules.z_dim)
    z = z.normal_(generator=random) if game.rules.z_kind == "normal" else z.uniform_(-1, 1, generator=random)
    return Sight(z, yardstick.real[torch.randint(len(yardstick.real), (POINTS,), generator=random)])


def measure(game: Game, yardstick: Yardstick, seen: Sight, transport: bool) -> tuple[Measures, Tensor]:
    """The measures of this moment, and the generated points (POINTS, 2) that they were taken on."""
    rules = game.rules
    samples = game.way.generate(seen.z).clone()
    on_real, on_fake = game.way.judge(seen.real).clone(), game.way.judge(samples).clone()
    shown = torch.sigmoid if rules.loss in PROBABILITIES else torch.Tensor.clone
    modes, found, good = yardstick.quality(samples)
    far = samples.nan_to_num(FAR, FAR, -FAR).clamp_(-FAR, FAR)
    return Measures(
        float(discriminator_loss(rules.loss, on_real, on_fake, rules.smoothing)),
        float(generator_loss(rules.loss, on_fake)), float(shown(on_real).mean()), float(shown(on_fake).mean()),
        float(game.d.grad.norm()), float(game.g.grad.norm()), found, modes, good, yardstick.divergence(far),
        wasserstein(seen.real[:TRANSPORTED], far[:TRANSPORTED]) if transport else None), samples
