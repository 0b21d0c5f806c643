"""In two dimensions: points of a shape, the small network that learns them in view, and what it says of every place.

The page holds whole walks and the field at many levels, so that moving through t asks nobody; it asks here for a
shape, for a training (a stream that lives as long as the page reads it), for walks of a trained network, and for
the pictures that the first room's decoder makes of places of its latent plane.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import math
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from PIL import Image

from engines import runtime, vae
from engines.checks import whole
from engines.diffusion import plane
from engines.runtime import BadInput, VisitorError
from gallery.asked import read_body, session
from gallery.fields import Field, choice, flag, integer

STATUS_EVERY_S = 0.5             # how often a page hears of its place in the queue, and one that has gone is noticed
SIDE, REACH = 25, 3.0            # of the grid of arrows: 25 are as close as a phone can show apart
STEPS = 200                      # strides of a walk: each is one of the screen's frames for 3 s of play
LEVELS = tuple(sorted({max(1, round(plane.T * (k / 40) ** 1.6)) for k in range(41)}))   # closer where the field turns fast
DRAWING_CHARACTERS = 2000        # 1.5 kB of strokes in base64, as of any drawing in this room's addresses
SHEET_QUALITY = 82               # of WebP: 960 pictures of 28 x 28 are about 150 kB, and none is shown larger than 100 px

log = logging.getLogger(__name__)


def _matching(pattern: str, what: str, longest: int = 40) -> Any:
    def read(text: str) -> str:
        if len(text) > longest or not re.fullmatch(pattern, text):
            raise BadInput(f"The address holds {what} that cannot be read: the page goes on without it.")
        return text
    return read


FIELDS = {
    "shape": Field(choice("the shape", *plane.KINDS), "moons"),
    "by": Field(choice("the way back", "both", "ddpm", "ddim"), "both"),
    "level": Field(integer("the level", 0, plane.T), 0),
    "drawn": Field(_matching(r"[A-Za-z0-9_-]+", "a drawing", DRAWING_CHARACTERS), ""),
    "net": Field(_matching(r"trained/[0-9a-f]{16}", "the name of a network"), ""),
    "learn": Field(flag("learn"), False),
}


# --- numbers on their way -----------------------------------------------------------------------------------------

def packed(values: np.ndarray) -> dict[str, Any]:
    """Floats as base64 of int16 and the unit that one of them stands for: a walk of 300 points is 240 kB."""
    unit = max(float(np.abs(values).max(initial=0.0)), 1e-6) / 32767
    whole_numbers = np.round(values / unit).astype("<i2")
    return {"data": base64.b64encode(whole_numbers.tobytes()).decode(), "unit": unit, "shape": list(values.shape)}


def octets(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.uint8).tobytes()).decode()


def numbers(given: Any, what: str, most: int) -> np.ndarray:
    """Pairs of numbers from a page -> float32 (N, 2). Raises BadInput."""
    try:
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            raise ValueError
        found = np.array(given, np.float64)
        if found.shape != (len(given), 2) or not np.isfinite(found).all() or np.abs(found).max() > 1e6:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{what} arrived damaged: it is 1 to {most} pairs of numbers. Try again.") from None
    return found.astype(np.float32)


def shape(asked: Mapping[str, Any]) -> plane.Shape:
    """{shape, and for one that was drawn its places} as the engine takes it. Raises BadInput."""
    kind = str(asked.get("shape", "moons"))[:40]
    if kind == "drawn":
        return plane.Shape(kind, numbers(asked.get("drawing"), "The drawing", plane.MAX_STROKES))
    return plane.Shape(kind)


def _number(asked: Mapping[str, Any], name: str, fallback: int, low: int, high: int) -> int:
    value = asked.get(name, fallback)
    whole(f"the {name}", value, low, high)
    return int(value)


def _seed(asked: Mapping[str, Any]) -> int:
    return _number(asked, "seed", 0, 0, 2**31 - 1)


def _net(asked: Mapping[str, Any]) -> str:
    return str(asked.get("net", ""))[:40]


# --- what is asked ------------------------------------------------------------------------------------------------

async def scattered(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A shape: its points, some of them on their way to noise, and how much lies where at each level."""
    wanted = plane.Scatter(shape(asked), _seed(asked), steps=STEPS, levels=LEVELS, side=SIDE, reach=REACH)
    found = await runtime.start(plane.scatter, wanted, session=session(asked)).aresult()
    return {"x_0": packed(found.x_0), "labels": octets(found.labels), "forward": packed(found.forward),
            "alpha_bar": [float(f"{value:.6g}") for value in found.alpha_bar], "levels": LEVELS, "reach": REACH,
            "mass": octets(np.round(found.mass * 255)), "centre": found.centre, "scale": found.scale}


