"""Both processes in the plane: points to noise and back (Ho et al. 2020, arXiv:2006.11239; Song, Meng, Ermon,
"Denoising Diffusion Implicit Models", ICLR 2021, arXiv:2010.02502).

A walk has places 0 (clean) to `steps` (noise); place k stands at the noise level t = 1000 k / steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from engines.diffusion.plane import T
from engines.diffusion.process import alpha_bars, predicted_x_0

BACK = 2**31                     # added to a seed: the way back draws other noise than the way there


def levels(steps: int) -> list[int]:
    """t at each place of a walk, (steps + 1,): from 0 to T. The strides are diffusers' "trailing" ones."""
    return [0, *np.round(np.arange(T, 0, -T / steps))[::-1].astype(int).tolist()]


def alpha_bar() -> Tensor:
    """alpha_bar_t for t = 0 (clean: 1) to T, float32 (T + 1,)."""
    return torch.cat([torch.ones(1), alpha_bars("linear", T)])


def dissolve(x_0: Tensor, steps: int, seed: int) -> Tensor:
    """x_0 (N, 2) to noise by the chain of eq. 2, with the variance of each stride: (steps + 1, N, 2)."""
    random = torch.Generator().manual_seed(seed)
    a = alpha_bar()[levels(steps)]                                             # (steps + 1,)
    places = [x_0]
    for kept in a[1:] / a[:-1]:                                                # of the signal, in one stride
        noise = torch.randn(x_0.shape, generator=random)
        places.append(kept.sqrt() * places[-1] + (1 - kept).sqrt() * noise)
    return torch.stack(places)


def step(x_t: Tensor, eps: Tensor, a: Tensor, a_before: Tensor, eta: Tensor, noise: Tensor) -> Tensor:
    """One stride from alpha_bar a to a_before (DDIM, eq. 12 and 16). eta 0 is DDIM, 1 is DDPM with the smaller of its
    two variances. All broadcast against x_t (..., 2)."""
    sigma = eta * ((1 - a_before) / (1 - a) * (1 - a / a_before)).sqrt()
    x_0 = predicted_x_0(x_t, a, eps)
    return a_before.sqrt() * x_0 + (1 - a_before - sigma**2).clamp(min=0).sqrt() * eps + sigma * noise


def back(eps: Callable[[Tensor, int], Tensor], x: Tensor, k: int, steps: int, eta: Tensor, seed: int) -> Iterator[Tensor]:
    """From place k, x (W, N, 2), down to the data: W ways, each with its eta (W,). Yields places k - 1, ..., 0."""
    random = torch.Generator().manual_seed(seed + BACK)
    t, a = levels(steps), alpha_bar()[levels(steps)]
    for k in range(k, 0, -1):
        # 1. what does the network believe?
        believed = eps(x, t[k])
        # 2. one stride back, with or without fresh noise
        noise = torch.randn(x.shape, generator=random)
        x = step(x, believed, a[k], a[k - 1], eta[:, None, None], noise)
        yield x


def grid(side: int, reach: float) -> Tensor:
    """Places from -reach to reach, rows from the top down: (side, side, 2)."""
    marks = torch.linspace(-reach, reach, side)
    y, x = torch.meshgrid(marks.flip(0), marks, indexing="ij")
    return torch.stack([x, y], dim=-1)
