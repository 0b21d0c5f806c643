"""Change one thing in the middle of a run, and see both futures; and what comes of it earlier or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from apps.diffusion_stepper import orders, outcomes
from engines import diffusion
from engines.runtime import BadInput
from gallery.asked import read_body
from gallery.fields import Field, choice, integer, number

READERS: dict[str, Callable[[str], Any]] = {
    "label": lambda text: diffusion.NO_LABEL if text == "none" else integer("the class of the branch", 0, 9999)(text),
    "guidance": number("guidance of the branch", -10, 30),
    "sampler": choice("the sampler of the branch", *diffusion.SAMPLERS),
    "eta": number("eta of the branch", 0, 1),
    "seed": integer("the seed of the branch", 0, 2**31 - 1),
}


def _then(text: str) -> dict[str, Any]:
    """What changes at the fork, "label:3,guidance:4"."""
    if len(text) > 120:
        raise BadInput(f"then has {len(text)} characters; the limit is 120: name only what changes.")
    found = {}
    for part in text.split(","):
        key, colon, value = part.partition(":")
        if not colon or key not in READERS:
            raise BadInput(f"then is {text[:40]!r}; write what changes as name:value with commas between, "
                           f"of {', '.join(READERS)}.")
        found[key] = READERS[key](value)
    return found


FIELDS = {
    "fork": Field(integer("the step of the fork", 0, diffusion.MAX_STEPS), None),
    "then": Field(_then, {}),
}


def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/outcomes")
    async def _outcomes(request: Request) -> Response:
        """{parent, places, and what changes} -> lines of JSON: {place, pictures, verdicts}."""
        asked = await read_body(request)
        steps = orders.parent(asked).params.steps
        forks = outcomes.places(asked.get("places"), "the steps to change at", 0, steps)
        return outcomes.streamed({fork: orders.read({**asked, "index": fork}) for fork in forks})

    return router
