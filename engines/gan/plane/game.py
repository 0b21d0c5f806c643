"""The game itself (Goodfellow et al. 2014, algorithm 1), and how it is stopped, kept, and gone on with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from engines.gan.plane import Moment, Play, Rules
from engines.gan.plane.flat import Flat
from engines.gan.plane.networks import Net, update
from engines.gan.plane.plain import Plain
from engines.gan.plane.shapes import Data

NETWORK = {"g_layers", "z_dim"}, {"d_layers"}        # rules that make another generator, another discriminator
REST = 0.02                                          # of the learning rates, where they have fallen
HEAP = 0.25                                          # how wide the points lie before anything is learned


@contextmanager
def one_thread() -> Iterator[None]:
    """So small a product is done sooner by one core: two wait for each other, and where a third program is busy, for it.

    Not to be held open across a pause: whoever is stepped next may want all cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Broken(Exception):
    """A number of the game is no longer one. Holds the sentence."""


class Game:
    """One game under way. `round` plays; everything random comes from one generator, so a seed is a whole run."""

    def __init__(self, data: Data, rules: Rules, seed: int) -> None:
        self.data, self.rules, self.seed = torch.from_numpy(data.x), rules, seed
        self.random = torch.Generator().manual_seed(seed)
        self.step, self.seconds = 0, 0.0
        self.g, self.d = self._generator(), self._discriminator()
        self.way = self._way()

    def _generator(self) -> Net:
        net = Net((self.rules.z_dim, *self.rules.g_layers, 2))
        net.begin(self.random, HEAP)
        return net

    def _discriminator(self) -> Net:
        net = Net((2, *self.rules.d_layers, 1))
        net.begin(self.random)
        return net

    def _way(self) -> Flat | Plain:
        if self.rules.spectral or self.rules.batch_norm:
            return Plain(self.g, self.d, self.rules)
        return Flat(self.g, self.d, self.rules)

    # --- the rules -------------------------------------------------------------------------------------------------

    def change(self, rules: Rules) -> tuple[str, ...]:
        """Go on by other rules; returns the names of those that changed. A player whose network is another one begins
        anew, and where the optimiser is another one both forget what the old one remembered."""
        names = rules.differs(self.rules)
        if not names:
            return ()
        self.rules = rules
        if NETWORK[0] & set(names):
            self.g = self._generator()
        if NETWORK[1] & set(names):
            self.d = self._discriminator()
        if "optimiser" in names:
            for net in (self.g, self.d):
                net.memory.zero_()
                net.updates.zero_()
        before, self.way = self.way, self._way()
        if isinstance(before, Plain) and isinstance(self.way, Plain):
            self.way.go_on_from(before)
        for net in (self.g, self.d):
            net.forget_rooms()                               # else every batch size that was tried stays in memory
        return names

    # --- a round ---------------------------------------------------------------------------------------------------

    def z(self, count: int) -> Tensor:
        """(count, z_dim), drawn as the rules say: normal, or evenly from -1 to 1."""
        drawn = torch.empty(count, self.rules.z_dim)
        if self.rules.z_kind == "normal":
            return drawn.normal_(generator=self.random)
        return drawn.uniform_(-1, 1, generator=self.random)

    def real(self) -> Tensor:
        """A batch of the data, (B, 2)."""
        return self.data.index_select(0, torch.randint(len(self.data), (self.rules.batch,), generator=self.random))

    def noised(self, x: Tensor) -> Tensor:
        """x with instance noise (Sønderby et al. 2017, arXiv:1610.04490; Arjovsky & Bottou 2017, arXiv:1701.04862)."""
        if not self.rules.noise:
            return x
        return x + torch.empty_like(x).normal_(0.0, self.rules.noise, generator=self.random)

    def d_step(self) -> tuple[Tensor, Tensor, Tensor]:
        """Show D a batch of each, and let it learn. Returns z, the real and the generated points, as they were drawn."""
        rules = self.rules
        z, real = self.z(rules.batch), self.real()
        fake = self.way.generate(z, learning=True)
        mix = torch.rand(rules.batch, 1, generator=self.random) if rules.loss == "wgan-gp" else None
        self.way.d_gradient(self.noised(real), self.noised(fake), mix)
        self._check("discriminator", self.d)
        update(self.d, rules.optimiser, rules.lr_d * self.share(), rules.beta1, rules.beta2)
        if rules.loss == "wgan":
            self.d.flat.clamp_(-rules.clip, rules.clip)                        # Arjovsky et al. 2017, algorithm 1, line 7
        return z, real, fake

    def g_step(self, z: Tensor | None = None, fake: Tensor | None = None) -> None:
        """Let G learn from what D says of its points: those of D's last step, or fresh ones."""
        if z is None or fake is None:
            z = self.z(self.rules.batch)
            fake = self.way.generate(z, learning=True)
        self.way.g_gradient(z, self.noised(fake))
        self._check("generator", self.g)
        update(self.g, self.rules.optimiser, self.rules.lr_g * self.share(), self.rules.beta1, self.rules.beta2)

    def share(self) -> float:
        """Of the learning rates, that is left at this step."""
        decay = self.rules.decay
        return max(REST, min(1.0, 2 - 2 * self.step / decay)) if decay else 1.0

    def round(self, who: str = "both") -> None:
        """d_steps updates of D, then one of G; or one update of the one who plays alone."""
        if who == "g":
            self.g_step()
        elif who == "d":
            self.d_step()
        else:
            for _ in range(self.rules.d_steps):
                z, _, fake = self.d_step()
            self.g_step(z, fake)
        self.step += 1

    def _check(self, who: str, net: Net) -> None:
        """Before the weights are touched, so that what is kept is the last good moment.

        The squared length is looked at, as it overflows first: while it is a number, so is every square that an
        optimiser remembers, and no step is long enough to make a weight that is none.
        """
        if not math.isfinite(net.grad.dot(net.grad).item()):
            raise Broken(f"At step {self.step + 1:,} the gradient of the {who} was no number any more: the game blew up "
                         "and was stopped before it. Go back to an earlier moment, and lower a learning rate "
                         f"(generator {self.rules.lr_g:g}, discriminator {self.rules.lr_d:g}).")

    def burst(self, rounds: int, seconds: float, who: str) -> None:
        """Rounds until there are so many, or so much time has gone. Raises Broken."""
        began = perf_counter()
        with one_thread(), torch.inference_mode(isinstance(self.way, Flat)):
            for _ in range(rounds):
                self.round(who)
                if perf_counter() - began >= seconds:
                    break
        self.seconds += perf_counter() - began

    # --- moments ---------------------------------------------------------------------------------------------------

    def moment(self) -> Moment:
        extra = self.way.state() if isinstance(self.way, Plain) else []
        return Moment(self.rules, self.step, self.g.flat.numpy().copy(), self.d.flat.numpy().copy(),
                      self.g.memory.numpy().copy(), self.d.memory.numpy().copy(),
                      (int(self.g.updates), int(self.d.updates)),
                      torch.cat(extra).numpy().copy() if extra else np.zeros(0, np.float32),
                      self.random.get_state().numpy().copy())

    def restore(self, moment: Moment) -> None:
        """Be as it was; its rules included."""
        self.rules, self.step = moment.rules, moment.step
        self.g, self.d = self._generator(), self._discriminator()
        for net, row, memory, updates in ((self.g, moment.g, moment.g_memory, moment.updates[0]),
                                          (self.d, moment.d, moment.d_memory, moment.updates[1])):
            net.flat.copy_(torch.from_numpy(row.copy()))
            net.memory.copy_(torch.from_numpy(memory.copy()))
            net.updates.fill_(float(updates))
        self.way = self._way()
        if isinstance(self.way, Plain) and len(moment.extra):
            rest = torch.from_numpy(moment.extra.copy())
            for tensor in self.way.state():
                tensor.copy_(rest[:len(tensor)])
                rest = rest[len(tensor):]
        self.random.set_state(torch.from_numpy(moment.random.copy()))


def begun(data: Data, p: Play) -> tuple[Game, tuple[str, ...]]:
    """The game that `p` asks for, and the rules that are others than those of the moment it starts from."""
    game = Game(data, p.rules if p.start is None else p.start.rules, p.seed)
    if p.start is None:
        return game, ()
    game.restore(p.start)
    return game, game.change(p.rules)
