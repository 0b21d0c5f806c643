"""The one ASGI application: the hub, its files, and every demo behind its door.

It answers before gradio, streamlit or torch is imported. torch never is, in this process: the engine has its own.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from engines import runtime
from engines.runtime import VisitorError
from gallery import VERSION, catalog, limits, pages
from gallery.guard import Guard
from gallery.milestones import MILESTONES
from gallery.rooms import Closed, Rooms
from gallery.static import Assets, compressed
from gallery.thumbnails import Thumbnails, Unavailable

ROOT = Path(__file__).resolve().parents[1]
log = logging.getLogger(__name__)

HEAD_START = 0.3         # seconds: whoever opens the gallery while it starts is answered before anything heavy is imported

# No library here may call home, or keep a tally: Gradio's own, of every event, with pandas, after each of them, is for
# a monitoring page that is switched off. Set before any of them is imported.
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
         "GRADIO_RUN_HISTORY": "False", "GRADIO_SSR_MODE": "False", "GRADIO_MCP_SERVER": "False",
         "GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
         "HF_HUB_DISABLE_XET": "1",         # a download by plain HTTP can be stopped, and tells how far it is
         "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}


class Gallery:
    """What lives as long as the server: the catalog, the rooms, the thumbnails, the engine's state."""

    def __init__(self, entries: list[catalog.Entry], base: str) -> None:
        self.entries = entries
        self.base = base
        self.started = time.time()
        self.warm = False
        self.thumbnails = Thumbnails()
        self.rooms = Rooms(entries, base)

    def entry(self, slug: str) -> catalog.Entry:
        """The demo of that slug. Raises HTTPException 404."""
        for entry in self.entries:
            if entry.slug == slug:
                return entry
        raise HTTPException(404)

    def health(self) -> dict[str, Any]:
        """What /health says; every figure is the engine's own, none is guessed."""
        engine = runtime.state()
        return {
            "ready": self.warm and engine.ready, "version": VERSION, "uptime_s": round(time.time() - self.started, 1),
            "device": engine.device, "device_name": engine.device_name,
            "engine": {"mode": engine.mode, "pid": engine.pid, "ready": engine.ready, "restarts": engine.restarts,
                       "torch": engine.torch, "budget_bytes": engine.budget_bytes},
            "models": [{"name": name, "bytes": size} for name, size in engine.models],
            "runs": {"running": engine.running, "queued": engine.queued},
            "demos": {slug: "closed" if room.fault or not room.entry.works else "open" if room.app else "waiting"
                      for slug, room in self.rooms.rooms.items()},
            "hub": {"pid": os.getpid()},
        }

    async def warm_up(self) -> None:
        """Start the engine and build every room, so that the first visitor waits for neither."""
        await asyncio.sleep(HEAD_START)
        await asyncio.gather(self._warm_engine(), self._warm_rooms())
        # What is loaded now stays: the collector need not walk it again (Streamlit's pages would feel it).
        await asyncio.to_thread(gc.collect)
        gc.freeze()
        self.warm = True
        await self._warm_demos()

    async def _warm_demos(self) -> None:
        """What a demo makes ahead for its visitors: `async def warm()` in its app, if it has one."""
        for entry in self.entries:
            room = self.rooms.rooms[entry.slug]
            make = getattr(catalog.load(entry, "app"), "warm", None) if room.app else None
            if make:
                try:
                    await make()
                except Exception:           # the demo makes it when the first visitor asks
                    log.exception("the demo %s could not be warmed", entry.slug)

    async def _warm_engine(self) -> None:
        try:
            await asyncio.to_thread(runtime.warm)
        except VisitorError as error:   # the pages stay up without an engine; each run will say what is wrong
            log.error("the engine could not be started: %s", error)

    async def _warm_rooms(self) -> None:
        for entry in self.entries:
            if entry.works:
                try:
                    await self.rooms.open(entry.slug)
                except Closed as closed:
                    log.warning("%s stays closed: %s", entry.slug, closed)


