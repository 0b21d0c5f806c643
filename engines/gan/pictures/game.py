"""The game of pictures: whose turn it is, and what each learns from it.

Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1: `d_steps` steps of the detective, then one of the forger. The
same game is played live in front of a visitor and for hours by the recipe. It knows its own random numbers, so that
the same seed is the same run, whatever runs beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engines.gan import losses
from engines.gan.pictures.augment import varied
from engines.gan.pictures.networks import fresh, refitted
from engines.gan.pictures.rules import Architecture, Rules


class NotFinite(ArithmeticError):
    """A loss or a gradient is no longer a number. `str(error)` says whose and at which step; no weight was changed by
    it."""


@dataclass(frozen=True)
class Turn:
    """What one step of one player came to. norm: of the gradient by all its weights. real, fake: means of D's verdicts
    (G's step has no real ones: nan)."""

    loss: float
    norm: float
    real: float
    fake: float


class Game:
    """Both networks, their optimisers, the pictures, and the random numbers of one run."""

    def __init__(self, architecture: Architecture, rules: Rules, images: Tensor, labels: Tensor, seed: int, *,
                 precision: str = "fp32") -> None:
        """images: uint8 (N, 32, 32, C); labels: int64 (N,).

        precision: of convolutions and matrix products, "fp32" or "bf16"; weights and sums stay fp32.
        """
        self.images, self.labels, self.seed = images, labels, seed
        self.precision, self.step = precision, 0
        self.g, self.d = (each.to(memory_format=torch.channels_last) for each in fresh(architecture, seed))
        self.random = torch.Generator().manual_seed(seed)
        self.optimisers = [torch.optim.Adam(network.parameters(), fused=True) for network in (self.g, self.d)]
        self.rules = rules
        self.follow(rules)

    def change(self, rules: Rules) -> tuple[str, ...]:
        """Play by other rules from the next step on. Gives the names of those that are new.

        What both have learned is kept, the optimisers' memory too.
        """
        changed = rules.differs(self.rules)
        if changed:
            self.follow(rules)
        return changed

    def follow(self, rules: Rules) -> None:
        if rules.z_dim != self.g.architecture.z_dim:
            self.resize(rules.z_dim)
        if rules.spectral and not self.d.spectral:
            self.d.sharpen(20)                      # the vectors of the power method had stood still
        self.g.batch_norm, self.d.batch_norm, self.d.spectral = rules.batch_norm, rules.batch_norm_d, rules.spectral
        for optimiser, rate in zip(self.optimisers, (rules.lr_g, rules.lr_d)):
            optimiser.param_groups[0].update(lr=rate, betas=(float(rules.beta1), float(rules.beta2)))
        self.rules = rules

    def resize(self, z_dim: int) -> None:
        """Another dimension of z, and of the optimiser's memory of that layer: new numbers begin as the mean of the
        old."""
        optimiser, old, before = self.optimisers[0], self.g.first.weight, self.g.architecture.z_dim
        self.g.resize(z_dim, self.random)
        memory = optimiser.state.pop(old, None)
        if memory:
            for name in ("exp_avg", "exp_avg_sq"):
                mean = memory[name].mean() if name == "exp_avg_sq" else 0.0
                memory[name] = refitted(memory[name], before, torch.zeros((len(old), z_dim)) + mean)
            optimiser.state[self.g.first.weight] = memory
        optimiser.param_groups[0]["params"] = list(self.g.parameters())

    def round(self) -> tuple[Turn, Turn]:
        """One step of the game. Gives D's last turn and G's. Raises NotFinite."""
        for _ in range(self.rules.d_steps):
            detective = self.detect()
        return detective, self.forge()

    def detect(self) -> Turn:
        """One step of D."""
        rules = self.rules
        # 1. real pictures, and as many made ones of the same classes
        real, labels = self.minibatch()
        with torch.no_grad(), self.products():
            fake = self.g(self.noise(len(real)), labels).float()
        real, fake = self.seen(real), self.seen(fake)
        # 2. how well are they told apart?
        if rules.spectral:
            self.d.sharpen()
        weights = self.d.weights()
        with self.products():
            logits = self.d(torch.cat([real, fake]), labels.repeat(2), weights).float()         # (2 B,)
        judged = logits[:len(real)], logits[len(real):]
        loss = losses.discriminator_loss(rules.loss, *judged, rules.smoothing)
        # 3. held back from being too steep
        loss = loss + self.penalties(real, fake, labels, weights)
        # 4. down the gradient
        norm = self.descend("detective", self.d, self.optimisers[1], loss)
        if rules.loss == "wgan":
            losses.clip_weights(self.d, rules.clip)
        verdicts = (losses.verdict(rules.loss, each).mean().item() for each in judged)
        return Turn(loss.item(), norm, *verdicts)

    def forge(self) -> Turn:
        """One step of G, which ends the round: D only says how the pictures would have to change."""
        _, labels = self.minibatch()
        self.d.requires_grad_(False)
        try:
            weights = self.d.weights()
            with self.products():
                fake = self.g(self.noise(len(labels)), labels).float()
            seen = self.seen(fake)
            with self.products():
                logits = self.d(seen, labels, weights).float()
            loss = losses.generator_loss(self.rules.loss, logits)
            norm = self.descend("forger", self.g, self.optimisers[0], loss)
        finally:
            self.d.requires_grad_(True)
        self.step += 1
        return Turn(loss.item(), norm, float("nan"), losses.verdict(self.rules.loss, logits).mean().item())

    def penalties(self, real: Tensor, fake: Tensor, labels: Tensor, weights: list[Tensor]) -> Tensor | float:
        rules, total = self.rules, 0.0

        def critic(x: Tensor) -> Tensor:
            with self.products():
                return self.d(x, labels, weights).float()
        if rules.r1:
            total = total + rules.r1 / 2 * losses.r1(critic, real)
        if rules.loss == "wgan-gp" and rules.gp:
            mix = torch.rand((len(real), 1, 1, 1), generator=self.random)
            total = total + rules.gp * losses.gradient_penalty(critic, real, fake, mix)
        return total

    def descend(self, who: str, network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
        """One step down, if there is a way down. Gives the norm of the gradient."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        norm = torch.stack(torch._foreach_norm(gradients)).norm().item()
        if not (loss.isfinite() and norm < float("inf")):
            raise NotFinite(f"At step {self.step + 1} the {who}'s loss is {loss.item():.3g} and its gradient has the "
                            f"length {norm:.3g}, which is no number to go on with.")
        optimiser.step()
        return norm

    def products(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16")

    def minibatch(self) -> tuple[Tensor, Tensor]:
        """Pictures from -1 to 1, (B, C, 32, 32), and labels (B,)."""
        index = torch.randint(len(self.images), (self.rules.batch,), generator=self.random)
        return to_float(self.images[index]), self.labels[index]

    def noise(self, count: int) -> Tensor:
        return latent(self.rules.z_kind, count, self.g.architecture.z_dim, self.random)

    def seen(self, x: Tensor) -> Tensor:
        """What D is shown of pictures, (B, C, 32, 32): with instance noise (Sønderby et al. 2016,
        arXiv:1610.04490)."""
        x = varied(x, self.random) if self.rules.augment else x
        if not self.rules.noise:
            return x
        return x + self.rules.noise * torch.randn(x.shape, generator=self.random)

    def state(self) -> dict:
        return {"g": self.g.state_dict(), "d": self.d.state_dict(), "step": self.step,
                "optimisers": [each.state_dict() for each in self.optimisers], "random": self.random.get_state()}

    def restore(self, state: dict) -> None:
        self.g.load_state_dict(state["g"])
        self.d.load_state_dict(state["d"])
        for optimiser, stored in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(stored)
        self.random.set_state(state["random"])
        self.step = state["step"]
        self.follow(self.rules)


def latent(kind: str, count: int, z_dim: int, random: torch.Generator) -> Tensor:
    """z, (count, z_dim): "normal" N(0, 1), or "uniform" from -1 to 1."""
    if kind == "uniform":
        return 2 * torch.rand((count, z_dim), generator=random) - 1
    return torch.randn((count, z_dim), generator=random)


def to_float(images: Tensor) -> Tensor:
    """uint8 (N, H, W, C) -> floats from -1 to 1, (N, C, H, W)."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_bytes(x: Tensor) -> Tensor:
    """Floats from -1 to 1, (N, C, H, W) -> uint8 (N, H, W, C)."""
    return ((x.float() + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()
