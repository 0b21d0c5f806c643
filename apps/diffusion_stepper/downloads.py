"""Models on their way from the Hub: what the page reads while one is fetched.

Visitors who want the same one wait for the same download; when the last of them leaves, it stops.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from apps.diffusion_stepper import foreign, orders
from engines.runtime import Cancelled, VisitorError, hub

TOLD_S = 0.4                         # between two words about a download


@dataclass
class Download:
    """One that is under way, and how many pages wait for it."""

    offer: hub.Offer
    task: asyncio.Future[Path] | None = None
    done: int = 0
    waiting: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def told(self, done: int) -> None:
        self.done = done


class Downloads:
    """By name; used in the event loop only."""

    def __init__(self) -> None:
        self._going: dict[str, Download] = {}

    async def follow(self, name: str) -> AsyncIterator[tuple[int, int]]:
        """Fetch a model, or join who does: (bytes so far, bytes in all), until it is here. Raises VisitorError."""
        going = self._going.get(name)
        if going is None:
            offer = await asyncio.to_thread(foreign.asked, name)
            going = self._going.get(name) or self._begin(name, offer)       # another page may have asked meanwhile
        going.waiting += 1
        try:
            while not going.task.done():
                yield going.done, going.offer.bytes
                await asyncio.wait({going.task}, timeout=TOLD_S)
            going.task.result()
            yield going.offer.bytes, going.offer.bytes
        finally:
            going.waiting -= 1
            if not going.waiting:
                going.stop.set()

    def _begin(self, name: str, offer: hub.Offer) -> Download:
        going = Download(offer)
        going.task = asyncio.ensure_future(asyncio.to_thread(hub.fetch, offer, going.told, going.stop))
        going.task.add_done_callback(lambda task: self._ended(name, task))
        self._going[name] = going
        return going

    def _ended(self, name: str, task: asyncio.Future[Path]) -> None:
        self._going.pop(name, None)
        if not task.cancelled():
            task.exception()            # seen: whoever waits is told, and nobody may be left to wait


@cache
def downloads() -> Downloads:
    """Those of this process."""
    return Downloads()


async def progress(name: str) -> AsyncIterator[bytes]:
    """A download as lines of JSON: {"done", "total"} ..., then {"config"} or {"error"}."""
    try:
        async for done, total in downloads().follow(name):
            yield _line(done=done, total=total)
        yield _line(config=await asyncio.to_thread(foreign.config, name))
    except Cancelled as stopped:
        yield _line(error=f"{stopped} Fetch it again to go on.")
    except VisitorError as fault:
        yield _line(error=str(fault))


def _line(**body: Any) -> bytes:
    return json.dumps(body).encode() + b"\n"


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/shelf")
    def _shelf() -> JSONResponse:
        return JSONResponse(foreign.shelf(), headers={"Cache-Control": "no-store"})

    @router.post("/look")
    async def _look(request: Request) -> JSONResponse:
        asking = await orders.read_body(request)
        return JSONResponse(await asyncio.to_thread(foreign.look, str(asking.get("name", ""))[:200]))

    @router.post("/fetch")
    async def _fetch(request: Request) -> StreamingResponse:
        asking = await orders.read_body(request)
        return StreamingResponse(progress(str(asking.get("name", ""))[:200]), media_type="application/x-ndjson",
                                 headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    return router