def create_app(only: str | None = None, engine: str = "process", base: str = "",
               apps: Path = ROOT / "apps") -> FastAPI:
    """The gallery as an ASGI application.

    only: the slug of the single demo to show; the root then leads to it. engine: "process" or "thread".
    base: the path prefix under which a proxy shows the gallery ("/gallery"), without a slash at its end.
    Raises ValueError when `only` names no demo.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    entries = [entry for entry in catalog.entries(apps) if only in (None, entry.slug)]
    if only and not entries:
        raise ValueError(f"there is no demo {only!r}: python -m gallery list shows those there are.")
    gallery = Gallery(entries, base.rstrip("/"))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime.configure(mode=engine)
        warming = asyncio.create_task(gallery.warm_up())
        try:
            yield
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            await gallery.rooms.close()
            await asyncio.to_thread(runtime.stop)

    app = FastAPI(title="Generative AI, hands on", openapi_url=None, lifespan=lifespan)
    app.state.gallery = gallery
    _add_pages(app, gallery, only)
    app.mount("/assets/web", Assets(ROOT / "assets" / "web"))
    app.mount("/demo", Doors(gallery))
    app.add_exception_handler(HTTPException, _lost(gallery))
    app.add_middleware(Guard)
    return app


def page(html: str, request: Request, status: int = 200) -> Response:
    """An HTML page, compressed, never kept by the browser without asking."""
    body, headers = compressed(html.encode(), request.headers)
    return HTMLResponse(body, status, headers={**headers, "cache-control": "no-cache"})


def _add_pages(app: FastAPI, gallery: Gallery, only: str | None) -> None:
    @app.get("/")
    async def hub(request: Request, q: str = "") -> Response:
        if only:
            return RedirectResponse(f"{gallery.base}/demo/{only}/")
        return page(pages.hub(MILESTONES, gallery.entries, gallery.health(), query=q[:limits.SEARCH_CHARACTERS],
                              base=gallery.base), request)

    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse(gallery.health(), headers={"cache-control": "no-store"})

    @app.get("/favicon.svg")
    @app.get("/favicon.ico")
    async def favicon(request: Request) -> Response:
        return Assets(ROOT / "assets" / "web").answer("favicon.svg", request.headers)

    @app.get("/licences")
    async def licences(request: Request) -> Response:
        texts = "".join(f"<h2>{name}</h2><pre>{escape((ROOT / name).read_text('utf-8'))}</pre>" for name in ("LICENSE", "NOTICE"))
        return page(pages.render_message("Licences", texts, base=gallery.base), request)

    @app.get("/robots.txt")
    async def robots() -> PlainTextResponse:
        return PlainTextResponse("User-agent: *\nAllow: /\n")


def _lost(gallery: Gallery):
    async def answer(request: Request, error: HTTPException) -> Response:
        if error.status_code != 404:
            return PlainTextResponse(str(error.detail), error.status_code, headers=error.headers)
        return page(pages.not_found(request.url.path, base=gallery.base, entries=gallery.entries), request, 404)
    return answer


class Doors:
    """Everything under /demo: /demo/<slug>/ and what belongs to it."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        slug, slash, rest = path.partition("/")
        try:
            entry = self.gallery.entry(slug)
        except HTTPException:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4404})
                return
            raise
        # The demos expect to be mounted at the root of the hub, not under /demo.
        scope = {**scope, "root_path": scope.get("root_path", "").removesuffix("/demo")}
        if scope["type"] == "websocket":
            await self._enter(entry, scope, receive, send)
        elif rest == "thumbnail.webp":
            await (await self._thumbnail(entry, Request(scope)))(scope, receive, send)
        elif not slash:
            query = scope["query_string"].decode("latin-1")
            address = f"{self.gallery.base}/demo/{slug}/" + (f"?{query}" if query else "")
            await RedirectResponse(address)(scope, receive, send)
        else:
            await self._enter(entry, scope, receive, send)

    async def _enter(self, entry: catalog.Entry, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if not entry.works:
                raise Closed("; ".join(entry.faults))
            app = await self.gallery.rooms.open(entry.slug)
        except Closed as closed:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011})
                return
            broken = catalog.Entry(entry.slug, entry.folder, entry.demo, (str(closed),))
            html = pages.error_card_page(broken, base=self.gallery.base)
            await page(html, Request(scope), 503)(scope, receive, send)
            return
        await app(scope, receive, send)

    async def _thumbnail(self, entry: catalog.Entry, request: Request) -> Response:
        headers = {"cache-control": "public, max-age=3600"}
        try:
            picture = await self.gallery.thumbnails.get(entry, request.query_params.get("still") == "1")
        except Unavailable as why:
            return PlainTextResponse(str(why), 503, headers={"cache-control": "no-store", "retry-after": "5"})
        if Headers(scope=request.scope).get("if-none-match") == picture.etag:
            return Response(status_code=304, headers={**headers, "etag": picture.etag})
        return Response(picture.body, media_type=picture.type, headers={**headers, "etag": picture.etag})
