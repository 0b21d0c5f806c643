"""The recipe behind the bundled diffusion models.

    python -m engines.training.diffusion --name ddpm-mnist --dataset mnist
    python -m engines.training.diffusion --name ddpm-fashion --dataset fashion

Stopping it (Ctrl-C) and starting it again with the same arguments goes on where the last checkpoint
was written, and ends at the same weights. The finished model goes to assets/models/<name>, in the
layout of diffusers.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from diffusers import UNet2DModel
from torch import Tensor, nn

from engines import data
from engines.diffusion.model import Denoiser
from engines.diffusion.process import T, alpha_bars, q_sample
from engines.training import data as sources
from engines.training.diffusion_report import measured, write_model
from engines.training.loop import CHECKPOINTS, arguments, chosen, run


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, apart from the data."""

    name: str
    dataset: str = "mnist"
    condition: str = "class"     # or "subgroup", for emoji: what the visitor may ask for
    channels: str = "16,32,64,96"    # of each resolution, from the finest to the coarsest
    layers: int = 1              # residual blocks at each resolution
    attention: int = 2           # of the coarsest resolutions have self-attention
    schedule: str = "linear"
    epochs: float = 15.0
    batch: int = 64
    rate: float = 1.5e-3         # peak learning rate, reached after 2 % of the steps, then a cosine down to zero
    decay: float = 1e-4          # AdamW's weight decay
    average: float = 0.999       # decay of the running average of the weights that is kept in the end
    drop: float = 0.1            # share of labels that are left out, for classifier-free guidance
    gamma: float = 5.0           # the loss at t is weighed by min(SNR, gamma) / SNR; 0: as in the paper
    flip: int = 0                # 1: half of the pictures are mirrored
    favour: float = 1.0          # emoji: how much more often a face is shown than anything else
    seed: int = 0


def network(recipe: Recipe, shape: tuple[int, int, int], classes: int) -> UNet2DModel:
    """The U-Net; `shape` is (H, W, C). Class `classes` stands for "no label"."""
    widths = tuple(int(width) for width in recipe.channels.split(","))
    attends = [len(widths) - place <= recipe.attention for place in range(len(widths))]
    return UNet2DModel(
        sample_size=shape[0], in_channels=shape[2], out_channels=shape[2], layers_per_block=recipe.layers,
        block_out_channels=widths, norm_num_groups=8, num_class_embeds=classes + 1,
        attention_head_dim=min(32, widths[-max(1, recipe.attention)]),
        down_block_types=tuple("AttnDownBlock2D" if attend else "DownBlock2D" for attend in attends),
        up_block_types=tuple("AttnUpBlock2D" if attend else "UpBlock2D" for attend in reversed(attends)))


