"""Each loss against its formula as the papers write it, each penalty against slopes that were measured."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from engines import gan
from engines.gan.losses import (KINDS, TARGETS, clip_weights, discriminator_loss, generator_loss, gradient_penalty, r1,
                                verdict)
from engines.runtime import BadInput

REAL = torch.linspace(-3, 4, 15, dtype=torch.float64)
FAKE = torch.linspace(-5, 2, 15, dtype=torch.float64)


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


# of one real and one made thing, by their logits, as printed in the papers
D_FORMULAS: dict[str, Callable[[float, float, float], float]] = {
    "minimax": lambda a, b, s: (-(1 - s) * math.log(sigmoid(a)) - s * math.log(1 - sigmoid(a))
                                - math.log(1 - sigmoid(b))),
    "least-squares": lambda a, b, s: (a - (1 - s)) ** 2 / 2 + b ** 2 / 2,
    "hinge": lambda a, b, s: max(0, 1 - a) + max(0, 1 + b),
    "wgan": lambda a, b, s: b - a}
D_FORMULAS |= {"non-saturating": D_FORMULAS["minimax"], "wgan-gp": D_FORMULAS["wgan"]}
G_FORMULAS: dict[str, Callable[[float], float]] = {
    "minimax": lambda b: math.log(1 - sigmoid(b)), "non-saturating": lambda b: -math.log(sigmoid(b)),
    "least-squares": lambda b: (b - 1) ** 2 / 2, "hinge": lambda b: -b, "wgan": lambda b: -b, "wgan-gp": lambda b: -b}


def test_the_names_are_those_that_the_engine_offers() -> None:
    assert KINDS == gan.LOSSES and set(TARGETS) < set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_losses_are_the_formulas(kind: str, smoothing: float) -> None:
    pairs = list(zip(REAL.tolist(), FAKE.tolist()))
    direct = sum(D_FORMULAS[kind](a, b, smoothing) for a, b in pairs) / len(pairs)
    assert discriminator_loss(kind, REAL, FAKE, smoothing).item() == pytest.approx(direct, abs=1e-12)
    direct = sum(map(G_FORMULAS[kind], FAKE.tolist())) / len(FAKE)
    assert generator_loss(kind, FAKE).item() == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(TARGETS)))
def test_smoothing_is_ignored_where_real_has_no_number_to_come_to(kind: str) -> None:
    assert discriminator_loss(kind, REAL, FAKE, 0.3) == discriminator_loss(kind, REAL, FAKE)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_stay_finite_where_a_sigmoid_would_be_full(kind: str) -> None:
    for logit in (-1e4, 1e4):
        x = torch.tensor([logit], requires_grad=True)
        total = discriminator_loss(kind, x, x, 0.1) + generator_loss(kind, x)
        total.backward()
        assert total.isfinite() and x.grad.isfinite().all()


def test_where_the_detective_is_sure_only_minimax_leaves_the_forger_without_a_slope() -> None:
    for kind in KINDS:
        fake = torch.tensor([-12.0], requires_grad=True)
        generator_loss(kind, fake).backward()
        assert (fake.grad.abs() < 1e-4).item() == (kind == "minimax")
        assert fake.grad.item() <= 0                          # down the loss is up in the detective's eyes


@pytest.mark.parametrize("kind", ["minimax", "least-squares"])
def test_the_best_detective_says_how_likely_each_is(kind: str) -> None:
    """Proposition 1 of the paper: where p_data is 3 times p_g, D = 3 / 4; least squares find the same number."""
    best = math.log(3) if kind == "minimax" else 0.75         # the logit of 3 / 4, or the number itself
    for logit, level in ((best, True), (best - 0.1, False), (best + 0.1, False)):
        d = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
        still = d.detach()
        (3 * discriminator_loss(kind, d, still) + discriminator_loss(kind, still, d)).backward()
        assert (abs(d.grad.item()) < 1e-12) == level


def test_a_verdict_is_a_probability_only_for_the_losses_that_have_one() -> None:
    assert verdict("minimax", torch.zeros(1)) == 0.5 and verdict("hinge", torch.zeros(1)) == 0


def test_an_unknown_loss_is_refused() -> None:
    for refused in (lambda: discriminator_loss("nice", REAL, FAKE), lambda: generator_loss("nice", FAKE)):
        with pytest.raises(BadInput, match="there is no loss 'nice'; there are minimax, .*: choose one of these"):
            refused()


# --- penalties ---------------------------------------------------------------------------------------------------

def critic() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1)).double()


def slopes(network: nn.Module, x: Tensor) -> Tensor:
    """The gradient at each of x, (B, N), by central differences."""
    flat, step = x.flatten(1), 1e-6
    found = torch.zeros_like(flat)
    with torch.no_grad():
        for place in range(flat.shape[1]):
            moved = torch.zeros_like(flat)
            moved[:, place] = step
            up, down = (network((flat + sign * moved).view_as(x)).squeeze(1) for sign in (1, -1))
            found[:, place] = (up - down) / (2 * step)
    return found


def crowd(seed: int) -> Tensor:
    return torch.randn((5, 3, 2, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def penalty(name: str, network: nn.Module) -> Tensor:
    real, fake, mix = crowd(1), crowd(2), torch.rand((5, 1, 1, 1), generator=torch.Generator().manual_seed(3)).double()
    return r1(network, real) if name == "r1" else gradient_penalty(network, real, fake, mix)


def test_penalties_are_what_measured_slopes_say() -> None:
    network = critic()
    direct = slopes(network, crowd(1)).square().sum(1).mean().item()
    assert penalty("r1", network).item() == pytest.approx(direct, rel=1e-7)
    mix = torch.rand((5, 1, 1, 1), generator=torch.Generator().manual_seed(3)).double()
    between = mix * crowd(1) + (1 - mix) * crowd(2)
    direct = (slopes(network, between).norm(dim=1) - 1).square().mean().item()
    assert penalty("gp", network).item() == pytest.approx(direct, rel=1e-7)


@pytest.mark.parametrize("name", ["r1", "gp"])
def test_going_down_on_a_penalty_is_what_measured_differences_say(name: str) -> None:
    network = critic()
    penalty(name, network).backward()                         # autograd goes back twice
    for weight in network.parameters():
        flat, grad = weight.detach().view(-1), torch.zeros(weight.numel(), dtype=torch.float64)
        for place in range(len(flat)):
            before, sides = flat[place].item(), []
            for moved in (before + 1e-6, before - 1e-6):
                flat[place] = moved
                sides.append(penalty(name, network).item())
            flat[place] = before
            grad[place] = (sides[0] - sides[1]) / 2e-6
        found = torch.zeros_like(grad) if weight.grad is None else weight.grad.view(-1)     # the last bias: no slope
        torch.testing.assert_close(found, grad, rtol=1e-6, atol=1e-7)


def test_the_gradient_penalty_costs_too_flat_as_much_as_too_steep() -> None:
    x = torch.zeros((4, 1), dtype=torch.float64)
    costs = [gradient_penalty(lambda each, slope=slope: each * slope, x, x + 1, torch.full_like(x, 0.5)).item()
             for slope in (0.0, 0.5, 1.0, 1.5)]
    assert costs == pytest.approx([1, 0.25, 0, 0.25])


def test_penalties_leave_what_was_given_without_a_slope() -> None:
    real, fake = crowd(1), crowd(2).requires_grad_()
    gradient_penalty(critic(), real, fake, torch.full((5, 1, 1, 1), 0.5, dtype=torch.float64)).backward()
    assert fake.grad is None and not real.requires_grad


def test_clipping_keeps_every_weight_within_its_bounds() -> None:
    network = critic()
    small = [weight.detach().clamp(-0.1, 0.1) for weight in network.parameters()]
    clip_weights(network, 0.1)
    assert all(torch.equal(weight, expected) for weight, expected in zip(network.parameters(), small))
