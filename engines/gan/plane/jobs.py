"""What may be asked of the plane, as jobs for the runtime. `engines.gan.plane` declares them.

Always on the CPU: a round is sixty small products, and one core is faster at them than any accelerator.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from engines.gan import plane as asked
from engines.gan.losses import discriminator_loss, generator_loss
from engines.gan.plane import shapes
from engines.gan.plane.game import Broken, Game, begun, one_thread
from engines.gan.plane.measure import Sight, Yardstick, measure, sight
from engines.runtime import BadInput

BURST_S = 0.006                  # of rounds without a pause: another visitor's click waits for no longer
LOOK_S = 1 / 42                  # between two looks, where the page did not name a number of rounds
LOOK_COST, WEIGH_COST = 12, 40   # times as long as the last one took, that a game plays before the next
KEEP_S = 0.5                     # between two moments that are kept
TRANSPORT_S = 1.0                # between two estimates of Wasserstein-1, the one measure that takes long


def real(p: asked.Shape) -> Iterator[asked.Real]:
    """The data itself."""
    data = shapes.make(p)
    yield asked.Real(data.x[:2000], data.centres, data.width, data.centre, data.scale)


class Watch:
    """Looks at one game, and when each part of a look is due."""

    def __init__(self, game: Game, data: shapes.Data, seed: int) -> None:
        self.game, self.seed = game, seed
        self.yardstick = Yardstick(data)
        self.surface = places()
        self.looked = self.kept = self.weighed = -1e9
        self.cost = self.weigh_cost = self.played = self.played_then = 0.0
        self.lie_of_noise()

    def lie_of_noise(self) -> None:
        """What is looked at is always made of the same noise; it is drawn anew where the noise is another one."""
        self.seen: Sight = sight(self.game, self.yardstick, self.seed)
        self.mesh = mesh(self.game.rules)

    def due(self) -> bool:
        """Where many play at once each has little time of its own, and looks at less of it."""
        return perf_counter() - self.looked >= LOOK_S and self.game.seconds - self.played >= LOOK_COST * self.cost

    def look(self, changed: tuple[str, ...] = (), last: bool = False, broken: str = "", paced: bool = False) -> asked.Look:
        game, now = self.game, perf_counter()
        if {"z_dim", "z_kind"} & set(changed):
            self.lie_of_noise()
        with one_thread(), torch.no_grad():
            weigh = last or now - self.weighed >= TRANSPORT_S and (
                paced or game.seconds - self.played_then >= WEIGH_COST * self.weigh_cost)
            keep = last or bool(changed) or now - self.kept >= KEEP_S
            self.weighed, self.kept = (now if weigh else self.weighed), (now if keep else self.kept)
            measures, samples = measure(game, self.yardstick, self.seen, weigh)
            arrows = game.way.pull(samples[:asked.ARROWS]).numpy().copy()
            surface = surface_of(game, self.surface)
            drawn = game.way.generate(self.mesh[0]).view(*self.mesh[1], 2).numpy().copy()
        self.looked, self.played = perf_counter(), game.seconds
        if weigh:
            self.weigh_cost, self.played_then = self.looked - now, game.seconds
        elif not keep:
            self.cost = self.looked - now
        return asked.Look(game.step, game.seconds, samples[:asked.SAMPLES].numpy(), arrows, surface, drawn, measures,
                          changed, broken, game.moment() if keep else None)


def places() -> Tensor:
    """Middles of the surface's cells, first row the top: (SIDE * SIDE, 2)."""
    marks = (torch.arange(asked.SIDE) + 0.5) / asked.SIDE * 2 * asked.REACH - asked.REACH
    y, x = torch.meshgrid(marks.flip(0), marks, indexing="ij")
    return torch.stack([x, y], -1).view(-1, 2)


def surface_of(game: Game, where: Tensor) -> np.ndarray:
    return game.way.judge(where).view(asked.SIDE, asked.SIDE).numpy().copy()


def mesh(rules: asked.Rules) -> tuple[Tensor, tuple[int, int]]:
    """A square grid in the first two dimensions of z, the others 0: quantiles of what z is drawn from."""
    marks = (torch.arange(asked.MESH) + 0.5) / asked.MESH
    marks = torch.distributions.Normal(0.0, 1.0).icdf(marks) if rules.z_kind == "normal" else 2 * marks - 1
    if rules.z_dim == 1:
        return marks[:, None], (asked.MESH, 1)
    y, x = torch.meshgrid(marks, marks, indexing="ij")
    z = torch.zeros(asked.MESH**2, rules.z_dim)
    z[:, 0], z[:, 1] = x.reshape(-1), y.reshape(-1)
    return z, (asked.MESH, asked.MESH)


def play(p: asked.Play) -> Generator[asked.Look | None, asked.Play | None, None]:
    """Rounds, and a look now and then. What the reader hands to a run's `update` takes effect at once, with a look."""
    data = shapes.make(p.shape)
    newer = yield None
    game, changed = begun(data, p)
    watch = Watch(game, data, p.seed)
    newer = (yield watch.look(changed, last=True)) or newer
    while True:
        if newer is not None:
            p, newer = replace(newer, start=None), None
            changed = game.change(p.rules)
            newer = yield watch.look(changed, last=True)     # told to stop here, it is one that can be gone on from
            continue
        if game.step >= p.until:
            return
        until_look = min(p.until - game.step, p.every - game.step % p.every if p.every else p.until)
        try:
            game.burst(until_look, BURST_S, p.who)
        except Broken as fault:
            yield watch.look(last=True, broken=str(fault))
            return
        newer = yield None
        if newer is None and (game.step >= p.until or (game.step % p.every == 0 if p.every else watch.due())):
            newer = yield watch.look(last=game.step >= p.until, paced=bool(p.every))


def anatomy(p: asked.Play) -> Iterator[asked.Anatomy | None]:
    """One round from a moment, and everything in it."""
    data = shapes.make(p.shape)
    game, changed = begun(data, p)
    watch, loss = Watch(game, data, p.seed), game.rules.loss
    yield None
    with one_thread(), torch.no_grad():
        before = surface_of(game, watch.surface)
        before_d = game.d.flat.clone()
        if p.who == "g":                                     # D is only asked
            z, real = game.z(game.rules.batch), game.data[:game.rules.batch]     # drawing would be another game
            fake = game.way.generate(z, learning=True).clone()
        for _ in range({"both": game.rules.d_steps, "d": 1, "g": 0}[p.who]):
            before_d = game.d.flat.clone()
            try:
                z, real, fake = (each.clone() for each in game.d_step())
            except Broken as fault:
                raise BadInput(str(fault)) from None
        after_d, learned = game.d.flat.clone(), surface_of(game, watch.surface)
        real_after, fake_after = (game.way.judge(x).clone().view(-1) for x in (real, fake))
        game.d.flat.copy_(before_d)
        real_before, fake_before = (game.way.judge(x).clone().view(-1) for x in (real, fake))
        game.d.flat.copy_(after_d)
        pull = game.way.pull(fake).clone()
        if p.who != "d":
            game.g_step(z, fake)                             # what G's layers gave for z is still in their room
        moved = game.way.generate(z).clone()
        game.step += 1
    losses = (float(discriminator_loss(loss, real_before, fake_before, game.rules.smoothing)),
              float(generator_loss(loss, fake_after)))
    yield asked.Anatomy(*(each.numpy() for each in (z, real, fake, real_before, fake_before, real_after, fake_after,
                                                    pull, moved)), before, learned, *losses,
                        watch.look(changed, last=True))
