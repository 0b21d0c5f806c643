"""Models that did not come with the gallery, as a room offers them: looked at first, so that their size is known and
whether they would fit, and fetched when a visitor wishes it.

Visitors who want the same one wait for the same download; when the last of them leaves, it stops.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from engines import runtime
from engines.runtime import Cancelled, VisitorError, hub
from gallery.asked import read_body

TOLD_S = 0.4                         # between two words about a download


def is_foreign(name: str) -> bool:
    """Whether a model's name is an id of the Hub or one of the host's own folders."""
    return hub.is_id(name) or hub.is_own(name)


@dataclass(frozen=True)
class Elsewhere:
    """What a room says of models from elsewhere.

    curated: the ones it offers by name, dataclasses that have a `name`; what else they hold the page is told.
    config: what the page must know of a model that is here; raises VisitorError.
    wanted: of a repository's files (path -> bytes) those to be fetched; raises VisitorError where it is of no use.
    refuse: raises VisitorError for an offer that this machine cannot use.
    """

    curated: tuple[Any, ...]
    config: Callable[[str], dict[str, Any]]
    wanted: Callable[[dict[str, int]], tuple[str, ...]]
    refuse: Callable[[hub.Offer], None] = lambda offer: None

    def permit(self, name: str) -> None:
        """Raises BadInput where the host does not allow this model."""
        if hub.is_id(name):
            hub.permit(name, tuple(each.name for each in self.curated))

    def shelf(self) -> dict[str, Any]:
        """What the page offers beside the bundled models."""
        allowed = hub.policy()
        offered = () if allowed == "bundled" else self.curated
        return {"policy": allowed, "own": list(hub.own()),
                "curated": [{**dataclasses.asdict(each), "here": self._here(each.name)} for each in offered]}

    def _here(self, name: str) -> bool:
        try:
            self.config(name)
        except VisitorError:
            return False
        return True

    def look(self, name: str) -> dict[str, Any]:
        """{"config"} of a model that is here, or {"offer"} of one that can be fetched. Blocks. Raises VisitorError."""
        name = name.strip()
        if hub.is_own(name) or hub.is_id(name) and hub.policy() != "bundled" and hub.fetched(name) is not None and self._here(name):
            return {"config": self.config(name)}
        offer = self.asked(name)
        return {"offer": {"name": offer.name, "bytes": offer.bytes, "licence": offer.licence, "files": len(offer.files)}}

    def asked(self, name: str) -> hub.Offer:
        """What the Hub has under that id, if it is allowed and would fit. Blocks. Raises VisitorError."""
        self.permit(name)
        offer = hub.ask(name, self.wanted)
        hub.room(offer, runtime.state().budget_bytes)
        self.refuse(offer)
        return offer


# --- on their way ------------------------------------------------------------------------------------------------

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

    def __init__(self, elsewhere: Elsewhere) -> None:
        self.elsewhere = elsewhere
        self._going: dict[str, Download] = {}

    async def follow(self, name: str) -> AsyncIterator[tuple[int, int]]:
        """Fetch a model, or join who does: (bytes so far, bytes in all), until it is here. Raises VisitorError."""
        going = self._going.get(name)
        if going is None:
            offer = await asyncio.to_thread(self.elsewhere.asked, name)
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

    async def progress(self, name: str) -> AsyncIterator[bytes]:
        """A download as lines of JSON: {"done", "total"} ..., then {"config"} or {"error"}."""
        try:
            async for done, total in self.follow(name):
                yield _line(done=done, total=total)
            yield _line(config=await asyncio.to_thread(self.elsewhere.config, name))
        except Cancelled as stopped:
            yield _line(error=f"{stopped} Fetch it again to go on.")
        except VisitorError as fault:
            yield _line(error=str(fault))

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


def _line(**body: Any) -> bytes:
    return json.dumps(body).encode() + b"\n"


def routes(elsewhere: Elsewhere) -> APIRouter:
    """GET /shelf, POST /look {name}, POST /fetch {name}: a download ends when the last page that reads it leaves."""
    router, downloads = APIRouter(), Downloads(elsewhere)

    @router.get("/shelf")
    def _shelf() -> JSONResponse:
        return JSONResponse(elsewhere.shelf(), headers={"Cache-Control": "no-store"})

    @router.post("/look")
    async def _look(request: Request) -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(elsewhere.look, _name(await read_body(request))))

    @router.post("/fetch")
    async def _fetch(request: Request) -> StreamingResponse:
        name = _name(await read_body(request))
        return StreamingResponse(downloads.progress(name), media_type="application/x-ndjson",
                                 headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    return router


def _name(asked: dict[str, Any]) -> str:
    return str(asked.get("name", ""))[:200]
