"""The samplers: diffusers' schedulers under one roof, with what they leave to their callers.

Every sampler walks down the same noise levels ("trailing" spacing: Lin et al. 2024, arXiv:2305.08891, table 2), so
that one can be changed for another in the middle of a run. A state outside this file is always the
variance-preserving x_t of the paper, whatever scale a scheduler works in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from torch import Tensor

from engines.diffusion import TRAINED
from engines.diffusion.process import T, betas

# No sampler clips the x_0 that it believes in, though diffusers' ddpm and ddim do unless told otherwise. Where there is
# almost nothing but noise, x_0 is a guess that may lie far outside; cut to the range of pictures it is no longer right
# on average, the picture grows too bright, and a step this large does not forget it: with 50 steps of DDIM a tenth of
# the digits could no longer be read.
_MADE = {
    "ddpm": (DDPMScheduler, {"clip_sample": False}),
    "ddim": (DDIMScheduler, {"clip_sample": False}),
    "dpm++": (DPMSolverMultistepScheduler, {"algorithm_type": "dpmsolver++"}),
    "euler": (EulerDiscreteScheduler, {}),
}


def scheduler(kind: str, schedule: str = "linear", trained: Tensor | None = None) -> Any:
    """diffusers' scheduler of that name, before its timesteps are set. trained: the betas of the schedule "trained"."""
    made, settings = _MADE[kind]
    curve = {} if schedule == "linear" else {"trained_betas": _curve(schedule, trained).tolist()}
    return made(num_train_timesteps=T, beta_start=1e-4, beta_end=0.02, beta_schedule="linear",
                timestep_spacing="trailing", **curve, **settings)


def _curve(schedule: str, trained: Tensor | None) -> Tensor:
    if schedule != TRAINED:
        return betas(schedule)
    if trained is None:
        raise ValueError("the schedule of a model was asked for without the model")
    return trained


class Sampler:
    """One run's scheduler. Steps are numbered from 0; `levels[i]` is the noise level of step i, 999 to 0."""

    def __init__(self, kind: str, schedule: str, steps: int, eta: float = 0.0, trained: Tensor | None = None) -> None:
        """trained: the betas that the model was trained with, for the schedule of that name."""
        self.kind, self.steps, self.eta = kind, steps, eta
        self._scheduler = scheduler(kind, schedule, trained)
        self._scheduler.set_timesteps(steps)
        self.timesteps = self._scheduler.timesteps
        self.levels = self.timesteps.round().long()                                  # (steps,)
        curve = torch.cumprod(1.0 - _curve(schedule, trained), dim=0)                # (T,)
        self.alpha_bar = torch.cat([curve[self.levels], torch.ones(1)])              # (steps + 1,), the last clean
        self._known = self._without_noise() if kind == "ddim" and eta == 0 else []

    def told(self, trained_on: Tensor) -> list[float]:
        """The t that a network is told at each step: the level at which it was trained with the same alpha_bar."""
        mine = self.alpha_bar[:-1]
        if torch.equal(trained_on[self.levels.clamp(max=len(trained_on) - 1)], mine):
            return self.levels.tolist()
        log_snr = (trained_on / (1 - trained_on)).double().log().numpy()              # falls with t
        asked = (mine / (1 - mine)).double().log().numpy()
        return np.interp(-asked, -log_snr, np.arange(len(log_snr))).tolist()

    def draws(self, index: int) -> bool:
        """Whether this step adds noise."""
        return self.levels[index] > 0 if self.kind == "ddpm" else self.kind == "ddim" and self.eta > 0

    def enter(self, x: Tensor, index: int) -> Tensor:
        """x_t in the scheduler's own scale."""
        if self.kind != "euler":
            return x
        if index == 0:
            return x * self._scheduler.init_noise_sigma
        return x * (self._scheduler.sigmas[index] ** 2 + 1) ** 0.5      # the last sigma is 0

    def seen(self, state: Tensor, index: int) -> Tensor:
        """The state as x_t, which is also what the network is shown."""
        return state if index == self.steps else self._scheduler.scale_model_input(state, self.timesteps[index])

    def recall(self, eps: Tensor, index: int, before: Tensor) -> None:
        """Go on at step `index` + 1: let a sampler that looks back see the step before, without taking it again."""
        if self.kind == "dpm++":
            self._scheduler.set_begin_index(index)
            self._scheduler.step(eps, self.timesteps[index], before)

    def begin(self, index: int) -> None:
        """Go on at step `index`, without a memory of the one before."""
        if self.kind in ("dpm++", "euler") and index < self.steps:
            self._scheduler.set_begin_index(index)

    def step(self, eps: Tensor, index: int, state: Tensor, generators: list[torch.Generator]) -> Tensor:
        """The state one step later."""
        if self._known:
            noise_t, signal_t, noise_before, signal_before = self._known[index]
            return signal_before * ((state - noise_t * eps) / signal_t) + noise_before * eps
        extra: dict[str, Any] = {}
        if self.kind in ("ddpm", "ddim"):
            extra["generator"] = generators
        if self.kind == "ddim":
            extra["eta"] = self.eta
        return self._scheduler.step(eps, self.timesteps[index], state, **extra).prev_sample

    def _without_noise(self) -> list[list[float]]:
        """Of each step of DDIM with eta = 0 (Song et al. 2021, eq. 12): sqrt(1 - alpha_bar), sqrt(alpha_bar), and both of the
        level it goes to. diffusers works them out anew in every step, with much else; what comes out is the same to the bit.
        """
        curve, goes_to = self._scheduler.alphas_cumprod, self.timesteps - T // self.steps
        a, before = curve[self.timesteps], torch.where(goes_to < 0, self._scheduler.final_alpha_cumprod, curve[goes_to])
        return torch.stack([(1 - a) ** 0.5, a ** 0.5, (1 - before) ** 0.5, before ** 0.5], 1).tolist()
