"""The forward process of diffusion and its schedules (Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic
Models", NeurIPS 2020, arXiv:2006.11239).

A picture x_0, values from -1 to 1, is dissolved in T small steps of Gaussian noise,

    q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t I)          (eq. 2)
    q(x_t | x_0)     = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I)  (eq. 4)

with alpha_bar_t the product of 1 - beta_s up to t. Steps are numbered from 0 to T - 1, as in diffusers.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from diffusers import DDPMScheduler
from torch import Tensor

T = 1000
KINDS = ("linear", "cosine", "sigmoid")


def betas(kind: str = "linear", count: int = T) -> Tensor:
    """beta_t, float32 (count,), as diffusers' DDPMScheduler has them under the same circumstances.

    linear: from 1e-4 to 0.02 (section 4). cosine: Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 17.
    sigmoid: a logistic curve from 1e-4 to 0.02 (GeoDiff, arXiv:2203.02923).
    """
    if kind == "linear":
        return torch.linspace(1e-4, 0.02, count, dtype=torch.float32)
    if kind == "sigmoid":
        return torch.sigmoid(torch.linspace(-6, 6, count)) * (0.02 - 1e-4) + 1e-4
    if kind == "cosine":
        def alpha_bar(share: float) -> float:
            return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2
        return torch.tensor([min(1 - alpha_bar((i + 1) / count) / alpha_bar(i / count), 0.999) for i in range(count)],
                            dtype=torch.float32)
    raise ValueError(f"the schedule is {kind!r}; it may be one of {KINDS}")


def trained_betas(scheduler: dict[str, Any]) -> Tensor:
    """beta_t, float32, of the scheduler_config.json that a model came with, whatever its schedule."""
    kept = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas")
    return DDPMScheduler(**{key: scheduler[key] for key in kept if scheduler.get(key) is not None}).betas.float()


def alpha_bars(kind: str = "linear", count: int = T) -> Tensor:
    """alpha_bar_t, float32 (count,)."""
    return torch.cumprod(1.0 - betas(kind, count), dim=0)


def q_sample(x_0: Tensor, alpha_bar_t: Tensor, eps: Tensor) -> Tensor:
    """x_t from x_0 in one step (eq. 4): x_0, eps (B, ...); alpha_bar_t (B,) -> (B, ...)."""
    a = alpha_bar_t.reshape(-1, *[1] * (x_0.ndim - 1))                  # (B, 1, 1, 1)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


def predicted_x_0(x_t: Tensor, alpha_bar_t: Tensor | float, eps: Tensor) -> Tensor:
    """The clean picture that a predicted eps implies (eq. 4, solved for x_0; eq. 15): (B, ...)."""
    if isinstance(alpha_bar_t, float):
        return (x_t - math.sqrt(1 - alpha_bar_t) * eps) / math.sqrt(alpha_bar_t)
    a = alpha_bar_t.reshape(-1, *[1] * (x_t.ndim - 1)) if alpha_bar_t.ndim else alpha_bar_t   # (B, 1, 1, 1)
    return (x_t - (1 - a).sqrt() * eps) / a.sqrt()
