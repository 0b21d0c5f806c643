"""The room's jobs by name, for programs: gradio_client and plain HTTP. Each docstring is what the API page shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from apps.gan_trainer import points, rules, wire
from engines import runtime
from engines.checks import whole
from engines.gan import plane
from engines.runtime import BadInput, VisitorError

MOST_STEPS = 20_000                  # of a request that waits for its answer: about ten seconds


async def train(settings: dict, steps: int, request: gr.Request) -> dict:
    """Play a game in the plane from the start. settings: data ("line", "ring", "grid", "spiral", "rings", or "own" with
    points: pairs of numbers), seed, rules: an object such as {"loss": "wgan-gp", "lr_d": 0.002}; what is missing takes
    its default. steps: rounds, up to 20,000.

    Returns {"step", "seconds", "samples": 400 pairs of numbers in the plane, "measures": losses, D's means, modes found,
    share of good samples, Jensen-Shannon divergence in bits, Wasserstein-1}.
    """
    try:
        if not isinstance(settings, dict):
            raise BadInput('settings must be an object such as {"data": "ring", "seed": 1}.')
        whole("the number of steps", steps, 1, MOST_STEPS)
        params = plane.Play(points.shape(settings), rules.read(settings.get("rules", {})), settings.get("seed", 0), steps)
        caller = f"api:{request.client.host if request is not None and request.client else 'anyone'}"
        look = await runtime.start(plane.play, params, session=caller).aresult()
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault
    m = look.measures
    measures = {name: wire.number(getattr(m, name)) for name in ("loss_d", "loss_g", "d_real", "d_fake", "norm_d", "norm_g",
                                                                 "good", "jsd", "w1")}
    return {"step": look.step, "seconds": look.seconds, "samples": look.samples.round(4).tolist(),
            "measures": {**measures, "found": m.found, "modes": m.modes.round(4).tolist()}, "broken": look.broken}


def apis() -> list[tuple[Callable[..., Any], str]]:
    return [(train, "train")]
