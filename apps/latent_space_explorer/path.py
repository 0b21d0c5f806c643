"""A walk through the latent space from pin to pin: pictures for the page, and as GIF and PNG to keep."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import gradio as gr

from apps.latent_space_explorer import catalogue, codes, exact, film
from apps.latent_space_explorer.dimensions import answering
from apps.latent_space_explorer.neighbours import vote
from engines import runtime, vae
from engines.runtime import BadInput
from gallery.fields import Field, choice, flag, integer

FEWEST, USUAL = 4, 32
FASTEST, SLOWEST = 50, 2             # pictures a second; a GIF cannot play faster than 50
STEPS_IN_STRIP = 96                  # 8 rows of 12: about 2,800 x 1,900 pixels for digits
WAYS = {"line": "straight line", "circle": "great circle"}
SPEED = 16

FIELDS = {
    "way": Field(choice("way", *WAYS), "line"),
    "steps": Field(integer("steps", FEWEST, vae.MAX_STEPS), USUAL),
    "play": Field(flag("play"), False),
    "speed": Field(integer("speed", SLOWEST, FASTEST), SPEED),
    "loop": Field(choice("loop", "bounce", "again", "once"), "bounce"),
    "at": Field(integer("at", 0, vae.MAX_STEPS - 1), 0),
}


def server_functions() -> list[Any]:
    return [path_walk, path_gif, path_strip]


@answering
async def path_walk(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, points, steps, way} -> {"sheet", "z": (N, d), "stops", "labels", "votes", "of"}.

    stops: the positions in the walk at which it passes a pin. labels, votes: around each step, which
    class most of the `of` nearest test pictures have, and how many of them.
    """
    walk, frame = await _walked(args)
    found = await asyncio.to_thread(vote, codes.read(walk.model), frame.z)
    return {"sheet": await asyncio.to_thread(film.sheet, frame.images), "z": frame.z.tolist(), "stops": stops(walk),
            "labels": found.label.tolist(), "votes": found.votes.tolist(), "of": found.nearest.shape[1]}


@answering
async def path_gif(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, points, steps, way, speed, loop} -> {"name", "type", "data"} of an endless GIF."""
    walk, frame = await _walked(args)
    speed = _whole(args, "speed", SLOWEST, FASTEST, SPEED)
    data = await asyncio.to_thread(film.gif, frame.images, speed, args.get("loop", "bounce") == "bounce")
    return film.download(f"{_file_name(walk)}.gif", "image/gif", data)


@answering
async def path_strip(args: Mapping[str, Any]) -> dict[str, Any]:
    """{model, points, steps, way} -> {"name", "type", "data"} of a PNG film strip."""
    walk, frame = await _walked(args)
    if len(frame.images) > STEPS_IN_STRIP:
        raise BadInput(f"A film strip of {len(frame.images)} pictures was asked for; the limit is {STEPS_IN_STRIP}: "
                       "choose fewer steps, or export a GIF.")
    about = (f"{len(frame.images)} pictures decoded by {walk.model} along a {WAYS[walk.way]} "
             f"through {len(walk.points)} points of its latent space")
    data = await asyncio.to_thread(film.strip, frame.images, about)
    return film.download(f"{_file_name(walk)}.png", "image/png", data)


def whole_stretches(steps: int, points: int) -> int:
    """The number of pictures nearest to `steps`, from above if it can be, that makes all stretches equally long.

    Each of the points - 1 stretches then takes the same number of steps, and every pin is one of the pictures.
    """
    stretches = points - 1
    each = max(1, math.ceil((steps - 1) / stretches))
    if each * stretches + 1 > vae.MAX_STEPS:
        each = (vae.MAX_STEPS - 1) // stretches
    return each * stretches + 1


def stops(walk: vae.Interpolate) -> list[int]:
    """Positions of the pins among the pictures of a walk of whole stretches."""
    each = (walk.steps - 1) // (len(walk.points) - 1)
    return [i * each for i in range(len(walk.points))]


async def _walked(args: Mapping[str, Any]) -> tuple[vae.Interpolate, vae.Pictures]:
    walk = asked(args)
    return walk, await runtime.start(vae.interpolate, walk, session=exact.session(dict(args))).aresult()


def asked(args: Mapping[str, Any]) -> vae.Interpolate:
    """The walk that the page asks for. Raises BadInput."""
    model, given = str(args.get("model", "")), args.get("points")
    if not isinstance(given, (list, tuple)) or len(given) < 2:
        raise BadInput(f"A path needs at least 2 pins and has {len(given) if isinstance(given, (list, tuple)) else 0}: "
                       "click on the map to set them.")
    if len(given) > 16:
        raise BadInput(f"The path has {len(given)} pins; the limit is 16: remove some.")
    points = tuple(exact.point(each) for each in given)
    d = catalogue.config(model)["latent"]
    for each in points:
        if len(each) != d:
            raise BadInput(f"A pin has {len(each)} numbers; {model} has {d} dimensions: set the pins anew.")
    steps = _whole(args, "steps", FEWEST, vae.MAX_STEPS, USUAL)
    return vae.Interpolate(model, points, whole_stretches(steps, len(points)), str(args.get("way", "line")))


def _whole(args: Mapping[str, Any], name: str, low: int, high: int, usual: int) -> int:
    value = args.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise BadInput(f"{name} is {str(value)[:20]!r}; it may be {low} to {high}: choose a whole number in between.")
    return int(value)


def _file_name(walk: vae.Interpolate) -> str:
    """Only letters, digits and hyphens, whatever the model is called."""
    model = "".join(c if c.isascii() and c.isalnum() else "-" for c in walk.model)
    return f"path-{model}-{len(walk.points)}-pins-{walk.steps}-pictures"


# --- for programs -------------------------------------------------------------------------------------------------

async def path_as_gif(model: str, points: list[list[float]], steps: int, way: str, speed: int,
                      request: gr.Request) -> dict:
    """Walk from point to point in the latent space and return the walk as an endless GIF, there and back.

    points: 2 to 16, each with one number for each dimension. way: "line" or "circle". speed: pictures a second.
    Returns {"name", "type": "image/gif", "data": base64}.
    """
    client = request.client.host if request is not None and request.client else "anyone"
    answer = await path_gif({"model": model, "points": points, "steps": steps, "way": way, "speed": speed,
                             "session": f"api:{client}"})
    if "error" in answer:
        raise gr.Error(answer["error"], print_exception=False)
    return answer


def apis() -> list[tuple[Any, str, str]]:
    return [(path_as_gif, "path_as_gif", path_as_gif.__doc__ or "")]
