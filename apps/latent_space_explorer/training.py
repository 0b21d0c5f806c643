"""Train one from scratch: a run of the engine, streamed to the page as it learns.

One POST opens a stream of server-sent events that lives exactly as long as the page reads it:
when the tab closes, the stream ends and the run with it. Pausing, resuming and stopping are
small requests beside it, by the run's own unguessable name.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from apps.latent_space_explorer import pictures
from apps.latent_space_explorer.curve import elbo_curve
from apps.latent_space_explorer.projection import Plane, principal_plane, turned_like
from engines import runtime, vae
from engines.runtime import BadInput, VisitorError
from gallery.charts import plotly_route
from gallery.fields import Field

FRAMES_A_SECOND = 15             # more are not seen, and every one is a map and a sheet of samples to send
STATUS_EVERY_S = 0.5             # how often a page hears of its place in the queue, or that it is still paused
CELL = 28                        # side of one sample in the sheet, in pixels
MAX_BODY = 4096                  # bytes of a request to train: it holds six short fields
CHOICES = ("dataset", "latent", "beta", "kind", "seconds", "seed")

FIELDS = {"train": Field(lambda value: _setting(value), "")}
SETTING = re.compile(r"(mnist|fashion)-(vae|ae)-(\d{1,2})-(\d{1,2}(?:\.\d{1,3})?)-(\d{1,10})(?:-(\d{1,3}))?")

log = logging.getLogger(__name__)


@dataclass
class Trainings:
    """The runs whose pages are open, by name."""

    runs: dict[str, Any] = field(default_factory=dict)

    def steer(self, name: str, action: str) -> dict[str, Any]:
        run = self.runs.get(name)
        if run is None:
            raise BadInput("This training has ended already: start it again.")
        if action not in ("pause", "resume", "stop"):
            raise BadInput(f"A training can pause, resume or stop; {action[:20]!r} is none of them.")
        {"pause": run.pause, "resume": run.resume, "stop": run.cancel}[action]()
        return {"ok": True}


def _setting(value: str) -> str:
    """What is to be trained, as it stands in an address: data-kind-dimensions-beta-seed, and seconds if not 40."""
    found = SETTING.fullmatch(value)
    if not found:
        raise BadInput(f"train is {value[:40]!r}; write it as data-kind-dimensions-beta-seed, such as mnist-vae-2-1-0.")
    dataset, kind, latent, beta, seed, seconds = found.groups()
    vae.Train(dataset, int(latent), float(beta), kind, float(seconds or 40), int(seed))
    return value


def choices(asked: Any) -> vae.Train:
    """What the page asked for, checked. Raises BadInput."""
    if not isinstance(asked, dict):
        raise BadInput("The page asked in a form that is not understood: reload it and try again.")
    asked = {name: asked[name] for name in CHOICES if asked.get(name) is not None}
    for name in ("latent", "beta", "seconds", "seed"):
        value = asked.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadInput(f"{name} is {str(value)[:20]!r}: give a number.")
        if name in ("latent", "seed") and isinstance(value, float) and not value.is_integer():
            raise BadInput(f"{name} is {value}: give a whole number.")
    for name in ("latent", "seed"):
        if name in asked:
            asked[name] = int(asked[name])
    return vae.Train(**asked)


# --- one frame for the page ---------------------------------------------------------------------------------------

def packed(places: np.ndarray) -> tuple[str, float]:
    """Places (N, 2) as base64 of int16, and the unit that one step of them stands for."""
    unit = max(float(np.abs(places).max(initial=0.0)), 1e-6) / 32767
    return base64.b64encode(np.round(places / unit).astype("<i2").tobytes()).decode(), unit


def frame_event(progress: vae.Progress, before: Plane | None) -> tuple[dict[str, Any], Plane]:
    """One look at the model in training, as the page paints it, and the plane its codes were laid on."""
    plane = turned_like(principal_plane(progress.mu), before)
    places, unit = packed(plane.flat(progress.mu))
    columns = max(1, round(len(progress.samples) ** 0.5))
    event = {"step": progress.step, "seconds": round(progress.seconds, 2), "fraction": round(progress.fraction, 4),
             "reconstruction": round(progress.reconstruction_nats, 3), "kl": round(progress.kl_nats, 4),
             "train": round(progress.train_nats, 3) if np.isfinite(progress.train_nats) else None,
             "xy": places, "unit": unit,
             "explained": [round(float(share), 4) for share in plane.explained],
             "sheet": pictures.sheet(progress.samples, columns, CELL), "columns": columns,
             "samples": len(progress.samples), "model": progress.model}
    return event, plane


def _line(kind: str, body: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"


def _status(run: Any) -> dict[str, Any]:
    status = run.status
    return {"state": status.state, "ahead": status.ahead, "sentence": status.sentence}


async def events(run: Any, name: str) -> AsyncIterator[str]:
    """The run's frames as server-sent events, at most FRAMES_A_SECOND, and its status whenever it changes."""
    yield _line("run", {"id": name})
    frames, plane, told, due, first = aiter(run), None, None, 0.0, True
    coming = asyncio.ensure_future(anext(frames, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=STATUS_EVERY_S)
            status = _status(run)
            # a comment, where there is no news: sending it is how a page that has gone is noticed
            yield _line("status", status) if status != told else ": still here\n\n"
            told = status
            if not done:
                continue
            progress = coming.result()
            if progress is None:
                break
            event, plane = await asyncio.to_thread(frame_event, progress, plane)
            if first:
                event["labels"], first = base64.b64encode(progress.labels.astype(np.uint8).tobytes()).decode(), False
            yield _line("frame", event)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = time.monotonic() + 1 / FRAMES_A_SECOND
            coming = asyncio.ensure_future(anext(frames, None))
        yield _line("end", _status(run))
    except VisitorError as error:
        yield _line("failed", {"error": str(error)})
    except Exception:
        log.exception("a training stream failed")
        yield _line("failed", {"error": "Something went wrong while training; it is in the log. You can start again."})
    finally:
        coming.cancel()
        run.cancel()                                  # nothing, once the run has ended


# --- routes -------------------------------------------------------------------------------------------------------

def routes() -> APIRouter:
    """POST /train streams a run; POST /train/{name}/{action} steers it; GET /plotly.js draws its curve."""
    router, trainings = APIRouter(), Trainings()

    @router.post("/train")
    async def train(request: Request) -> Response:
        try:
            body = await request.body()
            if len(body) > MAX_BODY:
                raise BadInput(f"The request holds {len(body):,} bytes; the limit is {MAX_BODY:,}: reload the page.")
            asked = json.loads(body)
            session = str(asked.get("session", ""))[:64] if isinstance(asked, dict) else ""
            run = runtime.start(vae.train, choices(asked), session=session or secrets.token_urlsafe(12))
        except ValueError:
            return JSONResponse({"error": "The page asked in a form that is not understood: reload it."}, 400)
        except VisitorError as error:
            return JSONResponse({"error": str(error)}, 400)
        name = secrets.token_urlsafe(16)

        async def stream() -> AsyncIterator[str]:
            trainings.runs[name] = run
            try:
                async for line in events(run, name):
                    yield line
            finally:
                trainings.runs.pop(name, None)
                run.cancel()

        return StreamingResponse(stream(), media_type="text/event-stream",
                                 headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @router.post("/train/{name}/{action}")
    async def steer(name: str, action: str) -> JSONResponse:
        try:
            return JSONResponse(trainings.steer(name, action))
        except VisitorError as error:
            return JSONResponse({"error": str(error)}, 409)

    @router.get("/elbo-curve")
    def curve(dark: bool = False) -> JSONResponse:
        return JSONResponse(elbo_curve(dark), headers={"Cache-Control": "public, max-age=3600"})

    router.include_router(plotly_route())
    return router
