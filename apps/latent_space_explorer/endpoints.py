"""The page's jobs by name, for programs: gradio_client and plain HTTP.

Pictures travel as data URIs (PNG). Each function's docstring is what the API page shows.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image, UnidentifiedImageError

from apps.latent_space_explorer import catalogue, view
from apps.latent_space_explorer.exact import point
from engines import runtime, vae
from engines.runtime import BadInput, VisitorError

MOST_BYTES = 2 * 1024 * 1024         # of one picture given to an endpoint
MOST_PIXELS = 4_000_000


def _read(picture: str, model: str) -> np.ndarray:
    """A data URI or bare base64 of a PNG, JPEG or WebP -> uint8 (1, H, W, C) of the model's size."""
    height, width, channels = catalogue.config(model)["image"]
    text = picture.split(",", 1)[-1]
    if len(text) > MOST_BYTES * 4 // 3:
        raise BadInput(f"The picture has more than {MOST_BYTES // 2**20} MB: send a smaller one.")
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG", "JPEG", "WEBP")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise BadInput(f"The picture has {opened.width * opened.height:,} pixels; the limit is {MOST_PIXELS:,}.")
            small = opened.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.LANCZOS)
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError) as fault:
        raise BadInput("The picture could not be read: send a PNG, JPEG or WebP as base64 or as a data URI.") from fault
    return np.asarray(small, np.uint8).reshape(1, height, width, channels)


async def _ask(job: Any, make: Callable[[], Any], caller: gr.Request | None) -> Any:
    """Run a job for a caller, and tell what a visitor may be told as a gr.Error."""
    client = caller.client.host if caller is not None and caller.client else "anyone"
    try:
        return await runtime.start(job, make(), session=f"api:{client}").aresult()
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault


async def decode(model: str, z: list[float], request: gr.Request) -> dict:
    """Decode one point of a model's latent space. z: one number for each dimension.

    Returns {"picture": data URI of the decoder's mean, "z": the point}.
    """
    frame = await _ask(vae.decode, lambda: vae.Decode(model, (point(z),)), request)
    return {"picture": view.data_uri(frame.images[0]), "z": frame.z[0].tolist()}


async def grid(model: str, extent: list[float], rows: int, columns: int, request: gr.Request) -> dict:
    """Decode rows x columns points over extent = [x0, x1, y0, y1] along the first two dimensions.

    Returns {"picture": data URI of the tiles, the top row at y1, "rows", "columns"}.
    """
    def make() -> vae.Grid:
        if len(extent) != 4:
            raise BadInput(f"extent has {len(extent)} numbers; it takes four: x0, x1, y0, y1.")
        return vae.Grid(model, point(extent), int(rows), int(columns))
    frame = await _ask(vae.grid, make, request)
    return {"picture": view.data_uri(view.sheet(frame.images, int(rows), int(columns))), "rows": rows, "columns": columns}


async def encode(model: str, picture: str, request: gr.Request) -> dict:
    """Encode a picture (PNG, JPEG or WebP as base64 or data URI; it is only scaled to the model's size).

    Returns {"mu", "logvar": of q(z|x), "reconstruction": data URI, "reconstruction_nats", "kl_nats": by dimension}.
    """
    frame = await _ask(vae.encode, lambda: vae.Encode(model, _read(picture, model)), request)
    return {"mu": frame.mu[0].tolist(), "logvar": frame.logvar[0].tolist(),
            "reconstruction": view.data_uri(frame.reconstruction[0]),
            "reconstruction_nats": float(frame.reconstruction_nats[0]), "kl_nats": frame.kl_nats[0].tolist()}


async def reconstruct(model: str, picture: str, n: int, seed: int, request: gr.Request) -> dict:
    """Encode a picture and decode n draws of z = mu + sigma * eps; the same seed draws the same eps.

    Returns {"pictures": data URIs, "z": the draws, "reconstruction_nats": of each}.
    """
    def make() -> vae.Reconstruct:
        return vae.Reconstruct(model, _read(picture, model)[0], int(n), int(seed))
    frame = await _ask(vae.reconstruct, make, request)
    return {"pictures": [view.data_uri(image) for image in frame.images], "z": frame.z.tolist(),
            "reconstruction_nats": frame.reconstruction_nats.tolist()}


async def interpolate(model: str, points: list[list[float]], steps: int, way: str, request: gr.Request) -> dict:
    """Walk from point to point in `steps` pictures; way: "line" or "circle".

    Returns {"pictures": data URIs, "z": the points walked through}.
    """
    def make() -> vae.Interpolate:
        return vae.Interpolate(model, tuple(point(each) for each in points), int(steps), way)
    frame = await _ask(vae.interpolate, make, request)
    return {"pictures": [view.data_uri(image) for image in frame.images], "z": frame.z.tolist()}


def apis() -> list[tuple[Callable[..., Any], str]]:
    return [(each, each.__name__) for each in (decode, grid, encode, reconstruct, interpolate)]
