"""Both players: small perceptrons whose weights lie in one row, so that one kernel updates them all.

Forward and backward are written out: at this size most of autograd's time is its own bookkeeping. The same weights as
modules of torch are in `plain`, which the tests hold these to.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SLOPE = 0.2                      # of leaky ReLU, as in DCGAN's discriminator (Radford et al. 2015, section 3)
_leaky_backward = torch.ops.aten.leaky_relu_backward.default       # named whole: nothing is looked up at each call


class Layer(NamedTuple):
    """Views into a row of numbers: weight (in, out), bias (out,)."""

    weight: Tensor
    bias: Tensor


class Net:
    """A perceptron (B, sizes[0]) -> (B, sizes[-1]), leaky ReLU between its layers.

    flat, grad: (parameters,), all weights and the gradient of the last update; memory: (2, parameters), the optimiser's.
    Views of them are made once: to make one takes a tenth of the time of the product that it is for.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes = sizes
        count = sum((into + 1) * out for into, out in zip(sizes, sizes[1:]))
        self.flat, self.grad, self.memory = torch.zeros(count), torch.zeros(count), torch.zeros(2, count)
        self.first, self.second = self.memory
        self.updates = torch.zeros(())               # a tensor, because the fused kernel reads it as one
        self.layers, self.slopes = self._views(self.flat), self._views(self.grad)
        self.turned = [weight.t() for weight, _ in self.layers]
        self._rooms: dict[tuple[str, int], list[Tensor]] = {}

    def _views(self, row: Tensor) -> list[Layer]:
        found, at = [], 0
        for into, out in zip(self.sizes, self.sizes[1:]):
            weight = row[at:at + into * out].view(into, out)
            at += into * out
            found.append(Layer(weight, row[at:at + out]))
            at += out
        return found

    def begin(self, random: torch.Generator, size: float = 1.0) -> None:
        """He's initialisation (2015, arXiv:1502.01852, eq. 15) for a slope; the last layer as if there were none.

        size: of what comes out, for numbers of variance 1 that go in.
        """
        for place, (weight, bias) in enumerate(self.layers):
            gain = SLOPE if place < len(self.layers) - 1 else 1.0
            weight.normal_(0.0, math.sqrt(2 / ((1 + gain**2) * weight.shape[0])), generator=random)
            if place == len(self.layers) - 1:
                weight.mul_(size)
            bias.zero_()

    def room(self, use: str, rows: int) -> list[Tensor]:
        """Where a pass of that many rows leaves its activations: one (rows, width) for each layer, used again."""
        found = self._rooms.get((use, rows))
        if found is None:
            found = self._rooms[use, rows] = [torch.empty(rows, width) for width in self.sizes[1:]]
        return found

    def forget_rooms(self) -> None:
        self._rooms.clear()

    def forward(self, x: Tensor, room: list[Tensor]) -> Tensor:
        """x (B, sizes[0]) -> (B, sizes[-1]); `room` holds what each layer gave, for the way back."""
        last = len(self.layers) - 1
        for place, (weight, bias) in enumerate(self.layers):
            x = torch.addmm(bias, x, weight, out=room[place])
            if place < last:
                functional.leaky_relu_(x, SLOPE)
        return x

    def backward(self, x: Tensor, room: list[Tensor], out: Tensor) -> None:
        """Gradient of every weight into `grad`, for the gradient `out` (B, sizes[-1]) of what `forward` gave for x."""
        for place in range(len(self.layers) - 1, -1, -1):
            into = room[place - 1] if place else x
            torch.mm(into.t(), out, out=self.slopes[place].weight)
            torch.sum(out, 0, out=self.slopes[place].bias)
            if place:
                out = _leaky_backward(out.mm(self.turned[place]), into, SLOPE, True)

    def inward(self, room: list[Tensor], out: Tensor) -> Tensor:
        """Gradient of what went in, (B, sizes[0]); the weights are left alone."""
        for place in range(len(self.layers) - 1, 0, -1):
            out = _leaky_backward(out.mm(self.turned[place]), room[place - 1], SLOPE, True)
        return out.mm(self.turned[0])

    def add_penalty(self, room: list[Tensor], towards: Tensor) -> None:
        """Add to `grad` the gradient of P(dD/dx), where `towards` (B, in) is dP / d(dD/dx), for the pass in `room`.

        D's slope at x is a chain of the weights and of leaky ReLU's slopes, which are constant almost everywhere; the
        gradient of a function of that chain is the chain gone through once more, the other way: forward.
        """
        ones = torch.ones(len(towards), 1)
        chain = [ones]                                                         # from the output down to the input
        for place in range(len(self.layers) - 1, 0, -1):
            chain.append(_leaky_backward(chain[-1].mm(self.turned[place]), room[place - 1], SLOPE, True))
        chain.reverse()                                                        # chain[k]: slope at the output of layer k
        for place, (weight, _) in enumerate(self.layers):
            self.slopes[place].weight.addmm_(towards.t(), chain[place])        # (in, B) @ (B, out)
            if place < len(self.layers) - 1:
                towards = _leaky_backward(towards.mm(weight), room[place], SLOPE, True)

    def slope(self, room: list[Tensor]) -> Tensor:
        """dD/dx (B, in) of the pass in `room`, for one output."""
        return self.inward(room, torch.ones(len(room[-1]), 1))


def update(net: Net, kind: str, rate: float, beta1: float, beta2: float) -> None:
    """One step down `net.grad`, as torch.optim's Adam, RMSprop and SGD (with momentum) do it."""
    net.updates.add_(1)
    first, second = net.first, net.second
    if kind == "adam":
        torch._fused_adam_([net.flat], [net.grad], [first], [second], [], [net.updates], amsgrad=False, lr=rate,
                           beta1=beta1, beta2=beta2, weight_decay=0.0, eps=1e-8, maximize=False)
    elif kind == "rmsprop":
        second.mul_(beta2).addcmul_(net.grad, net.grad, value=1 - beta2)
        net.flat.addcdiv_(net.grad, second.sqrt().add_(1e-8), value=-rate)
    else:
        first.mul_(beta1).add_(net.grad)
        net.flat.add_(first, alpha=-rate)
