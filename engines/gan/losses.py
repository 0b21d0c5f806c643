"""What the detective and the forger are told: the losses of a GAN and the penalties that steady them. torch only.

All functions take logits: what D says before any sigmoid, any shape. The loss of D rises when it takes a real thing
for a made one or the other way about; the loss of G falls when D is fooled. Each is a mean, so a scalar.

minimax, non-saturating   Goodfellow et al. 2014, arXiv:1406.2661, equation 1 and the end of section 3
least-squares             Mao et al. 2017, arXiv:1611.04076, equation 9 (a = 0, b = c = 1)
hinge                     Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, equations 16 and 17
wgan                      Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1: the weights are clipped after each step
wgan-gp                   Gulrajani et al. 2017, arXiv:1704.00028, equation 3: a penalty instead of clipping
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from engines.gan import LOSSES as KINDS
from engines.gan import PROBABILITIES
from engines.runtime import BadInput

TARGETS = (*PROBABILITIES, "least-squares")         # the ones with a number that "real" should come to


def discriminator_loss(kind: str, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """What D goes down on. real, fake: its logits of real and made things.

    smoothing: real things should come to 1 - smoothing and made ones to 0 as before (one-sided, Salimans et al. 2016,
    arXiv:1606.03498, section 3.4). It is ignored where there is no such number to come to: a hinge only wants a
    margin, and a critic of Wasserstein's distance is free to call "real" what it likes, as only differences count.
    """
    if kind in PROBABILITIES:
        # -(1 - s) log D(real) - s log(1 - D(real)) - log(1 - D(fake)), by softplus(x) = x + softplus(-x)
        return (softplus(-real) + smoothing * real).mean() + softplus(fake).mean()
    if kind == "least-squares":
        return ((real - (1 - smoothing)).square().mean() + fake.square().mean()) / 2
    if kind == "hinge":
        return relu(1 - real).mean() + relu(1 + fake).mean()
    if kind in ("wgan", "wgan-gp"):
        return fake.mean() - real.mean()
    raise _unknown(kind)


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """What G goes down on. fake: D's logits of made things."""
    if kind == "minimax":
        return -softplus(fake).mean()               # log(1 - sigmoid(fake)): flat where D is sure, so G learns nothing
    if kind == "non-saturating":
        return softplus(-fake).mean()               # -log sigmoid(fake): steep there
    if kind == "least-squares":
        return (fake - 1).square().mean() / 2
    if kind in ("hinge", "wgan", "wgan-gp"):
        return -fake.mean()
    raise _unknown(kind)


def verdict(kind: str, logits: Tensor) -> Tensor:
    """D's verdict as it is shown: a probability for the losses of Goodfellow's paper, the bare logit for the
    others."""
    return logits.sigmoid() if kind in PROBABILITIES else logits


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """E (|grad critic(x)| - 1)^2 on the lines between real and made things, without its weight lambda.

    real, fake: (B, ...); mix: (B, 1, ...), evenly from 0 to 1: x = mix real + (1 - mix) fake. Two-sided: too flat
    costs as much as too steep. Differentiable, so that D can go down on it (autograd goes back twice).
    """
    x = torch.lerp(fake.detach(), real.detach(), mix).requires_grad_()
    return (_slopes(critic, x).norm(dim=1) - 1).square().mean()


def r1(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """E |grad critic(x)|^2 on real things (B, ...), without its weight gamma / 2 (Mescheder et al. 2018,
    arXiv:1801.04406, equation 9). Differentiable, so that D can go down on it."""
    return _slopes(critic, real.detach().requires_grad_()).square().sum(1).mean()


def _slopes(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The gradient of each thing's logit by that thing, (B, numbers in one)."""
    gradient, = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.flatten(1)                      # (B, ...) -> (B, N)


@torch.no_grad()
def clip_weights(module: nn.Module, c: float) -> None:
    """Every weight into [-c, c]: keeps a critic from being steep, crudely (algorithm 1 of WGAN, line 7)."""
    torch._foreach_clamp_min_(list(module.parameters()), -c)
    torch._foreach_clamp_max_(list(module.parameters()), c)


def _unknown(kind: str) -> BadInput:
    return BadInput(f"there is no loss {kind[:40]!r}; there are {', '.join(KINDS)}: choose one of these.")
