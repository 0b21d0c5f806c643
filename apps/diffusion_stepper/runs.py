"""A run on its way to a page: one POST, answered by a stream that lives exactly as long as the page reads it.

When the tab closes, the stream ends and the run with it. The states stay on a tape, so that a run whose engine died
can go on from its last step, and another one can branch off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from apps.diffusion_stepper import catalogue, orders, wire
from apps.diffusion_stepper.tapes import Gone, tapes
from engines import diffusion, runtime
from engines.runtime import EngineLost, VisitorError
from gallery.asked import read_body

STATUS_EVERY_S = 0.5             # how often a page hears of its place in the queue, and one that has gone is noticed
BINARY = "application/octet-stream"

log = logging.getLogger(__name__)


async def records(run: Any, name: str) -> AsyncIterator[bytes]:
    """The run's steps as bytes, and its status whenever it changes; its states go onto the tape of that name."""
    frames = aiter(run)
    tape = tapes().get(name)
    yield wire.told("run", token=name, **_about(tape.params))
    coming = asyncio.ensure_future(anext(frames, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=STATUS_EVERY_S)
            if not done:
                status = run.status
                yield wire.told("status", state=status.state, ahead=status.ahead, sentence=status.sentence)
                continue
            frame = coming.result()
            if frame is None:
                break
            coming = asyncio.ensure_future(anext(frames, None))
            tapes().put(name, tape, frame.index, frame.x)
            yield wire.step(frame)
        yield wire.told("end")
    except VisitorError as error:
        yield wire.told("failed", error=str(error), lost=isinstance(error, EngineLost), index=tape.newest)
    except Exception:
        log.exception("the stream of a run failed")
        yield wire.told("failed", error="Something went wrong on our side; it is in the log. Play it again.",
                        lost=False, index=tape.newest)
    finally:
        coming.cancel()
        run.cancel()                                  # nothing, once the run has ended


def _about(params: diffusion.Sample) -> dict[str, Any]:
    """What the page must know to cut the steps apart, and what was really run."""
    height, width, channels = catalogue.config(params.model)["image"]
    return {"steps": params.steps, "count": params.count, "h": height, "w": width, "c": channels,
            "begin": params.begin.index if params.begin else 0, "labels": list(params.labels), "model": params.model,
            "guidance": params.guidance, "sampler": params.sampler, "eta": params.eta, "seed": params.seed,
            "schedule": params.schedule}


def begun(order: orders.Order) -> StreamingResponse:
    """Start what was asked for. Raises VisitorError."""
    run = runtime.start(diffusion.sample, order.params, session=order.session)
    name = order.tape
    if not name:
        name, _ = tapes().new(order.params)

    async def stream() -> AsyncIterator[bytes]:
        try:
            async for record in records(run, name):
                yield record
        finally:
            run.cancel()

    return StreamingResponse(stream(), media_type=BINARY,
                             headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/run")
    async def _run(request: Request) -> Response:
        asked = await read_body(request)
        try:
            return begun(orders.read(asked))
        except Gone as gone:
            return JSONResponse({"error": str(gone), "gone": True}, 410)

    return router
