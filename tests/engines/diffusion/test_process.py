"""The forward process: its closed form, its schedules, and what they share with diffusers."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDPMScheduler

from engines.diffusion.process import KINDS, alpha_bars, betas, predicted_x_0, q_sample

NAMED = {"linear": "linear", "cosine": "squaredcos_cap_v2", "sigmoid": "sigmoid"}


@pytest.mark.parametrize("kind", KINDS)
def test_schedules_are_those_of_diffusers(kind: str) -> None:
    theirs = DDPMScheduler(beta_schedule=NAMED[kind])
    assert torch.equal(betas(kind), theirs.betas) and torch.equal(alpha_bars(kind), theirs.alphas_cumprod)


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_bar_falls_from_almost_one_to_almost_nothing(kind: str) -> None:
    found = alpha_bars(kind)
    assert found[0] > 0.999 and found[-1] < 0.01 and (found.diff() < 0).all()


def test_closed_form_is_what_the_steps_add_up_to() -> None:
    """Eq. 2 taken t times has the mean and the variance of eq. 4."""
    beta, mean, variance = betas().double(), 1.0, 0.0
    for t in range(300):
        mean, variance = mean * (1 - beta[t]).sqrt(), (1 - beta[t]) * variance + beta[t]
    alpha_bar = alpha_bars()[299].double()
    assert mean == pytest.approx(alpha_bar.sqrt().item(), abs=1e-5)
    assert variance == pytest.approx(1 - alpha_bar.item(), abs=1e-5)


def test_q_sample_is_add_noise_of_diffusers() -> None:
    torch.manual_seed(0)
    x_0, eps, t = torch.rand(5, 1, 8, 8), torch.randn(5, 1, 8, 8), torch.tensor([0, 10, 500, 900, 999])
    assert torch.equal(q_sample(x_0, alpha_bars()[t], eps), DDPMScheduler().add_noise(x_0, eps, t))


def test_x_0_and_eps_imply_each_other() -> None:
    torch.manual_seed(1)
    x_0, eps, a = torch.rand(4, 3, 8, 8), torch.randn(4, 3, 8, 8), alpha_bars()[torch.tensor([1, 100, 400, 700])]
    assert torch.allclose(predicted_x_0(q_sample(x_0, a, eps), a, eps), x_0, atol=1e-4)


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="spiral"):
        betas("spiral")
