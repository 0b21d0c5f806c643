"""The recipe behind the small classifiers that judge what a diffusion model draws.

    python -m engines.training.classifier --name classifier-mnist --dataset mnist
    python -m engines.training.classifier --name classifier-fashion --dataset fashion --flip 1

Stopping it (Ctrl-C) and starting it again with the same arguments goes on where it was. The finished model
goes to assets/models/<name>.
"""

from __future__ import annotations

import json
import math
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engines import data
from engines.diffusion.classifier import Classifier
from engines.runtime.trained import write_sums
from engines.training import data as sources
from engines.training.loop import CHECKPOINTS, arguments, chosen, run
from engines.training.vae_report import minutes


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, apart from the data."""

    name: str
    dataset: str = "mnist"
    width: int = 24
    epochs: float = 12.0
    batch: int = 128
    rate: float = 3e-3           # peak learning rate, reached after 5 % of the steps, then a cosine down to zero
    decay: float = 1e-2          # AdamW's weight decay
    average: float = 0.995       # decay of the running average of the weights that is kept in the end
    shift: int = 2               # pictures are moved by up to this many pixels, anew each time
    flip: int = 0                # 1: half of the pictures are mirrored
    smooth: float = 0.05         # label smoothing
    seed: int = 0


class Training:
    """A recipe under way."""

    figure = "cross-entropy"

    def __init__(self, recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> None:
        """images: uint8 (N, 32, 32, C); labels (N,)."""
        self.recipe = recipe
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()      # (N, C, 32, 32)
        self.labels = torch.from_numpy(labels.astype(np.int64))
        torch.manual_seed(recipe.seed)
        self.classifier = Classifier(images.shape[-1], int(labels.max()) + 1, recipe.width)
        self.classifier.to(memory_format=torch.channels_last)
        self.averaged = torch.optim.swa_utils.AveragedModel(
            self.classifier, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.average), use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.classifier.parameters(), lr=recipe.rate, weight_decay=recipe.decay,
                                           fused=True)
        self.random = torch.Generator().manual_seed(recipe.seed)
        self.step, self.seconds, self.plans = 0, 0.0, []
        self.steps = max(1, round(recipe.epochs * len(images) / recipe.batch))

    def advance(self) -> float:
        recipe, done = self.recipe, self.step / self.steps
        x, labels = self.minibatch()
        logits, _ = self.classifier.train()(x)
        loss = nn.functional.cross_entropy(logits, labels, label_smoothing=recipe.smooth)
        rate = recipe.rate * min(1.0, (done + 1 / self.steps) / 0.05) * 0.5 * (1 + math.cos(math.pi * done))
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.averaged.update_parameters(self.classifier)
        self.step += 1
        return loss.item()

    def minibatch(self) -> tuple[Tensor, Tensor]:
        """Pictures (B, C, 32, 32), moved in groups of 16 and perhaps mirrored, and their labels (B,)."""
        recipe = self.recipe
        index = torch.randint(len(self.images), (recipe.batch,), generator=self.random)
        x = self.images[index].float() / 127.5 - 1
        moves = torch.randint(-recipe.shift, recipe.shift + 1, (len(x) // 16 + 1, 2), generator=self.random).tolist()
        x = torch.cat([torch.roll(part, move, (2, 3)) for part, move in zip(x.split(16), moves)])
        if recipe.flip:
            mirrored = torch.rand(len(x), generator=self.random) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        return x.contiguous(memory_format=torch.channels_last), self.labels[index]

    def state(self) -> dict:
        return {"recipe": asdict(self.recipe), "weights": self.classifier.state_dict(),
                "averaged": self.averaged.state_dict(), "optimiser": self.optimiser.state_dict(),
                "random": self.random.get_state(), "dropout": torch.get_rng_state(), "step": self.step,
                "seconds": self.seconds}

    def restore(self, state: dict) -> None:
        self.classifier.load_state_dict(state["weights"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.random.set_state(state["random"])
        torch.set_rng_state(state["dropout"])
        self.step, self.seconds = state["step"], state["seconds"]

    def finished(self) -> Classifier:
        """The averaged weights, rounded to the 16 bits that are stored."""
        classifier = Classifier(self.images.shape[1], int(self.labels.max()) + 1, self.recipe.width)
        classifier.load_state_dict({name: value.half().float() if value.is_floating_point() else value
                                    for name, value in self.averaged.module.state_dict().items()})
        return classifier.eval()


@torch.no_grad()
def accuracy(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of pictures, uint8 (N, 32, 32, C), that are given their own label."""
    right = 0
    for part, true in zip(np.array_split(images, 40), np.array_split(labels, 40)):
        logits, _ = classifier(torch.from_numpy(part).permute(0, 3, 1, 2).float() / 127.5 - 1)
        right += int((logits.argmax(1).numpy() == true).sum())
    return right / len(images)


def write_model(training: Training, folder: Path, images: np.ndarray, labels: np.ndarray, threads: int) -> dict:
    """Measure on the test set and write the folder. images: uint8 (N, 32, 32, C)."""
    recipe, classifier = training.recipe, training.finished()
    about = data.about(recipe.dataset)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"name": folder.name, "family": "classifier", "dataset": recipe.dataset, "width": recipe.width,
              "channels": images.shape[-1], "classes": about["classes"],
              "measured": {"accuracy": accuracy(classifier, images, labels), "pictures": len(images)},
              "measured_on": "test set", "recipe": asdict(recipe), "steps": training.steps,
              "seconds": round(training.seconds),
              "parameters": sum(weight.numel() for weight in classifier.parameters())}
    save_file({name: (value.half() if value.is_floating_point() else value).contiguous()
               for name, value in classifier.state_dict().items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
    (folder / "MODEL_CARD.md").write_text(card(config, about, threads), "utf-8")
    write_sums(folder)
    return config


def card(config: dict, about: dict, threads: int) -> str:
    options = " ".join(f"--{key} {value}" for key, value in config["recipe"].items())
    return f"""# {config['name']}

A small convolutional classifier of {about['title']} at 32 x 32, {config['parameters']:,} weights, stored as 16-bit
floats. It judges what the diffusion models draw: whether the class that was asked for can be recognised, and, by its
features before the last layer, how alike two crowds of pictures are.

## Data and licence

{about['source']}

{about['licence']}

The weights are under the MIT licence of this repository.

## Recipe

`python -m engines.training.classifier {options}`

{config['steps']:,} steps in {minutes(config['seconds'])} on {threads} core(s) of a shared {platform.machine()} processor
without an accelerator (torch {torch.__version__.split('+')[0]}, {time.strftime('%B %Y')}).

## Measured

| figure | value |
|---|---|
| recognised of {config['measured']['pictures']:,} test pictures | {config['measured']['accuracy']:.2%} |

## Limits

It knows nothing but these ten classes and names one of them for any picture whatever. A generated picture that it
recognises need not look right to a person.
"""


def main() -> None:
    options = arguments(Recipe, __doc__)
    torch.set_num_threads(options.threads)
    recipe = chosen(Recipe, options)
    images, labels, n_train = sources.whole(recipe.dataset)
    images = data.padded(images)
    training = run(Training(recipe, images[:n_train], labels[:n_train]), CHECKPOINTS / f"{recipe.name}.pt")
    print(write_model(training, options.into / recipe.name, images[n_train:], labels[n_train:],
                      options.threads)["measured"], flush=True)


if __name__ == "__main__":
    main()
