"""Generative adversarial networks (Goodfellow et al. 2014, arXiv:1406.2661).

Two halves share the losses: `plane` plays the game in two dimensions, where all of it can be seen, `pictures` plays it
for digits, clothes and emoji. Cheap to import: the losses themselves are in `losses`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from engines.checks import between, one_of, whole

LOSSES = ("minimax", "non-saturating", "least-squares", "hinge", "wgan", "wgan-gp")
PROBABILITIES = ("minimax", "non-saturating")       # sigmoid(logit) is the probability that a thing is real


class Rules:
    """What the rules of both games share; each is a frozen dataclass of its own."""

    def check_shared(self: Any) -> None:
        """Raises BadInput."""
        one_of("the loss", self.loss, LOSSES)
        one_of("the noise z", self.z_kind, ("normal", "uniform"))
        whole("the discriminator's steps a round", self.d_steps, 1, 10)
        for what, value in (("the generator's", self.lr_g), ("the discriminator's", self.lr_d)):
            between(f"{what} learning rate", value, 0.0, 10.0)
        between("beta 1", self.beta1, 0.0, 0.999)
        between("beta 2", self.beta2, 0.0, 0.9999)
        between("the clipping", self.clip, 0.001, 10.0)
        between("the gradient penalty", self.gp, 0.0, 100.0)
        between("the R1 penalty", self.r1, 0.0, 100.0)
        between("the instance noise", self.noise, 0.0, 1.0)
        between("the label smoothing", self.smoothing, 0.0, 0.5)

    def differs(self: Any, other: Any) -> tuple[str, ...]:
        """Names of the rules that are not the same."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name))
