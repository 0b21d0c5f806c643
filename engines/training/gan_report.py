"""What a finished GAN of pictures is measured by, and the folder that it is written to."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from engines import data
from engines.diffusion import classifier
from engines.diffusion import measure as crowds
from engines.gan.pictures.game import latent, to_bytes
from engines.gan.pictures.measure import colours
from engines.gan.pictures.networks import Generator
from engines.gan.pictures.stages import save
from engines.runtime.trained import write_sums
from engines.training.diffusion_report import REMEMBERED, SAMPLES, compared, histogram, remembering
from engines.training.vae_report import minutes

if TYPE_CHECKING:
    from engines.training.gan import Recipe, Training

BATCH = 250
SHOWN = {"mnist": 10, "fashion": 10, "emoji": 8}         # pictures in a row of samples.webp: one of each class


@torch.inference_mode()
def draw(g: Generator, labels: np.ndarray, seed: int) -> np.ndarray:
    """A picture for each label, (n,), all z from one seed: uint8 (n, 32, 32, C)."""
    z = latent("normal", len(labels), g.architecture.z_dim, torch.Generator().manual_seed(seed))
    asked = torch.from_numpy(labels.astype(np.int64))
    return torch.cat([to_bytes(g(*part)) for part in zip(z.split(BATCH), asked.split(BATCH))]).numpy()


def measured(stages: dict[int, Generator], judge: Path | None, images: np.ndarray, labels: np.ndarray, n_train: int,
             count: int = SAMPLES) -> tuple[dict[str, Any], np.ndarray]:
    """The figures of the card, and 80 or 64 samples, uint8 (N, 32, 32, C), one class to a column.

    stages: G by step, the last of them the finished one. images: the whole set, the first n_train for training;
    judge: a classifier's folder, or None where there is none for these pictures.
    """
    training, test = images[:n_train], images[n_train:]
    last = max(stages)
    g, classes = stages[last], stages[last].architecture.classes
    asked = np.resize(np.arange(classes), count) if judge else np.random.default_rng(0).choice(labels, count)
    made = draw(g, asked, seed=0)
    found: dict[str, Any] = {"samples": count}
    if judge is not None:
        judging = classifier.load(judge)
        found |= judged(judging, made, asked, test) | {"share": unasked(judging, g, count)}
        _, real = crowds.judged(judging, test[:len(test) // 2])
        found["stages"] = {str(step): of_stage(judging, draw(each, asked[:1000], seed=0), asked[:1000], real)
                           for step, each in sorted(stages.items())}
    else:
        real = images[np.random.default_rng(1).choice(len(images), min(count, len(images)), replace=False)]
        spaces = colours(real), colours(made[:len(real)])
        precision, recall = crowds.precision_recall(*spaces)
        found |= {"space": "colours", "compared": len(real), "frechet": crowds.frechet(*spaces),
                  "precision": precision, "recall": recall}
    few = np.random.default_rng(0).choice(count, min(REMEMBERED, count), replace=False)
    near = crowds.nearest(made[few], training)
    if len(test):
        found["nearest"] = histogram(near, crowds.nearest(test[:REMEMBERED], training), "test")
    else:
        some = np.random.default_rng(1).choice(n_train, min(REMEMBERED, n_train), replace=False)
        found["nearest"] = histogram(near, crowds.nearest_others(training, some), "others")
    return found, draw(g, np.resize(np.arange(classes), 8 * classes), seed=1)


def judged(judge: classifier.Classifier, made: np.ndarray, asked: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Recognised, and likeness as a crowd beside what real pictures reach; as `ddpm-*` is measured."""
    taken_for, features = crowds.judged(judge, made)
    return compared(taken_for, asked, features, crowds.judged(judge, test)[1])


def unasked(judge: classifier.Classifier, g: Generator, count: int) -> list[float]:
    """How often each class comes when none is asked for: for every picture a class is drawn by lot, all alike, and is
    not looked at again; what comes is what the classifier takes it for."""
    classes = g.architecture.classes
    taken_for, _ = crowds.judged(judge, draw(g, np.random.default_rng(7).integers(0, classes, count), seed=7))
    return (np.bincount(taken_for, minlength=classes) / count).round(4).tolist()


def of_stage(judge: classifier.Classifier, made: np.ndarray, asked: np.ndarray, real: np.ndarray) -> dict[str, float]:
    taken_for, features = crowds.judged(judge, made)
    precision, recall = crowds.precision_recall(real, features)
    return {"recognised": float((taken_for == asked).mean()), "frechet": crowds.frechet(real, features),
            "precision": precision, "recall": recall}


def write_model(training: Training, recipe: Recipe, folder: Path, found: dict[str, Any], sheet: np.ndarray,
                **run: Any) -> dict[str, Any]:
    """Write the folder: stages, config, samples, card and checksums. Gives the config."""
    folder.mkdir(parents=True, exist_ok=True)
    classes, g = list(data.about(recipe.dataset)["classes"]), training.game.g
    config = save(folder, training.stages, g.architecture, recipe.rules(), dataset=recipe.dataset, classes=classes,
                  stages=[0, *sorted(training.stages)], seed=recipe.seed, measured=found,
                  parameters=size(g) + size(training.game.d),
                  sizes={"g": size(g), "d": size(training.game.d)}, recipe=asdict(recipe), steps=training.steps,
                  seconds=round(training.seconds))
    pixels = data.sheet(sheet, SHOWN.get(recipe.dataset, 8)).squeeze()
    Image.fromarray(pixels).resize((pixels.shape[1] * 2, pixels.shape[0] * 2), Image.Resampling.NEAREST).save(
        folder / "samples.webp", lossless=True)
    (folder / "MODEL_CARD.md").write_text(card(config, run | {"beside": beside(folder, recipe.dataset)}), "utf-8")
    write_sums(folder)
    return config


