"""What every recipe does around its steps: go on where it was stopped, write checkpoints, say how it goes."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
MODELS = Path(__file__).resolve().parents[2] / "assets" / "models"
CHECKPOINT_EVERY_S = 90.0


class Trainable(Protocol):
    """A recipe under way. `advance` takes one step and gives the figure that `run` prints the mean of."""

    recipe: Any          # a dataclass: everything that decides what comes out, apart from the data
    figure: str          # what that figure is
    step: int
    steps: int
    seconds: float
    plans: list[list[float]]     # [step, epochs]: up to that step another number of epochs was planned

    def advance(self) -> float: ...
    def state(self) -> dict: ...
    def restore(self, state: dict) -> None: ...


T = TypeVar("T", bound=Trainable)


def run(training: T, checkpoint: Path, until: int | None = None, replan: bool = False) -> T:
    """Train to the end (or to step `until`), writing a checkpoint at least every 90 s and at the end.

    replan: go on although the checkpoint was written under another number of epochs; `training.plans` keeps them.
    """
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        before = type(training.recipe)(**state["recipe"])      # written before a field was added: as by default
        planned = before.epochs
        if (replace(before, epochs=training.recipe.epochs) if replan else before) != training.recipe:
            raise SystemExit(f"{checkpoint} belongs to another recipe: remove it, or give the run another --name.")
        training.restore(state)
        training.plans = [list(plan) for plan in state.get("plans", [])]
        if planned != training.recipe.epochs:
            training.plans.append([training.step, planned])
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    last, saved = min(until or training.steps, training.steps), time.monotonic()
    began, before, figures = time.monotonic(), training.seconds, []
    while training.step < last:
        figures.append(training.advance())
        training.seconds = before + time.monotonic() - began
        if training.step % 500 == 0 or training.step == last:
            print(f"step {training.step}/{training.steps}  {training.seconds:.0f} s  "
                  f"{training.figure} {np.mean(figures):.4g} (training data)", flush=True)
            figures.clear()
        if time.monotonic() - saved > CHECKPOINT_EVERY_S or training.step == last:
            write_checkpoint(training, checkpoint)
            saved = time.monotonic()
    return training


def write_checkpoint(training: Trainable, checkpoint: Path) -> None:
    """Written beside and moved over, so that an interruption leaves the old one whole."""
    unfinished = checkpoint.with_suffix(".part")
    torch.save(training.state() | {"plans": training.plans}, unfinished)
    os.replace(unfinished, checkpoint)


def arguments(recipe: type, about: str | None) -> argparse.Namespace:
    """The command line of a recipe: an option for each field, --threads and --into."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in fields(recipe):
        kind = {"str": str, "int": int, "float": float}[field.type]
        required = field.name == "name"
        default = {} if required else {"default": field.default}
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, required=required, **default)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--replan", action="store_true", help="go on although other --epochs were planned before")
    parser.add_argument("--into", type=Path, default=MODELS, help="folder that holds the model folders")
    return parser.parse_args()


def chosen(recipe: type, options: argparse.Namespace) -> Any:
    """The recipe that the command line asks for."""
    return recipe(**{field.name: getattr(options, field.name) for field in fields(recipe)})
