"""The recipe behind the bundled VAEs.

    python -m engines.training.vae --name vae-mnist-2d --dataset mnist --latent 2
    python -m engines.training.vae --name vae-mnist-2d-beta4 --dataset mnist --latent 2 --beta 4
    python -m engines.training.vae --name ae-mnist-2d --dataset mnist --latent 2 --kind ae

Stopping it (Ctrl-C) and starting it again with the same arguments goes on where the last checkpoint
was written, and ends at the same weights. The finished model goes to assets/models/<name>.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engines.training import data as sources
from engines.training.loop import CHECKPOINTS, arguments, chosen, run
from engines.training.vae_report import write_model
from engines.vae.model import VAE, Architecture, elbo_terms, load, to_float


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, apart from the data."""

    name: str
    dataset: str = "mnist"
    latent: int = 2
    kind: str = "vae"
    beta: float = 1.0
    network: str = "mlp"
    width: int = 256
    encoder_depth: int = 2
    decoder_depth: int = 2
    epochs: float = 100.0
    batch: int = 256
    optimiser: str = "adamw"     # or "muon", for the matrices between layers: fewer steps to the same loss
    rate: float = 2e-3           # peak learning rate, reached after 2 % of the steps, then a cosine down to zero
    decay: float = 1e-3          # AdamW's weight decay
    average: float = 0.999       # decay of the running average of the weights that is kept in the end
    warm_up: float = 0.05        # share of the steps over which the weight of the KL grows from 0 to beta
    shift: int = 0               # pictures are moved by up to this many pixels, anew each time
    warp: float = 0.0            # half of the pictures are turned by up to this many radians, stretched and moved
    start: str = ""              # a folder of an earlier run, to begin with its weights instead of random ones
    precision: str = "bf16"      # of the matrix products; weights and sums stay fp32
    seed: int = 0

    def architecture(self, shape: tuple[int, int, int]) -> Architecture:
        return Architecture(shape, self.latent, self.kind, self.network, self.width,
                            self.encoder_depth, self.decoder_depth)


