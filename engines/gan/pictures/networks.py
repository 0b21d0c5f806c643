"""The forger and the detective of pictures: a small conditional DCGAN.

Radford, Metz, Chintala 2015, arXiv:1511.06434: strided convolutions up and down, nothing else. The class is told to G
as numbers beside z (Mirza & Osindero 2014, arXiv:1411.1784), and to D by projection (Miyato & Koyama 2018,
arXiv:1802.05637, equation 3): its logit is a general verdict on the features plus how well they go with the class.

Pictures are 32 x 32, (B, C, 32, 32) from -1 to 1; those of 28 x 28 are laid in the middle of black. Both switches can
be turned while a network learns: with batch norm off its weights stay where they were, with spectral norm off its
vectors do.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.gan.pictures.rules import Architecture

LEAK = 0.2                  # slope of D's activations below 0, as in the paper


class Generator(nn.Module):
    """z (B, z_dim) and labels (B,) -> pictures (B, C, 32, 32), from -1 to 1."""

    def __init__(self, architecture: Architecture, batch_norm: bool = True) -> None:
        super().__init__()
        self.architecture, self.batch_norm = architecture, batch_norm
        fine, middle, coarse = architecture.widths
        self.label = nn.Embedding(architecture.classes, architecture.label_dim)
        self.first = nn.Linear(architecture.z_dim + architecture.label_dim, coarse * 16)
        self.ups = nn.ModuleList([nn.ConvTranspose2d(before, after, 4, stride=2, padding=1) for before, after in
                                  ((coarse, middle), (middle, fine), (fine, architecture.channels))])
        self.norms = nn.ModuleList([nn.BatchNorm2d(width) for width in (coarse, middle, fine)])
        for layer in (self.first, *self.ups[:-1]):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out" if layer is not self.first else "fan_in")
            nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = self.first(torch.cat([z, self.label(labels)], 1))                   # (B, coarse * 16)
        x = x.unflatten(1, (-1, 4, 4))           # (B, coarse, 4, 4)
        for norm, up in zip(self.norms, self.ups):
            x = up(functional.relu(norm(x) if self.batch_norm else x))          # 4 -> 8 -> 16 -> 32
        return torch.tanh(x)

    def resize(self, z_dim: int, random: torch.Generator) -> None:
        """Read a z of another dimension: the numbers that both have keep their weights, new ones begin at random."""
        old = self.first.weight.detach()                                        # (16 coarse, z_dim + label_dim)
        columns = torch.randn((old.shape[0], z_dim), generator=random) * (2 / old.shape[1]) ** 0.5
        self.first.weight = nn.Parameter(refitted(old, self.architecture.z_dim, columns))
        self.architecture = replace(self.architecture, z_dim=z_dim)


def refitted(old: Tensor, before: int, columns: Tensor) -> Tensor:
    """(N, before + label_dim) -> (N, z_dim + label_dim): `columns` (N, z_dim) where there was nothing before."""
    kept = min(before, columns.shape[1])
    return torch.cat([old[:, :kept], columns[:, kept:], old[:, before:]], 1)


class Discriminator(nn.Module):
    """Pictures (B, C, 32, 32) and labels (B,) -> logits (B,): high for what it takes to be real."""

    def __init__(self, architecture: Architecture, spectral: bool = True, batch_norm: bool = False) -> None:
        super().__init__()
        self.architecture, self.spectral, self.batch_norm = architecture, spectral, batch_norm
        fine, middle, coarse = architecture.widths
        self.downs = nn.ModuleList([nn.Conv2d(before, after, 4, stride=2, padding=1) for before, after in
                                    ((architecture.channels, fine), (fine, middle), (middle, coarse))])
        self.norms = nn.ModuleList([nn.BatchNorm2d(width) for width in (middle, coarse)])
        self.features = nn.Linear(coarse * 16, coarse)
        self.last = nn.Linear(coarse, 1)
        self.label = nn.Embedding(architecture.classes, coarse)
        for layer in (*self.downs, self.features):
            nn.init.kaiming_normal_(layer.weight, a=LEAK)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.label.weight)                                       # before it has learned the classes
        for place, layer in enumerate(self.normed()):
            self.register_buffer(f"u{place}", functional.normalize(torch.randn(layer.weight.shape[0]), dim=0))
        self.sharpen(20)

    def normed(self) -> tuple[nn.Module, ...]:
        """The layers whose weights are held to a spectral norm of 1."""
        return (*self.downs, self.features, self.last, self.label)

    @torch.no_grad()
    def sharpen(self, rounds: int = 1) -> None:
        """The power method: u comes nearer to the first left singular vector of each weight.

        One round a step is enough, as the weights move slowly (Miyato et al. 2018, arXiv:1802.05957, algorithm 1).
        """
        for place, layer in enumerate(self.normed()):
            matrix, u = layer.weight.flatten(1), getattr(self, f"u{place}")     # (out, in), (out,)
            if not u.any():                                                     # left by a layer that was all zero
                u.fill_(1.0)
            for _ in range(rounds):
                u.copy_(functional.normalize(matrix @ functional.normalize(matrix.T @ u, dim=0), dim=0))

    def weight(self, place: int) -> Tensor:
        """The weight of a layer, over its largest singular value where that is asked for.

        That of the classes begins at zero, so it is only held to at most 1.
        """
        weight = self.normed()[place].weight
        if not self.spectral:
            return weight
        v = functional.normalize(weight.detach().flatten(1).T @ getattr(self, f"u{place}"), dim=0)
        sigma = getattr(self, f"u{place}") @ weight.flatten(1) @ v              # the estimate, differentiable in weight
        return weight / sigma.clamp_min(1.0 if place == len(self.normed()) - 1 else 1e-6)

    def weights(self) -> list[Tensor]:
        """All of them: made once, they can be used for several passes of the same step."""
        return [self.weight(place) for place in range(len(self.normed()))]

    def forward(self, x: Tensor, labels: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        weights = weights or self.weights()
        for place, down in enumerate(self.downs):                               # 32 -> 16 -> 8 -> 4
            x = functional.conv2d(x, weights[place], down.bias, stride=2, padding=1)
            x = self.norms[place - 1](x) if self.batch_norm and place else x
            x = functional.leaky_relu(x, LEAK)
        h = functional.leaky_relu(functional.linear(x.flatten(1), weights[3], self.features.bias), LEAK)  # (B, coarse)
        plain = functional.linear(h, weights[4], self.last.bias).squeeze(1)     # (B,)
        return plain + (functional.embedding(labels, weights[5]) * h).sum(1)


def fresh(architecture: Architecture, seed: int) -> tuple[Generator, Discriminator]:
    """Both networks before the first step, as they follow from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Generator(architecture), Discriminator(architecture)
