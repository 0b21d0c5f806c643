"""What a finished VAE is measured by, and the folder that it is written to."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file

from engines import data
from engines.runtime.trained import write_sums
from engines.vae import model as paper
from engines.vae.measure import codes, measure

if TYPE_CHECKING:
    from engines.training.vae import Recipe


def write_model(vae: paper.VAE, recipe: Recipe, folder: Path, held_out: np.ndarray, **run: float) -> dict:
    """Measure and write the folder: weights, config, codes of the test set, card, checksums. Gives the config."""
    folder.mkdir(parents=True, exist_ok=True)
    found = measure(vae, held_out)
    tensors, facts = codes(found)
    save_file(tensors, folder / "codes.safetensors")
    seen = recipe.dataset == "emoji"
    config = {"name": folder.name, "dataset": recipe.dataset, "beta": recipe.beta, "measured": found.figures,
              "measured_on": "the training pictures themselves" if seen else "test set", **facts,
              "parameters": sum(weight.numel() for weight in vae.parameters()),
              **origin(recipe), "steps": run["steps"], "seconds": round(run["seconds"])}
    paper.save(vae, folder, **config)
    (folder / "MODEL_CARD.md").write_text(card(config | {"latent": recipe.latent, "kind": recipe.kind}, run), "utf-8")
    write_sums(folder)
    return config


def origin(recipe: Recipe) -> dict:
    """The recipe, and those before it where training began with the weights of an earlier run, oldest first."""
    told = asdict(recipe)
    if not recipe.start:
        return {"recipe": told}
    told["start"] = Path(recipe.start).name
    before = chain(Path(recipe.start))
    return {"recipe": told, "begun_with": [config["recipe"] for config in before],
            "seconds_before": sum(config["seconds"] for config in before)}


def chain(folder: Path) -> list[dict]:
    """The config of a model folder after those of the folders that it began with, which lie beside it."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    start = Path(config["recipe"].get("start", "")).name
    config["recipe"]["start"] = start
    return (chain(folder.parent / start) if start else []) + [config]


def command(recipe: dict) -> str:
    """The command line that repeats a recipe."""
    return "python -m engines.training.vae " + " ".join(f"--{key.replace('_', '-')} {value}"
                                                        for key, value in recipe.items() if value != "")


LABELS = {"negative_elbo": "-ELBO", "reconstruction_nats": "reconstruction term",
          "kl_nats": "KL divergence", "mse": "mean squared error of pixels, decoded from mu"}


def card(config: dict, run: dict) -> str:
    """The model card: what it is, data and licence, recipe, time, figures, limits."""
    about, recipe, found = data.about(config["dataset"]), config["recipe"], config["measured"]
    default = {"name", "dataset", "kind"}
    settings = "\n".join(f"| {key} | {value} |" for key, value in recipe.items() if key not in default and value != "")
    begun = "".join(f"{place}. `{command(earlier)}`\n" for place, earlier in enumerate(config.get("begun_with", []), 1))
    if begun:
        begun = (f"\nIt begins with the weights that these made, one after the other, "
                 f"in {minutes(config['seconds_before'])}:\n\n{begun}")
    kind = "A plain autoencoder" if config["kind"] == "ae" else "A variational autoencoder"
    figures = "\n".join(f"| {label} | {found[key]:.4g} |" if key == "mse" else f"| {label} | {found[key]:.2f} |"
                        for key, label in LABELS.items() if key in found)
    active = sum(value > 0.01 for value in config["kl_per_dim"])
    return f"""# {config['name']}

{kind} of {about['title']} with {config['latent']} latent dimensions, beta {config['beta']:g},
{config['parameters']:,} weights, stored as 16-bit floats.

## Data and licence

{about['source']}

{about['licence']}

The weights are under the MIT licence of this repository.

## Recipe

`{command(recipe)}`
{begun}
| setting | value |
|---|---|
{settings}

{run['steps']:,} steps on {run['n_train']:,} training pictures in {minutes(run['seconds'])}
on {run['threads']} core(s) of a shared {platform.machine()} processor without an accelerator
(torch {torch.__version__.split('+')[0]}, {time.strftime('%B %Y')}).

## Measured

On {found['pictures']:,} pictures ({config['measured_on']}), with the stored 16-bit weights computed in fp32,
one eps for each picture, mean over {len(found['eps_seeds'])} seeds of eps; Bernoulli likelihood on grey values
from 0 to 1; nats per picture, lower is better.

| figure | value |
|---|---|
{figures}
| dimensions in use (KL above 0.01 nats) | {active} of {config['latent']} |

## Limits

{limits(config)}
"""


def minutes(seconds: float) -> str:
    """A time as a reader would say it."""
    count = max(1, round(seconds / 60))
    return "1 minute" if count == 1 else f"{count} minutes"


def limits(config: dict) -> str:
    """What the reader should not expect of this model."""
    if config["kind"] == "ae":
        return ("It has no noise and no prior: between and beyond the codes of its pictures it was taught nothing, "
                "and points there decode to smears. It is here to show just that.")
    lines = ["It knows only pictures like those it was trained on; anything else is pulled towards them. "
             "Decoded pictures are means and therefore soft."]
    if config["latent"] == 2:
        lines.append("Two numbers are few: classes that look alike overlap on the map.")
    if config["dataset"] == "emoji":
        lines.append("All emoji were trained on, so the figures say how well they are remembered, "
                     "not how well unseen ones would be drawn. Fine lines and lettering are lost.")
    if config["beta"] != 1:
        lines.append(f"Trained with beta {config['beta']:g}: -ELBO above leaves beta out, "
                     "to be comparable with the others.")
    if "begun_with" in config and config["dataset"] != "emoji":
        lines.append("When to stop moving the pictures, and when to stop at all, was decided by looking at the figure "
                     "above, without a third set of pictures: it may flatter the model a little.")
    return " ".join(lines)
