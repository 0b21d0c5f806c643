"""A visitor's own picture: read with care, fitted as the data set is, encoded, and drawn again from q(z|x).

Server functions take one mapping and return one; what a visitor did wrong comes back as {"error": sentence}.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import gradio as gr
import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from apps.latent_space_explorer import catalogue, codes, exact, film, pictures, view
from apps.latent_space_explorer.dimensions import answering
from apps.latent_space_explorer.neighbours import vote
from engines import runtime, vae
from engines.runtime import BadInput, VisitorError
from gallery import fit, limits, upload
from gallery.fields import Field, flag, integer, number

DRAWS = 16                           # draws on one sheet
DRAWING_CHARACTERS = 2000            # 1.5 kB of strokes in base64: with the rest of the address under what mailers cut
SEEDS = 2**31 - 1
WIDEST = 6.0                         # times sigma: farther out is nothing that the encoder ever said
DRAWN = re.compile(r"d\.[A-Za-z0-9_-]+")
TAKEN = re.compile(r"t\.\d{1,6}")


def _own(text: str) -> str:
    """d.<strokes in base64url>, a drawing, or t.<number>, a test picture."""
    if len(text) > DRAWING_CHARACTERS:
        raise BadInput(f"The drawing in the address has {len(text)} characters; the limit is {DRAWING_CHARACTERS}: "
                       "draw with fewer strokes.")
    if not (DRAWN.fullmatch(text) or TAKEN.fullmatch(text)):
        raise BadInput("The address holds a picture that cannot be read; "
                       "it starts with d. for a drawing or t. for a test picture.")
    return text


FIELDS = {
    "own": Field(_own, ""),
    "seed": Field(integer("seed", 0, SEEDS), 1),
    "again": Field(flag("again"), False),
    "wider": Field(number("wider", 1, WIDEST), 1.0),
}


def server_functions() -> list[Any]:
    return [own_limits, own_refusal, own_drawing, own_encoded, own_test, own_again]


# --- what the page asks -------------------------------------------------------------------------------------------

@answering
async def own_limits(args: Mapping[str, Any]) -> dict[str, Any]:
    """-> {"sentence", "bytes"}: what may be uploaded."""
    return {"bytes": limits.UPLOAD_BYTES,
            "sentence": f"{upload.READABLE}, up to {limits.UPLOAD_BYTES / 1e6:.0f} MB "
                        f"and {limits.UPLOAD_PIXELS / 1e6:.0f} megapixels."}


@answering
async def own_refusal(args: Mapping[str, Any]) -> dict[str, Any]:
    """{name, size} of a file too large to be sent -> the sentence about it, without its bytes being sent."""
    size = args.get("size")
    upload.check_weight(int(size) if isinstance(size, (int, float)) and size == size else 0,
                        upload.short_name(str(args.get("name", ""))[:500]))
    return {}


@answering
async def own_drawing(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, picture: base64 of a PNG} -> what `look` returns: the drawing pad's own picture."""
    text = args.get("picture")
    if not isinstance(text, str) or not text:
        raise BadInput(fit.EMPTY)
    upload.check_weight(len(text) * 3 // 4, "The drawing")
    try:
        png = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("The drawing arrived damaged: draw it again.") from None
    return await look(str(args.get("model", "")), png, "The drawing", exact.session(args))


@answering
async def own_encoded(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, picture: {w, h, c, data}} -> `told` for a picture fitted before, by another model of the same data."""
    return await told(str(args.get("model", "")), _raw(args), exact.session(args))


@answering
async def own_test(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, index} -> `told` for a bundled test picture; a negative index takes any."""
    model, index = str(args.get("model", "")), args.get("index", -1)
    space = codes.read(model)
    if not isinstance(index, int) or isinstance(index, bool) or index >= len(space.mu):
        raise BadInput(f"There is no test picture {str(index)[:12]}; they are numbered 0 to {len(space.mu) - 1}.")
    if index < 0:
        index = int(np.random.default_rng().integers(len(space.mu)))
    picture = pictures.images(space.dataset, np.array([index]))[0]
    name = pictures.names(space.dataset, [index])[0]
    found = await told(model, picture, exact.session(args))
    return {**found, "index": index, "title": name, "notes": ["a picture of the test set, as it is"]}


@answering
async def own_again(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, picture: {w, h, c, data}, seed, wider} -> DRAWS draws of z = mu + wider * sigma * eps, and their decodings.

    far: how many sigma each lies from mu, by dimension taken together. recon_nats: None where the draws are
    exaggerated (wider > 1), because the loss never speaks of such.
    """
    seed, wider = args.get("seed", 1), args.get("wider", 1)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise BadInput(f"The seed is {str(seed)[:20]!r}; give a whole number from 0 to {SEEDS}.")
    if isinstance(wider, bool) or not isinstance(wider, (int, float)) or not 1 <= wider <= WIDEST:
        raise BadInput(f"The factor of sigma is {str(wider)[:20]!r}; give a number from 1 to {WIDEST:g}.")
    picture, session = _raw(args), exact.session(args)
    params = vae.Reconstruct(str(args.get("model", "")), picture, DRAWS, seed)
    frame = await runtime.start(vae.reconstruct, params, session=session).aresult()
    z, images, nats = frame.z, frame.images, frame.reconstruction_nats.tolist()
    if wider > 1:
        code = await runtime.start(vae.encode, vae.Encode(params.model, picture[None]), session=session).aresult()
        z = code.mu + wider * (frame.z - code.mu)
        points = tuple(tuple(map(float, point)) for point in z)
        images, nats = (await runtime.start(vae.decode, vae.Decode(params.model, points), session=session).aresult()).images, None
    found = await asyncio.to_thread(vote, codes.read(params.model), z)
    return {"sheet": film.sheet(images), "z": z.tolist(), "seed": seed, "wider": wider, "labels": found.label.tolist(),
            "far": (wider * np.linalg.norm(frame.eps, axis=1)).tolist(), "recon_nats": nats}


async def look(model: str, data: bytes, name: str, visitor: str) -> dict[str, Any]:
    """A file's bytes -> fitted to the model's data set and encoded. Raises VisitorError.

    -> `told`, and "notes": what was done to the picture, in plain words.
    """
    dataset = catalogue.config(model)["dataset"]
    fitted = await asyncio.to_thread(lambda: fit.fit(upload.open_picture(data, name), dataset))
    return {**await told(model, fitted.picture, visitor), "notes": list(fitted.notes)}


async def told(model: str, picture: np.ndarray, visitor: str) -> dict[str, Any]:
    """What the model says of a picture of its size, uint8 (H, W, C), and which class lies around its code."""
    height, width, channels = catalogue.config(model)["image"]
    if picture.shape != (height, width, channels):
        raise BadInput(f"The picture is {picture.shape[1]} × {picture.shape[0]}; {model} reads {width} × {height} "
                       f"in {'grey' if channels == 1 else 'colour'}: send the original again.")
    space = codes.read(model)
    found = await exact.told(model, picture, visitor)
    around = await asyncio.to_thread(vote, space, np.array([found["mu"]], np.float32))
    return {**found, "dataset": space.dataset,
            "around": {"label": int(around.label[0]), "votes": int(around.votes[0]), "of": around.nearest.shape[1],
                       "name": pictures.class_names(space.dataset)[around.label[0]],
                       "nearest": around.nearest[0, :5].tolist()}}


def _raw(args: Mapping[str, Any]) -> np.ndarray:
    """{"picture": {w, h, c, data}} -> uint8 (H, W, C)."""
    given = args.get("picture")
    try:
        shape = int(given["h"]), int(given["w"]), int(given["c"])
        pixels = np.frombuffer(base64.b64decode(given["data"], validate=True), np.uint8)
        if not all(1 <= n <= 512 for n in shape):
            raise ValueError(shape)
        return pixels.reshape(shape)
    except (TypeError, KeyError, ValueError, AttributeError, binascii.Error):
        raise BadInput("The picture arrived damaged: draw or choose it again.") from None


# --- uploads ------------------------------------------------------------------------------------------------------

def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/own-picture")
    async def _own_picture(request: Request, model: str = "", name: str = "", session: str = "") -> JSONResponse:
        """The bytes of a file as the body. A refusal is an answer like any other, with {"error": sentence}."""
        try:
            data = await received(request, upload.short_name(name[:500]))
            found = await look(model, data, name[:500], exact.session({"session": session}))
        except VisitorError as fault:
            found = {"error": str(fault)}
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    return router


async def received(request: Request, what: str) -> bytes:
    """The body, of which no more is kept than the limit, whatever its header claims."""
    claimed = request.headers.get("content-length", "")
    if claimed.isdecimal() and int(claimed) > limits.UPLOAD_BYTES:
        upload.check_weight(int(claimed), what)
    parts, total = [], 0
    async for part in request.stream():
        total += len(part)
        if total > limits.UPLOAD_BYTES:
            upload.check_weight(total, what)
        parts.append(part)
    return b"".join(parts)


# --- for programs -------------------------------------------------------------------------------------------------

async def own_picture(model: str, picture: str, request: gr.Request) -> dict:
    """Encode any picture (PNG, JPEG, WebP, GIF or BMP as base64 or data URI), fitted as the model's data set is.

    Returns {"seen": data URI of what the model reads, "notes", "mu", "logvar", "reconstruction": data URI,
    "recon_nats", "kl_nats": by dimension, "around": the class of the nearest test pictures}.
    """
    client = request.client.host if request is not None and request.client else "anyone"
    try:
        text = picture.split(",", 1)[-1]
        upload.check_weight(len(text) * 3 // 4)
        found = await look(model, base64.b64decode(text, validate=True), "", f"api:{client}")
    except (binascii.Error, ValueError) as fault:
        raise gr.Error("The picture could not be read: send it as base64 or as a data URI.",
                       print_exception=False) from fault
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault
    seen, back = (view.data_uri(_raw({"picture": found.pop(key)})) for key in ("picture", "reconstruction"))
    return {**found, "seen": seen, "reconstruction": back}


def apis() -> list[tuple[Any, str, str]]:
    return [(own_picture, "own_picture", own_picture.__doc__ or "")]