async def field(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a network believes at every place of the grid, at every level of it."""
    wanted = plane.Field(_net(asked), LEVELS, SIDE, REACH)
    found = await runtime.start(plane.field_, wanted, session=session(asked)).aresult()
    return {"eps": packed(found.eps), "levels": LEVELS}


async def walk(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The points of the shape from the turn back to the data, by DDPM and by DDIM."""
    turn = _number(asked, "turn", STEPS, 1, STEPS)
    wanted = plane.Walk(_net(asked), _seed(asked), steps=STEPS, turn=turn)
    found = await runtime.start(plane.walk, wanted, session=session(asked)).aresult()
    return {"ddpm": packed(found.ddpm[:turn + 1]), "ddim": packed(found.ddim[:turn + 1]), "turn": turn}


async def follow(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One place and its futures."""
    x, y = numbers([asked.get("x")], "The place", 1)[0]
    wanted = plane.Follow(_net(asked), (float(x), float(y)), _number(asked, "k", STEPS, 1, STEPS), STEPS,
                          seed=_seed(asked))
    found = await runtime.start(plane.follow, wanted, session=session(asked)).aresult()
    return {"ddim": packed(found.ddim), "ddpm": packed(found.ddpm)}


async def pictures(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Places of the latent plane, decoded: {places, in its own units} -> a sheet of them, row by row."""
    places = numbers(asked.get("places"), "The places", vae.MAX_PICTURES)
    z = tuple((float(x), float(y)) for x, y in places)
    found = await runtime.start(vae.decode, vae.Decode(plane.LATENT_MODEL, z), session=session(asked)).aresult()
    return await asyncio.to_thread(sheet, found.images)


def sheet(images: np.ndarray) -> dict[str, Any]:
    """uint8 (N, H, W, 1) -> {uri of a WebP, columns, side}."""
    n, height, width, _ = images.shape
    columns = max(1, round(math.sqrt(n)))
    rows = -(-n // columns)
    cells = np.zeros((rows * columns, height, width), np.uint8)
    cells[:n] = images[..., 0]
    flat = cells.reshape(rows, columns, height, width).transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    out = io.BytesIO()
    Image.fromarray(flat).save(out, "WEBP", quality=SHEET_QUALITY, method=2)
    return {"uri": "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode(), "columns": columns,
            "side": width}


# --- a training, streamed -----------------------------------------------------------------------------------------

def frame_event(progress: plane.Progress) -> dict[str, Any]:
    loss = round(progress.loss, 5) if math.isfinite(progress.loss) else None
    return {"step": progress.step, "steps": progress.steps, "seconds": round(progress.seconds, 2), "loss": loss,
            "levels": progress.levels.tolist(), "eps": packed(progress.eps), "back": packed(progress.back),
            "net": progress.model}


def _line(kind: str, body: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"


async def events(run: Any) -> AsyncIterator[str]:
    """The looks of a training as server-sent events, and its place in the queue while it waits."""
    frames, told = aiter(run), None
    coming = asyncio.ensure_future(anext(frames, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=STATUS_EVERY_S)
            status = {"state": run.status.state, "ahead": run.status.ahead}
            # a comment, where there is no news: sending it is how a page that has gone is noticed
            yield _line("status", status) if status != told else ": still here\n\n"
            told = status
            if not done:
                continue
            progress = coming.result()
            if progress is None:
                break
            coming = asyncio.ensure_future(anext(frames, None))
            yield _line("frame", await asyncio.to_thread(frame_event, progress))
        yield _line("end", {})
    except VisitorError as error:
        yield _line("failed", {"error": str(error)})
    except Exception:
        log.exception("the training of a plane failed")
        yield _line("failed", {"error": "Something went wrong while training; it is in the log. Train again."})
    finally:
        coming.cancel()
        run.cancel()                                  # nothing, once the run has ended


def begun(asked: Mapping[str, Any]) -> StreamingResponse:
    """Start a training. Raises VisitorError."""
    wanted = plane.Train(shape(asked), _seed(asked), side=SIDE, reach=REACH)
    run = runtime.start(plane.train, wanted, session=session(asked))

    async def stream() -> AsyncIterator[str]:
        try:
            async for line in events(run):
                yield line
        finally:
            run.cancel()

    return StreamingResponse(stream(), media_type="text/event-stream",
                             headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def routes() -> APIRouter:
    router = APIRouter(prefix="/plane")
    for name, answer in {"shape": scattered, "field": field, "walk": walk, "follow": follow,
                         "pictures": pictures}.items():
        router.add_api_route(f"/{name}", _json(answer), methods=["POST"], response_model=None)

    @router.post("/train")
    async def _train(request: Request) -> StreamingResponse:
        return begun(await read_body(request))

    return router


def _json(answer: Any) -> Any:
    async def asked(request: Request) -> JSONResponse:
        return JSONResponse(await answer(await read_body(request)))
    return asked
