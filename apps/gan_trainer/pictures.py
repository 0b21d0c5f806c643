"""Games of pictures: what stands in their address, what a page fetches, and what a program may ask.

The parts: rules in `pictures_rules`, what is kept in `pictures_films`, a game under way in `pictures_games`, networks that
are asked in `pictures_stages`, all of it as bytes in `pictures_wire`.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import gradio as gr
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from PIL import Image

from apps.gan_trainer import pictures_games as games
from apps.gan_trainer import pictures_rules, rules
from apps.gan_trainer import pictures_stages as stages
from apps.gan_trainer import pictures_wire as wire
from apps.gan_trainer.films import GONE
from engines import data, runtime
from engines.checks import whole
from engines.gan import pictures
from engines.runtime import BadInput, VisitorError
from gallery import streams
from gallery.asked import Gone, read_body
from gallery.fields import Field, choice, integer

VIEWS = ("grid", "verdicts", "walk", "film")
MOST_STEPS = 300                     # of a request that waits for its answer: half a minute on two cores


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise BadInput("The address holds the name of a film that cannot be read: the page goes on without it.")
    return text


FIELDS = {
    "set": Field(choice("the set of pictures", *data.DATASETS), "mnist"),
    "stage": Field(choice("the stage", stages.SCRATCH, *map(str, pictures.STAGES)), str(pictures.STAGES[-1])),
    "view": Field(choice("the view", *VIEWS), "grid"),
    "ask": Field(integer("the class", 0, 9), None),
    "pseed": Field(integer("the seed of the pictures", 0, 2**31 - 1), 0),
    "directions": Field(integer("the seed of the directions", 0, 2**30 - 1), 0),
    "puntil": Field(integer("the last step of the pictures", 1, pictures.MAX_STEPS), None),
    "pversus": Field(rules.difference(pictures_rules.readers()), None),
    "reel": Field(_name, ""),
    "reelb": Field(_name, ""),
    "pat": Field(integer("the step on screen", 0, pictures.MAX_STEPS), None),
    **pictures_rules.rule_fields(),
}


# --- for the page -------------------------------------------------------------------------------------------------

def routes() -> APIRouter:
    """A VisitorError that is raised here becomes {"error": sentence}, by the hub."""
    router = APIRouter(prefix="/pictures")

    @router.get("/about")
    def _about(set: str = "mnist") -> Response:
        return _bytes(stages.opened(stages.dataset({"set": set})))

    @router.post("/play")
    async def _play(request: Request) -> Response:
        return games.begun(games.order(await read_body(request)))

    @router.post("/steer")
    async def _steer(request: Request) -> Response:
        asked = await read_body(request)
        if not games.table().steer(str(asked.get("film", ""))[:40], partial(games.steered, asked)):
            raise Gone(GONE)
        return JSONResponse({"ok": True})

    @router.get("/film/{name}")
    def _film(name: str) -> Response:
        return _bytes(games.reopened(name[:40]))

    for path, answer in {"stages": stages.all_stages, "class": stages.of_class, "walk": stages.walked}.items():
        router.add_api_route(f"/{path}", _answering(answer), methods=["POST"], response_model=None)

    @router.post("/weights")
    async def _weights(request: Request) -> Response:
        name, content = await stages.exported(await read_body(request))
        return Response(content, media_type=streams.BINARY, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    return router


def _bytes(content: bytes) -> Response:
    return Response(content, media_type=streams.BINARY, headers={"Cache-Control": "no-store"})


def _answering(answer: Callable[[Mapping[str, Any]], Awaitable[bytes]]) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        return _bytes(await answer(await read_body(request)))
    return route


# --- for programs -------------------------------------------------------------------------------------------------

async def make_pictures(settings: dict, request: gr.Request) -> dict:
    """Make pictures with a bundled GAN. settings: set ("mnist", "fashion" or "emoji"), stage (0, 200, 1000, 5000 or 20000
    steps of its training), label (a class, from 0), count (up to 96), seed; what is missing takes its default.

    Returns {"pictures": PNGs in base64, "verdicts": what the discriminator of that stage says of each}.
    """
    try:
        asked = _settings(settings)
        networks = stages.whose({"stage": pictures.STAGES[-1], **asked, "film": ""})
        labels = (stages.number(asked, "label", 0, 0, 95),) * stages.number(asked, "count", 8, 1, stages.MAX_SAMPLES)
        wanted = pictures.Sample(**networks.given, labels=labels, seed=stages.seed(asked))
        made = await runtime.start(pictures.sample, wanted, session=_caller(request)).aresult()
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault
    return {"pictures": [_png(image) for image in wire.trimmed(made.images)],
            "verdicts": [round(float(each), 4) for each in made.verdicts]}


async def train_pictures(settings: dict, steps: int, request: gr.Request) -> dict:
    """Train a GAN of pictures, from scratch or from a bundled stage. settings: set, stage ("scratch" or a number of steps),
    seed, rules: an object such as {"loss": "hinge", "lr_d": 0.0005}. steps: up to 300.

    Returns {"step", "seconds", "d_real", "d_fake", "loss_d", "loss_g", "pictures": PNGs in base64, "labels", "verdicts",
    "broken": a sentence, where a number was none any more}.
    """
    try:
        asked = _settings(settings)
        whole("the number of steps", steps, 1, MOST_STEPS)
        name, stage = stages.dataset(asked), stages.stage(asked)
        params = pictures.Train(name, rules.read(asked.get("rules", {}), pictures_rules.recommended(name)), stages.seed(asked),
                                (stage or 0) + steps, "" if stage is None else stages.model(name, stage), stage or 0,
                                every=MOST_STEPS, measure_every=0, keep_every=0)
        look = await runtime.start(pictures.train, params, session=_caller(request)).aresult()
    except VisitorError as fault:
        raise gr.Error(str(fault), print_exception=False) from fault
    numbers = {each: wire.number(getattr(look, each)) for each in ("d_real", "d_fake", "loss_d", "loss_g")}
    return {"step": look.step, "seconds": round(look.seconds, 2), **numbers, "broken": look.broken,
            "pictures": [_png(image) for image in wire.trimmed(look.images)], "labels": look.labels.tolist(),
            "verdicts": [wire.number(float(each)) for each in look.verdicts]}


def _settings(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise BadInput('settings must be an object such as {"set": "mnist", "stage": 20000}.')
    return given


def _caller(request: gr.Request) -> str:
    return f"api:{request.client.host if request is not None and request.client else 'anyone'}"


def _png(image: Any) -> str:
    """uint8 (H, W, C) -> PNG in base64."""
    out = io.BytesIO()
    Image.fromarray(image.squeeze()).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def apis() -> list[tuple[Callable[..., Any], str]]:
    return [(make_pictures, "pictures"), (train_pictures, "train_pictures")]
