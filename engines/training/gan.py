"""The recipes behind the bundled GANs of pictures.

    python -m engines.training.gan gan-mnist
    python -m engines.training.gan gan-fashion
    python -m engines.training.gan gan-emoji

Stopping it (Ctrl-C) and starting it again goes on where the last checkpoint was written, and ends at the same weights.
The finished model goes to assets/models/<name>, with what both networks were after 200, 1,000, 5,000 and 20,000 steps;
what they were before the first step follows from the seed.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines import data
from engines.gan.pictures import Rules, halved
from engines.gan.pictures.game import Game, latent
from engines.gan.pictures.networks import Generator
from engines.gan.pictures.rules import Architecture
from engines.gan.pictures.stages import packed
from engines.training import data as sources
from engines.training.gan_report import measured, write_model
from engines.training.loop import CHECKPOINTS, MODELS, run


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, apart from the data. The rules are those of
    `engines.gan.pictures.Rules`."""

    name: str
    dataset: str = "mnist"
    steps: int = 20_000
    stages: str = "200,1000,5000,20000"      # steps after which both networks are kept
    z_dim: int = 64
    width: int = 32
    loss: str = "non-saturating"
    lr_g: float = 1e-3           # kept for the first half of the steps, then falling evenly to a fiftieth; lr_d too
    lr_d: float = 1e-3
    beta1: float = 0.0
    beta2: float = 0.99
    batch: int = 64
    r1: float = 0.3
    spectral: int = 0
    batch_norm: int = 1
    average: float = 0.999       # decay of the running average of G's weights that is kept in the end
    augment: int = 0             # 1: the detective sees all pictures moved, mirrored and with holes
    precision: str = "bf16"      # of convolutions and matrix products; weights and sums stay fp32
    seed: int = 0

    @property
    def epochs(self) -> float:
        """What the loop asks every recipe for; here the steps are given."""
        return float(self.steps)

    def rules(self) -> Rules:
        return Rules(loss=self.loss, lr_g=self.lr_g, lr_d=self.lr_d, beta1=self.beta1, beta2=self.beta2,
                     batch=self.batch, z_dim=self.z_dim, r1=self.r1, spectral=bool(self.spectral),
                     batch_norm=bool(self.batch_norm), augment=bool(self.augment))


RECIPES = {recipe.name: recipe for recipe in (
    Recipe("gan-mnist"),
    Recipe("gan-fashion", dataset="fashion"),
    Recipe("gan-emoji", dataset="emoji", r1=1.0, augment=1))}


class Training:
    """A recipe under way: the game, the running average of G, and what both were at the stages behind."""

    figure = "loss of the detective"

    def __init__(self, recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> None:
        """images: uint8 (N, 32, 32, C); labels: (N,), from 0."""
        self.recipe = recipe
        shape = Architecture(images.shape[-1], int(labels.max()) + 1, recipe.z_dim, recipe.width)
        self.game = Game(shape, recipe.rules(), torch.from_numpy(np.ascontiguousarray(images)),
                         torch.from_numpy(labels.astype(np.int64)), recipe.seed, precision=recipe.precision)
        self.averaged = [weight.detach().clone() for weight in self.game.g.parameters()]
        self.stages: dict[int, dict[str, Tensor]] = {}
        self.keep_at = tuple(int(step) for step in recipe.stages.split(","))
        self.steps, self.seconds, self.plans = recipe.steps, 0.0, []

    @property
    def step(self) -> int:
        return self.game.step

    def advance(self) -> float:
        """One step of the game; D's loss."""
        recipe, done = self.recipe, self.step / self.steps
        fall = min(1.0, max(0.02, 2 * (1 - done)))
        self.game.follow(replace(self.game.rules, lr_g=recipe.lr_g * fall, lr_d=recipe.lr_d * fall))
        detective, _ = self.game.round()
        share = 1 - min(recipe.average, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, list(self.game.g.parameters()), share)
        if self.step in self.keep_at:
            g = self.finished() if self.step == self.steps else self.game.g
            self.stages[self.step] = packed(g, self.game.d)
        return detective.loss

    def state(self) -> dict:
        return {"recipe": asdict(self.recipe), "game": self.game.state(), "averaged": self.averaged,
                "stages": self.stages, "step": self.step, "seconds": self.seconds}

    def restore(self, state: dict) -> None:
        self.game.restore(state["game"])
        self.averaged, self.stages, self.seconds = state["averaged"], state["stages"], state["seconds"]

    def forgers(self) -> dict[int, Generator]:
        """G at each stage, as it is stored."""
        found = {}
        for step, weights in self.stages.items():
            found[step] = Generator(self.game.g.architecture, self.game.g.batch_norm).eval()
            found[step].load_state_dict({name.removeprefix("g."): value.float() if value.is_floating_point() else value
                                         for name, value in weights.items() if name.startswith("g.")})
        return found

    def finished(self) -> Generator:
        """G with the averaged weights, and the means and variances that they give rise to (Brock et al. 2018,
        arXiv:1809.11096, section 4.1: "standing statistics")."""
        g = Generator(self.game.g.architecture, self.game.g.batch_norm)
        g.load_state_dict(self.game.g.state_dict())
        with torch.no_grad():
            for weight, average in zip(g.parameters(), self.averaged):
                weight.copy_(average.half().float())
        settle(g, self.game.labels, self.recipe.seed)
        return g.eval()


@torch.no_grad()
def settle(g: Generator, labels: Tensor, seed: int, rounds: int = 100, batch: int = 64) -> None:
    """The statistics of batch norm as the mean over `rounds` batches with the data's own share of classes."""
    random = torch.Generator().manual_seed(seed)
    for norm in g.norms:
        norm.reset_running_stats()
        norm.momentum = None                 # a plain mean of all rounds
    g.train()
    for _ in range(rounds):
        index = torch.randint(len(labels), (batch,), generator=random)
        g(latent("normal", batch, g.architecture.z_dim, random), labels[index])


def pictures(dataset: str) -> tuple[np.ndarray, np.ndarray, int]:
    """uint8 (N, 32, 32, C), labels (N,), and how many of them are for training."""
    images, labels, n_train = sources.whole(dataset)
    return (halved(images) if dataset == "emoji" else data.padded(images)), labels, n_train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--into", type=Path, default=MODELS, help="folder that holds the model folders")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = RECIPES[options.name]
    images, labels, n_train = pictures(recipe.dataset)
    training = run(Training(recipe, images[:n_train], labels[:n_train]), CHECKPOINTS / f"{recipe.name}.pt")
    judge = options.into / f"classifier-{recipe.dataset}"
    found, sheet = measured(training.forgers(), judge if judge.is_dir() else None, images, labels, n_train)
    write_model(training, recipe, options.into / recipe.name, found, sheet, n_train=n_train, threads=options.threads)
    print(found, flush=True)


if __name__ == "__main__":
    main()
