"""What a finished diffusion model is measured by, and the folder that it is written to."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from diffusers import UNet2DModel
from PIL import Image
from safetensors.torch import save_file

from engines import data
from engines.diffusion import classifier, measure
from engines.diffusion.model import Denoiser
from engines.diffusion.samplers import scheduler
from engines.runtime.trained import write_sums
from engines.training.vae_report import minutes

if TYPE_CHECKING:
    from engines.training.diffusion import Recipe

PIPELINE = {"_class_name": "DDPMPipeline", "_diffusers_version": "0.42.1",
            "scheduler": ["diffusers", "DDPMScheduler"], "unet": ["diffusers", "UNet2DModel"]}


SAMPLES, REMEMBERED = 5000, 500
STEPS, GUIDANCE = 50, 1.5
BINS = 12                    # of the histogram of distances


def measured(denoiser: Denoiser, judge: Path | None, images: np.ndarray, labels: np.ndarray, n_train: int,
             count: int = SAMPLES) -> tuple[dict[str, Any], np.ndarray]:
    """The figures of the card, and 64 samples, uint8 (64, H, W, C).

    images: the whole set; judge: a classifier's folder, or None where there is none for these pictures. Then there is
    less to measure, and fewer are drawn: for labels picked from `labels`.
    """
    training, test = images[:n_train], images[n_train:]
    if judge is None:
        count = min(count, REMEMBERED)
    asked = np.resize(np.arange(denoiser.classes), count) if judge else np.random.default_rng(0).choice(labels, count)
    guided = gathered(denoiser, asked, GUIDANCE, seed=0)
    found: dict[str, Any] = {"samples": count, "steps": STEPS, "guidance": GUIDANCE}
    if judge is not None:
        found |= judged(classifier.load(judge), guided, asked, gathered(denoiser, asked, 1.0, seed=1), test)
    few = np.random.default_rng(0).choice(count, min(REMEMBERED, count), replace=False)
    near = measure.nearest(guided[few], training)
    if len(test):
        found["nearest"] = histogram(near, measure.nearest(test[:REMEMBERED], training), "test")
    else:                                # how far real pictures are from each other, then
        some = np.random.default_rng(1).choice(n_train, min(REMEMBERED, n_train), replace=False)
        found["nearest"] = histogram(near, measure.nearest_others(training, some), "others")
    return found, guided[:64]


def gathered(denoiser: Denoiser, labels: np.ndarray, guidance: float, seed: int) -> np.ndarray:
    """All pictures for these labels, with a line now and then: it takes a quarter of an hour on one core."""
    parts, said = [], time.monotonic()
    for part in measure.draw(denoiser, labels, steps=STEPS, guidance=guidance, seed=seed):
        parts.append(part)
        if time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"drawn {sum(map(len, parts))}/{len(labels)} at guidance {guidance:g}", flush=True)
    return np.concatenate(parts)


def judged(judge: classifier.Classifier, guided: np.ndarray, asked: np.ndarray, plain: np.ndarray,
           test: np.ndarray) -> dict[str, Any]:
    """Recognised at the guidance that is shown; likeness as a crowd at guidance 1, beside what real pictures reach."""
    taken_for, _ = measure.judged(judge, guided)
    return compared(taken_for, asked, measure.judged(judge, plain)[1], measure.judged(judge, test)[1])


def compared(taken_for: np.ndarray, asked: np.ndarray, made: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """taken_for, asked: classes (N,). made, real: features, (N, F) and (M, F), of which one half stands for the real ones
    and the other for what could be reached."""
    order = np.random.default_rng(0).permutation(len(real))
    halves = real[order[:len(real) // 2]], real[order[len(real) // 2:]]
    precision, recall = measure.precision_recall(halves[0], made)
    floor_precision, floor_recall = measure.precision_recall(*halves)
    by_class = [float((taken_for[asked == label] == label).mean()) for label in np.unique(asked)]
    return {"recognised": float((taken_for == asked).mean()), "recognised_by_class": [round(each, 4) for each in by_class],
            "frechet": measure.frechet(halves[0], made), "frechet_floor": measure.frechet(*halves),
            "precision": precision, "precision_floor": floor_precision,
            "recall": recall, "recall_floor": floor_recall}


def histogram(near: np.ndarray, real: np.ndarray, kind: str) -> dict[str, Any]:
    """How far the nearest training picture is, for samples and for real pictures: "test", those of the test set, or
    "others", training pictures held against the others."""
    edges = np.linspace(0, float(max(near.max(), real.max())), BINS + 1)
    return {"edges": edges.round(2).tolist(), "samples": np.histogram(near, edges)[0].tolist(),
            "samples_median": float(np.median(near)), "samples_least": float(near.min()),
            kind: np.histogram(real, edges)[0].tolist(), f"{kind}_median": float(np.median(real)),
            f"{kind}_least": float(real.min())}


def write_model(unet: UNet2DModel, recipe: Recipe, folder: Path, classes: tuple[str, ...], measured: dict[str, Any],
                sheet: np.ndarray, **run: Any) -> dict:
    """Write the folder in diffusers' layout, with config, card and checksums. Gives the config."""
    (folder / "unet").mkdir(parents=True, exist_ok=True)
    config = {"name": folder.name, "family": "diffusion", "dataset": recipe.dataset,
              "image": [unet.config.sample_size] * 2 + [unet.config.in_channels], "classes": list(classes),
              "measured": measured, "parameters": sum(weight.numel() for weight in unet.parameters()),
              "recipe": asdict(recipe), "steps": run["steps"], "seconds": round(run["seconds"])}
    # 1. the network and its schedule, as diffusers' from_pretrained reads them
    unet.save_config(folder / "unet")
    save_file({name: weight.half().contiguous() for name, weight in unet.state_dict().items()},
              folder / "unet" / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    scheduler("ddpm", recipe.schedule).save_config(folder / "scheduler")
    _write(folder / "model_index.json", PIPELINE)
    # 2. what the gallery says of it
    _write(folder / "config.json", config)
    columns = data.sheet(sheet, 8).squeeze()
    Image.fromarray(columns).resize((columns.shape[1] * 2, columns.shape[0] * 2), Image.Resampling.NEAREST).save(
        folder / "samples.webp", lossless=True)
    (folder / "MODEL_CARD.md").write_text(card(config, run), "utf-8")
    write_sums(folder)
    return config


def _write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def command(recipe: dict) -> str:
    """The command line that repeats a recipe."""
    return "python -m engines.training.diffusion " + " ".join(f"--{key.replace('_', '-')} {value}"
                                                              for key, value in recipe.items())


def card(config: dict, run: dict) -> str:
    """The model card: what it is, data and licence, recipe, time, figures, limits."""
    about, recipe = data.about(config["dataset"]), config["recipe"]
    settings = "\n".join(f"| {key} | {value} |" for key, value in recipe.items() if key not in ("name", "dataset"))
    return f"""# {config['name']}

A denoising diffusion model of {about['title']} at {config['image'][0]} x {config['image'][1]}, conditioned on
{len(config['classes'])} classes, {config['parameters']:,} weights, stored as 16-bit floats, in the layout of diffusers:
`DDPMPipeline.from_pretrained` reads it, and `UNet2DModel.from_pretrained(..., subfolder="unet")`. Class
{len(config['classes'])} stands for "no label".

## Data and licence

{about['source']}

{about['licence']}

The weights are under the MIT licence of this repository.

## Recipe

`{command(recipe)}`

| setting | value |
|---|---|
{settings}

{run['steps']:,} steps on {run['n_train']:,} training pictures in {minutes(run['seconds'])}
on {run['threads']} core(s) of a shared {platform.machine()} processor without an accelerator
(torch {torch.__version__.split('+')[0]}, {time.strftime('%B %Y')}). The weights are the running average.
{planned(run.get("plans", []))}
## Measured

{figures(config)}

![64 samples](samples.webp)

### Is it only remembering?

{remembering(config)}

## Limits

{limits(config)}
"""


def planned(plans: list[list[float]]) -> str:
    """What was planned before the number of epochs above, which decides how fast the learning rate falls."""
    return "".join(f"\nUp to step {step:,.0f} {epochs:g} epochs were planned.\n" for step, epochs in plans)


def figures(config: dict) -> str:
    found = config["measured"]
    if "recognised" not in found:
        return ("There is no second set of such pictures to hold it against; the 64 samples below were drawn with "
                f"{found['steps']} DDIM steps at guidance {found['guidance']:g}, one after the other, none left out.")
    worst = config["classes"][int(np.argmin(found["recognised_by_class"]))]
    return f"""On {found['samples']:,} samples of {found['steps']} DDIM steps, judged by `classifier-{config['dataset']}`; the
Fréchet distance, precision and recall (k = {measure.NEIGHBOURS}) are taken in that classifier's features, against one
random half of the test set. The floor is the same figure for the other half: real pictures.

| figure | value | real pictures |
|---|---|---|
| asked class recognised, guidance {found['guidance']:g} | {found['recognised']:.2%} | |
| the least recognised class, {worst} | {min(found['recognised_by_class']):.1%} | |
| Fréchet distance, guidance 1 | {found['frechet']:.3f} | {found['frechet_floor']:.3f} |
| precision, guidance 1 | {found['precision']:.3f} | {found['precision_floor']:.3f} |
| recall, guidance 1 | {found['recall']:.3f} | {found['recall_floor']:.3f} |"""


def remembering(config: dict) -> str:
    near = config["measured"]["nearest"]
    edges = near["edges"]
    spans = [f"{low:.0f}–{high:.0f}" for low, high in zip(edges, edges[1:])]
    bars = ["█" * round(30 * count / max(near["samples"])) for count in near["samples"]]
    said = (f"Distance to the nearest training picture (root of the mean squared difference of pixels, grey levels), for "
            f"{sum(near['samples'])} samples: median {near['samples_median']:.1f}, least {near['samples_least']:.1f}.")
    kind, real = ("test", "test pictures") if "test" in near else ("others", "training pictures")
    rows = "".join(f"| {span} | {count} | {other} | {bar} |\n"
                   for span, count, other, bar in zip(spans, near["samples"], near[kind], bars))
    against = "real test pictures" if kind == "test" else "training pictures, each against all the others"
    return (f"{said} For as many {against}: median {near[f'{kind}_median']:.1f}, least {near[f'{kind}_least']:.1f}."
            f"\n\n| distance | samples | {real} | samples, as bars |\n|---|---|---|---|\n{rows}")


def limits(config: dict) -> str:
    lines = ["It knows only pictures like those it was trained on, 32 pixels wide."]
    if config["dataset"] == "emoji":
        lines.append("It was trained on all of them, so what it draws is often close to one that exists.")
    else:
        lines.append("The classifier that judges it was trained on the same pictures, and may be pleased by what a "
                     "person would not accept.")
    return " ".join(lines)
