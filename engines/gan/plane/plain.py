"""Both players' gradients by autograd: the readable way, and the only one with spectral or batch normalisation.

The weights are those of `networks.Net`, so that a run may change from one way to the other at any round.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engines.gan.losses import discriminator_loss, generator_loss, gradient_penalty, r1
from engines.gan.plane import Rules
from engines.gan.plane.networks import SLOPE, Layer, Net

MOMENTUM = 0.1                   # of the running statistics that batch normalisation looks with
EPS = 1e-5


class Plain:
    """Gradients for one game.

    vectors: one (out,) for each layer of D, its first left singular vector by power iteration (Miyato et al. 2018,
    arXiv:1802.05957, algorithm 1). mean, variance: (width,) for each hidden layer of G (Ioffe & Szegedy 2015).
    """

    def __init__(self, g: Net, d: Net, rules: Rules) -> None:
        self.g, self.d, self.rules = g, d, rules
        self.vectors = [functional.normalize(torch.ones(out), dim=0) for out in d.sizes[1:]]
        self.mean = [torch.zeros(width) for width in g.sizes[1:-1]]
        self.variance = [torch.ones(width) for width in g.sizes[1:-1]]

    def state(self) -> list[Tensor]:
        """What a moment keeps beside the weights."""
        return [*self.vectors, *self.mean, *self.variance]

    def go_on_from(self, before: Plain) -> None:
        """Keep what was gathered for a player who is still the same, where another rule has changed."""
        if self.d is before.d:
            self.vectors = before.vectors
        if self.g is before.g:
            self.mean, self.variance = before.mean, before.variance

    # --- the networks --------------------------------------------------------------------------------------------

    def generator(self, row: Tensor, z: Tensor, learning: bool) -> Tensor:
        """z (B, z_dim) -> x (B, 2), with the weights in `row`."""
        layers = self.g._views(row)
        for place, (weight, bias) in enumerate(layers[:-1]):
            z = z @ weight                                                     # (B, width)
            if self.rules.batch_norm:       # the layer's bias is its beta; its gamma is the next layer's weights
                z = functional.batch_norm(z, self.mean[place], self.variance[place], bias=bias, training=learning,
                                          momentum=MOMENTUM, eps=EPS)
            else:
                z = z + bias
            z = functional.leaky_relu(z, SLOPE)
        return z @ layers[-1].weight + layers[-1].bias

    def discriminator(self, row: Tensor, x: Tensor) -> Tensor:
        """x (B, 2) -> logits (B, 1)."""
        layers = [self._divided(place, layer) for place, layer in enumerate(self.d._views(row))]
        for weight, bias in layers[:-1]:
            x = functional.leaky_relu(x @ weight + bias, SLOPE)                # (B, width)
        return x @ layers[-1].weight + layers[-1].bias

    def _divided(self, place: int, layer: Layer) -> Layer:
        """W / sigma(W): the gradient goes through sigma = u W v too, as in the paper's section 2.1."""
        if not self.rules.spectral:
            return layer
        weight, u = layer.weight, self.vectors[place]                          # (in, out), (out,)
        with torch.no_grad():
            v = functional.normalize(weight @ u, dim=0)                        # (in,)
        return Layer(weight / (v @ weight @ u).clamp_min(1e-6), layer.bias)

    def iterate(self) -> None:
        """One power iteration on every weight of D."""
        with torch.no_grad():
            for u, (weight, _) in zip(self.vectors, self.d.layers):
                v = functional.normalize(weight @ u, dim=0)
                u.copy_(functional.normalize(v @ weight, dim=0))

    # --- as `flat` does it -----------------------------------------------------------------------------------------

    def generate(self, z: Tensor, learning: bool = False) -> Tensor:
        with torch.no_grad():
            return self.generator(self.g.flat, z, learning)

    def judge(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.discriminator(self.d.flat, x)

    def d_gradient(self, real: Tensor, fake: Tensor, mix: Tensor | None) -> Tensor:
        if self.rules.spectral:
            self.iterate()
        with torch.enable_grad():
            row = self.d.flat.detach().requires_grad_()
            critic = lambda x: self.discriminator(row, x)                      # noqa: E731
            on_real, on_fake = critic(real), critic(fake)
            loss = discriminator_loss(self.rules.loss, on_real, on_fake, self.rules.smoothing)
            if mix is not None:
                loss = loss + self.rules.gp * gradient_penalty(critic, real, fake, mix)
            if self.rules.r1:
                loss = loss + self.rules.r1 / 2 * r1(critic, real)
            self.d.grad.copy_(torch.autograd.grad(loss, row)[0])
        return torch.cat([on_real, on_fake]).detach()

    def g_gradient(self, z: Tensor, fake: Tensor) -> Tensor:
        with torch.enable_grad():
            row = self.g.flat.detach().requires_grad_()
            x = self.generator(row, z, learning=True)
            noise = fake - x.detach()                                          # what was added before it was judged
            logits = self.discriminator(self.d.flat, x + noise)
            self.g.grad.copy_(torch.autograd.grad(generator_loss(self.rules.loss, logits), row)[0])
        return logits.detach()

    def pull(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            loss = generator_loss(self.rules.loss, self.discriminator(self.d.flat, x)) * len(x)
            return -torch.autograd.grad(loss, x)[0]
