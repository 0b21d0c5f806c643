"""Diffusion stepper: noise becomes a picture, one step at a time, and every step can be stopped at and looked into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallery.demo import Demo, Scene

DEMO = Demo(
    title="Diffusion stepper",
    milestone="ddpm",
    sentence="A network learned to take a little noise away; ask it often enough, and noise becomes a picture.",
    framework="gradio",
    scenes=(
        Scene("From static to a seven", "When do you see it first?",
              {"model": "ddpm-mnist", "label": "7", "seed": "12", "steps": "50", "play": "1"}),
        Scene("What it believes at t = 900", "Almost pure static; the belief is an average.",
              {"model": "ddpm-mnist", "label": "each", "count": "10", "guidance": "1", "seed": "3", "at": "5"}),
        Scene("Four steps against fifty", "How much is lost with a tenth of the work?",
              {"model": "ddpm-mnist", "tool": "fewer", "label": "5", "seed": "8"}),
        Scene("Guidance too strong", "It insists until the eights swell into blots.",
              {"model": "ddpm-mnist", "label": "8", "count": "4", "guidance": "20", "seed": "4", "both": "1",
               "play": "1"}),
        Scene("Change its mind at half-way", "Asked for a 7, then for a 2. Is it too late?",
              {"model": "ddpm-mnist", "tool": "branch", "label": "7", "seed": "3", "fork": "25", "then": "label:2"}),
        Scene("Lose a picture and bring it back", "From which level is it another picture?",
              {"model": "ddpm-mnist", "tool": "forward", "pic": "t.17", "t": "600", "go": "1"}),
        Scene("A face out of nothing", "When does each get a mouth of its own?",
              {"model": "ddpm-emoji", "label": "0", "count": "9", "guidance": "2", "seed": "100", "play": "1"}),
        Scene("The field of arrows", "Learned in view: which way the data lies.",
              {"tool": "plane", "shape": "spiral", "by": "both", "level": "150", "learn": "1"}),
    ),
    tags=("pictures", "noise", "denoising", "guidance", "samplers", "inpainting"),
    engine="engines/diffusion/jobs.py",
    models=("ddpm-mnist", "ddpm-fashion", "ddpm-emoji"),
    thumbnail="apps.diffusion_stepper.thumbnail:make",
    module="diffusion/page.js",
)


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state of the page, a sentence for each thing that could not be read)."""
    from apps.diffusion_stepper import state

    return state.parse(query)
