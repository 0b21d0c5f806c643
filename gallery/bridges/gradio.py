"""Gradio demos on the gallery: an empty page to build in, the mount, and a job's frames on their way to the screen."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from fastapi import FastAPI
from gradio.context import Context
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engines.runtime import VisitorError
from gallery import look
from gallery.demo import Demo
from gallery.limits import GRADIO_CACHE_SECONDS, GRADIO_QUEUE, GRADIO_SESSIONS, GRADIO_STATELESS_SESSIONS, UPLOAD_BYTES
from gallery.pages.frame import Framed, Place

log = logging.getLogger(__name__)
LISTENING = re.compile(r"/queue/data$|/call/(?:v2/)?[^/]+/(?P<event>[^/]+)$")     # where answers of the queue are read


@contextmanager
def page(demo: Demo) -> Iterator[gr.Blocks]:
    """`with page(DEMO) as blocks:` and then the demo's own body: the frame around it comes by itself.

    Navigation, heading, scenes, lesson and models are put around it by `gallery.pages.frame` when it is mounted.
    """
    Context.id = 0      # a component keeps its number whichever room is built first: a page outlives a hub that starts anew
    with gr.Blocks(title=demo.title, fill_width=True, analytics_enabled=False,
                   delete_cache=GRADIO_CACHE_SECONDS) as blocks:
        yield blocks
    blocks.queue(max_size=GRADIO_QUEUE, default_concurrency_limit=None)     # the runtime queues: a second queue adds delay


def mount(app: FastAPI, blocks: gr.Blocks, place: Place) -> None:
    """Mount `blocks` at its /demo/<slug> of `app`, in the gallery's look and inside the frame of its page."""
    path = f"/demo/{place.slug}"
    blocks.state_session_capacity = sessions_kept(blocks)
    gr.mount_gradio_app(app, blocks, path=path, root_path=f"{place.base}{path}", ssr_mode=False, run_history=False,
                        footer_links=["api"], enable_monitoring=False, max_file_size=UPLOAD_BYTES,
                        theme=look.gradio_theme(), css=look.gradio_css(), mcp_server=False)
    route = next(route for route in reversed(app.router.routes) if getattr(route, "path", "") == path)
    route.app = Framed(Attended(route.app), lambda scope: place)


class Attended:
    """ASGI: ends what a page or a program waits for when it has gone.

    Gradio itself ends generators; a coroutine that answers a page, or is asked by name, would run on to its end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        asks = scope["type"] == "http" and scope["method"] == "POST" and path.endswith("/component_server")
        listens = scope["type"] == "http" and scope["method"] == "GET" and LISTENING.search(path)
        if not asks and not listens:
            await self.app(scope, receive, send)
            return
        given = [await receive()]
        while given[-1].get("more_body"):
            given.append(await receive())
        gone = asyncio.Event()

        async def handed_on() -> Message:
            if given:
                return given.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        work, watching = asyncio.create_task(self.app(scope, handed_on, send)), asyncio.create_task(watch())
        try:
            await asyncio.wait({work, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and listens:
                _end_events(scope, listens["event"])
            elif not work.done():
                work.cancel()
            await asyncio.wait({work})
        finally:
            watching.cancel()
            work.cancel()
        if not work.cancelled():
            work.result()


def _end_events(scope: Scope, event: str | None) -> None:
    """Cancel an event, or all of the session that the address names. Gradio names its tasks by both."""
    session_hash = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("session_hash")
    for task in asyncio.all_tasks():
        whose, separator, which = task.get_name().partition("<gradio-sep>")
        if separator and (which == event if event else session_hash and whose.rpartition("_")[0] == session_hash):
            task.cancel()


def sessions_kept(blocks: gr.Blocks) -> int:
    """How many visitors' sessions Gradio keeps. It is not told when a page closes: the least recently used go."""
    return GRADIO_SESSIONS if any(block.stateful for block in blocks.blocks.values()) else GRADIO_STATELESS_SESSIONS


def session(request: gr.Request | None) -> str:
    """What the runtime counts a visitor's runs by: Gradio's session, one for each open page."""
    return (getattr(request, "session_hash", None) or "nobody") if request else "nobody"


async def frames(run: Any, fps: float = 30.0) -> AsyncIterator[Any]:
    """The frames of a run, at most `fps` a second; those that nobody could have seen are left out, never the last.

    When the visitor leaves, Gradio closes the generator that loops over this one: the run is then cancelled. The
    `finally` runs on the server's event loop, so it does nothing but set that flag.
    """
    loop, pause, due = asyncio.get_running_loop(), 1.0 / fps, 0.0
    waiting, finished = None, False
    try:
        async for frame in run:
            now = loop.time()
            if now >= due:
                waiting, due = None, now + pause
                yield frame
            else:
                waiting = frame
        finished = True
        if waiting is not None:
            yield waiting
    finally:
        if not finished:
            run.cancel()


def answers(function: Callable[..., Any]) -> Callable[..., Any]:
    """For `server_functions=[answers(exact)]`: what a visitor may be told comes back as {"error": sentence}.

    Anything else that is raised is logged whole and answered with one sentence that gives nothing away.
    """
    def told(error: Exception) -> dict[str, str]:
        if isinstance(error, VisitorError):
            return {"error": str(error)}
        log.exception("%s failed", function.__name__)
        return {"error": "That did not work: a fault on our side. It is in the log; please try something else."}

    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def answer(*args: Any, **named: Any) -> Any:
            try:
                return await function(*args, **named)
            except Exception as error:      # the page must go on whatever a function of the server does
                return told(error)
    else:
        @functools.wraps(function)
        def answer(*args: Any, **named: Any) -> Any:
            try:
                return function(*args, **named)
            except Exception as error:      # see above
                return told(error)
    return answer
