"""Both players' gradients written out by hand: the fast way. What it computes is what `plain` does.

With l the logit, the gradient of each loss of `engines.gan.losses` at l, over a batch of B:

                  D at a real l                D at a fake l      G at a fake l
minimax           (sigmoid(l) - 1 + s) / B     sigmoid(l) / B     -sigmoid(l) / B
non-saturating    the same                     the same           (sigmoid(l) - 1) / B
least-squares     (l - 1 + s) / B              l / B              (l - 1) / B
hinge             -[l < 1] / B                 [l > -1] / B       -1 / B
wgan, wgan-gp     -1 / B                       1 / B              -1 / B
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines.gan.plane import Rules
from engines.gan.plane.networks import Net

TINY = 1e-12                     # under a slope's length, so that a flat place has a direction


class Flat:
    """Gradients for one game. g and d are its nets; what a pass left lies in their rooms."""

    def __init__(self, g: Net, d: Net, rules: Rules) -> None:
        self.g, self.d, self.rules = g, d, rules
        self.judged = torch.empty(2 * rules.batch, 2)          # the real half, then the generated one
        self.target = torch.zeros(2 * rules.batch, 1)          # what D is to say of each
        self.target[:rules.batch] = 1 - rules.smoothing

    def generate(self, z: Tensor, learning: bool = False) -> Tensor:
        """z (B, z_dim) -> x (B, 2), where the next pass of the same use leaves it too."""
        return self.g.forward(z, self.g.room("learning" if learning else "looking", len(z)))

    def judge(self, x: Tensor) -> Tensor:
        """x (B, 2) -> logits (B, 1)."""
        return self.d.forward(x, self.d.room("looking", len(x)))

    def d_gradient(self, real: Tensor, fake: Tensor, mix: Tensor | None) -> Tensor:
        """Gradient of D's loss into d.grad. real, fake: (B, 2) as they are judged. Returns the logits (2B, 1)."""
        rules, x, count = self.rules, self.judged, len(real)
        torch.cat([real, fake], out=x)
        room = self.d.room("both", len(x))
        logits = self.d.forward(x, room)
        self.d.backward(x, room, d_slope(rules.loss, logits, self.target))
        if mix is not None:                                    # 2 lambda (|s| - 1) s / |s| / B
            between = torch.lerp(fake, real, mix)
            room = self.d.room("penalty", count)
            self.d.forward(between, room)
            slope = self.d.slope(room)
            length = slope.norm(dim=1, keepdim=True).clamp_min(TINY)
            self.d.add_penalty(room, slope * ((length - 1) / length).mul_(2 * rules.gp / count))
        if rules.r1:                                           # gamma / 2 * 2 s / B
            room = [each[:count] for each in self.d.room("both", len(x))]
            self.d.add_penalty(room, self.d.slope(room) * (rules.r1 / count))
        return logits

    def g_gradient(self, z: Tensor, fake: Tensor) -> Tensor:
        """Gradient of G's loss into g.grad. fake (B, 2): what `generate` made of z while learning, as it is judged."""
        room = self.d.room("fake", len(z))
        logits = self.d.forward(fake, room)
        at_x = self.d.inward(room, g_slope(self.rules.loss, logits).mul_(1 / len(z)))
        self.g.backward(z, self.g.room("learning", len(z)), at_x)
        return logits

    def pull(self, x: Tensor) -> Tensor:
        """Minus the gradient of G's loss at each x (B, 2), for a batch of one."""
        room = self.d.room("looking", len(x))
        logits = self.d.forward(x, room)
        return -self.d.inward(room, g_slope(self.rules.loss, logits))


def d_slope(loss: str, logits: Tensor, target: Tensor) -> Tensor:
    """Gradient of D's loss at logits (2B, 1), the first half of real points. target (2B, 1): 1 of them, less the
    smoothing, and 0 of the others."""
    real = len(logits) // 2
    if loss in ("minimax", "non-saturating"):
        slope = torch.sigmoid(logits).sub_(target)
    elif loss == "least-squares":
        slope = logits - target
    else:
        slope = torch.ones_like(logits)
        slope[:real] = -1
        if loss == "hinge":
            slope[:real] *= logits[:real] < 1
            slope[real:] *= logits[real:] > -1
    return slope.mul_(1 / real)


def g_slope(loss: str, logits: Tensor) -> Tensor:
    """Gradient of G's loss at each logit, for a batch of one."""
    if loss == "minimax":
        return -torch.sigmoid(logits)
    if loss == "non-saturating":
        return torch.sigmoid(logits).sub_(1)
    if loss == "least-squares":
        return logits - 1
    return torch.full_like(logits, -1.0)