def size(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def beside(folder: Path, dataset: str) -> dict[str, Any] | None:
    """What was measured of the diffusion model of the same pictures, where it lies beside this one."""
    path = folder.parent / f"ddpm-{dataset}" / "config.json"
    return json.loads(path.read_text("utf-8"))["measured"] if path.is_file() else None


def card(config: dict[str, Any], run: dict[str, Any]) -> str:
    """The model card: what it is, data and licence, recipe, time, figures, limits."""
    about, recipe = data.about(config["dataset"]), config["recipe"]
    settings = "\n".join(f"| {key} | {value} |" for key, value in recipe.items() if key not in ("name", "dataset"))
    kept = ", ".join(f"{stage:,}" for stage in config["stages"][1:])
    return f"""# {config['name']}

A generative adversarial network of {about['title']} at {config['image'][0]} x {config['image'][1]}, a small DCGAN
that is told the class ({len(config['classes'])} of them). Its forger has {config['sizes']['g']:,} weights, its
detective {config['sizes']['d']:,}. Both are stored as 16-bit floats, g.* and d.* of `stage-<step>.safetensors`, as
they were after {kept} steps. What they were before the first step follows from the seed.

## Data and licence

{about['source']}

{about['licence']}

The weights are under the MIT licence of this repository.

## Recipe

`python -m engines.training.gan {config['name']}`

| setting | value |
|---|---|
{settings}

{config['steps']:,} steps on {run['n_train']:,} training pictures in {minutes(config['seconds'])}
on {run['threads']} core(s) of a shared {platform.machine()} processor without an accelerator
(torch {torch.__version__.split('+')[0]}, {time.strftime('%B %Y')}). The forger of the last stage has the running
average of the weights; those of the earlier stages are as they were at that step.

## Measured

{figures(config, run['beside'])}

![{len(config['classes']) * 8} samples, one class to a column](samples.webp)

### Is it only remembering?

{remembering(config)}

## Limits

{limits(config)}
"""


def figures(config: dict[str, Any], diffusion: dict[str, Any] | None) -> str:
    found = config["measured"]
    if "recognised" not in found:
        return f"""No classifier knows such pictures, and there is no second set of them to hold it against. So
{found['compared']:,} samples, their classes drawn as often as they occur, are compared with the training pictures
themselves, by the mean colours of squares of 4 x 4 pixels: Fréchet distance {found['frechet']:.3f},
precision {found['precision']:.3f}, recall {found['recall']:.3f} (k = {crowds.NEIGHBOURS}). The samples below were drawn
one after the other, none left out."""
    worst = config["classes"][int(np.argmin(found["recognised_by_class"]))]
    theirs = {key: f"{diffusion[key]:.3f}" if diffusion else "" for key in ("frechet", "precision", "recall")} | {
        "recognised": f"{diffusion['recognised']:.2%}" if diffusion else ""}
    rows = "".join(f"| {int(step):,} | {each['recognised']:.1%} | {each['frechet']:.2f} | {each['precision']:.3f} | "
                   f"{each['recall']:.3f} |\n" for step, each in found["stages"].items())
    return f"""On {found['samples']:,} samples, judged by `classifier-{config['dataset']}`; the Fréchet distance,
precision and recall (k = {crowds.NEIGHBOURS}) are taken in that classifier's features, against one random half of the
test set. The last column is the same figure for the other half: real pictures. `ddpm-{config['dataset']}` was measured
in the same way, on samples of 50 DDIM steps (the class at guidance 1.5, the crowd at guidance 1); here a sample is one
pass.

| figure | value | `ddpm-{config['dataset']}` | real pictures |
|---|---|---|---|
| asked class recognised | {found['recognised']:.2%} | {theirs['recognised']} | |
| the least recognised class, {worst} | {min(found['recognised_by_class']):.1%} | | |
| Fréchet distance | {found['frechet']:.3f} | {theirs['frechet']} | {found['frechet_floor']:.3f} |
| precision | {found['precision']:.3f} | {theirs['precision']} | {found['precision_floor']:.3f} |
| recall | {found['recall']:.3f} | {theirs['recall']} | {found['recall_floor']:.3f} |

Unasked, that is with a class drawn by lot for each picture and not looked at again, the classes come with shares from
{min(found['share']):.1%} to {max(found['share']):.1%}.

How it came to that, on 1,000 samples of each stage:

| step | recognised | Fréchet distance | precision | recall |
|---|---|---|---|---|
{rows}"""


def limits(config: dict[str, Any]) -> str:
    lines = ["It knows only pictures like those it was trained on, 32 pixels wide."]
    if config["dataset"] == "emoji":
        lines.append("1,601 pictures are few for a GAN: what it draws has the colours and outlines of emoji, seldom "
                     "their details, and a group such as \"Objects\" holds too many things to be learned as one.")
    else:
        lines.append("The classifier that judges it was trained on the same pictures, and may be pleased by what a "
                     "person would not accept.")
    return " ".join(lines)