class Training:
    """A recipe under way: weights, their running average, optimiser, step and random state."""

    figure = "-ELBO"

    def __init__(self, recipe: Recipe, images: np.ndarray) -> None:
        self.recipe = recipe
        self.images = torch.from_numpy(np.ascontiguousarray(images))      # (N, H, W, C) bytes
        torch.manual_seed(recipe.seed)
        self.vae = VAE(recipe.architecture(tuple(images.shape[1:])))
        if recipe.start:
            self.vae.load_state_dict(load(Path(recipe.start)).state_dict())
        self.averaged = [weight.detach().clone() for weight in self.vae.parameters()]
        self.optimisers = optimisers(recipe, self.vae)
        self.random = torch.Generator().manual_seed(recipe.seed)
        self.step, self.seconds, self.plans = 0, 0.0, []
        self.steps = max(1, round(recipe.epochs * len(images) / recipe.batch))

    def advance(self) -> float:
        """One step of stochastic gradient descent on -ELBO; the mean -ELBO of the batch, in nats."""
        recipe, done = self.recipe, self.step / self.steps
        # 1. a minibatch, drawn anew
        x = self.minibatch()
        # 2. the two terms of the bound, with one eps for each picture
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
            reconstruction, kl = elbo_terms(self.vae, x, self.random)
        weight = recipe.beta * min(1.0, (done + 1e-9) / max(recipe.warm_up, 1e-9))
        loss = (reconstruction + weight * kl.sum(1)).mean()
        # 3. down the gradient
        rate = recipe.rate * min(1.0, (done + 1 / self.steps) / 0.02) * 0.5 * (1 + math.cos(math.pi * done))
        self.vae.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 200.0, foreach=True)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        # 4. the running average that is kept in the end
        self.step += 1
        share = 1 - min(recipe.average, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, list(self.vae.parameters()), share)
        return loss.item()

    def minibatch(self) -> Tensor:
        """(B, H, W, C) floats, each moved by up to `shift` pixels."""
        index = torch.randint(len(self.images), (self.recipe.batch,), generator=self.random)
        x, reach = self.images[index], self.recipe.shift
        if reach:
            parts = x.split(max(1, len(x) // 16))                          # a move for each 16th of the batch
            moves = torch.randint(-reach, reach + 1, (len(parts), 2), generator=self.random).tolist()
            x = torch.cat([torch.roll(part, move, (1, 2)) for part, move in zip(parts, moves)])
        x = to_float(x)
        return warped(x, self.recipe.warp, self.random) if self.recipe.warp else x

    def state(self) -> dict:
        return {"recipe": asdict(self.recipe), "weights": self.vae.state_dict(), "averaged": self.averaged,
                "optimisers": [each.state_dict() for each in self.optimisers], "random": self.random.get_state(),
                "step": self.step, "seconds": self.seconds}

    def restore(self, state: dict) -> None:
        self.vae.load_state_dict(state["weights"])
        self.averaged = state["averaged"]
        for optimiser, stored in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(stored)
        self.random.set_state(state["random"])
        self.step, self.seconds = state["step"], state["seconds"]

    def finished(self) -> VAE:
        """The model with the averaged weights, rounded to the 16 bits that are stored."""
        vae = VAE(self.vae.architecture)
        vae.load_state_dict(self.vae.state_dict())
        with torch.no_grad():
            for weight, average in zip(vae.parameters(), self.averaged):
                weight.copy_(average.half().float())
        return vae.eval()


def warped(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """Half of the pictures (B, H, W, C) as another hand might have drawn them, the other half as they are.

    Turned by up to `strength` radians, each axis stretched by up to half of it as a share, slanted by up to
    3/4 of it, and moved by up to half of it as a share of the half-width; all evenly distributed.
    """
    count = len(x)
    turn, wide, high, slant, right, down = (strength * part * (2 * torch.rand(count, generator=random) - 1)
                                            for part in (1, 0.5, 0.5, 0.75, 0.5, 0.5))
    cos, sin = turn.cos(), turn.sin()
    matrices = torch.stack([torch.stack([cos * (1 + wide), slant - sin, right], 1),
                            torch.stack([sin, cos * (1 + high), down], 1)], 1)      # (B, 2, 3)
    half = count // 2
    grid = nn.functional.affine_grid(matrices[:half], (half, 1, *x.shape[1:3]), align_corners=False)
    moved = nn.functional.grid_sample(x[:half].permute(0, 3, 1, 2), grid, align_corners=False)
    return torch.cat([moved.permute(0, 2, 3, 1).clamp(0, 1), x[half:]])


def optimisers(recipe: Recipe, vae: VAE) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon (Jordan 2024) for the matrices and AdamW for the rest."""
    weights = list(vae.parameters())
    matrices = [weight for weight in weights if weight.ndim == 2 and min(weight.shape) > 2 * recipe.latent]
    if recipe.optimiser != "muon":
        matrices = []
    chosen = {id(weight) for weight in matrices}
    rest = [weight for weight in weights if id(weight) not in chosen]
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=recipe.rate, betas=(0.9, 0.99),
                                                            weight_decay=recipe.decay, fused=True)]
    if matrices:
        found.append(torch.optim.Muon(matrices, lr=recipe.rate, momentum=0.95, weight_decay=10 * recipe.decay,
                                      adjust_lr_fn="match_rms_adamw"))
    return found


def main() -> None:
    options = arguments(Recipe, __doc__)
    torch.set_num_threads(options.threads)
    recipe = chosen(Recipe, options)
    images, labels, n_train = sources.whole(recipe.dataset)
    training = run(Training(recipe, images[:n_train]), CHECKPOINTS / f"{recipe.name}.pt")
    held_out = images[n_train:] if n_train < len(images) else images
    config = write_model(training.finished(), recipe, options.into / recipe.name, held_out,
                         n_train=n_train, seconds=training.seconds, steps=training.steps, threads=options.threads)
    print(config["measured"], flush=True)


if __name__ == "__main__":
    main()
