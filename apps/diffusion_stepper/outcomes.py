"""Several runs to their ends, side by side: of a change at every step, of a picture from every noise level."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from fastapi.responses import StreamingResponse

from apps.diffusion_stepper import verdicts, view
from apps.diffusion_stepper.orders import Order
from engines import diffusion, runtime
from engines.checks import whole
from engines.runtime import BadInput, VisitorError

MOST = 12                            # in one row: as many as can be looked at side by side
AT_ONCE = 3                          # of the four runs that a page may have; one stays free for what is on screen


def places(given: Any, what: str, low: int, high: int) -> list[int]:
    """The steps or levels that a page asks for. Raises BadInput."""
    if not isinstance(given, list) or not 1 <= len(given) <= MOST:
        raise BadInput(f"Name 1 to {MOST} of {what}.")
    for each in given:
        whole(what, each, low, high)
    return given


async def outcome(order: Order) -> dict[str, Any]:
    """Run an order to its end: its pictures and what is on them."""
    last = await runtime.start(diffusion.sample, order.params, session=order.session).aresult()
    seen = await verdicts.judged(order.params.model, last.x_0, order.session)
    return {"pictures": [view.pixels(image) for image in np.asarray(last.x_0)], "verdicts": seen}


async def lines(runs: dict[int, Order]) -> AsyncIterator[bytes]:
    """One line of JSON for each place, as soon as its run has ended."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(place: int, order: Order) -> dict[str, Any]:
        async with gate:
            return {"place": place, **await outcome(order)}

    tasks = [asyncio.create_task(one(place, order)) for place, order in runs.items()]
    try:
        for done in asyncio.as_completed(tasks):
            yield json.dumps(await done, separators=(",", ":")).encode() + b"\n"
    except VisitorError as error:
        yield json.dumps({"error": str(error)}).encode() + b"\n"
    finally:
        for task in tasks:
            task.cancel()


def streamed(runs: dict[int, Order]) -> StreamingResponse:
    return StreamingResponse(lines(runs), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})