class Training:
    """A recipe under way: weights, their running average, optimiser, step and random state."""

    figure = "mean squared error of eps"

    def __init__(self, recipe: Recipe, images: np.ndarray, labels: np.ndarray,
                 favourites: np.ndarray | None = None) -> None:
        """images: uint8 (N, H, W, C); labels: (N,), from 0; favourites: bool (N,), shown `favour` times as often."""
        self.recipe = recipe
        self.images = torch.from_numpy(np.ascontiguousarray(images))
        self.labels = torch.from_numpy(labels.astype(np.int64))
        self.classes = int(labels.max()) + 1
        self.favoured = None if favourites is None or recipe.favour == 1 else \
            torch.from_numpy(np.where(favourites, recipe.favour, 1.0))
        torch.manual_seed(recipe.seed)
        self.unet = network(recipe, tuple(images.shape[1:]), self.classes).to(memory_format=torch.channels_last)
        self.averaged = [weight.detach().clone() for weight in self.unet.parameters()]
        self.optimiser = torch.optim.AdamW(self.unet.parameters(), lr=recipe.rate, betas=(0.9, 0.99),
                                           weight_decay=recipe.decay, fused=True)
        self.alpha_bars = alpha_bars(recipe.schedule)
        self.random = torch.Generator().manual_seed(recipe.seed)
        self.step, self.seconds, self.plans = 0, 0.0, []
        self.steps = max(1, round(recipe.epochs * len(images) / recipe.batch))

    def advance(self) -> float:
        """One step of algorithm 1; the mean squared error of the batch, unweighted."""
        recipe, done = self.recipe, self.step / self.steps
        # 1. pictures, their labels (some left out), a noise level for each, and the noise
        x_0, labels = self.minibatch()
        t = torch.randint(T, (recipe.batch,), generator=self.random)
        eps = torch.randn(x_0.shape, generator=self.random)
        # 2. how far is the predicted noise from the true one?
        alpha_bar_t = self.alpha_bars[t]                                                      # (B,)
        x_t = q_sample(x_0, alpha_bar_t, eps).contiguous(memory_format=torch.channels_last)
        errors = (self.unet(x_t, t, class_labels=labels).sample - eps).square().mean((1, 2, 3))   # (B,)
        loss = (errors * self.weight(alpha_bar_t)).mean()
        # 3. down the gradient
        rate = recipe.rate * min(1.0, (done + 1 / self.steps) / 0.02) * 0.5 * (1 + math.cos(math.pi * done))
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0, foreach=True)
        self.optimiser.step()
        # 4. the running average that is kept in the end
        self.step += 1
        share = 1 - min(recipe.average, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, list(self.unet.parameters()), share)
        return errors.mean().item()

    def weight(self, alpha_bar_t: Tensor) -> Tensor:
        """Min-SNR weights (Hang et al. 2023, arXiv:2303.09556, section 3.4), (B,)."""
        if not self.recipe.gamma:
            return torch.ones_like(alpha_bar_t)
        snr = alpha_bar_t / (1 - alpha_bar_t)
        return snr.clamp(max=self.recipe.gamma) / snr

    def minibatch(self) -> tuple[Tensor, Tensor]:
        """x_0, floats from -1 to 1, (B, C, H, W), and labels (B,)."""
        if self.favoured is None:
            index = torch.randint(len(self.images), (self.recipe.batch,), generator=self.random)
        else:
            index = torch.multinomial(self.favoured, self.recipe.batch, replacement=True, generator=self.random)
        x_0 = self.images[index].permute(0, 3, 1, 2).float() / 127.5 - 1                      # (B, C, H, W)
        if self.recipe.flip:
            mirrored = torch.rand(len(x_0), generator=self.random) < 0.5
            x_0 = torch.where(mirrored[:, None, None, None], x_0.flip(3), x_0)
        dropped = torch.rand(len(x_0), generator=self.random) < self.recipe.drop
        return x_0, torch.where(dropped, self.classes, self.labels[index])

    def state(self) -> dict:
        return {"recipe": asdict(self.recipe), "weights": self.unet.state_dict(), "averaged": self.averaged,
                "optimiser": self.optimiser.state_dict(), "random": self.random.get_state(),
                "step": self.step, "seconds": self.seconds}

    def restore(self, state: dict) -> None:
        self.unet.load_state_dict(state["weights"])
        self.averaged = state["averaged"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.random.set_state(state["random"])
        self.step, self.seconds = state["step"], state["seconds"]

    def finished(self) -> UNet2DModel:
        """The model with the averaged weights, rounded to the 16 bits that are stored."""
        unet = UNet2DModel.from_config(self.unet.config)
        unet.load_state_dict(self.unet.state_dict())
        with torch.no_grad():
            for weight, average in zip(unet.parameters(), self.averaged):
                weight.copy_(average.half().float())
        return unet.eval()


def halved(images: np.ndarray) -> np.ndarray:
    """uint8 (N, 2h, 2w, C) averaged over squares of 2 x 2, (N, h, w, C)."""
    count, height, width, channels = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2, channels)
    return np.rint(blocks.astype(np.float32).mean((2, 4))).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Pictures:
    """images: uint8 (N, 32, 32, C), the first n_train for training; labels: (N,), positions in `classes`."""

    images: np.ndarray
    labels: np.ndarray
    n_train: int
    classes: tuple[str, ...]
    faces: np.ndarray | None = None      # bool (N,): the ones that may be favoured


def pictures(recipe: Recipe) -> Pictures:
    """All pictures, and what they are asked for by."""
    images, labels, n_train = sources.whole(recipe.dataset)
    if recipe.condition == "class":
        return Pictures(data.padded(images), labels, n_train, tuple(data.about(recipe.dataset)["classes"]))
    items = json.loads((data.ROOT / recipe.dataset / "names.json").read_text("utf-8"))
    found = [item["subgroup"] for item in items]
    classes = sorted(set(found), key=lambda each: (not each.startswith("face"), found.index(each)))
    return Pictures(halved(images), np.array([classes.index(each) for each in found]), n_train, tuple(classes),
                    np.array(["face" in each for each in found]))


def main() -> None:
    options = arguments(Recipe, __doc__)
    torch.set_num_threads(options.threads)
    recipe = chosen(Recipe, options)
    known = pictures(recipe)
    part = slice(known.n_train)
    training = run(Training(recipe, known.images[part], known.labels[part], known.faces),
                   CHECKPOINTS / f"{recipe.name}.pt", replan=options.replan)
    judge = options.into / f"classifier-{recipe.dataset}"
    unet = training.finished()
    shown = known.labels if known.faces is None else np.repeat(known.labels, np.where(known.faces, round(recipe.favour), 1))
    found, sheet = measured(Denoiser(unet).channels_last(), judge if judge.is_dir() else None, known.images,
                            shown, known.n_train)
    write_model(unet, recipe, options.into / recipe.name, known.classes, found, sheet, steps=training.steps,
                seconds=training.seconds, n_train=known.n_train, threads=options.threads, plans=training.plans)
    print(found, flush=True)


if __name__ == "__main__":
    main()
