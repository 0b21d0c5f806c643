"""A run on its way to a page: one POST, answered by a stream that lives exactly as long as the page reads it.

When the tab closes, the stream ends and the run with it. The states stay on a tape, so that a run whose engine died
can go on from its last step, and another one can branch off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from apps.diffusion_stepper import catalogue, orders, wire
from apps.diffusion_stepper.tapes import Tape, tapes
from engines import diffusion, runtime
from gallery import streams
from gallery.asked import read_body


async def records(run: Any, name: str, tape: Tape) -> AsyncIterator[bytes]:
    """The run's steps as bytes, and its status while it waits; its states go onto the tape of that name."""
    yield streams.told("run", token=name, **_about(tape.params))
    async for frame in streams.arriving(run):
        if frame is None:
            yield streams.waiting(run)
            continue
        tapes().put(name, tape, frame.index, frame.x)
        yield wire.step(frame)


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
    name, tape = (order.tape, tapes().get(order.tape)) if order.tape else tapes().new(order.params)
    return streams.sent(run, streams.to_the_end(records(run, name, tape), lambda: {"index": tape.newest}, "Play it again."))


def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/run")
    async def _run(request: Request) -> Response:
        return begun(orders.read(await read_body(request)))

    return router
