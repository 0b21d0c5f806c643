"""What a page asks for, read with care: a new run, one that goes on, a branch of one, a picture brought back.

The page sends JSON. Whatever is wrong with it becomes a BadInput: the number, the limit, what to do.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.diffusion_stepper import catalogue
from apps.diffusion_stepper.labels import EACH
from apps.diffusion_stepper.tapes import Tape, tapes
from engines import diffusion
from engines.checks import whole
from engines.runtime import BadInput
from gallery.asked import session

MAX_PAGE = 512 * 1024 * 1024         # bytes of all steps, which the page keeps so that they can be scrubbed
PANES = 3                            # pictures of a step that are sent: x_t, the noise, the clean picture
SETTINGS = ("model", "guidance", "sampler", "eta", "steps", "schedule", "count", "seed")
CHANGES = ("guidance", "sampler", "eta", "seed")        # what a branch may change, and its class


@dataclass(frozen=True)
class Order:
    """A run to be started, and the tape that it is to be written on ("" for a new one)."""

    params: diffusion.Sample
    session: str
    tape: str = ""


def read(asked: Mapping[str, Any]) -> Order:
    """Raises BadInput."""
    if "token" in asked:
        return _going_on(asked)
    if "parent" in asked:
        return _branch(asked)
    params = sample(asked)
    if asked.get("picture") is not None:
        params = replace(params, **_origin(asked, params.model))
    return Order(params, session(asked))


def sample(asked: Mapping[str, Any]) -> diffusion.Sample:
    """The settings of a run. Raises BadInput."""
    given = {name: asked[name] for name in SETTINGS if name in asked}
    model, count = str(given.pop("model", catalogue.DEFAULT)), given.get("count", 1)
    whole("the number of pictures", count, 1, diffusion.MAX_PICTURES)
    for name in ("sampler", "schedule"):
        if name in given:
            given[name] = str(given[name])
    params = diffusion.Sample(model, labels(asked.get("label", diffusion.NO_LABEL), model, count), **given)
    height, width, channels = catalogue.config(model)["image"]
    step = PANES * count * height * width * channels
    if step * params.steps > MAX_PAGE:
        raise BadInput(f"{params.steps} steps of {count} picture{'s' * (count > 1)} of {width} × {height} are "
                       f"{step * params.steps / 1e6:,.0f} MB, more than a page can hold; {MAX_PAGE // step} steps fit: "
                       "ask for fewer.")
    return params


def labels(asked: Any, model: str, count: int) -> tuple[int, ...]:
    """A class, none of them (-1), or "each": as the engine takes them. Raises BadInput."""
    classes = catalogue.config(model).get("classes") or []
    if asked == EACH:
        if not classes:
            raise BadInput(f"{model} was trained without classes: ask for none.")
        if count < len(classes):                # not all find a place: from the first to the last, evenly
            return tuple(index * len(classes) // count for index in range(count))
        return tuple(index % len(classes) for index in range(count))
    whole("the class", asked, diffusion.NO_LABEL, len(classes) - 1)
    return (int(asked),)


# --- from a step of another run -----------------------------------------------------------------------------------

def _index(asked: Mapping[str, Any], tape: Tape) -> int:
    index = asked.get("index", 0)
    whole("the step to go on from", index, 0, tape.params.steps)
    return int(index)


def _going_on(asked: Mapping[str, Any]) -> Order:
    """{token, index}: the same run from that step on, on the same tape."""
    name = str(asked["token"])[:64]
    tape = tapes().get(name)
    begin = tape.begin(_index(asked, tape))
    return Order(replace(tape.params, begin=begin), session(asked), name)


def parent(asked: Mapping[str, Any]) -> Tape:
    """The tape that a branch goes off from. Raises BadInput."""
    return tapes().get(str(asked.get("parent", ""))[:64])


def _branch(asked: Mapping[str, Any]) -> Order:
    """{parent, index, and what is to change}: another future of the same step."""
    tape = parent(asked)
    begin = tape.begin(_index(asked, tape))
    changes = {name: asked[name] for name in CHANGES if asked.get(name) is not None}
    if asked.get("label") is not None:
        changes["labels"] = labels(asked["label"], tape.params.model, tape.params.count)
    return Order(replace(tape.params, begin=begin, **changes), session(asked))


# --- from a picture -----------------------------------------------------------------------------------------------

def _origin(asked: Mapping[str, Any], model: str) -> dict[str, Any]:
    image = picture(asked["picture"])
    height, width, channels = catalogue.config(model)["image"]
    if image.shape != (height, width, channels):
        raise BadInput(f"The picture is {image.shape[1]} × {image.shape[0]} in {_shades(image.shape[2])}; "
                       f"{model} makes {width} × {height} in {_shades(channels)}: choose it again.")
    origin: dict[str, Any] = {"picture": image}
    if asked.get("strength") is not None:
        origin["strength"] = asked["strength"]
    if asked.get("mask") is not None:
        origin["mask"] = mask(asked["mask"], (height, width))
    return origin


def _shades(channels: int) -> str:
    return "grey" if channels == 1 else "colour"


def picture(given: Any) -> np.ndarray:
    """{w, h, c, data: base64} -> uint8 (H, W, C). Raises BadInput."""
    try:
        shape = int(given["h"]), int(given["w"]), int(given["c"])
        if not all(1 <= side <= diffusion.MAX_SIDE for side in shape):
            raise ValueError(shape)
        return np.frombuffer(base64.b64decode(given["data"], validate=True), np.uint8).reshape(shape).copy()
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, binascii.Error):
        raise BadInput("The picture arrived damaged: draw or choose it again.") from None


def mask(given: Any, shape: tuple[int, int]) -> np.ndarray:
    """base64 of one byte a pixel, row by row, not 0 where the model may paint -> bool (H, W). Raises BadInput."""
    try:
        return np.frombuffer(base64.b64decode(given, validate=True), np.uint8).reshape(shape) != 0
    except (TypeError, ValueError, binascii.Error):
        raise BadInput("The mask arrived damaged: paint it again.") from None
