"""The way into the noise: a picture of the data set or of one's own, dissolved to any level and brought back.

Pictures come from the bundled set by number, from the drawing pad as a PNG, or from a file as the body of a request.
All are fitted as the data set's own pictures were, and answered as the model would know them, with the noise to
dissolve them in: the page mixes the two by itself (eq. 4).
"""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from apps.diffusion_stepper import catalogue, orders, outcomes, verdicts, view
from apps.diffusion_stepper.labels import label
from engines import diffusion, runtime
from engines.checks import whole
from engines.runtime import BadInput
from gallery import limits, upload
from gallery.asked import read_body, session
from gallery.fields import Field, choice, flag, integer
from gallery.fit import fit

DRAWING_CHARACTERS = 2000            # 1.5 kB of strokes in base64: with the rest of the address under what mailers cut
MASK_CHARACTERS = 1400               # 64 x 64 bits in base64 and a letter
SOURCE = re.compile(r"t\.\d{1,6}|d\.[A-Za-z0-9_-]+")
MASK = re.compile(r"[A-Za-z0-9_-]+")


def _source(text: str) -> str:
    """t.<number>, a test picture, or d.<strokes in base64url>, a drawing."""
    if len(text) > DRAWING_CHARACTERS:
        raise BadInput(f"The drawing in the address has {len(text)} characters; the limit is {DRAWING_CHARACTERS}: "
                       "draw with fewer strokes.")
    if not SOURCE.fullmatch(text):
        raise BadInput("The address holds a picture that cannot be read; "
                       "it starts with d. for a drawing or t. for a test picture.")
    return text


def _mask(text: str) -> str:
    """One bit a pixel, row by row, in base64url."""
    if len(text) > MASK_CHARACTERS or not MASK.fullmatch(text):
        raise BadInput("The address holds a mask that cannot be read: paint it again.")
    return text


FIELDS = {
    "pic": Field(_source, "t.17"),
    "t": Field(integer("the noise level", 0, 999), 500),
    "way": Field(choice("the way back", "back", "paint"), "back"),
    "as": Field(label("the class of the way back"), diffusion.NO_LABEL),
    "mask": Field(_mask, ""),
    "go": Field(flag("go"), False),
}


# --- what is asked ------------------------------------------------------------------------------------------------

async def known(model: str, image: np.ndarray, seed: Any, session: str, **more: Any) -> dict[str, Any]:
    """A picture as the model would know it, uint8 (H, W, C), the noise of that seed, and what is on it."""
    whole("the seed", seed, 0, 2**31 - 1)
    found = await runtime.start(diffusion.dissolve, diffusion.Dissolve(image, int(seed)), session=session).aresult()
    eps = base64.b64encode(np.ascontiguousarray(found.eps, "<f4").tobytes()).decode()
    seen = await verdicts.judged(model, image[None], session)
    return {"picture": view.pixels(image), "eps": eps, "verdict": seen[0] if seen else None, **more}


async def levels(session: str, model: str = "") -> dict[str, list[float]]:
    """alpha_bar by schedule, 1000 numbers each. model: also of the schedule that it came with."""
    found = await runtime.start(diffusion.schedules, diffusion.Curves(model=model), session=session).aresult()
    return {name: [float(f"{value:.7g}") for value in row] for name, row in zip(found.names, found.alpha_bar, strict=True)}


def fitted(model: str, data: bytes, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The bytes of a file -> the model's picture, and what was done to it. Raises BadInput."""
    told = catalogue.config(model)
    found = fit(upload.open_picture(data, name), told["dataset"])
    return catalogue.sized(found.picture, told["image"]), found.notes


def taken(asked: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """{model, index} or {model, drawing: base64 of a PNG} -> the picture, and what to say of it. Raises BadInput.

    other: the number was that of a picture in another model's data; then it is any of this one's.
    """
    model = str(asked.get("model", ""))
    if asked.get("drawing") is not None:
        try:
            data = base64.b64decode(str(asked["drawing"]), validate=True)
        except ValueError:
            raise BadInput("The drawing arrived damaged: draw it again.") from None
        image, notes = fitted(model, data, "The drawing")
        return image, {"notes": notes}
    index = asked.get("index", -1)
    pictures = catalogue.shown(catalogue.config(model)["dataset"])
    if asked.get("other") and isinstance(index, int) and index >= 0:
        index %= len(pictures.images)
    whole("the number of the test picture", index, -1, len(pictures.images) - 1)
    if index < 0:
        index = int(np.random.default_rng().integers(len(pictures.images)))
    title = pictures.titles[index] if pictures.titles else pictures.names[pictures.labels[index]]
    return catalogue.picture(model, index), {"index": index, "title": title, "label": int(pictures.labels[index])}


# --- routes -------------------------------------------------------------------------------------------------------

def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/levels")
    async def _levels(model: str = "") -> JSONResponse:
        if model:
            catalogue.config(model)
        return JSONResponse(await levels("levels", model), headers={"Cache-Control": "public, max-age=3600"})

    @router.get("/upload-limits")
    def _limits() -> JSONResponse:
        return JSONResponse({"bytes": limits.UPLOAD_BYTES})

    @router.post("/picture")
    async def _picture(request: Request) -> JSONResponse:
        asked = await read_body(request)
        image, more = await asyncio.to_thread(taken, asked)
        model, seed = str(asked.get("model", "")), asked.get("seed", 0)
        return JSONResponse(await known(model, image, seed, session(asked), **more))

    @router.post("/upload")
    async def _upload(request: Request, model: str = "", name: str = "", seed: int = 0,
                      session: str = "") -> JSONResponse:
        """The bytes of a file as the body."""
        data = await received(request, upload.short_name(name[:500]))
        image, notes = await asyncio.to_thread(fitted, model, data, name[:500])
        return JSONResponse(await known(model, image, seed, session[:64] or "visitor", notes=notes))

    @router.post("/backs")
    async def _backs(request: Request) -> Response:
        """{picture, places: noise levels, settings} -> lines of JSON: {place, pictures, verdicts}."""
        asked = await read_body(request)
        wanted = outcomes.places(asked.get("places"), "the noise levels", 0, 999)
        return outcomes.streamed({t: orders.read({**asked, "strength": (t + 1) / 1000}) for t in wanted})

    @router.post("/judge")
    async def _judge(request: Request) -> JSONResponse:
        """{model, pictures: [{w, h, c, data}]} -> {verdicts}: what the classifier sees, empty where there is none."""
        asked = await read_body(request)
        given = asked.get("pictures")
        if not isinstance(given, list) or not 1 <= len(given) <= diffusion.MAX_PICTURES:
            raise BadInput(f"Send 1 to {diffusion.MAX_PICTURES} pictures to be judged.")
        model = str(asked.get("model", ""))
        shape = tuple(catalogue.config(model)["image"])
        pictures = [orders.picture(each) for each in given]
        if any(each.shape != shape for each in pictures):
            raise BadInput("A picture is not of the model's size: choose it again.")
        return JSONResponse({"verdicts": await verdicts.judged(model, np.stack(pictures), session(asked))})

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
