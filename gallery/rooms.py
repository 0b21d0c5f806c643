"""Behind each door a demo's own application, built on the first visit or by the warm-up, whichever is first."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from engines.runtime import BadInput, Busy, VisitorError
from gallery import catalog
from gallery.asked import Gone
from gallery.catalog import Entry
from gallery.limits import GRADIO_THREADS
from gallery.milestones import by_key
from gallery.pages.frame import Place
from gallery.static import Packed

log = logging.getLogger(__name__)


class Closed(Exception):
    """The demo could not be built; str(error) is for its error card."""


@dataclass
class Room:
    """One demo: its door's entry, its application once built, and why it is closed, if it is."""

    entry: Entry
    app: ASGIApp | None = None
    fault: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rooms:
    """All rooms. `open` builds one; `close` ends what they started."""

    def __init__(self, entries: list[Entry], base: str) -> None:
        self.base = base
        self.rooms = {entry.slug: Room(entry) for entry in entries}
        self._streamlit: ASGIApp | None = None
        self._building = asyncio.Lock()     # one at a time: plotly breaks when it meets a half-imported pandas
        self._lives: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    async def open(self, slug: str) -> ASGIApp:
        """The demo's application. Raises Closed when it cannot be built."""
        room = self.rooms[slug]
        async with room.lock:
            if room.app is None and not room.fault:
                try:
                    async with self._building:
                        room.app = Packed(await self._build(room.entry))
                except Exception as error:      # whatever a demo raises, the other rooms stay open
                    log.exception("the demo %s could not be built", slug)
                    room.fault = f"its page could not be built ({type(error).__name__})"
        if room.app is None:
            raise Closed(room.fault)
        return room.app

    async def close(self) -> None:
        for task, leave in reversed(self._lives):
            leave.set()
            await asyncio.wait({task}, timeout=5)
        self._lives.clear()

    def place(self, entry: Entry) -> Place:
        after = catalog.onward([room.entry for room in self.rooms.values()], entry.slug)
        return Place(entry.slug, entry.demo, self.base, (after.slug, by_key(after.milestone).name) if after else None)

    # --- building ----------------------------------------------------------------------------------------------

    async def _build(self, entry: Entry) -> ASGIApp:
        if entry.demo.framework == "streamlit":
            return await self._build_streamlit(entry)
        return await self._build_gradio(entry)

    async def _build_gradio(self, entry: Entry) -> ASGIApp:
        inner = FastAPI(openapi_url=None)

        def build() -> None:
            from gallery.bridges import gradio as bridge
            module = catalog.load(entry, "app")
            if hasattr(module, "routes"):
                inner.mount(f"/demo/{entry.slug}/data", data_app(module.routes()))
            bridge.mount(inner, module.build(), self.place(entry))

        await asyncio.to_thread(build)
        await self._live(inner)
        return inner

    async def _build_streamlit(self, entry: Entry) -> ASGIApp:
        if self._streamlit is None:
            bridge = await asyncio.to_thread(importlib.import_module, "gallery.bridges.streamlit")
            application = await asyncio.to_thread(bridge.build)
            await self._live(application, application.lifespan())
            anyio.to_thread.current_default_thread_limiter().total_tokens = GRADIO_THREADS
            self._streamlit = bridge.framed(
                application, {room.entry.package: self.place(room.entry) for room in self.rooms.values() if room.entry.demo})
        from gallery.bridges.streamlit import Under
        module = await asyncio.to_thread(catalog.load, entry, "app")
        under = Under(entry, self._streamlit)
        if not hasattr(module, "routes"):
            return under
        inner = FastAPI(openapi_url=None)
        inner.mount(f"/demo/{entry.slug}/data", data_app(module.routes()))
        inner.mount("/", under)
        return inner

    async def _live(self, app: Any, lifespan: Callable[[Any], Any] | None = None) -> None:
        """Enter an application's lifespan in a task of its own: it must be left in the task that entered it."""
        entered, leave = asyncio.get_running_loop().create_future(), asyncio.Event()

        async def life() -> None:
            try:
                async with (lifespan or app.router.lifespan_context)(app):
                    entered.set_result(None)
                    await leave.wait()
            except Exception as error:
                if entered.done():
                    log.exception("a demo's application did not end well")
                else:
                    entered.set_exception(error)

        self._lives.append((asyncio.create_task(life()), leave))
        await entered


def data_app(router: Any) -> FastAPI:
    """A demo's own routes, where a VisitorError becomes {"error": sentence} and any other a plain apology."""
    app = FastAPI(openapi_url=None)
    app.include_router(router)

    async def told(request: Request, error: VisitorError) -> JSONResponse:
        if isinstance(error, Gone):
            return JSONResponse({"error": str(error), "gone": True}, 410)
        status = 429 if isinstance(error, Busy) else 400 if isinstance(error, BadInput) else 503
        return JSONResponse({"error": str(error)}, status)

    async def failed(request: Request, error: Exception) -> JSONResponse:
        log.error("%s failed", request.url.path, exc_info=error)
        return JSONResponse({"error": "This went wrong on our side and is in the log: please try again."}, 500)

    app.add_exception_handler(VisitorError, told)
    app.add_exception_handler(Exception, failed)
    return app
