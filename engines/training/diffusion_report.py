"""What a finished diffusion model is measured by, and the folder that it is written to."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file

from engines import data
from engines.diffusion.samplers import scheduler
from engines.runtime.trained import write_sums
from engines.training.vae_report import minutes

if TYPE_CHECKING:
    from engines.training.diffusion import Recipe

PIPELINE = {"_class_name": "DDPMPipeline", "_diffusers_version": "0.42.1",
            "scheduler": ["diffusers", "DDPMScheduler"], "unet": ["diffusers", "UNet2DModel"]}


def write_model(unet: UNet2DModel, recipe: Recipe, folder: Path, classes: tuple[str, ...], measured: dict[str, Any],
                **run: float) -> dict:
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
"""
