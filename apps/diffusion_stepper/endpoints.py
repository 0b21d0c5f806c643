"""The room's jobs by name, for programs: gradio_client and plain HTTP.

Pictures travel as data URIs (PNG). Each function's docstring is what the API page shows.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from apps.diffusion_stepper import catalogue, orders, view
from engines import diffusion, runtime
from engines.runtime import BadInput, VisitorError
from gallery import upload
from gallery.fit import fit


def _session(request: gr.Request | None) -> str:
    return f"api:{request.client.host if request is not None and request.client else 'anyone'}"


def opened(text: str, model: str) -> np.ndarray:
    """A data URI or bare base64 of a picture, fitted as the model's data set is -> uint8 (H, W, C). Raises BadInput."""
    try:
        data = base64.b64decode(text.split(",", 1)[-1], validate=True)
    except (binascii.Error, ValueError, AttributeError):
        raise BadInput("The picture could not be read: send it as base64 or as a data URI.") from None
    known = catalogue.config(model)
    return catalogue.sized(fit(upload.open_picture(data), known["dataset"]).picture, known["image"])


async def _sampled(make: Callable[[], diffusion.Sample], request: gr.Request | None, every: int = 0) -> dict[str, Any]:
    """Run to the end. every: also return each so many steps; 0: only what it ended with."""
    try:
        run, seen, last = runtime.start(diffusion.sample, make(), session=_session(request)), [], None
        async for frame in run:
            last = frame
            if every and frame.index % every == 0:
                seen.append({"index": frame.index, "t": frame.t, "alpha_bar": frame.alpha_bar,
                             "x_t": view.data_uri(view.strip(frame.x_t)), "x_0": view.data_uri(view.strip(frame.x_0))})
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault
    return {"pictures": [view.data_uri(image) for image in last.x_0], "seconds": last.seconds, "steps": seen}


def _settings(settings: Any) -> Mapping[str, Any]:
    if not isinstance(settings, dict):
        raise BadInput('settings must be an object such as {"label": 7, "steps": 50, "seed": 1}.')
    return settings


async def sample(settings: dict, every: int, request: gr.Request) -> dict:
    """Walk from noise to pictures. settings: model, label (-1: none, "each": one of each), guidance,
    sampler ("ddpm", "ddim", "dpm++", "euler"), eta, steps, schedule, count, seed; what is missing takes its default.

    every: also return x_t and the predicted clean picture at each so many steps; 0 returns the result only.
    Returns {"pictures": data URIs, "seconds", "steps": [{"index", "t", "alpha_bar", "x_t", "x_0"}]}.
    """
    return await _sampled(lambda: orders.sample(_settings(settings)), request, max(0, int(every)))


async def dissolve(model: str, picture: str, t: int, seed: int, request: gr.Request) -> dict:
    """Dissolve a picture (PNG, JPEG, WebP, GIF or BMP as base64 or data URI) up to the noise level t, 0 to 999.

    Returns {"clean": data URI of what the model would know, "x_t": data URI, "alpha_bar"}.
    """
    try:
        orders.whole("the noise level", t, 0, 999)
        clean = opened(picture, model)
        caller = _session(request)
        noise = await runtime.start(diffusion.dissolve, diffusion.Dissolve(clean, seed), session=caller).aresult()
        curves = await runtime.start(diffusion.schedules, diffusion.Curves(), session=caller).aresult()
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault
    alpha_bar = float(curves.alpha_bar[0][int(t)])
    x_t = alpha_bar**0.5 * (clean / 127.5 - 1) + (1 - alpha_bar) ** 0.5 * noise.eps
    seen = np.clip(np.round((x_t + 1) * 127.5), 0, 255).astype(np.uint8)
    return {"clean": view.data_uri(clean), "x_t": view.data_uri(seen), "alpha_bar": alpha_bar}


async def sdedit(settings: dict, picture: str, strength: float, request: gr.Request) -> dict:
    """Dissolve a picture up to t = 1000 strength - 1 and let the model bring it back. settings: as for sample.

    Returns {"pictures": data URIs, "seconds", "steps": []}.
    """
    def make() -> diffusion.Sample:
        params = orders.sample(_settings(settings))
        return replace(params, picture=opened(picture, params.model), strength=strength)
    return await _sampled(make, request)


async def inpaint(settings: dict, picture: str, mask: str, request: gr.Request) -> dict:
    """Let the model paint where the mask (a picture of any size; what is lighter than half grey) allows it.

    settings: as for sample. What is not masked stays exactly as it is. Returns {"pictures", "seconds", "steps": []}.
    """
    def make() -> diffusion.Sample:
        params = orders.sample(_settings(settings))
        height, width, _ = catalogue.config(params.model)["image"]
        try:
            given = upload.open_picture(base64.b64decode(mask.split(",", 1)[-1], validate=True), "The mask").image
        except (binascii.Error, ValueError):
            raise BadInput("The mask could not be read: send it as base64 or as a data URI.") from None
        may = np.asarray(given.convert("L").resize((width, height))) > 127
        return replace(params, picture=opened(picture, params.model), mask=may)
    return await _sampled(make, request)


def apis() -> list[tuple[Callable[..., Any], str]]:
    return [(each, each.__name__) for each in (sample, dissolve, sdedit, inpaint)]
