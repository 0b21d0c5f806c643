"""Training a GAN of pictures while somebody watches.

Looking costs time that learning does not get: looks and measures are spaced so that both together take less than a
twentieth of it, however slow the machine. What a run learns does not depend on when it was looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from engines.diffusion.classifier import Classifier
from engines.gan import losses
from engines.gan import pictures as asked
from engines.gan.pictures import moments
from engines.gan.pictures.game import Game, NotFinite, Turn, latent, to_bytes, to_float
from engines.gan.pictures.measure import Ruler
from engines.gan.pictures.rules import Architecture
from engines.gan.pictures.stages import Stages, packed, save
from engines.runtime import BadInput

LOOK_EVERY_S = 0.3
LOOK_COST, MEASURE_COST = 50, 80     # a look waits until training has taken this many times what the last one took
EARLY = (0, 1, 2, 5, 10, 20, 50)     # steps that are looked at in any case: most happens at the beginning
CROWD = 500                          # pictures that are measured
CURVE = 100                          # steps that the curve of a look goes back


class Watched:
    """One training under way: the game, what is looked at, and the clock of its own steps."""

    def __init__(self, p: asked.Train, classifier: Classifier | None, model: Stages | None) -> None:
        self.params, self.newest = p, None
        images, labels = asked.learned_from(p.dataset)
        classes = int(labels.max()) + 1
        shape = Architecture(images.shape[-1], classes, p.rules.z_dim)
        rules = p.rules
        if p.start is not None:
            shape, rules = p.start.architecture, p.start.rules
        elif model is not None:
            shape, rules = model.architecture, model.rules
        self.game = Game(shape, rules, torch.tensor(images), torch.tensor(labels.astype(np.int64)), p.seed)
        if p.start is not None:
            moments.resume(self.game, p.start)
        elif model is not None:
            self.begin_at(model, p)
        self.changed = self.game.change(p.rules)
        self.real, self.labels = asked.real_pictures(p.dataset)
        others = asked.learned_from(p.dataset, "test")[0]
        some = np.linspace(0, len(others) - 1, min(2 * CROWD, len(others))).astype(int)
        self.ruler = Ruler(others[some[::2]], classes, classifier, others[some[1::2]])
        self.curve: deque[tuple[float, ...]] = deque(maxlen=CURVE)
        self.seconds = self.looked = self.measured_at = self.look_cost = self.measure_cost = 0.0
        self.measured = self.kept = self.game.step
        self.good = moments.moment(self.game, p.dataset)

    def begin_at(self, model: Stages, p: asked.Train) -> None:
        """Both networks as they were at that stage; the optimisers begin anew."""
        if model.facts["dataset"] != p.dataset:
            raise BadInput(f"{p.model} learned {model.facts['dataset']}, not {p.dataset}: choose that data set.")
        for network, stored in zip((self.game.g, self.game.d), model.pair(p.stage)):
            network.load_state_dict(stored.state_dict())
        self.game.step = p.stage

    def obey(self) -> None:
        """Take up what the visitor asked for since the last round."""
        if self.newest is not None:
            self.params, self.newest = self.newest, None
            self.changed = tuple(dict.fromkeys((*self.changed, *self.game.change(self.params.rules))))

    def note(self, detective: Turn, forger: Turn) -> None:
        self.curve.append((self.game.step, detective.loss, forger.loss, detective.real, detective.fake,
                           detective.norm, forger.norm))

    def due(self) -> bool:
        """Whether it is time for a look."""
        step, every = self.game.step, self.params.every
        if self.changed or step in EARLY:
            return True
        if every:
            return step % every == 0
        return self.seconds - self.looked >= max(LOOK_EVERY_S, LOOK_COST * self.look_cost)

    def measure_due(self) -> bool:
        every = self.params.measure_every
        return bool(every) and self.game.step - self.measured >= every and \
            self.seconds - self.measured_at >= MEASURE_COST * self.measure_cost

    def look(self, *, last: bool = False, broken: str = "", measures: asked.Measures | None = None,
             model: str = "") -> asked.Look:
        """What there is to see now."""
        began, game, every = perf_counter(), self.game, self.params.keep_every
        labels = torch.from_numpy(self.labels.astype(np.int64))
        z = self.noise(len(labels), seed=game.seed)
        with Still(game), torch.no_grad():
            made = game.g(z, labels)
            logits = game.d(torch.cat([made, to_float(torch.from_numpy(self.real))]), labels.repeat(2))
            verdicts = losses.verdict(game.rules.loss, logits).numpy()
        keep = bool(every) and game.step - self.kept >= every
        if not broken and (keep or last or self.changed):
            self.good, self.kept, keep = moments.moment(game, self.params.dataset), game.step, True
        curve = np.array(self.curve, np.float32).reshape(-1, len(asked.CURVE))
        numbers = self.curve[-1][1:] if self.curve else (float("nan"),) * 6
        changed, self.changed = self.changed, ()
        self.looked, self.look_cost = self.seconds, perf_counter() - began
        return asked.Look(game.step, self.seconds, *numbers, curve, to_bytes(made).numpy(), self.labels,
                          verdicts[:len(labels)], verdicts[len(labels):], measures, changed, broken,
                          self.good if keep or last else None, model)

    def measuring(self) -> Generator[None, asked.Train | None, asked.Measures]:
        """Measure a crowd; it takes as long as some steps of the game, in as many parts."""
        game, took = self.game, 0.0
        crowd = iter(self.noise(CROWD, seed=game.seed + 1).split(1))

        def draw(labels: Tensor) -> Tensor:
            with Still(game), torch.no_grad():
                return to_bytes(game.g(torch.cat([next(crowd) for _ in labels]), labels))
        parts = self.ruler.measuring(game.step, draw)
        while True:
            began = perf_counter()
            try:
                next(parts)
            except StopIteration as end:
                self.measured, self.measured_at = game.step, self.seconds
                self.measure_cost = took + perf_counter() - began
                return end.value
            took += perf_counter() - began
            yield from self.breath()

    def breath(self, frame: asked.Look | None = None) -> Generator[asked.Look | None, asked.Train | None, None]:
        """Let others have their turn, and hear whether the visitor wants something else."""
        self.newest = (yield frame) or self.newest

    def noise(self, count: int, seed: int) -> Tensor:
        rules = self.game.rules
        return latent(rules.z_kind, count, rules.z_dim, torch.Generator().manual_seed(seed))


class Still:
    """Both networks in eval mode for a moment: looking at them does not teach them."""

    def __init__(self, game: Game) -> None:
        self.networks = (game.g, game.d)

    def __enter__(self) -> None:
        for network in self.networks:
            network.eval()

    def __exit__(self, *_: object) -> None:
        for network in self.networks:
            network.train()


def train(*given: object) -> Generator[asked.Look | None, asked.Train | None, None]:
    """Rounds, and a look now and then. The last look names the model that was kept, or says what broke.

    given: the classifier and the model that the parameters name, as far as they name one, and the parameters.
    """
    *leased, p = given
    newest = None
    for split in ("train", "test"):                 # one at a time, so that no step is long
        asked.learned_from(p.dataset, split)
        newest = (yield None) or newest
    classifier = next((each for each in leased if isinstance(each, Classifier)), None)
    watched = Watched(p, classifier, next((each for each in leased if isinstance(each, Stages)), None))
    watched.newest = newest
    yield from watched.breath()
    yield from watched.breath(watched.look(last=True))
    while True:
        # 1. what the visitor wants now
        watched.obey()
        if watched.params.finish or watched.game.step >= watched.params.until:
            break
        # 2. a round of the game
        try:
            yield from play(watched)
        except NotFinite as fault:
            yield watched.look(last=True, broken=f"{fault} Go back to step {watched.good.step}, and choose lower "
                                                 "learning rates or a steadier rule.")
            return
        # 3. a look, when it is time
        measures = (yield from watched.measuring()) if watched.measure_due() else None
        yield from watched.breath(watched.look(measures=measures) if measures or watched.due() else None)
    from engines.runtime.trained import keep
    yield watched.look(last=True, model=keep(lambda folder: _write(folder, watched)))


def play(watched: Watched) -> Generator[None, asked.Train | None, None]:
    """One round, with a breath after each of D's turns, so that many of them do not hold others up."""
    game, spent = watched.game, 0.0
    for _ in range(game.rules.d_steps):
        began = perf_counter()
        detective = game.detect()
        spent += perf_counter() - began
        yield from watched.breath()
    began = perf_counter()
    watched.note(detective, game.forge())
    watched.seconds += spent + perf_counter() - began


def _write(folder: Path, watched: Watched) -> None:
    """The folder of a kept model, laid out like a bundled one with a single stage."""
    game, dataset = watched.game, watched.params.dataset
    save(folder, {game.step: packed(game.g, game.d)}, game.g.architecture, game.rules, dataset=dataset,
         classes=list(asked.data.about(dataset)["classes"]), stages=[game.step], seed=game.seed,
         seconds=round(watched.seconds, 1))
